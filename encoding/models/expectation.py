"""The E-step: posteriors of descriptors under a diagonal Gaussian mixture, and sums over them.

With c any fixed point (here the mean of the mixture), the logarithm of w_k N(x; μ_k, σ_k²) is

    [log w_k − ½ Σ log 2πσ_k² − ½ Σ (μ_k − c)²/σ_k²,  (μ_k − c)/σ_k²,  −½/σ_k²] · [1, x − c, (x − c)²],

so one matrix product scores a batch of descriptors, a softmax over the components makes posteriors γ_t(k) of the
scores, and the product of these with the same rows sums up γ, γx and γx². Both products are float32 on batches that
stay in the cache, each by one thread of BLAS; the sums over batches are float64. The centre keeps the squares small:
the rounding error of float32 then grows with the distances of the components from c, not with those from the origin.

Posteriors below 1e-6 count as 0, because denormal numbers slow a matrix product down. The others are not rescaled
(docs/method/encoding.md, section 6).
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from encoding.kernels import posteriors as kernel
from idt.checks import float_array, type_and_shape
from idt.errors import DataError
from idt.workers.blas import one_blas_thread

# Posteriors below this count as 0.
FLUSH = np.float32(1e-6)
# Scores of a batch at K = 256 take 512 KB: small enough for the second-level cache, large enough for the products.
BATCH = 512
# Descriptors that one thread sums up at once. It is a constant because the sum would otherwise depend on the threads.
GROUP = 16 * BATCH


class Mixture(NamedTuple):
    """A diagonal Gaussian mixture: ``means`` and ``variances`` (K, D), ``weights`` (K,), float64."""

    means: np.ndarray
    variances: np.ndarray
    weights: np.ndarray

    @classmethod
    def checked(cls, means, variances, weights):
        """Make a mixture of three arrays, or refuse them.

        Raises
        ------
        DataError
            If the shapes do not fit each other or a variance or weight is not positive.
        """
        means = float_array(means, (None, None), "means")
        variances = float_array(variances, means.shape, "variances")
        weights = float_array(weights, means.shape[:1], "weights")
        for name, values in (("variances", variances), ("weights", weights)):
            if not values.size or values.min() <= 0:
                raise DataError(
                    f"{name} of a mixture must be positive, got {type_and_shape(values)} with {_least(values)}"
                )
        return cls(*(np.asarray(part, np.float64) for part in (means, variances, weights)))


@dataclass(frozen=True)
class Statistics:
    """Sums over descriptors x with posteriors γ(k); the sums of disjoint sets can be added.

    Attributes
    ----------
    n : int
        Number of descriptors.
    s0 : (K,) float64
        Σ γ(k).
    s1, s2 : (K, D) float64
        Σ γ(k)·x and Σ γ(k)·x².

    Notes
    -----
    docs/method/encoding.md, section 13. The sums are float64, because a Fisher vector is a small difference of them.
    """

    n: int
    s0: np.ndarray
    s1: np.ndarray
    s2: np.ndarray

    @classmethod
    def empty(cls, n_components, n_features):
        """Return the statistics of no descriptors."""
        shape = (n_components, n_features)
        return cls(0, np.zeros(n_components), np.zeros(shape), np.zeros(shape))

    def __add__(self, other):
        if not isinstance(other, Statistics):
            return NotImplemented
        if self.s1.shape != other.s1.shape:
            raise DataError(
                f"statistics of one mixture can be added, got {type_and_shape(self.s1)} and {type_and_shape(other.s1)}"
            )
        return Statistics(self.n + other.n, self.s0 + other.s0, self.s1 + other.s1, self.s2 + other.s2)


class Expectation(NamedTuple):
    """Result of one pass over descriptors: their `Statistics` and the sum of their log-likelihoods."""

    statistics: Statistics
    log_likelihood: float


def expect(rows, mixture, *, best=None, threads=1):
    """Compute the statistics of descriptors under a mixture, and their summed log-likelihood.

    Parameters
    ----------
    rows : (n, D) float32
        Checked descriptors (`idt.checks.float_array`).
    mixture : Mixture
    best : int, optional
        Keep only the largest posteriors of every descriptor and rescale them to sum to one: 1 is hard assignment.
        Posteriors that tie with the last one kept are kept, too. All are kept by default.
    threads : int
        The result does not depend on it.

    Returns
    -------
    Expectation

    Raises
    ------
    DataError
        If a descriptor is so far from the mixture that float32 overflows.
    """
    table, centre = _product_form(mixture)
    n_features = mixture.means.shape[1]
    sums = np.zeros(table.shape)
    log_likelihood = 0.0

    def group_sums(start):
        part = np.zeros_like(sums)
        likelihood = 0.0
        for shares, expanded, likelihoods in _batches(rows[start : start + GROUP], table, centre, best):
            part += shares @ expanded
            likelihood += likelihoods.sum(dtype=np.float64)
        return part, likelihood

    with one_blas_thread():
        for part, likelihood in _in_order(group_sums, range(0, len(rows), GROUP), threads):
            sums += part
            log_likelihood += likelihood
    s0, first, second = sums[:, 0], sums[:, 1 : 1 + n_features], sums[:, 1 + n_features :]
    c = centre.astype(np.float64)
    shifted = c * s0[:, None]
    statistics = Statistics(len(rows), s0, first + shifted, second + (2 * first + shifted) * c)
    return Expectation(statistics, log_likelihood)


def posteriors(rows, mixture, *, best=None):
    """Return the posteriors γ, (n, K) float32, of ``rows`` under ``mixture``; ``best`` as for `expect`."""
    table, centre = _product_form(mixture)
    out = np.empty((len(rows), len(mixture.weights)), np.float32)
    with one_blas_thread():
        for i, (shares, _, _) in enumerate(_batches(rows, table, centre, best)):
            out[i * BATCH : (i + 1) * BATCH] = shares.T
    return out


def _product_form(mixture):
    """Return the matrix (K, 2D + 1) float32 that scores [1, x − c, (x − c)²], and the centre c, (D,) float32."""
    means, variances, weights = mixture
    centre = (weights @ means / weights.sum()).astype(np.float32)
    offsets = means - centre
    constant = np.log(weights) - 0.5 * (np.log(2 * np.pi * variances) + offsets**2 / variances).sum(axis=1)
    return np.hstack([constant[:, None], offsets / variances, -0.5 / variances]).astype(np.float32), centre


def _batches(rows, table, centre, best):
    """Yield batch by batch posteriors (K, T), expanded rows (T, 2D + 1) and log-likelihoods (T,)."""
    for start in range(0, len(rows), BATCH):
        batch = rows[start : start + BATCH]
        expanded = np.ones((len(batch), table.shape[1]), np.float32)
        offsets, squares = np.hsplit(expanded[:, 1:], 2)
        # Descriptors out of reach overflow; their likelihoods are checked below.
        with np.errstate(over="ignore", invalid="ignore"):
            np.square(np.subtract(batch, centre, out=offsets), out=squares)
            scores = table @ expanded.T
        likelihoods, scratch = np.empty((2, len(batch)), np.float32)
        if best is not None and best < len(table):
            kernel.keep_best(scores, np.empty((best, len(batch)), np.float32), scratch)
        kernel.softmax(scores, FLUSH, likelihoods, scratch)
        if not np.isfinite(likelihoods).all():
            raise DataError(
                "descriptors must lie within reach of the mixture, got numbers up to "
                f"{np.abs(batch).max():.3g}, which overflow float32; check what the mixture was fitted on"
            )
        yield scores, expanded, likelihoods


def _in_order(work, starts, threads):
    """Yield ``work(start)`` for every start in order, computed by that many threads."""
    if threads == 1 or len(starts) < 2:
        yield from map(work, starts)
        return
    with ThreadPoolExecutor(min(threads, len(starts))) as pool:
        yield from pool.map(work, starts)


def _least(values):
    """Name the least of the values for a message."""
    return f"a least value of {values.min():.3g}" if values.size else "no component"
