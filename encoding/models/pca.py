"""Principal components of a block of descriptors, for mixtures whose covariances are diagonal.

The covariance is computed in float64 by batches of rows; scipy finds its eigenvectors. The sign of a component is
fixed: its largest loading is positive. Directions in which the data does not vary get zeros, not arbitrary directions
scaled up from rounding. The threshold grows with the length of the rows, as their rounding in float32 does.

Source: docs/method/encoding.md, section 4. Left out: the randomised variants, because all descriptors of a track
together have only 426 columns. scikit-learn's PCA (``covariance_eigh``) adds up the covariance in the precision of the
rows, float32 here, and scales up directions in which the data does not vary.
"""

import numpy as np
from scipy import linalg
from scipy.stats import multivariate_normal
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from encoding.models.estimator_input import rows_as_fitted, rows_to_fit
from idt.checks import checked_range, float_array, type_and_shape
from idt.errors import DataError
from idt.features.projection import LARGEST_COMPONENT, LARGEST_MEAN
from idt.workers.blas import one_blas_thread, product

BATCH = 1024
# Variance below this share of the largest, or of the mean squared length of a row, is the rounding of float32 data and
# of the eigenvectors, not variance. The root of the share is a millionth of a length, eight units in the last place.
ROUNDING = 1e-12
# Whitening multiplies no component by more than 10,000 times the factor of the first. So rounding of one part in ten
# million of the first component is at most a thousandth of the standard deviation of a whitened one.
LEAST_WHITENED = 1e-8


