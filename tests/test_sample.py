import numpy as np
import pytest

from encoding.descriptors import sample
from encoding.descriptors.sample import Reservoir, Sample, choose, read_chosen, row_keys
from encoding.descriptors.sources import FileSource, source_of
from idt.errors import DataError
from idt.features import feature_file
from tests.reference import sample as reference
from tests.samples import random_features

LENGTHS = {"walk/01": 100, "walk/02": 1, "run/01": 0, "run/02": 57, "Ω run": 300}
SIZES = [(1, 0), (64, 0), (64, 5), (457, 0), (458, 1), (10_000, 0)]


def rows_of(name):
    """Rows that say where they come from."""
    n = LENGTHS[name]
    return np.column_stack([np.full(n, list(LENGTHS).index(name)), np.arange(n)]).astype(np.float32)


def chosen(names=LENGTHS, size=64, seed=0):
    """The (name, row) of a sample, in order."""
    found = choose({name: LENGTHS[name] for name in names}, size, seed=seed)
    places = {slot: (name, row) for name, part in found.items() for row, slot in zip(*map(list, part), strict=True)}
    assert sorted(places) == list(range(len(places)))
    return [places[slot] for slot in range(len(places))]


def held(names=LENGTHS, size=64, seed=0):
    reservoir = Reservoir(size, seed=seed)
    for name in names:
        reservoir.add(name, rows_of(name))
    return reservoir


@pytest.mark.parametrize(("size", "seed"), SIZES)
def test_the_sample_is_the_rows_of_smallest_hash(size, seed):
    assert chosen(size=size, seed=seed) == reference.sample(LENGTHS, size, seed)


def test_keys_equal_those_worked_in_plain_integers():
    assert row_keys("Ω run", 40, seed=3).tolist() == [reference.row_key("Ω run", row, 3) for row in range(40)]


def test_the_order_of_the_videos_does_not_matter():
    assert chosen(reversed(LENGTHS)) == chosen()


def test_a_smaller_sample_is_the_head_of_a_larger_one():
    assert chosen(size=20) == chosen(size=64)[:20]


def test_all_keys_are_looked_at_where_too_few_are_small(monkeypatch):
    large = lambda name, count, seed: np.uint64(sample.LARGEST_KEY) - np.arange(count).astype(np.uint64)  # noqa: E731
    monkeypatch.setattr(sample, "row_keys", large)
    expected = sorted((-row, name, row) for name, n in LENGTHS.items() for row in range(n))[:5]
    assert chosen(size=5) == [(name, row) for _, name, row in expected]


def test_rows_of_equal_keys_are_ordered_by_name_and_index(monkeypatch):
    monkeypatch.setattr(sample, "row_keys", lambda name, count, seed: np.arange(count).astype(np.uint64) % np.uint64(2))
    every = sorted((row % 2, name, row) for name, n in LENGTHS.items() for row in range(n))
    for size in (3, 64, 240):
        expected = [(name, row) for _, name, row in every[:size]]
        for names in (list(LENGTHS), list(LENGTHS)[::-1]):
            assert chosen(names, size) == expected
            assert held(names, size).result()[1] == [name for name, _ in expected]


def test_the_sample_is_uniform_over_rows():
    n, size, draws = 200, 50, 400
    counts = {video: np.zeros(n) for video in ("v0", "v1")}
    for seed in range(draws):
        for video, part in choose(dict.fromkeys(counts, n), size, seed=seed).items():
            counts[video][part.rows] += 1
    share = size / (2 * n)
    deviation = np.sqrt(draws * share * (1 - share))
    every = np.concatenate(list(counts.values()))
    assert abs(every - draws * share).max() < 4.5 * deviation  # of 400 counts, one in a hundred thousand draws fails
    assert abs(counts["v0"].sum() / every.sum() - 0.5) < 0.02


def test_of_a_sample_some_columns_are_given_in_the_order_of_the_keys():
    found = choose(LENGTHS, 64)
    sources = {name: source_of(rows_of(name), name) for name in LENGTHS}
    every = {name: np.union1d(part.rows, range(0, LENGTHS[name], 7)) for name, part in found.items()}
    read = {name: (rows, read_chosen(sources[name], rows, {"descriptors": 2})) for name, rows in every.items()}
    expected = np.float32([(list(LENGTHS).index(name), row) for name, row in reference.sample(LENGTHS, 64, 0)])
    np.testing.assert_array_equal(Sample(found, read).columns(slice(0, 2)), expected)
    np.testing.assert_array_equal(Sample(found, read).columns(slice(1, 2)), expected[:, 1:])


@pytest.mark.parametrize(("size", "seed"), SIZES)
@pytest.mark.parametrize("names", [list(LENGTHS), list(LENGTHS)[::-1]])
def test_a_reservoir_holds_the_same_sample(size, seed, names):
    reservoir = held(names, size, seed)
    rows, origins = reservoir.result()
    expected = reference.sample(LENGTHS, size, seed)
    assert origins == [name for name, _ in expected]
    np.testing.assert_array_equal(rows, [(list(LENGTHS).index(name), row) for name, row in expected])
    assert reservoir.n_seen == sum(LENGTHS.values())


def test_a_reservoir_forgets_what_cannot_be_in_the_sample():
    reservoir = Reservoir(20)
    for i in range(50):
        reservoir.add(f"v{i}", np.full((15, 3), i, np.float32))
        assert sum(len(rows) for _, _, rows in reservoir._videos) <= 40
    assert len(reservoir.result()[0]) == 20


@pytest.mark.parametrize("steps", [None, {1}, {2, 3}])
def test_rows_are_counted_as_they_are_read(tmp_path, steps):
    features = random_features(50, seed=1)
    features.skip = np.tile(np.uint8([1, 2]), 25)
    feature_file.save(features, tmp_path / "v.h5")
    for source in (FileSource(tmp_path / "v.h5", "v"), source_of(features, "v")):
        (whole,) = [rows for rows, _ in source.batches({"hog": 96}, skips=steps)]
        assert source.count(steps) == len(whole) == (50 if steps is None else 25)
        index = np.arange(0, len(whole), 3)
        np.testing.assert_array_equal(read_chosen(source, index, {"hog": 96}, steps), whole[index])


def test_descriptors_that_are_not_finite_are_refused_with_their_video():
    with pytest.raises(DataError, match="descriptors of video walk must be finite, got 1 NaN"):
        read_chosen(source_of(np.float32([[1, np.nan]]), "walk"), np.array([0]), {"descriptors": 2})
