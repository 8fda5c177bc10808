"""Fisher vectors: the gradient of the descriptors' log-likelihood with respect to the mixture's parameters.

For T descriptors x_t with posteriors γ_t(k) under a mixture of K components with D-dimensional diagonal covariances,

    g_k = 1 / (T √w_k)    Σ_t (γ_t(k) − w_k)                          zero order, optional, for k < K
    u_k = 1 / (T √w_k)    Σ_t γ_t(k) (x_t − μ_k) / σ_k                first order
    v_k = 1 / (T √(2w_k)) Σ_t γ_t(k) [((x_t − μ_k) / σ_k)² − 1]       second order

in the column order: all g if asked for, all u component by component, all v. These are (2D + 1)·K − 1 numbers with the
zero order, and 2DK without. The last g follows from the others, because Σ √w_k g_k = 0. All are computed from the sums
Σγ, Σγx and Σγx², which are additive: the vector of any window or cell comes from a sum of `Statistics`.

Source: docs/method/encoding.md, section 6; Sánchez et al., IJCV 2013. Power and L2 normalisation are in
`encoding.coders.normalize`.
"""

import numpy as np

from encoding.coders import normalize
from encoding.coders.pooling import CellCoder
from encoding.models.estimator_input import LARGEST_NUMBER
from encoding.models.expectation import Statistics, expect
from encoding.models.gmm import SMALLEST_VARIANCE, DiagonalGMM
from idt.checks import checked_range, float_array, positive_integer, type_and_shape
from idt.errors import DataError

ROUNDING = 1e-3
"""Tolerance of the sum of a file's weights, because thousands of float32 are rounded."""

ORDERS = ("zero", "first", "second")


def fisher_vector(descriptors, gmm, *, orders=("first", "second"), best=None, threads=1):
    """Compute the Fisher vector of a set of descriptors, not normalised.

    Parameters
    ----------
    descriptors : (T, D) float32
    gmm : DiagonalGMM
        Fitted, K components.
    orders : tuple of str
        Which of ``"zero"``, ``"first"`` and ``"second"``; they always come in this order.
    best : int, optional
        Keep only the largest posteriors of every descriptor, rescaled to sum to one; all by default. 1 is hard
        assignment.
    threads : int
        The result does not depend on it.

    Returns
    -------
    (m,) float32
        K − 1 numbers of zero, K·D of first and K·D of second order. Zero if there are no descriptors.

    Raises
    ------
    DataError
        If descriptors are not finite numbers of the mixture's D dimensions, or an option is unknown.

    Notes
    -----
    docs/method/encoding.md, section 6. Posteriors below 1e-6 count as 0.
    """
    return from_statistics(statistics(descriptors, gmm, best=best, threads=threads), gmm, orders=orders)


def statistics(descriptors, gmm, *, best=None, threads=1):
    """Sum up the statistics of a set of descriptors, from which `from_statistics` makes the Fisher vector.

    Parameters
    ----------
    descriptors, gmm, best, threads
        As `fisher_vector`.

    Returns
    -------
    Statistics
        Statistics of disjoint sets add up to those of their union.

    Raises
    ------
    DataError
        As `fisher_vector`.
    """
    mixture = gmm.mixture()
    rows = float_array(descriptors, (None, mixture.means.shape[1]), "descriptors")
    if best is not None:
        positive_integer(best, "best")
    positive_integer(threads, "threads")
    return expect(rows, mixture, best=best, threads=threads).statistics


def from_statistics(statistics, gmm, *, orders=("first", "second")):
    """Compute the Fisher vector of descriptors from their statistics.

    Parameters
    ----------
    statistics : Statistics
        As from `statistics`, or a sum of several, under the same mixture.
    gmm : DiagonalGMM
    orders : tuple of str
        As `fisher_vector`.

    Returns
    -------
    (m,) float32
        As `fisher_vector`.

    Raises
    ------
    DataError
        If the statistics do not have the mixture's shape, or an order is unknown.
    """
    means, variances, weights = gmm.mixture()
    if not orders or not set(orders) <= set(ORDERS) or isinstance(orders, str):
        raise DataError(f"orders must be some of {', '.join(ORDERS)}, got {orders!r}")
    if statistics.s1.shape != means.shape:
        raise DataError(
            f"statistics must be of {means.shape} numbers, as the mixture, got {type_and_shape(statistics.s1)}"
        )
    if not statistics.n:
        return np.zeros(vector_size(*means.shape, orders=orders), np.float32)
    n, s0, s1, s2 = statistics.n, statistics.s0, statistics.s1, statistics.s2
    mass = s0[:, None]
    root = np.sqrt(weights)
    parts = []
    if "zero" in orders:
        parts.append(((s0 - n * weights) / (n * root))[:-1])
    if "first" in orders:
        parts.append((s1 - mass * means) / np.sqrt(variances) / (n * root[:, None]))
    if "second" in orders:
        squares = (s2 - means * (2 * s1 - mass * means)) / variances  # Σ γ ((x − μ) / σ)²
        parts.append((squares - mass) / (n * np.sqrt(2) * root[:, None]))
    return np.concatenate([part.ravel() for part in parts]).astype(np.float32)


