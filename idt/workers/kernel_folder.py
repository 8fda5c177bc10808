"""Temporary folder for compiled kernels, shared by all processes of a run, if no permanent one is writable.

numba caches compiled code in the folder that ``NUMBA_CACHE_DIR`` names, beside the sources, or in the user's cache
folder. If none is writable, as in some containers, every process would compile every kernel again.
"""

import atexit
import contextlib
import os

from idt.files import scratch

VARIABLE = "NUMBA_CACHE_DIR"
"""Environment variable that names numba's folder of compiled code."""

_KERNELS = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "kernels")

# By process id: the exit stack that removes the folder, and the folder.
_kept: dict[int, tuple[contextlib.ExitStack, str]] = {}


def environment():
    """Make the folder, unless a permanent one is writable.

    It is removed at the end of this process, after the end of the processes that `idt.workers.worker` has started.

    Returns
    -------
    dict of str to str
        Variables for the environment of processes that are to use it; empty if numba finds a folder without them.
    """
    # A process that was forked does not own the folder of its parent.
    if os.getpid() not in _kept:
        if any(map(_is_writable, _folders())):
            return {}
        stack = contextlib.ExitStack()
        try:
            _kept[os.getpid()] = stack, stack.enter_context(scratch.folder())
        except OSError:
            # Then every process compiles for itself.
            return {}
    return {VARIABLE: _kept[os.getpid()][1]}


def _folders():
    """Return the folders that numba tries, in its order."""
    named = os.environ.get(VARIABLE)
    if named and not os.path.isabs(named):
        # A relative folder would depend on the current folder, so `idt.jit.kernel` caches nothing in it.
        return []
    caches = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    return [*filter(None, [named]), os.path.join(_KERNELS, "__pycache__"), os.path.join(caches, "numba")]


def _is_writable(folder):
    """Tell whether files can be created in ``folder``, or the folder can be created."""
    while not os.path.lexists(folder):
        folder = os.path.dirname(folder)
    return os.path.isdir(folder) and os.access(folder, os.W_OK | os.X_OK)


def _remove():
    stack, _ = _kept.pop(os.getpid(), (None, None))
    if stack is not None:
        stack.close()


# atexit calls this last, after the functions that are registered later, such as `idt.workers.worker.end_all`.
atexit.register(_remove)
