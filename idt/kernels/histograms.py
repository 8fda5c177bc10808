"""Histograms of oriented gradients, flow and motion boundaries over patches (spec 7), without integral images.

The image is walked row by row. Each row's vectors are shared between their two nearest orientation bins, and running
column sums over the last ``cell`` rows are kept for every channel. Where a patch's cell ends in the row, ``cell``
neighbouring columns make up its histogram.

Channels: 0–7 HOG, 8–15 HOF, 16 HOF's bin of small vectors, 17–24 MBHx, 25–32 MBHy.
"""

import numpy as np
from numba import njit

from idt.kernels.simd import sum16

BINS = 8
CHANNELS = 4 * BINS + 1
SMALL_CHANNEL = 2 * BINS
SMALL = np.float32(0.4)
FLOOR = np.float32(0.05)

# contract: fused multiply-add, as in the release's own build. Sums keep their order, NaN and infinities their meaning.
FLAGS = {"contract", "nsz"}

# atan(c) on [0, 1] as an odd polynomial in bins of 45°, off by at most 0.0007°: least squares on Chebyshev nodes,
# reweighted towards equal ripples.
_BINS_PER_RADIAN = 4 / np.pi
ATAN_1 = np.float32(0.99986633 * _BINS_PER_RADIAN)
ATAN_3 = np.float32(-0.33030479 * _BINS_PER_RADIAN)
ATAN_5 = np.float32(0.1801592 * _BINS_PER_RADIAN)
ATAN_7 = np.float32(-0.08515613 * _BINS_PER_RADIAN)
ATAN_9 = np.float32(0.02084499 * _BINS_PER_RADIAN)
TINY = np.float32(1e-30)


@njit(cache=True, nogil=True, fastmath=FLAGS, error_model="numpy")
def _gradient_row(image, y, dx, dy):
    """Central differences of row y; reflected borders make those at the border 0."""
    height, width = image.shape
    above = max(y - 1, 0) if y < height - 1 else y
    below = min(y + 1, height - 1) if y > 0 else y
    dx[0] = np.float32(0)
    dx[width - 1] = np.float32(0)
    for x in range(1, width - 1):
        dx[x] = np.float32(image[y, x + 1]) - np.float32(image[y, x - 1])
    for x in range(width):
        dy[x] = np.float32(image[below, x]) - np.float32(image[above, x])


@njit(cache=True, nogil=True, fastmath=FLAGS, error_model="numpy")
def _to_polar(dx, dy, magnitude, angle):
    """Length and direction of each vector, the direction in bins of 45°, in [0, 8]."""
    for x in range(dx.shape[0]):
        run = abs(dx[x])
        rise = abs(dy[x])
        c = min(run, rise) / (max(run, rise) + TINY)
        square = c * c
        turn = ((((ATAN_9 * square + ATAN_7) * square + ATAN_5) * square + ATAN_3) * square + ATAN_1) * c
        turn = np.float32(2) - turn if rise > run else turn
        turn = np.float32(4) - turn if dx[x] < np.float32(0) else turn
        angle[x] = np.float32(8) - turn if dy[x] < np.float32(0) else turn
        magnitude[x] = np.sqrt(dx[x] * dx[x] + dy[x] * dy[x])


@njit(cache=True, nogil=True, fastmath=FLAGS, error_model="numpy")
def _split_small(magnitude, small):
    """Spec 7: a flow of at most 0.4 px adds 1 to the ninth bin of HOF and nothing else."""
    for x in range(magnitude.shape[0]):
        still = magnitude[x] <= SMALL
        small[x] = np.float32(1) if still else np.float32(0)
        magnitude[x] = np.float32(0) if still else magnitude[x]


@njit(cache=True, nogil=True, fastmath=FLAGS, error_model="numpy")
def _slide(entering, kept, columns):
    """Let a row enter the column sums in place of the oldest."""
    for x in range(entering.shape[0]):
        columns[x] += entering[x] - kept[x]
        kept[x] = entering[x]


@njit(cache=True, nogil=True, fastmath=FLAGS, error_model="numpy")
def _slide_bin(magnitude, angle, b, kept, columns):
    """Let one orientation bin's share of a row enter its column sums.

    The share of bin b falls linearly from 1 to 0 with the angular distance of one bin: with d = |angle − b| on the
    circle of 8 it is max(0, 1 − min(d, 8 − d)) = max(0, |d − 4| − 3).
    """
    for x in range(magnitude.shape[0]):
        share = abs(abs(angle[x] - b) - np.float32(4)) - np.float32(3)
        entering = max(share, np.float32(0)) * magnitude[x]
        columns[x] += entering - kept[x]
        kept[x] = entering


@njit(cache=True, nogil=True, fastmath=FLAGS, error_model="numpy")
def _sum_cell(columns, width, x, cell, place, row):
    """Sum ``cell`` columns of every channel from column x on, channel c into row[place[c]]; columns (CHANNELS · W,)."""
    in_runs = cell - cell % 16
    for c in range(CHANNELS):
        start = np.int64(c * width + x)
        total = np.float32(0)
        for k in range(0, in_runs, 16):
            total += sum16(columns, start + k)
        for k in range(in_runs, cell):
            total += columns[start + k]
        row[place[c]] = total


