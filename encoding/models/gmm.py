"""Diagonal Gaussian mixtures by expectation and maximisation, made for descriptors with near-constant columns.

Each iteration is one pass of `encoding.models.expectation` (posteriors and their sums), then

    w_k = Σγ / Σ_j Σγ,  μ_k = Σγx / Σγ,  σ_k² = max(Σγx² / Σγ − μ_k², floor),

with two guards, without which histograms of flow (mostly zero, many rows alike) end in NaN: the variance floor is a
share of the data's own variance, column by column; a component that has lost its descriptors is put beside the most
spread one, each taking half of it. The start is k-means (hard assignment by the same pass) on a seeded subset.

Source: docs/method/encoding.md, section 5; Perronnin et al. 2010; Sánchez et al., IJCV 2013. Left out: full covariances
and priors on the parameters; neither is used with Fisher vectors.
"""

import numpy as np
from sklearn.base import BaseEstimator

from encoding.kernels import distances as kernel
from encoding.models.expectation import Mixture, expect, posteriors
from idt.checks import float_array, positive_integer
from idt.errors import DataError

# Rows per component in the subset that k-means sees, and its passes: EM does the rest.
START_ROWS = 64
START_PASSES = 10
# A component with less than this share of an equal share is empty (VLFeat draws the line there too).
EMPTY = 0.01
# Columns that vary less than this, relative to the average column, count as constant: it is rounding, not data.
CONSTANT = 1e-6
# No variance below this, even where all rows are alike: its inverse and the squares of scores fit float32.
SMALLEST_VARIANCE = 1e-10
# No number above this: the squares of a row still add up in float32.
LARGEST = 1e17
# The two halves of a normal distribution have their means at ±√(2/π) σ.
SPLIT = np.sqrt(2 / np.pi)


