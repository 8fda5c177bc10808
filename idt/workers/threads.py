"""Threads that share a loop with the thread that runs it: they make its next items and take over parts of its work."""

import functools
import threading
from collections import deque
from contextlib import contextmanager
from typing import Any

from idt.bounds import THREADS

_END = object()


@contextmanager
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
    """Threads beside the caller's own, for one loop at a time.

    Whoever is free does what lies ready, so that neither waits for the other for long, whichever has more to do: a
    helper makes the next item if there is room for it, else a part of the present one. What is done, and in which order
    it is handed out, does not depend on the number of threads.

    Parameters
    ----------
    helpers : int
        Threads; without any the caller does everything itself.
    name : str
        Of each of them.
    """

    def __init__(self, helpers, name="idt-crew"):
        self._changed = threading.Condition()
        self._source: Any = None
        self._parts: deque = deque()
        self._closed = False
        self._helpers = [threading.Thread(target=self._help, name=name, daemon=True) for _ in range(helpers)]

    def __enter__(self):
        for helper in self._helpers:
            helper.start()
        return self

    def __exit__(self, *_):
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        for helper in self._helpers:
            helper.join()

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
        if not self._helpers:
            yield from iterable
            return
        source = _Source(iterable, depth)
        with self._changed:
            self._source = source
            self._changed.notify_all()
        try:
            while True:
                with self._changed:
                    self._changed.wait_for(lambda: source.ready)
                    item, error = source.ready.popleft()
                    source.room += 1
                    self._changed.notify_all()
                if error is not None:
                    raise error
                if item is _END:
                    return
                yield item
        finally:
            with self._changed:
                self._source = None
                self._changed.wait_for(lambda: not source.in_the_making)

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
        if not self._helpers:
            return [function(*task) for task in tasks]
        parts = [_Part(function, task) for task in tasks]
        with self._changed:
            self._parts.extend(parts)
            # The caller begins with the first.
            mine = self._parts.popleft() if parts else None
            self._changed.notify_all()
        while mine is not None:
            mine.do()
            with self._changed:
                mine = self._parts.popleft() if self._parts else None
        with self._changed:
            self._changed.wait_for(lambda: all(part.done for part in parts))
        for part in parts:
            if part.error is not None:
                raise part.error
        return [part.result for part in parts]

    def _help(self):
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or self._wants_an_item() or self._parts)
                if self._closed:
                    return
                work = self._source.begin() if self._wants_an_item() else self._parts.popleft().do
            work()
            # Nothing of a frame is kept while there is nothing to do.
            del work
            with self._changed:
                self._changed.notify_all()

    def _wants_an_item(self):
        return self._source is not None and self._source.wants()


class _Part:
    """A call of a function, and what came of it."""

    def __init__(self, function, arguments):
        self._function, self._arguments = function, arguments
        self.result = self.error = None
        self.done = False

    def do(self):
        """Call the function."""
        try:
            self.result = self._function(*self._arguments)
        except BaseException as raised:  # raised again in the caller's thread
            self.error = raised
        self.done = True


class _Source:
    """An iterator, the items that were made of it, and room for more."""

    def __init__(self, iterable, room):
        self._items = iter(iterable)
        self._ended = False
        self.ready: deque = deque()
        self.room = room
        self.in_the_making = False

    def wants(self):
        """Whether an item should be made now."""
        return self.room > 0 and not self.in_the_making and not self._ended

    def begin(self):
        """Keep others from making the same item, and return what makes it."""
        self.in_the_making = True
        self.room -= 1
        return self._make

    def _make(self):
        try:
            made: tuple = next(self._items, _END), None
        except BaseException as raised:  # raised again in the caller's thread
            made = _END, raised
        self._ended = made[0] is _END
        self.ready.append(made)
        self.in_the_making = False
