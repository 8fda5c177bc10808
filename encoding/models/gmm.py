"""Diagonal Gaussian mixtures by expectation and maximisation, made for descriptors with near-constant columns.

EM starts from k-means (`encoding.models.em_start`). Each iteration is one pass of `encoding.models.expectation`
(posteriors and their sums) and one of `encoding.models.maximisation`. Histograms of flow are mostly zero and many rows
are alike, so two guards prevent NaN: the variance floor is a share of the data's own variance, column by column, and a
component that has lost its descriptors splits the most spread one.

Source: docs/method/encoding.md, section 5; Perronnin et al. 2010; Sánchez et al., IJCV 2013. Left out: full covariances
and priors on the parameters; neither is used with Fisher vectors.
"""

import numpy as np
from sklearn.base import BaseEstimator, DensityMixin
from sklearn.utils.validation import check_is_fitted

from encoding.models.em_start import starting_mixture
from encoding.models.estimator_input import LARGEST_NUMBER, rows_as_fitted, rows_to_fit
from encoding.models.expectation import Mixture, expect, posteriors
from encoding.models.maximisation import empty_components, maximise
from idt.checks import checked_seed, positive_integer
from idt.errors import DataError

# Columns with less variance than this share of the average count as constant, because their variation is rounding.
CONSTANT = 1e-6
# Least variance, even if all rows are alike: its inverse and the squared standardised rows fit float32.
SMALLEST_VARIANCE = 1e-10


