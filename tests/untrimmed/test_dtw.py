"""Dynamic time warping: worked examples of others, rivals, laws, refusals."""

import json

import numpy as np
import pytest
from scipy.spatial.distance import cdist

from classify.untrimmed import dtw
from idt.errors import DataError
from tests.reference import alignment
from tests.untrimmed import others

DISTANCE = {"abs": "euclidean", "sq": "sqeuclidean"}


def rows(values):
    """A sequence of numbers or vectors as rows."""
    values = np.array(values, float)
    return values if values.ndim == 2 else values[:, None]


def examples():
    return json.loads((others.place() / "dtw_examples.json").read_text())["examples"]


# Worked examples.


def test_a_slower_copy_costs_nothing():
    found = dtw.align(rows([1, 2, 3]), rows([1, 1, 2, 2, 3, 3]))
    assert found.cost == 0
    assert found.path.tolist() == [[0, 0], [0, 1], [1, 2], [1, 3], [2, 4], [2, 5]]


def test_a_short_sequence_is_found_where_it_lies():
    first, second = dtw.spot(rows([1, 2, 3]), rows([9, 1, 2, 3, 9, 1, 2, 4, 9]), k=2)
    assert (first.cost, first.path.tolist()) == (0, [[0, 1], [1, 2], [2, 3]])
    assert (second.cost, second.path[0, 1], second.path[-1, 1]) == (1, 5, 6)


def test_states_follow_their_order_and_each_has_a_row():
    costs = np.array([[0, 9, 9], [0, 9, 9], [9, 0, 9], [9, 9, 9], [9, 9, 0]], float)
    states, cost = dtw.align_states(costs)
    assert states.tolist()[:3] == [0, 0, 1]
    assert states.tolist()[4] == 2
    assert cost == 9
    assert dtw.align_states(np.ones((3, 3)))[0].tolist() == [0, 1, 2]


def test_labels_are_carried_over_and_stretched():
    path = dtw.align(rows([1, 2, 3]), rows([1, 1, 1, 1, 2, 3])).path
    assert dtw.carry_labels(list("abc"), path, 6).tolist() == list("aaaabc")
    assert dtw.stretch_labels(list("abc"), 6).tolist() == list("aabbcc")


def test_rows_without_tracks_are_bridged():
    filled = dtw.fill_empty_rows(rows([0, 1, 0, 3, 0]), np.array([1, 0, 1, 0, 1], bool))
    assert filled.ravel().tolist() == [1, 1, 2, 3, 3]


# Others' examples and numbers.


def test_the_examples_of_other_libraries_hold():
    seen = 0
    for example in examples():
        if "pairs" in example:
            for pair in example["pairs"]:
                found = dtw.align(rows(pair["x"]), rows(pair["y"]), distance="sqeuclidean")
                assert np.sqrt(found.cost) == pytest.approx(pair["root"])
                seen += 1
            continue
        first, second, distance = rows(example["x"]), rows(example["y"]), DISTANCE[example["cost"]]
        if example.get("subsequence"):
            best, row = dtw._aligned(first, second, distance, subsequence=True)
            np.testing.assert_allclose(row, example["last_row"])
            if "start" in example:
                assert (best.path[0, 1], best.path[-1, 1]) == (example["start"], example["end"])
        else:
            found = dtw.align(first, second, distance=distance, band=2 if "band" in example else None)
            assert found.cost == pytest.approx(example.get("total", example.get("root", 0) ** 2))
            if "path" in example:
                assert found.path.tolist() == example["path"]
            for band, total in example.get("total_by_band", {}).items():
                width = int(band.rpartition("=")[2])
                assert dtw.align(first, second, distance=distance, band=width).cost == total
        seen += 1
    assert seen >= 13


def test_features_of_breakfast_cost_what_another_library_says():
    folder = others.place() / "breakfast" / "features"
    features = {path.name[:3]: np.load(path).T for path in folder.glob("*.npy")}
    for expected in others.expected("breakfast_dtw"):
        first, second = features[expected["query"]], features[expected["series"]]
        assert (len(first), len(second)) == (expected["n"], expected["m"])
        assert dtw.align(first, second).cost == pytest.approx(expected["sum_of_euclidean"], abs=1e-3)
        squares = dtw.align(first, second, distance="sqeuclidean").cost
        assert np.sqrt(squares) == pytest.approx(expected["sqrt_of_sum_of_squares"], abs=1e-5)


