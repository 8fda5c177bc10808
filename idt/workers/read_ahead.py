"""Read-ahead and write-behind, each in a thread of its own."""

import contextlib

from idt.workers.threads import WorkStealingPool


def read_ahead(iterable, depth):
    """Yield the items of ``iterable``, computed ahead of their use in another thread.

    Parameters
    ----------
    iterable : iterable
    depth : int
        Items that are kept ready while the next one is computed; with 0 the caller's own thread computes them.

    Yields
    ------
    object
        The items in order; an exception of ``iterable`` is raised in its place.
    """
    with WorkStealingPool(min(depth, 1), "idt-ahead") as pool:
        yield from pool.ahead(iterable, depth + 1)


@contextlib.contextmanager
def write_behind(function, threaded=True):
    """Call a function for each item in another thread, while the caller makes the next item.

    Parameters
    ----------
    function : callable
        Takes an item; its result is dropped. It is called for one item after the other, in their order.
    threaded : bool
        False calls it in the caller's own thread.

    Yields
    ------
    callable
        Takes an item, waits until the item before is done, and returns. An exception of ``function`` is raised by the
        next call; no item may follow. The end of the block waits for the last item and raises its exception.
    """
    if not threaded:
        yield function
        return
    from concurrent.futures import ThreadPoolExecutor

    under_way = None

    def hand_over(item):
        nonlocal under_way
        if under_way is not None:
            under_way.result()
        under_way = pool.submit(function, item)

    with ThreadPoolExecutor(1, thread_name_prefix="idt-behind") as pool:
        yield hand_over
        if under_way is not None:
            under_way.result()
