import numpy as np
import pytest

from encoding.descriptors import sample
from encoding.descriptors.sample import Sampler, row_keys
from idt.errors import DataError
from tests.reference import sample as reference

LENGTHS = {"walk/01": 100, "walk/02": 1, "run/01": 0, "run/02": 57, "Ω run": 300}


def rows_of(name):
    """Rows that say where they come from."""
    n = LENGTHS[name]
    return np.column_stack([np.full(n, list(LENGTHS).index(name)), np.arange(n)]).astype(np.float32)


def sampled(names, size=64, seed=0):
    sampler = Sampler(size, seed=seed)
    for name in names:
        sampler.update(name, rows_of(name))
    return sampler


@pytest.mark.parametrize(("size", "seed"), [(1, 0), (64, 0), (64, 5), (457, 0), (458, 1), (10_000, 0)])
def test_the_sample_is_the_rows_of_smallest_hash(size, seed):
    sampler = sampled(LENGTHS, size, seed)
    expected = reference.sample(LENGTHS, size, seed)
    assert sampler.origins() == expected
    np.testing.assert_array_equal(sampler.result(), [(list(LENGTHS).index(name), row) for name, row in expected])
    assert sampler.n_seen == sum(LENGTHS.values())


def test_keys_equal_those_worked_in_plain_integers():
    expected = [reference.row_key("Ω run", row, 3) for row in range(5, 40)]
    assert row_keys("Ω run", 5, 40, seed=3).tolist() == expected


def test_the_order_of_the_videos_and_the_blocks_do_not_matter(monkeypatch):
    whole = sampled(LENGTHS).result()
    np.testing.assert_array_equal(sampled(reversed(LENGTHS)).result(), whole)
    blocks = Sampler(64)
    monkeypatch.setattr(sample, "PIECE", 13)
    for name in LENGTHS:
        blocks.update(name, (block for block in np.array_split(rows_of(name), 7)))
    np.testing.assert_array_equal(blocks.result(), whole)


@pytest.mark.parametrize("size", [64, 300])
def test_merged_workers_equal_one(size):
    whole = sampled(LENGTHS, size)
    names = list(LENGTHS)
    for split in range(len(names) + 1):
        merged = sampled(names[:split], size).merge(sampled(names[split:], size))
        assert merged.origins() == whole.origins()
        np.testing.assert_array_equal(merged.result(), whole.result())
        assert merged.n_seen == whole.n_seen


def test_asking_for_the_result_early_changes_nothing():
    sampler = Sampler(64)
    for name in LENGTHS:
        sampler.update(name, rows_of(name))
        sampler.result()
    np.testing.assert_array_equal(sampler.result(), sampled(LENGTHS).result())


def test_a_smaller_sample_is_the_head_of_a_larger_one():
    np.testing.assert_array_equal(sampled(LENGTHS, 20).result(), sampled(LENGTHS, 64).result()[:20])


def test_rows_of_equal_keys_are_ordered_by_name_and_index(monkeypatch):
    monkeypatch.setattr(
        sample, "row_keys", lambda name, start, stop, seed: np.arange(start, stop).astype(np.uint64) % np.uint64(2)
    )
    every = sorted((row % 2, name, row) for name, n in LENGTHS.items() for row in range(n))
    for size in (3, 64, 240):
        expected = [(name, row) for _, name, row in every[:size]]
        for names in (list(LENGTHS), list(LENGTHS)[::-1]):
            assert sampled(names, size).origins() == expected


def test_the_sample_is_uniform_over_rows():
    n, size, draws = 200, 50, 400
    counts = np.zeros(2 * n)
    for seed in range(draws):
        sampler = Sampler(size, seed=seed)
        for video in (0, 1):
            sampler.update(f"v{video}", np.arange(n, dtype=np.float32)[:, None] + video * n)
        counts[sampler.result().astype(int).ravel()] += 1
    share = size / (2 * n)
    deviation = np.sqrt(draws * share * (1 - share))
    assert abs(counts - draws * share).max() < 4.5 * deviation  # of 400 counts, one in a hundred thousand draws fails
    assert abs(counts[:n].sum() / counts.sum() - 0.5) < 0.02


def test_what_cannot_be_sampled_is_refused():
    sampler = sampled(["walk/01"])
    with pytest.raises(DataError, match="sampled once, got walk/01 again"):
        sampler.update("walk/01", rows_of("walk/01"))
    with pytest.raises(DataError, match=r"rows of other must be real numbers of shape \(n, 2\)"):
        sampler.update("other", np.zeros((3, 5)))
    with pytest.raises(DataError, match="rows of bad must be finite"):
        Sampler(5).update("bad", np.float32([[np.nan]]))
    with pytest.raises(DataError, match="one size and seed"):
        sampler.merge(Sampler(64, seed=1))
    with pytest.raises(DataError, match="sampled once"):
        sampler.merge(sampled(["walk/01"]))
    with pytest.raises(DataError, match="got none from 1 videos"):
        sampled(["run/01"]).result()
    with pytest.raises(DataError, match="size must be an integer of at least 1, got 0"):
        Sampler(0)
