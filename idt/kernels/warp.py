"""Warping a frame back onto the one before (spec 4), sampled at 1/32 px as by OpenCV's fixed-point remap."""

import numpy as np
from numba import njit

FRACTION_BITS = 5
CELL = 1 << FRACTION_BITS


@njit(cache=True, nogil=True, error_model="numpy")
def warp(gray, previous, homography, border, out):
    """Sample ``gray`` at H·(x, y) for every pixel, or copy ``previous`` where that lies near or beyond the border.

    gray, previous, out (H, W) uint8; homography (3, 3) float64; border, in pixels of ``gray``. The homography carries
    the earlier frame into the later.
    """
    height, width = gray.shape
    last_x = np.float64(width - 1 - border)
    last_y = np.float64(height - 1 - border)
    for y in range(height):
        x_0 = homography[0, 1] * y + homography[0, 2]
        y_0 = homography[1, 1] * y + homography[1, 2]
        w_0 = homography[2, 1] * y + homography[2, 2]
        for x in range(width):
            w = homography[2, 0] * x + w_0
            # A point at infinity has no sample: 0 lies within the border.
            scale = 1 / w if w != 0 else 0.0
            at_x = (homography[0, 0] * x + x_0) * scale
            at_y = (homography[1, 0] * x + y_0) * scale
            if not (at_x > border and at_y > border and at_x < last_x and at_y < last_y):
                out[y, x] = previous[y, x]
                continue
            # Spec 4: the test above is on the exact coordinate, the sample at the nearest 1/32 px.
            fixed_x = np.int64(np.rint(at_x * CELL))
            fixed_y = np.int64(np.rint(at_y * CELL))
            column = fixed_x >> FRACTION_BITS
            row = fixed_y >> FRACTION_BITS
            right = fixed_x & (CELL - 1)
            lower = fixed_y & (CELL - 1)
            upper_mean = gray[row, column] * (CELL - right) + gray[row, column + 1] * right
            lower_mean = gray[row + 1, column] * (CELL - right) + gray[row + 1, column + 1] * right
            mean = upper_mean * (CELL - lower) + lower_mean * lower
            out[y, x] = (mean + CELL * CELL // 2) >> (2 * FRACTION_BITS)
