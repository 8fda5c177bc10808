"""Decorators that compile kernels and the functions that they inline."""

import contextlib
import os
from typing import Any

from numba import njit
from numba.extending import register_jitable

from idt.jit.cache import KernelFiles, keep_in_own_files

SIGNATURES: dict[Any, tuple] = {}
"""Types of the arguments of each kernel that has a signature, in the modules imported so far."""

_STORES: dict[Any, KernelFiles] = {}


def inner(**options):
    """Decorate a function that only kernels call; its code is compiled into theirs.

    It divides as NumPy does. ``options`` are further options of numba.
    """
    return register_jitable(error_model="numpy", **options)


def kernel(signature=None, **options):
    """Decorate a kernel that Python calls: it releases the GIL, divides as NumPy does, and is cached.

    ``signature`` has the types of its arguments, so that it can be compiled before its first call
    (`idt.batch.precompile`). A kernel without one is compiled at its first call, from Python or from another kernel.
    ``options`` are further options of numba.
    """

    def decorate(function):
        dispatcher = _cached_dispatcher(function, {"nogil": True, "error_model": "numpy", **options})
        if signature is not None:
            SIGNATURES[dispatcher] = signature
        return dispatcher

    return decorate


def _cached_dispatcher(function, options):
    """Make numba's dispatcher of a kernel, with our cache if there is a folder for it."""
    folder = os.environ.get("NUMBA_CACHE_DIR")
    # A relative folder would depend on the current folder, so nothing is cached in it.
    if not folder or os.path.isabs(folder):
        # numba raises RuntimeError if no folder is writable; then every process compiles the kernel.
        with contextlib.suppress(RuntimeError):
            dispatcher = njit(cache=True, **options)(function)
            store = keep_in_own_files(dispatcher)
            if store is not None:
                _STORES[dispatcher] = store
            return dispatcher
    return njit(**options)(function)


def is_missing(dispatcher):
    """Tell whether calling the kernel ``dispatcher`` would compile and cache it."""
    return dispatcher in _STORES and _STORES[dispatcher].is_empty()
