"""Two extractions into one folder share the work: what one is at the other passes over, and waits for at the end."""

import csv
import errno
import fcntl
import json
import os
import shutil
import subprocess
import threading

import pytest

from idt.batch import summary, verify
from idt.batch.extract_one import extract_job
from idt.batch.jobs import Job
from idt.batch.outcome import Outcome
from idt.errors import DataError
from idt.files import lock_file, locks
from idt.params.extraction import ExtractionParams
from idt.workers.run_options import RunOptions
from tests.hostile.runs import holder, locks_left, started
from tests.hostile.things import SMALL
from tests.waiting import until

PARAMS = ExtractionParams(length=5, time_cells=1, scales=1, stride=10, camera=False, keypoints="none")


def ends_of(*processes):
    """What each said, and its status."""
    return [(*process.communicate(timeout=240), process.returncode) for process in processes]


@pytest.mark.slow
def test_two_runs_make_each_file_once_and_both_end_well(place):
    for number in range(8):
        shutil.copy("a.avi", f"s/{number}.avi")
    words = ("s", "-o", "o/", "--jobs", 2, *SMALL)
    with started("idt-extract", *words) as one, started("idt-extract", *words) as other:
        ends = ends_of(one, other)
    assert [status for *_, status in ends] == [0, 0], ends
    said = "".join(out for out, *_ in ends)
    assert (said.count(" tracks, "), said.count("up to date")) == (12, 12), ends
    assert "failed" not in "".join(err for _, err, _ in ends)
    made = verify.find_feature_files("o")
    assert len(made) == 12
    assert {verify.check_feature_file(path).fault for path in made} == {None}
    assert locks_left(place) == []
    told = json.loads((place / "o/summary.json").read_text())
    assert (told["done"] + told["up_to_date"], told["failed"]) == (12, 0)


@pytest.mark.slow
def test_a_video_that_another_run_is_at_is_passed_over_and_waited_for_at_the_end(place):
    os.mkdir("o")
    shutil.copy("a.avi", "c.avi")
    words = ("a.avi", "b.avi", "c.avi", "-o", "o/", *SMALL)
    # All are of one length, so that a.avi comes first.
    with holder("files", "o/a.h5") as other, started("idt-extract", *words) as process:
        assert process.stderr.readline() == ("idt-extract: videos left to another run, which is waited for: 1 of 3\n")
        assert sorted(path.name for path in (place / "o").glob("*.h5")) == ["b.h5", "c.h5"]
        # The other one is killed before it has made anything.
        other.kill()
        out, err = process.communicate(timeout=120)
        assert (process.returncode, err) == (0, "")
    assert out.count(" tracks, ") == 3
    assert locks_left(place) == []


@pytest.mark.slow
def test_a_run_that_joins_another_leaves_its_files_and_adds_its_failures(place):
    (place / "bad.avi").write_bytes(b"no video")
    words = ("a.avi", "b.avi", "bad.avi", "-o", "o/", *SMALL)
    line = "worse,worse.avi,it is\n"
    with holder("shared", "o"):
        (place / "o/failures.csv").write_text("name,source,reason\n" + line)
        with started("idt-extract", *words) as process:
            out, err = process.communicate(timeout=120)
        assert process.returncode == 3
        assert "waiting" not in err
        assert out.count(" tracks, ") == 2
        with started("idt-extract", *words) as process:
            process.communicate(timeout=120)
        text = (place / "o/failures.csv").read_text()
        assert text.startswith("name,source,reason\n" + line)
        assert [row[0] for row in csv.reader(text.splitlines())] == ["name", "worse", "bad"]
    # One that is alone begins anew.
    with started("idt-extract", *words) as process:
        process.communicate(timeout=120)
    assert line not in (place / "o/failures.csv").read_text()


def test_a_failure_that_two_runs_meet_is_one_line(tmp_path):
    one = summary.begin(tmp_path, [1, 1])
    other = summary.begin(tmp_path, [1, 1], is_shared=True)
    for name in ("a, b\nc", "d"):
        for count in (one, other):
            count.end(0, Outcome(Job(f"{name}.avi", name, tmp_path / "a.h5"), error="no, not\n so"))
    with open(tmp_path / summary.FAILURES, newline="") as file:
        assert [row[0] for row in csv.reader(file)] == ["name", "a, b\nc", "d"]
    assert (one.failed, other.failed) == (2, 2)


