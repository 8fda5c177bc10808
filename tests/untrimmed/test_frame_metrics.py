"""Frame accuracy, Edit and F1: worked examples, the numbers of the authors' own scripts, laws, refusals."""

import numpy as np
import pytest

from classify.untrimmed.frame_metrics import Counts, Run, edit_score, frame_scores, match, runs
from idt.errors import DataError
from tests.untrimmed import others


def percent(found):
    """Name the numbers as `expected.json` does, lists of counts apart."""
    return {
        "videos": found.videos,
        "frames": found.frames,
        "mof_pooled": 100 * found.accuracy_pooled,
        "acc_mean_of_videos": 100 * found.accuracy_mean,
        "edit_mean_of_videos": 100 * found.edit,
        **{f"f1_pooled@{overlap:g}": 100 * value for overlap, value in found.f1_pooled.items()},
        **{f"f1_mean_of_videos@{overlap:g}": 100 * value for overlap, value in found.f1_mean.items()},
    }


# Worked examples.


def test_runs_are_maximal():
    assert runs(list("aabcc")) == [Run("a", 0, 2), Run("b", 2, 3), Run("c", 3, 5)]
    assert runs([]) == []


def test_edit_counts_insertions_removals_and_replacements():
    assert edit_score("abc", "abc") == 1
    assert edit_score("abc", "axc") == pytest.approx(2 / 3)
    assert edit_score("abc", "ac") == pytest.approx(2 / 3)
    assert edit_score("", "ab") == 0
    assert edit_score("", "") == 1


def test_an_overlap_that_equals_the_threshold_is_enough():
    truth, predicted = runs(list("aaaabbbb")), runs(list("aaaaaabb"))
    assert match(truth, predicted, 0.5) == Counts(2, 0, 0)
    assert match(truth, predicted, 0.51) == Counts(1, 1, 1)


def test_a_second_segment_on_the_same_truth_is_wrong():
    # The second overlaps the taken one most, so that it does not take another.
    truth = [Run("a", 0, 10)]
    assert match(truth, [Run("a", 0, 6), Run("a", 6, 10)], 0.25) == Counts(1, 1, 0)


def test_the_two_conventions_differ_and_background_counts_in_frames_alone():
    truths = [list("aaaa"), list("0b")]
    predictions = [list("aaaa"), list("00")]
    found = frame_scores(truths, predictions, background=("0",))
    assert (found.accuracy_pooled, found.accuracy_mean) == (pytest.approx(5 / 6), 0.75)
    assert found.edit == 0.5
    assert found.f1_pooled[0.5] == pytest.approx(2 / 3)
    assert found.f1_mean[0.5] == 0.5


def test_nothing_true_and_nothing_predicted_is_right():
    found = frame_scores([["0", "0"]], [["0", "0"]], background=("0",))
    assert (found.edit, found.f1_pooled[0.1], found.f1_mean[0.1]) == (1, 1, 1)
    found = frame_scores([["0", "a"]], [["0", "0"]], background=("0",))
    assert (found.edit, found.f1_pooled[0.1]) == (0, 0)


# The numbers of the authors' own scripts.


@pytest.mark.parametrize(("data_set", "model"), [(name, model) for name in others.TCN for model in others.TCN[name]])
def test_the_files_of_lea_give_the_numbers_of_their_script(data_set, model):
    truths, predictions, _ = others.tcn(data_set, model)
    found = frame_scores(truths, predictions, background=(5 if data_set == "MERL" else 0,))
    expected = others.expected("tcn", f"{data_set}/{model}")
    for overlap, counts in found.counts.items():
        assert list(counts) == expected.pop(f"tp_fp_fn@{overlap:g}")
    assert percent(found) == pytest.approx(expected, abs=1e-6)


# Laws.


def test_names_of_labels_and_the_order_of_videos_do_not_matter():
    rng = np.random.default_rng(0)
    truths, predictions = ([np.repeat(rng.integers(0, 4, 20), 5) for _ in range(4)] for _ in range(2))
    found = frame_scores(truths, predictions, background=(0,))
    names = np.array(["rest", "pour", "stir", "cut"])
    renamed = frame_scores(
        [names[labels] for labels in truths[::-1]],
        [names[labels] for labels in predictions[::-1]],
        background=("rest",),
    )
    assert percent(renamed) == pytest.approx(percent(found))


def test_a_prediction_that_is_the_truth_is_perfect():
    found = percent(frame_scores([list("aabbc")], [list("aabbc")]))
    assert found["f1_pooled@0.5"] == found["mof_pooled"] == found["edit_mean_of_videos"] == 100


# Refusals.


@pytest.mark.parametrize(
    ("truths", "predictions", "said"),
    [
        ([], [], "every video needs"),
        ([["a"]], [], "1 and 0 videos"),
        ([[]], [[]], "one label a frame"),
        ([["a"] * 10], [["a"] * 9], "9 predicted labels, expected 10"),
        ([["a"] * 10], [["a"] * 13], "another frame rate"),
    ],
)
def test_labels_that_do_not_fit_are_refused(truths, predictions, said):
    with pytest.raises(DataError, match=said):
        frame_scores(truths, predictions)


def test_an_overlap_out_of_bounds_is_refused():
    with pytest.raises(DataError, match="at most 1, got 50"):
        frame_scores([["a"]], [["a"]], overlaps=(50,))
