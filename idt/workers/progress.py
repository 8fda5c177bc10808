"""Progress on stderr: bars after two seconds, or lines of JSON for programs."""

import contextlib
import json
import sys
import time

from idt.workers import signals

SLOW = 2.0
"""Seconds after which a progress bar appears."""

EVERY = 0.5
"""Seconds between two lines of JSON."""

FORMS = ("bar", "json")
_form = FORMS[0]


def add_progress(parser):
    """Add to ``parser`` the option that says how progress is shown."""
    parser.add_argument(
        "--progress", choices=FORMS, default=FORMS[0],
        help="progress on stderr: a bar on a terminal, or JSON for programs, a line twice a second with unit, done,"
        " total, seconds and left (default bar)",
    )  # fmt: skip


def show_as(form):
    """Show the progress of this process in a ``form``, one of `FORMS`."""
    global _form  # one process shows its progress in one form
    _form = form


def progress_bar(total, unit, quiet, *, bar_format=None):
    """Make a progress bar on stderr, shown after `SLOW` seconds; one that shows nothing if stderr is no terminal.

    Parameters
    ----------
    total : int or None
    unit : str
        Unit of the count.
    quiet : bool
        Show nothing.
    bar_format : str, optional
        Format of the bar, as for tqdm's ``bar_format``.

    Returns
    -------
    tqdm.tqdm, JsonLines or NoBar
    """
    if not quiet and _form == "json" and sys.stderr is not None:
        return JsonLines(total, unit)
    if quiet or sys.stderr is None or not sys.stderr.isatty():
        return NoBar()
    from tqdm import tqdm

    return tqdm(total=total, unit=unit, delay=SLOW, file=sys.stderr, dynamic_ncols=True, bar_format=bar_format)


class NoBar(contextlib.AbstractContextManager):
    """Progress bar that shows nothing and does not import tqdm."""

    total = None

    def update(self, n=1):
        """Count nothing."""

    def set_description_str(self, desc=None, refresh=True):
        """Describe nothing."""

    def external_write_mode(self, file=None):
        """Leave other output alone."""
        return contextlib.nullcontext()

    def __exit__(self, *_):
        return None


class JsonLines(NoBar):
    """Progress as lines of JSON: unit, numbers done and expected, seconds elapsed and left.

    Parameters
    ----------
    total : int or None
    unit : str
    """

    def __init__(self, total, unit):
        self.total = total
        self._unit, self._done = unit, 0
        self._start = self._printed = time.monotonic()

    def update(self, n=1):
        """Count ``n`` more."""
        self._done += n
        if time.monotonic() >= self._printed + EVERY:
            self._print()

    def _print(self):
        self._printed = time.monotonic()
        seconds = self._printed - self._start
        left = None
        if self.total is not None and self._done:
            left = round(seconds / self._done * max(self.total - self._done, 0), 1)
        line = {"unit": self._unit, "done": self._done, "total": self.total, "seconds": round(seconds, 1), "left": left}
        signals.print_line(json.dumps(line), sys.stderr)

    def __exit__(self, *_):
        self._print()


@contextlib.contextmanager
def shown_progress(stage, total):
    """Show progress as a bar on stderr; a progress for `idt.workers.run_options.RunOptions`.

    Parameters
    ----------
    stage : str
        The unit that is counted.
    total : int or None
        How many there will be; None if unknown.

    Yields
    ------
    callable
        To be called after each unit, or with the number of units done since the last call.
    """
    with progress_bar(total, stage, quiet=False) as bar:
        yield bar.update
