"""Compiled code on the disk: found by the content of all sources that it was made of, and compared before it is used.

A file's name is a digest of the function's sources, of its types and of the processor; its first bytes are a digest of
the rest. A file that is damaged counts as absent and is written anew. The digest keeps accidents away, nobody's intent:
compiled code is code, and the folder must belong to somebody who is trusted.
"""

import contextlib
import functools
import hashlib
import os
import pickle
import re
import sys
import tempfile
import time
from typing import Any

import llvmlite
import numba
from llvmlite.binding import parse_assembly
from numba.core.caching import CompileResultCacheImpl, FunctionCache
from numba.core.runtime import rtsys
from numba.core.serialize import dumps

SUFFIX = ".kernel"
"""Of a file of compiled code."""

STALE = 3600.0
"""Seconds after which a temporary file is one of a process that was killed."""

HARMLESS = ("NUMBA_CACHE_DIR", "NUMBA_NUM_THREADS")
"""Settings of numba that compiled code does not depend on."""

_DIGEST = hashlib.sha256
_IMPORT = re.compile(rb"^(?:from|import) +((?:idt|encoding|classify)\.[\w.]+)", re.MULTILINE)


class Cache(FunctionCache):
    """Numba's cache, without what only a compiler needs.

    Numba imports the implementation of all that it can compile, scipy.linalg among it, before it looks for compiled
    code: a third of a second and 60 MB. Code that is there needs the allocator alone; what is not there brings the
    compiler, and with it those imports. It is taken to be that of the function's file and of the files of all kernels
    that this one imports, which became part of it; numba looks at its own file only, and at no more than its size and
    time.
    """

    def __init__(self, function):
        super().__init__(function)
        if not os.path.isabs(self.cache_path):
            raise RuntimeError(f"no locator available: {self.cache_path} would lie in any folder that we are run in")
        self._cache_file = Store(self.cache_path, self._impl.filename_base, function.__module__)

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
        return self._cache_file.is_empty()


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


class Store:
    """The files of one function.

    Parameters
    ----------
    folder : str
        It need not exist.
    name : str
        How the files of this function, and of no other in the folder, begin.
    module : str
        Name of the module that it is from. Files of other sources are removed when one of these is written.
    """

    def __init__(self, folder, name, module):
        self._folder, self._name, self._module = folder, f"{name}.", module

    @functools.cached_property
    def _current(self):
        # Not before the module is there as a whole.
        return f"{self._name}{stamp(self._module)}."

    def load(self, key):
        """Return what was kept under ``key``, or None if nothing was or it is damaged."""
        try:
            with open(self._path(key), "rb") as file:
                digest, data = file.read(_DIGEST().digest_size), file.read()
        except OSError:
            return None
        return pickle.loads(data) if _DIGEST(data).digest() == digest else None

    def save(self, key, data):
        """Keep ``data`` under ``key``, and remove what no process can use any more."""
        data = dumps(data)
        path = self._path(key)
        descriptor, part = tempfile.mkstemp(".part", self._name, self._folder)
        try:
            with open(descriptor, "wb") as file:
                file.write(_DIGEST(data).digest() + data)
            os.replace(part, path)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(part)
            raise
        self._sweep()

    def flush(self):
        """Forget everything, as numba's ``recompile`` asks for."""
        for name in self._names(self._current):
            with contextlib.suppress(OSError):
                os.unlink(os.path.join(self._folder, name))

    def is_empty(self):
        """Return whether there is nothing of the sources as they are now."""
        return not self._names(self._current, SUFFIX)

    def _path(self, key):
        return os.path.join(self._folder, f"{self._current}{_DIGEST(repr(key).encode()).hexdigest()[:16]}{SUFFIX}")

    def _names(self, begin, end=""):
        try:
            return [name for name in os.listdir(self._folder) if name.startswith(begin) and name.endswith(end)]
        except OSError:
            return []

    def _sweep(self):
        for name in self._names(self._name):
            path = os.path.join(self._folder, name)
            with contextlib.suppress(OSError):
                abandoned = name.endswith(".part") and time.time() - os.path.getmtime(path) > STALE
                outdated = name.endswith(SUFFIX) and not name.startswith(self._current)
                if abandoned or outdated:
                    os.unlink(path)


@functools.cache
def stamp(module):
    """Return a digest of what compiled code of ``module`` is made of: its `sources`, and the compiler."""
    settings = sorted(pair for pair in os.environ.items() if pair[0].startswith("NUMBA_") and pair[0] not in HARMLESS)
    content = [(name, *_source(name)[0]) for name in sorted(sources(module))]
    return _DIGEST(repr((numba.__version__, llvmlite.__version__, settings, content)).encode()).hexdigest()[:16]


def sources(module):
    """Return the names of ``module`` and of all modules of ours that it imports, directly or not."""
    found, left = set(), {module}
    while left:
        name = left.pop()
        found.add(name)
        left |= _source(name)[1] - found
    return found


@functools.cache
def _source(name):
    """Digests of a module's source and of its functions as they were loaded, and the modules of ours that it imports.

    Python may have loaded a function from byte code that is older than the source, if that has the same size and time.
    """
    module = sys.modules[name]
    data = module.__spec__.loader.get_data(module.__file__)
    imported = {found.decode() for found in _IMPORT.findall(data)} & sys.modules.keys()
    loaded = _DIGEST()
    for value in vars(module).values():
        function = getattr(value, "py_func", None) or getattr(value, "_defn", value)
        if getattr(value, "__module__", None) == name and hasattr(function, "__code__"):
            loaded.update(repr(_constants(function.__code__)).encode())
    return (_DIGEST(data).hexdigest(), loaded.hexdigest()), imported


def _constants(code):
    """Byte code and constants of a function, and of those in it."""
    inside = []
    for value in code.co_consts:
        if hasattr(value, "co_code"):
            inside.append(_constants(value))
        else:
            # The order of a set differs from process to process.
            inside.append(sorted(map(repr, value)) if isinstance(value, frozenset) else value)
    return code.co_code, inside, code.co_names
