"""Trajectory-pooled deep-convolutional descriptors (TDD): sums of feature maps along tracks.

    D(track) = Σ_p C(column(x_p), row(y_p), t_p),  p = 0 … L − 1, t_p = e − (L − p) · skip,

e being the frame at which the track ends. ``st`` divides each channel by its largest absolute value over the whole
video; since that is linear, sums are stored as they are and divided when they are read. ``channel`` divides each
position by its largest absolute value over the channels before it is summed up.

Source: docs/method/networks.md, section 7; Wang, Qiao and Tang, CVPR 2015.
"""

import itertools
from collections import deque

import numpy as np

from idt.errors import DataError
from idt.networks.map_params import block_names
from idt.networks.map_stream import FrameMaps, axes_of, frame_maps, input_sizes

EPS = 2.2e-16
"""Added to every maximum, as in the released code."""


class MapPool:
    """Pool of the maps of one video along its tracks; maps are computed as far as the tracks need them.

    Parameters
    ----------
    pictures : iterable of Picture
        The frames of the video, from its first one on.
    params : MapParams
    networks : list of Network
        As from ``params.networks()``.
    size : (int, int)
        Height and width of the frames.
    first : int
        Index of the first frame.

    Attributes
    ----------
    names : list of str
        Names of the blocks.
    """

    def __init__(self, pictures, params, networks, *, size, first=0):
        self._params, self._first, self._size = params, first, size
        self._sources = [
            _Source(network, pictures_of, params, size)
            for network, pictures_of in zip(networks, _shared(pictures, len(networks)), strict=True)
        ]
        self._names = block_names(networks, params.norms)
        self.names = [name for of_network in self._names for of_tensor in of_network for name in of_tensor]

    def pool(self, points, frames, skips=None):
        """Sum up the maps along tracks.

        Parameters
        ----------
        points : (n, L + 1, 2) float32
            In pixels of the frames.
        frames : (n,) int
            Frames at which the tracks end; no track may end more than 16 frames before one of the previous call.
        skips : (n,) int, optional
            Frame steps.

        Returns
        -------
        dict of str to (n, S · C) float32
            Sums by name of block. With the norm ``st`` the sums of the S scales stand side by side, because each is
            divided before they are added, when the descriptor is read. Otherwise they are added here, and S is 1.

        Raises
        ------
        DataError
            If the video ends before the tracks do.
        """
        length = points.shape[1] - 1
        skips = np.ones(len(points), np.int64) if skips is None else skips.astype(np.int64)
        steps = np.arange(length) - length
        times = frames.astype(np.int64)[:, None] - self._first + steps * skips[:, None]
        found: dict[str, np.ndarray] = {}
        for source, names in zip(self._sources, self._names, strict=True):
            source.advance(int(times.max()) if len(times) else -1)
            found.update(source.pool(points[:, :length], times, names))
            source.forget(int(frames.min()) - self._first - 32 if len(frames) else 0)
        return found

    def finish(self):
        """Read the remaining frames, and return the maxima of the ``st`` blocks, (S · C,) float32 by name."""
        found = {}
        if "st" in self._params.norms:
            st = self._params.norms.index("st")
            for source, names in zip(self._sources, self._names, strict=True):
                source.advance(None)
                for tensor, of_tensor in enumerate(names):
                    maxima = [scale[tensor] for scale in source.maxima]
                    found[of_tensor[st]] = (np.concatenate(maxima).astype(np.float64) + EPS).astype(np.float32)
        return found


