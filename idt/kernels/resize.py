"""Resizing of float32 images, bilinear, and blurring before it: for the flow's own pyramid (spec 3)."""

import numpy as np
from numba import njit

from idt.kernels import INNER, kernel
from idt.kernels.simd import LANES, everywhere, item, load, store


@njit(**INNER)
def _find_neighbours(source, target):
    """Between which two of ``source`` pixels each of ``target`` lies, (H,) int32, and the share of the second."""
    first, second, share = np.empty(target, np.int32), np.empty(target, np.int32), np.empty(target, np.float32)
    step = source / target
    for i in range(target):
        # Pixel centres lie on pixel centres.
        at = min(max((i + 0.5) * step - 0.5, 0.0), source - 1.0)
        near = np.floor(at)
        first[i] = near
        second[i] = min(near + 1, source - 1.0)
        share[i] = at - near
    return first, second, share


@kernel(fastmath={"contract"})
def resize(planes, height, width, factor, to_height, to_width, out):
    """Resize planes and multiply them by a factor: rows are mixed first, then columns.

    planes (n · H · W,), out (n · h · w,) float32, one plane after the other; their sizes.
    """
    upper, lower, below = _find_neighbours(height, to_height)
    left, right, beside = _find_neighbours(width, to_width)
    mixed = np.empty(width, np.float32)
    source = 0
    for first in range(0, out.size, to_height * to_width):
        for y in range(to_height):
            a, b = source + upper[y] * width, source + lower[y] * width
            share = below[y] * factor
            rest = factor - share
            for x in range(width):
                mixed[x] = rest * planes[a + x] + share * planes[b + x]
            for x in range(to_width):
                near = item(mixed, np.int64(item(left, x)))
                far = item(mixed, np.int64(item(right, x)))
                out[first + y * to_width + x] = near + beside[x] * (far - near)
        source += height * width


@njit(**INNER)
def _reflected(at, size):
    """The pixel that stands for one beyond the border, which is not repeated; size at least 2."""
    while not 0 <= at < size:
        at = -at if at < 0 else 2 * (size - 1) - at
    return at


@kernel(fastmath={"contract"})
def smooth(frame, height, width, blur, to_height, to_width, out):
    """Blur an image, reflected at its borders, and resize it.

    Flat float32: frame (H · W + 8,), the last eight of them anything; blur (K,), a Gaussian from its middle outwards;
    out (≥ h · w,). Blurring and resizing are linear, so a row of ``out`` is one weighted sum of rows of the frame, and
    only such rows are blurred along x.
    """
    reach = blur.size - 1
    while reach > 0 and blur[reach] == 0:
        reach -= 1
    upper, _, below = _find_neighbours(height, to_height)
    left, right, beside = _find_neighbours(width, to_width)
    margin = reach + LANES
    mixed, blurred = np.empty(width + 2 * margin, np.float32), np.empty(width + LANES, np.float32)
    rows, weights = np.empty(2 * reach + 2, np.int64), np.empty(2 * reach + 2, np.float32)
    for y in range(to_height):
        share = below[y]
        for k in range(rows.size):
            # One row more than the Gaussian has: the last is of the lower of the two that are mixed alone.
            rows[k] = _reflected(upper[y] + k - reach, height) * width
            weights[k] = np.float32(0)
            if k <= 2 * reach:
                weights[k] += (1 - share) * blur[abs(k - reach)]
            if k >= 1:
                weights[k] += share * blur[abs(k - 1 - reach)]
        taps = rows.size if share > 0 else rows.size - 1
        for x in range(0, width, LANES):
            total = everywhere(np.float32(0))
            for k in range(taps):
                total = total + everywhere(item(weights, k)) * load(frame, item(rows, k) + x)
            store(mixed, margin + x, total)
        for k in range(1, reach + 1):
            mixed[margin - k] = mixed[margin + _reflected(-k, width)]
            mixed[margin + width - 1 + k] = mixed[margin + _reflected(width - 1 + k, width)]
        for x in range(0, width, LANES):
            total = everywhere(item(blur, 0)) * load(mixed, margin + x)
            for k in range(1, reach + 1):
                total = total + everywhere(item(blur, k)) * (load(mixed, margin + x - k) + load(mixed, margin + x + k))
            if to_width == width:
                store(out, y * width + x, total)
            else:
                store(blurred, x, total)
        if to_width != width:
            for x in range(to_width):
                near = item(blurred, np.int64(item(left, x)))
                far = item(blurred, np.int64(item(right, x)))
                out[y * to_width + x] = near + item(beside, x) * (far - near)
