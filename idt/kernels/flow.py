"""One iteration of the flow at one scale (spec 3): matrix update, Gaussian window, solution, fused by strips of rows.

Farnebäck, SCIA 2003, section 4, with the Gaussian window and the border damping of the release.
Expansions hold the coefficients of x, y, x², y² and xy, in this order.
"""

import math

import numpy as np
from numba import njit

from idt.kernels.simd import blend_corners

WINDOW_RADIUS = 5
WINDOW_SIGMA = 1.5
REGULARISER = np.float32(1e-3)
STRIP = 16

# contract: fused multiply-add, as in the release's own build. Sums keep their order, NaN and infinities their meaning.
FLAGS = {"contract", "nsz"}

_weights = [math.exp(-0.5 * (k / WINDOW_SIGMA) ** 2) for k in range(WINDOW_RADIUS + 1)]
_total = _weights[0] + 2 * sum(_weights[1:])
WINDOW = tuple(np.float32(w / _total) for w in _weights)


@njit(cache=True, nogil=True, fastmath=FLAGS, error_model="numpy")
def _locate(flow, y, index, corner, own):
    """Where the pixels of row y land in the second image: cell, the weights of its four corners, 1 or ½ for own.

    A target outside gets the weights 0 and counts the first image's quadratic part fully (own = 1).
    """
    _, height, width = flow.shape
    last_x = np.float32(width - 1)
    last_y = np.float32(height - 1)
    for x in range(width):
        target_x = np.float32(x) + flow[0, y, x]
        target_y = np.float32(y) + flow[1, y, x]
        left = np.floor(target_x)
        top = np.floor(target_y)
        inside = (left >= np.float32(0)) & (left < last_x) & (top >= np.float32(0)) & (top < last_y)
        weight = np.float32(1) if inside else np.float32(0)
        right_share = (target_x - left) * weight
        lower_share = (target_y - top) * weight
        both = right_share * (target_y - top) if inside else np.float32(0)
        index[x] = np.int32(top) * np.int32(width) + np.int32(left) if inside else np.int32(0)
        corner[0, x] = weight - right_share - lower_share + both
        corner[1, x] = right_share - both
        corner[2, x] = lower_share - both
        corner[3, x] = both
        own[x] = np.float32(0.5) if inside else np.float32(1)


@njit(cache=True, nogil=True, fastmath=FLAGS, error_model="numpy")
def _sample(second, index, corner, width, mixed, sampled):
    """Gather the second expansion bilinearly; second (H·W·8,), mixed (W·8,) by pixel, sampled (5, W) by plane."""
    row = np.int64(width * 8)
    for x in range(width):
        blend_corners(  # type: ignore[call-arg]  # numba passes the typing context
            mixed,
            np.int64(8 * x),
            second,
            np.int64(index[x]) * 8,
            row,
            corner[0, x],
            corner[1, x],
            corner[2, x],
            corner[3, x],
        )
    for c in range(5):
        for x in range(width):
            sampled[c, x] = mixed[8 * x + c]


@njit(cache=True, nogil=True, fastmath=FLAGS, error_model="numpy")
def _combine(first, flow, y, sampled, own, damping_x, damping_y, products):
    """The five products of a11, a22, a12, b1 and b2 (spec 3) for the pixels of row y; products (5, W)."""
    half = np.float32(0.5)
    for x in range(own.shape[0]):
        u = flow[0, y, x]
        v = flow[1, y, x]
        a11 = (first[2, y, x] + sampled[2, x]) * own[x]
        a22 = (first[3, y, x] + sampled[3, x]) * own[x]
        a12 = (first[4, y, x] + sampled[4, x]) * own[x] * half
        b1 = (first[0, y, x] - sampled[0, x]) * half + a11 * u + a12 * v
        b2 = (first[1, y, x] - sampled[1, x]) * half + a12 * u + a22 * v
        damping = damping_x[x] * damping_y
        square = damping * damping
        products[0, x] = (a11 * a11 + a12 * a12) * square
        products[1, x] = (a11 + a22) * a12 * square
        products[2, x] = (a22 * a22 + a12 * a12) * square
        products[3, x] = (a11 * b1 + a12 * b2) * square
        products[4, x] = (a12 * b1 + a22 * b2) * square


