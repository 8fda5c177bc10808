"""What takes too long for the gate, and in small what the gate looks at, too.

python -m tests.soak frames --frames 100000      # memory at frame 1,000 and at the last
python -m tests.soak jobs CLIPS --pairs 5        # two processes against one: throughput, identical datasets
python -m tests.soak kills CLIPS --kills 20      # killed at random moments and resumed: equal to an undisturbed run
python -m tests.soak dask CLIPS                  # two workers, one killed midway: equal to a run on this machine
python -m tests.soak broken --good 30            # ten ways to be broken
"""

import argparse
import contextlib
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np

from benchmarks.clips import write_video
from idt.batch import summary, verify
from idt.batch.extract_one import extract_job
from idt.batch.jobs import Job
from idt.params.extraction import ExtractionParams
from idt.workers.run_options import RunOptions
from idt.workers.worker import interpreter, search_path
from tests import scenes
from tests.comparing import assert_same_folders
from tests.kills import ROOT, children, lives, run, words_of, writers

START = 5.0
"""Seconds in which processes start on a busy machine, and nothing can be interrupted but that."""

FIRST = 1000
"""The frame from which on memory must not grow."""

GROWTH = 20.0
"""Megabytes that memory may grow by from then on: what allocators keep, not what a leak takes."""


def extract(videos, folder, *words, **options):
    """Extract a folder of videos."""
    return run("idt-extract", videos, "-o", f"{folder}/", *words, **options)


# Killed, and resumed.


def kill_and_resume(videos, folder, *words, kills, span, seed=0, say=lambda line: None):
    """Kill a run, or a worker of it and then the run, at random moments; after each all files are whole.

    ``span`` is the longest time, in seconds, that a run is given. The last run is left alone.
    """
    rng = np.random.default_rng(seed)
    for number in range(kills):
        whole = (videos, "-o", f"{folder}/", "--jobs", 2, "--quiet", *words)
        with subprocess.Popen(
            words_of("idt-extract", *whole), cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as process:
            time.sleep(rng.uniform(0, span))
            workers = children(process.pid)
            if workers and rng.random() < 0.5:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(rng.choice(workers)), signal.SIGKILL)
                time.sleep(rng.uniform(0, span / 2))
            workers = children(process.pid)
            process.kill()
        # They end by themselves.
        deadline = time.monotonic() + 60
        while any(map(lives, workers)) and time.monotonic() < deadline:
            time.sleep(0.01)
        made = list(folder.rglob("*.h5")) if folder.exists() else []
        faults = [found.fault for found in map(verify.check_feature_file, made) if found.fault is not None]
        if faults or any(map(lives, workers)):
            raise AssertionError(f"after kill {number}: {faults}, {workers}")
        say(f"kill {number}: {len(made)} files, all whole")
    done = extract(videos, folder, "--jobs", 2, *words)
    if done.returncode:
        raise AssertionError(done.stderr)


# Broken.


