"""Progress bars on stderr, for what takes longer than two seconds."""

import contextlib
import sys

SLOW = 2.0
"""Seconds after which a progress bar appears."""


def progress_bar(total, unit, quiet, *, form=None):
    """A bar on stderr for what takes longer than `SLOW`; none where stderr is no terminal, whose logs it would fill.

    Parameters
    ----------
    total : int or None
    unit : str
        What is counted.
    quiet : bool
        Show none at all.
    form : str, optional
        How the bar looks, in tqdm's words.

    Returns
    -------
    tqdm.tqdm or NoBar
    """
    if quiet or sys.stderr is None or not sys.stderr.isatty():
        return NoBar()
    from tqdm import tqdm

    return tqdm(total=total, unit=unit, delay=SLOW, file=sys.stderr, dynamic_ncols=True, bar_format=form)


class NoBar(contextlib.AbstractContextManager):
    """Stands in for a bar that nobody sees, so that tqdm need not be imported."""

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


@contextlib.contextmanager
def shown_progress(stage, total):
    """Show progress as a bar on stderr; a progress of `idt.workers.run_options.RunOptions`.

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
