"""How kernels are compiled: the decorator of all of them, and their options."""

import os
from typing import Any

from numba import njit

from idt.jit.cache import Store, keep_in_files_of_ours

INNER: dict[str, Any] = {"nogil": True, "error_model": "numpy"}
"""Options of all kernels. One that only kernels of its file call has no others: it is kept with those that call it."""

SIGNATURES: dict[Any, tuple] = {}
"""Kernels of the modules imported so far, and the types of their arguments."""

_STORES: dict[Any, Store] = {}


def kernel(signature=None, **options):
    """Decorate a kernel that Python calls: it releases the interpreter, divides as NumPy does and is kept compiled.

    With its ``signature``, the types that it is called with, it can be compiled before its first call
    (`idt.batch.precompile`); one without is left to the first call, be it from Python or from a kernel. ``options`` are
    more of numba's.
    """

    def decorate(function):
        dispatcher = _compiled_and_kept(function, {**INNER, **options})
        if signature is not None:
            SIGNATURES[dispatcher] = signature
        return dispatcher

    return decorate


def _compiled_and_kept(function, options):
    # A relative folder would lie in any folder that we are run in.
    if os.path.isabs(os.environ.get("NUMBA_CACHE_DIR") or os.sep):
        try:
            dispatcher = njit(cache=True, **options)(function)
        except RuntimeError:
            # There is no folder that can be written to.
            pass
        else:
            store = keep_in_files_of_ours(dispatcher)
            if store is not None:
                _STORES[dispatcher] = store
            return dispatcher
    return njit(**options)(function)


def is_missing(dispatcher):
    """Return whether the kernel ``dispatcher`` would be compiled when it is called, and kept."""
    return dispatcher in _STORES and _STORES[dispatcher].is_empty()
