"""Cache of compiled kernels on the disk: looked up by a digest of all their sources, and verified when loaded.

A file's name is a digest of the function's sources, its types and the processor; its first bytes are a digest of the
rest. A damaged file counts as absent and is written again. The digest protects against accidents, not against intent:
compiled code is code, and the owner of the folder must be trusted. numba's own cache looks at one source only, although
functions of other sources are compiled in, and unpickles its files without a check.
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

import llvmlite
import numba

SUFFIX = ".kernel"
"""Suffix of a file of compiled code."""

STALE = 3600.0
"""Age in seconds from which a temporary file counts as left by a killed process."""

HARMLESS = ("NUMBA_CACHE_DIR", "NUMBA_NUM_THREADS")
"""Settings of numba that compiled code does not depend on."""

_DIGEST = hashlib.sha256
_IMPORT = re.compile(rb"^(?:from|import) +((?:idt|encoding|classify)\.[\w.]+)", re.MULTILINE)


def keep_in_own_files(dispatcher):
    """Make numba cache the compiled code of ``dispatcher`` in our files; return them.

    This takes names that numba does not document. Where one is missing numba keeps its own files, and None is returned.
    """
    cache = getattr(dispatcher, "_cache", None)
    files = getattr(cache, "_cache_file", None)
    if not all(hasattr(cache, name) for name in ("cache_path", "save_overload")):
        return None
    if not all(hasattr(files, name) for name in ("load", "save")):
        return None
    save = cache.save_overload

    def save_if_possible(signature, compiled):
        # Where there is no room for it, the next process compiles again.
        with contextlib.suppress(OSError):
            save(signature, compiled)

    cache.save_overload = save_if_possible
    cache._cache_file = KernelFiles(cache.cache_path, dispatcher.py_func)
    return cache._cache_file


class KernelFiles:
    """Cache files of one function, in place of numba's index and data files.

    Parameters
    ----------
    folder : str
        It need not exist.
    function : function
        The Python function that was compiled. Files of other sources are removed when one of these is written.
    """

    def __init__(self, folder, function):
        self._folder, self._module = folder, function.__module__
        self._name = f"{function.__module__}.{function.__qualname__}.{sys.implementation.cache_tag}."

    @functools.cached_property
    def _current(self):
        # Computed on first use, because the module is not complete before.
        return f"{self._name}{source_digest(self._module)}."

    def load(self, key):
        """Return the data stored under ``key``, or None if there is none or it is damaged."""
        try:
            with open(self._path(key), "rb") as file:
                digest, data = file.read(_DIGEST().digest_size), file.read()
        except OSError:
            return None
        return pickle.loads(data) if _DIGEST(data).digest() == digest else None

    def save(self, key, data):
        """Store ``data`` under ``key``, and remove files that no process can use any more."""
        data = pickle.dumps(data)
        descriptor, part = tempfile.mkstemp(".part", self._name, self._folder)
        try:
            with open(descriptor, "wb") as file:
                file.write(_DIGEST(data).digest() + data)
            os.replace(part, self._path(key))
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(part)
            raise
        self._sweep()

    def is_empty(self):
        """Tell whether no file matches the present sources."""
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
def source_digest(module):
    """Return a digest of the `sources` of ``module`` and of the compiler."""
    settings = sorted(pair for pair in os.environ.items() if pair[0].startswith("NUMBA_") and pair[0] not in HARMLESS)
    content = [(name, *_source(name)[0]) for name in sorted(sources(module))]
    return _DIGEST(repr((numba.__version__, llvmlite.__version__, settings, content)).encode()).hexdigest()[:16]


def sources(module):
    """Return the names of ``module`` and of all our modules that it imports, directly or not."""
    found, left = set(), {module}
    while left:
        name = left.pop()
        found.add(name)
        left |= _source(name)[1] - found
    return found


@functools.cache
def _source(name):
    """Return digests of a module's source and of its loaded functions, and the modules of ours that it imports.

    Python may have loaded a function from byte code that is older than the source, if that has the same size and time.
    """
    module = sys.modules[name]
    data = module.__spec__.loader.get_data(module.__file__)
    imported = {found.decode() for found in _IMPORT.findall(data)} & sys.modules.keys()
    loaded = _DIGEST()
    for value in vars(module).values():
        function = getattr(value, "py_func", None) or getattr(value, "_defn", value)
        if getattr(value, "__module__", None) == name and hasattr(function, "__code__"):
            loaded.update(repr(_content(function)).encode())
    return (_DIGEST(data).hexdigest(), loaded.hexdigest()), imported


def _content(function):
    """Return the code of a function and of the functions that it was compiled with."""
    cells = [cell.cell_contents for cell in function.__closure__ or ()]
    return [_constants(function.__code__), *(_content(cell) for cell in cells if hasattr(cell, "__code__"))]


def _constants(code):
    """Return byte code and constants of a function, and of those nested in it."""
    inside = []
    for value in code.co_consts:
        if hasattr(value, "co_code"):
            inside.append(_constants(value))
        else:
            # The order of a set differs from process to process.
            inside.append(sorted(map(repr, value)) if isinstance(value, frozenset) else value)
    return code.co_code, inside, code.co_names
