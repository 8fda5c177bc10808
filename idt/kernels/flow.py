"""Optical flow at every scale: matrices, Gaussian window and solution, four rows at a time, then a median filter.

Method: docs/method/extraction.md, section 3.

Farnebäck, SCIA 2003, section 4, with the Gaussian window and the border damping of the release.
Expansions hold the coefficients of x, y, x², y² and xy, in this order.
"""

import math

import numpy as np
from numba import float32, int64

from idt.jit.float8 import LANES, broadcast, equal, from_numbers, maximum, minimum, transposed, truncated
from idt.jit.float8_memory import copy, item, load, store, store_indices
from idt.jit.kernel import inner, kernel
from idt.kernels.median import median
from idt.kernels.resize import resize

WINDOW_RADIUS = 5
WINDOW_SIGMA = 1.5
REGULARISER = np.float32(1e-3)
HALF = np.float32(0.5)
ONE = np.float32(1)
ZERO = np.float32(0)
BELOW_ONE = np.nextafter(ONE, ZERO)
LANE_NUMBERS = tuple(np.float32(k) for k in range(LANES))

COEFFICIENTS = 5
STRIP = 4
"""Rows that are solved together."""
RING = 16
"""Rows of products that are kept: a power of 2, so that `_row` needs no division; a strip needs 4 + 2 · 5."""
MARGIN = 8
"""Numbers of padding at either end of a row of products; the window reads 5 of them."""
BORDER = np.array([0.14, 0.14, 0.4472, 0.4472, 0.4472], np.float32)
"""Weights of the five outermost pixels along an axis, from the border inwards."""

_weights = [math.exp(-0.5 * (k / WINDOW_SIGMA) ** 2) for k in range(WINDOW_RADIUS + 1)]
_total = _weights[0] + 2 * sum(_weights[1:])
W0, W1, W2, W3, W4, W5 = (np.float32(w / _total) for w in _weights)


@inner()
def _locate(flow, y, height, width, targets):
    """Locate the targets of the pixels of row y, where the flow leads, in the second image.

    flow (2 · H · W,); targets out, four arrays of a row's length: the index of the upper left pixel, int32; the weights
    of its right and lower neighbours, float32; 1 if the target is inside, else 0, float32. A target outside has the
    index of some pixel inside.
    """
    index, right, lower, inside = targets
    none = broadcast(ZERO)
    row, plane = y * width, height * width
    # The last positions that have neighbours to the right and below.
    last_x, last_y = broadcast(np.float32(width - 1) * BELOW_ONE), broadcast(np.float32(height - 1) * BELOW_ONE)
    for x in range(0, width, LANES):
        to_x = broadcast(np.float32(x)) + from_numbers(LANE_NUMBERS) + load(flow, row + x)
        to_y = broadcast(np.float32(y)) + load(flow, plane + row + x)
        near_x, near_y = maximum(minimum(to_x, last_x), none), maximum(minimum(to_y, last_y), none)
        left, top = truncated(near_x), truncated(near_y)
        store_indices(index, x, top, width, left)
        store(right, x, near_x - left)
        store(lower, x, near_y - top)
        store(inside, x, equal(near_x, to_x) * equal(near_y, to_y))


@inner()
def _sample(second, row, index, right, lower, x):
    """Sample the second expansion bilinearly at the target of pixel x, in the first five lanes; row is 5 · W."""
    at = np.int64(item(index, x)) * COEFFICIENTS
    upper_left, lower_left = load(second, at), load(second, at + row)
    across = broadcast(item(right, x))
    upper = upper_left + across * (load(second, at + COEFFICIENTS) - upper_left)
    below = lower_left + across * (load(second, at + row + COEFFICIENTS) - lower_left)
    return upper + broadcast(item(lower, x)) * (below - upper)


