"""Options of a run that are no parameters of the method: processes, threads, decoder, overwriting, progress."""

import contextlib
import os
import sys
from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any

from idt.files.ownership import check_overwrite
from idt.params.bounds import DEFAULT_PATIENCE, JOBS, MOST_PIXELS, PATIENCE, PIXELS, THREADS, check_workers
from idt.params.decoder import check_decoder
from idt.workers import signals
from idt.workers.progress import shown_progress


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
    """Options of a run. Results depend on none of them but the decoder, whose version is recorded.

    Attributes
    ----------
    jobs : int
        Inputs at once, each in a process of its own.
    threads : int
        Threads for each input.
    overwrite : bool or collection of path
        Replace a file of this program whose source, parameters or versions differ from the run's; without it such a
        file is refused. A collection that is not empty permits this, too, and names files that are replaced even if
        they are not ours (`idt.files.ownership.check_replaceable`).
    max_pixels : int
        Largest number of pixels of a frame; a video with larger frames is refused.
    patience : int
        Seconds without a frame after which a video is given up (`idt.workers.patience`).
    decoder : {"auto", "opencv", "pyav"}
        Decoder of video files (`idt.params.decoder.chosen_decoder`).
    pictures : bool
        Whether a report's page shows pictures of the videos.
    progress : callable
        Shows how far the run has come; called as `no_progress`.

    Raises
    ------
    DataError
        If a number lies outside its bounds, or ``overwrite`` is something else.
    """

    jobs: int = 1
    threads: int = 1
    overwrite: bool | Collection[str | os.PathLike] = False
    max_pixels: int = MOST_PIXELS
    patience: int = DEFAULT_PATIENCE
    decoder: str = "auto"
    pictures: bool = True
    progress: Callable[[str, Any], AbstractContextManager] = no_progress

    def __post_init__(self):
        JOBS.check("jobs", self.jobs)
        THREADS.check("threads", self.threads)
        PIXELS.check("max_pixels", self.max_pixels)
        PATIENCE.check("patience", self.patience)
        check_decoder(self.decoder)
        check_workers(self.jobs, self.threads)
        check_overwrite(self.overwrite)
        if not isinstance(self.overwrite, bool):
            # A process, perhaps on another machine, with another current folder may work on the videos.
            object.__setattr__(self, "overwrite", tuple(os.path.abspath(path) for path in self.overwrite))

    def say(self, line):
        """Print a ``line`` on stderr, if the progress is shown there."""
        if self.progress is shown_progress and sys.stderr is not None:
            signals.print_line(f"{os.path.basename(sys.argv[0])}: {line}", sys.stderr)

    def for_one(self):
        """Return the options for one of several inputs, which another process may work on.

        Returns
        -------
        RunOptions
            With one job and without progress, because a progress bar cannot be sent to another process.
        """
        return replace(self, jobs=1, progress=no_progress)