@njit(cache=True, nogil=True, fastmath=FLAGS, error_model="numpy")
def _window_columns(strip, row, smooth):
    """Vertical half of the Gaussian window; strip (rows, 5·W), smooth (5·W,)."""
    for x in range(strip.shape[1]):
        s = WINDOW[0] * strip[row, x]
        for k in range(1, WINDOW_RADIUS + 1):
            s += WINDOW[k] * (strip[row - k, x] + strip[row + k, x])
        smooth[x] = s


@njit(cache=True, nogil=True, fastmath=FLAGS, error_model="numpy")
def _pad(row, padded):
    """Continue a row by WINDOW_RADIUS copies of its first and of its last value."""
    width = row.shape[0]
    for x in range(width):
        padded[WINDOW_RADIUS + x] = row[x]
    for k in range(WINDOW_RADIUS):
        padded[k] = row[0]
        padded[WINDOW_RADIUS + width + k] = row[width - 1]


@njit(cache=True, nogil=True, fastmath=FLAGS, error_model="numpy")
def _window_rows(padded, average):
    """Horizontal half of the Gaussian window."""
    for x in range(average.shape[0]):
        s = WINDOW[0] * padded[WINDOW_RADIUS + x]
        for k in range(1, WINDOW_RADIUS + 1):
            s += WINDOW[k] * (padded[WINDOW_RADIUS + x - k] + padded[WINDOW_RADIUS + x + k])
        average[x] = s


@njit(cache=True, nogil=True, fastmath=FLAGS, error_model="numpy")
def _solve(average, flow, y):
    """The 2×2 system of every pixel of row y."""
    for x in range(flow.shape[2]):
        g11 = average[0, x]
        g12 = average[1, x]
        g22 = average[2, x]
        h1 = average[3, x]
        h2 = average[4, x]
        scale = np.float32(1) / (g11 * g22 - g12 * g12 + REGULARISER)
        flow[0, y, x] = (g22 * h1 - g12 * h2) * scale
        flow[1, y, x] = (g11 * h2 - g12 * h1) * scale


@njit(cache=True, nogil=True)
def _copy(row, out):
    """Copy a row. As a slice assignment it would make numba compile the text of an error, two seconds long."""
    for x in range(row.shape[0]):
        out[x] = row[x]


@njit(cache=True, nogil=True, fastmath=FLAGS, error_model="numpy")
def iterate(first, second, flow, damping_x, damping_y):
    """Improve ``flow`` (2, H, W) float32 in place by one iteration.

    first (5, H, W) float32, by plane; second (H·W·8,) float32, by pixel; damping_x (W,), damping_y (H,) float32.
    A strip's rows are solved only after the products that still need their old flow are made.
    """
    _, height, width = flow.shape
    index = np.empty(width, np.int32)
    corner = np.empty((4, width), np.float32)
    own = np.empty(width, np.float32)
    mixed = np.empty(8 * width, np.float32)
    sampled = np.empty((5, width), np.float32)
    smooth = np.empty((5, width), np.float32)
    padded = np.empty(width + 2 * WINDOW_RADIUS, np.float32)
    average = np.empty((5, width), np.float32)
    # Row r of the strip is image row top - WINDOW_RADIUS + r, replicated beyond the image.
    strip = np.empty((STRIP + 2 * WINDOW_RADIUS, 5, width), np.float32)
    flat = strip.reshape(STRIP + 2 * WINDOW_RADIUS, 5 * width)
    for top in range(0, height, STRIP):
        made = WINDOW_RADIUS
        if top > 0:
            made = 2 * WINDOW_RADIUS
            for r in range(made):
                _copy(flat[r + STRIP], flat[r])
        for r in range(made, STRIP + 2 * WINDOW_RADIUS):
            y = top - WINDOW_RADIUS + r
            if y < height:
                _locate(flow, y, index, corner, own)
                _sample(second, index, corner, width, mixed, sampled)
                _combine(first, flow, y, sampled, own, damping_x, damping_y[y], strip[r])
            else:
                _copy(flat[r - 1], flat[r])
        if top == 0:
            for r in range(WINDOW_RADIUS):
                _copy(flat[WINDOW_RADIUS], flat[r])
        for y in range(top, min(top + STRIP, height)):
            _window_columns(flat, y - top + WINDOW_RADIUS, smooth.ravel())
            for c in range(5):
                _pad(smooth[c], padded)
                _window_rows(padded, average[c])
            _solve(average, flow, y)
