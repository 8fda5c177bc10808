"""Whatever ends a command, nothing is left behind: no process, no part file, no temporary folder."""

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import tempfile
import termios
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from benchmarks.clips import write_video
from idt.files import scratch
from idt.workers import processes
from idt.workers.in_order import in_order
from idt.workers.worker import cause
from tests import kills, perils, scenes
from tests.waiting import until

PARENT = """
{found}
import os, sys
from idt.workers.{module} import {call}
from tests import perils
{before}
list({call}(perils.wait_writing, [({place!r} + str(i),) for i in range(2)], jobs=2))
"""
"""A process whose two processes have files half written, forever."""


@pytest.fixture
def parent(tmp_path):
    """Start such a process in a session of its own, ``parent(call)``; it and all of its session are gone at the end."""
    started = []

    def start(module="processes", call="run", before="", **options):
        code = PARENT.format(found=perils.FOUND, module=module, call=call, before=before, place=str(tmp_path / "f"))
        options = {"start_new_session": True, "stderr": subprocess.PIPE, "text": True, **options}
        process = subprocess.Popen([sys.executable, "-c", code], preexec_fn=kills.heed_interrupts, **options)
        started.append(process)
        assert until(lambda: len(list(tmp_path.glob(".f*"))) == 2)
        return process

    yield start
    for process in started:
        for left in kills.of_session(process.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(left, signal.SIGKILL)
        process.wait()
        process.stderr.close()


def gone(process, tmp_path):
    """Whether neither a process of a session lives nor a part file is there, soon."""
    process.wait(60)
    return until(lambda: not kills.of_session(process.pid), 20) and not list(tmp_path.glob(".f*"))


# The parent, ended in every way.


@pytest.mark.parametrize(
    ("module", "call"), [("processes", "run"), ("in_order", "in_order"), ("in_order", "in_order_or_lost")]
)
def test_processes_end_with_a_parent_that_is_killed(parent, tmp_path, module, call):
    process = parent(module, call)
    process.kill()
    assert gone(process, tmp_path)


def test_processes_end_with_a_parent_of_which_a_copy_lives_on(parent, tmp_path):
    # A library may fork; the copy has the other end of the connections open.
    before = "import threading, time\nthreading.Timer(1.0, lambda: os.fork() or time.sleep(60)).start()"
    process = parent(before=before)
    assert until(lambda: len(kills.of_session(process.pid)) == 4)
    process.kill()
    process.wait()
    assert until(lambda: len(kills.of_session(process.pid)) == 1)
    assert not list(tmp_path.glob(".f*"))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_process_that_is_told_to_end_takes_its_file_along_and_its_task_alone_is_lost(parent, tmp_path, number):
    process = parent()
    for child in kills.children(process.pid):
        os.kill(child, number)
    assert gone(process, tmp_path)
    assert process.returncode == 0
    assert f"told to end ({number.name})" in cause(128 + number)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_a_signal_to_the_whole_group_leaves_nothing(parent, tmp_path, number):
    process = parent()
    os.killpg(process.pid, number)
    assert gone(process, tmp_path)


def test_processes_that_are_kept_end_with_the_parent_too():
    code = perils.FOUND + (
        "import time\nfrom idt.workers.in_order import in_order\nfrom tests import perils\n"
        "print(list(in_order(perils.double, [(1,), (2,)], jobs=2)), flush=True)\ntime.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, start_new_session=True) as process:
        assert process.stdout.readline() == b"[2, 4]\n"
        assert len(kills.of_session(process.pid)) == 3
        process.kill()
        process.wait()
        assert until(lambda: not kills.of_session(process.pid), 20)


# A command.


@pytest.fixture(scope="module")
def long_videos(tmp_path_factory):
    """A folder of two videos that take some time."""
    folder = tmp_path_factory.mktemp("long")
    for name in "ab":
        write_video(folder / f"{name}.avi", np.concatenate([scenes.moving_patch(n_frames=40)] * 10))
    return folder


@pytest.fixture
def extraction(long_videos, tmp_path):
    """Start idt-extract in a session of its own, in the middle of both videos; its temporary folder is watched."""
    (tmp_path / "tmp").mkdir()

    @contextlib.contextmanager
    def start(**options):
        words = kills.words_of("idt-extract", long_videos, "-o", f"{tmp_path}/out/", "--jobs", 2, "--quiet")
        options = {
            "env": {**os.environ, "TMPDIR": str(tmp_path / "tmp")}, "cwd": kills.ROOT, "stderr": subprocess.PIPE,
            "start_new_session": True, "preexec_fn": kills.heed_interrupts, **options,
        }  # fmt: skip
        with subprocess.Popen(words, text=True, **options) as process:
            assert until(lambda: len(list((tmp_path / "out").glob(".*.part"))) == 2)
            yield process
            process.wait(60)
            assert until(lambda: not kills.of_session(process.pid), 20)
        assert not [path for path in (tmp_path / "out").glob("*") if path.suffix != ".json"]
        assert not os.listdir(tmp_path / "tmp")

    return start


@pytest.mark.parametrize(
    ("numbers", "group", "status", "said"),
    [
        ((signal.SIGTERM,), False, 143, "ended by SIGTERM"),
        ((signal.SIGHUP,), True, 129, "ended by SIGHUP"),
        ((signal.SIGINT, signal.SIGINT), True, 130, None),
        ((signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGTERM), False, None, None),
    ],
)
def test_a_command_that_is_told_to_end_leaves_nothing(extraction, numbers, group, status, said):
    with extraction() as process:
        for number in numbers:
            with contextlib.suppress(ProcessLookupError):
                (os.killpg if group else os.kill)(process.pid, number)
            time.sleep(0.01)
        err = process.communicate(timeout=60)[1]
    # Signals that arrive at once are handled in the order of their numbers.
    assert process.returncode in ({128 + number for number in numbers} if status is None else {status})
    assert "Traceback" not in err
    if said:
        assert err == f"idt-extract: {said}; nothing incomplete was left under a final name\n"


def test_a_closed_terminal_ends_a_command_and_nothing_is_left(extraction):
    here, there = os.openpty()

    def controlled():
        kills.heed_interrupts()
        fcntl.ioctl(there, termios.TIOCSCTTY, 0)

    with extraction(preexec_fn=controlled, stdin=there, stdout=there, stderr=there) as process:
        os.close(there)
        os.close(here)
        assert process.wait(60) == 128 + signal.SIGHUP


def test_a_command_under_nohup_goes_on_when_its_terminal_is_closed(long_videos, tmp_path):
    def nohup():
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    words = kills.words_of("idt-extract", long_videos, "-o", f"{tmp_path}/out/", "--jobs", 2, "--quiet", "--end", 30)
    with subprocess.Popen(words, cwd=kills.ROOT, start_new_session=True, preexec_fn=nohup) as process:
        assert until(lambda: list((tmp_path / "out").glob(".*.part")))
        os.killpg(process.pid, signal.SIGHUP)
        assert process.wait(60) == 0
    assert len(list((tmp_path / "out").glob("*.h5"))) == 2


def test_a_signal_that_a_library_swallows_is_still_the_reason_that_is_given(tmp_path):
    # As when HDF5 meets the exception in a call back, and says that it cannot write.
    code = (
        "import os, signal, sys\nfrom idt.command import command\n"
        "def main(words):\n"
        "    try:\n        os.kill(os.getpid(), signal.SIGTERM)\n"
        "    except BaseException:\n        raise OSError('cannot write') from None\n"
        "sys.argv[0] = 'x'\nsys.exit(command(main)())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.count("\n")) == (143, 1)
    assert "ended by SIGTERM" in done.stderr


# Temporary folders.


def test_what_a_killed_run_left_the_next_one_removes_and_nothing_else(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    code = (
        f"import tempfile, time\ntempfile.tempdir = {str(tmp_path)!r}\nfrom idt.files import scratch\n"
        "with scratch.folder() as folder:\n"
        "    open(folder + '/big', 'w').close()\n    print(folder, flush=True)\n    time.sleep(60)"
    )
    with (
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as dead,
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as living,
    ):
        left, kept = (Path(process.stdout.readline().strip()) for process in (dead, living))
        dead.kill()
        dead.wait()
        strange = tmp_path / "svm-predict-of-a-user"
        strange.mkdir()
        (tmp_path / f"{scratch.PREFIX}link").symlink_to(strange)
        (tmp_path / f"{scratch.PREFIX}file").write_text("")
        with scratch.folder() as mine, scratch.folder() as second:
            assert not left.exists()
            assert kept.is_dir()
            assert Path(mine).is_dir()
            assert Path(second).stat().st_mode & 0o077 == 0
        assert not os.path.exists(mine)
        assert strange.is_dir()
        living.kill()
    scratch.sweep()
    assert not kept.exists()


def test_a_second_signal_while_a_folder_is_removed_finishes_that(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    remove = scratch.shutil.rmtree

    def interrupted(path, **options):
        monkeypatch.setattr(scratch.shutil, "rmtree", remove)
        # What the second signal's handler calls before it ends the process.
        scratch.remove_own_folders()
        raise SystemExit

    monkeypatch.setattr(scratch.shutil, "rmtree", interrupted)
    with pytest.raises(SystemExit), scratch.folder() as folder:
        pass
    assert not os.path.exists(folder)


def test_a_signal_that_interrupts_the_removal_of_a_folder_leaves_none(tmp_path):
    code = (
        "import os, shutil, signal, sys, tempfile\n"
        f"tempfile.tempdir = {str(tmp_path)!r}\n"
        "from idt.command import command\nfrom idt.files import scratch\n"
        "remove = shutil.rmtree\n"
        "def interrupted(path, **options):\n"
        "    scratch.shutil.rmtree = remove\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
        "@command\ndef work(arguments):\n"
        "    scratch.shutil.rmtree = interrupted\n"
        "    with scratch.folder() as folder:\n        open(folder + '/big', 'w').close()\n    return 0\n"
        "sys.exit(work())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 128 + signal.SIGTERM, done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_signal_while_a_folder_is_made_leaves_none(tmp_path, monkeypatch):
    def interrupted(path):
        raise KeyboardInterrupt

    monkeypatch.setattr(scratch, "_open_folder", interrupted)
    with pytest.raises(KeyboardInterrupt), scratch.folder(tmp_path):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_swept_while_it_is_made_is_made_again(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    opened, swept = scratch._open_folder, []

    def sweep_first(path):
        descriptor = opened(path)
        if not swept:
            swept.append(path)
            scratch.sweep()
        return descriptor

    with monkeypatch.context() as patch:
        patch.setattr(scratch, "_open_folder", lambda path: sweep_first(path) if not swept else opened(path))
        with scratch.folder() as folder:
            assert os.path.isdir(folder)
    assert not os.listdir(tmp_path)


def test_only_the_folders_of_scratch_are_temporary():
    for room in ("idt", "encoding", "classify"):
        for path in (kills.ROOT / room).rglob("*.py"):
            if path.name not in ("scratch.py", "cache.py"):
                text = path.read_text()
                assert not any(word in text for word in ("TemporaryDirectory", "mkdtemp", "NamedTemporary")), path


# Processes among themselves.


def test_an_answer_that_comes_too_late_is_not_that_of_the_next_call(monkeypatch):
    class Impatient(Exception):
        pass

    first = processes.call(perils.which)[0]
    receive = processes.Worker.receive
    monkeypatch.setattr(processes.Worker, "receive", lambda self: (_ for _ in ()).throw(Impatient()))
    with pytest.raises(Impatient):
        processes.call(perils.double, 2)
    monkeypatch.setattr(processes.Worker, "receive", receive)
    assert processes.call(perils.which)[0] != first


def test_a_kept_process_that_died_meanwhile_costs_no_task():
    before = set(in_order(os.getpid, [()] * 4, jobs=2))
    for process in before:
        os.kill(process, signal.SIGKILL)
    assert list(in_order(perils.double, [(1,), (2,)], jobs=2)) == [2, 4]
    assert not before & set(in_order(os.getpid, [()] * 4, jobs=2))
    processes.end_idle()


def test_a_copy_of_this_process_does_not_use_its_processes():
    kept = set(in_order(os.getpid, [()] * 4, jobs=2))
    code = os.fork()
    if not code:
        # A process that pytest knows nothing of.
        found = {process for _, process in processes.run(os.getpid, [(), ()], jobs=2, keep=True)}
        os._exit(bool(found & kept))
    assert os.waitpid(code, 0)[1] == 0
    assert set(in_order(os.getpid, [()] * 4, jobs=2)) <= kept
    processes.end_idle()


def test_results_and_exceptions_that_cannot_be_sent_are_exceptions_of_ours():
    with pytest.raises(TypeError, match="cannot pickle"):
        list(in_order(perils.unsendable, [(0,), (0,)], jobs=2))
    for kind in (1, 2):
        with pytest.raises(RuntimeError, match="Stubborn: no"):
            list(in_order(perils.unsendable, [(kind,), (kind,)], jobs=2))
    processes.end_idle()


def test_the_first_problem_is_that_of_the_first_task():
    for _ in range(3):
        with pytest.raises(KeyError, match="first"):
            list(in_order(perils.fail_later, [("first", 0.05), ("second", 0.0)], jobs=2))
    processes.end_idle()


def test_arrays_arrive_as_they_were_and_can_be_written_to():
    big = np.arange(300_000, dtype=np.float32).reshape(500, 600)
    cases = [big, big[:, ::2], big.T, np.zeros((0, 3)), np.array("x"), np.asfortranarray(big)]
    for sent, found in zip(cases, in_order(perils.same, [(case,) for case in cases], jobs=2), strict=True):
        np.testing.assert_array_equal(sent, found)
        assert found.dtype == sent.dtype
        assert found.flags.writeable
    processes.end_idle()


def test_threads_of_one_process_do_not_disturb_each_other():
    found = {}

    def work(i):
        found[i] = list(in_order(perils.double, [(i,), (i + 1,)], jobs=2))

    threads = [threading.Thread(target=work, args=(i,)) for i in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {i: [2 * i, 2 * i + 2] for i in range(3)}
    processes.end_idle()