class DiagonalGMM(DensityMixin, BaseEstimator):
    """Gaussian mixture with diagonal covariances.

    Parameters
    ----------
    n_components : int
        Number of components K.
    max_iter : int
        Largest number of iterations of EM.
    tol : float
        Stop when the mean log-likelihood gains less than this in an iteration, in nats per descriptor.
    random_state : int
        Seed; chooses the subset and the first centres of k-means.
    variance_floor : float
        Least variance of a component, relative to the variance of the data in the same column.
    threads : int
        Threads that share the passes; the result does not depend on it.

    Attributes
    ----------
    means_, variances_ : (K, D) float32
    weights_ : (K,) float32
        They sum to one.
    log_likelihoods_ : list of float
        Mean log-likelihood per descriptor at the start and after each iteration; absent after `from_parameters`, as
        are ``n_iter_`` and ``converged_``.
    n_iter_ : int
    converged_ : bool
    n_features_in_ : int
    feature_names_in_ : (D,) object
        Names of the columns of a table; absent if an array was fitted.

    Notes
    -----
    docs/method/encoding.md, section 5. Sums are float64, products float32; see `encoding.models.expectation`.
    """

    def __init__(self, n_components=256, *, max_iter=50, tol=1e-3, random_state=0, variance_floor=1e-3, threads=1):
        self.n_components = n_components
        self.max_iter = max_iter
        self.tol = tol
        self.random_state = random_state
        self.variance_floor = variance_floor
        self.threads = threads

    def fit(self, X, y=None):
        """Fit the mixture to descriptors.

        Parameters
        ----------
        X : (n, D) float32, or a table
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
        seed = checked_seed(self.random_state)
        rows = self._checked_rows(X)
        scale, floor = self._scales(rows)
        start = starting_mixture(rows, self.n_components, scale, floor, seed=seed, threads=self.threads)
        return self._run_em(rows, start, scale, floor, self.max_iter, self.tol)

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
        rows = self._checked_rows(X, start.means.shape[1])
        scale, floor = self._scales(rows)
        return self._run_em(rows, start, scale, floor, n_iter, tol=None)

    @classmethod
    def from_parameters(cls, means, variances, weights):
        """Make a mixture as if fitted, from given parameters.

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
        """Compute posteriors as the Fisher vector takes them.

        Parameters
        ----------
        X : (n, D) float32, or a table

        Returns
        -------
        (n, K) float32
            Posteriors below 1e-6 are 0, and the others are not rescaled.

        Raises
        ------
        DataError
            If X is not finite or has other columns.
        NotFittedError
            If nothing is fitted.
        """
        mixture = self.mixture()
        return posteriors(rows_as_fitted(self, X), mixture)

    def predict_proba(self, X):
        """Compute posteriors that sum to one.

        Parameters
        ----------
        X : (n, D) float32, or a table

        Returns
        -------
        (n, K) float32
            Posteriors as from `posteriors`, rescaled.

        Raises
        ------
        DataError, NotFittedError
            As `posteriors`.
        """
        found = self.posteriors(X)
        return found / found.sum(axis=1, keepdims=True)

    def predict(self, X):
        """Find the likeliest component of every descriptor, the first of equals.

        Parameters
        ----------
        X : (n, D) float32, or a table

        Returns
        -------
        (n,) int64

        Raises
        ------
        DataError, NotFittedError
            As `posteriors`.
        """
        return self.posteriors(X).argmax(axis=1)

    def score(self, X, y=None):
        """Compute the mean log-likelihood.

        Parameters
        ----------
        X : (n, D) float32, or a table
            At least one descriptor.
        y : ignored

        Returns
        -------
        float
            In nats per descriptor.

        Raises
        ------
        DataError, NotFittedError
            As `posteriors`, and if there is no descriptor.
        """
        mixture = self.mixture()
        rows = rows_as_fitted(self, X)
        if not len(rows):
            raise DataError("a mean log-likelihood needs at least one descriptor, got none")
        return float(expect(rows, mixture, threads=self.threads).log_likelihood / len(rows))

    def mixture(self):
        """Return the fitted parameters, (means, variances, weights), in float64.

        Returns
        -------
        Mixture

        Raises
        ------
        NotFittedError
            If nothing is fitted.
        """
        check_is_fitted(self, "means_")
        return Mixture(*(np.asarray(part, np.float64) for part in (self.means_, self.variances_, self.weights_)))

    def _checked_rows(self, X, width=None):
        """Return the descriptors to fit as an array, after checking them and the parameters."""
        for name in ("n_components", "max_iter", "threads"):
            positive_integer(getattr(self, name), name)
        if not 0 < self.variance_floor <= 1:
            raise DataError(f"variance_floor must be above 0 and at most 1, got {self.variance_floor!r}")
        rows = rows_to_fit(self, X, width=width)
        least = max(2, self.n_components)
        if len(rows) < least or not rows.shape[1]:
            raise DataError(
                f"a mixture of {self.n_components} components needs at least {least} descriptors, "
                f"got {rows.shape[0]} of {rows.shape[1]} numbers; sample more or use fewer components"
            )
        if np.abs(rows).max() > LARGEST_NUMBER:
            raise DataError(
                f"descriptors must be at most {LARGEST_NUMBER:g} in size, got {np.abs(rows).max():.3g}, whose squares "
                "would overflow float32; scale them"
            )
        return rows

    def _scales(self, rows):
        """Return the variance of each column, never 0, and the least variance of a component, both (D,) float64."""
        variance = rows.var(axis=0, dtype=np.float64)
        scale = np.maximum(variance, max(CONSTANT * variance.mean(), SMALLEST_VARIANCE))
        return scale, np.maximum(self.variance_floor * scale, SMALLEST_VARIANCE)

    def _run_em(self, rows, mixture, scale, floor, n_iter, tol):
        """Run EM, and set the learned attributes."""
        self.log_likelihoods_ = []
        self.converged_ = False
        for i in range(n_iter + 1):
            statistics, log_likelihood = expect(rows, mixture, threads=self.threads)
            self.log_likelihoods_.append(float(log_likelihood / len(rows)))
            gained = np.diff(self.log_likelihoods_[-2:])
            self.converged_ = bool(tol is not None and i and gained[0] < tol and not empty_components(statistics).any())
            if self.converged_ or i == n_iter:
                break
            mixture = maximise(statistics, mixture, scale, floor)
        self.n_iter_ = i
        self._store(mixture)
        return self

    def _store(self, mixture):
        """Set the learned parameters."""
        self.means_, self.variances_, self.weights_ = (part.astype(np.float32) for part in mixture)
        self.n_features_in_ = mixture.means.shape[1]
