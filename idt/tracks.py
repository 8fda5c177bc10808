"""The live tracks of one scale (spec 6): points that follow the flow for L steps, with what is described on the way.

A structure of arrays, ordered by age: new tracks are appended, lost and finished ones taken out without disturbing
the order, so tracks leave in the order in which they came.
"""

from typing import NamedTuple

import numpy as np

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
        self._count = 0
        self._ages = np.zeros(0, np.int32)
        self._points = np.zeros((0, length + 1, 2), np.float32)
        self._displacements = np.zeros((0, length, 2), np.float32)
        self._sums = np.zeros((0, time_cells, step_size), np.float32)

    def __len__(self):
        return self._count

    @property
    def positions(self):
        """Current positions (x, y), (n, 2) float32."""
        n = self._count
        return self._points[np.arange(n), self._ages[:n]]

    def start(self, points):
        """Begin a track at each of the points, (m, 2) float32."""
        first, last = self._count, self._count + len(points)
        if last > len(self._ages):
            self._grow(max(last, 2 * len(self._ages), 256))
        self._ages[first:last] = 0
        self._points[first:last, 0] = points
        self._sums[first:last] = 0
        self._count = last

    def none_finished(self):
        """The `Finished` of a frame at which no track can end."""
        none = slice(0, 0)
        return Finished(self._points[none].copy(), self._displacements[none].copy(), self._sums[none].copy())

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

        Notes
        -----
        Spec 6: a point moves by the flow at its rounded, clamped position, and is dropped when it lands on or
        beyond the border. Time cells: spec 7.
        """
        n = self._count
        ages = self._ages[:n]
        kernel.accumulate(steps, ages, self._group, self._sums)
        kernel.advance(flow, flow_warp, ages, self._points, self._displacements)
        done = np.flatnonzero(ages == self._length)
        finished = Finished(self._points[done], self._displacements[done], self._sums[done] / np.float32(self._group))
        self._keep(np.flatnonzero((ages >= 0) & (ages < self._length)))
        return finished

    def _keep(self, live):
        for array in (self._ages, self._points, self._displacements, self._sums):
            array[: len(live)] = array[live]
        self._count = len(live)

    def _grow(self, capacity):
        for name in ("_ages", "_points", "_displacements", "_sums"):
            old = getattr(self, name)
            new = np.zeros((capacity, *old.shape[1:]), old.dtype)
            new[: self._count] = old[: self._count]
            setattr(self, name, new)
