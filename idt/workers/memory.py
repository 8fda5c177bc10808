"""Allocator settings for processes that work on videos."""

import contextlib
import ctypes

# Parameters of glibc's mallopt (malloc.h).
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8

RETAINED = 32 << 20
"""Bytes of freed memory to keep, and size from which on a piece goes back by itself: the most that glibc allows."""


def keep_freed_memory():
    """Make glibc keep freed memory for later allocations; do nothing with other C libraries.

    A frame needs as many megabytes as the one before, and gives them back in between. To fetch them from the system
    again, page by page and cleared, takes a twentieth of the time. All threads share one heap: with one each, what one
    of them freed could not be used by another.
    """
    # Not glibc, or not even a file to ask.
    with contextlib.suppress(AttributeError, OSError, TypeError):
        mallopt = ctypes.CDLL(None).mallopt
        for parameter, value in ((_TRIM_THRESHOLD, RETAINED), (_MMAP_THRESHOLD, RETAINED), (_ARENA_MAX, 1)):
            mallopt(parameter, value)
