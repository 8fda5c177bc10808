"""Signal handling of a command: after SIGINT, SIGTERM or SIGHUP no process, part file or temporary folder is left.

The first of these signals raises `CommandEnded`, so that all blocks clean up on the way out. A second signal meanwhile
ends the worker processes, removes the files and ends this process at once.

A pipe whose reader has gone, as with ``| head``, ends a command in the same way: Python ignores SIGPIPE, so
`print_line` raises `CommandEnded` when writing fails.
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
    """Raised in the main thread by the first signal, with its ``number``, and by `print_line` on a closed pipe."""

    def __init__(self, number):
        super().__init__()
        self.number = number


def handle_signals():
    """Install handlers that raise `CommandEnded`; ignored signals, as under nohup, stay ignored."""
    _seen.clear()
    atexit.register(_ignore_signals)
    for number in SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _on_signal)


@contextlib.contextmanager
def prefer_signals():
    """Raise the exception of a signal that has arrived, and not another exception of the block.

    A library may have caught the exception of the signal and raised another one instead.
    """
    try:
        yield
    except Exception:
        if _seen:
            raise CommandEnded(_seen[0]) from None
        raise


def print_line(line, stream):
    """Print a ``line`` to a ``stream``; on a closed pipe, end the command as SIGPIPE does."""
    try:
        print(line, file=stream)
    except BrokenPipeError:
        raise CommandEnded(signal.SIGPIPE) from None


def discard_unread_output():
    """Discard buffered output of a closed pipe, because Python would complain about it at exit."""
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:
                stream.flush()
        except BrokenPipeError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)
        except (OSError, ValueError):
            pass  # a closed terminal or a closed stream


def end_at_next_signal():
    """Make any further signal end the process at once, because the command has cleaned up.

    A second signal may interrupt a block that cleans up; this function removes what that block left.
    """
    # With 0 in the list `_on_signal` takes the next signal for a second one. 0 is no signal.
    _seen.insert(0, 0)
    atomic.remove_own_parts()
    scratch.remove_own_folders()


def end_at_once(status):
    """End this process with an exit ``status`` from any thread, after removing its part files and temporary folders."""
    worker.end_all()
    atomic.remove_own_parts()
    scratch.remove_own_folders()
    os._exit(status)


def status_of(number):
    """Return the exit status for the signal ``number``, as shells compute it."""
    return 128 + number


def _on_signal(number, _):
    _seen.append(number)
    if len(_seen) == 1:
        raise CommandEnded(number)
    _ignore_signals()
    end_at_once(status_of(next(filter(None, _seen))))


def _ignore_signals():
    # This is also called at exit, where Python restores the system's handlers: a signal during the last milliseconds
    # would replace the exit status of a command that has ended already.
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
