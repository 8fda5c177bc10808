"""Resize float32 images bilinearly after a blur, for the pyramid of the flow.

Method: docs/method/extraction.md, section 3.1.
"""

import numpy as np

from idt.jit.float8 import LANES, broadcast
from idt.jit.float8_memory import copy, item, load, look_up_pairs, store
from idt.jit.kernel import inner, kernel


@inner()
def _find_neighbours(source, target):
    """Return for each target pixel of an axis the source pixel before it and the weight of the source pixel after it.

    source and target are the numbers of pixels. Both arrays (≥ target,) are padded with zeros to whole vectors. The
    weight is 0 where the source has no pixel after it.
    """
    whole = -(-target // LANES) * LANES
    first, share = np.zeros(whole, np.int32), np.zeros(whole, np.float32)
    step = source / target
    for i in range(target):
        # Centre of the target pixel in the source; the borders of both images coincide, as in OpenCV's resize.
        at = min(max((i + 0.5) * step - 0.5, 0.0), source - 1.0)
        first[i] = at
        share[i] = at - first[i]
    return first, share


@inner()
def _stretch(row, first, share, stretched, width, out, at):
    """Interpolate a row into out[at : at + width].

    The number after the row is read with weight 0, so it must be finite.
    """
    for x in range(0, width, LANES):
        near, far = look_up_pairs(row, first, x)
        store(stretched, x, near + load(share, x) * (far - near))
    copy(stretched, 0, out, at, width)


@kernel(fastmath={"contract"})
def resize(planes, height, width, factor, to_height, to_width, out):
    """Resize planes, first along y, then along x, and multiply them by a factor.

    planes (n · H · W,) and out (n · h · w,) float32, one plane after the other; H × W is height × width, h × w is
    to_height × to_width.
    """
    # ``below`` and ``beside`` are the weights of the next row and column.
    upper, below = _find_neighbours(height, to_height)
    left, beside = _find_neighbours(width, to_width)
    mixed, stretched = np.zeros(width + 1, np.float32), np.empty(left.size, np.float32)
    source = 0
    for first in range(0, out.size, to_height * to_width):
        for y in range(to_height):
            a, b = source + upper[y] * width, source + min(upper[y] + 1, height - 1) * width
            share = below[y] * factor
            rest = factor - share
            for x in range(width):
                mixed[x] = rest * planes[a + x] + share * planes[b + x]
            _stretch(mixed, left, beside, stretched, to_width, out, first + y * to_width)
        source += height * width


@inner()
def _reflected(at, size):
    """Reflect the index of a pixel beyond the border about the border pixel (reflect-101); size at least 2."""
    while not 0 <= at < size:
        at = -at if at < 0 else 2 * (size - 1) - at
    return at


@kernel(fastmath={"contract"})
def smooth(frame, height, width, blur, to_height, to_width, out):
    """Blur an image, reflected at its borders, and resize it.

    Flat float32: frame (H · W + 8,), with eight numbers of padding; blur (K,), a Gaussian from its middle outwards;
    out (≥ h · w,). Blurring and resizing are linear, so along y both are one weighted sum of rows of the frame for each
    row of ``out``. Only these sums are then blurred and resized along x.
    """
    reach = blur.size - 1
    while reach > 0 and blur[reach] == 0:
        reach -= 1
    upper, below = _find_neighbours(height, to_height)
    left, beside = _find_neighbours(width, to_width)
    margin = reach + LANES
    mixed, blurred = np.empty(width + 2 * margin, np.float32), np.zeros(width + LANES, np.float32)
    stretched = np.empty(left.size, np.float32)
    rows, weights = np.empty(2 * reach + 2, np.int64), np.empty(2 * reach + 2, np.float32)
    for y in range(to_height):
        share = below[y]
        for k in range(rows.size):
            # A row of ``out`` mixes two neighbouring blurred rows. One Gaussian covers 2 · reach + 1 rows of the frame,
            # both together one more.
            rows[k] = _reflected(upper[y] + k - reach, height) * width
            weights[k] = np.float32(0)
            if k <= 2 * reach:
                weights[k] += (1 - share) * blur[abs(k - reach)]
            if k >= 1:
                weights[k] += share * blur[abs(k - 1 - reach)]
        taps = rows.size if share > 0 else rows.size - 1
        for x in range(0, width, LANES):
            total = broadcast(np.float32(0))
            for k in range(taps):
                total = total + broadcast(item(weights, k)) * load(frame, item(rows, k) + x)
            store(mixed, margin + x, total)
        for k in range(1, reach + 1):
            mixed[margin - k] = mixed[margin + _reflected(-k, width)]
            mixed[margin + width - 1 + k] = mixed[margin + _reflected(width - 1 + k, width)]
        for x in range(0, width, LANES):
            total = broadcast(item(blur, 0)) * load(mixed, margin + x)
            for k in range(1, reach + 1):
                total = total + broadcast(item(blur, k)) * (load(mixed, margin + x - k) + load(mixed, margin + x + k))
            store(blurred, x, total)
        if to_width == width:
            copy(blurred, 0, out, y * width, width)
        else:
            blurred[width] = blurred[width - 1]
            _stretch(blurred, left, beside, stretched, to_width, out, y * to_width)
