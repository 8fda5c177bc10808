"""Remove the camera's motion from a frame, sampled at 1/32 px as by OpenCV's remap, or from a flow.

Method: docs/method/extraction.md, section 4.6.
"""

import numpy as np
from numba import float32, float64, int64, uint8

from idt.jit.kernel import inner, kernel

FRACTION_BITS = 5
CELL = 1 << FRACTION_BITS
"""Units of the fixed-point coordinates in a pixel."""


@inner()
def _locate_row(homography, y, last_x, last_y, border, fixed_x, fixed_y):
    """Locate the source of the pixels of row y, in 1/32 px; −1 if it is near or beyond the border.

    homography (3, 3) float64; fixed_x, fixed_y (W,) int32 out.
    """
    x_0 = homography[0, 1] * y + homography[0, 2]
    y_0 = homography[1, 1] * y + homography[1, 2]
    w_0 = homography[2, 1] * y + homography[2, 2]
    a, b, c = homography[0, 0], homography[1, 0], homography[2, 0]
    for x in range(fixed_x.size):
        w = c * x + w_0
        # A point at infinity gets the coordinates (0, 0), which fail the test below, so it has no sample.
        scale = 1 / w if w != 0 else 0.0
        at_x = (a * x + x_0) * scale
        at_y = (b * x + y_0) * scale
        inside = (at_x > border) & (at_y > border) & (at_x < last_x) & (at_y < last_y)
        # docs/method/extraction.md, section 4.6: the test above is on the exact coordinate, the sample at the nearest
        # 1/32 px.
        fixed_x[x] = np.int32(np.rint(at_x * CELL)) if inside else np.int32(-1)
        fixed_y[x] = np.int32(np.rint(at_y * CELL)) if inside else np.int32(-1)


@kernel((uint8[::1], uint8[:, ::1], float64[:, ::1], int64, uint8[:, ::1]))
def warp(gray, previous, homography, border, out):
    """Sample ``gray`` at H·(x, y) for every pixel, or copy ``previous`` where that is near or beyond the border.

    gray (H · W,), previous, out (H, W) uint8; homography (3, 3) float64; border, in pixels of ``gray``. The homography
    carries the earlier frame into the later.
    """
    height, width = out.shape
    last_x, last_y = np.float64(width - 1 - border), np.float64(height - 1 - border)
    fixed_x, fixed_y = np.empty(width, np.int32), np.empty(width, np.int32)
    for y in range(height):
        _locate_row(homography, np.float64(y), last_x, last_y, np.float64(border), fixed_x, fixed_y)
        for x in range(width):
            if fixed_x[x] < 0:
                out[y, x] = previous[y, x]
                continue
            right, lower = np.uint32(fixed_x[x] & (CELL - 1)), np.uint32(fixed_y[x] & (CELL - 1))
            at = np.uint64((fixed_y[x] >> FRACTION_BITS) * width + (fixed_x[x] >> FRACTION_BITS))
            below = at + np.uint64(width)
            upper_mean = gray[at] * (CELL - right) + gray[at + np.uint64(1)] * right
            lower_mean = gray[below] * (CELL - right) + gray[below + np.uint64(1)] * right
            mean = upper_mean * (CELL - lower) + lower_mean * lower
            out[y, x] = (mean + CELL * CELL // 2) >> (2 * FRACTION_BITS)


@kernel((float32[:, :, ::1], float64[:, ::1], float64[:, ::1], float64, int64, int64, int64, float32[:, :, ::1]))
def subtract(flow, homography, inverse, factor, width, height, border, out):
    """Subtract the camera's motion from a flow by applying the inverse motion to the end of each displacement.

    flow, out (2, h, w) float32, in pixels of a scale of factor ``factor``; homography and its inverse (3, 3) float64,
    in pixels of the full frame, as are width, height and border. Where `warp` copies the earlier frame, the output is
    zero.
    """
    last_x, last_y = np.float64(width - 1 - border), np.float64(height - 1 - border)
    for i in range(flow.shape[1]):
        for j in range(flow.shape[2]):
            x, y = j * factor, i * factor
            w = 1 / (homography[2, 0] * x + homography[2, 1] * y + homography[2, 2])
            at_x = (homography[0, 0] * x + homography[0, 1] * y + homography[0, 2]) * w
            at_y = (homography[1, 0] * x + homography[1, 1] * y + homography[1, 2]) * w
            inside = (at_x > border) & (at_y > border) & (at_x < last_x) & (at_y < last_y)
            to_x, to_y = x + flow[0, i, j] * factor, y + flow[1, i, j] * factor
            w = 1 / (inverse[2, 0] * to_x + inverse[2, 1] * to_y + inverse[2, 2])
            back_x = (inverse[0, 0] * to_x + inverse[0, 1] * to_y + inverse[0, 2]) * w
            back_y = (inverse[1, 0] * to_x + inverse[1, 1] * to_y + inverse[1, 2]) * w
            out[0, i, j] = np.float32((back_x - x) / factor) if inside else np.float32(0)
            out[1, i, j] = np.float32((back_y - y) / factor) if inside else np.float32(0)
