"""The dual of a hard support vector machine by an interior-point method.

Over the rows x_i of two classes, t_i = ±1, with Q_ij = t_i t_j x_i·x_j:

    minimise  ½ αᵀQα − Σ α_i   subject to   0 ≤ α_i ≤ C_i,  Σ t_i α_i = 0.

Coordinate-wise solvers (libsvm, liblinear) are fast if few rows become support vectors. If classes overlap in few
columns and C is large they need millions of steps, or never end. Newton's method on all multipliers needs a few dozen
steps, each with a Cholesky factorisation of n × n, or of d × d if there are fewer columns than rows.

Source: Mehrotra 1992 (predictor and corrector), Fine & Scheinberg 2001 (the low-rank system). Sparsity is left out,
because the vectors are dense.
"""

import numpy as np
from scipy.linalg import cho_factor, cho_solve

from idt.errors import DataError

STEPS = 200
"""Largest number of Newton steps; two or three dozen are usual."""

PRECISION = 1e-9
"""The method ends at this relative gap between the primal and the dual objective, if `MARGIN` is met, too."""

MARGIN = 1e-6
"""The method ends at this violation of the optimality conditions, in units of the margin."""

NEAREST = 0.995
"""A step goes this share of the way to the nearest bound."""


def solve(signs, penalties, *, kernel=None, factor=None):
    """Compute the multipliers of the rows.

    Parameters
    ----------
    signs : (n,) float64
        t_i, +1 or −1, both present.
    penalties : (n,) float64
        C_i.
    kernel : (n, n) float64, optional
        Inner products of the rows.
    factor : (n, d) float64, optional
        The rows, instead of their inner products.

    Returns
    -------
    (n,) float64
        t_i α_i, so that w = Σ t_i α_i x_i.

    Raises
    ------
    DataError
        If the method does not converge, as on rows whose lengths differ by many orders of magnitude.
    """
    system = _Dense(kernel, signs) if factor is None else _LowRank(factor, signs)
    n, b = len(signs), 0.0
    alpha, lower, upper = penalties / 2, np.ones(n), np.ones(n)  # lower, upper: multipliers of the bounds
    for _ in range(STEPS):
        room = penalties - alpha
        product = system.times(alpha)
        residual = 1 - product - b * signs + lower - upper
        balance = signs @ alpha
        gap = lower @ alpha + upper @ room
        close = gap <= PRECISION * (1 + abs(alpha @ product / 2 - alpha.sum()))
        if close and np.abs(residual).max() <= MARGIN and abs(balance) <= PRECISION * penalties.sum():
            return signs * alpha
        try:
            system.factorise(lower / alpha + upper / room)
        except (np.linalg.LinAlgError, ValueError):
            break
        across = system.solve(signs)
        # The predictor aims at the bounds. The corrector, the step taken, uses its length and curvature.
        target = curve_lower = curve_upper = 0.0
        for _ in ("predictor", "corrector"):
            toward_lower = (target - curve_lower) / alpha - lower
            toward_upper = (target - curve_upper) / room - upper
            plain = system.solve(residual + toward_lower - toward_upper)
            d_b = (signs @ plain + balance) / (signs @ across)
            d_alpha = plain - d_b * across
            d_lower = toward_lower - lower / alpha * d_alpha
            d_upper = toward_upper + upper / room * d_alpha
            far = _reach((alpha, d_alpha), (room, -d_alpha), (lower, d_lower), (upper, d_upper))
            ahead = (alpha + far * d_alpha) @ (lower + far * d_lower) + (room - far * d_alpha) @ (upper + far * d_upper)
            target = (ahead / gap) ** 3 * gap / (2 * n)
            curve_lower, curve_upper = d_alpha * d_lower, -d_alpha * d_upper
        far *= NEAREST
        alpha, lower, upper, b = alpha + far * d_alpha, lower + far * d_lower, upper + far * d_upper, b + far * d_b
    raise DataError("the support vector machine does not converge; scale the vectors to about unit length")


def _reach(*pairs):
    """Return the largest step up to 1 that keeps all values positive."""
    longest = 1.0
    for values, steps in pairs:
        shrinks = steps < 0
        if shrinks.any():
            longest = min(longest, float((values[shrinks] / -steps[shrinks]).min()))
    return longest


class _Dense:
    """Q, and systems with Q + diagonal, from the inner products of the rows."""

    def __init__(self, kernel, signs):
        self._matrix = kernel * signs * signs[:, None]

    def times(self, vector):
        return self._matrix @ vector

    def factorise(self, diagonal):
        whole = self._matrix.copy()
        whole[np.diag_indices_from(whole)] += diagonal
        self._factor = cho_factor(whole, lower=True, overwrite_a=True, check_finite=True)

    def solve(self, right):
        return cho_solve(self._factor, right, check_finite=False)


class _LowRank:
    """Q, and systems with Q + diagonal, from rows with fewer columns than rows (Sherman–Morrison–Woodbury)."""

    def __init__(self, rows, signs):
        self._rows = rows * signs[:, None]

    def times(self, vector):
        return self._rows @ (self._rows.T @ vector)

    def factorise(self, diagonal):
        self._diagonal = diagonal
        inner = self._rows.T @ (self._rows / diagonal[:, None])
        inner[np.diag_indices_from(inner)] += 1
        self._factor = cho_factor(inner, lower=True, overwrite_a=True, check_finite=True)

    def solve(self, right):
        scaled = right / self._diagonal
        return scaled - self._rows @ cho_solve(self._factor, self._rows.T @ scaled, check_finite=False) / self._diagonal
