"""Average precision of segments and suppression: worked examples, the numbers of others' scripts, laws, refusals."""

import numpy as np
import pytest
from scipy.io import loadmat

from classify.untrimmed.detection_metrics import detection_precision, mean_precision
from classify.untrimmed.segments import Segments, overlaps
from classify.untrimmed.suppression import suppress
from idt.errors import DataError
from tests.untrimmed import others


def segments(*rows):
    """Segments of (video, label, start, end[, score]) rows."""
    return Segments.of(*zip(*((row[0], row[1], row[2:4], *row[4:]) for row in rows), strict=True))


# Worked examples.


def test_overlap_is_intersection_over_union_in_seconds():
    found = overlaps(np.array([0.0, 4.0]), np.array([[0.0, 4.0], [2.0, 6.0], [4.0, 5.0]]))
    np.testing.assert_allclose(found, [1, 1 / 3, 0])


def test_a_detection_takes_the_free_truth_that_it_overlaps_most():
    truth = segments(("v", "a", 0, 10), ("v", "a", 20, 30))
    found = segments(("v", "a", 0, 10, 0.9), ("v", "a", 1, 10, 0.8), ("v", "a", 20, 28, 0.7))
    # Precisions 1, 1/2, 2/3 at ranks 1 to 3; those of the two hits are made monotone from the right: 1 and 2/3.
    assert detection_precision(truth, found, [0.5])["a"] == pytest.approx([(1 + 2 / 3) / 2])


def test_the_official_rule_of_thumos_looks_at_overlap_before_score():
    truth = segments(("v", "a", 0, 10))
    found = segments(("v", "a", 0, 8, 0.9), ("v", "a", 0, 10, 0.1))
    assert detection_precision(truth, found, [0.5])["a"] == pytest.approx([1.0])
    assert detection_precision(truth, found, [0.5], rule="thumos14")["a"] == pytest.approx([0.5])
    # Strictly above the threshold there, at least the threshold here.
    exact = segments(("v", "a", 0, 5, 0.9))
    assert detection_precision(truth, exact, [0.5])["a"] == [1.0]
    assert detection_precision(truth, exact, [0.5], rule="thumos14")["a"] == [0.0]


def test_detections_on_ambiguous_segments_are_forgiven_by_the_rule_of_thumos():
    truth = segments(("v", "a", 0, 10), ("v", "Ambiguous", 50, 60))
    found = segments(("v", "a", 52, 55, 0.9), ("v", "a", 0, 10, 0.5))
    assert detection_precision(truth, found, [0.5], rule="thumos14")["a"] == [1.0]
    assert detection_precision(truth, found, [0.5])["a"] == [0.5]


def test_suppression_keeps_the_better_of_two_and_states_its_ties():
    rows = [("v", "a", 0, 10, 0.5), ("v", "a", 1, 10, 0.5), ("v", "b", 0, 10, 0.1), ("w", "a", 0, 10, 0.1)]
    assert suppress(segments(*rows), 0.5).spans[:, 0].tolist() == [0, 0, 0]
    assert suppress(segments(*rows), 0.5, ties="last").spans[:, 0].tolist() == [1, 0, 0]
    # Dropped above the threshold, kept where the overlap equals it.
    assert len(suppress(segments(("v", "a", 0, 10, 0.5), ("v", "a", 0, 5, 0.4)), 0.5)) == 2


# The numbers of others.


@pytest.mark.slow
@pytest.mark.parametrize("number", range(5))
def test_the_detections_of_scnn_give_the_published_precisions_of_all_classes(number):
    overlap = round(0.1 * (number + 1), 1)
    expected = others.expected("thumos14", "scnn, official evaluation, NMS at tiou - 0.1", str(overlap))
    kept = suppress(others.scnn(), expected["nms_threshold"], ties="last")
    assert len(kept) == expected["kept"]
    found = detection_precision(others.thumos(), others.submitted(kept), [overlap], rule="thumos14")
    assert {label: value[0] for label, value in found.items()} == pytest.approx(expected["AP"], abs=1e-9)
    published = loadmat(others.place() / "thumos14" / "scnn" / "res_scnn_thumos14.mat")["AP_all"].ravel()[number]
    np.testing.assert_allclose([value[0] for value in found.values()], published.ravel(), atol=1e-15)


@pytest.mark.slow
def test_one_set_of_detections_gives_the_numbers_of_both_rules():
    thresholds = np.arange(1, 8) / 10
    truth = others.thumos()
    assert len(truth.rows(truth.labels != "Ambiguous")) == 3358
    lines = [line.split() for line in (others.place() / "thumos14" / "scnn_nms0.2.txt").read_text().splitlines()]
    numbers = (others.place() / "thumos14" / "annotation_test" / "detclasslist.txt").read_text().splitlines()
    names = dict(line.split() for line in numbers)
    # The official script orders equal scores by the video's name, then by line.
    lines.sort(key=lambda line: line[0])
    found = Segments.of(
        [line[0] for line in lines], [names[line[3]] for line in lines],
        [(float(line[1]), float(line[2])) for line in lines], [float(line[4]) for line in lines],
    )  # fmt: skip
    np.testing.assert_allclose(
        mean_precision(truth, found, thresholds, rule="thumos14"),
        [0.404874, 0.391913, 0.362761, 0.299419, 0.191121, 0.091285, 0.031826],
        atol=6e-7,
    )
    sure = truth.rows(truth.labels != "Ambiguous")
    np.testing.assert_allclose(
        mean_precision(sure, found, thresholds, rule="thumos14"),
        [0.395729, 0.382910, 0.355295, 0.293460, 0.187137, 0.089013, 0.031148],
        atol=6e-7,
    )


# Laws.


def test_the_order_of_rows_does_not_matter_where_no_scores_are_equal():
    rng = np.random.default_rng(1)
    starts = rng.uniform(0, 100, 300)
    found = Segments.of(
        rng.choice(["v", "w"], 300),
        rng.choice(["a", "b"], 300),
        np.column_stack([starts, starts + 10]),
        rng.random(300),
    )
    truth = found.rows(np.arange(0, 300, 20))
    order = rng.permutation(300)
    for rule in ("activitynet", "thumos14"):
        first = detection_precision(truth, found, [0.3, 0.5], rule=rule)
        second = detection_precision(truth, found.rows(order), [0.3, 0.5], rule=rule)
        np.testing.assert_array_equal(first["a"], second["a"])
    np.testing.assert_array_equal(
        np.sort(suppress(found, 0.3).scores), np.sort(suppress(found.rows(order), 0.3).scores)
    )


# Refusals.


def test_a_segment_that_ends_before_it_starts_is_refused():
    with pytest.raises(DataError, match="'a' of 'v' from 5 to 5 s"):
        segments(("v", "a", 5, 5))


def test_what_cannot_be_measured_is_refused():
    truth, found = segments(("v", "a", 0, 1)), segments(("v", "b", 0, 1, 0.5))
    with pytest.raises(DataError, match="no true segment is of the class 'b'"):
        detection_precision(truth, found, [0.5])
    with pytest.raises(DataError, match="there is no true segment"):
        detection_precision(segments(("v", "Ambiguous", 0, 1)), found, [0.5])
    with pytest.raises(DataError, match="at most 1, got 50"):
        detection_precision(truth, truth, [50])
    with pytest.raises(DataError, match="threshold of suppression"):
        suppress(found, 2)
