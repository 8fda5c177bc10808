"""Decorators that compile kernels and the functions that they inline."""

import contextlib
import os
from typing import Any

from numba import njit
from numba.extending import register_jitable

from idt.jit.cache import KernelFiles, keep_in_own_files

SIGNATURES: dict[Any, tuple] = {}
"""Kernels of the modules imported so far, and the types of their arguments."""

_STORES: dict[Any, KernelFiles] = {}


def inner(**options):
    """Decorate a function that only kernels call; its code is compiled into theirs.

    It divides as NumPy does. ``options`` are further options of numba.
    """
    return register_jitable(error_model="numpy", **options)


def kernel(signature=None, **options):
    """Decorate a kernel that Python calls: it releases the GIL, divides as NumPy does, and is cached.

    With its ``signature``, the types that it is called with, it can be compiled before its first call
    (`idt.batch.precompile`); one without is left to the first call, be it from Python or from a kernel. ``options`` are
    further options of numba.
    """

    def decorate(function):
        dispatcher = _compiled_and_kept(function, {"nogil": True, "error_model": "numpy", **options})
        if signature is not None:
            SIGNATURES[dispatcher] = signature
        return dispatcher

    return decorate


def _compiled_and_kept(function, options):
    # A relative folder would lie in any folder that we are run in.
    if os.path.isabs(os.environ.get("NUMBA_CACHE_DIR") or os.sep):
        # Where no folder can be written to, it is compiled in every process.
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
