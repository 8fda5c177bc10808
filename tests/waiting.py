"""Waiting for other threads and processes, and sources that fail."""

import time

PATIENCE = 5
"""How long a thread may take to notice something before it counts as hanging, s."""


def until(condition, seconds=60):
    """Wait for a condition: what it is at last."""
    deadline = time.monotonic() + seconds
    while not (found := condition()) and time.monotonic() < deadline:
        time.sleep(0.001)
    return found


def failing(n):
    """Yield n numbers and raise."""
    yield from range(n)
    raise KeyError("the frame after these")