@pytest.mark.slow
def test_encoding_waits_for_all_that_extract_into_its_features(place):
    words = ("--k", 2, "--sample", 100, "f", "-o", "v2.h5")
    with holder("shared", "f") as one, holder("shared", "f") as other, started("fv-encode", *words) as process:
        assert ", which writes f\n" in process.stderr.readline()
        one.kill()
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(1.0)
        other.kill()
        process.communicate(timeout=120)
        assert process.returncode == 0
    assert locks_left(place) == []


# Where there are no locks.


def test_without_locks_a_file_that_another_run_made_meanwhile_is_no_failure(place, monkeypatch):
    def flock(*_):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", flock)
    job = Job("a.avi", "a", place / "a.h5")
    extract_job(job, PARAMS)
    made = (place / "a.h5").rename(place / "made.h5")

    def raced(path):
        def progress(stage, total):
            shutil.copy(path, place / "a.h5")
            return RunOptions().progress(stage, total)

        return RunOptions(progress=progress)

    assert extract_job(job, PARAMS, run=raced(made)).up_to_date
    (place / "a.h5").unlink()
    # Made otherwise it stays, and is said.
    with pytest.raises(DataError, match=r"a\.h5 was (made from a source|written)"):
        extract_job(job, PARAMS, run=raced("f/a.h5"))
    assert not list(place.glob(".a*"))


# The lock of a folder that is shared.


def test_a_shared_folder_knows_whether_others_are_there_and_the_last_one_removes_the_lock(tmp_path):
    with locks.shared(tmp_path) as is_shared:
        assert not is_shared
    with holder("shared", tmp_path) as one:
        with locks.shared(tmp_path) as is_shared:
            assert is_shared
            one.stdin.close()
            one.wait(60)
            assert (tmp_path / ".idt.lock").exists()
        assert not (tmp_path / ".idt.lock").exists()
    with locks.shared(tmp_path) as is_shared, locks.shared(tmp_path):
        assert not is_shared
    assert os.listdir(tmp_path) == []


def test_whoever_wants_a_folder_alone_waits_for_all_that_share_it_and_they_for_him(tmp_path):
    order, told = [], []

    def alone():
        with locks.held(folders=[tmp_path], say=told.append):
            order.append("alone")

    with holder("shared", tmp_path) as one:
        thread = threading.Thread(target=alone)
        thread.start()
        assert until(lambda: told)
        assert f"waiting for process {one.pid} (-c) on " in told[0]
        order.append("shared")
        one.kill()
        thread.join(60)
    assert order == ["shared", "alone"]
    told.clear()
    with holder("folders", tmp_path) as one:
        threading.Timer(3 * locks.SOON, one.kill).start()
        with locks.shared(tmp_path, say=told.append) as is_shared:
            assert not is_shared
    assert len(told) == 1


def test_a_moment_in_which_a_folder_is_held_alone_is_not_worth_a_word(tmp_path, monkeypatch):
    monkeypatch.setattr(locks, "SOON", 10.0)
    told = []
    (tmp_path / ".idt.lock").write_bytes(lock_file.HEAD)
    descriptor = os.open(tmp_path / ".idt.lock", os.O_RDWR)
    assert lock_file.take(descriptor)
    threading.Timer(0.1, os.close, [descriptor]).start()
    with locks.shared(tmp_path, say=told.append) as is_shared:
        assert not is_shared
    assert told == []


def test_a_process_that_gives_up_leaves_a_shared_lock_to_the_others(tmp_path):
    with locks.shared(tmp_path):
        code = os.fork()
        if not code:
            # It has the lock, too, as a run of its own would.
            descriptor = os.open(tmp_path / ".idt.lock", os.O_RDWR)
            lock_file.take(descriptor, shared=True)
            locks._held[tmp_path / ".idt.lock"] = [1, descriptor]
            locks.remove_own_locks()
            os._exit(0)
        assert os.waitpid(code, 0)[1] == 0
        assert (tmp_path / ".idt.lock").exists()
    assert os.listdir(tmp_path) == []
