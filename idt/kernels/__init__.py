"""Numba loops, raw: arrays in, arrays out, nothing checked. Call the public functions of the step instead."""

import contextlib
from typing import Any

from numba import njit
from numba.core.caching import FunctionCache
from numba.core.runtime import rtsys

COMMON: dict[str, Any] = {"nogil": True, "error_model": "numpy"}
"""Options of all kernels."""
INNER = {**COMMON, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
"""Options of a kernel that only kernels of its own file call: it becomes part of them, and is cached with them."""


SIGNATURES: dict[Any, str] = {}
"""Kernels of the modules imported so far, and the types of their arguments."""


def kernel(signature=None, **options):
    """Decorate a kernel that Python calls: it releases the interpreter, divides as NumPy does and is kept compiled.

    With its ``signature``, the types that it is called with, it can be compiled before its first call
    (`idt.compilation`); one without is left to that call. ``options`` are more of numba's.
    """

    def decorate(function):
        dispatcher = njit(**COMMON, **options)(function)
        # Where no folder can be written to, it is compiled in every process.
        with contextlib.suppress(RuntimeError):
            dispatcher._cache = Cache(function)
        if signature is not None:
            SIGNATURES[dispatcher] = signature
        return dispatcher

    return decorate


def is_missing(dispatcher):
    """Whether a kernel would be compiled when it is called, and kept."""
    return isinstance(dispatcher._cache, Cache) and dispatcher._cache.is_empty()


class Cache(FunctionCache):
    """Numba's cache, without what only a compiler needs.

    Numba imports the implementation of all that it can compile, scipy.linalg among it, before it looks for compiled
    code: a third of a second and 60 MB. Code that is there needs the allocator alone; what is not there brings the
    compiler, and with it those imports.
    """

    def load_overload(self, sig, target_context):
        """The compiled code for some types, None without any."""
        rtsys.initialize(target_context)
        with self._guard_against_spurious_io_errors():
            return self._load_overload(sig, target_context)

    def save_overload(self, sig, data):
        """Keep compiled code; where there is no room for it, the next process compiles again."""
        with contextlib.suppress(OSError):
            super().save_overload(sig, data)

    def is_empty(self):
        """Whether there is no compiled code of this function as it is now, for any processor."""
        return not self._cache_file._load_index()
