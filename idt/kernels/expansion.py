"""Polynomial expansion: the weighted least-squares fit of a quadratic around every pixel.

Method: docs/method/extraction.md, section 3.1.

With Gaussian weights (Farnebäck's "applicability") the fit separates into 1-D correlations, and only four numbers of
the inverse Gram matrix are needed.

Source: Farnebäck, "Two-frame motion estimation based on polynomial expansion", SCIA 2003, section 3.
"""

import math

import numpy as np
from numba import float32, int64, uint8

from idt.jit.float8 import LANES, broadcast, transposed
from idt.jit.float8_memory import load, store, store_rows
from idt.jit.kernel import inner, kernel
from idt.kernels.resize import smooth

RADIUS = 7
SIGMA = 1.5
COEFFICIENTS = 5
MARGIN = 8
"""Numbers of padding at either end of a filtered row; the filters read 7 of them."""

_weights = [math.exp(-0.5 * (k / SIGMA) ** 2) for k in range(RADIUS + 1)]
_total = _weights[0] + 2 * sum(_weights[1:])
_second = 2 * sum(k**2 * w for k, w in enumerate(_weights)) / _total
_fourth = 2 * sum(k**4 * w for k, w in enumerate(_weights)) / _total

# Taps of the three 1-D filters for offset k ≥ 0: g, k·g (odd) and k²·g, with g the normalised Gaussian.
SMOOTH = tuple(np.float32(w / _total) for w in _weights)
SLOPE = tuple(np.float32(k * w / _total) for k, w in enumerate(_weights))
BEND = tuple(np.float32(k * k * w / _total) for k, w in enumerate(_weights))

# The inverse Gram matrix over (1, x, y, x², y², xy), where it is not zero.
INVERSE_X = np.float32(1 / _second)
INVERSE_XY = np.float32(1 / _second**2)
INVERSE_XX = np.float32(1 / (_fourth - _second**2))
ZERO = np.float32(0)
INVERSE_1XX = np.float32(-_second / (_fourth - _second**2))


@inner()
def _correlate(source, at, step):
    """Apply the three 1-D filters at eight neighbouring pixels; return Float8 smooth, slope and bend.

    The taps of a filter lie ``step`` numbers apart: 1 along x, the width of a row along y.
    """
    smooth = broadcast(SMOOTH[0]) * load(source, at)
    slope = broadcast(ZERO)
    bend = broadcast(ZERO)
    for k in range(1, RADIUS + 1):
        before, after = load(source, at - k * step), load(source, at + k * step)
        smooth = smooth + broadcast(SMOOTH[k]) * (before + after)
        slope = slope + broadcast(SLOPE[k]) * (after - before)
        bend = bend + broadcast(BEND[k]) * (before + after)
    return smooth, slope, bend


@inner()
def _filter_columns(padded, start, width, rows, pitch):
    """Filter an image along y for one row, from its first pixel at ``start`` on; write smooth, slope and bend.

    rows (3 · pitch,): the three filtered rows, padded with their first and last numbers.
    """
    for x in range(0, width, LANES):
        smooth, slope, bend = _correlate(padded, start + x, width)
        store(rows, MARGIN + x, smooth)
        store(rows, pitch + MARGIN + x, slope)
        store(rows, 2 * pitch + MARGIN + x, bend)
    for first in range(MARGIN, 3 * pitch, pitch):
        for k in range(1, RADIUS + 1):
            rows[first - k] = rows[first]
            rows[first + width - 1 + k] = rows[first + width - 1]


@inner()
def _fit(rows, pitch, first, last, planar, plane, interleaved):
    """Compute the coefficients of the pixels from ``first`` to before ``last`` of a row, and store them in two orders.

    The pixels of whole vectors are written, even beyond ``last``.
    """
    none = broadcast(ZERO)
    # numba would compile a second version of `_correlate` for a literal.
    one = np.int64(1)
    for pixel in range(first, last, LANES):
        at = MARGIN + pixel
        smooth, slope, bend = _correlate(rows, at, one)
        smooth_of_slope, slope_of_slope, _ = _correlate(rows, pitch + at, one)
        smooth_of_bend, _, _ = _correlate(rows, 2 * pitch + at, one)
        shared = broadcast(INVERSE_1XX) * smooth
        x, y = broadcast(INVERSE_X) * slope, broadcast(INVERSE_X) * smooth_of_slope
        xx, yy = shared + broadcast(INVERSE_XX) * bend, shared + broadcast(INVERSE_XX) * smooth_of_bend
        xy = broadcast(INVERSE_XY) * slope_of_slope
        out = pixel - first
        store(planar, out, x)
        store(planar, out + plane, y)
        store(planar, out + 2 * plane, xx)
        store(planar, out + 3 * plane, yy)
        store(planar, out + 4 * plane, xy)
        # Eight numbers are stored for the five of a pixel; the next pixel overwrites the other three.
        pixels = transposed((x, y, xx, yy, xy, none, none, none))
        store_rows(interleaved, out * COEFFICIENTS, COEFFICIENTS, pixels)


