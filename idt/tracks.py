"""The live tracks of one scale (spec 6): points that follow the flow for L steps, with what is described on the way.

A structure of arrays with a slot for each track. The live slots are listed by age: new tracks are put at the end, lost
and finished ones taken out without disturbing the order, so tracks leave in the order in which they came.
"""

from typing import NamedTuple

import numpy as np

from idt import arrays
from idt.errors import DataError
from idt.kernels import tracks as kernel


class Finished(NamedTuple):
    """Tracks that have made their L steps, in pixels of their scale.

    Attributes
    ----------
    points : (n, L + 1, 2) float32
    displacements : (n, L, 2) float32
        Of the compensated flow.
    histograms : (n, time cells, D) float32
        Mean over the steps of each time cell.
    """

    points: np.ndarray
    displacements: np.ndarray
    histograms: np.ndarray


class Tracks:
    """The live tracks of one scale.

    Parameters
    ----------
    length : int
        Steps of a whole track ("L").
    time_cells : int
        Groups of length // time_cells consecutive steps over which histograms are averaged.
    step_size : int
        Numbers that describe one step ("D").
    """

    def __init__(self, length, time_cells, step_size):
        self._length = length
        self._group = length // time_cells
        self._live = np.zeros(0, np.int32)
        self._free = np.zeros(0, np.int32)
        self._ages = np.zeros(0, np.int32)
        self._points = np.zeros((0, length + 1, 2), np.float32)
        self._displacements = np.zeros((0, length, 2), np.float32)
        self._sums = np.zeros((0, time_cells, step_size), np.float32)

    def __len__(self):
        return len(self._live)

    @property
    def positions(self):
        """Current positions (x, y) by age, (n, 2) float32."""
        return self._points[self._live, self._ages[self._live]]

    def start(self, points):
        """Begin a track at each of the points, (m, 2) float32."""
        points = arrays.float_array(points, (None, 2), "points")
        if len(points) > len(self._free):
            self._grow(max(len(points) - len(self._free), len(self._ages), 256))
        slots, self._free = self._free[: len(points)], self._free[len(points) :]
        self._ages[slots] = 0
        self._points[slots, 0] = points
        self._sums[slots] = 0
        self._live = np.concatenate([self._live, slots])

    def none_finished(self):
        """The `Finished` of a frame at which no track can end."""
        return self._finished(self._live[:0])

    def advance(self, flow, flow_warp, steps):
        """Move every track by one frame and take out those that left the image or have made L steps.

        Parameters
        ----------
        flow, flow_warp : (h, w, 2) float32
            The flow that moves the points, and the one whose displacements describe them.
        steps : (n, D) float32
            Histograms at the positions before the move.

        Returns
        -------
        Finished
            The tracks that have made their L steps inside the image.

        Raises
        ------
        DataError
            If the flows differ in size or ``steps`` does not have a row for each live track.

        Notes
        -----
        Spec 6: a point moves by the flow at its rounded, clamped position, and is dropped when it lands on or
        beyond the border. Time cells: spec 7.
        """
        live = self._live
        if flow.shape != flow_warp.shape:
            raise DataError(f"flow and flow_warp must have one shape, got {flow.shape} and {flow_warp.shape}")
        if np.shape(steps) != (len(live), self._sums.shape[2]) or steps.dtype != np.float32:
            raise DataError(
                f"steps must be float32 of shape {(len(live), self._sums.shape[2])}, one row per live track,"
                f" got {arrays.describe(steps)}"
            )
        kernel.accumulate(steps, live, self._ages, self._group, self._sums)
        kernel.advance(flow, flow_warp, live, self._ages, self._points, self._displacements)
        ages = self._ages[live]
        goes_on = (ages >= 0) & (ages < self._length)
        self._live = live[goes_on]
        self._free = np.concatenate([self._free, live[~goes_on]])
        return self._finished(live[ages == self._length])

    def _finished(self, slots):
        return Finished(self._points[slots], self._displacements[slots], self._sums[slots] / np.float32(self._group))

    def _grow(self, more):
        """Add ``more`` slots, free ones."""
        old = len(self._ages)
        self._free = np.concatenate([self._free, np.arange(old, old + more, dtype=np.int32)])
        for name in ("_ages", "_points", "_displacements", "_sums"):
            array = getattr(self, name)
            setattr(self, name, np.concatenate([array, np.zeros((more, *array.shape[1:]), array.dtype)]))
