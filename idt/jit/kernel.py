"""How kernels are compiled and kept: the decorator of all of them, their options and their cache."""

import contextlib
import os
import sys
from typing import Any

from llvmlite.binding import parse_assembly
from numba import njit
from numba.core.caching import CompileResultCacheImpl, FunctionCache
from numba.core.runtime import rtsys

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


class Cache(FunctionCache):
    """Numba's cache, without what only a compiler needs.

    Numba imports the implementation of all that it can compile, scipy.linalg among it, before it looks for compiled
    code: a third of a second and 60 MB. Code that is there needs the allocator alone; what is not there brings the
    compiler, and with it those imports. It is taken to be that of the function's file and of the files of all kernels
    that this one imports, which became part of it; numba looks at its own file only.
    """

    def __init__(self, function):
        super().__init__(function)
        self._cache_file._source_stamp = [
            (name, os.path.getmtime(file), os.path.getsize(file))
            for name, file in sorted(_sources(function.__module__))
        ]

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


class _MachineCode(CompileResultCacheImpl):
    """What is kept of a compiled function: its machine code, without what numba would link into other functions."""

    def reduce(self, data):
        """The compiled function as numba pickles it."""
        library, function, *others, _ = super().reduce(data)
        name, kind, content = library
        if kind == "object":
            # numba takes a function to be in the code if it is in here.
            entries = function.llvm_func_name, function.llvm_cpython_wrapper_name, function.llvm_cfunc_wrapper_name
            stub = "".join(f'define void @"{entry}"() {{ ret void }}\n' for entry in entries)
            library = name, kind, (content[0], parse_assembly(stub).as_bitcode())
        # Last come the globals of every function that became part of this one, as Python objects. Machine code has no
        # use for them, and to find them again numba would import the modules of its own that they are from.
        return library, function, *others, ()


class LeanCache(Cache):
    """For functions that none but Python calls: half the time of loading goes into what only a linker needs."""

    _impl_class: Any = _MachineCode


def _sources(module, found=None):
    """The names of a module and of all that it has kernels from, directly or not, and their files."""
    found = set() if found is None else found
    here = (module, sys.modules[module].__file__)
    if here not in found:
        found.add(here)
        for value in list(vars(sys.modules[module]).values()):
            origin = getattr(value, "__module__", None)
            if isinstance(origin, str) and (".kernels." in origin or origin.startswith("idt.jit.")):
                _sources(origin, found)
    return found
