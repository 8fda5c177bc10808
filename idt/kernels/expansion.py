"""Polynomial expansion (spec 3): the weighted least-squares fit of a quadratic around every pixel.

Farnebäck, "Two-frame motion estimation based on polynomial expansion", SCIA 2003, section 3: with a Gaussian
applicability the fit separates into 1-D correlations, of which only four numbers of the inverse Gram matrix remain.
"""

import math

import numpy as np
from numba import njit

RADIUS = 7
SIGMA = 1.5

# contract: fused multiply-add, as in the release's own build. Sums keep their order, NaN and infinities their meaning.
FLAGS = {"contract", "nsz"}

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
INVERSE_1XX = np.float32(-_second / (_fourth - _second**2))


@njit(cache=True, nogil=True, fastmath=FLAGS, error_model="numpy")
def _filter_columns(padded, y, smooth, slope, bend):
    """Correlate the 15 rows around row y with the three filters, into rows padded by RADIUS + 1 on either side."""
    width = padded.shape[1]
    for x in range(width):
        s = SMOOTH[0] * padded[y + RADIUS, x]
        d = np.float32(0)
        q = np.float32(0)
        for k in range(1, RADIUS + 1):
            above = padded[y + RADIUS - k, x]
            below = padded[y + RADIUS + k, x]
            s += SMOOTH[k] * (above + below)
            d += SLOPE[k] * (below - above)
            q += BEND[k] * (above + below)
        smooth[RADIUS + x] = s
        slope[RADIUS + x] = d
        bend[RADIUS + x] = q


@njit(cache=True, nogil=True, fastmath=FLAGS, error_model="numpy")
def _replicate_ends(row, width):
    """Continue a filtered row by its first and last value."""
    for k in range(RADIUS):
        row[k] = row[RADIUS]
        row[RADIUS + width + k] = row[RADIUS + width - 1]


@njit(cache=True, nogil=True, fastmath=FLAGS, error_model="numpy")
def _fit_smooth(row, x_part, xx_part, yy_part):
    """From the vertically smoothed row: the x and x² coefficients, and the share of 1 in x² and y²."""
    for x in range(x_part.shape[0]):
        s = SMOOTH[0] * row[x + RADIUS]
        d = np.float32(0)
        q = np.float32(0)
        for k in range(1, RADIUS + 1):
            left = row[x + RADIUS - k]
            right = row[x + RADIUS + k]
            s += SMOOTH[k] * (left + right)
            d += SLOPE[k] * (right - left)
            q += BEND[k] * (left + right)
        x_part[x] = INVERSE_X * d
        xx_part[x] = INVERSE_1XX * s + INVERSE_XX * q
        yy_part[x] = INVERSE_1XX * s


@njit(cache=True, nogil=True, fastmath=FLAGS, error_model="numpy")
def _fit_slope(row, y_part, xy_part):
    """From the vertical slope: the y and xy coefficients."""
    for x in range(y_part.shape[0]):
        s = SMOOTH[0] * row[x + RADIUS]
        d = np.float32(0)
        for k in range(1, RADIUS + 1):
            left = row[x + RADIUS - k]
            right = row[x + RADIUS + k]
            s += SMOOTH[k] * (left + right)
            d += SLOPE[k] * (right - left)
        y_part[x] = INVERSE_X * s
        xy_part[x] = INVERSE_XY * d


@njit(cache=True, nogil=True, fastmath=FLAGS, error_model="numpy")
def _fit_bend(row, yy_part):
    """From the vertical bend: the rest of the y² coefficient."""
    for x in range(yy_part.shape[0]):
        s = SMOOTH[0] * row[x + RADIUS]
        for k in range(1, RADIUS + 1):
            s += SMOOTH[k] * (row[x + RADIUS - k] + row[x + RADIUS + k])
        yy_part[x] += INVERSE_XX * s


@njit(cache=True, nogil=True, fastmath=FLAGS, error_model="numpy")
def expand(padded, planar, interleaved):
    """Coefficients of x, y, x², y² and xy at every pixel, in two orders: by plane to stream, by pixel to gather.

    padded (H + 14, W) float32, the image with 7 rows replicated above and below;
    planar (5, H, W) float32 and interleaved (H, W, 8) float32, the last three of them 0.
    """
    _, height, width = planar.shape
    smooth = np.empty(width + 2 * RADIUS, np.float32)
    slope = np.empty(width + 2 * RADIUS, np.float32)
    bend = np.empty(width + 2 * RADIUS, np.float32)
    for y in range(height):
        _filter_columns(padded, y, smooth, slope, bend)
        _replicate_ends(smooth, width)
        _replicate_ends(slope, width)
        _replicate_ends(bend, width)
        # Few arrays a loop: where many may overlap, the compiler gives up vectors.
        _fit_smooth(smooth, planar[0, y], planar[2, y], planar[3, y])
        _fit_slope(slope, planar[1, y], planar[4, y])
        _fit_bend(bend, planar[3, y])
        for x in range(width):
            for c in range(5):
                interleaved[y, x, c] = planar[c, y, x]
            for c in range(5, 8):
                interleaved[y, x, c] = np.float32(0)
