"""Spatio-temporal pyramids: grids of cells over a video, each of which has a vector of its own.

A grid ``1x3x1`` is one column, three rows and one stretch of time: three horizontal bands. A pyramid is several
grids. A track lies in one cell of each grid, floor(cells · relative position).

Source: docs/method/encoding.md, section 12; Laptev et al. 2008; Wang et al., IJCV 2013.
"""

from itertools import product
from typing import NamedTuple

import numpy as np

from encoding.grids import pyramid_grids
from encoding.vector_layout import WHOLE
from idt.checks import float_array


class CellTracks(NamedTuple):
    """Tracks that lie in the same cells of all grids: their ``rows`` (m,) int, and the numbers of these ``cells``."""

    rows: np.ndarray
    cells: tuple[int, ...]


class Pyramid(NamedTuple):
    """Grids, each of (columns, rows, times)."""

    grids: tuple[tuple[int, int, int], ...]

    @classmethod
    def parse(cls, text):
        """Parse a text such as ``1x1x1,1x3x1,1x1x2``.

        Parameters
        ----------
        text : str

        Returns
        -------
        Pyramid

        Raises
        ------
        DataError
            If the text is no list of different grids.
        """
        return cls(pyramid_grids(text))

    @property
    def is_whole(self):
        """Whether there is no cell but the whole video, so that positions are not needed."""
        return self.grids == ((1, 1, 1),)

    def names(self):
        """Name the cells, grid by grid: ``whole``, ``1x3x1[0,2,0]`` (column, row, time)."""
        return [
            WHOLE if grid == (1, 1, 1) else f"{'x'.join(map(str, grid))}[{x},{y},{t}]"
            for grid in self.grids
            for x, y, t in product(*map(range, grid))
        ]

    def group_by_cells(self, position):
        """Group tracks by the cells that they lie in.

        Parameters
        ----------
        position : (n, 3) float32
            Relative positions, in [0, 1).

        Returns
        -------
        list of CellTracks
            Every track is in one of them.

        Raises
        ------
        DataError
            If a position is needed and not known, such as the relative time in a stream.
        """
        used = [axis for axis in range(3) if any(grid[axis] > 1 for grid in self.grids)]
        float_array(position[:, used], (None, len(used)), "the positions that a pyramid needs")
        codes = np.zeros((len(position), len(self.grids)), np.int64)
        first = 0
        for i, grid in enumerate(self.grids):
            cells = np.array(grid, np.float32)
            # An axis with one cell needs no position, which may be unknown.
            place = np.floor(np.where(cells > 1, position, 0) * cells).astype(np.int64)
            codes[:, i] = first + np.ravel_multi_index(tuple(place.T), grid, mode="clip")
            first += int(np.prod(grid))
        cells_of_group, group = np.unique(codes, axis=0, return_inverse=True)
        group = group.ravel()
        return [CellTracks(np.flatnonzero(group == i), tuple(map(int, row))) for i, row in enumerate(cells_of_group)]
