"""Run tasks on a Dask cluster whose machines see the same files under the same paths.

Tasks are submitted in their order and a few at a time, so that memory does not grow with the data set. Dask repeats the
tasks of a lost worker elsewhere; a task whose worker is lost four times (Dask's ``allowed-failures``) ends as `Lost`.
Dask is called directly, because joblib's Dask backend waits forever for such a task.
"""

import contextlib
import os
from typing import Any

from idt.errors import DataError
from idt.workers.processes import Lost

PATIENCE = 60
"""Seconds to wait for the scheduler, and for its first worker."""

AHEAD = 3
"""Tasks that are submitted for each thread of the workers: one runs, the others are in the queue."""

_client: Any = None


@contextlib.contextmanager
def connected(scheduler):
    """Send tasks to a cluster within a block.

    Parameters
    ----------
    scheduler : str or None
        Address such as ``"tcp://10.0.0.5:8786"``; with None the work stays on this machine.

    Raises
    ------
    DataError
        If Dask is not installed, no scheduler answers, or it has no worker.
    """
    global _client  # all code within the block uses one cluster
    if scheduler is None:
        yield
        return
    try:
        from distributed import Client
    except ImportError:
        raise DataError("a cluster needs Dask; install improved-dense-trajectories[cluster]") from None
    try:
        client = Client(scheduler, timeout=PATIENCE, set_as_default=False)
    except (OSError, ValueError) as problem:
        raise DataError(f"no Dask scheduler answers at {scheduler}: {' '.join(str(problem).split())}") from None
    with client:
        try:
            client.wait_for_workers(1, timeout=PATIENCE)
        except TimeoutError:
            raise DataError(f"the Dask scheduler at {scheduler} has no worker after {PATIENCE} s; start one") from None
        _client = client
        try:
            yield
        finally:
            _client = None


def is_connected():
    """Tell whether tasks are sent to a cluster."""
    return _client is not None


def run(function, tasks):
    """Call ``function(*task)`` for every task on the cluster.

    Parameters
    ----------
    function : callable
        Importable by its module's name on the workers.
    tasks : iterable of tuple

    Yields
    ------
    index : int
        Index of the task; tasks come in the order in which they end.
    result : object
        The return value of the function, or `idt.workers.processes.Lost`.

    Raises
    ------
    Exception
        The exception of the function.
    """
    from distributed import KilledWorker, as_completed

    left = enumerate(tasks)
    indices = {}
    ended = as_completed(loop=_client.loop)

    def submit(count):
        for index, task in [task for _, task in zip(range(count), left, strict=False)]:
            future = _client.submit(function, *task, pure=False)
            indices[future] = index
            ended.add(future)

    try:
        submit(AHEAD * max(1, sum(_client.ncores().values())))
        for future in ended:
            index = indices.pop(future)
            try:
                result = future.result()
            except KilledWorker:
                result = Lost("the worker that had it was lost each time that it was tried")
            future.release()
            # The cluster may have grown.
            submit(max(1, AHEAD * sum(_client.ncores().values()) - len(indices)))
            yield index, result
    finally:
        _client.cancel(list(indices))


def absolute(path):
    """Return ``path`` as an absolute path; None and the index of a camera are returned unchanged."""
    return path if path is None or (str(path).isdecimal() and not os.path.exists(path)) else os.path.abspath(path)
