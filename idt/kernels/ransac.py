"""RANSAC: find the homography through four random matches with which most other matches agree.

Method: docs/method/extraction.md, section 4.5.

Consensus: Fischler & Bolles, CACM 1981. The draws, the tests of a draw and the rule for stopping are those of OpenCV's
RANSAC, so that the same matches win as in the release. Two things differ: a model is computed in closed form, not by an
eigenvalue problem, and counting stops as soon as the model cannot win any more. `homography_refine` then refines the
winner.
"""

import math

import numpy as np
from numba import boolean, float32, float64, int64

from idt.jit.kernel import inner, kernel

SAMPLE = 4
DRAWS = 10000
"""Largest number of consecutive draws without a valid sample before the search ends."""
# OpenCV's random numbers, by multiplication with carry.
SEED = np.uint64(0xFFFFFFFFFFFFFFFF)
MULTIPLIER = np.uint64(4164903690)
LOW = np.uint64(0xFFFFFFFF)
HIGH = np.uint64(32)
EPSILON = float(np.finfo(np.float32).eps)
TINY = float(np.finfo(np.float64).tiny)
PARAMETERS = 8
BLOCK = 128
"""Matches that are counted between two checks whether the model can still win."""


@kernel((float32[:, ::1], float32[:, ::1], float64, int64, float64, float32[::1], boolean[::1]))
def consensus(source, target, threshold, iterations, confidence, winner, inliers):
    """Mark the matches that agree with the best model found; return their number, 0 without any model.

    source, target (2, n) float32, rows x and y, n > 4; threshold in pixels; winner (8,) float32, row by row without the
    ninth number, which is 1, and inliers (n,) bool out.
    """
    chosen, model = np.empty(SAMPLE, np.int64), np.empty(PARAMETERS, np.float32)
    count = source.shape[1]
    limit = np.float32(threshold * threshold)
    state = SEED
    best = 0
    needed = iterations
    k = 0
    while k < needed:
        state, found = _draw(source, target, state, chosen)
        if not found:
            break
        if _through_four(source, target, chosen, model):
            agreeing = _count(source, target, model, limit, max(best, SAMPLE - 1))
            if agreeing > max(best, SAMPLE - 1):
                best = agreeing
                for i in range(PARAMETERS):
                    winner[i] = model[i]
                needed = _iterations_needed(confidence, (count - agreeing) / count, needed)
        k += 1
    for i in range(count):
        inliers[i] = best > 0 and _squared_error(source, target, winner, i) <= limit
    return best


@inner()
def _draw(source, target, state, chosen):
    """Draw four different matches that may define a homography; return the generator's state, and whether any do."""
    count = np.uint64(source.shape[1])
    for _ in range(DRAWS):
        i = 0
        while i < SAMPLE:
            # Multiply with carry: the lower half is the number, the upper half the carry.
            state = (state & LOW) * MULTIPLIER + (state >> HIGH)
            chosen[i] = np.int64((state & LOW) % count)
            again = False
            for j in range(i):
                again |= chosen[j] == chosen[i]
            i += not again
        on_line = _last_on_line(source, chosen) or _last_on_line(target, chosen)
        if not on_line and _same_side(source, target, chosen):
            return state, True
    return state, False


@inner()
def _last_on_line(points, chosen):
    """Tell whether the last of four points lies on a line through two others, or coincides with one."""
    last_x, last_y = points[0, chosen[3]], points[1, chosen[3]]
    for j in range(1, SAMPLE - 1):
        dx, dy = np.float64(points[0, chosen[j]] - last_x), np.float64(points[1, chosen[j]] - last_y)
        for i in range(j):
            ex, ey = np.float64(points[0, chosen[i]] - last_x), np.float64(points[1, chosen[i]] - last_y)
            if abs(ex * dy - ey * dx) <= EPSILON * (abs(dx) + abs(dy) + abs(ex) + abs(ey)):
                return True
    return False


@inner()
def _same_side(source, target, chosen):
    """Tell whether all four triangles of the points keep their orientation, or all four change it."""
    turned = 0
    for left_out in range(SAMPLE):
        a = chosen[1 if left_out == 0 else 0]
        b = chosen[1 if left_out > 1 else 2]
        c = chosen[2 if left_out == 3 else 3]
        turned += _orientation(source, a, b, c) * _orientation(target, a, b, c) < 0
    return turned == 0 or turned == SAMPLE


@inner()
def _orientation(points, a, b, c):
    """Return twice the signed area of a triangle."""
    ax, ay = np.float64(points[0, a]), np.float64(points[1, a])
    bx, by = np.float64(points[0, b]) - ax, np.float64(points[1, b]) - ay
    cx, cy = np.float64(points[0, c]) - ax, np.float64(points[1, c]) - ay
    return bx * cy - by * cx


