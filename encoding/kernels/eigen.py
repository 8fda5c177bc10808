"""Covariances and their eigenvectors in float64, in one fixed order of operations.

LAPACK is faster on large matrices, but what it returns depends in its last bits on the threads of its BLAS; a block has
some hundred columns, for which Jacobi's rotations take a fraction of a second and are the more exact.
"""

import math

from idt.jit.kernel import kernel

# a·b + c in one rounding; the order of the additions stays.
CONTRACT = {"contract"}
# Rotations stop when the numbers beside the diagonal are this small in all, relative to those on it.
ROUNDING = 1e-15
# Convergence is quadratic: ten sweeps do for a thousand columns.
MOST_SWEEPS = 40


@kernel(fastmath=CONTRACT)
def add_products(rows, out):
    """Add rowsᵀ · rows to out, the lower triangle only.

    rows (4m, d) float64; out (d, d) float64. Unchecked: call pca.PCA.fit.
    """
    for i in range(rows.shape[1]):
        for t in range(0, rows.shape[0], 4):
            _add_four(rows[t], rows[t + 1], rows[t + 2], rows[t + 3], i, out[i])


@kernel(fastmath=CONTRACT)
def _add_four(a, b, c, d, i, out):
    """Add a[i]·a + b[i]·b + c[i]·c + d[i]·d to out[: i + 1]: four rows for one reading and writing of out.

    a, b, c, d (d,) float64; out (d,) float64.
    """
    p, q, r, s = a[i], b[i], c[i], d[i]
    for j in range(i + 1):
        out[j] += (p * a[j] + q * b[j]) + (r * c[j] + s * d[j])


@kernel(fastmath=CONTRACT)
def diagonalise(a, vectors):
    """Eigenvectors of a symmetric matrix by cyclic Jacobi rotations; Golub & Van Loan, Matrix Computations, 8.5.

    a (d, d) float64, in the end its eigenvalues are on the diagonal; vectors (d, d) float64, the identity, in the end
    one eigenvector in each row. Returns False if that took too long. Unchecked: call pca.PCA.fit.
    """
    n = a.shape[0]
    for _ in range(MOST_SWEEPS):
        beside, on = 0.0, 0.0
        for i in range(n):
            on += a[i, i] * a[i, i]
            for j in range(i):
                beside += a[i, j] * a[i, j]
        if beside <= ROUNDING * ROUNDING * on:
            return True
        for p in range(n - 1):
            for q in range(p + 1, n):
                if a[p, q] != 0:
                    _rotate(a, vectors, p, q)
    return False


@kernel(fastmath=CONTRACT)
def _rotate(a, vectors, p, q):
    """Rotate in the plane of the axes p and q, by the angle that makes a[p, q] zero.

    a (d, d) float64, symmetric, and vectors (d, d) float64, updated.
    """
    theta = (a[q, q] - a[p, p]) / (2 * a[p, q])
    tangent = math.copysign(1.0, theta) / (abs(theta) + math.sqrt(theta * theta + 1))
    cosine = 1 / math.sqrt(tangent * tangent + 1)
    sine = tangent * cosine
    change = tangent * a[p, q]
    diagonal_p, diagonal_q = a[p, p] - change, a[q, q] + change
    _turn(a[p], a[q], cosine, sine)
    _turn(vectors[p], vectors[q], cosine, sine)
    for i in range(a.shape[0]):
        a[i, p], a[i, q] = a[p, i], a[q, i]
    a[p, p], a[q, q] = diagonal_p, diagonal_q
    a[p, q] = a[q, p] = 0.0


@kernel(fastmath=CONTRACT)
def _turn(first, second, cosine, sine):
    """(first, second) = (c·first − s·second, s·first + c·second).

    first, second (d,) float64, updated.
    """
    for i in range(first.size):
        x, y = first[i], second[i]
        first[i] = cosine * x - sine * y
        second[i] = sine * x + cosine * y
