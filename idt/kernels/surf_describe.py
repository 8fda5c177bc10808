"""SURF descriptors: 128 sums of gradients in a rotated window.

docs/method/surf.md, section 3; Bay et al. 2008, section 4.2. Angles are degrees in the image's own axes (y down),
lengths are pixels.

A row of a window is computed in two short loops of vectors, first the positions of its samples, then their gray
levels, because a processor would have to wait for the long chain of operations of a single loop.
"""

import math

import numpy as np
from numba import float32, int32, uint8

from idt.jit.float8 import LANES, broadcast, from_numbers, rounded, truncated
from idt.jit.float8_memory import load, look_up_bytes, store, store_indices
from idt.jit.kernel import inner, kernel

PATCH = 21
PITCH = 24
"""Row length of patch and gradients in memory, whole vectors; the columns from 20 on have weight 0."""
ROWS = 20
CELLS = 4
BAND = ROWS // CELLS
"""Rows of gradients in a cell."""
SUMS = 8
"""Numbers that describe a cell."""
LANE_NUMBERS = tuple(np.float32(k) for k in range(LANES))
CONTRACTION = {"contract"}
"""Products and sums may be fused, as in the release's own build; rounding to gray levels hides the difference."""


@kernel(
    (
        uint8[:, ::1],
        float32[::1],
        float32[::1],
        float32[::1],
        float32[::1],
        float32[:, ::1],
        int32[::1],
        float32[:, ::1],
    ),
)
def describe(image, x, y, scale, angle, weights, pixels, out):
    """Compute extended descriptors, each of length 1, or all 0 on a flat patch.

    image (H, W) uint8; x, y, scale, angle (n,) float32; weights (20, 24) float32; pixels (H · W,) int32, scratch;
    out (n, 128) float32. Unchecked: call surf.describe.
    """
    height, width = image.shape
    _pack(image, pixels)
    patch, sums = np.empty((PATCH + 1) * PITCH, np.float32), np.empty(SUMS * PITCH, np.float32)
    for i in range(patch.size):
        patch[i] = 0
    for k in range(x.size):
        _sample_patch(pixels, height, width, x[k], y[k], scale[k], angle[k], patch)
        for band in range(CELLS):
            _sum_gradients(patch, weights, band, sums)
            for cell in range(CELLS):
                for kind in range(SUMS):
                    total = np.float32(0)
                    for j in range(cell * BAND, (cell + 1) * BAND):
                        total += sums[kind * PITCH + j]
                    out[k, (band * CELLS + cell) * SUMS + kind] = total
        square = np.float32(0)
        for i in range(out.shape[1]):
            square += out[k, i] * out[k, i]
        if square > 0:
            for i in range(out.shape[1]):
                out[k, i] /= np.sqrt(square)


@inner()
def _pack(image, out):
    """Pack each pixel with its right, lower and lower right neighbours: a bilinear sample needs one look-up.

    image (H, W) uint8; out (H · W,) int32. Values beyond the last row and column are arbitrary, because their weight is
    0.
    """
    height, width = image.shape
    for y in range(height):
        row, below, packed = image[y], image[y + 1 if y + 1 < height else y], out[y * width : (y + 1) * width]
        for x in range(width - 1):
            upper, lower = row[x] | row[x + 1] << 8, below[x] | below[x + 1] << 8
            packed[x] = upper | lower << 16
        packed[width - 1] = row[width - 1] | below[width - 1] << 16


@inner()
def _sample_patch(pixels, height, width, x, y, scale, angle, patch):
    """Sample a rotated window of n × n pixels, with n = ⌊21 · scale⌋, and shrink it to 21 × 21 by area averaging.

    pixels (H · W,) int32, packed; angle in degrees; patch (≥ 21 · 24,) float32 out.
    """
    n = np.int64(np.float32(PATCH) * scale)
    theta = np.float64(angle * np.float32(math.pi / 180))
    cos, sin = np.float32(math.cos(theta)), np.float32(math.sin(theta))
    # Whole vectors, and one number more, because `_shrink_row` reads sums[n].
    columns = (n + LANES - 1) // LANES * LANES
    samples = np.empty(columns, np.int32), np.empty(columns, np.float32), np.empty(columns, np.float32)
    sums, following = np.empty(columns + 1, np.float32), np.empty(columns + 1, np.float32)
    cumulated = np.empty(n + 1, np.int64)
    for j in range(columns + 1):
        sums[j] = following[j] = 0
    # A margin of a pixel, because the end of a row and the last sample in it are rounded differently.
    last_x, last_y = np.float32(width - 2), np.float32(height - 2)
    first, last = -np.float32(n - 1) / np.float32(2), np.float32(columns - 1)
    row_x, row_y = x + first * cos - first * sin, y + first * sin + first * cos
    # In units of 1/21 px a window row is 21 high and a patch row is n high, so all shares are integers and all sums
    # exact.
    until = np.int64(0)
    for i in range(PATCH):
        end = n * (i + 1)
        begun, until = until, (end + PATCH - 1) // PATCH
        for r in range(begun, until):
            end_x, end_y = row_x + last * cos, row_y + last * sin
            inside = (row_x >= 1) & (end_x >= 1) & (row_x < last_x) & (end_x < last_x)
            inside &= (row_y >= 1) & (end_y >= 1) & (row_y < last_y) & (end_y < last_y)
            if inside:
                _locate_inside(row_x, row_y, cos, sin, width, samples)
            else:
                _locate(row_x, row_y, cos, sin, height, width, samples)
            rest = PATCH * (r + 1) - end if r + 1 == until else 0
            _share_row(pixels, samples, np.float32(PATCH - rest), np.float32(rest), sums, following)
            row_x, row_y = row_x - sin, row_y + cos
        _shrink_row(sums, cumulated, patch, i * PITCH)
        sums, following = following, sums


