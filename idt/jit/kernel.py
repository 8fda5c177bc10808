"""How kernels are compiled: the decorator of all of them, and their options."""

import contextlib
from typing import Any

from numba import njit

from idt.jit.cache import Cache, LeanCache

COMMON: dict[str, Any] = {"nogil": True, "no_rewrites": True, "error_model": "numpy", "no_cfunc_wrapper": True}
"""Options of all kernels. They have no expression of whole arrays, for which numba would rewrite them."""
INNER = {**COMMON, "no_cpython_wrapper": True}
"""Options of a kernel that only kernels of its own file call: it becomes part of them, and is cached with them."""


SIGNATURES: dict[Any, str] = {}
"""Kernels of the modules imported so far, and the types of their arguments."""


def kernel(signature=None, **options):
    """Decorate a kernel that Python calls: it releases the interpreter, divides as NumPy does and is kept compiled.

    With its ``signature``, the types that it is called with, it can be compiled before its first call
    (`idt.batch.precompile`), and no kernel may call it; one without is left to the first call, be it from Python or
    from a kernel. ``options`` are more of numba's.
    """

    def decorate(function):
        dispatcher = njit(**COMMON, **options)(function)
        # Where no folder can be written to, it is compiled in every process.
        with contextlib.suppress(RuntimeError):
            dispatcher._cache = Cache(function) if signature is None else LeanCache(function)
        if signature is not None:
            SIGNATURES[dispatcher] = signature
        return dispatcher

    return decorate


def is_missing(dispatcher):
    """Return whether the kernel ``dispatcher`` would be compiled when it is called, and kept."""
    return isinstance(dispatcher._cache, Cache) and dispatcher._cache.is_empty()
