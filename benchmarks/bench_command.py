"""The whole command ``idt-extract`` with start-up, decoding and writing: its time, its memory, and waiting times.

The tracks of each clip are compared with the release's before the command is timed. The process is kept to as many
cores as it has threads.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter

import idt
from benchmarks import cases, child, clips
from benchmarks.clips import write_video
from benchmarks.results import Row

NAME = "command"
THREADS = (1, 2)
WAITING = "waiting"
# Width, height, and a short and a long number of frames.
SCENES = ((320, 240, (48, 192)), (1280, 720, (24, 72)))


def measure(*, runs=3, small=False):
    """Measure wall times of the command, waiting times and peak memory."""
    runs = min(runs, 3)
    with tempfile.TemporaryDirectory() as folder:
        rows = []
        for name in ("wave",) if small else cases.CLIPS:
            for threads in THREADS[:1] if small else THREADS:
                rows += of_clip(name, threads, runs, Path(folder))
        rows += waiting(runs, Path(folder), cold=not small)
        for width, height, lengths in ((160, 120, (20,)),) if small else SCENES:
            rows += [memory(width, height, n, Path(folder)) for n in lengths]
    return rows


def of_clip(name, threads, runs, folder):
    """Measure one clip with so many threads and return rows of the table."""
    case = f"{name}, {threads} thread" + "s" * (threads > 1)
    reason = obstacle(name, threads)
    if reason:
        return [Row(NAME, case, "wall time", "s", reason=reason)]
    output = folder / f"{name}.h5"
    arguments = [str(clips.video(name)), "-o", str(output), "--threads", str(threads), "--quiet"]
    seconds, processor, units = [], [], []
    with cases.on_cores(threads):
        for run in range(runs + 1):
            before = cases.unit(perf_counter)
            taken, costs = extract(arguments)
            if run == 0:
                features = idt.load(output)
                cases.clip(name).check(features)
                continue
            seconds.append(taken)
            processor.append(costs["processor"])
            units.append(taken / (before + cases.unit(perf_counter)) * 2)
    rates = tuple(features.frames / taken for taken in seconds)
    return [
        Row(NAME, case, "wall time", "s", tuple(seconds), more={"of": f"{features.frames} frames"}),
        Row(NAME, case, "rate", "frames/s", rates),
        Row(NAME, case, "wall time, in Farnebäck calls", "units", tuple(units)),
        Row(NAME, case, "processor time", "s", tuple(processor)),
    ]


def obstacle(name, threads):
    """Say why a clip cannot be timed here; empty if it can."""
    if not cases.at_hand(name):
        return cases.NOT_AT_HAND
    if threads > cases.n_cores():
        return f"this process may use {cases.n_cores()} core"
    return "" if clips.decodes_alike(name) else "this OpenCV decodes other pixels than the release saw"


def waiting(runs, folder, *, cold):
    """Measure waiting times: the first tracks, with and without compiled kernels, and the help."""
    video = clips.video("wave")
    command = [str(video), "-o", str(folder / "start.h5"), "--threads", "1", "--quiet"]
    with cases.on_cores(1):
        start_up = []
        for _ in range(runs):
            whole, costs = extract(command, times=2)
            start_up.append(whole - 2 * costs["seconds"][1])
        rows = [
            Row(NAME, WAITING, "--help", "s", tuple(_help() for _ in range(2 * runs))),
            Row(NAME, WAITING, "start-up, over a second extraction in the same process", "s", tuple(start_up)),
            first_tracks(video, runs),
        ]
    if cold:
        rows.append(first_ever(video, min(runs, 2), folder))
    return rows


def memory(width, height, n_frames, folder):
    """Measure the command's peak memory on a scene."""
    video = write_video(folder / f"{width}-{n_frames}.avi", cases.scene(width, height, n_frames))
    with cases.on_cores(1):
        _, costs = extract([str(video), "-o", str(folder / "memory.h5"), "--threads", "1", "--quiet"])
    if idt.load(folder / "memory.h5").frames != n_frames:
        raise RuntimeError(f"not all of the {n_frames} frames were extracted")
    video.unlink()
    peak = () if costs["peak"] is None else (costs["peak"],)
    reason = "" if peak else "this system has no /proc/self/status"
    return Row(NAME, "peak memory, one thread", f"{width}x{height}, {n_frames} frames", "MB", peak, reason)


def extract(arguments, times=1, **environment):
    """Run the command in a process of its own; return the wall seconds and the costs that the process reports."""
    began = perf_counter()
    done = _python("-m", child.__name__, str(times), *arguments, **environment)
    taken = perf_counter() - began
    return taken, json.loads(done.splitlines()[-1])


def first_tracks(video, runs):
    """Measure the seconds from the start of a process to its first tracks."""
    seconds, processor = [], []
    for _ in range(runs):
        began = perf_counter()
        done = _python("-m", child.__name__, "first", str(video))
        seconds.append(perf_counter() - began)
        if not done:
            raise RuntimeError("no tracks were delivered")
        processor.append(json.loads(done)["processor"])
    more = {"processor time": f"{median(processor):.2g} s"}
    return Row(NAME, WAITING, "first tracks, kernels compiled", "s", tuple(seconds), more=more)


def first_ever(video, runs, folder):
    """Measure the seconds of a command that has all kernels to compile, on all cores."""
    output = folder / "first.h5"
    seconds = []
    for _ in range(runs):
        with tempfile.TemporaryDirectory() as cache:
            taken, _ = extract([str(video), "-o", str(output), "--end", "19", "--quiet"], NUMBA_CACHE_DIR=cache)
        if not len(idt.load(output)):
            raise RuntimeError("no tracks were delivered")
        seconds.append(taken)
    cores = f"{cases.n_cores()} cores"
    return Row(NAME, WAITING, f"first 20 frames, empty kernel cache, {cores}", "s", tuple(seconds))


def _help():
    began = perf_counter()
    if "example:" not in _python("-c", "from idt.cli import extract; extract(['--help'])"):
        raise RuntimeError("there is no help")
    return perf_counter() - began


def _python(*arguments, **environment):
    """Return the output of a Python process that imports this checkout."""
    variables = {**os.environ, "PYTHONPATH": str(cases.ROOT), **environment}
    done = subprocess.run([sys.executable, *arguments], env=variables, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(arguments)}: exit status {done.returncode}\n{done.stderr}")
    return done.stdout
