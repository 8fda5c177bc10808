"""Description of SURF keypoints: 128 sums of gradients in a turned window.

Spec SURF, descriptor; Bay et al. 2008, section 4.2. Angles are degrees in the image's own axes (y down), lengths
are pixels.

Many small loops rather than a few large ones: LLVM vectorises a loop only if few arrays meet in it, and none that
looks up scattered pixels and stores the outcome. So places first, then pixels, then arithmetic.
"""

import math

import numpy as np
from numba import njit

PATCH = 21
PITCH = 24
"""Row length of patch and gradients in memory, whole vectors; the columns from 20 on have weight 0."""
ROWS = 20
CELLS = 4
BAND = ROWS // CELLS
CONTRACTION = {"contract"}
"""Products and sums may be fused, as in the release's own build; rounding to gray levels hides the difference."""


@njit(cache=True, nogil=True)
def describe(image, x, y, scale, angle, weights, out):
    """Extended descriptors, each of length 1, or all 0 on a flat patch.

    image (H, W) uint8; x, y, scale, angle (n,) float32; weights (20 · 24,) float32; out (n, 128) float32.
    Unchecked: call surf.describe.
    """
    pixels = np.empty(image.size, np.uint32)
    _pack(image, pixels)
    patch = np.zeros((PATCH + 1) * PITCH, np.float32)
    for k in range(x.size):
        n = np.int64(np.float32(PATCH) * scale[k])
        _sample_patch(pixels, image.shape, x[k], y[k], angle[k], n, patch)
        _sum_gradients(patch, weights, out[k])
        _normalise(out[k])


@njit(cache=True, nogil=True)
def _pack(image, out):
    """Each pixel with its right, lower and lower right neighbours in one number: one look-up serves a bilinear sample.

    image (H, W) uint8; out (H · W,) uint32. Beyond the last row and column stands anything: its weight is 0.
    """
    height, width = image.shape
    for y in range(height):
        row, below = image[y], image[min(y + 1, height - 1)]
        packed = out[y * width : (y + 1) * width]
        for x in range(width - 1):
            upper, lower = row[x] | row[x + 1] << 8, below[x] | below[x + 1] << 8
            packed[x] = np.uint32(upper | lower << 16)
        packed[width - 1] = row[width - 1]


@njit(cache=True, nogil=True)
def _sample_patch(pixels, shape, x, y, angle, n, patch):
    """Sample a turned window of n × n pixels and shrink it to 21 × 21 by area averaging.

    pixels (H · W,) uint32, packed; shape (H, W) of the image; angle in degrees; patch (≥ 21 · 24,) float32 out.
    """
    theta = np.float64(angle * np.float32(math.pi / 180))
    cos, sin = np.float32(math.cos(theta)), np.float32(math.sin(theta))
    # A few columns more than the window has: whole vectors, and the end of the last column can be looked up.
    columns = n // 8 * 8 + 8
    place, right, down = np.empty(columns, np.uint32), np.empty(columns, np.float32), np.empty(columns, np.float32)
    found, sums, following = np.empty(columns, np.uint32), np.zeros(columns, np.float32), np.empty(columns, np.float32)
    cumulated = np.empty(n + 1, np.int64)
    first = -np.float32(n - 1) / np.float32(2)
    row_x, row_y = x + first * cos - first * sin, y + first * sin + first * cos
    # In 1/21 of a pixel a window row is 21 high and a patch row n: all shares are whole numbers, all sums exact.
    i = 0
    for r in range(n):
        _locate_row(row_x, row_y, cos, sin, shape, place, right, down)
        for j in range(columns):
            found[j] = pixels[place[j]]
        share = min(PATCH, n * (i + 1) - PATCH * r)
        _add_row(found, right, down, np.float32(share), np.float32(PATCH - share), sums, following)
        if PATCH * (r + 1) >= n * (i + 1):
            _shrink_row(sums, cumulated, patch[i * PITCH :])
            sums, following = following, sums
            i += 1
        row_x, row_y = row_x - sin, row_y + cos


