"""Corners: the strongest local maxima of the texture, each at least 3 px from all stronger ones.

Method: docs/method/extraction.md, section 4.3.

Positive float32 numbers are ordered like the integers with the same bits. The key of a peak is these bits followed by
the index of its pixel, so sorting the keys sorts the peaks by strength, and equally strong ones by pixel, as in the
release.

Source: Shi & Tomasi, CVPR 1994.
"""

import numpy as np
from numba import float32, int32, int64, uint8

from idt.jit.kernel import kernel

PLACE_BITS = 32
"""Bits of a key that hold the index of the pixel."""
REACH = 2
"""Largest offset in x and in y of pixels closer than 3 px: both offsets may be 2, because 2² + 2² < 3²."""


@kernel((int32[:, ::1], uint8[:, ::1], int32, int64[::1]))
def find_peaks(strength, mask, least, keys):
    """Write the keys of the pixels inside the border that exceed ``least`` and are not below any neighbour.

    strength (H, W) int32, bits of float32; mask (H, W) uint8, 0 where no corner may lie, or (0, 0) for no mask;
    least int32, bits of float32; keys (≥ n,) int64 out. Return their number n.
    """
    height, width = strength.shape
    highest, peaks = np.empty(width, np.int32), np.zeros(width, np.uint8)
    count = 0
    for y in range(1, height - 1):
        for x in range(width):
            highest[x] = max(max(strength[y - 1, x], strength[y, x]), strength[y + 1, x])
        for x in range(1, width - 1):
            around = max(max(highest[x - 1], highest[x]), highest[x + 1])
            peaks[x] = (strength[y, x] > least) & (strength[y, x] >= around)
        for x in range(1, width - 1):
            if peaks[x] and (mask.size == 0 or mask[y, x]):
                keys[count] = np.int64(strength[y, x]) << PLACE_BITS | (y * width + x)
                count += 1
    return count


@kernel((int64[::1], uint8[:, ::1], float32[:, ::1]))
def keep_apart(keys, taken, corners):
    """Take peaks from the strongest on, each at least 3 px from all taken before.

    keys (n,) int64, ascending; taken (H + 4, W + 4) uint8, all 0, scratch; corners (m, 2) float32 out, x first.
    Return how many were taken, at most m.
    """
    width = taken.shape[1] - 2 * REACH
    count = 0
    for k in range(keys.size - 1, -1, -1):
        if count == corners.shape[0]:
            break
        place = keys[k] & ((np.int64(1) << PLACE_BITS) - 1)
        y, x = place // width, place % width
        if taken[y + REACH, x + REACH]:
            continue
        for i in range(y, y + 2 * REACH + 1):
            for j in range(x, x + 2 * REACH + 1):
                taken[i, j] = 1
        corners[count, 0], corners[count, 1] = x, y
        count += 1
    return count
