"""Many videos at once, their results in order."""

import contextlib
import os


def in_order(function, tasks, jobs=1):
    """Yield ``function(*task)`` for every task in order, computed by that many processes.

    Parameters
    ----------
    function : callable
    tasks : iterable of tuple
        Consumed as the work goes on.
    jobs : int

    Yields
    ------
    object
    """
    if jobs == 1:
        yield from (function(*task) for task in tasks)
        return
    from joblib import Parallel, delayed

    folder = os.getcwd()
    calls = (delayed(_in_folder)(folder, function, task) for task in tasks)
    yield from Parallel(n_jobs=jobs, return_as="generator")(calls)


def _in_folder(folder, function, task):
    """Call where relative paths mean what the caller means: joblib's processes stay where an earlier call began."""
    # On another machine there may be no such folder; absolute paths do without it.
    with contextlib.suppress(OSError):
        os.chdir(folder)
    return function(*task)
