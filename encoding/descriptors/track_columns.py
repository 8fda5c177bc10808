"""Columns of the tracks that an encoding reads besides the descriptors."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from idt.params import layout


@dataclass(frozen=True)
class TrackColumns:
    """Columns of the tracks of some rows; None where the encoding needs none or the rows have no tracks.

    Attributes
    ----------
    frame : (n,) int32 or None
        Frame at which each track ends.
    scale : (n,) float32 or None
        Factor by which the frame of each track was shrunk; 1 is full resolution.
    position : (n, 3) float32 or None
        Relative x, y and time.
    skip : (n,) uint8 or None
        Frame step.
    length : int or None
        Steps of a track, L.
    """

    frame: Any = None
    scale: Any = None
    position: Any = None
    skip: Any = None
    length: Any = None

    @classmethod
    def of(cls, features, columns):
        """Look up the columns that an encoding needs.

        Parameters
        ----------
        features : Features
        columns : sequence of str
            Some of `COLUMNS`. If any is named, frame steps and length are looked up, too.

        Returns
        -------
        TrackColumns
        """
        if not columns:
            return cls()
        known = {name: features.need(name) for name in columns if name != "skip"}
        # Tracks without frame steps are all of step 1.
        skip = np.ones(len(features), np.uint8) if features.skip is None else features.skip
        # Rows of other programs have the release's length; the trajectory block has an x and a y for each step.
        length = features.params.length if features.params else layout.block_sizes()["trajectory"] // 2
        return cls(**known, skip=skip, length=length)

    def columns(self):
        """Return the arrays that are present: dict of str to ndarray."""
        return {name: value for name in COLUMNS if (value := getattr(self, name)) is not None}

    def take(self, rows):
        """Select some rows of every column."""
        return replace(self, **{name: column[rows] for name, column in self.columns().items()})

    def middle_frames(self):
        """Compute the middle frame of each track, (n,) float64: end frame − L/2 · skip."""
        return self.frame - self.length / 2 * self.skip.astype(np.float64)

    @classmethod
    def joined(cls, parts):
        """Join the columns of several batches, one after the other."""
        columns = {name: np.concatenate([getattr(part, name) for part in parts]) for name in parts[0].columns()}
        return replace(parts[0], **columns)


COLUMNS = ("frame", "scale", "position", "skip")
"""Columns of features that `TrackColumns` may hold."""
