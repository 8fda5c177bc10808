"""Live tracks of one scale: points that follow the flow for L steps, and the sums of their descriptors.

Method: docs/method/extraction.md, section 6.

Tracks are a structure of arrays: a track stays in one slot until it ends. A table lists the slots in use, by age, and
then the free slots. New tracks are appended. Removing lost and finished tracks keeps the order, so tracks finish in the
order in which they started.
"""

from typing import NamedTuple

import numpy as np

from idt import checks
from idt.errors import DataError
from idt.kernels import tracks as kernel


class FinishedAtScale(NamedTuple):
    """Tracks that have made their L steps, in pixels of their scale.

    Attributes
    ----------
    points : (n, L + 1, 2) float32
    displacements : (n, L, 2) float32
        Displacements of the compensated flow.
    slots : (n,) int32
        Indices of the tracks for `LiveTracks.histograms`.
    """

    points: np.ndarray
    displacements: np.ndarray
    slots: np.ndarray


class LiveTracks:
    """The live tracks of one scale.

    Parameters
    ----------
    length : int
        Steps of a whole track ("L").
    time_cells : int
        Number of groups of ``length // time_cells`` consecutive steps; histograms are averaged over each.
    step_size : int
        Numbers that describe one step ("D").

    Attributes
    ----------
    sums : (m, D) float32
        Sums of the histograms, a row for each track and time cell. Before each `advance` the caller adds the
        histograms of each track's step to the row that `rows` names.
    """

    def __init__(self, length, time_cells, step_size):
        self._length = length
        self._time_cells = time_cells
        self._steps_per_cell = length // time_cells
        self._count = 0
        # Sorted by age. Rows of the table: slot (free slots come last), steps made, row of the sums.
        self._table = np.zeros((3, 0), np.int32)
        self._positions = np.zeros((0, 2), np.float32)
        # By slot.
        self._points = np.zeros((0, length + 1, 2), np.float32)
        self._displacements = np.zeros((0, length, 2), np.float32)
        self.sums = np.zeros((0, step_size), np.float32)
        self._nothing = FinishedAtScale(self._points, self._displacements, self._table[0])

    def __len__(self):
        return self._count

    @property
    def positions(self):
        """Return the current positions (x, y) by age, (n, 2) float32; the next `advance` overwrites this view."""
        return self._positions[: self._count]

    @property
    def rows(self):
        """Return the row of `sums` for each track's next step, by age, (n,) int32; −1 beyond the time cells.

        A view that the next `advance` overwrites.
        """
        return self._table[2, : self._count]

    def start(self, points):
        """Begin a track at each of the points, contiguous (m, 2) float32."""
        points = checks.checked_points(points, "points")
        last, room = self._count + len(points), len(self._points)
        if last > room:
            self._grow(max(last - room, room // 4, 256))
        kernel.start(points, self._time_cells, self._count, self._table, self._positions, self._points, self.sums)
        self._count = last

    def none_finished(self):
        """Return the `FinishedAtScale` of a frame at which no track ends."""
        return self._nothing

    def advance(self, flow, flow_warp, *, spacing=1, size=None):
        """Move every track by one frame, and remove those that left the image or have made L steps.

        Parameters
        ----------
        flow, flow_warp : (h, w, 2) float32
            The flow that moves the points, and the one whose displacements describe them.
        spacing : int
            Spacing of the flows' vectors in pixels of the scale, in x and in y.
        size : (int, int), optional
            Height and width of the scale; those of the flows by default.

        Returns
        -------
        FinishedAtScale
            The tracks that have made their L steps inside the image.

        Raises
        ------
        DataError
            If the flows differ in size or do not cover the scale.

        Notes
        -----
        docs/method/extraction.md, section 6: a point moves by the flow at its rounded, clamped position, and is dropped
        when it lands on or beyond the border. Time cells: docs/method/extraction.md, section 7.5.
        """
        if flow.shape != flow_warp.shape:
            raise DataError(f"flow and flow_warp must have one shape, got {flow.shape} and {flow_warp.shape}")
        height, width = flow.shape[:2] if size is None else size
        if (-(-height // spacing), -(-width // spacing)) != flow.shape[:2]:
            raise DataError(f"flow must have a vector for every {spacing} px of {(height, width)}, got {flow.shape}")
        # `flow.between` stores flows as planes; then this makes no copies.
        planes, planes_warp = (
            np.ascontiguousarray(field.transpose(2, 0, 1), np.float32) for field in (flow, flow_warp)
        )
        n_live, n_finished = kernel.advance(
            planes,
            planes_warp,
            np.array([height, width, spacing, self._time_cells]),
            self._count,
            self._table,
            self._positions,
            self._points,
            self._displacements,
        )
        self._count = n_live
        if n_finished == 0:
            return self._nothing
        # A copy, because the next `start` reuses these slots.
        slots = self._table[0, n_live : n_live + n_finished].copy()
        return FinishedAtScale(self._points.take(slots, axis=0), self._displacements.take(slots, axis=0), slots)

    def histograms(self, slots, described=None):
        """Return the mean histograms of tracks that have just finished.

        Parameters
        ----------
        slots : (n,) int32
            Slots of `FinishedAtScale`; the next `start` reuses them.
        described : (time cells,) int, optional
            Steps of each time cell whose histograms were added; all of them by default.

        Returns
        -------
        (n, time cells, D) float32
            Mean over the described steps of each time cell.
        """
        size = self.sums.shape[1]
        if len(slots) == 0:
            return np.zeros((0, self._time_cells, size), np.float32)
        means = self.sums.reshape(len(self._points), self._time_cells, size).take(slots, axis=0)
        steps = np.full(self._time_cells, self._steps_per_cell) if described is None else described
        means /= np.asarray(steps, np.float32)[:, None]
        return means

    def _grow(self, more):
        """Add ``more`` free slots."""
        old = len(self._points)
        free = np.zeros((3, more), np.int32)
        free[0] = np.arange(old, old + more)
        self._table = np.concatenate([self._table, free], axis=1)
        for name, rows in (
            ("_positions", 1),
            ("_points", 1),
            ("_displacements", 1),
            ("sums", self._time_cells),
        ):
            array = getattr(self, name)
            setattr(self, name, np.concatenate([array, np.zeros((more * rows, *array.shape[1:]), array.dtype)]))
