"""Allocator settings for processes that work on videos."""

import contextlib
import ctypes

# Parameters of glibc's mallopt (malloc.h).
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8

RETAINED = 32 << 20
"""Two thresholds in bytes: freed memory to keep, and the size from which a block is returned at once. glibc allows no
more."""


def keep_freed_memory():
    """Make glibc keep freed memory for later allocations; do nothing with other C libraries.

    Each frame frees the memory that the next frame needs. Keeping it saves the operating system from clearing the pages
    again. All threads share one heap, so that each can use memory that another has freed.
    """
    # Not glibc, or not even a file to ask.
    with contextlib.suppress(AttributeError, OSError, TypeError):
        mallopt = ctypes.CDLL(None).mallopt
        for parameter, value in ((_TRIM_THRESHOLD, RETAINED), (_MMAP_THRESHOLD, RETAINED), (_ARENA_MAX, 1)):
            mallopt(parameter, value)
