"""Bilinear resizing of float32 images, for the flow's own pyramid (spec 3)."""

import numpy as np

from idt.kernels import kernel
from idt.kernels.simd import item


@kernel(
    "(float32[:,:,::1], int32[::1], int32[::1], float32[::1], "
    "int32[::1], int32[::1], float32[::1], float32, float32[:,:,::1])",
    fastmath={"contract"},
)
def resize(planes, upper, lower, below, left, right, beside, factor, out):
    """Resize planes and multiply them by a factor: rows are mixed first, then columns.

    planes (n, h, w) float32; for each row of ``out`` (n, H, W): upper, lower (H,) int32, the rows it lies between,
    below (H,) float32, the share of the lower; the same for its columns in left, right, beside (W,).
    """
    mixed = np.empty(planes.shape[2], np.float32)
    for c in range(planes.shape[0]):
        source = planes[c]
        for y in range(out.shape[1]):
            a, b = upper[y], lower[y]
            share = below[y] * factor
            rest = factor - share
            for x in range(source.shape[1]):
                mixed[x] = rest * source[a, x] + share * source[b, x]
            for x in range(out.shape[2]):
                near = item(mixed, np.int64(item(left, x)))
                far = item(mixed, np.int64(item(right, x)))
                out[c, y, x] = near + beside[x] * (far - near)
