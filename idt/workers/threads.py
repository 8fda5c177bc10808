"""Threads that share a loop with the thread that runs it: they make its next items and take over parts of its work."""

import contextlib
import functools
import queue
import threading
from collections import deque
from concurrent.futures import ThreadPoolExecutor, wait
from typing import Any

from idt.params.bounds import THREADS

_END = object()


@contextlib.contextmanager
def shared_loop(threads, depth):
    """Share a loop between the caller's thread and others.

    Parameters
    ----------
    threads : int
        With the caller's own.
    depth : int
        Items that are made before they are asked for, at most.

    Yields
    ------
    read_ahead : callable
        Gives what an iterable yields, made ahead of its use: `Crew.ahead`.
    map_parts : callable
        The built-in ``map``, with parts taken over by threads that are free: `Crew.map`.

    Raises
    ------
    DataError
        If ``threads`` is no whole number from 1 to 1024.
    """
    with Crew(THREADS.check("threads", threads) - 1) as crew:
        yield functools.partial(crew.ahead, depth=depth), crew.map


class Crew:
    """Threads beside the caller's own, for one loop at a time: Python's `ThreadPoolExecutor`, and the caller helps it.

    A free thread makes the next item if there is room for it, or takes over a part of the present one. What is done,
    and in which order it is handed out, does not depend on the number of threads.

    Parameters
    ----------
    helpers : int
        Threads; without any the caller does everything itself.
    name : str
        Of each of them.
    """

    def __init__(self, helpers, name="idt-crew"):
        self._helpers = helpers
        self._pool = ThreadPoolExecutor(helpers, thread_name_prefix=name) if helpers else None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)

    def ahead(self, iterable, depth):
        """Yield what ``iterable`` yields, made ahead of its use.

        Parameters
        ----------
        iterable : iterable
            Asked for an item by one thread at a time.
        depth : int
            Items that are made before they are asked for, at most.

        Yields
        ------
        object
            The items in their order; what ``iterable`` raises is raised at its place.
        """
        if self._pool is None:
            yield from iterable
            return
        source = _Source(iterable, depth, self._pool)
        try:
            while True:
                item, error = source.take()
                if error is not None:
                    raise error
                if item is _END:
                    return
                yield item
                # Nothing of a frame is kept while the next one is waited for.
                del item
        finally:
            source.close()

    def map(self, function, *iterables):
        """Apply a function to items that do not depend on each other; the first should be the largest.

        Parameters
        ----------
        function : callable
        *iterables
            Of its arguments, as for the built-in ``map``.

        Returns
        -------
        list
            The results, in the order of the items. What ``function`` raises is raised when all that were begun are
            done, the first if it is several.
        """
        tasks = list(zip(*iterables, strict=False))
        if self._pool is None or len(tasks) < 2:
            return [function(*task) for task in tasks]
        parts = _Parts(function, tasks)
        futures = [self._pool.submit(parts.work) for _ in range(min(self._helpers, len(tasks) - 1))]
        parts.work()
        wait([future for future in futures if not future.cancel()])
        return parts.take()


class _Parts:
    """Calls of one function that several threads take from one list."""

    def __init__(self, function, tasks):
        self._function = function
        self._left = deque(enumerate(tasks))
        self._results = [None] * len(tasks)
        self._errors: list[tuple[int, BaseException]] = []

    def work(self):
        """Call the function until nothing is left."""
        while self._left:
            with contextlib.suppress(IndexError):
                # Another thread may have taken the last one.
                number, task = self._left.popleft()
                self._call(number, task)

    def take(self):
        """Return the results or raise the first error; keep neither, for the pool may still hold this object."""
        results, errors = self._results, self._errors
        del self._function, self._results, self._errors
        if errors:
            raise min(errors, key=lambda found: found[0])[1]
        return results

    def _call(self, number, task):
        try:
            self._results[number] = self._function(*task)
        except BaseException as raised:  # raised again in the caller's thread
            self._errors.append((number, raised))


class _Source:
    """An iterator whose items a pool makes, one at a time, while there is room for them."""

    def __init__(self, iterable, room, pool):
        self._items = iter(iterable)
        self._room = room
        self._pool = pool
        self._lock = threading.Lock()
        self._ready: queue.SimpleQueue = queue.SimpleQueue()
        self._making: Any = None
        self._ended = False
        with self._lock:
            self._begin()

    def take(self):
        """Wait for the next item: it and None, or `_END` and perhaps an error."""
        made = self._ready.get()
        with self._lock:
            self._room += 1
            self._begin()
        return made

    def close(self):
        """Make no further item, and wait for the one in the making."""
        with self._lock:
            self._ended, making = True, self._making
        if making is not None and not making.cancel():
            wait([making])

    def _begin(self):
        """Let the pool make an item, if there is room and none is in the making."""
        if self._room and not self._ended and self._making is None:
            self._room -= 1
            self._making = self._pool.submit(self._make)

    def _make(self):
        try:
            made: tuple = next(self._items, _END), None
        except BaseException as raised:  # raised again in the caller's thread
            made = _END, raised
        with self._lock:
            self._making = None
            self._ended |= made[0] is _END
            self._ready.put(made)
            self._begin()
