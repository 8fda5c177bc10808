"""Orderly ends of a command: an interrupt, SIGTERM or SIGHUP leaves no process, no part file and no temporary folder.

The first of these signals becomes an exception, so that all blocks on the way out clean up behind themselves. The
second, which comes while they do so, ends the processes, removes the files and ends this process at once.

A pipe whose reader has gone, as with ``| head``, ends a command in the same way: Python ignores SIGPIPE, so
`print_line` makes that exception of the error that writing gives.
"""

import atexit
import contextlib
import os
import signal
import sys

from idt.files import atomic, scratch
from idt.workers import worker

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

_seen: list[int] = []


class CommandEnded(KeyboardInterrupt):
    """Raised in the main thread by the first signal, whose ``number`` it has, and by `print_line`."""

    def __init__(self, number):
        super().__init__()
        self.number = number


def handle_signals():
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
            raise CommandEnded(_seen[0]) from None
        raise


def print_line(line, stream):
    """Print a ``line`` to a ``stream``; end the command, as SIGPIPE ends others, if nobody reads it any more."""
    try:
        print(line, file=stream)
    except BrokenPipeError:
        raise CommandEnded(signal.SIGPIPE) from None


def discard_unread_output():
    """Have what is left to be written go nowhere, where nobody reads it: Python would complain when it ends."""
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except BrokenPipeError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)
        except (OSError, ValueError):
            pass  # a terminal that was closed, or a stream


def end_without_cleaning():
    """End at once on any signal from now on, because the command has cleaned up.

    What a signal kept a block from removing, in the middle of that, is removed here.
    """
    _seen.insert(0, 0)
    atomic.remove_own_parts()
    scratch.remove_own_folders()


def end_at_once(status):
    """End this process with an exit ``status`` from any thread, in the middle of its work, and leave nothing behind."""
    worker.end_all()
    atomic.remove_own_parts()
    scratch.remove_own_folders()
    os._exit(status)


def status_of(number):
    """Return the exit status of a process that the signal ``number`` has ended, as shells count it."""
    return 128 + number


def _on_signal(number, _):
    _seen.append(number)
    if len(_seen) == 1:
        raise CommandEnded(number)
    _ignore_signals()
    end_at_once(status_of(next(filter(None, _seen))))


def _ignore_signals():
    # At exit, too: Python gives signals back to the system there, and one that comes during the last milliseconds
    # would replace the exit status of a command that has ended already.
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
