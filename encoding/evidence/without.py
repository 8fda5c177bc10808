"""Loss of a cell: by how much a score falls if the tracks of one space-time cell are left out.

All other tracks are encoded as if they were a whole video, and their vector is scored. If vectors come from additive
sums, the sums of the cell are subtracted from those of the video. A component whose descriptors all lie in the cell
then becomes exactly zero, because the two sums are equal.

Source: docs/method/encoding.md, section 17.
"""

from typing import NamedTuple

import numpy as np

from encoding.coders.pooling import CellCoder
from encoding.coders.pyramid import Pyramid
from encoding.coders.registry import encodes_groups
from encoding.evidence.cells import GRID, GRID_BOUNDS, LENGTH, LENGTH_BOUNDS
from encoding.evidence.tracks_read import pyramid_parts

BATCH = 16
"""Vectors that are scored at once."""


class Losses(NamedTuple):
    """Losses of cells: by how much a score falls if the tracks of each are left out.

    Attributes
    ----------
    cells : (m, 3) int64
        Column, row and time slice of the cells that have tracks.
    cell_of : (n,) int64
        Number of the cell that each track lies in.
    values : (m,) or (m, c) float64
        Score of the whole video minus the score without the cell.
    whole : float or (c,) float64
        Score of the whole video.
    """

    cells: np.ndarray
    cell_of: np.ndarray
    values: np.ndarray
    whole: np.ndarray


def cell_losses(tracks, codebook, params, score, *, grid=GRID, length=LENGTH, threads=1, update=None):
    """Compute by how much a score falls if the tracks of each space-time cell are left out.

    Parameters
    ----------
    tracks : ProjectedTracks
        As from `encoding.evidence.tracks_read.read_tracks`.
    codebook : Codebook
    params : BlockParams
        As from `Codebook.params_with`.
    score : callable
        Given vectors (k, d) float32, returns their scores, (k,) or (k, c).
    grid : (int, int)
        Columns and rows of cells.
    length : int
        Frames of a cell. A track lies in the cell of its mean position and its middle frame.
    threads : int
        The result does not depend on it.
    update : callable, optional
        Called with the number of cells that are done since the last call.

    Returns
    -------
    Losses

    Raises
    ------
    DataError
        If the size of the cells is out of bounds.

    Notes
    -----
    docs/method/encoding.md, section 17.
    """
    GRID_BOUNDS.check("columns", grid[0])
    GRID_BOUNDS.check("rows", grid[1])
    LENGTH_BOUNDS.check("length", length)
    cells, cell_of = cells_of(tracks.columns, grid, length)
    additive = [_is_additive(block.coder, params) for block in codebook.blocks]
    makers = [
        (_Subtracted if adds else _Pooled)(block.coder, params, rows, tracks, cell_of, len(cells), threads)
        for block, rows, adds in zip(codebook.blocks, tracks.rows, additive, strict=True)
    ]
    whole = np.asarray(score(np.concatenate([maker.whole() for maker in makers])[None]), np.float64)[0]
    values = np.zeros((len(cells), *np.shape(whole)))
    for start in range(0, len(cells), BATCH):
        numbers = range(start, min(start + BATCH, len(cells)))
        vectors = np.array([np.concatenate([maker.without(number) for maker in makers]) for number in numbers])
        values[start : start + BATCH] = whole - np.asarray(score(vectors), np.float64)
        if update is not None:
            update(len(numbers))
    return Losses(cells, cell_of, values, whole)


def cells_of(tracks, grid, length):
    """Find the space-time cells that have tracks.

    Parameters
    ----------
    tracks : TrackColumns
        With frames, frame steps and positions.
    grid, length
        As for `cell_losses`.

    Returns
    -------
    cells : (m, 3) int64
        Column, row and time slice, in the order of time, row and column.
    cell_of : (n,) int64
        Number of the cell that each track lies in.
    """
    sides = np.array(grid)
    place = np.clip(np.floor(tracks.position[:, :2] * sides).astype(np.int64), 0, sides - 1)
    slices = np.floor(tracks.middle_frames() / length).astype(np.int64)
    found, cell_of = np.unique(np.column_stack([slices, place[:, 1], place[:, 0]]), axis=0, return_inverse=True)
    return found[:, ::-1], cell_of.ravel()


def _is_additive(coder, params):
    """Tell whether the vectors are made from sums to which each track adds by itself."""
    keeps_largest = getattr(params, "pooling", "sum") == "max" or getattr(params, "pool", "mean") != "mean"
    return isinstance(coder, CellCoder) and not encodes_groups(params) and not keeps_largest


class _Pooled:
    """Vectors of one block without a cell, each encoded anew from the other tracks."""

    def __init__(self, coder, params, rows, tracks, cell_of, n_cells, threads):
        self._coder, self._params, self._rows, self._tracks = coder, params, rows, tracks.columns
        self._cell_of, self._threads = cell_of, threads

    def whole(self):
        return self._vector(np.ones(len(self._rows), bool))

    def without(self, number):
        return self._vector(self._cell_of != number)

    def _vector(self, kept):
        pool = self._coder.pool(self._params)
        if kept.any():
            pool.add(self._rows[kept], self._tracks.take(kept), self._threads)
        return pool.vector()


class _Subtracted:
    """Vectors of one block without a cell, from the sums of the whole video minus those of the cell."""

    def __init__(self, coder, params, rows, tracks, cell_of, n_cells, threads):
        self._coder, self._params, self._rows, self._threads = coder, params, rows, threads
        order = np.argsort(cell_of, kind="stable")
        self._members = np.split(order, np.searchsorted(cell_of[order], np.arange(1, max(n_cells, 1))))
        # Tracks that lie in the same pyramid cells are summed up together.
        parts = pyramid_parts(tracks, params)
        self._part_of, self._cells_of_part = np.zeros(len(rows), np.int64), [part.cells for part in parts]
        for number, part in enumerate(parts):
            self._part_of[part.rows] = number
        empty = coder.to_row(coder.empty_sums(params), params)
        n = len(Pyramid.parse(params.pyramid).names())
        self._total, self._count = np.zeros((n, len(empty))), np.zeros(n, np.int64)
        for number in range(n_cells):
            for cell, (count, row) in self._sums(number).items():
                self._count[cell] += count
                self._total[cell] += row
        self._whole = [self._normalised(row, count) for row, count in zip(self._total, self._count, strict=True)]

    def whole(self):
        return np.concatenate(self._whole)

    def without(self, number):
        vectors = list(self._whole)
        for cell, (count, row) in self._sums(number).items():
            vectors[cell] = self._normalised(self._total[cell] - row, self._count[cell] - count)
        return np.concatenate(vectors)

    def _sums(self, number):
        """Sum up the tracks of a cell: dict of pyramid cell to (number of tracks, flat row)."""
        members = self._members[number]
        found: dict[int, tuple] = {}
        for part in np.unique(self._part_of[members]).tolist():
            chosen = members[self._part_of[members] == part]
            codes = self._coder.code(self._rows[chosen], self._params, None)
            row = self._coder.to_row(self._coder.sum_codes(codes, self._params, self._threads), self._params)
            for cell in self._cells_of_part[part]:
                count, before = found.get(cell, (0, 0.0))
                found[cell] = (count + len(chosen), before + row)
        return found

    def _normalised(self, row, count):
        return self._coder.vector(self._coder.from_row(row, int(count), self._params), self._params)
