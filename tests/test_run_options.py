"""`idt.workers.run_options`: what every run of many inputs may choose, and no number depends on."""

import dataclasses
import json
import pickle
from argparse import Namespace

import pytest

from benchmarks.clips import write_video
from idt.command import run_options
from idt.errors import DataError
from idt.workers import progress
from idt.workers.progress import shown_progress
from idt.workers.run_options import RunOptions, no_progress
from tests import scenes
from tests.progress import Counted


def test_one_process_with_one_thread_replaces_nothing_and_shows_nothing():
    run = RunOptions()
    assert (run.jobs, run.threads, run.overwrite) == (1, 1, False)
    with run.progress("video", None) as update:
        update()
        update(3)


def test_options_do_not_change_and_reach_another_process():
    run = RunOptions(jobs=2, overwrite=True)
    with pytest.raises(dataclasses.FrozenInstanceError):
        run.jobs = 3
    assert pickle.loads(pickle.dumps(run)) == run


def test_for_one_of_many_inputs_threads_and_overwriting_stay():
    run = RunOptions(jobs=8, threads=2, overwrite=True, progress=Counted())
    assert run.for_one() == RunOptions(threads=2, overwrite=True)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"jobs": 0}, "jobs must be a whole number of at least 1, got 0"),
        ({"jobs": 1.5}, "jobs must be a whole number of at least 1, got 1.5"),
        ({"threads": 1025}, "threads must be a whole number of at most 1024, got 1025"),
        ({"patience": 0}, "patience must be a whole number of at least 1, got 0"),
        ({"jobs": 1024, "threads": 5}, "jobs × threads must be at most 4096, got 1024 × 5"),
    ],
)
def test_numbers_that_cannot_be_meant_are_refused(options, words):
    with pytest.raises(DataError, match=words):
        RunOptions(**options)


def test_a_command_gives_what_it_has_and_the_rest_is_default():
    given = Namespace(jobs=3, threads=None, overwrite=True, quiet=True)
    assert run_options(given) == RunOptions(jobs=3, overwrite=True, progress=no_progress)
    assert run_options(Namespace(overwrite=False, quiet=False)) == RunOptions(progress=shown_progress)


def test_progress_is_not_shown_where_stderr_is_no_terminal(capsys):
    with shown_progress("video", 2) as update:
        update()
        update(1)
    assert capsys.readouterr() == ("", "")


def test_json_progress_says_what_is_done_and_left(capsys, monkeypatch):
    clock = iter([0.0, 0.2, 1.0, 1.0, 2.0, 2.0, 2.0])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    monkeypatch.setattr(progress, "_form", "json")
    with shown_progress("frame", 8) as update:
        update()
        update(3)
    lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    assert lines[0] == {"unit": "frame", "done": 4, "total": 8, "seconds": 1.0, "left": 1.0}
    assert [line["done"] for line in lines] == [4, 4]
    with progress.progress_bar(8, "frame", quiet=True) as bar:
        bar.update()
    assert capsys.readouterr().err == ""


def test_a_command_shows_json_progress_in_a_pipe_and_nothing_else_does(command, tmp_path):
    clip = write_video(tmp_path / "a.avi", scenes.moving_patch(8))
    words = ("idt-extract", clip, "--length", 3, "--time-cells", 1, "--scales", 1, "--overwrite")
    _, _, err = command(*words, "-o", tmp_path / "a.h5", "--progress", "json")
    assert json.loads(err.splitlines()[-1])["done"] == 8
    assert command(*words, "-o", tmp_path / "b.h5")[2] == ""
    assert command(*words, "-o", tmp_path / "c.h5", "--progress", "json", "--quiet")[2] == ""
