"""Smaller eigenvalue of the structure tensor (docs/method/extraction.md, section 5): Shi & Tomasi, CVPR 1994.

Corners are ranked by their texture, and by position where it is equal, so its last bit matters. Therefore each step is
rounded as in OpenCV's code for vectors of eight numbers, on every processor.
"""

import numpy as np
from numba import float32, uint8

from idt.jit.float8 import multiply_add
from idt.jit.kernel import inner, kernel

BLOCK = 3
# Sobel's weights [1 2 1], scaled so that gray levels go from 0 to 1 and the sum over a block is its mean.
SIDE = np.float32(1 / (4 * BLOCK * 255))
CENTRE = np.float32(2 / (4 * BLOCK * 255))
HALF = np.float32(0.5)


@inner()
def _read(row, pixels, smooth):
    """Read a row of pixels, padded by reflection without repeating the border, and smooth it along x."""
    width = row.size
    for x in range(width):
        pixels[x + 1] = row[x]
    pixels[0] = row[min(1, width - 1)]
    pixels[width + 1] = row[max(width - 2, 0)]
    for x in range(width):
        smooth[x] = multiply_add(pixels[x + 2], SIDE, multiply_add(pixels[x + 1], CENTRE, pixels[x] * SIDE))


@inner()
def _sum_products(above, row, below, smooth_above, smooth_below, products, sums):
    """Compute dx², dx·dy and dy² for the pixels of a row, and sum each over three neighbours along the row.

    products (3, W + 2), scratch; sums (3, W) out.
    """
    width = sums.shape[1]
    # dx, dy and their products have a loop each, because the compiler would not vectorise one loop over all arrays.
    for x in range(width):
        across = (above[x + 2] + below[x + 2]) - (above[x] + below[x])
        products[0, x + 1] = multiply_add(across, SIDE, (row[x + 2] - row[x]) * CENTRE)
    for x in range(width):
        products[2, x + 1] = smooth_below[x] - smooth_above[x]
    for x in range(1, width + 1):
        dx, dy = products[0, x], products[2, x]
        products[0, x] = dx * dx
        products[1, x] = dx * dy
        products[2, x] = dy * dy
    for c in range(3):
        products[c, 0] = products[c, min(2, width)]
        products[c, width + 1] = products[c, max(width - 1, 1)]
        for x in range(width):
            sums[c, x] = np.float64(products[c, x]) + np.float64(products[c, x + 1]) + np.float64(products[c, x + 2])


@inner()
def _solve(above, row, below, out):
    """Compute the smaller eigenvalue from the sums of three rows, (3, W) float64 each."""
    for x in range(out.size):
        a = np.float32(above[0, x] + row[0, x] + below[0, x]) * HALF
        b = np.float32(above[1, x] + row[1, x] + below[1, x])
        c = np.float32(above[2, x] + row[2, x] + below[2, x]) * HALF
        out[x] = (a + c) - np.sqrt((a - c) * (a - c) + b * b)


@kernel((uint8[:, ::1], float32[:, ::1]))
def texture(gray, out):
    """Compute the smaller eigenvalue over 3×3 pixels from 3×3 gradients; gray (H, W) uint8, out (H, W) float32."""
    height, width = gray.shape
    # Rings of the last three rows.
    pixels, smooth = np.empty((3, width + 2), np.float32), np.empty((3, width), np.float32)
    products, sums = np.empty((3, width + 2), np.float32), np.empty((3, 3, width), np.float64)
    _read(gray[0], pixels[0], smooth[0])
    for y in range(height):
        if y + 1 < height:
            _read(gray[y + 1], pixels[(y + 1) % 3], smooth[(y + 1) % 3])
        above, below = _neighbours(y, height)
        _sum_products(pixels[above], pixels[y % 3], pixels[below], smooth[above], smooth[below], products, sums[y % 3])
        if y > 0:
            above, below = _neighbours(y - 1, height)
            _solve(sums[above], sums[(y - 1) % 3], sums[below], out[y - 1])
    above, below = _neighbours(height - 1, height)
    _solve(sums[above], sums[(height - 1) % 3], sums[below], out[height - 1])


@inner()
def _neighbours(y, height):
    """Return which of the three rows in memory lie above and below row y, reflected at the border."""
    above = y - 1 if y > 0 else min(1, height - 1)
    below = y + 1 if y + 1 < height else max(height - 2, 0)
    return above % 3, below % 3