@inner()
def _locate_inside(x, y, cos, sin, width, samples):
    """Locate the samples of a window's row, all of which lie in the image.

    x, y of the row's first sample; samples out: the pixel, (n,) int32, and the fractions of a pixel to its right and
    below it, (n,) float32.
    """
    indices, right, down = samples
    eight = from_numbers(LANE_NUMBERS)
    for j in range(0, indices.size, LANES):
        along = broadcast(np.float32(j)) + eight
        sample_x, sample_y = broadcast(x) + along * broadcast(cos), broadcast(y) + along * broadcast(sin)
        pixel_x, pixel_y = truncated(sample_x), truncated(sample_y)
        store_indices(indices, j, pixel_y, width, pixel_x)
        store(right, j, sample_x - pixel_x)
        store(down, j, sample_y - pixel_y)


@inner(fastmath=CONTRACTION)
def _locate(x, y, cos, sin, height, width, samples):
    """Locate samples as `_locate_inside`; a sample without four pixels around it takes the nearest pixel."""
    indices, right, down = samples
    last_x, last_y = np.float32(width - 1), np.float32(height - 1)
    zero = np.float32(0)
    for j in range(indices.size):
        sample_x, sample_y = x + np.float32(np.int32(j)) * cos, y + np.float32(np.int32(j)) * sin
        pixel_x, pixel_y = np.floor(sample_x), np.floor(sample_y)
        inside = (pixel_x >= zero) & (pixel_y >= zero) & (pixel_x < last_x) & (pixel_y < last_y)
        pixel_x = pixel_x if inside else min(max(np.rint(sample_x), zero), last_x)
        pixel_y = pixel_y if inside else min(max(np.rint(sample_y), zero), last_y)
        right[j] = sample_x - pixel_x if inside else zero
        down[j] = sample_y - pixel_y if inside else zero
        indices[j] = np.int32(pixel_y) * np.int32(width) + np.int32(pixel_x)


@inner()
def _share_row(pixels, samples, share, rest, sums, following):
    """Interpolate a window's row, round it to gray levels, and add it in shares to two patch rows.

    pixels (H · W,) int32, packed; samples as from `_locate`; sums (≥ n,) float32 grows by share times the row,
    following (≥ n,) becomes rest times the row: whole numbers that float32 holds exactly.
    """
    indices, right, down = samples
    for j in range(0, indices.size, LANES):
        upper_left, upper_right, lower_left, lower_right = look_up_bytes(pixels, indices, j)
        beside = load(right, j)
        upper = upper_left + beside * (upper_right - upper_left)
        lower = lower_left + beside * (lower_right - lower_left)
        level = rounded(upper + load(down, j) * (lower - upper))
        store(sums, j, load(sums, j) + broadcast(share) * level)
        store(following, j, broadcast(rest) * level)


@inner()
def _shrink_row(sums, cumulated, patch, at):
    """Compute a patch row from the sums of its window rows: means over n/21 columns, rounded to gray levels.

    sums (> n,) float32, in 1/21 of a gray level; cumulated (n + 1,) int64, scratch; patch float32, written from at on.
    """
    n = cumulated.size - 1
    total = np.int64(0)
    for column in range(n):
        cumulated[column] = total
        total += np.int64(sums[column])
    cumulated[n] = total
    before = np.int64(0)
    for j in range(PATCH):
        # In 1/21 of a column, patch column j ends at n·(j + 1): c whole columns and a part of the next.
        end = np.uint32(n * (j + 1))
        c, part = end // np.uint32(PATCH), np.int64(end % np.uint32(PATCH))
        until = PATCH * cumulated[c] + part * np.int64(sums[c])
        mean = (until - before) / (n * n)
        before = until
        # The release halves a window of 42 in whole numbers, which rounds halves up.
        patch[at + j] = math.floor(mean + 0.5) if n == 2 * PATCH else np.rint(mean)


@inner()
def _sum_gradients(patch, weights, band, sums):
    """Sum the gradients of a band by column: Σdx, Σ|dx| where dy ≥ 0, then where dy < 0; likewise dy by the sign of dx.

    patch (22 · 24,) float32; weights (20, 24) float32; sums (8 · 24,) float32 out.
    """
    for j in range(SUMS * PITCH):
        sums[j] = 0
    zero = np.float32(0)
    for i in range(band * BAND, (band + 1) * BAND):
        upper, lower, weight = patch[i * PITCH :], patch[(i + 1) * PITCH :], weights[i]
        for j in range(PITCH):
            falling, rising = lower[j + 1] - upper[j], upper[j + 1] - lower[j]
            dx, dy = (falling + rising) * weight[j], (falling - rising) * weight[j]
            sums[j] += dx if dy >= 0 else zero
            sums[j + PITCH] += abs(dx) if dy >= 0 else zero
            sums[j + 2 * PITCH] += zero if dy >= 0 else dx
            sums[j + 3 * PITCH] += zero if dy >= 0 else abs(dx)
            sums[j + 4 * PITCH] += dy if dx >= 0 else zero
            sums[j + 5 * PITCH] += abs(dy) if dx >= 0 else zero
            sums[j + 6 * PITCH] += zero if dx >= 0 else dy
            sums[j + 7 * PITCH] += zero if dx >= 0 else abs(dy)
