"""Shares and rankings by hand."""

import math
from fractions import Fraction

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from classify import metrics
from idt.errors import DataError

CLASSES = ["run", "skip", "walk"]
TRUTH = ["run", "run", "run", "walk"]
PREDICTED = ["run", "run", "walk", "walk"]


def average_precision_by_hand(relevant, scores):
    """Mean, over the relevant, of the share of relevant ones among all that score as high."""
    order = np.argsort(-np.asarray(scores))
    hits = [i for i, place in enumerate(order) if relevant[place]]
    return float(sum(Fraction(k + 1, i + 1) for k, i in enumerate(hits)) / len(hits))


def test_a_confusion_matrix_has_the_truth_in_its_rows():
    counts = metrics.confusion(TRUTH, PREDICTED, CLASSES)
    assert counts.tolist() == [[2, 0, 1], [0, 0, 0], [0, 0, 1]]
    assert metrics.accuracy(counts) == 0.75


def test_the_mean_class_accuracy_leaves_out_classes_without_videos():
    counts = metrics.confusion(TRUTH, PREDICTED, CLASSES)
    shares = metrics.class_accuracies(counts)
    assert shares[[0, 2]].tolist() == [2 / 3, 1]
    assert math.isnan(shares[1])
    assert metrics.class_accuracy(counts) == pytest.approx((2 / 3 + 1) / 2)


def test_of_equal_scores_the_earlier_class_is_the_higher():
    scores = np.array([[1.0, 1.0, 0.0], [0.0, 1.0, 1.0]])
    assert metrics.top_k(["run", "walk"], scores, CLASSES, k=1) == 0.5
    assert metrics.top_k(["run", "walk"], scores, CLASSES, k=2) == 1
    assert metrics.top_k(["skip", "run"], scores, CLASSES, k=2) == 0.5


def test_average_precision_ranks_the_videos_of_a_class():
    random = np.random.default_rng(0)
    truth = random.choice(["run", "walk"], 15)
    scores = random.normal(size=(15, 3))
    found = metrics.average_precision(truth, scores, CLASSES)
    assert found[0] == pytest.approx(average_precision_by_hand(truth == "run", scores[:, 0]))
    assert found[2] == pytest.approx(average_precision_by_hand(truth == "walk", scores[:, 2]))
    assert math.isnan(found[1])
    assert metrics.mean_average_precision(truth, scores, CLASSES) == pytest.approx((found[0] + found[2]) / 2)


def test_videos_of_several_labels_count_for_each():
    random = np.random.default_rng(1)
    truth, scores = random.random((12, 3)) < 0.4, random.normal(size=(12, 3))
    wanted = [average_precision_by_hand(truth[:, k], scores[:, k]) for k in range(3)]
    np.testing.assert_allclose(metrics.average_precision(truth, scores, CLASSES), wanted)


def test_the_mean_average_precision_is_that_of_scikit_learn():
    random = np.random.default_rng(2)
    labels = [tuple(np.array(CLASSES)[random.random(3) < 0.5]) for _ in range(20)]
    holds, scores = metrics.memberships(labels, CLASSES), random.normal(size=(20, 3)).round(1)
    assert holds[0].tolist() == [label in labels[0] for label in CLASSES]
    wanted = average_precision_score(holds, scores, average="macro")
    assert metrics.mean_average_precision(holds, scores, CLASSES) == pytest.approx(wanted)


def test_a_loss_is_the_log_of_what_the_truth_was_given():
    given = np.array([[0.5, 0.25, 0.25], [1.0, 0.0, 0.0]])
    assert metrics.log_loss(["run", "run"], given, CLASSES) == pytest.approx(math.log(2) / 2)
    assert metrics.log_loss(["walk"], given[1:], CLASSES) == pytest.approx(-math.log(np.finfo(float).eps))


def test_the_interval_over_splits_is_students():
    # HMDB51's published splits: mean 57.23, deviation 0.551, t of 2 degrees 4.303.
    low, high = metrics.confidence_interval([56.7, 57.2, 57.8])
    assert (low, high) == (pytest.approx(55.865, abs=1e-3), pytest.approx(58.602, abs=1e-3))
    assert metrics.confidence_interval([57.2]) is None


def test_a_class_that_was_not_trained_scores_below_all_others():
    placed = metrics.scores_of_all_classes(np.array([[1.0, -5.0], [3.0, 2.0]]), ["run", "walk"], CLASSES)
    assert placed[:, [0, 2]].tolist() == [[1, -5], [3, 2]]
    assert (placed[:, 1] < -5).all()


def test_metrics_refuse_what_does_not_belong_together():
    with pytest.raises(DataError, match="truth holds labels that are no classes: jump"):
        metrics.confusion(["jump"], ["run"], CLASSES)
    with pytest.raises(DataError, match="one label per video, got 4 and 3"):
        metrics.confusion(TRUTH, PREDICTED[:3], CLASSES)
    with pytest.raises(DataError, match=r"scores must be of shape \(4, 3\)"):
        metrics.top_k(TRUTH, np.ones((4, 2)), CLASSES)
    with pytest.raises(DataError, match="scores must be finite"):
        metrics.average_precision(TRUTH, np.full((4, 3), np.nan), CLASSES)
    with pytest.raises(DataError, match=r"truth must be of shape \(4, 3\)"):
        metrics.average_precision(np.ones((4, 2), bool), np.ones((4, 3)), CLASSES)
