"""Many videos at once, their results in order."""


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

    yield from Parallel(n_jobs=jobs, return_as="generator")(delayed(function)(*task) for task in tasks)
