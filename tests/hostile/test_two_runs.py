"""Two runs at once: the second waits, neither crashes, and no result is over less than was asked."""

import contextlib
import errno
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import textwrap
import threading

import pytest

from encoding.vectors_file import load_vectors
from idt import DataError
from idt.files import atomic, lock_file, locks
from tests import soak
from tests.commands import refused
from tests.hostile import things
from tests.hostile.runs import holder, locks_left, started
from tests.hostile.things import SMALL
from tests.waiting import until

RUNS = {
    "idt-extract": (("a.avi", "b.avi", "-o", "o/", *SMALL), "folders", "o"),
    "idt-extract of one": (("a.avi", "-o", "o/a.h5", *SMALL), "files", "o/a.h5"),
    "fv-encode": (("--k", 2, "--sample", 100, "f", "-o", "o/v.h5"), "files", "o/v.codebook.h5"),
    "fv-encode of features under way": (("--k", 2, "--sample", 100, "f", "-o", "v2.h5"), "folders", "f"),
    "fv-encode of videos": (
        ("--from-videos", "--codebook", "cb.h5", "a.avi", "b.avi", "-o", "o/v.h5"), "files", "o/v.h5",
    ),
    "svm-train": (("v.h5", "--labels", "labels.csv", "-o", "o/m.h5"), "files", "o/m.h5"),
    "idt-evaluate": (("folder", "s", "-o", "o", "--folds", 2, "--k", 2, *SMALL), "folders", "o"),
    "idt-evaluate of shared features": (
        ("folder", "s", "-o", "p", "--features", "o", "--folds", 2, "--k", 2, *SMALL), "folders", "o",
    ),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("run", RUNS)
def test_a_run_waits_for_another_and_says_for_whom_until_that_is_killed(place, run):
    words, kind, path = RUNS[run]
    with holder(kind, path) as other, started(run.split()[0], *words) as process:
        line = process.stderr.readline()
        while "no --train list" in line:
            line = process.stderr.readline()
        assert f"waiting for process {other.pid} (-c) on " in line
        assert line.endswith(f", which writes {path}\n")
        assert process.poll() is None
        # The system frees what a dead process held.
        other.send_signal(signal.SIGKILL)
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
        assert out
        assert "waiting" not in err
    assert locks_left(place) == []


@pytest.mark.slow
def test_nothing_is_said_where_quiet_is_asked_for(place):
    with (
        holder("folders", "o") as other,
        started("idt-extract", "a.avi", "b.avi", "-o", "o/", *SMALL, "--quiet") as one,
    ):
        with pytest.raises(subprocess.TimeoutExpired):
            one.wait(1.0)
        other.kill()
        out, err = one.communicate(timeout=120)
    assert (one.returncode, err, out.count("tracks")) == (0, "", 2)


@pytest.mark.slow
def test_two_evaluations_at_once_are_each_of_all_clips(command, place):
    words = ("folder", "s", "-o", "o", "--folds", 2, "--k", 2, *SMALL)
    with started("idt-evaluate", *words) as one, started("idt-evaluate", *words) as other:
        ends = [(process.communicate(timeout=240), process.returncode) for process in (one, other)]
    assert [status for _, status in ends] == [0, 0], ends
    # One of them did it, and the other found all of it there.
    assert sorted("up to date" in out for (out, _), _ in ends) == [False, True]
    assert "4 clips of 2 classes" in (place / "o/report.md").read_text()
    assert locks_left(place) == []
    before = things.state_of(place / "o")
    assert "up to date" in command("idt-evaluate", *words)[1]
    assert things.state_of(place / "o") == before


@pytest.mark.slow
def test_two_extractions_and_two_encodings_at_once_make_each_file_once(place):
    for run, words in (
        ("idt-extract", ("a.avi", "b.avi", "-o", "o/", *SMALL)),
        ("fv-encode", ("--k", 2, "--sample", 100, "f", "-o", "o/v.h5")),
    ):
        with started(run, *words) as one, started(run, *words) as other:
            ends = [(process.communicate(timeout=240), process.returncode) for process in (one, other)]
        assert [status for _, status in ends] == [0, 0], ends
        # Of an extraction each may have made one.
        assert sum(out.count("up to date") for (out, _), _ in ends) == 2, ends
        assert sum(out.count("\n") for (out, _), _ in ends) == 4, ends
    assert len(load_vectors("o/v.h5").names) == 2
    assert locks_left(place) == []


@pytest.mark.slow
def test_runs_whose_children_are_killed_do_not_wait_for_ever(place):
    for number in range(6):
        shutil.copy("a.avi", f"s/{number}.avi")
    words = ("s", "-o", "o/", "--jobs", 2, *SMALL)
    with started("idt-extract", *words) as one, started("idt-extract", *words) as other:
        assert until(lambda: any(soak.children(process.pid) for process in (one, other)))
        for process in (one, other):
            for child in soak.children(process.pid):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(child, signal.SIGKILL)
        ends = [process.communicate(timeout=240) for process in (one, other)]
    # A video whose process was killed is one that failed, and the other run makes it.
    assert {one.returncode, other.returncode} <= {0, 3}, ends
    with started("idt-extract", *words) as last:
        assert last.communicate(timeout=240)[0].count(".h5: ") == 10
        assert last.returncode == 0
    assert locks_left(place) == []


@pytest.mark.slow
def test_a_run_and_a_run_of_one_of_its_files_share_it(place):
    os.mkdir("o")
    with (
        holder("files", "o/a.h5") as other,
        started("idt-extract", "a.avi", "b.avi", "-o", "o/", "--jobs", 2, *SMALL) as process,
    ):
        assert until(lambda: (place / "o/b.h5").exists(), 120)
        assert process.poll() is None
        other.kill()
        assert process.communicate(timeout=120)[0].count("tracks") == 2
        assert process.returncode == 0


# The lock file.


def test_a_lock_that_a_killed_run_left_does_not_disturb(command, place):
    with holder("folders", "o") as other:
        other.kill()
    assert (place / "o/.idt.lock").exists()
    assert command("idt-extract", "a.avi", "b.avi", "-o", "o/", *SMALL)[0] == 0
    assert locks_left(place) == []


def test_the_locks_of_dead_children_are_swept_and_those_of_the_living_and_of_strangers_stay(tmp_path):
    with holder("files", tmp_path / "a.h5") as other, holder("files", tmp_path / "b.h5"):
        other.kill()
        other.wait()
        (tmp_path / ".c.h5.lock").write_text("mine")
        os.mkfifo(tmp_path / ".d.h5.lock")
        (tmp_path / ".e.h5.lock").symlink_to(".b.h5.lock")
        assert (tmp_path / ".a.h5.lock").exists()
        atomic.sweep(tmp_path, [f"{letter}.h5" for letter in "abcdef"])
        assert sorted(os.listdir(tmp_path)) == [f".{letter}.h5.lock" for letter in "bcde"]


@pytest.mark.parametrize("kind", ["file", "link", "dangling", "fifo", "folder"])
def test_what_has_the_name_of_a_lock_and_is_none_is_refused_untouched(command, place, kind):
    os.mkdir("o")
    (place / "mine").write_text("mine")
    lock = place / "o/.idt.lock"
    {
        "file": lambda: lock.write_text("mine"),
        "link": lambda: lock.symlink_to(place / "mine"),
        "dangling": lambda: lock.symlink_to("nowhere"),
        "fifo": lambda: os.mkfifo(lock),
        "folder": lock.mkdir,
    }[kind]()
    before = things.state_of(place)
    done = command("idt-extract", "a.avi", "b.avi", "-o", "o/", *SMALL, status=2)
    assert refused(done, r"\.idt\.lock is no lock file of ours, but has the name of one; move it away")
    assert things.state_of(place) == before


def test_a_stranger_s_lock_does_not_speak_to_the_terminal(tmp_path):
    lock = tmp_path / ".idt.lock"
    lock.write_bytes(lock_file.HEAD + b"1 \x1b[2J evil\n")
    told = []
    with open(lock, "rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        threading.Timer(0.3, lambda: fcntl.flock(file, fcntl.LOCK_UN)).start()
        with locks.held(folders=[tmp_path], say=told.append):
            pass
    assert told == [f"waiting for another run, which writes {tmp_path}"]


def test_a_folder_that_cannot_be_written_has_no_lock_and_what_is_up_to_date_stays(command, place, monkeypatch):
    words = ("idt-extract", "a.avi", "-o", "o/a.h5", *SMALL)
    assert command(*words)[0] == 0
    opened = os.open

    def read_only(path, flags, *mode, **given):
        if flags & os.O_CREAT and str(path).startswith(str(place / "o")):
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))
        return opened(path, flags, *mode, **given)

    monkeypatch.setattr(os, "open", read_only)
    assert "up to date" in command(*words)[1]
    assert refused(command(*words, "--gap", 2, "--overwrite", status=2), "cannot write o/a.h5: Read-only file system")


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS])
def test_a_file_system_without_locks_does_not_stop_a_run(command, place, monkeypatch, number):
    def flock(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", flock)
    assert command("idt-extract", "a.avi", "-o", "o/a.h5", *SMALL)[0] == 0
    assert command("idt-extract", "a.avi", "-o", "o/a.h5", *SMALL)[1].endswith("up to date\n")
    assert locks_left(place) == []


def test_a_run_that_is_refused_leaves_no_folder(command, place):
    (place / "c.avi").write_bytes(b"no video")
    assert command("idt-extract", "c.avi", "-o", "deep/er/c.h5", *SMALL, status=2)[0] == 2
    assert not (place / "deep").exists()
    with contextlib.suppress(ValueError), locks.held(folders=["deep/er"]):
        raise ValueError
    assert not (place / "deep").exists()
    with locks.held(folders=["deep/er"]):
        (place / "deep/kept").touch()
    assert os.listdir("deep") == ["kept"]


def test_a_lock_is_held_once_in_a_process_and_given_back_once(tmp_path):
    lock = tmp_path / ".idt.lock"
    with locks.held(folders=[tmp_path]):
        with locks.held(folders=[tmp_path, tmp_path / "."], files=[tmp_path / "a"]):
            assert sorted(os.listdir(tmp_path)) == [".a.lock", ".idt.lock"]
        assert os.listdir(tmp_path) == [".idt.lock"]
        with open(lock, "rb") as file, pytest.raises(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    assert os.listdir(tmp_path) == []


def test_two_spellings_of_a_folder_are_one_lock(tmp_path):
    (tmp_path / "o").mkdir()
    (tmp_path / "link").symlink_to("o")
    with holder("folders", tmp_path / "o"), open(tmp_path / "o/.idt.lock", "rb") as file:
        told = []
        done = threading.Event()

        def wait():
            with locks.held(folders=[tmp_path / "link"], say=told.append):
                done.set()

        thread = threading.Thread(target=wait)
        thread.start()
        assert until(lambda: told)
        assert not done.is_set()
        assert file.read().startswith(lock_file.HEAD)
    thread.join(60)
    assert done.is_set()


def test_many_that_wait_come_one_after_the_other(tmp_path):
    code = textwrap.dedent("""
        import os, sys, time
        from idt.files import locks
        for _ in range(30):
            with locks.held(folders=[sys.argv[1]]):
                os.mkdir(os.path.join(sys.argv[1], "alone"))
                os.rmdir(os.path.join(sys.argv[1], "alone"))
    """)
    started = [subprocess.Popen([sys.executable, "-c", code, str(tmp_path)]) for _ in range(4)]
    assert [process.wait(120) for process in started] == [0] * 4
    assert os.listdir(tmp_path) == []


def test_no_folder_is_made_where_a_link_to_nothing_points(tmp_path):
    (tmp_path / "o").symlink_to("elsewhere")
    with pytest.raises(NotADirectoryError), locks.held(folders=[tmp_path / "o"]):
        pytest.fail("it began")
    assert os.listdir(tmp_path) == ["o"]


def test_a_folder_that_is_a_file_is_one_line(command, place):
    (place / "o").write_text("mine")
    with pytest.raises((DataError, OSError)), locks.held(folders=["o"]):
        pytest.fail("it began")
    assert command("idt-extract", "a.avi", "-o", "o/a.h5", *SMALL, status=2)[2].count("\n") == 1
    assert (place / "o").read_text() == "mine"
