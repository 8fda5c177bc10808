"""A Dask scheduler and two workers on this machine."""

import signal

import pytest

from benchmarks.clips import write_video
from idt.errors import DataError
from idt.workers import cluster
from idt.workers.processes import Lost
from tests import perils, scenes, soak
from tests.comparing import assert_same_datasets, assert_same_folders

pytestmark = pytest.mark.slow

pytest.importorskip("distributed", reason="the extra `cluster` is not installed")

QUICK = ("--length", "4", "--no-camera", "--stride", "8")


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    """Eight films; the shorter, the later they are begun."""
    folder = tmp_path_factory.mktemp("clips")
    for i in range(8):
        write_video(folder / f"{i}.avi", scenes.moving_patch(n_frames=14 + 3 * i, size=(64, 80), seed=i))
    return folder


@pytest.fixture(scope="module")
def calm(clips, tmp_path_factory):
    """What this machine makes of them."""
    folder = tmp_path_factory.mktemp("calm") / "out"
    assert soak.extract(clips, folder, *QUICK).returncode == 0
    return folder


def test_a_cluster_makes_what_one_machine_makes_and_a_lost_worker_costs_nothing(clips, calm, tmp_path):
    with soak.dask_cluster(tmp_path) as (address, workers):
        words = ("--backend", "dask", "--scheduler", address)
        done = soak.extract(clips, tmp_path / "out", *QUICK, *words)
        assert done.returncode == 0, done.stderr
        assert_same_folders(calm, tmp_path / "out")
        encoding = ("--k", 2, "--sample", 400)
        for name, options in (("here", ()), ("there", words)):
            done = soak.run("fv-encode", calm, "-o", tmp_path / f"{name}.h5", *encoding, *options)
            assert done.returncode == 0, done.stderr
        assert (tmp_path / "here.h5").read_bytes() == (tmp_path / "there.h5").read_bytes()
        for name, options in (("flow-here", ()), ("flow-there", words)):
            done = soak.run("idt-flow", clips, "-o", tmp_path / name, "--layout", "flo", *options)
            assert done.returncode == 0, done.stderr
        flows = [path.relative_to(tmp_path / "flow-here") for path in (tmp_path / "flow-here").rglob("*.flo")]
        assert len(flows) == sum(13 + 3 * i for i in range(8))
        for path in flows:
            assert (tmp_path / "flow-here" / path).read_bytes() == (tmp_path / "flow-there" / path).read_bytes()
        assert soak.kill_a_worker_midway(clips, tmp_path / "lost", address, workers, *QUICK) == 0
        assert workers[0].wait() == -signal.SIGKILL
        assert_same_folders(calm, tmp_path / "lost")


def test_an_evaluation_on_a_cluster_reports_what_one_machine_reports(tmp_path):
    for i in range(4):
        label, size = ("up", (80, 64)) if i % 2 else ("across", (64, 80))
        folder = tmp_path / "clips" / label
        folder.mkdir(parents=True, exist_ok=True)
        write_video(folder / f"g{i // 2}.avi", scenes.moving_patch(n_frames=14, size=size, seed=i))
    words = ("--group", "g[0-9]", "--k", 2, "--sample", 200, *QUICK)
    with soak.dask_cluster(tmp_path) as (address, _):
        for name, where in (("here", ("--jobs", 1)), ("there", ("--backend", "dask", "--scheduler", address))):
            done = soak.run("idt-evaluate", "folder", tmp_path / "clips", "-o", tmp_path / name, *words, *where)
            assert done.returncode == 0, done.stderr
    made = [path.relative_to(tmp_path / "here") for path in (tmp_path / "here").rglob("*.h5")]
    assert len(made) >= 6  # four videos, two folds
    for path in made:
        assert_same_datasets(tmp_path / "here" / path, tmp_path / "there" / path)
    here, there = ((tmp_path / name / "confusion.csv").read_bytes() for name in ("here", "there"))
    assert here == there


def test_what_kills_every_worker_is_lost_and_the_cluster_goes_on(tmp_path, monkeypatch):
    monkeypatch.setenv("DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES", "0")
    with soak.dask_cluster(tmp_path) as (address, _), cluster.connected(address):
        assert cluster.is_connected()
        # One after the other: with no failure allowed, whatever waits on the same worker would be lost with it.
        ((_, killer),) = cluster.run(perils.die, [(signal.SIGKILL,)])
        after = dict(cluster.run(perils.die, [(0,), (0,)]))
    assert isinstance(killer, Lost)
    assert after == {0: "alive", 1: "alive"}
    assert not cluster.is_connected()


def test_a_scheduler_that_does_not_answer_is_refused(monkeypatch):
    monkeypatch.setattr(cluster, "PATIENCE", 1)
    with (
        pytest.raises(DataError, match=r"no Dask scheduler answers at tcp://127.0.0.1:9"),
        cluster.connected("tcp://127.0.0.1:9"),
    ):
        pass