class PCA(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Rotation onto the directions of largest variance.

    Parameters
    ----------
    n_components : int, optional
        Number of directions to keep, at most the number of columns; by default all.
    column_share : float, optional
        Number of directions as a share of the number of columns, in (0, 1], rounded down: 0.5 keeps 48 of 96 and 15 of
        30. A share of variance, which scikit-learn's ``n_components`` may be, is not offered. At most one of
        ``n_components`` and ``column_share`` is given.
    whiten : bool
        Scale the components to unit variance. A component whose variance is below 1e-8 of the largest is scaled as if
        its variance were 1e-8 of the largest.

    Attributes
    ----------
    mean_ : (d,) float32
    components_ : (m, d) float32
        Orthonormal rows; zero beyond the rank of the data.
    explained_variance_ : (m,) float64
        Variance along each (divisor n − 1), falling; 0 beyond the rank.
    noise_variance_ : float
        Mean variance along the directions that are not kept, 0 if all are; absent after `from_parameters`.
    n_components_, n_features_in_ : int
    feature_names_in_ : (d,) object
        Names of the columns of a table; absent if an array was fitted.

    Notes
    -----
    docs/method/encoding.md, section 4. The result does not depend on the number of threads.
    """

    def __init__(self, n_components=None, *, column_share=None, whiten=False):
        self.n_components = n_components
        self.column_share = column_share
        self.whiten = whiten

    def fit(self, X, y=None):
        """Find the directions.

        Parameters
        ----------
        X : (n, d) float32, or a table
            At least two rows.
        y : ignored

        Returns
        -------
        PCA
            Itself.

        Raises
        ------
        DataError
            If there are fewer than two rows, numbers that are not finite, or the number of directions does not fit d.
        """
        rows = rows_to_fit(self, X)
        n, d = rows.shape
        if n < 2 or not d:
            raise DataError(f"a principal component analysis needs at least two descriptors, got {n} of {d} numbers")
        size = self._size(d)
        mean = rows.mean(axis=0, dtype=np.float64)
        with one_blas_thread():
            eigenvalues, eigenvectors = linalg.eigh(_covariance(rows, mean))
        # They come in rising order.
        every_variance, directions = eigenvalues[::-1], eigenvectors.T[::-1][:size]
        variances = every_variance[:size]
        largest = np.abs(directions).argmax(axis=1)
        directions = directions * np.sign(directions[np.arange(size), largest])[:, None]
        mean_square = float(mean @ mean) + float(every_variance.sum()) * (n - 1) / n
        varies = variances > ROUNDING * max(variances[0], mean_square)
        self.mean_ = mean.astype(np.float32)
        self.components_ = np.where(varies[:, None], directions, 0).astype(np.float32)
        self.explained_variance_ = np.where(varies, variances, 0.0)
        self.noise_variance_ = float(every_variance[size:].mean()) if size < d else 0.0
        self.n_components_ = size
        return self

    @classmethod
    def from_parameters(cls, mean, components, explained_variance, *, whiten=False):
        """Make a PCA as if fitted, from given parameters.

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
            raise DataError(
                f"every component must have a finite variance, got {type_and_shape(pca.explained_variance_)}"
            )
        pca.n_components_, pca.n_features_in_ = pca.components_.shape
        return pca

    @classmethod
    def from_file(cls, mean, components, explained_variance, *, whiten=False):
        """Make a PCA as `from_parameters` does, from the numbers of a file, which may be damaged or forged.

        Parameters
        ----------
        mean, components, explained_variance, whiten
            As for `from_parameters`.

        Returns
        -------
        PCA

        Raises
        ------
        DataError
            As `from_parameters`, and if a component is no direction, a variance is negative, or a variance or mean is
            too large.
        """
        checked_range(components, -LARGEST_COMPONENT, LARGEST_COMPONENT, "components of a principal component analysis")
        checked_range(explained_variance, 0, np.finfo(np.float32).max, "variances along principal components")
        checked_range(mean, -LARGEST_MEAN, LARGEST_MEAN, "the mean of descriptors")
        return cls.from_parameters(mean, components, explained_variance, whiten=whiten)

    def transform(self, X):
        """Compute coordinates along the directions.

        Parameters
        ----------
        X : (n, d) float32, or a table
            With the columns that were fitted.

        Returns
        -------
        (n, m) float32
            Or a table, after ``set_output``.

        Raises
        ------
        DataError
            If X is not finite or has other columns.
        NotFittedError
            If nothing is fitted.
        """
        check_is_fitted(self, "components_")
        return self.project(rows_as_fitted(self, X))

    def project(self, rows):
        """Compute coordinates along the directions, whatever ``set_output`` and scikit-learn's configuration ask for.

        Parameters
        ----------
        rows : (n, d) float32
            Checked (`idt.checks.float_array`).

        Returns
        -------
        (n, m) float32

        Raises
        ------
        NotFittedError
            If nothing is fitted.
        """
        check_is_fitted(self, "components_")
        directions = self.components_
        if self.whiten:
            least = LEAST_WHITENED * self.explained_variance_.max()
            deviation = np.sqrt(np.maximum(self.explained_variance_, least if least > 0 else 1.0))
            directions = (directions / deviation[:, None]).astype(np.float32)
        out = np.empty((len(rows), self.n_components_), np.float32)
        for start in range(0, len(rows), BATCH):
            batch = slice(start, start + BATCH)
            out[batch] = product(rows[batch] - self.mean_, directions.T)
        return out

    def score(self, X, y=None):
        """Compute the mean log-likelihood under the model of probabilistic PCA (Tipping & Bishop 1999).

        Parameters
        ----------
        X : (n, d) float32, or a table
            At least one row.
        y : ignored

        Returns
        -------
        float
            In nats per descriptor, as scikit-learn's PCA; the higher, the better the model fits.

        Raises
        ------
        DataError
            As `transform`, if there is no row, or after `from_parameters`, because the variance along the directions
            that were not kept is unknown then.
        NotFittedError
            If nothing is fitted.
        """
        check_is_fitted(self, "components_")
        rows = rows_as_fitted(self, X)
        if not hasattr(self, "noise_variance_"):
            raise DataError("a likelihood needs the variance of the directions that were not kept; fit the PCA anew")
        if not len(rows):
            raise DataError("a mean log-likelihood needs at least one descriptor, got none")
        components = self.components_.astype(np.float64)
        excess = np.maximum(self.explained_variance_ - self.noise_variance_, 0)
        covariance = (components.T * excess) @ components + self.noise_variance_ * np.eye(len(self.mean_))
        return float(multivariate_normal(self.mean_, covariance, allow_singular=True).logpdf(rows).mean())

    @property
    def _n_features_out(self):
        """The number of columns that scikit-learn names ``pca0``, ``pca1`` …"""
        return self.n_components_

    def _size(self, d):
        """Return the number of directions, of d, that the parameters ask for."""
        size, share = self.n_components, self.column_share
        if size is not None and share is not None:
            raise DataError(f"give n_components or column_share, not both, got {size!r} and {share!r}")
        if share is not None:
            is_number = isinstance(share, int | float | np.number) and not isinstance(share, bool)
            if not is_number or not 0 < share <= 1 or int(d * share) < 1:
                raise DataError(
                    f"column_share must be a share in (0, 1] that keeps at least one of the {d} columns, got {share!r}"
                )
            return int(d * share)
        if size is None:
            return d
        if not isinstance(size, int | np.integer) or isinstance(size, bool) or not 1 <= size <= d:
            raise DataError(
                f"n_components must be a whole number up to the {d} columns, got {size!r}; for a share of the columns "
                "use column_share"
            )
        return int(size)


def _covariance(rows, mean):
    """Return the covariance (d, d) float64 of rows, divisor n − 1."""
    covariance = np.zeros((rows.shape[1], rows.shape[1]))
    for start in range(0, len(rows), BATCH):
        batch = rows[start : start + BATCH] - mean
        covariance += batch.T @ batch
    return covariance / (len(rows) - 1)
