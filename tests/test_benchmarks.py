"""Every benchmark's smallest case runs, or it rots. Nothing is asserted about times."""

import json
import math

import numpy as np
import pytest

from benchmarks import bench_evidence, bench_extraction, bench_presets, compare, results, run
from benchmarks.clips import write_video
from benchmarks.results import Row
from benchmarks.stages import STAGES, flow_work
from classify.datasets import registry
from classify.params import DatasetParams
from examples import actors
from idt.steps import flow
from tests import scenes
from tests.samples import random_features

pytestmark = pytest.mark.slow


def row(*samples, unit="s", name="flow"):
    """A row of some samples."""
    return Row("extraction", "wave", name, unit, samples)


def written(path, rows, machine=None):
    """Path of a result of these rows."""
    results.write(path, machine or {"processor": "P"}, rows)
    return str(path)


def test_a_table_is_markdown_and_shows_a_reason_where_nothing_was_measured():
    rows = [row(1234.5, 2, 3), Row("extraction", "wave", "warp", "s", reason="no camera", more={"share": "1 %"})]
    assert results.table(rows) == [
        "",
        "| extraction: wave | median | lowest – highest | unit | share |",
        "| ---------------- | -----: | ---------------: | ---: | ----: |",
        "| flow             |      3 |        2 – 1,234 |    s |       |",
        "| warp             |      – |        no camera |    s |   1 % |",
    ]


def test_the_work_of_the_flow_is_the_derived_one():
    levels = flow.scales(40, 60)
    expansion = flow.expand(scenes.texture(40, 60))
    pixels = sum(level.height * level.width for level in levels)
    assert flow_work(None, expansion, expansion) == (pixels * (2 * 68 + 16), pixels * 2 * 260)


@pytest.fixture(scope="module")
def result(tmp_path_factory):
    """Path of the result of all benchmarks' smallest cases."""
    path = tmp_path_factory.mktemp("benchmarks") / "result.json"
    run.main(["--small", "--runs", "1", "-o", str(path)])
    return path


def test_the_smallest_case_of_every_benchmark_runs(result):
    machine, rows = results.read(result)
    assert machine["cores"] >= 1
    assert list(dict.fromkeys(row.benchmark for row in rows)) == list(run.BENCHMARKS)
    keys = [row.key for row in rows]
    assert len(set(keys)) == len(keys)
    for row in rows:
        assert bool(row.samples) != bool(row.reason), row
        assert all(math.isfinite(sample) for sample in row.samples), row


def test_every_stage_is_called_and_together_they_are_the_whole(result):
    rows = results.read(result)[1]
    times = {row.name: row.median for row in rows if row.benchmark == "extraction" and row.unit == "ms/frame"}
    whole = times.pop(bench_extraction.WHOLE)
    assert set(times) == {*STAGES, bench_extraction.REST}
    assert min(times.values()) > 0
    assert sum(times.values()) == pytest.approx(whole)


def test_a_result_compared_with_itself_has_no_changes(result, capsys):
    assert compare.main([str(result), str(result)]) == 0
    out = capsys.readouterr().out
    assert "presets: wave, " in out
    assert "better" not in out
    assert "worse" not in out


def test_a_change_is_marked_where_it_exceeds_the_noise(tmp_path, capsys):
    before = [
        row(10, 11, 12),
        row(10, 11, name="warp"),
        row(5, unit="frames/s"),
        row(1, name="gone"),
        row(100, name="a"),
    ]
    after = [
        row(13, 14, 15),
        row(10.5, 12, name="warp"),
        row(6, unit="frames/s"),
        row(1, name="new"),
        row(101, name="a"),
    ]
    a, b = written(tmp_path / "a.json", before), written(tmp_path / "b.json", after, {"processor": "Q"})
    assert compare.main([a, b]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "processor: P → Q"
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines[3:7]]
    assert cells == [
        ["extraction: wave: flow", "11", "14", "s", "1.27", "worse"],
        ["extraction: wave: warp", "10.5", "11.2", "s", "1.07", ""],
        ["extraction: wave: flow", "5", "6", "frames/s", "1.20", "better"],
        ["extraction: wave: a", "100", "101", "s", "1.01", ""],
    ]
    assert lines[7:] == ["only in A: extraction: wave: gone: s", "only in B: extraction: wave: new: s"]


