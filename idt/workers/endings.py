"""Orderly ends of a command: an interrupt, SIGTERM or SIGHUP leaves no process, no part file and no temporary folder.

The first of these signals becomes an exception, so that all blocks on the way out clean up behind themselves. The
second, which comes while they do so, ends the processes, removes the files and ends this process at once.
"""

import atexit
import contextlib
import os
import signal

from idt.files import atomic, scratch
from idt.workers import worker

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

_seen: list[int] = []


class Ended(KeyboardInterrupt):
    """Raised in the main thread by the first signal, whose ``number`` it has."""

    def __init__(self, number):
        super().__init__()
        self.number = number


def heed():
    """Turn signals into orderly ends from now on; one that is ignored, as under nohup, stays so."""
    _seen.clear()
    atexit.register(_ignore_signals)
    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _on_signal)


@contextlib.contextmanager
def signals_first():
    """Let a signal that has arrived be the reason of whatever a block raises.

    The exception of the signal may have been met by a library on its way, and replaced by one that says less.
    """
    try:
        yield
    except Exception:
        if _seen:
            raise Ended(_seen[0]) from None
        raise


def no_more_cleaning():
    """End at once on any signal from now on, because the command has cleaned up."""
    _seen.insert(0, 0)


def status_of(number):
    """Return the exit status of a process that the signal ``number`` has ended, as shells count it."""
    return 128 + number


def _on_signal(number, _):
    _seen.append(number)
    if len(_seen) == 1:
        raise Ended(number)
    _ignore_signals()
    worker.end_all()
    atomic.abandon()
    scratch.abandon()
    os._exit(status_of(next(filter(None, _seen))))


def _ignore_signals():
    # At exit, too: Python gives signals back to the system there, and one that comes during the last milliseconds
    # would replace the exit status of a command that has ended already.
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
