"""Every benchmark's smallest case runs, or it rots."""

import pytest

from benchmarks import bench_extraction


def test_the_stages_of_an_extraction_add_up_to_the_whole():
    rows = bench_extraction.measure(runs=1, names=("wave",))
    times = {row["stage"]: row["ms"] for row in rows}
    assert sum(ms for stage, ms in times.items() if stage != "total") == pytest.approx(times["total"])
    assert min(times.values()) > 0
    assert "wave: " in bench_extraction.table(rows)[-1]
