"""Wall time and peak memory of a command by stage, for ``--profile``."""

import contextlib
import resource
import sys
import time

_spent: dict[str, float] | None = None


def start():
    """Start measuring."""
    global _spent  # a command has the process to itself
    _spent = {}


@contextlib.contextmanager
def stage(name):
    """Add the time of a block to stage ``name``, which may be entered again; do nothing unless `start` was called."""
    if _spent is None:
        yield
        return
    began = time.perf_counter()
    try:
        yield
    finally:
        if _spent is not None:
            _spent[name] = _spent.get(name, 0.0) + time.perf_counter() - began


def report():
    """Stop measuring; return lines with the seconds of each stage and the peak memory, none without `start`.

    Returns
    -------
    list of str
    """
    global _spent
    if _spent is None:
        return []
    lines = [f"{name}: {seconds:.2f} s" for name, seconds in _spent.items()]
    _spent = None
    own, child = (_peak(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return [*lines, f"peak memory: {own:.0f} MB" + (f"; largest child process: {child:.0f} MB" if child else "")]


def _peak(who):
    """Return the peak memory of this process or of the largest child, ``who``, in MB."""
    # Linux counts in KiB, macOS in bytes.
    return resource.getrusage(who).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3 / 1.024)