@njit(cache=True, nogil=True, fastmath=CONTRACTION)
def _locate_row(x, y, cos, sin, shape, place, right, down):
    """Where the samples of a window's row lie: pixel, and the fractions of a pixel to its right and below it.

    x, y of the row's first sample; shape (H, W); place (n,) uint32, right, down (n,) float32 out.
    """
    height, width = shape
    last_x, last_y = np.float32(width - 1), np.float32(height - 1)
    for j in range(place.size):
        sample_x, sample_y = x + np.float32(np.int32(j)) * cos, y + np.float32(np.int32(j)) * sin
        pixel_x, pixel_y = np.floor(sample_x), np.floor(sample_y)
        inside = (pixel_x >= 0) & (pixel_y >= 0) & (pixel_x < last_x) & (pixel_y < last_y)
        # Where a neighbour is missing: the nearest pixel itself.
        pixel_x = pixel_x if inside else min(max(np.rint(sample_x), np.float32(0)), last_x)
        pixel_y = pixel_y if inside else min(max(np.rint(sample_y), np.float32(0)), last_y)
        right[j] = sample_x - pixel_x if inside else np.float32(0)
        down[j] = sample_y - pixel_y if inside else np.float32(0)
        place[j] = np.uint32(np.int32(pixel_y) * np.int32(width) + np.int32(pixel_x))


@njit(cache=True, nogil=True, fastmath=CONTRACTION)
def _add_row(found, right, down, share, rest, sums, following):
    """Interpolate a window's row, round it to gray levels, and share it between two patch rows.

    found (n,) uint32, packed pixels; right, down (n,) float32; sums (n,) grows by share times the row,
    following (n,) becomes rest times the row.
    """
    for j in range(found.size):
        packed = found[j]
        upper_left, upper_right = np.float32(np.int32(packed & 255)), np.float32(np.int32(packed >> 8 & 255))
        lower_left, lower_right = np.float32(np.int32(packed >> 16 & 255)), np.float32(np.int32(packed >> 24))
        upper = upper_left + right[j] * (upper_right - upper_left)
        lower = lower_left + right[j] * (lower_right - lower_left)
        level = np.rint(upper + down[j] * (lower - upper))
        sums[j] += share * level
        following[j] = rest * level


@njit(cache=True, nogil=True)
def _shrink_row(sums, cumulated, out):
    """A patch row from the sums of its window rows: means over n/21 columns, rounded to gray levels.

    sums (> n,) float32, in 1/21 of a gray level; cumulated (n + 1,) int64, scratch; out (≥ 21,) float32.
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
        out[j] = math.floor(mean + 0.5) if n == 2 * PATCH else np.rint(mean)


@njit(cache=True, nogil=True)
def _sum_gradients(patch, weights, out):
    """Eight sums of weighted gradients in each of the 4 × 4 cells.

    patch (22 · 24,) float32; weights (20 · 24,) float32; out (128,) float32.
    """
    dx, dy = np.empty(ROWS * PITCH, np.float32), np.empty(ROWS * PITCH, np.float32)
    for i in range(dx.size):
        falling, rising = patch[i + PITCH + 1] - patch[i], patch[i + 1] - patch[i + PITCH]
        dx[i] = (falling + rising) * weights[i]
        dy[i] = (falling - rising) * weights[i]
    along_x, along_y = np.empty(4 * PITCH, np.float32), np.empty(4 * PITCH, np.float32)
    for band in range(CELLS):
        along_x[:] = 0
        along_y[:] = 0
        for i in range(band * BAND * PITCH, (band + 1) * BAND * PITCH, PITCH):
            _add_by_sign(dx[i : i + PITCH], dy[i : i + PITCH], along_x)
            _add_by_sign(dy[i : i + PITCH], dx[i : i + PITCH], along_y)
        for cell in range(CELLS):
            for kind in range(4):
                at, first = (band * CELLS + cell) * 8 + kind, kind * PITCH + cell * BAND
                out[at] = along_x[first : first + BAND].sum()
                out[at + 4] = along_y[first : first + BAND].sum()


@njit(cache=True, nogil=True)
def _add_by_sign(along, across, sums):
    """Add a row to the sums of its numbers and of their magnitudes, apart for either sign of the other component.

    along, across (24,) float32; sums (4 · 24,) float32: Σ and Σ|·| where across ≥ 0, the same where across < 0.
    """
    for j in range(PITCH):
        value, magnitude, upward = along[j], abs(along[j]), across[j] >= 0
        sums[j] += value if upward else np.float32(0)
        sums[j + PITCH] += magnitude if upward else np.float32(0)
        sums[j + 2 * PITCH] += np.float32(0) if upward else value
        sums[j + 3 * PITCH] += np.float32(0) if upward else magnitude


@njit(cache=True, nogil=True)
def _normalise(vector):
    """Divide a vector by its length, unless that is 0; vector (128,) float32."""
    square = np.float32(0)
    for i in range(vector.size):
        square += vector[i] * vector[i]
    if square > 0:
        for i in range(vector.size):
            vector[i] /= np.sqrt(square)
