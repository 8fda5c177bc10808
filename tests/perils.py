"""What a process may do that has a task: the ends of processes and of a cluster's workers that tests look for."""

import os
import signal
import sys
import time


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
