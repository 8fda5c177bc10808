"""Matrix products on one thread each, so that the number of cores never shows in the last bits of a result.

A BLAS library splits one product over its threads in ways that may change its rounding. Whole batches are spread over
threads instead, where that pays, and added up in their own order.
"""

import threading
from contextlib import contextmanager

from threadpoolctl import ThreadpoolController


class _OneThread:
    """Counts who is inside: the first one in sets the limit of the process, the last one out lifts it."""

    def __init__(self):
        self._lock = threading.Lock()
        self._inside = 0
        self._controller = None
        self._limit = None

    def enter(self):
        with self._lock:
            if not self._inside:
                # Looking for the loaded libraries takes 15 ms, so once; numpy's own is there since before this module.
                self._controller = self._controller or ThreadpoolController()
                self._limit = self._controller.limit(limits=1, user_api="blas")
                self._limit.__enter__()
            self._inside += 1

    def leave(self):
        with self._lock:
            self._inside -= 1
            if not self._inside:
                self._limit.__exit__(None, None, None)


_one_thread = _OneThread()


@contextmanager
def one_thread():
    """Within the block numpy's matrix products run on one thread, in every thread of the process; may be nested."""
    _one_thread.enter()
    try:
        yield
    finally:
        _one_thread.leave()