def vector_size(n_components, n_features, *, orders=("first", "second")):
    """Return the length of a Fisher vector.

    Parameters
    ----------
    n_components, n_features : int
        K and D.
    orders : tuple of str
        As `fisher_vector`.

    Returns
    -------
    int
    """
    sizes = {"zero": n_components - 1, "first": n_components * n_features, "second": n_components * n_features}
    return sum(sizes[order] for order in set(orders))


class FisherCoder(CellCoder):
    """Coder of Fisher vectors, which holds the mixture.

    Parameters
    ----------
    gmm : DiagonalGMM
        Fitted.
    """

    def __init__(self, gmm):
        self.gmm = gmm

    @classmethod
    def fit(cls, rows, params, *, threads=1):
        """Fit the mixture to projected descriptors."""
        return cls(DiagonalGMM(params.k, random_state=params.seed, threads=threads).fit(rows))

    @classmethod
    def read(cls, read, params, width):
        """Build a coder from the arrays of a file; ``read(name, *shape)`` returns one array."""
        shape = (params["k"], width)
        means, variances, weights = read("means", *shape), read("variances", *shape), read("weights", shape[0])
        checked_range(means, -LARGEST_NUMBER, LARGEST_NUMBER, "means of a mixture")
        # Half of the smallest fitted variance, because a file holds float32.
        checked_range(variances, SMALLEST_VARIANCE / 2, np.finfo(np.float32).max, "variances of a mixture")
        checked_range(weights, 0, 1, "weights of a mixture")
        if not abs(weights.sum(dtype=np.float64) - 1) < ROUNDING:
            raise DataError(f"weights of a mixture must sum to one, got {weights.sum(dtype=np.float64):.6g}")
        return cls(DiagonalGMM.from_parameters(means, variances, weights))

    def arrays(self):
        """Return the fitted arrays under the names that they have in a file."""
        return {"weights": self.gmm.weights_, "means": self.gmm.means_, "variances": self.gmm.variances_}

    def empty_sums(self, params):
        """Return the sums of no descriptors."""
        return Statistics.empty(*self.gmm.means_.shape)

    def sum_codes(self, codes, params, threads=1):
        """Sum up the statistics of projected descriptors."""
        return statistics(codes, self.gmm, best=params.best, threads=threads)

    def vector(self, sums, params):
        """Return the normalised vector, (m,) float32, which is zero without descriptors."""
        n_components, n_features = self.gmm.means_.shape
        return normalize.normalize_block(
            from_statistics(sums, self.gmm, orders=params.orders),
            power=params.power,
            run=n_features if params.intra else None,
            start=n_components - 1 if params.zero_order else 0,
            norm=params.norm,
        )

    def to_row(self, sums, params):
        """Return Σγ, Σγ(x − μ)/σ and Σγ[((x − μ)/σ)² − 1], (K + 2KD,) float64.

        These sums have the magnitude of the vector's numbers, so that float16 can store them.
        """
        means, variances, _ = self.gmm.mixture()
        mass, root = sums.s0[:, None], np.sqrt(variances)
        first = (sums.s1 - mass * means) / root
        second = (sums.s2 - means * (2 * sums.s1 - mass * means)) / variances - mass
        return np.concatenate([sums.s0, first.ravel(), second.ravel()])

    def from_row(self, row, n, params):
        """Return the statistics of ``n`` descriptors that `to_row` made the row from."""
        means, variances, _ = self.gmm.mixture()
        k, d = means.shape
        s0, first, second = row[:k], row[k : k + k * d].reshape(k, d), row[k + k * d :].reshape(k, d)
        mass = s0[:, None]
        s1 = first * np.sqrt(variances) + mass * means
        return Statistics(n, s0, s1, (second + mass) * variances + means * (2 * s1 - mass * means))

    def size(self, params):
        """Return the length of a vector."""
        return vector_size(*self.gmm.means_.shape, orders=params.orders)


__all__ = ["ORDERS", "FisherCoder", "Statistics", "fisher_vector", "from_statistics", "statistics", "vector_size"]