@njit(cache=True, nogil=True)
def _places(n_cells):
    """Where the channels of each cell stand in a patch's row, block by block; (n_cells, CHANNELS) int64."""
    place = np.empty((n_cells, CHANNELS), np.int64)
    channel = 0
    for block in range(4):
        bins = BINS + 1 if block == 1 else BINS
        for i in range(n_cells):
            for b in range(bins):
                place[i, channel + b] = channel * n_cells + i * bins + b
        channel += bins
    return place


@njit(cache=True, nogil=True, fastmath=FLAGS, error_model="numpy")
def cell_sums(gray, flow, cell, cells, left, order, start, out):
    """Histograms of every patch into its row: block by block, in a block cell x outer, y inner, bins innermost.

    out (n, cells² · CHANNELS) float32; gray (H, W) uint8; flow (2, H, W) float32; left (n,) int32, the first column of
    each patch; order (n,) int32, the
    patches by their first row, those of row y at order[start[y]:start[y + 1]].
    """
    height, width = gray.shape
    dx = np.empty(width, np.float32)
    dy = np.empty(width, np.float32)
    small = np.empty(width, np.float32)
    magnitude = np.empty((4, width), np.float32)
    angle = np.empty((4, width), np.float32)
    kept = np.zeros((cell, CHANNELS, width), np.float32)
    columns = np.zeros((CHANNELS, width), np.float32)
    flat = columns.ravel()
    place = _places(cells * cells)
    for y in range(height):
        _gradient_row(gray, y, dx, dy)
        _to_polar(dx, dy, magnitude[0], angle[0])
        _to_polar(flow[0, y], flow[1, y], magnitude[1], angle[1])
        _split_small(magnitude[1], small)
        for component in range(2):
            _gradient_row(flow[component], y, dx, dy)
            _to_polar(dx, dy, magnitude[2 + component], angle[2 + component])
        slot = y % cell
        channel = 0
        for field in range(4):
            for b in range(BINS):
                _slide_bin(magnitude[field], angle[field], np.float32(b), kept[slot, channel], columns[channel])
                channel += 1
            if channel == SMALL_CHANNEL:
                _slide(small, kept[slot, channel], columns[channel])
                channel += 1
        for r in range(cells):
            first_row = y - (r + 1) * cell + 1
            if first_row >= 0:
                for k in range(start[first_row], start[first_row + 1]):
                    n = order[k]
                    for i in range(cells):
                        _sum_cell(flat, width, left[n] + i * cell, cell, place[i * cells + r], out[n])


@njit(cache=True, nogil=True, fastmath=FLAGS, error_model="numpy")
def _raise_to_floor(row):
    """Clip what the running sums' rounding left below 0 where nothing is, and add 0.05."""
    for k in range(row.shape[0]):
        row[k] = max(row[k], np.float32(0)) + FLOOR


@njit(cache=True, nogil=True, fastmath=FLAGS, error_model="numpy")
def _total(block):
    """Sum in float64, by four accumulators that need not wait for each other."""
    a, b, c, d = 0.0, 0.0, 0.0, 0.0
    in_fours = block.shape[0] - block.shape[0] % 4
    for k in range(0, in_fours, 4):
        a += block[k]
        b += block[k + 1]
        c += block[k + 2]
        d += block[k + 3]
    for k in range(in_fours, block.shape[0]):
        a += block[k]
    return (a + b) + (c + d)


@njit(cache=True, nogil=True, fastmath=FLAGS, error_model="numpy")
def _rootl1(block):
    """Divide by the sum and take square roots."""
    scale = np.float32(1 / _total(block))
    for k in range(block.shape[0]):
        block[k] = np.sqrt(block[k] * scale)


@njit(cache=True, nogil=True, fastmath=FLAGS, error_model="numpy")
def _l2(block):
    """Divide by the Euclidean length."""
    total = np.float64(0)
    for k in range(block.shape[0]):
        total += np.float64(block[k]) * np.float64(block[k])
    scale = np.float32(1 / np.sqrt(total))
    for k in range(block.shape[0]):
        block[k] *= scale


@njit(cache=True, nogil=True, fastmath=FLAGS, error_model="numpy")
def normalise(rows, n_cells, norm):
    """Normalise each block of each patch in place.

    rows (n, n_cells · CHANNELS) float32, as from cell_sums; norm 0 for none, 1 for RootL1, 2 for L2.
    """
    for n in range(rows.shape[0]):
        row = rows[n]
        _raise_to_floor(row)
        first = 0
        for block in range(4):
            last = first + n_cells * (BINS + 1 if block == 1 else BINS)
            if norm == 1:
                _rootl1(row[first:last])
            elif norm == 2:
                _l2(row[first:last])
            first = last
