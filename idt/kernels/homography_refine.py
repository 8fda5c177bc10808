"""Refine a homography by least squares over its inliers, with the Gauss–Newton method.

Method: docs/method/extraction.md, section 4.5.
"""

import math

import numpy as np
from numba import boolean, float32, float64, int64

from idt.jit.kernel import inner, kernel

PARAMETERS = 8
SMALLEST = float(np.finfo(np.float32).tiny)
SUMS, GRADIENT, COST = 28, 19, 27
"""Number of sums of `_linearise`, and the indices of the gradient and the cost among them."""
# Place in the sums, and sign, of each element of the normal equations.
NORMAL_SUM = np.array([
    [0, 1, 2, 0, 0, 0, 6, 7],
    [1, 3, 4, 0, 0, 0, 7, 9],
    [2, 4, 5, 0, 0, 0, 8, 10],
    [0, 0, 0, 0, 1, 2, 11, 12],
    [0, 0, 0, 1, 3, 4, 12, 14],
    [0, 0, 0, 2, 4, 5, 13, 15],
    [6, 7, 8, 11, 12, 13, 16, 17],
    [7, 9, 10, 12, 14, 15, 17, 18],
])  # fmt: skip
NORMAL_SIGN = np.kron(np.eye(2), np.ones((3, 3)))
NORMAL_SIGN = np.block([[NORMAL_SIGN, -np.ones((6, 2))], [-np.ones((2, 6)), np.ones((2, 2))]])


@kernel((float32[:, ::1], float32[:, ::1], boolean[::1], float32[::1], int64, float64, float64[::1]))
def refine(source, target, inliers, start, iterations, tolerance, matrix):
    """Fit a homography to the inliers by least squares, from ``start`` on; return whether a finite matrix was found.

    source, target (2, n) float32; inliers (n,) bool; start (8,) float32; iterations, at most; tolerance, the relative
    decrease of the squared distances below which the iteration stops; matrix (9,) float64 out, its last number 1.
    """
    count = 0
    for i in range(inliers.shape[0]):
        count += inliers[i]
    sources, targets = np.empty((2, count), np.float64), np.empty((2, count), np.float64)
    s, sx, sy = _centre(source, inliers, sources)
    t, tx, ty = _centre(target, inliers, targets)
    model, trial = np.empty(PARAMETERS, np.float64), np.empty(PARAMETERS, np.float64)
    sums, system = np.empty(SUMS, np.float64), np.empty((PARAMETERS, PARAMETERS + 1), np.float64)
    # The homography between the centred points: undo the source's centring, apply it, centre the target.
    for k in range(PARAMETERS):
        matrix[k] = start[k]
    matrix[8] = 1.0
    _change_coordinates(matrix, 1 / s, sx, sy, t, -t * tx, -t * ty)
    for k in range(PARAMETERS):
        model[k] = matrix[k] / matrix[8]
    _linearise(sources, targets, model, sums)
    for _ in range(iterations):
        cost = sums[COST]
        if not _step(sums, system, model, trial):
            break
        _linearise(sources, targets, trial, sums)
        if not sums[COST] < cost:
            break
        model, trial = trial, model
        if cost - sums[COST] <= tolerance * cost:
            break
    for k in range(PARAMETERS):
        matrix[k] = model[k]
    matrix[8] = 1.0
    _change_coordinates(matrix, s, -s * sx, -s * sy, 1 / t, tx, ty)
    last = matrix[8]
    finite = True
    for k in range(9):
        matrix[k] /= last
        finite &= math.isfinite(matrix[k])
    return finite


@inner()
def _centre(points, chosen, out):
    """Centre the chosen points and scale them to [−1, 1] (Hartley, PAMI 1997); return the scale and the centre."""
    count = 0
    x = y = 0.0
    for i in range(chosen.shape[0]):
        if chosen[i]:
            out[0, count], out[1, count] = points[0, i], points[1, i]
            x, y = x + out[0, count], y + out[1, count]
            count += 1
    x, y = x / count, y / count
    largest = SMALLEST
    for i in range(count):
        out[0, i] -= x
        out[1, i] -= y
        largest = max(largest, max(abs(out[0, i]), abs(out[1, i])))
    scale = 1 / largest
    for i in range(count):
        out[0, i] *= scale
        out[1, i] *= scale
    return scale, x, y


