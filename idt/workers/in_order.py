"""Run many tasks at once, and return their results in order."""

import contextlib
import os
from typing import NamedTuple

from idt.workers import cluster, processes
from idt.workers.channel import sendable

KILLED = (
    "a process was killed in the middle of its work, as the system does when memory runs out; use fewer --jobs; run"
    " again, and it goes on from what is complete"
)


class _Raised(NamedTuple):
    """Exception of a task, sent as its result.

    If several tasks raise, `in_order` raises the exception of the first of them in order, not of the first to fail.
    """

    problem: Exception


def in_order(function, tasks, jobs=1):
    """Yield ``function(*task)`` for every task in order, computed by ``jobs`` processes or a cluster.

    Parameters
    ----------
    function : callable
    tasks : iterable of tuple
        Consumed as the work goes on.
    jobs : int
        Number of processes; ignored if a cluster is connected (`idt.workers.cluster`).

    Yields
    ------
    object

    Raises
    ------
    OSError
        If a task is lost with the process or the machine that had it.
    Exception
        The exception of the first task that raises one.
    """
    if cluster.is_connected():
        for result in in_order_or_lost(function, tasks):
            if isinstance(result, processes.Lost):
                raise OSError(f"the work cannot go on: {result.reason}")
            yield result
        return
    if jobs == 1:
        yield from (function(*task) for task in tasks)
        return
    folder = os.getcwd()
    calls = ((folder, function, task) for task in tasks)
    for result in sorted_again(processes.run(_attempt_in_folder, calls, jobs=jobs, keep=True)):
        if isinstance(result, processes.Lost):
            raise OSError(KILLED)
        if isinstance(result, _Raised):
            raise result.problem
        yield result


def in_order_or_lost(function, tasks, jobs=1):
    """Yield ``function(*task)`` for every task in order, or `processes.Lost` if its process died.

    Parameters
    ----------
    function, tasks, jobs
        As for `in_order`, but this function starts new processes in each call.

    Yields
    ------
    object
    """
    folder = os.getcwd()
    calls = ((folder, function, task) for task in tasks)
    run = cluster.run(_in_folder, calls) if cluster.is_connected() else processes.run(_in_folder, calls, jobs=jobs)
    yield from sorted_again(run)


def sorted_again(ended):
    """Yield results in the order of their tasks.

    Parameters
    ----------
    ended : iterable of (int, object)
        Index and result of every task, in any order.

    Yields
    ------
    object
    """
    waiting, wanted = {}, 0
    for index, result in ended:
        waiting[index] = result
        while wanted in waiting:
            yield waiting.pop(wanted)
            wanted += 1


def _in_folder(folder, function, task):
    """Call a function with the caller's current folder, so that relative paths stay valid."""
    # On another machine there may be no such folder; absolute paths do without it.
    with contextlib.suppress(OSError):
        os.chdir(folder)
    return function(*task)


def _attempt_in_folder(folder, function, task):
    """Call a function as `_in_folder`, but return its exception."""
    try:
        return _in_folder(folder, function, task)
    except Exception as problem:  # raised again in the caller's process
        return _Raised(sendable(problem))
