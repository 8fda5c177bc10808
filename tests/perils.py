"""What a process may do that has a task: the ends of processes and of a cluster's workers that tests look for."""

import os
import signal
import sys
import threading
import time
from pathlib import Path

FOUND = f"import sys; sys.path.insert(0, {str(Path(__file__).resolve().parent.parent)!r})\n"
"""First line of a program whose processes import these tests: they take nothing from the current folder."""


def double(x):
    """Twice as much."""
    return 2 * x


def die(number):
    """End by a signal; return at 0."""
    if number:
        os.kill(os.getpid(), number)
        time.sleep(60)
    return "alive"


def leave(status):
    """End by itself."""
    os._exit(status)


def fail(message):
    """Raise."""
    raise KeyError(message)


def count(n, progress):
    """Tell of every step."""
    for i in range(n):
        progress(i, n)
    return n


def wait_writing(path):
    """Have a part file open, forever."""
    from idt.files import atomic

    with atomic.replacing(path) as part:
        part.write(b"begun")
        time.sleep(600)


def which():
    """Process, pools of threads, and what an interrupt does."""
    return os.getpid(), os.environ["OMP_NUM_THREADS"], signal.getsignal(signal.SIGINT) is signal.SIG_IGN, sys.path


def same(value):
    """Give back what was sent."""
    return value


class Stubborn(Exception):
    """An exception that does not go through a pickle, or does not come out of it."""

    def __init__(self, message, kind):
        super().__init__(message)
        self.kind = kind

    def __reduce__(self):
        if self.kind == 1:
            raise TypeError("not this one")
        return super().__reduce__()


def unsendable(kind):
    """Return or raise what cannot be sent."""
    if kind:
        raise Stubborn("no", kind)
    return threading.Lock()


def fail_later(message, seconds):
    """Raise after some time."""
    time.sleep(seconds)
    raise KeyError(message)


def hang(seconds):
    """Expect a frame, and wait for ever."""
    from idt.workers import patience

    with patience.watching(seconds, "a.avi"):
        time.sleep(600)


def talk(path, progress):
    """Tell of every step until a file is there."""
    steps = 0
    while not os.path.exists(path):
        progress(steps, None)
        steps += 1
        time.sleep(0.002)
    return "talked"
