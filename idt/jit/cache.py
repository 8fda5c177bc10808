"""Cache of compiled kernels on the disk: looked up by a digest of all their sources, and verified when loaded.

A file's name holds the function's name and digests of its sources, its types and the processor. The first bytes of the
file are a digest of the rest. A damaged file counts as absent and is written again. The digest protects against
accidents, not against intent: compiled code is run, so the owner of the folder must be trusted. numba's own cache looks
only at the source file of the function, although functions of other files are compiled in, and unpickles its files
without a check.
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

IGNORED_SETTINGS = ("NUMBA_CACHE_DIR", "NUMBA_NUM_THREADS")
"""Settings of numba that compiled code does not depend on."""

_DIGEST = hashlib.sha256
_IMPORT = re.compile(rb"^(?:from|import) +((?:idt|encoding|classify)\.[\w.]+)", re.MULTILINE)


def keep_in_own_files(dispatcher):
    """Make numba cache the compiled code of ``dispatcher`` in our files; return them.

    This uses names that numba does not document. If one is missing, numba keeps its own files and None is returned.
    """
    cache = getattr(dispatcher, "_cache", None)
    files = getattr(cache, "_cache_file", None)
    if not all(hasattr(cache, name) for name in ("cache_path", "save_overload")):
        return None
    if not all(hasattr(files, name) for name in ("load", "save")):
        return None
    save = cache.save_overload

    def save_if_possible(signature, compiled):
        # If the disk is full, the next process compiles again.
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
        It need not exist; numba makes it before it calls `save`.
    function : function
        The Python function that was compiled. When a file is written, files of its earlier sources are removed.
    """

    def __init__(self, folder, function):
        self._folder, self._module = folder, function.__module__
        self._prefix = f"{function.__module__}.{function.__qualname__}.{sys.implementation.cache_tag}."

    @functools.cached_property
    def _current_prefix(self):
        # Computed on first use, because the module is not complete before.
        return f"{self._prefix}{source_digest(self._module)}."

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
        descriptor, part = tempfile.mkstemp(".part", self._prefix, self._folder)
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
        return not self._names(self._current_prefix, SUFFIX)

    def _path(self, key):
        digest = _DIGEST(repr(key).encode()).hexdigest()[:16]
        return os.path.join(self._folder, f"{self._current_prefix}{digest}{SUFFIX}")

    def _names(self, begin, end=""):
        try:
            return [name for name in os.listdir(self._folder) if name.startswith(begin) and name.endswith(end)]
        except OSError:
            return []

    def _sweep(self):
        """Remove files of earlier sources, and part files that a killed process left."""
        for name in self._names(self._prefix):
            path = os.path.join(self._folder, name)
            with contextlib.suppress(OSError):
                abandoned = name.endswith(".part") and time.time() - os.path.getmtime(path) > STALE
                outdated = name.endswith(SUFFIX) and not name.startswith(self._current_prefix)
                if abandoned or outdated:
                    os.unlink(path)


@functools.cache
def source_digest(module):
    """Return a digest of the `sources` of ``module`` and of the compiler."""
    settings = sorted(
        pair for pair in os.environ.items() if pair[0].startswith("NUMBA_") and pair[0] not in IGNORED_SETTINGS
    )
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

    The functions are digested, too, because Python may load them from byte code of an older source that has the same
    size and time.
    """
    module = sys.modules[name]
    data = module.__spec__.loader.get_data(module.__file__)
    imported = {found.decode() for found in _IMPORT.findall(data)} & sys.modules.keys()
    loaded = _DIGEST()
    for value in vars(module).values():
        function = getattr(value, "py_func", None) or getattr(value, "_defn", value)
        if getattr(value, "__module__", None) == name and hasattr(function, "__code__"):
            loaded.update(repr(_with_closure(function)).encode())
    return (_DIGEST(data).hexdigest(), loaded.hexdigest()), imported


def _with_closure(function):
    """Return the contents of a function's code and of the functions in its closure."""
    cells = [cell.cell_contents for cell in function.__closure__ or ()]
    return [_code_content(function.__code__), *(_with_closure(cell) for cell in cells if hasattr(cell, "__code__"))]


def _code_content(code):
    """Return the byte code, constants and names of a code object, with nested code objects among the constants."""
    inside = []
    for value in code.co_consts:
        if hasattr(value, "co_code"):
            inside.append(_code_content(value))
        else:
            # The order of a set differs from process to process.
            inside.append(sorted(map(repr, value)) if isinstance(value, frozenset) else value)
    return code.co_code, inside, code.co_names
