import numpy as np
import pytest

from encoding.descriptors import reservoir
from encoding.descriptors.reservoir import Reservoir, sample_video
from encoding.descriptors.sample import Sampler
from encoding.descriptors.sources import source_of
from idt.errors import DataError
from tests.reference import sample as reference

LENGTHS = {"walk/01": 100, "walk/02": 1, "run/01": 0, "run/02": 57, "Ω run": 300, "hop/01": 80}
SETS = [set(LENGTHS), {"walk/01", "run/02"}, set(LENGTHS) - {"Ω run"}, {"run/01"}, {"walk/02", "Ω run"}]


def rows_of(name):
    """Rows that say where they come from."""
    n = LENGTHS[name]
    return np.column_stack([np.full(n, list(LENGTHS).index(name)), np.arange(n)]).astype(np.float32)


def filled(size, seed=0, names=LENGTHS, sets=SETS):
    found = Reservoir(size, sets)
    for name in names:
        sampled = sample_video(
            source_of(rows_of(name), name), {"descriptors": 2}, found.limit(name), size=size, seed=seed
        )
        found.put(name, sampled)
    return found


def test_a_sample_of_one_video_is_its_rows_in_the_order_of_their_keys():
    sample = filled(64).sample(1)
    order = [row for name, row in reference.sample({"walk/01": 100, "run/02": 57}, 64, 0)]
    assert sample.columns(slice(1, 2)).ravel().tolist() == order
    assert (len(sample), sample.n_seen, sample.n_videos) == (64, 157, 2)


@pytest.mark.parametrize(("size", "seed"), [(1, 0), (16, 0), (64, 5), (537, 0), (538, 1), (10_000, 0)])
def test_every_set_has_the_sample_that_its_videos_alone_would_give(size, seed):
    found = filled(size, seed)
    for i, names in enumerate(SETS):
        lengths = {name: LENGTHS[name] for name in names}
        expected = [(list(LENGTHS).index(name), row) for name, row in reference.sample(lengths, size, seed)]
        np.testing.assert_array_equal(
            found.sample(i).columns(slice(0, 2)), np.reshape(np.float32(expected), (-1, 2)), err_msg=str(names)
        )
        if expected:
            sampler = Sampler(size, seed=seed)
            for name in names:
                sampler.update(name, rows_of(name))
            np.testing.assert_array_equal(found.sample(i).columns(slice(0, 2)), sampler.result())


def test_the_order_of_the_videos_does_not_matter():
    for i in range(len(SETS)):
        one, other = filled(20).sample(i), filled(20, names=reversed(LENGTHS)).sample(i)
        np.testing.assert_array_equal(one.columns(slice(0, 2)), other.columns(slice(0, 2)))


def test_it_keeps_little_more_than_the_union_of_the_samples():
    size, held = 20, []
    found = Reservoir(size, [{f"v{i}" for i in range(50)}])
    for i in range(50):
        source = source_of(np.full((40, 3), i, np.float32), f"v{i}")
        found.put(f"v{i}", sample_video(source, {"descriptors": 3}, found.limit(f"v{i}"), size=size, seed=0))
        held.append(sum(len(video.rows) for video in found._videos.values()))
    assert max(held) <= reservoir.ROOM * size
    assert len(found.sample(0)) == size


def test_rows_of_equal_keys_are_ordered_by_name(monkeypatch):
    for module in (reservoir, reservoir.Sampler.update.__globals__):
        keys = lambda name, start, stop, seed: np.arange(start, stop).astype(np.uint64)  # noqa: E731
        monkeypatch.setitem(module if isinstance(module, dict) else vars(module), "row_keys", keys)
    found = filled(7, names=reversed(LENGTHS)).sample(0).columns(slice(0, 2))
    every = sorted((row, name) for name, n in LENGTHS.items() for row in range(n))[:7]
    assert found.tolist() == [[list(LENGTHS).index(name), row] for row, name in every]


def test_descriptors_that_are_not_finite_are_refused_with_their_video():
    with pytest.raises(DataError, match="descriptors of video walk must be finite, got 1 NaN"):
        sample_video(source_of(np.float32([[1, np.nan]]), "walk"), {"descriptors": 2}, size=4, seed=0)
