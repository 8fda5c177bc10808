"""Threads that share a loop with the thread that runs it: they make its next items and take over parts of its work."""

import queue
import threading
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any

_END = object()


class Crew:
    """Threads beside the caller's own, for one loop at a time.

    Whoever is free does what lies ready, so that neither waits for the other for long, whichever has more to do. What
    is done, and in which order it is handed out, does not depend on the number of threads.

    Parameters
    ----------
    helpers : int
        Threads; without any the caller does everything itself.
    """

    def __init__(self, helpers):
        self._pool = ThreadPoolExecutor(helpers, "idt-crew") if helpers else None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self._pool is not None:
            self._pool.shutdown()

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
        source, ready, lock, room = iter(iterable), queue.SimpleQueue[Any](), threading.Lock(), depth
        stopped = False

        def make():
            nonlocal room
            while True:
                try:
                    item, error = next(source, _END), None
                except BaseException as raised:  # raised again at the consumer's side
                    item, error = _END, raised
                ready.put((item, error))
                with lock:
                    room -= 1
                    # Done with it before anyone can see that there is room again.
                    if item is _END or stopped or room == 0:
                        making.clear()
                        return

        making = threading.Event()
        making.set()
        job: Future = self._pool.submit(make)
        try:
            while True:
                item, error = ready.get()
                if error is not None:
                    raise error
                if item is _END:
                    return
                with lock:
                    room += 1
                    idle = not making.is_set()
                    making.set()
                if idle:
                    job = self._pool.submit(make)
                yield item
        finally:
            stopped = True
            if not job.cancel():
                wait([job])

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
            The results, in the order of the items. What ``function`` raises for one is raised when no other is worked
            on any more.
        """
        tasks = list(zip(*iterables, strict=False))
        if self._pool is None:
            return [function(*task) for task in tasks]
        # The caller works from the front; what it comes to that no helper has begun it takes back.
        jobs = [self._pool.submit(function, *task) for task in tasks[1:]]
        try:
            results = [function(*task) for task in tasks[:1]]
            own = {k: function(*tasks[k + 1]) for k, job in enumerate(jobs) if job.cancel()}
        finally:
            wait(job for job in jobs if not job.cancel())
        return results + [own[k] if k in own else job.result() for k, job in enumerate(jobs)]