class _Source:
    """Maps of one network for the last frames, and the maxima over all frames."""

    def __init__(self, network, pictures, params, size):
        self._network, self._params, self._size = network, params, size
        height, width = size
        self._inputs = input_sizes(network, height, width, params.scales)
        self._stream = frame_maps(pictures, network, self._inputs)
        self._kept: deque[FrameMaps] = deque()
        self._last_index = -1
        self._longest_span = 0
        self.maxima: list[list[np.ndarray]] = []

    def advance(self, frame):
        """Compute the maps up to a ``frame``, or to the end of the video if it is None."""
        while frame is None or self._last_index < frame:
            made = next(self._stream, None)
            if made is None:
                if frame is None:
                    return
                raise DataError("the video gave fewer frames for its maps than for its tracks; run again")
            self._last_index = made.index
            largest = [[np.abs(one).max(axis=(0, 1)) for one in scale] for scale in made.maps]
            if not self.maxima:
                self.maxima = largest
            for before, now in zip(self.maxima, largest, strict=True):
                for old, new in zip(before, now, strict=True):
                    np.maximum(old, new, out=old)
            if frame is not None:
                self._kept.append(made)

    def forget(self, frame):
        """Drop the maps that tracks ending at this ``frame`` or later do not need."""
        while self._kept and self._kept[0].index < frame - self._longest_span:
            self._kept.popleft()

    def pool(self, points, times, names):
        """Sum up the maps along tracks, block by block."""
        params = self._params
        self._longest_span = max(self._longest_span, int(np.ptp(times, axis=1).max()) if len(times) else 0)
        first = self._kept[0].index if self._kept else 0
        found = {}
        for tensor, of_tensor in enumerate(names):
            sums: dict[str, list] = {norm: [] for norm in params.norms}
            for scale, size in enumerate(self._inputs):
                totals = dict.fromkeys(params.norms, 0.0)
                for step in range(times.shape[1]):
                    rows = self._values(points[:, step], times[:, step] - first, tensor, scale, size)
                    for norm in params.norms:
                        values = rows
                        if norm == "channel":
                            values = rows / (np.abs(rows).max(axis=1, keepdims=True).astype(np.float64) + EPS)
                        totals[norm] = totals[norm] + values.astype(np.float64)
                for norm in params.norms:
                    sums[norm].append(totals[norm])
            for norm, name in zip(params.norms, of_tensor, strict=True):
                parts = sums[norm]
                joined = np.concatenate(parts, axis=1) if norm == "st" else np.sum(parts, axis=0)
                found[name] = joined.astype(np.float32)
        return found

    def _values(self, points, times, tensor, scale, size):
        """Look up the values (n, C) of a tensor at points (n, 2)."""
        if not self._kept:
            self.advance(0)  # the first map has the number of channels
        sample = self._kept[0].maps[scale][tensor]
        cells = self._cells(points, sample.shape, tensor, size)
        found = np.empty((len(points), sample.shape[2]), np.float32)
        for time in np.unique(times):
            chosen = times == time
            found[chosen] = self._kept[time].maps[scale][tensor][cells[chosen, 1], cells[chosen, 0]]
        return found

    def _cells(self, points, shape, tensor, size):
        """Compute the columns and rows (n, 2) of the cells that contain points."""
        height, width = self._size
        cells = np.empty((len(points), 2), np.int64)
        if self._params.mapping == "ratio":
            for axis, (whole, count) in enumerate(((width, shape[1]), (height, shape[0]))):
                cells[:, axis] = np.floor(points[:, axis].astype(np.float64) * count / whole + 0.5)
        else:
            shapes = tuple(self._network.layout.sizes(1, size).values())
            axes = axes_of(self._network, self._network.tensors[tensor], shapes)
            for axis, (whole, input_, map_axis) in enumerate(((width, size[1], axes[-1]), (height, size[0], axes[-2]))):
                place = points[:, axis].astype(np.float64) * input_ / whole
                cells[:, axis] = np.floor((place - map_axis.start) / map_axis.stride + 0.5)
        return np.clip(cells, 0, [shape[1] - 1, shape[0] - 1])


def _shared(pictures, count):
    """Return as many iterators over the same pictures, because several networks advance together."""
    return [iter(pictures)] if count == 1 else list(itertools.tee(pictures, count))
