"""Principal components of a block of descriptors, for mixtures whose covariances are diagonal.

Covariance in float64 by batches of rows, its eigenvectors by Jacobi rotations, sorted by falling variance. The sign of
a component is fixed: its largest loading is positive. Directions in which the data does not vary get zeros, not
arbitrary directions scaled up from rounding.

Source: docs/method/encoding.md, section 4. Left out: the randomised variants; a block has at most 426 columns.
"""

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin

from encoding.kernels import eigen as kernel
from encoding.models.product import packed, padded, product
from idt.checks import describe, float_array
from idt.errors import DataError

BATCH = 1024
# Variance below this share of the largest is the rounding of float32 data and of the eigenvectors, not variance.
ROUNDING = 1e-12


class PCA(TransformerMixin, BaseEstimator):
    """Rotation onto the directions of largest variance.

    Parameters
    ----------
    n_components : float, int or None
        A share of the columns, rounded down (0.5 is half: 96 → 48, 15 of 30), a number of them, or all. A share is of
        columns, not of variance as in scikit-learn.
    whiten : bool
        Scale the results to unit variance.

    Attributes
    ----------
    mean_ : (d,) float32
    components_ : (m, d) float32
        Orthonormal rows; zero beyond the rank of the data.
    explained_variance_ : (m,) float64
        Variance along each (divisor n − 1), falling; 0 beyond the rank.
    n_components_, n_features_in_ : int

    Notes
    -----
    docs/method/encoding.md, section 4. The result does not depend on the number of threads.
    """

    def __init__(self, n_components=0.5, *, whiten=False):
        self.n_components = n_components
        self.whiten = whiten

    def fit(self, X, y=None):
        """Find the directions.

        Parameters
        ----------
        X : (n, d) float32
            At least two rows.
        y : ignored

        Returns
        -------
        PCA
            Itself.

        Raises
        ------
        DataError
            If there are fewer than two rows, numbers that are not finite, or n_components does not fit d.
        """
        rows = float_array(X, (None, None), "descriptors")
        n, d = rows.shape
        if n < 2 or not d:
            raise DataError(f"a principal component analysis needs at least two descriptors, got {n} of {d} numbers")
        size = self._size(d)
        mean = rows.mean(axis=0, dtype=np.float64)
        variances, directions = _principal_axes(_covariance(rows, mean))
        variances, directions = variances[:size], directions[:size]
        largest = np.abs(directions).argmax(axis=1)
        directions = directions * np.sign(directions[np.arange(size), largest])[:, None]
        real = variances > ROUNDING * max(variances[0], 0)
        self.mean_ = mean.astype(np.float32)
        self.components_ = np.where(real[:, None], directions, 0).astype(np.float32)
        self.explained_variance_ = np.where(real, variances, 0.0)
        self.n_components_ = size
        self.n_features_in_ = d
        return self

    @classmethod
    def from_parameters(cls, mean, components, explained_variance, *, whiten=False):
        """As if fitted, of numbers found elsewhere.

        Parameters
        ----------
        mean : (d,) float32
        components : (m, d) float32
        explained_variance : (m,) float64
        whiten : bool

        Returns
        -------
        PCA

        Raises
        ------
        DataError
            If the shapes do not fit each other, or numbers are not finite.
        """
        pca = cls(len(components), whiten=whiten)
        pca.components_ = float_array(components, (None, len(mean)), "components")
        pca.mean_ = float_array(mean, (None,), "mean")
        pca.explained_variance_ = np.asarray(explained_variance, np.float64)
        if pca.explained_variance_.shape != (len(components),) or not np.isfinite(pca.explained_variance_).all():
            raise DataError(f"every component must have a finite variance, got {describe(pca.explained_variance_)}")
        pca.n_components_, pca.n_features_in_ = pca.components_.shape
        return pca

    def transform(self, X):
        """Coordinates along the directions.

        Parameters
        ----------
        X : (n, d) float32

        Returns
        -------
        (n, m) float32

        Raises
        ------
        DataError
            If X is not finite, of another width, or nothing is fitted.
        """
        if not hasattr(self, "components_"):
            raise DataError("the principal components are not fitted yet; call fit first")
        rows = float_array(X, (None, self.n_features_in_), "descriptors")
        directions = self.components_
        if self.whiten:
            deviation = np.sqrt(np.where(self.explained_variance_ > 0, self.explained_variance_, 1.0))
            directions = (directions / deviation[:, None]).astype(np.float32)
        panels = packed(directions.T)
        out = np.empty((len(rows), self.n_components_), np.float32)
        for start in range(0, len(rows), BATCH):
            batch = slice(start, start + BATCH)
            out[batch] = product(rows[batch] - self.mean_, panels, self.n_components_)
        return out

    def _size(self, d):
        """How many directions of d are asked for."""
        size = self.n_components
        if size is None:
            return d
        if isinstance(size, float | np.floating) and 0 < size <= 1:
            size = int(d * size)
        if not isinstance(size, int | np.integer) or not 1 <= size <= d:
            raise DataError(
                f"n_components must be a share in (0, 1] or a number up to the {d} columns, got {self.n_components!r}"
            )
        return int(size)


def _covariance(rows, mean):
    """Covariance (d, d) float64, divisor n − 1."""
    n, d = rows.shape
    covariance = np.zeros((d, d))
    for start in range(0, n, BATCH):
        batch = rows[start : start + BATCH] - mean
        # The kernel takes four rows at a time; rows of zeros add nothing.
        centred = np.zeros((padded(len(batch), 4), d))
        centred[: len(batch)] = batch
        kernel.add_products(centred, covariance)
    lower = np.tril(covariance)
    return (lower + np.tril(lower, -1).T) / (n - 1)


def _principal_axes(covariance):
    """Eigenvalues, falling, and eigenvectors in rows."""
    axes = np.eye(len(covariance))
    if not kernel.diagonalise(covariance, axes):
        raise DataError("the covariance has no eigenvectors within reach; scale the descriptors to ordinary numbers")
    variances = covariance.diagonal()
    order = np.argsort(-variances, kind="stable")
    return variances[order], axes[order]
