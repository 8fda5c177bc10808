"""Process pool whose processes may die: a death costs the task of that process and nothing else.

A crash of the decoder or a lack of memory ends a process. The pools of joblib and Python then give up all running
tasks, because they cannot tell which process had which task; here every process has one task at a time
(`idt.workers.worker`). A process ends with its parent, however that ended, and removes the file that it was writing.
"""

import contextlib
import os
import threading
from multiprocessing.connection import wait
from typing import Any

from idt.workers.worker import Lost as Lost
from idt.workers.worker import Worker, close

_own = threading.local()
_kept: dict[int, list[Worker]] = {}


def run(function, tasks, *, jobs=1, threads=1, progress=None, keep=False):
    """Call ``function(*task)`` for every task in ``jobs`` processes.

    Parameters
    ----------
    function : callable
        Importable by its module's name.
    tasks : iterable of tuple
        Tasks are started in this order; the iterable is consumed during the work.
    jobs : int
        Number of processes.
    threads : int
        Number of threads that each process should use.
    progress : callable, optional
        If given, ``function`` gets a keyword argument ``progress`` as well. Each time that ``function`` calls it, this
        callable is called in the parent, with the index of the task before the same arguments.
    keep : bool
        Keep the processes for the next call that asks for it, until `end_idle`, or until they have been idle for
        `idt.workers.serve.IDLE` seconds.

    Yields
    ------
    index : int
        Index of the task; tasks come in the order in which they end.
    result : object
        The return value of the function, or `Lost`.

    Raises
    ------
    Exception
        The exception of the function.
    OSError
        If no process can be started.
    """
    left = enumerate(tasks)
    kept = _kept.setdefault(threads, []) if keep else []
    if keep:
        # Idle processes with another number of threads would only take memory.
        _end(number for number in list(_kept) if number != threads)
    idle = _workers(kept, threads, jobs)
    busy: dict[Any, tuple[int, Worker]] = {}
    try:
        while True:
            while idle and (task := next(left, None)) is not None:
                worker = idle.pop()
                worker.begin(function, task[1], with_progress=progress is not None)
                busy[worker.connection] = task[0], worker
            if not busy:
                return
            ready = wait(list(busy), _least(worker.time_left() for _, worker in busy.values()))
            late = [channel for channel, (_, worker) in busy.items() if worker.is_late() and channel not in ready]
            for channel in [*ready, *late]:
                # If the worker reports an error, `receive` raises it. `busy` still holds the worker, closed below.
                index, worker = busy[channel]
                ended, content = worker.receive() if channel in ready else (True, worker.give_up())
                del busy[channel]
                if ended:
                    idle.append(worker)
                    yield index, content
                    continue
                # A process that died before it began has been restarted.
                busy[worker.connection] = index, worker
                if content is not None and progress is not None:
                    progress(index, *content)
    finally:
        reusable = [worker for worker in idle if keep and worker.runs]
        rest = [worker for worker in [*idle, *(worker for _, worker in busy.values())] if worker not in reusable]
        # From here on another thread may have them.
        kept.extend(reusable)
        close(rest)


def call(function, *arguments):
    """Call ``function`` with ``arguments`` in a process that this thread owns; return its result, or `Lost`."""
    if not hasattr(_own, "worker"):
        _own.worker = Worker()
    worker = _own.worker
    ended = False
    try:
        worker.begin(function, arguments)
        while not ended:
            if wait([worker.connection], _least([worker.time_left()])):
                ended, content = worker.receive()
            else:
                ended, content = True, worker.give_up()
    except BaseException:
        # A late answer must not be taken for the answer to the next call.
        worker.close()
        raise
    return content


def _least(times):
    """Return the least of the known times, at least 0; None if none is known."""
    return min((max(0.0, time) for time in times if time is not None), default=None)


def end_idle():
    """End the idle processes that `run` keeps for reuse."""
    _end(list(_kept))


def _end(thread_numbers):
    """End the idle processes that have these numbers of threads."""
    ended: list[Worker] = []
    for threads in thread_numbers:
        # One by one, because another thread may take some, too.
        with contextlib.suppress(IndexError):
            while True:
                ended.append(_kept[threads].pop())
    close(ended)


def _workers(kept, threads, jobs):
    """Return ``jobs`` workers; kept ones come last, so that they get the first tasks."""
    found: list[Worker] = []
    while len(found) < jobs:
        # One by one, because another thread may take some, too.
        try:
            found.insert(0, kept.pop())
        except IndexError:
            return [Worker(threads) for _ in range(jobs - len(found))] + found
    return found


def _forget():
    """Drop the processes in a forked child, because they belong to its parent."""
    _kept.clear()
    _own.__dict__.clear()


os.register_at_fork(after_in_child=_forget)