class DiagonalGMM(BaseEstimator):
    """Gaussian mixture with diagonal covariances.

    Parameters
    ----------
    n_components : int
        Number of components K.
    max_iter : int
        Most iterations of EM.
    tol : float
        Stop when the mean log-likelihood gains less, in nats per descriptor.
    seed : int
        Chooses the subset and the first centres of k-means.
    variance_floor : float
        Least variance of a component, relative to that of the data in the same column.
    threads : int
        Threads that share the passes; the result does not depend on it.

    Attributes
    ----------
    means_, variances_ : (K, D) float32
    weights_ : (K,) float32
        They sum to one.
    log_likelihoods_ : list of float
        Mean log-likelihood per descriptor at the start and after each iteration.
    n_iter_ : int
    converged_ : bool
    n_features_in_ : int

    Notes
    -----
    docs/method/encoding.md, section 5. Sums are float64, products float32; see `encoding.models.expectation`.
    """

    def __init__(self, n_components=256, *, max_iter=50, tol=1e-3, seed=0, variance_floor=1e-3, threads=1):
        self.n_components = n_components
        self.max_iter = max_iter
        self.tol = tol
        self.seed = seed
        self.variance_floor = variance_floor
        self.threads = threads

    def fit(self, X, y=None):
        """Fit the mixture to descriptors.

        Parameters
        ----------
        X : (n, D) float32
            At least ``n_components`` descriptors, and at least two.
        y : ignored

        Returns
        -------
        DiagonalGMM
            Itself.

        Raises
        ------
        DataError
            If there are fewer descriptors than components, or numbers that are not finite.
        """
        rows = self._sample(X)
        scale, floor = self._scales(rows)
        start = self._start(rows, scale, floor)
        return self._maximise(rows, start, scale, floor, self.max_iter, self.tol)

    def fit_from(self, X, means, variances, weights, n_iter):
        """Run exactly ``n_iter`` iterations from a given start.

        Parameters
        ----------
        X : (n, D) float32
        means, variances : (K, D) float32
        weights : (K,) float32
        n_iter : int

        Returns
        -------
        DiagonalGMM
            Itself.

        Raises
        ------
        DataError
            As `fit`, and if the start does not fit the descriptors.
        """
        positive_integer(n_iter, "n_iter")
        start = Mixture.checked(means, variances, weights)
        if len(start.means) != self.n_components:
            raise DataError(f"means must have n_components={self.n_components} rows, got {len(start.means)}")
        rows = self._sample(X, start.means.shape[1])
        scale, floor = self._scales(rows)
        return self._maximise(rows, start, scale, floor, n_iter, tol=None)

    @classmethod
    def from_parameters(cls, means, variances, weights):
        """A mixture as if fitted, of parameters found elsewhere.

        Parameters
        ----------
        means, variances : (K, D) float32
        weights : (K,) float32

        Returns
        -------
        DiagonalGMM

        Raises
        ------
        DataError
            If the shapes do not fit each other or a variance or weight is not positive.
        """
        gmm = cls(len(means))
        gmm._store(Mixture.checked(means, variances, weights))
        return gmm

    def posteriors(self, X):
        """Posteriors of descriptors.

        Parameters
        ----------
        X : (n, D) float32

        Returns
        -------
        (n, K) float32
            Those below 1e-6 are 0, the others not rescaled, as the Fisher vector takes them.
        """
        mixture = self.mixture()
        return posteriors(float_array(X, (None, mixture.means.shape[1]), "descriptors"), mixture)

    def mean_log_likelihood(self, X):
        """Mean log-likelihood per descriptor, in nats.

        Parameters
        ----------
        X : (n, D) float32
            At least one descriptor.

        Returns
        -------
        float
        """
        mixture = self.mixture()
        rows = float_array(X, (None, mixture.means.shape[1]), "descriptors")
        if not len(rows):
            raise DataError("a mean log-likelihood needs at least one descriptor, got none")
        return float(expect(rows, mixture, threads=self.threads).log_likelihood / len(rows))

    def mixture(self):
        """The fitted parameters, (means, variances, weights), in float64.

        Returns
        -------
        Mixture

        Raises
        ------
        DataError
            If it is not fitted.
        """
        if not hasattr(self, "means_"):
            raise DataError("the mixture is not fitted yet; call fit first")
        return Mixture(*(np.asarray(part, np.float64) for part in (self.means_, self.variances_, self.weights_)))

    def _sample(self, X, n_features=None):
        """The descriptors to fit; they and the parameters checked."""
        for name in ("n_components", "max_iter", "threads"):
            positive_integer(getattr(self, name), name)
        if not 0 < self.variance_floor <= 1:
            raise DataError(f"variance_floor must be above 0 and at most 1, got {self.variance_floor!r}")
        rows = float_array(X, (None, n_features), "descriptors")
        least = max(2, self.n_components)
        if len(rows) < least or not rows.shape[1]:
            raise DataError(
                f"a mixture of {self.n_components} components needs at least {least} descriptors, "
                f"got {rows.shape[0]} of {rows.shape[1]} numbers; sample more or use fewer components"
            )
        if np.abs(rows).max() > LARGEST:
            raise DataError(
                f"descriptors must be at most {LARGEST:g} in size, got {np.abs(rows).max():.3g}, whose squares would "
                "overflow float32; scale them"
            )
        return rows

    def _scales(self, rows):
        """Variance of each column, never 0, and the least variance of a component, both (D,) float64."""
        variance = rows.var(axis=0, dtype=np.float64)
        scale = np.maximum(variance, max(CONSTANT * variance.mean(), SMALLEST_VARIANCE))
        return scale, np.maximum(self.variance_floor * scale, SMALLEST_VARIANCE)

    def _start(self, rows, scale, floor):
        """K-means on a seeded subset: every cluster becomes a component."""
        rng = np.random.default_rng(self.seed)
        subset = rng.choice(len(rows), min(len(rows), START_ROWS * self.n_components), replace=False)
        rows = rows[np.sort(subset)]
        means = _spread_centres(rows, self.n_components, rng)
        # Equal spheres: the likeliest component is the nearest centre. Their size only keeps the scores in range.
        spheres = np.full_like(means, scale.mean())
        equal = np.full(self.n_components, 1 / self.n_components)
        for _ in range(START_PASSES):
            statistics = expect(rows, Mixture(means, spheres, equal), best=1, threads=self.threads).statistics
            found = statistics.s0 > 0
            means[found] = statistics.s1[found] / statistics.s0[found, None]
        return _maximum(statistics, Mixture(means, spheres, equal), scale, floor)

    def _maximise(self, rows, mixture, scale, floor, n_iter, tol):
        """EM; sets the learned attributes."""
        self.log_likelihoods_ = []
        self.converged_ = False
        for i in range(n_iter + 1):
            statistics, log_likelihood = expect(rows, mixture, threads=self.threads)
            self.log_likelihoods_.append(float(log_likelihood / len(rows)))
            gained = np.diff(self.log_likelihoods_[-2:])
            self.converged_ = bool(tol is not None and i and gained[0] < tol and not _empty(statistics).any())
            if self.converged_ or i == n_iter:
                break
            mixture = _maximum(statistics, mixture, scale, floor)
        self.n_iter_ = i
        self._store(mixture)
        return self

    def _store(self, mixture):
        """Set the learned parameters."""
        self.means_, self.variances_, self.weights_ = (part.astype(np.float32) for part in mixture)
        self.n_features_in_ = mixture.means.shape[1]


