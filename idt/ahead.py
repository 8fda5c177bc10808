"""Running an iterator ahead of its consumer, in a thread of its own."""

import queue
import threading

_END = object()


def ahead(iterable, depth):
    """Yield what ``iterable`` yields, computed ahead of its use in another thread.

    Parameters
    ----------
    iterable : iterable
    depth : int
        Items kept ready while the next one is in the making; 0 runs in the caller's own thread.

    Yields
    ------
    object
        The items in their order; what ``iterable`` raises is raised at its place.
    """
    if depth == 0:
        yield from iterable
        return
    items: queue.Queue = queue.Queue(depth)
    stopped = threading.Event()

    def put(item, error=None):
        while not stopped.is_set():
            try:
                items.put((item, error), timeout=0.1)
                return
            except queue.Full:
                continue

    def run():
        try:
            for item in iterable:
                put(item)
                if stopped.is_set():
                    return
            put(_END)
        except BaseException as error:  # raised again at the consumer's side
            put(_END, error)

    thread = threading.Thread(target=run, name="idt-ahead", daemon=True)
    thread.start()
    try:
        while True:
            item, error = items.get()
            if error is not None:
                raise error
            if item is _END:
                return
            yield item
    finally:
        stopped.set()
        thread.join()
