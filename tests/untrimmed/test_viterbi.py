"""Labels of frames by dynamic programming: worked examples, rivals, others' numbers, laws, refusals."""

import numpy as np
import pytest

from classify.untrimmed.frame_metrics import frame_scores
from classify.untrimmed.viterbi import decode_frames, decode_segments
from idt.errors import DataError
from tests.reference import alignment
from tests.untrimmed import others


def test_a_penalty_bridges_a_short_dip():
    scores = np.array([[2, 0], [2, 0], [0, 1], [2, 0], [0, 5], [0, 5]], float)
    assert decode_frames(scores, 0)[0].tolist() == [0, 0, 1, 0, 1, 1]
    assert decode_frames(scores, 1)[0].tolist() == [0, 0, 0, 0, 1, 1]
    assert decode_frames(scores, 1)[1] == 2 + 2 + 0 + 2 + 5 + 5 - 1
    assert decode_frames(scores, 100)[0].tolist() == [1] * 6


def test_a_forbidden_length_is_not_used():
    scores = np.array([[2, 0], [0, 1], [2, 0], [1, 0]], float)
    rewards = np.array([[0, 0], [0, -np.inf], [0, 0], [0, 0], [0, 0]], float)
    assert decode_segments(scores, rewards)[0].tolist() == [0, 0, 0, 0]
    assert decode_segments(scores, np.zeros((5, 2)))[0].tolist() == [0, 1, 0, 0]


@pytest.mark.parametrize("shape", [(6, 3), (1, 3), (7, 2), (5, 1)])
@pytest.mark.parametrize("penalty", [0, 0.7])
def test_no_sequence_is_better(shape, penalty):
    scores = np.random.default_rng(sum(shape)).normal(size=shape)
    classes, objective = decode_frames(scores, penalty)
    assert objective == pytest.approx(alignment.best_labels(scores, penalty))
    assert alignment.objective(scores, classes, penalty) == pytest.approx(objective)
    rewards = np.random.default_rng(1).normal(size=(shape[0] + 1, shape[1]))
    classes, objective = decode_segments(scores, rewards, penalty)
    assert objective == pytest.approx(alignment.best_segments(scores, rewards, penalty))


@pytest.mark.parametrize("penalty", ["0", "1", "2", "5", "10"])
def test_scores_of_gtea_give_the_known_objectives(penalty):
    expected = others.expected("viterbi_GTEA_SVM", penalty)
    truths, _, scores = others.tcn("GTEA", "SVM")
    decoded = [decode_frames(of_video, float(penalty)) for of_video in scores]
    assert sum(objective for _, objective in decoded) == pytest.approx(expected["objective"], abs=1e-5)
    labels = [classes for classes, _ in decoded]
    assert sum(int(np.count_nonzero(np.diff(classes))) for classes in labels) == expected["changes"]
    found = frame_scores(truths, labels, background=(0,))
    assert 100 * found.f1_pooled[0.5] == pytest.approx(expected["f1_pooled@0.5"], abs=1e-6)
    assert 100 * found.edit == pytest.approx(expected["edit_mean_of_videos"], abs=1e-6)


def test_a_higher_penalty_never_makes_more_changes():
    scores = np.random.default_rng(0).normal(size=(200, 4))
    changes = [np.count_nonzero(np.diff(decode_frames(scores, penalty)[0])) for penalty in (0, 0.5, 1, 2, 4)]
    assert changes == sorted(changes, reverse=True)
    assert changes[0] > changes[-1]


def test_lengths_without_reward_are_the_decoding_of_frames():
    scores = np.random.default_rng(0).normal(size=(60, 4))
    first, second = decode_frames(scores, 0.8), decode_segments(scores, np.zeros((61, 4)), 0.8)
    assert first[0].tolist() == second[0].tolist()
    assert first[1] == pytest.approx(second[1])


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: decode_frames(np.ones((0, 2)), 0), "must have rows and classes"),
        (lambda: decode_frames(np.full((2, 2), np.inf), 0), "must be finite"),
        (lambda: decode_frames(np.ones((2, 2)), -1), "penalty must be from 0"),
        (lambda: decode_segments(np.ones((3, 2)), np.full((2, 2), -np.inf)), "no allowed lengths"),
        (lambda: decode_segments(np.ones((3, 2)), np.zeros((4, 3))), r"lengths must be \(L \+ 1, 2\)"),
    ],
)
def test_what_cannot_be_decoded_is_refused(call, said):
    with pytest.raises(DataError, match=said):
        call()