@inner()
def _through_four(source, target, chosen, model):
    """Compute the homography that maps four points exactly to four others; return whether there is one.

    A point is a combination of three others with weights that are ratios of triangle areas. The homography is the
    inverse of the matrix from weights to the source, followed by the matrix from weights to the target (Heckbert 1989,
    section 2.2.3).
    """
    # Coordinates are relative to the last point, so its column of either matrix is (0, 0, 1). It never lies on a line
    # with two others.
    sx, sy = np.float64(source[0, chosen[3]]), np.float64(source[1, chosen[3]])
    tx, ty = np.float64(target[0, chosen[3]]), np.float64(target[1, chosen[3]])
    s0x, s0y = np.float64(source[0, chosen[0]]) - sx, np.float64(source[1, chosen[0]]) - sy
    s1x, s1y = np.float64(source[0, chosen[1]]) - sx, np.float64(source[1, chosen[1]]) - sy
    s2x, s2y = np.float64(source[0, chosen[2]]) - sx, np.float64(source[1, chosen[2]]) - sy
    t0x, t0y = np.float64(target[0, chosen[0]]) - tx, np.float64(target[1, chosen[0]]) - ty
    t1x, t1y = np.float64(target[0, chosen[1]]) - tx, np.float64(target[1, chosen[1]]) - ty
    t2x, t2y = np.float64(target[0, chosen[2]]) - tx, np.float64(target[1, chosen[2]]) - ty
    # Weights of points 0, 1 and 3 in point 2, up to a common factor.
    s_01 = s0x * s1y - s0y * s1x
    s_0, s_1 = s2x * s1y - s2y * s1x, s0x * s2y - s0y * s2x
    t_01 = t0x * t1y - t0y * t1x
    t_0, t_1 = t2x * t1y - t2y * t1x, t0x * t2y - t0y * t2x
    s_3, t_3 = s_01 - s_0 - s_1, t_01 - t_0 - t_1
    if s_0 == 0 or s_1 == 0 or s_3 == 0:
        return False
    # A point (x, y) has the weights u0, u1, u3 over the source's three points; its image has q · u over the target's.
    q0, q1, q3 = t_0 / s_0, t_1 / s_1, t_3 / s_3
    u0x, u0y = s1y * q0, -s1x * q0
    u1x, u1y = -s0y * q1, s0x * q1
    a, b = t0x * u0x + t1x * u1x, t0x * u0y + t1x * u1y
    c, d = t0y * u0x + t1y * u1x, t0y * u0y + t1y * u1y
    g = u0x + u1x + (s0y - s1y) * q3
    h = u0y + u1y + (s1x - s0x) * q3
    w = s_01 * q3
    # Back from coordinates relative to the last points.
    a, b, e = a + tx * g, b + tx * h, tx * w
    c, d, f = c + ty * g, d + ty * h, ty * w
    e -= a * sx + b * sy
    f -= c * sx + d * sy
    w -= g * sx + h * sy
    if w == 0:
        return False
    model[0], model[1], model[2] = a / w, b / w, e / w
    model[3], model[4], model[5] = c / w, d / w, f / w
    model[6], model[7] = g / w, h / w
    return True


@inner()
def _squared_error(source, target, model, i):
    """Return the squared distance between the image of a point under the model and its match."""
    x, y = source[0, i], source[1, i]
    scale = np.float32(1) / (model[6] * x + model[7] * y + np.float32(1))
    dx = (model[0] * x + model[1] * y + model[2]) * scale - target[0, i]
    dy = (model[3] * x + model[4] * y + model[5]) * scale - target[1, i]
    return dx * dx + dy * dy


@inner()
def _count(source, target, model, limit, to_beat):
    """Count the matches that agree with a model; stop once there cannot be more than ``to_beat``."""
    count = source.shape[1]
    agreeing = 0
    for first in range(0, count, BLOCK):
        last = min(first + BLOCK, count)
        if agreeing + count - first <= to_beat:
            return agreeing
        for i in range(first, last):
            agreeing += _squared_error(source, target, model, i) <= limit
    return agreeing


@inner()
def _iterations_needed(confidence, outliers, most):
    """Return how many draws are needed for one without outliers, with probability ``confidence``, at most ``most``."""
    miss = 1 - (1 - outliers) ** SAMPLE
    if miss < TINY:
        return 0
    numerator, denominator = math.log(max(1 - confidence, TINY)), math.log(miss)
    if denominator >= 0 or -numerator >= most * -denominator:
        return most
    return np.int64(np.rint(numerator / denominator))