def broken_folder(folder, *, good):
    """Make a folder of good videos and ten that are broken in ten ways.

    Returns
    -------
    list of str
        Names of the good ones.
    dict of str to str
        Names of the broken ones with a pattern of the reason. ``killed`` is whole, but long enough to be killed on the
        way; ``stride`` is broken only if its features have been made with another stride.
    """
    folder.mkdir(parents=True)
    frames = scenes.moving_patch(n_frames=8, size=(64, 80))
    names = [f"good{i}" for i in range(good)]
    for name in [*names, "stride", "whole"]:
        write_video(folder / f"{name}.avi", frames)
    data = (folder / "whole.avi").read_bytes()
    (folder / "whole.avi").unlink()
    (folder / "empty.avi").write_bytes(b"")
    (folder / "text.mp4").write_text("no video\n" * 100)
    (folder / "zeros.mkv").write_bytes(bytes(50_000))
    (folder / "header.avi").write_bytes(data[:200])
    (folder / "cut.avi").write_bytes(data[: len(data) * 7 // 10])
    (folder / "codec.avi").write_bytes(data.replace(b"FFV1", b"QQQQ"))
    write_video(folder / "small.avi", frames[:, :24, :24])
    shutil.copy(folder / "good0.avi", os.fsencode(folder) + b"/name\xff.avi")
    write_video(folder / "killed.avi", np.concatenate([frames] * 60))
    return names, {
        "empty": "is empty",
        "text": "not a video|no frames",
        "zeros": "not a video",
        "header": "not a video|no frames",
        "cut": "is truncated: .* of 8 announced",
        "codec": "codec .*QQQQ|not a video|no frames",
        "small": "24×24.*smaller than patch",
        "name\udcff": "not UTF-8",
        "killed": "process was killed .SIGKILL",
        "stride": "stride=9, this run asks for stride=5",
    }


@contextlib.contextmanager
def killer_of(folder, name):
    """Kill the process that writes the features of a video, as soon as it does, if it ever does."""
    ended = threading.Event()

    def kill():
        found = []
        while not found and not ended.wait(0.005):
            found = [process for part in folder.glob(f".{name}.h5.*.part") for process in writers(part)]
        with contextlib.suppress(ProcessLookupError):
            for process in found:
                os.kill(process, signal.SIGKILL)

    thread = threading.Thread(target=kill)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


# A cluster.


@contextlib.contextmanager
def dask_cluster(folder, *, workers=2):
    """A Dask scheduler and workers on this machine: its address, and the processes of the workers."""
    file = Path(folder) / "scheduler.json"
    log = open(Path(folder) / "dask.log", "w", encoding="utf-8")  # noqa: SIM115  # closed below
    quiet = {"stdout": log, "stderr": log, "cwd": ROOT}
    common = ["--scheduler-file", str(file), "--no-dashboard"]
    # Not "-m dask", which would import from the current folder.
    dask = [
        *interpreter(),
        "-c",
        f"import sys, runpy; sys.path[:] = {search_path()!r}; runpy.run_module('dask', None, '__main__', True)",
    ]
    words = [*dask, "scheduler", "--host", "127.0.0.1", "--port", "0", *common]
    started = [subprocess.Popen(words, **quiet)]
    try:
        deadline = time.monotonic() + 120
        while not file.exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        words = [*dask, "worker", "--nthreads", "1", "--no-nanny", *common]
        started += [subprocess.Popen([*words, "--local-directory", str(folder)], **quiet) for _ in range(workers)]
        yield json.loads(file.read_text())["address"], started[1:]
    finally:
        for process in started[::-1]:
            process.kill()
            process.wait()
        log.close()


def kill_a_worker_midway(videos, folder, address, workers, *words):
    """Extract on a cluster, and kill a worker in the middle of a later file than the first; exit status of the run."""
    with subprocess.Popen(
        words_of("idt-extract", videos, "-o", f"{folder}/", "--backend", "dask", "--scheduler", address, *words),
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
    ) as process:
        while process.poll() is None and not (list(folder.rglob("*.h5")) and _writes(workers[0], folder)):
            time.sleep(0.005)
        midway = process.poll() is None
        workers[0].kill()
        return process.wait() if midway else -1


def _writes(worker, folder):
    """Whether a process of a worker has a file half written."""
    writing = {process for path in folder.rglob(".*.part") for process in writers(path)}
    return not writing.isdisjoint(children(worker.pid))


# Memory.


def memory_over(frames, *, first, every, folder, say=lambda line: None):
    """Extract a video of so many frames, a clip over and over: resident megabytes by the number of frames done."""
    video = Path(folder) / "long.avi"
    clip = scenes.moving_patch(n_frames=25, size=(64, 80), patch=(30, 30), corner=(4, 16), velocity=(1.5, 0))
    clip = np.concatenate([clip, clip[::-1]])
    write_video(video, Looped(clip, frames), fourcc="MJPG")
    found = {}
    done = 0

    @contextlib.contextmanager
    def progress(stage, total):
        yield on_frames

    def on_frames(count):
        nonlocal done
        before, done = done, done + count
        for mark in (first, *range(every, frames + 1, every)):
            if before < mark <= done:
                found[mark] = resident()
                say(f"frame {mark}: {found[mark]:.1f} MB")

    job = Job(str(video), "long", Path(folder) / "long.h5")
    params = ExtractionParams.from_options(preset="fast")
    outcome = extract_job(job, params, run=RunOptions(overwrite=True, progress=progress))
    say(f"{outcome.frames} frames, {outcome.tracks} tracks in {outcome.seconds:.0f} s")
    return found


class Looped:
    """A clip over and over, as a sequence of frames."""

    def __init__(self, clip, frames):
        self._clip, self._frames = clip, frames

    def __getitem__(self, index):
        if index >= self._frames:
            raise IndexError(index)
        return self._clip[index % len(self._clip)]


def resident():
    """Megabytes of memory that this process has now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


# From the command line.


def main():
    """Run one of them and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("frames", "jobs", "kills", "dask", "broken"))
    parser.add_argument("clips", nargs="?", type=Path)
    parser.add_argument("--frames", type=int, default=100_000)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--good", type=int, default=30)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        return globals()[f"_{options.what}"](options, Path(folder))


def _say(line):
    print(line, flush=True)  # noqa: T201


def _frames(options, folder):
    found = memory_over(options.frames, first=FIRST, every=max(FIRST, options.frames // 10), folder=folder, say=_say)
    growth = max(found.values()) - found[FIRST]
    _say(f"growth after frame {FIRST}: {growth:.1f} MB")
    return int(growth > GROWTH)


def _timed(clips, folder, jobs):
    began = time.perf_counter()
    done = extract(clips, folder, "--jobs", jobs, "--threads", 1)
    if done.returncode:
        raise AssertionError(done.stderr)
    return time.perf_counter() - began


def _jobs(options, folder):
    ratios = []
    for pair in range(options.pairs):
        one, two = (_timed(options.clips, folder / f"{pair}-{jobs}", jobs) for jobs in (1, 2))
        assert_same_folders(folder / f"{pair}-1", folder / f"{pair}-2")
        ratios.append(one / two)
        _say(f"pair {pair}: {one:.1f} s, {two:.1f} s with two processes: {ratios[-1]:.2f} ×")
    _say(f"median {statistics.median(ratios):.2f} ×, identical datasets")
    return 0


def _kills(options, folder):
    seconds = _timed(options.clips, folder / "calm", 2)
    kill_and_resume(
        options.clips, folder / "out", "--threads", 1, kills=options.kills, span=START + 2 * seconds / options.kills,
        seed=options.seed, say=_say,
    )  # fmt: skip
    assert_same_folders(folder / "calm", folder / "out")
    _say(f"{options.kills} kills, resumed: equal to the undisturbed run, no leftovers")
    return 0


def _dask(options, folder):
    _timed(options.clips, folder / "calm", 2)
    for kill in (False, True):
        out = folder / f"dask{kill}"
        with dask_cluster(folder) as (address, workers):
            if kill:
                status = kill_a_worker_midway(options.clips, out, address, workers)
            else:
                status = extract(options.clips, out, "--backend", "dask", "--scheduler", address).returncode
        (folder / "scheduler.json").unlink()
        if status:
            raise AssertionError(f"exit status {status}; {(folder / 'dask.log').read_text()[-2000:]}")
        assert_same_folders(folder / "calm", out)
        _say("two Dask workers, " + ("one killed midway" if kill else "undisturbed") + ": identical and complete")
    return 0


def _broken(options, folder):
    good, reasons = broken_folder(folder / "in", good=options.good)
    extract(folder / "in/stride.avi", folder / "out", "--length", 4, "--stride", 9)
    with killer_of(folder / "out", "killed"):
        done = extract(folder / "in", folder / "out", "--length", 4, "--strict", "--jobs", 2)
    _say(f"exit status {done.returncode}, {len(list((folder / 'out').glob('good*.h5')))} of {len(good)} good files")
    _say((folder / "out" / summary.FAILURES).read_text(errors="replace"))
    _say(f"expected to fail: {', '.join(sorted(reasons))}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