@pytest.mark.parametrize("seed", range(5))
def test_the_kernel_agrees_with_dtaidistance(seed):
    rival = pytest.importorskip("dtaidistance.dtw_ndim")
    rng = np.random.default_rng(seed)
    first, second = rng.normal(size=(rng.integers(1, 30), 3)), rng.normal(size=(rng.integers(1, 30), 3))
    found = dtw.align(first, second, distance="sqeuclidean")
    assert np.sqrt(found.cost) == pytest.approx(rival.distance(first, second))


@pytest.mark.parametrize("shape", [(7, 9), (1, 5), (5, 1), (12, 3)])
def test_the_kernel_agrees_with_the_definition(shape, monkeypatch):
    # Costs come in blocks of rows.
    monkeypatch.setattr(dtw, "BLOCK", 2 * shape[1])
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=(shape[0], 2)), rng.normal(size=(shape[1], 2))
    costs = cdist(first, second)
    for subsequence in (False, True):
        expected = alignment.accumulated(costs, subsequence=subsequence)
        best, row = dtw._aligned(first, second, "euclidean", subsequence=subsequence)
        np.testing.assert_allclose(row, expected[-1])
        assert costs[tuple(best.path.T)].sum() == pytest.approx(best.cost)
    slope = (shape[1] - 1) / max(shape[0] - 1, 1)
    width = max(2.0, slope)
    if shape[0] > 1:
        expected = alignment.accumulated(costs, inside=lambda i, j: abs(i * slope - j) <= width)
        assert dtw.align(first, second, band=width).cost == pytest.approx(expected[-1, -1])


# Laws.


def test_reversed_sequences_cost_the_same():
    rng = np.random.default_rng(0)
    first, second = rng.normal(size=(20, 4)), rng.normal(size=(31, 4))
    cost = dtw.align(first, second).cost
    assert dtw.align(first[::-1], second[::-1]).cost == pytest.approx(cost)
    assert dtw.align(second, first).cost == pytest.approx(cost)
    assert dtw.spot(first, second)[0].cost <= cost


def test_places_do_not_share_rows():
    rng = np.random.default_rng(0)
    found = dtw.spot(rng.normal(size=(5, 2)), rng.normal(size=(60, 2)), k=50)
    covered = np.concatenate([np.arange(place.path[0, 1], place.path[-1, 1] + 1) for place in found])
    assert len(covered) == len(set(covered.tolist()))
    assert [place.cost for place in found] == sorted(place.cost for place in found)


# Refusals.


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: dtw.align(np.ones((0, 2)), np.ones((3, 2))), "must have rows, got 0 and 3"),
        (lambda: dtw.align(np.ones((2, 2)), np.ones((3, 3))), "one length, got 2 and 3"),
        (lambda: dtw.align(np.ones((2, 2)), np.full((3, 2), np.nan)), "must be finite"),
        (lambda: dtw.align(np.ones((2, 2)), np.zeros((3, 2)), distance="cosine"), "cosine of a zero row"),
        (lambda: dtw.align(np.ones((2, 2)), np.ones((3, 2)), distance="city"), "must be one of euclidean"),
        (lambda: dtw.align(rows(range(3)), rows(range(12)), band=0.5), "leaves no path"),
        (lambda: dtw.align_states(np.ones((2, 3))), "3 actions cannot be aligned with 2 rows"),
        (lambda: dtw.fill_empty_rows(np.zeros((3, 2)), np.ones(3, bool)), "no window of the video has tracks"),
    ],
)
def test_what_cannot_be_aligned_is_refused(call, said):
    with pytest.raises(DataError, match=said):
        call()


def test_an_alignment_that_would_fill_the_memory_is_refused(monkeypatch):
    monkeypatch.setattr(dtw, "LARGEST", 100)
    with pytest.raises(DataError, match="20 and 30 rows make 600 cells"):
        dtw.align(np.ones((20, 1)), np.ones((30, 1)))
