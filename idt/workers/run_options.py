"""Options of a run that no number depends on: processes, threads, replacing of files, progress."""

import contextlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any

from idt.params.bounds import JOBS, MOST_PIXELS, PIXELS, THREADS, check_workers


@contextlib.contextmanager
def no_progress(stage, total):
    """Show no progress.

    Parameters
    ----------
    stage : str
        The unit that is counted, such as ``"video"``.
    total : int or None
        How many there will be; None if unknown.

    Yields
    ------
    callable
        To be called after each unit, or with the number of units done since the last call.
    """
    yield lambda count=1: None


@dataclass(frozen=True)
class RunOptions:
    """How a run is done. No number in a result depends on these options.

    Attributes
    ----------
    jobs : int
        Inputs at once, each in a process of its own.
    threads : int
        Threads for each input.
    overwrite : bool
        Replace a file that was made otherwise, instead of refusing to.
    max_pixels : int
        Most pixels of a frame of a video; a larger one is refused.
    progress : callable
        Shows how far the run has come; called as `no_progress`.

    Raises
    ------
    DataError
        If a number lies outside its bounds.
    """

    jobs: int = 1
    threads: int = 1
    overwrite: bool = False
    max_pixels: int = MOST_PIXELS
    progress: Callable[[str, Any], AbstractContextManager] = no_progress

    def __post_init__(self):
        JOBS.check("jobs", self.jobs)
        THREADS.check("threads", self.threads)
        PIXELS.check("max_pixels", self.max_pixels)
        check_workers(self.jobs, self.threads)

    def for_one(self):
        """Return the options for one of several inputs, which may be worked on in another process.

        Returns
        -------
        RunOptions
            With one job and without progress, because a progress bar cannot be sent to another process.
        """
        return replace(self, jobs=1, progress=no_progress)
