"""Habits of a command line: pipes that close, files whose names look like options, hints."""

import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

import idt
from benchmarks.clips import write_video
from idt.batch import verify
from idt.batch.outcome import LARGE, large_hint
from idt.params.extraction import ExtractionParams
from tests import kills, scenes
from tests.commands import refused
from tests.hostile.things import SMALL
from tests.samples import random_features

PIPE = 141
"""Status of a process that SIGPIPE ended, as shells show it."""


@pytest.fixture
def clip(working_folder):
    """A film in the current folder."""
    return write_video(Path("a.avi"), scenes.translating(14, velocity=(3, 0), size=(64, 80), seed=1))


def closed_pipe():
    """The end of a pipe that nobody reads."""
    reading, writing = os.pipe()
    os.close(reading)
    return writing


def run(*words, cwd, **streams):
    """Run one of our commands, and return it with what it said on the streams that are left open."""
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **streams}
    env = {**os.environ, "PYTHONPATH": str(kills.ROOT)}
    return subprocess.run(kills.words_of(*words), text=True, check=False, cwd=cwd, env=env, **options)


# A pipe whose reader goes.


@pytest.mark.slow
def test_a_reader_that_has_seen_enough_ends_the_run_quietly_and_every_file_is_whole(clip, working_folder):
    os.mkdir("in")
    for i in range(12):
        shutil.copy(clip, f"in/{i}.avi")
    words = kills.words_of("idt-extract", "in", "-o", "o/", "--jobs", "2", *SMALL)
    env = {**os.environ, "PYTHONPATH": str(kills.ROOT)}
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env) as process:
        # As `head -1` does.
        assert process.stdout.readline().startswith("o/")
        process.stdout.close()
        err = process.stderr.read()
        assert process.wait(60) == PIPE
    assert err == ""
    made = list(Path("o").glob("*.h5"))
    assert 1 <= len(made) < 12
    assert [verify.check_feature_file(path).fault for path in made] == [None] * len(made)
    assert not list(Path("o").glob(".*"))


@pytest.mark.slow
@pytest.mark.parametrize("streams", [("stdout",), ("stderr",), ("stdout", "stderr")])
def test_a_pipe_that_nobody_reads_is_no_bug(clip, working_folder, streams):
    # With a note on stderr, and a result on stdout.
    closed = closed_pipe()
    words = ("a.avi", "-o", "a.h5", "--fps", 99, *SMALL)
    done = run("idt-extract", *words, cwd=working_folder, **dict.fromkeys(streams, closed))
    os.close(closed)
    assert done.returncode == PIPE
    assert "Traceback" not in f"{done.stdout}{done.stderr}"
    assert "BrokenPipe" not in f"{done.stdout}{done.stderr}"
    # It was whole before anything was said.
    assert verify.check_feature_file("a.h5").fault is None


@pytest.mark.parametrize("words", [("--help",), ("absent.avi", "-o", "a.h5"), ("--absent",)])
def test_help_and_refusals_into_a_closed_pipe_are_quiet(working_folder, words):
    closed = closed_pipe()
    done = run("idt-extract", *words, cwd=working_folder, stdout=closed, stderr=subprocess.PIPE)
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
    assert run("idt-extract", *words, cwd=working_folder, stdout=closed, stderr=closed).returncode in (0, 2, PIPE)
    os.close(closed)


# Files whose names look like options.


@pytest.mark.parametrize("name", ["-a.avi", "-overview.avi", "--jobs.avi"])
def test_a_file_whose_name_begins_as_an_option_is_told_how_to_be_written(clip, command, name):
    clip.rename(name)
    for words in ((name, "-o", "a.h5"), ("-o", "a.h5", name), (name, name)):
        result = command("idt-extract", *words, status=2)
        assert refused(
            result, f"{name} is a file, but begins as an option does; write ./{name}, or -- before all files"
        )
    assert command("idt-extract", "-o", "a.h5", *SMALL, "--", name)[0] == 0
    assert command("idt-extract", f"./{name}", "-o", "b.h5", *SMALL)[0] == 0


def test_an_option_stays_one_though_a_file_has_its_name(clip, command):
    for name in ("-o", "--quiet", "--jobs"):
        Path(name).touch()
    assert command("idt-extract", "a.avi", "-o", "a.h5", "--quiet", *SMALL)[0] == 0
    assert refused(command("idt-extract", "a.avi", "--jobs=0", "-o", "a.h5", status=2), "argument --jobs")


# Files among features that are none.


def test_what_is_no_feature_file_among_features_is_named_as_what_it_is(command, working_folder):
    Path("f").mkdir()
    idt.save(random_features(60), "f/a.h5")
    for name, data, message in (
        ("zero.h5", b"", r"f/zero\.h5 is empty \(0 bytes\): no feature file; move it away"),
        ("notes.h5", b"notes\n", r"f/notes\.h5 is no HDF5 file, whatever its name says: no feature file"),
        ("cut.h5", Path("f/a.h5").read_bytes()[:3000], r"f/cut\.h5 is damaged and cannot be read"),
        ("alien.h5", b"\x89HDF\r\n\x1a\n" + bytes(500), r"f/alien\.h5 is HDF5 of another kind than ours"),
    ):
        path = Path("f") / name
        path.write_bytes(data)
        result = command("fv-encode", "--k", 2, "--sample", 50, "f", "-o", "v.h5", status=2)
        assert refused(result, message)
        path.unlink()
    assert not Path("v.h5").exists()


# Large frames.


def test_large_frames_are_a_hint_at_max_side(command, working_folder):
    frames = np.repeat(scenes.texture(80, 1300)[None], 3, axis=0)
    for name in "ab":
        write_video(f"{name}.avi", frames)
    hint = "frames of 1300×80 px, which take long; --max-side 640 would leave 24 % of their pixels"
    assert f"idt-extract: a.avi has {hint}\n" in command("idt-extract", "a.avi", "-o", "a.h5", *SMALL)[2]
    # Of many videos once.
    err = command("idt-extract", "a.avi", "b.avi", "-o", "o/", *SMALL)[2]
    assert (err.count(hint), err.count("other videos may have large frames")) == (1, 1)
    assert hint in command("idt-show", "a.avi", "-o", "a.png", *SMALL)[2]
    for words in (("--quiet",), ("--max-side", 1300)):
        assert command("idt-extract", "a.avi", "-o", "b.h5", *SMALL, *words)[2] == ""
        Path("b.h5").unlink()


def test_frames_of_the_usual_size_and_smaller_need_no_hint():
    assert large_hint("a", (LARGE, 720), ExtractionParams()) is None
    assert large_hint("a", (720, LARGE + 1), ExtractionParams()) is not None
    assert large_hint("a", (1920, 1080), ExtractionParams(max_side=1920)) is None