@inner()
def _expand_scale(padded, height, width, planar, plane, interleaved):
    """Compute the coefficients at every pixel of one scale, in two orders.

    All flat float32: padded ((H + 14) · W,), the image with 7 rows replicated above and below, readable for 8 numbers
    beyond its end; planar, one coefficient after the other, ``plane`` numbers apart; interleaved (H · W · 5 + 3,), of
    which the last three numbers are arbitrary. A caller that does not want ``planar`` gives room for a single row, with
    the width as ``plane``; then each row overwrites the one before.
    """
    pitch = -(-width // LANES) * LANES + 2 * MARGIN
    rows = np.empty(3 * pitch, np.float32)
    # The pixels after the last whole vector of a row are computed in these buffers.
    whole = width - width % LANES
    rest, rest_interleaved = np.empty(COEFFICIENTS * LANES, np.float32), np.empty(COEFFICIENTS * LANES + 3, np.float32)
    # numba would compile a second version of `_fit` for literals.
    none, lanes = np.int64(0), np.int64(LANES)
    for y in range(height):
        _filter_columns(padded, (y + RADIUS) * width, width, rows, pitch)
        by_plane, by_pixel = planar[y * width % plane :], interleaved[y * width * COEFFICIENTS :]
        _fit(rows, pitch, none, whole, by_plane, plane, by_pixel)
        _fit(rows, pitch, whole, width, rest, lanes, rest_interleaved)
        for x in range(whole, width):
            for c in range(COEFFICIENTS):
                by_plane[c * plane + x] = rest[c * LANES + x - whole]
                by_pixel[x * COEFFICIENTS + c] = rest_interleaved[(x - whole) * COEFFICIENTS + c]


@kernel((uint8[:, ::1], int64[:, ::1], float32[:, ::1], int64, float32[::1], float32[::1]))
def expand(gray, sizes, blurs, finest, planar, interleaved):
    """Compute the coefficients of x, y, x², y² and xy at every scale, by plane and by pixel.

    The flow reads the first frame by plane, in order, and the second by pixel, where the flow leads.

    gray (H, W) uint8; sizes (S, 2) int64, height and width of the scales, finest first; blurs (S, K) float32, the
    Gaussian of each from its middle outwards, then zeros; finest, the index of the finest scale that is expanded.
    Out, flat, scale after scale: planar float32 (5 · P,), with P the pixels of all scales, or empty where it is not
    wanted; interleaved (5 · P + 3,), of which the last three numbers are arbitrary.
    """
    height, width = gray.shape
    # The last vector reads beyond the end of the image.
    frame = np.zeros(gray.size + LANES, np.float32)
    for y in range(height):
        for x in range(width):
            frame[y * width + x] = gray[y, x]
    padded = np.empty((height + 2 * RADIUS) * width + LANES, np.float32)
    row = np.empty(COEFFICIENTS * width, np.float32)
    start = 0
    for s in range(sizes.shape[0]):
        h, w = sizes[s]
        if s >= finest:
            smooth(frame, height, width, blurs[s], h, w, padded[RADIUS * w :])
            for y in range(RADIUS):
                for x in range(w):
                    padded[y * w + x] = padded[RADIUS * w + x]
                    padded[(RADIUS + h + y) * w + x] = padded[(RADIUS + h - 1) * w + x]
            by_plane, plane = (planar[start:], h * w) if planar.size else (row, w)
            _expand_scale(padded, h, w, by_plane, plane, interleaved[start:])
        start += COEFFICIENTS * h * w
