"""Orientation of SURF keypoints: the direction of the strongest gradient around them.

docs/method/surf.md, section 2; Bay et al. 2008, section 4.1. Angles are degrees in the image's own axes (y down),
lengths are pixels; the disc, the wavelets and their spacing grow with the keypoint's scale.
"""

import math

import numpy as np
from numba import float32, int32

from idt.jit.kernel import inner, kernel

RADIUS = 6
TAPS = 2 * RADIUS + 1
REACH = np.array([math.isqrt(RADIUS**2 - u * u) for u in range(-RADIUS, RADIUS + 1)])
"""Largest |v| with u² + v² ≤ 36, for each u."""
WAVELETS = 120
"""Room for the 113 wavelets on the disc, rounded up to whole vectors."""
DIRECTIONS = 72
SPACING = 5
"""Degrees between two directions."""

# OpenCV's fast arctangent: an odd polynomial of degree 7 on [0, 1], here in degrees.
ARC1 = np.float32(0.9997878412794807 * 180 / math.pi)
ARC3 = np.float32(-0.3258083974640975 * 180 / math.pi)
ARC5 = np.float32(0.1555786518463281 * 180 / math.pi)
ARC7 = np.float32(-0.04432655554792128 * 180 / math.pi)
TINY = np.float32(2.220446e-16)
"""Summand that keeps the angle of a zero vector from being 0 / 0."""


@kernel((int32[:, ::1], float32[::1], float32[::1], float32[::1], float32[::1], float32[::1]))
def orient(integral, x, y, scale, weights, angle):
    """Compute the direction of each keypoint in degrees; NaN if no wavelet fits into the image.

    integral (H + 1, W + 1) int32; x, y, scale (n,) float32; weights (13,) float32; angle (n,) float32 out.
    Unchecked: call surf.detect.
    """
    # Behind the responses of a keypoint these arrays hold numbers of earlier keypoints. Their angles are computed, too,
    # but not summed.
    dx, dy, turns = np.empty(WAVELETS, np.float32), np.empty(WAVELETS, np.float32), np.empty(WAVELETS, np.float32)
    for i in range(WAVELETS):
        dx[i] = dy[i] = 0
    sum_x, sum_y = np.empty(DIRECTIONS, np.float32), np.empty(DIRECTIONS, np.float32)
    for k in range(x.size):
        count = _respond(integral, x[k], y[k], scale[k], weights, dx, dy)
        for i in range(WAVELETS):
            turns[i] = np.rint(_arctangent(dy[i], dx[i]))
        for i in range(DIRECTIONS):
            sum_x[i] = sum_y[i] = 0
        for i in range(count):
            _add_to_near(turns[i], dx[i], dy[i], sum_x, sum_y)
        angle[k] = _direction_of_longest(sum_x, sum_y) if count else np.nan


@inner()
def _respond(integral, x, y, scale, weights, dx, dy):
    """Compute weighted Haar responses on a disc around a keypoint; return their number.

    A wavelet that leaves the image has none.
    integral (H + 1, W + 1) int32; weights (13,) float32; dx, dy (≥ 113,) float32 out.
    """
    rows, cols = integral.shape
    half = np.int64(np.rint(np.float32(2) * scale))
    side = 2 * half
    factor = np.float32(1) / np.float32(side * half)
    to_corner = np.float32(side - 1) / np.float32(2)
    tops = np.empty(TAPS, np.int64)
    for v in range(TAPS):
        tops[v] = np.int64(np.rint(y + np.float32(v - RADIUS) * scale - to_corner))
    count = 0
    for u in range(TAPS):
        left = np.int64(np.rint(x + np.float32(u - RADIUS) * scale - to_corner))
        middle, right = left + half, left + side
        if left < 0 or right >= cols:
            continue
        for v in range(RADIUS - REACH[u], RADIUS + REACH[u] + 1):
            top = tops[v]
            if top < 0 or top + side >= rows:
                continue
            above, centre, below = integral[top], integral[top + half], integral[top + side]
            whole = below[right] - below[left] - above[right] + above[left]
            left_half = below[middle] - below[left] - above[middle] + above[left]
            top_half = centre[right] - centre[left] - above[right] + above[left]
            weight = weights[u] * weights[v]
            dx[count] = _mean_difference(whole - left_half, left_half, factor) * weight
            dy[count] = _mean_difference(top_half, whole - top_half, factor) * weight
            count += 1
    return count


@inner()
def _mean_difference(plus, minus, factor):
    """Return the difference of two box means, rounded as in the detector: each to float32, the difference once."""
    return np.float32(np.float64(np.float32(plus) * factor) - np.float64(np.float32(minus) * factor))


@inner()
def _arctangent(y, x):
    """Return the angle of a vector in degrees, 0 to 360, with an error below 0.01°; 0 for the vector 0."""
    along, across = abs(x), abs(y)
    ratio = min(along, across) / (max(along, across) + TINY)
    square = ratio * ratio
    angle = (((ARC7 * square + ARC5) * square + ARC3) * square + ARC1) * ratio
    angle = np.float32(90) - angle if across > along else angle
    angle = np.float32(180) - angle if x < 0 else angle
    return np.float32(360) - angle if y < 0 else angle


@inner()
def _add_to_near(turn, dx, dy, sum_x, sum_y):
    """Add a vector to the sums of all directions less than 30° away.

    turn in degrees; sum_x, sum_y (72,) float32. All 72 are tested, because the compiler vectorises such a loop.
    """
    for k in range(DIRECTIONS):
        gap = abs(turn - np.float32(np.int32(SPACING * k)))
        near = (gap < np.float32(30)) | (gap > np.float32(330))
        sum_x[k] += dx if near else np.float32(0)
        sum_y[k] += dy if near else np.float32(0)


@inner()
def _direction_of_longest(sum_x, sum_y):
    """Return the direction of the longest sum, the first of equals; sum_x, sum_y (72,) float32.

    sum_y points upwards, as the wavelets' dy; the direction is measured downwards, hence the minus sign.
    """
    longest, best = np.float32(-1), 0
    for k in range(DIRECTIONS):
        length = sum_x[k] * sum_x[k] + sum_y[k] * sum_y[k]
        if length > longest:
            longest, best = length, k
    return _arctangent(-sum_y[best], sum_x[best])
