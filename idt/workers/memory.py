"""Allocator settings for processes that work on videos."""

import contextlib
import ctypes

# Parameters of glibc's mallopt (malloc.h).
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8

RETAINED = 32 << 20
"""Value in bytes of two thresholds: the freed memory that is kept, and the size from which a freed block goes back to
the system at once. glibc allows no larger value."""


def keep_freed_memory():
    """Make glibc keep freed memory for later allocations; do nothing with other C libraries.

    Each frame frees the memory that the next frame needs. Keeping it saves the operating system from clearing the pages
    again. All threads share one heap, so that each can use memory that another has freed.
    """
    # Another C library has no mallopt, or ctypes cannot open it.
    with contextlib.suppress(AttributeError, OSError, TypeError):
        mallopt = ctypes.CDLL(None).mallopt
        for parameter, value in ((_TRIM_THRESHOLD, RETAINED), (_MMAP_THRESHOLD, RETAINED), (_ARENA_MAX, 1)):
            mallopt(parameter, value)
