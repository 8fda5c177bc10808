"""A decoder that hangs is ended after `--patience` seconds without a frame, and frames reset the time."""

import contextlib
import csv
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from benchmarks.clips import write_video
from idt.batch import verify
from idt.errors import DataError
from idt.frames.video import open_video
from idt.params.bounds import DEFAULT_PATIENCE
from idt.workers import patience, processes, worker
from tests import kills, perils, scenes
from tests.hostile import things
from tests.hostile.things import SMALL
from tests.waiting import until

FILM = scenes.translating(14, velocity=(3, 0), size=(64, 80), seed=1)

GAVE_UP = "no frame came for 1 s, so it was given up; --patience N waits longer"

OPENCV = ("--decoder", "opencv")
"""OpenCV gives a video up by itself; with PyAV the process is ended, whose message does not name the file again."""

STUCK = """
import sys, time
from idt.frames.video import Video

def stuck(self, *_):
    if self._index == 5:
        time.sleep(600)
    return take(self)

take, Video._next_frame = Video._next_frame, stuck
sys.argv[0] = "idt-extract"
from idt.cli import extract
sys.exit(extract())
"""
"""`idt-extract` whose decoder does not come back from a frame, and has let go of the interpreter's lock."""


@pytest.fixture
def clock(monkeypatch):
    """A clock that a test sets, and what the parent is told."""
    now, told = [100.0], []
    monkeypatch.setattr(patience.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(patience, "_tell", told.append)
    return now, told


def endless(path):
    """A Matroska file whose pictures never come, as of a download that stopped: FFmpeg searches it to its end."""
    write_video(path, FILM)
    data = path.read_bytes()
    with open(path, "wb") as file:
        file.write(data[: data.index(b"\x1f\x43\xb6\x75")])
        # It takes no room on the disk, and minutes to read.
        file.truncate(1 << 37)
    return path


# What is told.


def test_frames_reset_the_time_and_are_told_now_and_then(clock):
    now, told = clock
    with patience.watching(8, "a.avi"):
        assert patience.allowed() == 8
        assert told == [8]
        for second in (0.5, 0.9, 1.1, 1.5, 2.2):
            now[0] = 100 + second
            patience.frame_arrived()
        assert told == [8, 8, 8]
    assert told == [8, 8, 8, None]
    patience.frame_arrived()
    assert told == [8, 8, 8, None]
    assert patience.allowed() == DEFAULT_PATIENCE


def test_frames_are_expected_only_while_the_next_item_is_asked_for(clock):
    _, told = clock
    for item in patience.watched("ab", 8, "a.avi"):
        assert item in "ab"
        assert told.pop() is None
        assert told.pop() == 8
    assert told == [8, None]


def test_a_video_beats_for_every_frame_that_it_skips_or_gives(tmp_path, monkeypatch):
    beats = []
    monkeypatch.setattr("idt.frames.video.frame_arrived", lambda: beats.append(1))
    with open_video(write_video(tmp_path / "a.avi", FILM)) as video:
        assert len(list(video)) == 14
    assert len(beats) >= 14


def test_a_process_of_the_library_is_ended_by_nobody():
    with patience.watching(1e-9, "a.avi"):
        time.sleep(0.01)
        patience.frame_arrived()


def test_what_a_decoder_says_after_its_time_is_not_the_end_of_the_video(tmp_path):
    with open_video(write_video(tmp_path / "a.avi", FILM), decoder="opencv") as video:
        next(video)
        reader = video._reader
        reader._patience = 0.0
        with pytest.raises(DataError, match=r"a\.avi: no frame came for 0 s, so it was given up"):
            next(video)
    patience.refuse_late(time.monotonic(), 60, "a.avi")


# Processes.


@pytest.mark.slow
def test_a_process_that_hangs_is_killed_while_another_goes_on_talking(tmp_path, monkeypatch):
    monkeypatch.setattr(worker, "MARGIN", 0.0)
    results = {}
    tasks = [(perils.hang, 0.2), (perils.talk, str(tmp_path / "end")), (perils.talk, str(tmp_path / "end"))]
    for index, result in processes.run(_any, tasks, jobs=2, progress=lambda *_: None):
        results[index] = result
        if index == 0:
            (tmp_path / "end").touch()
    assert results == {
        0: processes.Lost("no frame came for 0.2 s, so it was given up; --patience N waits longer"),
        1: "talked",
        2: "talked",
    }


def _any(function, argument, progress):
    return function(argument, progress) if function is perils.talk else function(argument)


def test_a_call_that_hangs_is_given_up_and_the_next_one_has_a_process(monkeypatch):
    monkeypatch.setattr(worker, "MARGIN", 0.0)
    assert isinstance(processes.call(perils.hang, 0.2), processes.Lost)
    assert processes.call(perils.double, 2) == 4


# Commands.


@pytest.mark.slow
def test_a_video_whose_frames_never_come_is_one_line_and_the_others_are_made(working_folder, command):
    endless(Path("hang.mkv"))
    write_video("a.avi", FILM)
    words = ("-o", "o/", "--patience", 1, *OPENCV, *SMALL)
    _, out, err = command("idt-extract", "hang.mkv", "a.avi", *words, status=3)
    assert out.startswith("o/a.h5: ")
    assert out.count("\n") == 1
    assert f"idt-extract: hang.mkv: {GAVE_UP}\n" in err
    with open("o/failures.csv", newline="") as file:
        assert list(csv.reader(file))[1:] == [["hang", "hang.mkv", f"hang.mkv: {GAVE_UP}"]]
    assert sorted(os.listdir("o")) == ["a.h5", "failures.csv", "summary.json"]
    # A single one, too, and one that is drawn.
    done = kills.run("idt-extract", "hang.mkv", "-o", "h.h5", "--patience", 1, *OPENCV, cwd=working_folder, env=_env())
    assert (done.returncode, done.stderr) == (2, f"idt-extract: hang.mkv: {GAVE_UP}\n")
    done = kills.run("idt-show", "hang.mkv", "-o", "h.png", "--patience", 1, *OPENCV, cwd=working_folder, env=_env())
    assert (done.returncode, done.stderr) == (2, f"idt-show: hang.mkv: {GAVE_UP}\n")
    assert not [name for name in os.listdir() if name.startswith((".", "h."))]


@pytest.mark.slow
def test_labels_and_vectors_of_a_video_whose_frames_never_come_fail_with_the_reason(working_folder, command):
    things.make(working_folder)
    endless(Path("hang.mkv"))
    videos = ("hang.mkv", "a.avi", "--codebook", "cb.h5", "--patience", 1, *OPENCV)
    _, _, err = command("fv-encode", "--from-videos", *videos, "-o", "w.h5", status=3)
    assert f"fv-encode: hang: hang.mkv: {GAVE_UP}\n" in err
    _, out, err = command("svm-predict", "m.h5", *videos, status=3)
    assert f"svm-predict: hang.mkv: {GAVE_UP}\n" in err
    assert out.startswith("a: ")


def _signal_children(process, number):
    """Send a signal to the processes of a command."""
    for child in kills.children(process.pid):
        with contextlib.suppress(ProcessLookupError):
            os.kill(child, number)


@pytest.mark.slow
def test_a_process_that_answers_nobody_any_more_is_killed(working_folder):
    Path("in").mkdir()
    write_video("in/a.avi", FILM)
    write_video("in/long.avi", np.concatenate([scenes.moving_patch(n_frames=40)] * 15))
    words = kills.words_of("idt-extract", "in", "-o", "o/", "--patience", 1)
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen(words, env=_env(), **pipes) as process:
        assert until(lambda: list(Path("o").glob(".long.h5.*.part")) and kills.children(process.pid))
        time.sleep(0.5)
        # Only while it waits for a frame, not between two frames, has the process a deadline.
        for _ in range(10):
            _signal_children(process, signal.SIGSTOP)
            with contextlib.suppress(subprocess.TimeoutExpired):
                out, err = process.communicate(timeout=15)
                break
            _signal_children(process, signal.SIGCONT)
            time.sleep(0.02)
    assert process.returncode == 3
    assert f"idt-extract: in/long.avi: {GAVE_UP}\n" in err
    assert "o/a.h5: " in out
    assert sorted(os.listdir("o")) == ["a.h5", "failures.csv", "summary.json"]
    assert verify.check_feature_file("o/a.h5").fault is None


@pytest.mark.slow
def test_a_single_video_whose_decoder_does_not_come_back_ends_the_command_and_nothing_is_left(working_folder):
    write_video("a.avi", FILM)
    words = ["a.avi", "-o", "a.h5", "--patience", "1", *SMALL]
    options = {"capture_output": True, "text": True, "check": False, "timeout": 120}
    done = subprocess.run([sys.executable, "-c", STUCK, *words], env=_env(), **options)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"idt-extract: a.avi: {GAVE_UP}\n")
    assert os.listdir() == ["a.avi"]


def _env():
    return {**os.environ, "PYTHONPATH": str(kills.ROOT)}
