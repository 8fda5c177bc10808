"""How kernels are compiled: the decorator of all of them, and their options."""

import functools
from typing import Any

from numba import njit

from idt.jit.cache import Store

INNER: dict[str, Any] = {"nogil": True, "error_model": "numpy"}
"""Options of all kernels: they release the interpreter and divide as NumPy does."""

SIGNATURES: dict[Any, tuple] = {}
"""Kernels of the modules imported so far, and the types of their arguments."""

_STORES: dict[Any, Store] = {}


def kernel(signature=None, **options):
    """Decorate a kernel that Python calls: its compiled code is kept.

    With its ``signature``, the types that it is called with, it can be compiled before its first call
    (`idt.batch.precompile`); one without is left to the first call, be it from Python or from a kernel. ``options``
    are more of numba's.
    """

    def decorate(function):
        compiled = functools.partial(njit, **INNER, **options)
        try:
            dispatcher = compiled(cache=True)(function)
        except RuntimeError:
            # Where no folder can be written to, it is compiled in every process.
            return compiled()(function)
        cache = dispatcher._cache
        cache._cache_file = _STORES[dispatcher] = Store(cache.cache_path, function)
        if signature is not None:
            SIGNATURES[dispatcher] = signature
        return dispatcher

    return decorate


def is_missing(dispatcher):
    """Return whether the kernel ``dispatcher`` would be compiled when it is called, and kept."""
    return dispatcher in _STORES and _STORES[dispatcher].is_empty()