@inner()
def _make_products(expansions, flow, y, height, width, targets, dampings, ring):
    """Compute the products of a11, a22, a12, b1 and b2 for the pixels of row y, in the row's place in the ring.

    Method: docs/method/extraction.md, section 3.4.

    Flat: both expansions (5 · H · W,), flow (2 · H · W,), ring; targets as from `_locate`; dampings along x and y. For
    a target outside the image the first expansion counts alone.
    """
    first, second = expansions
    index, right, lower, inside = targets
    damping_x, damping_y = dampings
    row, plane, pitch = COEFFICIENTS * width, height * width, ring.size // (5 * RING)
    start = _row(y, height - 1, 5 * pitch)
    half = broadcast(HALF)
    for x in range(0, width, LANES):
        # The last vector of a row overlaps the one before; only a row narrower than a vector is read beyond its end.
        x = max(min(x, width - LANES), 0)
        samples = (
            _sample(second, row, index, right, lower, x),
            _sample(second, row, index, right, lower, x + 1),
            _sample(second, row, index, right, lower, x + 2),
            _sample(second, row, index, right, lower, x + 3),
            _sample(second, row, index, right, lower, x + 4),
            _sample(second, row, index, right, lower, x + 5),
            _sample(second, row, index, right, lower, x + 6),
            _sample(second, row, index, right, lower, x + 7),
        )
        s_x, s_y, s_xx, s_yy, s_xy, _, _, _ = transposed(samples)
        at = y * width + x
        u, v = load(flow, at), load(flow, plane + at)
        # The mean of both expansions inside, the first alone outside.
        of_second = load(inside, x) * half
        of_first = broadcast(ONE) - of_second
        a11 = load(first, 2 * plane + at) * of_first + s_xx * of_second
        a22 = load(first, 3 * plane + at) * of_first + s_yy * of_second
        a12 = (load(first, 4 * plane + at) * of_first + s_xy * of_second) * half
        b1 = load(first, at) * half - s_x * of_second + a11 * u + a12 * v
        b2 = load(first, plane + at) * half - s_y * of_second + a12 * u + a22 * v
        damping = load(damping_x, x) * broadcast(item(damping_y, y))
        square = damping * damping
        out = start + MARGIN + x
        store(ring, out, (a11 * a11 + a12 * a12) * square)
        store(ring, out + pitch, (a11 + a22) * a12 * square)
        store(ring, out + 2 * pitch, (a22 * a22 + a12 * a12) * square)
        store(ring, out + 3 * pitch, (a11 * b1 + a12 * b2) * square)
        store(ring, out + 4 * pitch, (a12 * b1 + a22 * b2) * square)
    for c in range(5):
        out = start + c * pitch + MARGIN
        for k in range(1, WINDOW_RADIUS + 1):
            ring[out - k] = ring[out]
            ring[out + width - 1 + k] = ring[out + width - 1]


@inner()
def _weigh(neighbours):
    """Return the sum of eleven neighbours, a tuple of Float8, weighted by the Gaussian window."""
    a, b, c, d, e, f, g, h, i, j, k = neighbours
    inner = broadcast(W0) * f + broadcast(W1) * (e + g) + broadcast(W2) * (d + h)
    return inner + broadcast(W3) * (c + i) + broadcast(W4) * (b + j) + broadcast(W5) * (a + k)


@inner()
def _window_columns(ring, top, last, size, smooth):
    """Apply the vertical half of the window to a strip of rows from ``top`` on; products have ``size`` numbers a row.

    Rows beyond the image are its first and last one.
    """
    at = (
        _row(top - 5, last, size), _row(top - 4, last, size), _row(top - 3, last, size), _row(top - 2, last, size),
        _row(top - 1, last, size), _row(top, last, size), _row(top + 1, last, size), _row(top + 2, last, size),
        _row(top + 3, last, size), _row(top + 4, last, size), _row(top + 5, last, size), _row(top + 6, last, size),
        _row(top + 7, last, size), _row(top + 8, last, size),
    )  # fmt: skip
    for x in range(0, size, LANES):
        a, b, c, d = load(ring, at[0] + x), load(ring, at[1] + x), load(ring, at[2] + x), load(ring, at[3] + x)
        e, f, g, h = load(ring, at[4] + x), load(ring, at[5] + x), load(ring, at[6] + x), load(ring, at[7] + x)
        i, j, k, l = load(ring, at[8] + x), load(ring, at[9] + x), load(ring, at[10] + x), load(ring, at[11] + x)
        m, n = load(ring, at[12] + x), load(ring, at[13] + x)
        store(smooth, x, _weigh((a, b, c, d, e, f, g, h, i, j, k)))
        store(smooth, size + x, _weigh((b, c, d, e, f, g, h, i, j, k, l)))
        store(smooth, 2 * size + x, _weigh((c, d, e, f, g, h, i, j, k, l, m)))
        store(smooth, 3 * size + x, _weigh((d, e, f, g, h, i, j, k, l, m, n)))


@inner()
def _row(y, last, size):
    """Return where the products of an image row lie in the ring."""
    return (min(max(y, 0), last) & (RING - 1)) * size


