"""Timeout of a decoder: a video that gives no frame for ``--patience`` seconds is given up.

FFmpeg may search a file for its next frame for hours, and a network drive may not answer. FFmpeg has a timeout of its
own (`allowed`), after which it reports the end of the video; `refuse_late` tells a timeout from a real end. If FFmpeg
hangs, only ending its process helps. Code that waits for frames therefore sets a deadline (`watching`, `watched`), and
each frame resets it (`frame_arrived`). A process of `idt.workers.worker` reports its deadlines to its parent, which
kills it when one has passed. A command that decodes a video itself is ended by the function that `on_timeout` was
given.
"""

import contextlib
import threading
import time
from collections.abc import Callable

from idt.errors import DataError
from idt.params.bounds import DEFAULT_PATIENCE

MARGIN = 5.0
"""Seconds after the timeout in which FFmpeg may still end by itself."""

_REPORT_EVERY = 1.0
"""Least number of seconds between two messages to the parent about frames."""

_tell: Callable | None = None
_end: Callable | None = None

_watcher: threading.Thread | None = None
_changed = threading.Condition()
"""Lock of the variables below, because frames arrive in another thread than the one that watches the deadline."""
_name, _seconds = "", 0.0
_deadline: float | None = None
_last_report = 0.0


def report_to(parent):
    """Report deadlines to ``parent``, called with the seconds until the next frame is due, or None."""
    global _tell  # a process has one parent
    _tell = parent


def on_timeout(function):
    """End this process on a timeout by ``function``, called in a separate thread with the reason in one line."""
    global _end  # a process runs one command
    _end = function


def give_up_message(seconds):
    """Return the message that a video was given up after ``seconds``."""
    return f"no frame came for {seconds:g} s, so it was given up; --patience N waits longer"


def allowed():
    """Return the timeout of a decoder for a frame in seconds."""
    return DEFAULT_PATIENCE if _deadline is None else _seconds


def refuse_late(began, seconds, name):
    """Refuse a video that ended because its decoder gave up after ``seconds``.

    Parameters
    ----------
    began : float
        Time of `time.monotonic` at which the decoder was asked for a frame.
    seconds : float
        Timeout of the decoder: `allowed` when the video was opened.
    name : str
        The video, for the message.

    Raises
    ------
    DataError
        If ``seconds`` have passed.
    """
    if time.monotonic() - began >= seconds:
        raise DataError(f"{name}: {give_up_message(seconds)}")


@contextlib.contextmanager
def watching(seconds, name):
    """Expect frames within a block, each before its deadline.

    Parameters
    ----------
    seconds : float
        Time for the first frame, and from each frame to the next.
    name : str
        The video, for the message.
    """
    global _name, _seconds
    with _changed:
        _name, _seconds = name, seconds
        _expect(seconds)
    try:
        yield
    finally:
        _expect(None)


def watched(items, seconds, name):
    """Yield the items of an iterator; expect a frame while waiting for the next item.

    Parameters
    ----------
    items : iterable
    seconds, name
        As for `watching`.

    Yields
    ------
    object
    """
    items = iter(items)
    while True:
        with watching(seconds, name):
            try:
                item = next(items)
            except StopIteration:
                return
        yield item
        del item  # before the next one is made


def frame_arrived():
    """Reset the deadline, because a frame arrived; a read-ahead thread may call this."""
    with _changed:
        if _deadline is None:
            return
        _set_deadline(_seconds)
        if time.monotonic() - _last_report >= min(_REPORT_EVERY, _seconds / 4):
            _report(_seconds)


def _expect(seconds):
    """Set the deadline to ``seconds`` from now, and report it; None removes it."""
    with _changed:
        _set_deadline(seconds)
        _report(seconds)
        if _end is not None and seconds is not None:
            _begin_watch()
            _changed.notify()


def _set_deadline(seconds):
    global _deadline
    _deadline = None if seconds is None else time.monotonic() + seconds + MARGIN


def _report(seconds):
    """Send the deadline to the parent, if there is one."""
    global _last_report
    _last_report = time.monotonic()
    if _tell is not None:
        _tell(seconds)


def _begin_watch():
    global _watcher
    if _watcher is None:
        _watcher = threading.Thread(target=_watch, name="idt-patience", daemon=True)
        _watcher.start()


def _watch():
    """End the process when the deadline has passed."""
    while True:
        with _changed:
            left = None if _deadline is None else _deadline - time.monotonic()
            if left is None or left > 0:
                _changed.wait(left)
                continue
        if _end is not None:
            _end(f"{_name}: {give_up_message(_seconds)}")
        return
