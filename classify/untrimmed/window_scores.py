"""Class scores of the windows of a video, slice by slice.

Source: docs/method/untrimmed.md, section 9.
"""

from dataclasses import dataclass
from itertools import islice

import numpy as np

from classify.untrimmed.dtw import fill_empty_rows
from encoding.slices.windows import windows
from idt.errors import DataError

BATCH = 256
"""Most windows that are scored at once."""


@dataclass(frozen=True)
class SliceScores:
    """Scores of one video, one row a slice.

    Attributes
    ----------
    name : str
        The video.
    classes : list of str
        Classes of the columns.
    values : (s, C) float64
        Score of the window in whose middle the slice lies. Windows without tracks get interpolated scores.
    empty : (s,) bool
        Windows without tracks.
    slice_frames : int
        Frames of a slice.
    frames : int
        Frames of the video.
    fps : float
        Frames a second.
    """

    name: str
    classes: list[str]
    values: np.ndarray
    empty: np.ndarray
    slice_frames: int
    frames: int
    fps: float

    @property
    def rate(self):
        """Slices a second."""
        return self.fps / self.slice_frames

    def frame_labels(self, labels):
        """Repeat one label a slice over the frames of the video, (frames,) array."""
        return np.repeat(np.asarray(labels), self.slice_frames)[: self.frames]


def score_windows(slices, codebook, params, classifier, *, length):
    """Score all windows of a video, one for each slice.

    Parameters
    ----------
    slices : encoding.slices.slices_file.Slices
    codebook : Codebook
    params : BlockParams
    classifier : LinearSVM or Chi2SVM
        Fitted on vectors of this codebook.
    length : int
        Frames of a window, a multiple of the length of a slice.

    Returns
    -------
    SliceScores

    Raises
    ------
    DataError
        If the video has no tracks, its rate is unknown, or the slices are of another codebook.

    Notes
    -----
    docs/method/untrimmed.md, section 9.
    """
    scores, empty = mapped_windows(slices, codebook, params, classifier.scores, length=length)
    if not slices.fps > 0:
        raise DataError(f"the rate of {slices.name} is unknown, so its segments have no times; extract it from a video")
    values = row_of_each_slice(fill_empty_rows(scores, empty), slices, length)
    return SliceScores(
        slices.name,
        [str(label) for label in classifier.classes_],
        values,
        row_of_each_slice(empty, slices, length),
        slices.length,
        slices.frames,
        slices.fps,
    )


def window_vectors(slices, codebook, params, *, length):
    """Encode all windows of a video, a slice apart.

    Parameters
    ----------
    slices, codebook, params, length
        As `score_windows`.

    Returns
    -------
    vectors : (w, d) float32
    empty : (w,) bool
        Windows without tracks.

    Raises
    ------
    DataError
        If no window has tracks, or as `encoding.slices.windows.windows`.
    """
    return mapped_windows(slices, codebook, params, lambda vectors: vectors, length=length)


def mapped_windows(slices, codebook, params, function, *, length):
    """Apply a function to the vectors of all windows of a video, in batches, because all may not fit into memory.

    Parameters
    ----------
    slices, codebook, params, length
        As `score_windows`.
    function : callable
        Function of (n, d) float32 vectors that returns n rows.

    Returns
    -------
    rows : (w, …) array
    empty : (w,) bool
        Windows without tracks.

    Raises
    ------
    DataError
        As `window_vectors`.
    """
    found, empty = [], []
    remaining = windows(slices, codebook, params, length=length)
    while batch := list(islice(remaining, BATCH)):
        empty += [not each.tracks for each in batch]
        found.append(function(np.array([each.vector for each in batch])))
    if all(empty):
        raise DataError(f"{slices.name} has no tracks, so there is nothing to segment")
    return np.concatenate(found), np.array(empty)


def row_of_each_slice(rows, slices, length):
    """Give each slice the row of the window in whose middle it lies.

    Parameters
    ----------
    rows : (w, …) array
        One row a window.
    slices : encoding.slices.slices_file.Slices
    length : int
        Frames of a window.

    Returns
    -------
    (s, …) array
        Slices before the first middle have the first window's row, slices behind the last middle the last window's.

    Notes
    -----
    docs/method/untrimmed.md, section 9. The middle of a window is that of its tracks, which lies `Slices.lag` frames
    before the middle of its frames.
    """
    nearest = window_of(np.arange(slices.count), slices.length, slices.lag, length)
    return rows[np.clip(nearest, 0, len(rows) - 1)]


def window_of(number, slice_length, lag, length):
    """Find the window in whose middle a slice lies.

    Parameters
    ----------
    number : int or (s,) int
        Slices.
    slice_length : int
        Frames of a slice.
    lag : float
        As `encoding.slices.slices_file.Slices.lag`.
    length : int
        Frames of a window.

    Returns
    -------
    (s,) int64
        Numbers of the windows; negative for slices before the middle of the first window.
    """
    middles = (np.asarray(number) + 0.5) * slice_length
    return np.floor((middles + lag - length / 2) / slice_length + 0.5).astype(np.int64)