@inner()
def _window_row(smooth, x):
    """Apply the horizontal half of the window to eight pixels."""
    neighbours = (
        load(smooth, x - 5), load(smooth, x - 4), load(smooth, x - 3), load(smooth, x - 2), load(smooth, x - 1),
        load(smooth, x), load(smooth, x + 1), load(smooth, x + 2), load(smooth, x + 3), load(smooth, x + 4),
        load(smooth, x + 5),
    )  # fmt: skip
    return _weigh(neighbours)


@inner()
def _solve(smooth, start, pitch, width, solved):
    """Solve the 2×2 system of every pixel of a row; solved (≥ 2 · W,): u, then v from the middle on."""
    second = solved.size // 2
    for x in range(0, width, LANES):
        at = start + MARGIN + x
        g11, g12, g22 = _window_row(smooth, at), _window_row(smooth, at + pitch), _window_row(smooth, at + 2 * pitch)
        h1, h2 = _window_row(smooth, at + 3 * pitch), _window_row(smooth, at + 4 * pitch)
        scale = broadcast(ONE) / (g11 * g22 - g12 * g12 + broadcast(REGULARISER))
        store(solved, x, (g22 * h1 - g12 * h2) * scale)
        store(solved, second + x, (g11 * h2 - g12 * h1) * scale)


@inner()
def _damp(size, damping):
    """Write the border damping of the pixels along an axis: less than 1 for the five at either end.

    Method: docs/method/extraction.md, section 3.3.
    """
    damping[:] = ONE
    reach = min(size, BORDER.size)
    for k in range(reach):
        damping[k] *= BORDER[k]
        damping[size - 1 - k] *= BORDER[k]


@inner()
def _iterate(first, second, height, width, flow, iterations):
    """Improve ``flow`` in place ``iterations`` times.

    Flat float32: first (5 · H · W,), by plane, and second (H · W · 5,), by pixel; flow (2 · H · W,). They must be
    readable beyond their end: first and flow for 8 numbers, second for 3.
    """
    columns = -(-width // LANES) * LANES
    pitch = columns + 2 * MARGIN
    size = 5 * pitch
    plane = height * width
    dampings = np.empty(columns, np.float32), np.empty(height, np.float32)
    _damp(width, dampings[0])
    _damp(height, dampings[1])
    targets = (
        np.empty(columns, np.int32),
        np.empty(columns, np.float32),
        np.empty(columns, np.float32),
        np.empty(columns, np.float32),
    )
    ring, smooth = np.empty(RING * size, np.float32), np.empty(STRIP * size, np.float32)
    solved = np.empty(2 * columns, np.float32)
    for _ in range(iterations):
        made = np.int64(0)
        for top in range(0, height, STRIP):
            # The flow is overwritten in place, so the products of a row are computed before the row is solved, and kept
            # in a ring.
            while made < min(np.int64(top + STRIP + WINDOW_RADIUS), height):
                _locate(flow, made, height, width, targets)
                _make_products((first, second), flow, made, height, width, targets, dampings, ring)
                made += 1
            _window_columns(ring, top, height - 1, size, smooth)
            for y in range(top, min(top + STRIP, height)):
                _solve(smooth, (y - top) * size, pitch, width, solved)
                copy(solved, 0, flow, y * width, width)
                copy(solved, columns, flow, plane + y * width, width)


@kernel((float32[::1], float32[::1], int64[:, ::1], int64, float32, int64, float32[::1]))
def estimate(first, second, sizes, finest, ratio, iterations, fields):
    """Estimate the flow from the coarsest scale to the finest; each scale starts from the median of the coarser one.

    sizes (S, 2) int64, height and width of the scales, finest first, each ``ratio`` times smaller than the one before.
    Flat float32, scale after scale, with P the pixels of all: first (5 · P + 8,), by plane, and second (5 · P + 3,), by
    pixel, with 8 and 3 numbers of padding; fields (2 · P,) out, u and then v of each scale. ``finest`` is the index of
    the finest scale that is computed; finer ones only receive the resized flow of the next coarser scale.
    """
    scales, start = sizes.shape[0], fields.size // 2
    raw = np.zeros(2 * sizes[0, 0] * sizes[0, 1] + LANES, np.float32)
    coarser = fields
    for s in range(scales - 1, -1, -1):
        height, width = sizes[s]
        size = height * width
        start -= size
        field = fields[2 * start : 2 * (start + size)]
        initial = raw[: 2 * size] if s >= finest else field
        if s < scales - 1:
            resize(coarser, sizes[s + 1, 0], sizes[s + 1, 1], ratio, height, width, initial)
        if s >= finest:
            _iterate(first[COEFFICIENTS * start :], second[COEFFICIENTS * start :], height, width, raw, iterations)
            median(raw, height, width, field)
        coarser = field
