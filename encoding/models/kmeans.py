"""K-means for visual words: the centres of a sample, and the nearest of them.

scikit-learn's Lloyd iterations from random rows, several times, of which the run of the lowest distortion counts (Wang
et al., IJCV 2013). Each run has one thread, so that sums have one order; several runs share the threads. The nearest
centre is that of the largest x · c − |c|² / 2, by the products of `encoding.models.product`.

Source: docs/method/encoding.md, sections 9 and 10.
"""

import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.exceptions import ConvergenceWarning

from encoding.models.product import packed, product
from idt.checks import float_array, positive_integer
from idt.errors import DataError

# Scores of a batch at K = 4000 take 8 MB.
BATCH = 512
# Thirty passes come within 0.3 % of the distortion that a hundred reach (HOG, K = 500, 100,000 rows).
MOST_PASSES = 30


class KMeans(BaseEstimator):
    """Centres of clusters.

    Parameters
    ----------
    n_clusters : int
        Number of centres K.
    seeds : int
        Runs, from the seeds ``seed``, ``seed`` + 1 …; the one of the lowest distortion is kept, the first of equals.
    seed : int
    threads : int
        Runs at once; the result does not depend on it.

    Attributes
    ----------
    centres_ : (K, D) float32
    distortion_ : float
        Mean squared distance of the sample from the nearest centres.
    distortions_ : list of float
        Of all runs.
    """

    def __init__(self, n_clusters=4000, *, seeds=8, seed=0, threads=1):
        self.n_clusters = n_clusters
        self.seeds = seeds
        self.seed = seed
        self.threads = threads

    def fit(self, X, y=None):
        """Find the centres.

        Parameters
        ----------
        X : (n, D) float32
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
        from threadpoolctl import threadpool_limits

        for name in ("n_clusters", "seeds", "threads"):
            positive_integer(getattr(self, name), name)
        rows = float_array(X, (None, None), "descriptors")
        if len(rows) < self.n_clusters or not rows.shape[1]:
            raise DataError(
                f"{self.n_clusters} words need at least as many descriptors, got {rows.shape[0]} of {rows.shape[1]} "
                "numbers; sample more or use fewer words"
            )
        with threadpool_limits(1), warnings.catch_warnings():
            # Fewer different rows than centres: some centres coincide, which harms nothing.
            warnings.simplefilter("ignore", ConvergenceWarning)
            with ThreadPoolExecutor(min(self.threads, self.seeds)) as pool:
                runs = list(pool.map(lambda seed: self._run(rows, seed), range(self.seed, self.seed + self.seeds)))
        self.distortions_ = [float(run.inertia_) / len(rows) for run in runs]
        best = int(np.argmin(self.distortions_))
        return self._store(runs[best].cluster_centers_, self.distortions_[best])

    @classmethod
    def from_centres(cls, centres, distortion):
        """As if fitted, of centres found elsewhere.

        Parameters
        ----------
        centres : (K, D) float32
        distortion : float

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

    def scores(self, X):
        """The scores x · c − |c|² / 2 of every descriptor and centre, some descriptors at a time.

        Parameters
        ----------
        X : (n, D) float32

        Yields
        ------
        slice
            Of the descriptors.
        (m, K) float32
        """
        rows = float_array(X, (None, self.centres_.shape[1]), "descriptors")
        for start in range(0, len(rows), BATCH):
            batch = slice(start, min(start + BATCH, len(rows)))
            yield batch, product(rows[batch], self._panels, len(self.centres_)) - self._half

    def nearest(self, X):
        """The nearest centre of every descriptor, the first of equals.

        Parameters
        ----------
        X : (n, D) float32

        Returns
        -------
        (n,) int64
        """
        out = np.empty(len(X), np.int64)
        for batch, scores in self.scores(X):
            out[batch] = scores.argmax(axis=1)
        return out

    def _run(self, rows, seed):
        """One run of k-means."""
        from sklearn import cluster

        return cluster.KMeans(
            self.n_clusters, init="random", n_init=1, max_iter=MOST_PASSES, random_state=seed, algorithm="lloyd"
        ).fit(rows)

    def _store(self, centres, distortion):
        """Set the learned attributes."""
        self.centres_ = np.ascontiguousarray(centres, np.float32)
        self.distortion_ = float(np.float32(distortion))  # as a file holds it
        self._panels = packed(self.centres_.T)
        self._half = (np.einsum("ij,ij->i", self.centres_, self.centres_, dtype=np.float64) / 2).astype(np.float32)
        return self
