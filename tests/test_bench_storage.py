"""The smallest case of the storage benchmark runs, or it rots."""

import pytest

from benchmarks import bench_storage

pytestmark = pytest.mark.slow


def test_every_form_is_measured_and_the_sets_are_extrapolated():
    (row,) = rows = bench_storage.measure(names=("wave",))
    sizes = [row["bytes"][form] for form in bench_storage.FORMS]
    assert sizes == sorted(sizes, reverse=True)
    assert 0 < row["bytes"]["projected"] <= 450 * row["tracks"]
    assert row["bytes"]["compact"] <= 550 * row["tracks"]
    assert 0 < row["loss"]["points"] <= 1 / 128
    lines = bench_storage.table(rows)
    assert sum("EXTRAPOLATED" in line for line in lines) == 1
    assert lines[-2].startswith("UCF101")
    found = bench_storage.extrapolate(rows, 10 * row["frames"])
    assert found["plain"] == 10 * row["bytes"]["plain"]
    assert found["hours"] == 10 * row["seconds"] / 3600
