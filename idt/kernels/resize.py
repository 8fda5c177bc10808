"""Bilinear resizing of float32 images, for the flow's own pyramid (spec 3)."""

import numpy as np
from numba import njit

from idt.kernels.simd import item


@njit(cache=True, nogil=True, fastmath={"contract"})
def resize(source, upper, lower, below, left, right, beside, factor, mixed, out):
    """Resize an image and multiply it by a factor: rows are mixed first, then columns.

    source (h, w) float32; for each row of ``out`` (H, W): upper, lower (H,) int32, the rows it lies between, below (H,)
    float32, the share of the lower; the same for its columns in left, right, beside (W,); mixed (w,) float32, scratch.
    """
    for y in range(out.shape[0]):
        a, b = upper[y], lower[y]
        share = below[y] * factor
        rest = factor - share
        for x in range(source.shape[1]):
            mixed[x] = rest * source[a, x] + share * source[b, x]
        for x in range(out.shape[1]):
            near = item(mixed, np.int64(item(left, x)))
            far = item(mixed, np.int64(item(right, x)))
            out[y, x] = near + beside[x] * (far - near)