def _maximum(statistics, mixture, scale, floor):
    """The M-step: the mixture that the statistics ask for, empty components put elsewhere."""
    mass, first, second = statistics.s0, statistics.s1, statistics.s2
    empty = _empty(statistics)
    share = np.where(empty, 1.0, mass)[:, None]
    means = np.where(empty[:, None], mixture.means, first / share)
    variances = np.where(empty[:, None], floor, np.maximum(second / share - means**2, floor))
    weights = np.where(empty, 0.0, mass) / mass[~empty].sum()
    for k in np.flatnonzero(empty):
        _split(k, means, variances, weights, scale, floor)
    return Mixture(means, variances, weights)


def _empty(statistics):
    """Which components have lost their descriptors, (K,) bool."""
    return statistics.s0 < EMPTY * statistics.n / len(statistics.s0)


def _split(k, means, variances, weights, scale, floor):
    """Give component k half of the one with the largest summed variance, cut along its widest column.

    Mean and variance of the two together are those of the one before, but for the floor.
    """
    parent = np.argmax(weights * (variances / scale).sum(axis=1))
    column = np.argmax(variances[parent] / scale)
    width = np.sqrt(variances[parent, column])
    variances[parent, column] = max((1 - SPLIT**2) * width**2, floor[column])
    weights[parent] /= 2
    means[k], variances[k], weights[k] = means[parent], variances[parent], weights[parent]
    means[k, column] += SPLIT * width
    means[parent, column] -= SPLIT * width


def _spread_centres(rows, n_components, rng):
    """First centres by greedy k-means++ (Arthur & Vassilvitskii 2007, section 5), (K, D) float64.

    Each is a row drawn by its squared distance from the nearest centre so far: the one of a few drawn that brings all
    rows closest to a centre. Where fewer rows differ than centres are asked for, some centres coincide.
    """
    n = len(rows)
    columns = np.ascontiguousarray(rows.T)
    n_drawn = 2 + int(np.log(n_components))
    chosen = [int(rng.integers(n))]
    nearest = np.empty(n, np.float32)
    kernel.nearer(columns, rows[chosen[0]], np.full(n, np.inf, np.float32), nearest)
    trials = np.empty((n_drawn, n), np.float32)
    while len(chosen) < n_components:
        bounds = np.cumsum(nearest, dtype=np.float64)
        if bounds[-1] == 0:  # All rows are centres already: any will do.
            bounds = np.arange(1.0, n + 1)
        drawn = np.minimum(np.searchsorted(bounds, rng.random(n_drawn) * bounds[-1], side="right"), n - 1)
        for row, trial in zip(drawn, trials, strict=True):
            kernel.nearer(columns, rows[row], nearest, trial)
        best = trials.sum(axis=1, dtype=np.float64).argmin()
        chosen.append(int(drawn[best]))
        nearest = trials[best].copy()
    return rows[chosen].astype(np.float64)