@inner()
def _change_coordinates(matrix, s, sx, sy, t, tx, ty):
    """Change coordinates of a matrix (9,): scale s and shift sx, sy before it, t and tx, ty after it."""
    for k in range(0, 9, 3):
        matrix[k + 2] += sx * matrix[k] + sy * matrix[k + 1]
        matrix[k] *= s
        matrix[k + 1] *= s
    for k in range(3):
        matrix[k] = t * matrix[k] + tx * matrix[6 + k]
        matrix[3 + k] = t * matrix[3 + k] + ty * matrix[6 + k]


@inner()
def _step(sums, system, model, trial):
    """Solve the normal equations, and write the model after the step to ``trial``; return False if it is not unique."""
    for i in range(PARAMETERS):
        for j in range(PARAMETERS):
            system[i, j] = NORMAL_SIGN[i, j] * sums[NORMAL_SUM[i, j]]
        system[i, PARAMETERS] = sums[GRADIENT + i]
    for i in range(PARAMETERS):
        pivot = i
        for k in range(i + 1, PARAMETERS):
            if abs(system[k, i]) > abs(system[pivot, i]):
                pivot = k
        if system[pivot, i] == 0:
            return False
        for j in range(i, PARAMETERS + 1):
            system[i, j], system[pivot, j] = system[pivot, j], system[i, j]
        for k in range(i + 1, PARAMETERS):
            share = system[k, i] / system[i, i]
            for j in range(i + 1, PARAMETERS + 1):
                system[k, j] -= share * system[i, j]
    for i in range(PARAMETERS - 1, -1, -1):
        step = system[i, PARAMETERS]
        for j in range(i + 1, PARAMETERS):
            step -= system[i, j] * system[j, PARAMETERS]
        system[i, PARAMETERS] = step / system[i, i]
        trial[i] = model[i] - system[i, PARAMETERS]
    return True


@inner()
def _linearise(source, target, model, sums):
    """Compute the normal equations of the residuals around a model, and the sum of the squares of these residuals.

    source, target (2, n) float64; model (8,) float64, its ninth number is 1; sums (28,) float64 out. With
    a = (x, y, 1) / w and b its first two numbers, a match at (u, v) has the derivatives (a, 0, −u·b) and (0, a, −v·b),
    so the matrix is made of Σ a·aᵀ (6 sums), Σ u·a·bᵀ (5), Σ v·a·bᵀ (5) and Σ (u² + v²)·b·bᵀ (3).
    """
    xx = xy = x1 = yy = y1 = one = 0.0
    uxx = uxy = ux1 = uyy = uy1 = 0.0
    vxx = vxy = vx1 = vyy = vy1 = 0.0
    rxx = rxy = ryy = 0.0
    dux = duy = du1 = dvx = dvy = dv1 = ex = ey = 0.0
    total = 0.0
    for i in range(source.shape[1]):
        w = 1 / (model[6] * source[0, i] + model[7] * source[1, i] + 1)
        x, y = source[0, i] * w, source[1, i] * w
        u = model[0] * x + model[1] * y + model[2] * w
        v = model[3] * x + model[4] * y + model[5] * w
        du, dv = u - target[0, i], v - target[1, i]
        total += du * du + dv * dv
        ax, ay, a1, bx, by = x * x, x * y, x * w, y * y, y * w
        xx, xy, x1, yy, y1, one = xx + ax, xy + ay, x1 + a1, yy + bx, y1 + by, one + w * w
        uxx, uxy, ux1, uyy, uy1 = uxx + u * ax, uxy + u * ay, ux1 + u * a1, uyy + u * bx, uy1 + u * by
        vxx, vxy, vx1, vyy, vy1 = vxx + v * ax, vxy + v * ay, vx1 + v * a1, vyy + v * bx, vy1 + v * by
        r, e = u * u + v * v, u * du + v * dv
        rxx, rxy, ryy = rxx + r * ax, rxy + r * ay, ryy + r * bx
        dux, duy, du1 = dux + du * x, duy + du * y, du1 + du * w
        dvx, dvy, dv1 = dvx + dv * x, dvy + dv * y, dv1 + dv * w
        ex, ey = ex - e * x, ey - e * y
    sums[0], sums[1], sums[2], sums[3], sums[4], sums[5] = xx, xy, x1, yy, y1, one
    sums[6], sums[7], sums[8], sums[9], sums[10] = uxx, uxy, ux1, uyy, uy1
    sums[11], sums[12], sums[13], sums[14], sums[15] = vxx, vxy, vx1, vyy, vy1
    sums[16], sums[17], sums[18] = rxx, rxy, ryy
    sums[19], sums[20], sums[21], sums[22], sums[23], sums[24] = dux, duy, du1, dvx, dvy, dv1
    sums[25], sums[26], sums[27] = ex, ey, total
