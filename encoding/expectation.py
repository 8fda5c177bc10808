"""The E-step: posteriors of descriptors under a diagonal Gaussian mixture, and the sums over them that all else needs.

With c any fixed point (here the mean of the mixture), the logarithm of w_k N(x; μ_k, σ_k²) is linear in [1, x − c, (x − c)²],

    [log w_k − ½ Σ log 2πσ_k² − ½ Σ (μ_k − c)²/σ_k²,  (μ_k − c)/σ_k²,  −½/σ_k²] · [1, x − c, (x − c)²],

so a batch of descriptors is scored by one matrix product; a softmax over the components makes posteriors γ_t(k) of the
scores; and the product of these with the same rows sums up γ, γx and γx². Both products are float32 on batches that stay
in the cache, the sums over batches float64. The centre keeps the squares small: what cancels in float32 is then the
distance of a component from the middle of the mixture, not from the origin.

Posteriors below 1e-6 count as 0 and the others are not rescaled (spec, encoding 6): denormal numbers slow a matrix
product tenfold.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from encoding.blas import one_thread
from encoding.kernels import posteriors as kernel
from idt.arrays import describe, float_array
from idt.errors import DataError

FLUSH = np.float32(1e-6)
# Scores of a batch at K = 256 take 512 KB: small enough for the second-level cache, large enough for the products.
BATCH = 512
# What one thread sums up before its part joins the others, in order: a constant, or the threads would show in the sum.
GROUP = 16 * BATCH


class Mixture(NamedTuple):
    """A diagonal Gaussian mixture: ``means`` and ``variances`` (K, D), ``weights`` (K,), float64."""

    means: np.ndarray
    variances: np.ndarray
    weights: np.ndarray

    @classmethod
    def checked(cls, means, variances, weights):
        """The mixture of three arrays, or a refusal.

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
                raise DataError(f"{name} of a mixture must be positive, got {describe(values)} with {_least(values)}")
        return cls(*(np.asarray(part, np.float64) for part in (means, variances, weights)))


@dataclass(frozen=True)
class Statistics:
    """Sums over descriptors x with posteriors γ(k); those of two parts add up to those of the whole.

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
    Spec, encoding ("sufficient statistics"). Keep them in float64: a Fisher vector is a small difference of them.
    """

    n: int
    s0: np.ndarray
    s1: np.ndarray
    s2: np.ndarray

    @classmethod
    def empty(cls, n_components, n_features):
        """The statistics of no descriptors."""
        shape = (n_components, n_features)
        return cls(0, np.zeros(n_components), np.zeros(shape), np.zeros(shape))

    def __add__(self, other):
        if not isinstance(other, Statistics):
            return NotImplemented
        if self.s1.shape != other.s1.shape:
            raise DataError(
                f"statistics of one mixture can be added, got {describe(self.s1)} and {describe(other.s1)}"
            )
        return Statistics(self.n + other.n, self.s0 + other.s0, self.s1 + other.s1, self.s2 + other.s2)


class Expectation(NamedTuple):
    """What one pass over descriptors finds: their `Statistics` and the sum of their log-likelihoods."""

    statistics: Statistics
    log_likelihood: float


def expect(rows, mixture, *, best=None, threads=1):
    """Statistics of descriptors under a mixture, and their summed log-likelihood.

    Parameters
    ----------
    rows : (n, D) float32
        Checked descriptors (`idt.arrays.float_array`).
    mixture : Mixture
    best : int, optional
        Keep only the largest posteriors of every descriptor and rescale them to sum to one: 1 is hard assignment.
        Equal ones are kept together. All are kept by default.
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
    n_components, n_features = mixture.means.shape
    sums = np.zeros(table.shape)
    log_likelihood = 0.0

    def group_sums(start):
        part = np.zeros(table.shape)
        likelihood = 0.0
        for tile, expanded, likelihoods in _tiles(rows[start : start + GROUP], table, centre, best):
            part += tile @ expanded
            likelihood += likelihoods.sum(dtype=np.float64)
        return part, likelihood

    with one_thread():
        for part, likelihood in _in_order(group_sums, range(0, len(rows), GROUP), threads):
            sums += part
            log_likelihood += likelihood
    s0, first, second = sums[:, 0], sums[:, 1 : 1 + n_features], sums[:, 1 + n_features :]
    c = centre.astype(np.float64)
    shifted = c * s0[:, None]
    statistics = Statistics(len(rows), s0, first + shifted, second + (2 * first + shifted) * c)
    return Expectation(statistics, log_likelihood)


def posteriors(rows, mixture, *, best=None):
    """Posteriors γ of every descriptor as `expect` uses them, (n, K) float32; parameters as there."""
    table, centre = _product_form(mixture)
    out = np.empty((len(rows), len(table)), np.float32)
    with one_thread():
        start = 0
        for tile, _, likelihoods in _tiles(rows, table, centre, best):
            out[start : start + len(likelihoods)] = tile.T
            start += len(likelihoods)
    return out


def _product_form(mixture):
    """The (K, 2D + 1) float32 matrix that scores [1, x − c, (x − c)²], and the centre c, (D,) float32."""
    means, variances, weights = mixture
    centre = (weights @ means / weights.sum()).astype(np.float32)
    offsets = means - centre
    constant = np.log(weights) - 0.5 * (np.log(2 * np.pi * variances) + offsets**2 / variances).sum(axis=1)
    table = np.hstack([constant[:, None], offsets / variances, -0.5 / variances])
    return np.ascontiguousarray(table, np.float32), centre


def _tiles(rows, table, centre, best):
    """Yield posteriors (K, T), expanded rows (T, 2D + 1) and log-likelihoods (T,) batch by batch, in the same memory."""
    n_components, width = table.shape
    # Flat: the last, shorter batch is contiguous as well, as the products ask for.
    flat = np.empty(n_components * BATCH, np.float32)
    expanded = np.empty((BATCH, width), np.float32)
    likelihoods, scratch = np.empty(BATCH, np.float32), np.empty(BATCH, np.float32)
    for start in range(0, len(rows), BATCH):
        batch = rows[start : start + BATCH]
        n = len(batch)
        kernel.expand(batch, centre, expanded[:n])
        tile = flat[: n_components * n].reshape(n_components, n)
        np.dot(table, expanded[:n].T, out=tile)
        if best is not None and best < n_components:
            kernel.keep_best(tile, np.empty((best, n), np.float32), scratch[:n])
        kernel.softmax(tile, FLUSH, likelihoods[:n], scratch[:n])
        if not np.isfinite(likelihoods[:n]).all():
            raise DataError(
                f"descriptors must lie within the range of the mixture, got one of size {np.abs(batch).max():.3g}, which "
                "overflows float32; check what the mixture was fitted on"
            )
        yield tile, expanded[:n], likelihoods[:n]


def _in_order(work, starts, threads):
    """Yield ``work(start)`` for every start in order, computed by that many threads."""
    if threads == 1 or len(starts) < 2:
        yield from map(work, starts)
        return
    with ThreadPoolExecutor(min(threads, len(starts))) as pool:
        yield from pool.map(work, starts)


def _least(values):
    return f"a least value of {values.min():.3g}" if values.size else "no component"
