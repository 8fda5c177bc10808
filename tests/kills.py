"""Our commands ended in every way at random moments, and what they leave behind: nothing.

python -m tests.kills --moments 30            # each command, each way, the parent, a worker, or the whole group
"""

import argparse
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np

from benchmarks.clips import write_video
from tests import scenes
from tests.comparing import assert_same_datasets

ROOT = Path(__file__).resolve().parent.parent

MODULES = {
    "idt-extract": "idt.cli:extract",
    "idt-flow": "idt.batch.flow_command:flow",
    "idt-show": "idt.show.cli:show",
    "fv-encode": "encoding.cli:fv_encode",
    "svm-train": "classify.cli:svm_train",
    "svm-predict": "classify.cli:svm_predict",
    "idt-evaluate": "classify.cli:evaluate",
}

WAYS = {
    "SIGKILL": (signal.SIGKILL,),
    "SIGTERM": (signal.SIGTERM,),
    "SIGHUP": (signal.SIGHUP,),
    "Ctrl-C twice": (signal.SIGINT, signal.SIGINT),
}
"""Ways to end a run, and the signals that each sends."""

TOGETHER = 0.3
"""Seconds, at most, between two interrupts of an impatient user."""

END = 30.0
"""Seconds in which all processes of a run that was ended must be gone."""


def words_of(command, *words):
    """How to start one of our commands from this checkout."""
    module, _, function = MODULES[command].partition(":")
    code = f"import sys; sys.argv[0] = {command!r}; from {module} import {function} as main; sys.exit(main())"
    return [sys.executable, "-c", code, *map(str, words)]


def run(command, *words, **options):
    """Run one of our commands: its exit status, stdout and stderr."""
    options = {"cwd": ROOT, "capture_output": True, "text": True, "check": False, **options}
    return subprocess.run(words_of(command, *words), **options)


# Processes, as /proc shows them.


def children(process):
    """Numbers of the processes that a process started."""
    found = []
    for path in Path(f"/proc/{process}/task").glob("*/children"):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            found += [int(word) for word in path.read_text().split()]
    return found


def lives(process):
    """Whether a process is there and no zombie."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def of_session(session):
    """Numbers of the processes of a session that live."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if os.getsid(int(path.name)) == session and lives(path.name):
                found.append(int(path.name))
    return found


def writers(path):
    """Numbers of the processes that have a file open."""
    found = []
    for descriptor in Path("/proc").glob("[0-9]*/fd/*"):
        with contextlib.suppress(OSError):
            if os.path.samefile(descriptor, path):
                found.append(int(descriptor.parts[2]))
    return found


# A run that is ended.


class Case(NamedTuple):
    """A command with its words and what it makes."""

    name: str
    words: tuple
    output: Path


def end_and_resume(case, calm, ways, *, moments, span, seed=0, say=lambda line: None):
    """End runs at random moments, then resume; AssertionError if anything is left, broken or different.

    Parameters
    ----------
    case : Case
    calm : Path
        What an undisturbed run made.
    ways : list of str
        Of `WAYS`.
    moments : int
        For each way.
    span : float
        The longest time, in seconds, that a run is given.
    seed : int
    say : callable
        Takes a line for each moment.
    """
    rng = np.random.default_rng(seed)
    for way in ways:
        for number in range(moments):
            with tempfile.TemporaryDirectory(prefix="kills-") as temporary:
                whom = ("the parent", "a worker", "the group")[number % 3]
                status, after = _ended(case, way, whom, rng, span, temporary)
                if way != "SIGKILL" or whom == "a worker":
                    _check_nothing_is_left(case, temporary)
                done = run(*case.words, env={**os.environ, "TMPDIR": temporary})
                assert done.returncode == 0, f"{case.name}, resumed after {way}: {done.stderr}"
                _check_nothing_is_left(case, temporary)
                assert_same_results(calm, case.output)
            _remove(case.output)
            say(f"{case.name}: {way} of {whom} after {after:.2f} s: status {status}, nothing left, resumed equal")


def _ended(case, way, whom, rng, span, temporary):
    """Start a run and end it: its exit status, and after how many seconds."""
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(
        words_of(*case.words), cwd=ROOT, env={**os.environ, "TMPDIR": temporary}, start_new_session=True,
        preexec_fn=heed_interrupts, **quiet,
    ) as process:  # fmt: skip
        after = rng.uniform(0, span)
        time.sleep(after)
        for place, number in enumerate(WAYS[way]):
            time.sleep(rng.uniform(0, TOGETHER) if place else 0)
            _send(process.pid, whom, number, rng)
        said = process.communicate(timeout=120)[1]
    deadline = time.monotonic() + END
    while (left := of_session(process.pid)) and time.monotonic() < deadline:
        time.sleep(0.005)
    assert not left, f"{case.name}: after {way} of {whom} these go on: {left}"
    assert after < 1 or "Traceback" not in said, said
    return process.returncode, after


