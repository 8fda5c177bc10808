"""Pooling of a video's descriptors into the vectors of its pyramid's cells, and into sums by time slice and cell.

Most encodings are made of sums over descriptors: posteriors and their moments (Fisher vectors), counts and sums (VLAD),
codes (bags of words). Stacked vectors are not, and maxima take the place of sums in max pooling. The sums of disjoint
sets add up to the sum of their union, so each track is read once. Tracks that fall into the same cells of all grids are
summed up together, and a cell adds up the sums of its tracks. The vector of any window of time is made from the sums of
its slices in the same way (`sum_by_slice_and_cell`).

Source: docs/method/encoding.md, sections 12 and 13.
"""

from typing import Any, NamedTuple

import numpy as np

from encoding.coders.pyramid import Pyramid


class CellCoder:
    """A `Coder` whose vectors are made from additive sums, a vector for each cell of the pyramid."""

    def pool(self, params):
        """Return an empty pool."""
        return CellPool(self, params)

    def cells(self, params):
        """Return the cells of the vector with their sizes, in order."""
        return [(name, self.size(params)) for name in Pyramid.parse(params.pyramid).names()]

    def code(self, rows, params, tracks):
        """Return the codes that are summed, one a descriptor, as an array of rows; by default the descriptors."""
        return rows

    def sum_codes(self, codes, params, threads=1) -> Any:
        """Sum up some codes; sums of several sets can be added."""
        raise NotImplementedError

    def empty_sums(self, params) -> Any:
        """Return the sums of no descriptors."""
        raise NotImplementedError

    def vector(self, sums, params) -> np.ndarray:
        """Return the normalised vector of some sums, (m,) float32."""
        raise NotImplementedError

    def size(self, params) -> int:
        """Return the length of a vector."""
        raise NotImplementedError

    def to_row(self, sums, params) -> np.ndarray:
        """Return the sums as one row of numbers, (m,) float64; rows can be added and subtracted as numbers."""
        raise NotImplementedError

    def from_row(self, row, n, params) -> Any:
        """Return the sums over ``n`` descriptors that `to_row` made the row from."""
        raise NotImplementedError


class CellPool:
    """The sums of one video, cell by cell.

    Parameters
    ----------
    coder : CellCoder
    params : BlockParams
    """

    def __init__(self, coder, params):
        self._coder, self._params = coder, params
        self._pyramid = Pyramid.parse(params.pyramid)
        self._sums = [coder.empty_sums(params) for _ in self._pyramid.names()]

    def add(self, rows, tracks, threads=1):
        """Take in projected descriptors and their `TrackColumns`."""
        codes = self._coder.code(rows, self._params, tracks)
        if self._pyramid.is_whole:
            self._sums[0] += self._coder.sum_codes(codes, self._params, threads)
            return
        for part in self._pyramid.group_by_cells(tracks.position):
            found = self._coder.sum_codes(codes[part.rows], self._params, threads)
            for cell in part.cells:
                self._sums[cell] += found

    def vector(self):
        """Return the normalised vectors of all cells, one after the other."""
        return np.concatenate([self._coder.vector(sums, self._params) for sums in self._sums])


class SliceCellSums(NamedTuple):
    """Sums of one block of a video by time slice and cell.

    Attributes
    ----------
    length : int
        Frames of a slice: slice i begins at frame i · length.
    grid : (int, int)
        Columns and rows of cells.
    sums : dict of (int, int, int) to sums
        Sums by slice, column and row; cells without tracks are left out.
    """

    length: int
    grid: tuple[int, int]
    sums: dict

    def total(self, coder, params, *, slices=None, columns=None, rows=None):
        """Add up the sums of a window.

        Parameters
        ----------
        coder : CellCoder
        params : BlockParams
        slices, columns, rows : range, optional
            Numbers of the slices, columns and rows of the window; all by default.

        Returns
        -------
        sums
            ``coder.vector`` makes a vector of them.
        """
        total = coder.empty_sums(params)
        window = (slices, columns, rows)
        for place in sorted(self.sums):
            if all(chosen is None or i in chosen for i, chosen in zip(place, window, strict=True)):
                total += self.sums[place]
        return total


def sum_by_slice_and_cell(coder, params, parts, *, length, grid=(1, 1), threads=1):
    """Sum up a video by time slice and cell; a track belongs to the slice of its middle frame.

    Parameters
    ----------
    coder : CellCoder
    params : BlockParams
        The pyramid is not used.
    parts : iterable of (rows, TrackColumns)
        Projected descriptors; the columns of their tracks: frame, frame step (``skip``), and position if there are
        several cells.
    length : int
        Frames of a slice.
    grid : (int, int)
        Columns and rows of cells.
    threads : int
        The result does not depend on it.

    Returns
    -------
    SliceCellSums
    """
    cells = Pyramid(((grid[0], grid[1], 1),))
    sums: dict = {}
    for rows, tracks in parts:
        codes = coder.code(rows, params, tracks)
        number = np.floor(tracks.middle_frames() / length).astype(np.int64)
        position = tracks.position if grid != (1, 1) else np.zeros((len(rows), 3), np.float32)
        for part in cells.group_by_cells(position):
            for i in np.unique(number[part.rows]):
                chosen = part.rows[number[part.rows] == i]
                place = (int(i), *divmod(part.cells[0], grid[1]))
                found = coder.sum_codes(codes[chosen], params, threads)
                sums[place] = sums[place] + found if place in sums else found
    return SliceCellSums(length, grid, sums)
