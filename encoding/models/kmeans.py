"""K-means for visual words: the centres of a sample, and the nearest of them.

scikit-learn's Lloyd iterations run several times from random rows, and the run of the lowest distortion is taken (Wang
et al., IJCV 2013). Each run has one thread, so that sums have one order; several runs share the threads.

Source: docs/method/encoding.md, sections 9 and 10.
"""

import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, ClusterMixin, TransformerMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import euclidean_distances, pairwise_distances_argmin
from sklearn.neighbors import NearestNeighbors
from sklearn.utils.validation import check_is_fitted

from encoding.models.estimator_input import rows_as_fitted, rows_to_fit
from idt.checks import checked_seed, float_array, positive_integer
from idt.errors import DataError
from idt.workers.blas import one_blas_thread, one_openmp_thread

# Thirty passes come within 0.3 % of the distortion that a hundred reach (HOG, K = 500, 100,000 rows).
MOST_PASSES = 30


class KMeans(ClassNamePrefixFeaturesOutMixin, TransformerMixin, ClusterMixin, BaseEstimator):
    """Centres of clusters.

    Parameters
    ----------
    n_clusters : int
        Number of centres K.
    n_init : int
        Number of runs. They have the seeds ``random_state``, ``random_state`` + 1 …; the run of the lowest distortion
        is kept, the first of equals.
    random_state : int
        Seed of the first run.
    threads : int
        Runs at once; the result does not depend on it.

    Attributes
    ----------
    cluster_centers_ : (K, D) float32
    inertia_ : float
        Sum of the squared distances of the rows from their nearest centres; absent after `from_centres`.
    distortion_ : float
        Mean of these squared distances, rounded to float32 as a codebook file holds it.
    distortions_ : list of float
        Distortions of all runs; absent after `from_centres`.
    n_iter_ : int
        Passes of the run that is kept; absent after `from_centres`.
    n_features_in_ : int
    feature_names_in_ : (D,) object
        Names of the columns of a table; absent if an array was fitted.

    Notes
    -----
    docs/method/encoding.md, sections 9 and 10. The clusters of the fitted rows are not kept (scikit-learn's
    ``labels_``), because a codebook would carry them to every process; `fit_predict` returns them.
    """

    def __init__(self, n_clusters=4000, *, n_init=8, random_state=0, threads=1):
        self.n_clusters = n_clusters
        self.n_init = n_init
        self.random_state = random_state
        self.threads = threads

    def fit(self, X, y=None):
        """Find the centres.

        Parameters
        ----------
        X : (n, D) float32, or a table
            At least as many rows as centres. If fewer differ, some centres coincide.
        y : ignored

        Returns
        -------
        KMeans
            Itself.

        Raises
        ------
        DataError
            If there are fewer rows than centres, or numbers that are not finite.
        """
        for name in ("n_clusters", "n_init", "threads"):
            positive_integer(getattr(self, name), name)
        first = checked_seed(self.random_state, most=2**32 - self.n_init)
        rows = rows_to_fit(self, X)
        if len(rows) < self.n_clusters or not rows.shape[1]:
            raise DataError(
                f"{self.n_clusters} words need at least as many descriptors, got {rows.shape[0]} of {rows.shape[1]} "
                "numbers; sample more or use fewer words"
            )
        with one_blas_thread(), warnings.catch_warnings():
            # With fewer different rows than centres some centres coincide, which does no harm.
            warnings.simplefilter("ignore", ConvergenceWarning)
            with ThreadPoolExecutor(min(self.threads, self.n_init)) as pool:
                runs = list(pool.map(lambda seed: self._run(rows, seed), range(first, first + self.n_init)))
        self.distortions_ = [float(run.inertia_) / len(rows) for run in runs]
        best = int(np.argmin(self.distortions_))
        self.inertia_, self.n_iter_ = float(runs[best].inertia_), int(runs[best].n_iter_)
        return self._store(runs[best].cluster_centers_, self.distortions_[best])

    @classmethod
    def from_centres(cls, centres, distortion):
        """Make a k-means as if fitted, from given centres.

        Parameters
        ----------
        centres : (K, D) float32
        distortion : float
            Mean squared distance of the fitted rows from their nearest centres.

        Returns
        -------
        KMeans

        Raises
        ------
        DataError
            If the centres are not finite, or the distortion is negative.
        """
        centres = float_array(centres, (None, None), "centres")
        if not len(centres) or not 0 <= distortion < np.inf:
            raise DataError(f"k-means has centres and a distortion of at least 0, got {len(centres)} and {distortion}")
        return cls(len(centres))._store(centres, float(distortion))

    def predict(self, X):
        """Find the nearest centre of every row, the first of equals.

        Parameters
        ----------
        X : (n, D) float32, or a table

        Returns
        -------
        (n,) int64

        Raises
        ------
        DataError
            If X is not finite or has other columns.
        NotFittedError
            If nothing is fitted.
        """
        check_is_fitted(self, "cluster_centers_")
        return self._nearest(rows_as_fitted(self, X))

    def fit_predict(self, X, y=None):
        """Find the centres, and the nearest centre of every row.

        Parameters
        ----------
        X : (n, D) float32, or a table
        y : ignored

        Returns
        -------
        (n,) int64

        Raises
        ------
        DataError
            As `fit`.
        """
        return self.fit(X).predict(X)

    def transform(self, X):
        """Compute the distances from all centres.

        Parameters
        ----------
        X : (n, D) float32, or a table

        Returns
        -------
        (n, K) float32
            Or a table, after ``set_output``.

        Raises
        ------
        DataError
            If X is not finite or has other columns.
        NotFittedError
            If nothing is fitted.
        """
        check_is_fitted(self, "cluster_centers_")
        rows = rows_as_fitted(self, X)
        if not len(rows):
            return np.empty((0, self._n_features_out), np.float32)
        return euclidean_distances(rows, self.cluster_centers_)

    def score(self, X, y=None):
        """Compute the negative sum of the squared distances from the nearest centres, the larger the better.

        Parameters
        ----------
        X : (n, D) float32, or a table
        y : ignored

        Returns
        -------
        float

        Raises
        ------
        DataError
            If X is not finite or has other columns.
        NotFittedError
            If nothing is fitted.
        """
        check_is_fitted(self, "cluster_centers_")
        rows = rows_as_fitted(self, X)
        differences = rows.astype(np.float64) - self.cluster_centers_[self._nearest(rows)]
        return -float(np.einsum("ij,ij->", differences, differences))

    def nearest(self, rows, count=1):
        """Find the nearest centres of every row.

        Parameters
        ----------
        rows : (n, D) float32
        count : int

        Returns
        -------
        distances : (n, count) float32
            Rising.
        centres : (n, count) int64

        Raises
        ------
        DataError
            If the rows are not finite or of another width.
        NotFittedError
            If nothing is fitted.
        """
        check_is_fitted(self, "cluster_centers_")
        rows = float_array(rows, (None, self.n_features_in_), "descriptors")
        if not len(rows):
            return np.empty((0, count), np.float32), np.empty((0, count), np.int64)
        with one_blas_thread(), one_openmp_thread():
            return NearestNeighbors(n_neighbors=count, algorithm="brute").fit(self.cluster_centers_).kneighbors(rows)

    @property
    def _n_features_out(self):
        """The number of columns that scikit-learn names ``kmeans0``, ``kmeans1`` …"""
        return len(self.cluster_centers_)

    def _nearest(self, rows):
        """Find the nearest centre of each of the rows, which are checked already."""
        if not len(rows):
            return np.empty(0, np.int64)
        with one_blas_thread(), one_openmp_thread():
            return pairwise_distances_argmin(rows, self.cluster_centers_)

    def _run(self, rows, seed):
        """Run scikit-learn's k-means once, with one thread."""
        from sklearn import cluster

        model = cluster.KMeans(
            self.n_clusters, init="random", n_init=1, max_iter=MOST_PASSES, random_state=seed, algorithm="lloyd"
        )
        with one_openmp_thread():
            return model.fit(rows)

    def _store(self, centres, distortion):
        """Set the learned attributes."""
        self.cluster_centers_ = np.ascontiguousarray(centres, np.float32)
        self.n_features_in_ = self.cluster_centers_.shape[1]
        self.distortion_ = float(np.float32(distortion))  # as a file holds it
        return self