def _send(process, whom, number, rng):
    """Send a signal to a process, to one of its children, or to all of its group, as a terminal does."""
    with contextlib.suppress(ProcessLookupError):
        if whom == "the group":
            os.killpg(process, number)
        elif whom == "the parent":
            os.kill(process, number)
        elif found := children(process):
            os.kill(int(rng.choice(found)), number)


def heed_interrupts():
    """Take interrupts as from a terminal; a shell has what it runs in the background ignore them."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _check_nothing_is_left(case, temporary):
    place = case.output.parent
    parts = [path for path in place.rglob(".*") if path.suffix == ".part"]
    assert not parts, parts
    found = os.listdir(temporary)
    assert not found, found


def _remove(path):
    place = path if path.is_dir() else path.parent
    shutil.rmtree(place)
    place.mkdir()


# The commands that start processes.


def cases(folder):
    """Make clips of two actors and two classes, features, a codebook and a model: every command that starts processes.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    list of Case
    """
    for i in range(8):
        path = folder / "clips" / ("left" if i % 2 else "right") / f"actor{i // 4}_{i}.avi"
        path.parent.mkdir(parents=True, exist_ok=True)
        velocity = (2.0 if i % 2 else -2.0, 0.5)
        write_video(path, scenes.moving_patch(n_frames=24, size=(96, 120), seed=i, velocity=velocity))
    fit = ("--k", 2, "--sample", 2000)
    clips, features, vectors, model = (folder / name for name in ("clips", "features", "v/vectors.h5", "model.h5"))
    labels = folder / "labels.csv"
    labels.write_text("".join(f"{at.parent.name}/{at.stem},{at.parent.name}\n" for at in clips.rglob("*.avi")))
    vectors.parent.mkdir()
    for words in (
        ("idt-extract", clips, "-o", f"{features}/", "--length", 5),
        ("fv-encode", features, "-o", vectors, *fit),
        ("svm-train", vectors, "--labels", labels, "-o", model),
    ):
        done = run(*words)
        if done.returncode:
            raise RuntimeError(done.stderr)
    book = vectors.with_name("vectors.codebook.h5")
    out = folder / "out"
    for name in ("encode", "videos", "predict"):
        (out / name).mkdir(parents=True)

    made = [
        ("idt-extract", clips, "-o", f"{out}/extract/", "--jobs", 2, "--length", 5),
        ("fv-encode", features, "-o", out / "encode/v.h5", "--jobs", 2, *fit),
        ("fv-encode", "--from-videos", "--codebook", book, clips, "-o", out / "videos/v.h5", "--jobs", 2),
        ("svm-predict", model, "--codebook", book, clips, "-o", out / "predict/s.csv", "--jobs", 2,
         "--force", out / "predict/s.csv"),
        ("idt-evaluate", "folder", clips, "--group", "actor[0-9]+", "--length", 5, *fit, "-o", out / "evaluate",
         "--jobs", 2),
    ]  # fmt: skip
    return [Case(" ".join(map(str, words[:2])), words, Path(words[words.index("-o") + 1])) for words in made]


def assert_same_results(calm, found):
    """Compare what two runs have made: files of ours by their data, tables by their text; no times."""
    place, other = (path if path.is_dir() else path.parent for path in (calm, found))
    names, others = (
        sorted(path.relative_to(at) for path in at.rglob("*") if path.suffix in (".h5", ".csv") and path.is_file())
        for at in (place, other)
    )
    assert names == others
    for name in names:
        if name.suffix == ".h5":
            assert_same_datasets(place / name, other / name)
        elif name.name in ("confusion.csv", "s.csv"):
            assert (place / name).read_text() == (other / name).read_text(), name


def main():
    """End every command in every way, and say what came of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--moments", type=int, default=30, help="for each command, shared by the ways")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="commands whose name holds this")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        for case in cases(Path(folder)):
            if options.only not in case.name:
                continue
            calm = Path(folder) / "calm"
            span, moments = 1.1 * undisturbed(case, calm), -(-options.moments // len(WAYS))
            end_and_resume(case, calm / case.output.name, WAYS, moments=moments, span=span, seed=options.seed, say=_say)
    return 0


def _say(line):
    print(line, flush=True)  # noqa: T201


def undisturbed(case, calm):
    """Run a command, move what it makes to the folder ``calm``, and return the seconds that it took."""
    shutil.rmtree(calm, ignore_errors=True)
    began = time.perf_counter()
    done = run(*case.words)
    seconds = time.perf_counter() - began
    if done.returncode:
        raise RuntimeError(f"{case.name}: {done.stderr}")
    if case.output.is_dir():
        shutil.move(case.output, calm / case.output.name)
    else:
        shutil.move(case.output.parent, calm)
        case.output.parent.mkdir()
    return seconds


if __name__ == "__main__":
    sys.exit(main())
