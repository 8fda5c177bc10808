"""Limit BLAS and the OpenMP loops of libraries to one thread, so that no result depends on the number of cores."""

import functools
import sys
import threading
from contextlib import contextmanager

from threadpoolctl import ThreadpoolController

_lock = threading.RLock()


@functools.lru_cache(maxsize=1)
def _controller_after(n_modules):
    """Return a controller of the loaded libraries, cached until the number of imported modules changes."""
    return ThreadpoolController()


def _controller():
    """Return a controller of all libraries that are loaded now; each import may have loaded another."""
    return _controller_after(len(sys.modules))


@contextmanager
def one_blas_thread():
    """Limit BLAS and LAPACK to one thread within the block.

    The limit holds for the whole process, so only one block runs at a time.
    """
    with _lock, _controller().limit(limits=1, user_api="blas"):
        yield


def one_openmp_thread():
    """Limit OpenMP, which runs the loops of scikit-learn, to one thread within the block.

    The limit holds for loops that the calling thread starts.
    """
    # The libraries are looked up each time, because one may also be loaded without an import, as by ctypes.
    return ThreadpoolController().limit(limits=1, user_api="openmp")


def product(left, right):
    """Return the matrix product of ``left`` and ``right``, computed by BLAS in one thread."""
    with one_blas_thread():
        return left @ right
