"""Count the outcomes of a run for the progress bar, and write ``summary.json`` and ``failures.csv`` beside its outputs.

``summary.json`` has the counts of the last run and the notes on its videos. ``failures.csv`` exists if videos failed
and has one line for each: name, source, reason.
"""

import contextlib
import json
import os
import time
from pathlib import Path

from idt.errors import with_name
from idt.files import atomic, csv_text, lock_file
from idt.files.marks import TOOL

SUMMARY, FAILURES = RUN_FILES = ("summary.json", "failures.csv")
"""Files beside the feature files."""

HEADER = ("name", "source", "reason")
"""Columns of the failures."""

BAR = "{percentage:3.0f}%|{bar}| {desc} [{elapsed}<{remaining}]"
"""Percentage and time left are computed from the sizes of the videos, which estimate their lengths before any is
opened."""


class Notes:
    """Notes on many videos, such as damage, summarised in one line at the end of the run.

    Attributes
    ----------
    by_video : dict of str to list of str
        Notes by the name of the video.
    """

    def __init__(self):
        self.by_video: dict[str, list[str]] = {}

    def add(self, outcome):
        """Add the notes of an ``outcome``."""
        if outcome.notes:
            self.by_video[outcome.job.name] = list(outcome.notes)

    def line(self, videos, where=""):
        """Return one line, None without notes; ``videos`` is the number of videos, ``where`` a file with all notes."""
        if not self.by_video:
            return None
        name, (first, *_) = next(iter(self.by_video.items()))
        place = f", see {where}" if where else ""
        return f"notes on {len(self.by_video)} of {videos} videos{place}; the first: {with_name(name, first)}"


def begin(folder, sizes, *, overwrite=False, is_shared=False):
    """Start a tally, and remove the summary files that an earlier run left.

    Parameters
    ----------
    folder : str or Path
        Where the feature files go.
    sizes : list of int
        Bytes of the videos.
    overwrite : bool or collection of path
        A collection names files that are removed even if this program did not write them.
    is_shared : bool
        Another run writes into the folder, too: the summary files stay, and failures are added to them.

    Returns
    -------
    Tally

    Raises
    ------
    DataError
        If a file of another program has the name of one of the summary files.
    OSError
        If the folder cannot be made, or an earlier file not be removed.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name in () if is_shared else RUN_FILES:
        atomic.remove(folder / name, overwrite)
    return Tally(folder, sizes, overwrite)


class Tally:
    """Counts of the outcomes of many videos; `begin` makes one.

    Parameters
    ----------
    folder : Path
        Where the feature files go.
    sizes : list of int
        Bytes of the videos.
    overwrite : bool or collection of path
        As for `begin`.

    Attributes
    ----------
    done, up_to_date, failed, frames, tracks : int
        Numbers of videos that this run made, found up to date and failed to make, and of frames and tracks in their
        outcomes.
    notes : Notes
    """

    def __init__(self, folder, sizes, overwrite=False):
        self._folder, self._overwrite = folder, overwrite
        # 1 is added because a camera has size 0, but counts.
        self._sizes = [size + 1 for size in sizes]
        self._reached = [0.0] * len(sizes)
        self._frames_seen = 0
        self._began = time.monotonic()
        self.done = self.up_to_date = self.failed = self.frames = self.tracks = 0
        self.notes = Notes()

    @property
    def total(self):
        """Return the progress at the end of the run: the bytes of all videos, and 1 more for each."""
        return sum(self._sizes)

    def advance(self, index, frames, expected):
        """Count frames of a video that is being worked on; return the increase of the progress."""
        self._frames_seen += frames
        share = frames / expected if expected else 0.0
        return self._reach(index, min(1.0, self._reached[index] / self._sizes[index] + share))

    def end(self, index, outcome):
        """Count a video that ended and record it if it failed; return the increase of the progress.

        Raises
        ------
        OSError
            If the disk is full.
        """
        if outcome.error is not None:
            self.failed += 1
        elif outcome.up_to_date:
            self.up_to_date += 1
        else:
            self.done += 1
        self.frames += outcome.frames
        self.tracks += outcome.tracks
        self.notes.add(outcome)
        self._frames_seen = max(self._frames_seen, self.frames)
        progress = self._reach(index, 1.0)
        if outcome.error is not None:
            self._write_failure(outcome)
        return progress

    def __str__(self):
        ended = self.done + self.up_to_date + self.failed
        rate = self._frames_seen / max(time.monotonic() - self._began, 1e-9)
        return f"{ended}/{len(self._sizes)} videos, {self.failed} failed, {rate:.1f} frames/s"

    def write_summary(self, **settings):
        """Write the counts and the entries that the caller adds.

        Raises
        ------
        OSError
            If the disk is full.
        """
        seconds = time.monotonic() - self._began
        counts = {name: getattr(self, name) for name in ("done", "up_to_date", "failed", "frames", "tracks")}
        content = {
            "tool": TOOL,
            "videos": len(self._sizes),
            **counts,
            "seconds": round(seconds, 3),
            "frames_per_second": round(self.frames / max(seconds, 1e-9), 3),
            **settings,
            "notes": dict(sorted(self.notes.by_video.items())),
        }
        with atomic.replacing(self._folder / SUMMARY, overwrite=self._overwrite or True) as file:
            file.write(json.dumps(content, indent=1).encode() + b"\n")

    def _reach(self, index, share):
        """Set the done ``share`` of a video; return the increase of the progress in bytes."""
        before, self._reached[index] = self._reached[index], share * self._sizes[index]
        return self._reached[index] - before

    def _write_failure(self, outcome):
        """Append a failed video to the list, unless it is in it; at once, so that a killed run leaves a record."""
        header, line = (
            csv_text.dumps([fields]).encode("utf-8", "surrogateescape")
            for fields in (HEADER, (outcome.job.name, outcome.job.source, outcome.error))
        )
        # O_NOFOLLOW: somebody may have put a link there since the start.
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        descriptor = os.open(self._folder / FAILURES, flags, 0o666)
        with contextlib.closing(os.fdopen(descriptor, "r+b", buffering=0)) as file:
            # Two runs that share the work may both find a damaged video, even at the same time.
            lock_file.take(descriptor, wait=True)
            known = file.read() or b""
            if b"\n" + line not in known:
                file.write(line if known else header + line)
