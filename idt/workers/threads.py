"""Work-stealing thread pool for a loop: threads prepare its next items and take over parts of the present one."""

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress
from functools import partial

from idt.params.bounds import THREADS

_END = object()


@contextmanager
def thread_pool(threads, depth):
    """Make a work-stealing pool for one loop of the caller.

    Parameters
    ----------
    threads : int
        Number of threads, with the caller's own.
    depth : int
        Items that are made before they are asked for, at most.

    Yields
    ------
    read_ahead : callable
        Yields the items of an iterable, computed ahead of their use: `WorkStealingPool.ahead`.
    map_parts : callable
        Works like ``map``; idle threads take over items: `WorkStealingPool.map`.

    Raises
    ------
    DataError
        If ``threads`` is no whole number from 1 to 1024.
    """
    with WorkStealingPool(THREADS.check("threads", threads) - 1) as pool:
        yield partial(pool.ahead, depth=depth), pool.map


class WorkStealingPool:
    """Threads beside the caller's own, for one loop at a time.

    A work-stealing pool: an idle thread prepares the next item if there is room for it, or takes over a part of the
    present one. The results and their order do not depend on the number of threads.

    Parameters
    ----------
    helpers : int
        Number of threads; without any the caller does everything itself.
    name : str
        Prefix of the names of the threads.
    """

    def __init__(self, helpers, name="idt-crew"):
        self._helpers = helpers
        self._pool = ThreadPoolExecutor(max(helpers, 1), name)  # starts a thread with the first task

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._pool.shutdown(cancel_futures=True)

    def ahead(self, iterable, depth):
        """Yield the items of ``iterable``, computed ahead of their use.

        Parameters
        ----------
        iterable : iterable
            Asked for an item by one thread at a time.
        depth : int
            Items that are made before they are asked for, at most.

        Yields
        ------
        object
            The items in order; an exception of ``iterable`` is raised in its place.
        """
        if not self._helpers:
            yield from iterable
            return
        items, ahead = iter(iterable), deque[Future]()

        def make(before):
            # Nothing is asked for after the end or an error.
            return _END if before is not None and before.result() is _END else next(items, _END)

        def begin():
            ahead.append(self._pool.submit(make, ahead[-1] if ahead else None))

        try:
            for _ in range(depth):
                begin()
            while (item := ahead.popleft().result()) is not _END:
                begin()
                yield item
        finally:
            _cancel_or_wait(reversed(ahead))

    def map(self, function, *iterables):
        """Apply a function to independent items; the largest item should come first.

        Parameters
        ----------
        function : callable
        *iterables
            Iterables of its arguments, as for the built-in ``map``.

        Returns
        -------
        list
            The results, in the order of the items. If ``function`` raises exceptions, that of the first item is raised
            when all items are done.
        """
        left = deque(enumerate(zip(*iterables, strict=False)))
        results, raised = [None] * len(left), {}

        def work():
            # The pool may be late: another thread has taken the last item.
            with suppress(IndexError):
                while True:
                    index, arguments = left.popleft()
                    try:
                        results[index] = function(*arguments)
                    except BaseException as error:  # raised again in the caller's thread
                        raised[index] = error

        helping = [self._pool.submit(work) for _ in range(min(self._helpers, len(left) - 1))]
        work()
        _cancel_or_wait(helping)
        if raised:
            raise raised[min(raised)]
        return results


def _cancel_or_wait(begun):
    """Wait for the running calls, and cancel the others."""
    wait([task for task in begun if not task.cancel()])