@pytest.mark.parametrize("text", ["no JSON", "[]", json.dumps({"format": "idt-benchmarks 0"})])
def test_a_file_of_another_format_is_refused_in_one_line(text, tmp_path, capsys):
    good = written(tmp_path / "good.json", [row(1)])
    (tmp_path / "bad.json").write_text(text)
    assert compare.main([good, str(tmp_path / "bad.json")]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err.count("\n") == 1
    assert "expected a result of the format 'idt-benchmarks 1'" in told.err


def test_presets_go_on_where_they_stopped(tmp_path, capsys, monkeypatch):
    measured = []

    def speed(names, runs):
        measured.append(list(names))
        return [Row("presets", "wave", name, "frames/s", (1.0,)) for name in dict.fromkeys(["exact", *names])]

    monkeypatch.setattr(bench_presets, "speed", speed)
    path = str(tmp_path / "presets.json")
    for rows in (["stride=8"], ["stride=8", "gap=2"], ["exact"]):
        bench_presets.main([*rows, "-o", path])
    assert measured == [["stride=8"], ["gap=2"]]
    assert "| gap=2 " in capsys.readouterr().out
    bench_presets.main(["gap=2", "--accuracy", "--weizmann", str(tmp_path / "none"), "-o", path])
    assert "the data set is not at hand" in capsys.readouterr().out


def test_the_accuracy_of_a_row_is_that_of_the_evaluation(tmp_path, monkeypatch):
    # The clips of a class are copies, so that none can be taken for the other class.
    for seed, (label, velocity) in enumerate({"right": (3, 0), "down": (0, 3)}.items()):
        for i in range(2):
            path = tmp_path / "clips" / label / f"{label}{i}.avi"
            path.parent.mkdir(parents=True, exist_ok=True)
            write_video(path, scenes.moving_patch(18, velocity=velocity, seed=seed))
    monkeypatch.setattr(
        bench_presets, "read_dataset", lambda _, root: registry.read_dataset("folder", root, DatasetParams(folds=2))
    )
    row = bench_presets.accuracy("exact", tmp_path / "made", tmp_path / "clips")
    assert row.samples == (100.0,)
    assert not (tmp_path / "made").exists()


def test_rows_are_named_by_their_switches():
    assert bench_presets.ROWS["exact"] == {}
    assert bench_presets.ROWS["stride=8"] == {"stride": 8}
    with pytest.raises(SystemExit):
        bench_presets.main(["stride=7"])


def test_a_moving_scene_repeats_without_a_jump():
    from benchmarks.cases import scene

    frames = scene(300, 200, 100).astype(int)
    steps = np.abs(np.diff(frames, axis=0)).mean(axis=(1, 2))
    assert frames.shape == (100, 200, 300)
    assert steps.max() < 2 * np.median(steps)


def test_evidence_is_measured_against_the_place_of_the_actor(tmp_path):
    actor = actors.cast(1, size=(96, 72))[0]
    boxes = bench_evidence.boxes_of("wave", actor, frames=4, size=(96, 72))
    heights = boxes[:, 3] - boxes[:, 1]
    assert (np.abs(heights - actor.height * 72) < 0.3 * 72).all()
    found = bench_evidence.localisation(tmp_path, n_actors=2, frames=20, size=(96, 72), k=2)
    assert set(found) == {"evidence", "tracks", "map", "even", "hit", "chance", "right"}
    assert len({len(values) for values in found.values()}) == 1
    assert all(((values >= 0) & (values <= 1)).all() for values in found.values())
    seconds, _ = bench_evidence.cost(random_features(80), k=4)
    assert seconds > 0
