"""Vectors of windows of a video, from the sums of its slices.

Source: docs/method/untrimmed.md, section 1; Oneață et al., CVPR 2014.
"""

from typing import NamedTuple

import numpy as np

from encoding.slices.cut import LENGTH
from idt.errors import DataError


class Window(NamedTuple):
    """Window of a video.

    Attributes
    ----------
    start, end : int
        Frames, the end exclusive.
    tracks : int
        Number of tracks; 0 for a zero vector.
    vector : (d,) float32
        It equals the vector of a video that has only these tracks.
    """

    start: int
    end: int
    tracks: int
    vector: np.ndarray


def windows(slices, codebook, params, *, length, stride=None, parts=1):
    """Make the vector of each window of a video.

    Parameters
    ----------
    slices : Slices
    codebook : Codebook
        Codebook that the slices were made with.
    params : BlockParams
        As from `encoding.codebook.Codebook.params_with`; the pyramid is not used.
    length, stride : int
        Frames of a window, and from one window to the next; whole numbers of slices. The stride is a slice by default.
    parts : int
        Number of equal parts of time of a window. Their vectors follow the vector of the whole window; 1 cuts nothing.

    Yields
    ------
    Window
        The first window begins at frame 0, and all end within the video. A video shorter than a window has one
        window, as long as the video.

    Raises
    ------
    DataError
        If the slices are of another codebook, or lengths are no whole numbers of slices.

    Notes
    -----
    docs/method/untrimmed.md, section 1.
    """
    if slices.codebook != codebook.digest:
        raise DataError(f"the slices of {slices.name} were made with another codebook")
    stride = slices.length if stride is None else stride
    for name, value in (("length", length), ("stride", stride)):
        LENGTH.check(name, value)
        if value % slices.length:
            raise DataError(
                f"{name} of windows must be a multiple of the {slices.length} frames of a slice, got {value}"
            )
    count, step = length // slices.length, stride // slices.length
    if parts < 1 or count % parts:
        raise DataError(f"a window of {count} slices cannot be cut into {parts} equal parts")
    widths = widths_of(codebook, params)
    starts = range(0, max(slices.count - count, 0) + 1, step)
    running = [_RunningSum(slices, count // parts, part * (count // parts)) for part in range(parts)]
    for start in starts:
        found = [each.move_to(start) for each in running]
        rows, tracks = [row for row, _ in found], [n for _, n in found]
        cells = [(np.sum(rows, axis=0), sum(tracks))]
        if parts > 1:
            cells += list(zip(rows, tracks, strict=True))
        end = min((start + count) * slices.length, slices.frames)
        yield Window(start * slices.length, end, sum(tracks), vector_of(cells, codebook, params, widths))


class _RunningSum:
    """Sums of the slices of a window that moves on; each slice is added once and taken away once."""

    def __init__(self, slices, count, offset):
        self._slices, self._count, self._offset = slices, count, offset
        self._sum, self._tracks = np.zeros(slices.means.shape[1]), 0
        self._first = self._last = 0

    def move_to(self, start):
        """Move the window to slice ``start``; return its sums and its number of tracks."""
        index = self._slices.index
        first, last = np.searchsorted(index, (start + self._offset, start + self._offset + self._count)).tolist()
        if first >= self._last:
            # The windows share no row, so start from zero instead of taking all rows away.
            self._sum[:], self._tracks, self._first, self._last = 0, 0, first, first
        for row in range(self._first, first):
            self._add(row, -1)
        for row in range(self._last, last):
            self._add(row, 1)
        self._first, self._last = first, last
        if first == last:
            # Set an empty sum to zero: normalisation would turn its rounding errors into a vector of length one.
            self._sum[:] = 0
        return self._sum.copy(), self._tracks

    def _add(self, row, sign):
        """Add a row if ``sign`` is 1, take it away if it is −1."""
        tracks = int(self._slices.tracks[row])
        self._sum += sign * tracks * self._slices.means[row].astype(np.float64)
        self._tracks += sign * tracks


def widths_of(codebook, params):
    """Return how many sums each block of a ``codebook`` has with these ``params``, a list of int."""
    return [len(block.coder.to_row(block.coder.empty_sums(params), params)) for block in codebook.blocks]


def vector_of(cells, codebook, params, widths):
    """Normalise the sums of cells, block by block.

    Parameters
    ----------
    cells : list of ((m,) float64, int)
        Sums of each cell, and its number of tracks.
    codebook : Codebook
    params : BlockParams
    widths : list of int
        As from `widths_of`.

    Returns
    -------
    (d,) float32
    """
    vectors, first = [], 0
    for block, width in zip(codebook.blocks, widths, strict=True):
        for row, tracks in cells:
            sums = block.coder.from_row(row[first : first + width], tracks, params)
            vectors.append(block.coder.vector(sums, params))
        first += width
    return np.concatenate(vectors)
