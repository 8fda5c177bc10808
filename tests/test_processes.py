"""Processes that die lose their own task and no other."""

import os
import signal
import subprocess
import sys

import pytest

from idt.workers import processes, worker
from idt.workers.processes import Lost, run
from idt.workers.worker import cause
from tests import kills, perils
from tests.waiting import until


def test_every_task_is_done_once_whatever_the_number_of_processes():
    for jobs in (1, 3):
        assert sorted(run(perils.double, [(i,) for i in range(7)], jobs=jobs)) == [(i, 2 * i) for i in range(7)]
    assert list(run(perils.double, [])) == []


def test_a_death_costs_its_own_task_and_the_rest_goes_on():
    tasks = [(0,), (signal.SIGKILL,), (0,), (signal.SIGSEGV,), (0,)]
    found = dict(run(perils.die, tasks, jobs=2))
    assert [found[i] for i in (0, 2, 4)] == ["alive"] * 3
    assert "killed (SIGKILL)" in found[1].reason
    assert "memory" in found[1].reason
    assert "crashed (SIGSEGV)" in found[3].reason
    assert list(run(perils.leave, [(5,)])) == [(0, Lost("its process ended by itself, with exit status 5"))]


def test_a_process_is_used_again_keeps_to_its_threads_and_leaves_interrupts_to_us(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    first, second = (found for _, found in run(perils.which, [(), ()], threads=3))
    assert first[0] == second[0] != os.getpid()
    assert first[1:] == ("3", True, [entry for entry in sys.path if os.path.isabs(entry)])


def test_what_a_task_tells_arrives_with_its_number():
    told = []
    assert sorted(run(perils.count, [(2,), (3,)], jobs=2, progress=lambda *words: told.append(words))) == [
        (0, 2),
        (1, 3),
    ]
    assert sorted(told) == [(0, 0, 2), (0, 1, 2), (1, 0, 3), (1, 1, 3), (1, 2, 3)]


def test_an_exception_of_a_task_is_ours():
    with pytest.raises(KeyError, match="what"):
        list(run(perils.fail, [("what",)]))


def test_the_process_that_tells_of_an_error_is_closed_with_the_others(monkeypatch):
    closed = []
    monkeypatch.setattr(processes, "close", closed.extend)
    with pytest.raises(KeyError, match="what"):
        list(run(perils.fail, [("what",)], jobs=1))
    assert len(set(map(id, closed))) == 1
    monkeypatch.undo()
    closed[0].close()


def test_a_thread_keeps_its_process_and_gets_another_when_it_died():
    first = processes.call(perils.which)[0]
    assert processes.call(perils.which)[0] == first
    assert isinstance(processes.call(perils.die, signal.SIGABRT), Lost)
    assert processes.call(perils.which)[0] not in (first, os.getpid())


def test_processes_end_with_the_one_that_started_them_and_take_their_part_files_along(tmp_path):
    code = perils.FOUND + (
        "from idt.workers.processes import run\nfrom tests import perils\n"
        f"list(run(perils.wait_writing, [({str(tmp_path / 'f.h5')!r},)]))"
    )
    parent = subprocess.Popen([sys.executable, "-c", code])
    assert until(lambda: list(tmp_path.iterdir()))
    (child,) = kills.children(parent.pid)
    parent.kill()
    parent.wait()
    assert until(lambda: not kills.lives(child))
    assert not list(tmp_path.iterdir())


def test_processes_that_cannot_start_are_given_up(monkeypatch):
    monkeypatch.setattr(worker, "_CHILD", "raise SystemExit(7)")
    with pytest.raises(OSError, match=r"no process can be started.*exit status 7"):
        list(run(perils.double, [(1,)]))


def test_every_end_has_a_line():
    assert "SIGTERM" in cause(-signal.SIGTERM)
    assert "signal 33" in cause(-33)


def test_an_interrupt_while_a_process_starts_is_not_for_it(capfd):
    waiting = worker.Worker()
    waiting.begin(perils.double, (2,))
    os.kill(waiting._process.pid, signal.SIGINT)
    ended = False
    while not ended:
        ended, content = waiting.receive()
    waiting.close()
    assert (content, capfd.readouterr().err) == (4, "")


def test_processes_of_another_number_of_threads_are_not_kept():
    processes.end_idle()
    for threads in (1, 2):
        list(run(perils.which, [()], threads=threads, keep=True))
    assert {threads: len(kept) for threads, kept in processes._kept.items() if kept} == {2: 1}
    processes.end_idle()
