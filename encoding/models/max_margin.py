"""Max-margin projection: learnt with hinge loss, together with a linear classifier on the projected rows.

For rows x of class y (centred, and scaled to a common variance), projection W (m, D), class weights V (C, m) and biases
b, the objective is

    1/n Σ_i Σ_{c ≠ y_i} max(0, 1 − s_{y_i} + s_c) + λ/2 (|V|² + |W|²),   s = V W x_i + b,

minimised by stochastic gradient descent over seeded batches. W begins as the whitened principal directions, V at zero.
An epoch that does not lower the objective is undone and the learning rate is halved, so that the objective only falls.
Without classes the principal directions are the result.

Source: docs/method/encoding.md, section 11; Simonyan, Vedaldi & Zisserman, NIPS 2013 (the objective); Peng et
al., ECCV 2014.
"""

import numpy as np
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from encoding.models.estimator_input import rows_as_fitted, rows_to_fit
from idt.checks import checked_seed, positive_integer
from idt.errors import DataError
from idt.workers.blas import one_blas_thread

# Rows of a gradient step, and rows whose losses are in memory at once.
BATCH = 64
ROWS = 1024
# Size of the first gradient step, as a share of the step that would bring the loss of one row to zero.
LEARNING_RATE = 0.5
# A direction that varies less than this, relative to the first, is rounding.
ROUNDING = 1e-6


class MaxMarginProjection(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
    """Projection onto a few numbers that separate classes.

    Parameters
    ----------
    n_components : int
        Numbers to keep, m; fewer if the rows do not have as many dimensions.
    alpha : float
        Weight of the squared norms in the objective, λ.
    max_iter : int
        Passes over the rows.
    random_state : int
        Seed of the batches and of the randomised singular value decomposition that finds the principal directions.

    Attributes
    ----------
    components_ : (m, D) float32
    objective_ : list of float
        Objective before the first pass and after each; empty without classes.
    n_iter_ : int
        Number of passes; 0 without classes.
    n_features_in_ : int
    feature_names_in_ : (D,) object
        Names of the columns of a table; absent if an array was fitted.

    Notes
    -----
    docs/method/encoding.md, section 11.
    """

    def __init__(self, n_components=200, *, alpha=1e-4, max_iter=10, random_state=0):
        self.n_components = n_components
        self.alpha = alpha
        self.max_iter = max_iter
        self.random_state = random_state

    def fit(self, X, y=None):
        """Learn the projection.

        Parameters
        ----------
        X : (n, D) float32, or a table
            At least two rows.
        y : sequence of str or int, optional
            Classes of the rows. With fewer than two different classes the result is the principal components.

        Returns
        -------
        MaxMarginProjection
            Itself.

        Raises
        ------
        DataError
            If there are fewer than two rows or numbers that are not finite, or not a class for every row.
        """
        for name in ("n_components", "max_iter"):
            positive_integer(getattr(self, name), name)
        seed = checked_seed(self.random_state)
        rows = rows_to_fit(self, X, "rows")
        y = None if y is None else np.asarray(y)
        if len(rows) < 2 or (y is not None and len(y) != len(rows)):
            raise DataError(f"a projection is learnt from two rows or more with a class each, got {len(rows)}")
        # One thread computes the products, because their last bits depend on the number of threads.
        with one_blas_thread():
            rows = rows - rows.mean(axis=0, dtype=np.float64).astype(np.float32)
            projection, scale = self._principal_directions(rows, seed)
            self.objective_: list[float] = []
            classes = np.unique([] if y is None else y)
            if len(classes) > 1:
                rows /= scale
                labels = np.searchsorted(classes, y)
                projection = self._descend(rows, labels, len(classes), projection * scale, seed) / scale
        self.n_iter_ = max(0, len(self.objective_) - 1)
        self.components_ = np.ascontiguousarray(projection, np.float32)
        return self

    def transform(self, X):
        """Project rows.

        Parameters
        ----------
        X : (n, D) float32, or a table

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
        rows = rows_as_fitted(self, X, "rows")
        # In float64, because the last bit of a float32 sum depends on the row's place in a BLAS block.
        return (rows.astype(np.float64) @ self.components_.T).astype(np.float32)

    @property
    def _n_features_out(self):
        """The number of columns that scikit-learn names ``maxmarginprojection0`` …"""
        return len(self.components_)

    def _principal_directions(self, rows, seed):
        """Compute whitened principal directions (m, D), and the root of their mean variance."""
        from sklearn.utils.extmath import randomized_svd

        size = min(self.n_components, len(rows) - 1, rows.shape[1])
        _, values, directions = randomized_svd(rows, size, n_iter=4, random_state=seed)
        deviation = values / np.sqrt(len(rows) - 1)
        real = deviation > ROUNDING * max(deviation[0], np.finfo(np.float32).tiny)
        if not real.any():
            raise DataError("a projection cannot be learnt from rows that are all alike")
        deviation, directions = deviation[real], directions[real]
        return directions / deviation[:, None], np.float32(np.sqrt((deviation**2).mean()))

    def _descend(self, rows, labels, n_classes, projection, seed):
        """Minimise the objective, starting from a projection; return the best projection."""
        rng = np.random.default_rng(seed)
        model = _Model(projection.astype(np.float32), np.zeros((n_classes, len(projection)), np.float32),
                       np.zeros(n_classes, np.float32))  # fmt: skip
        rates = LEARNING_RATE / np.array([(rows**2).sum(axis=1).mean(), len(projection) + 1], np.float32)
        self.objective_.append(model.objective(rows, labels, self.alpha))
        for _ in range(self.max_iter):
            trial = _Model(*(part.copy() for part in model.arrays()))
            for batch in np.array_split(rng.permutation(len(rows)), -(-len(rows) // BATCH)):
                trial.step(rows[batch], labels[batch], self.alpha, rates)
            reached = trial.objective(rows, labels, self.alpha)
            if reached < self.objective_[-1]:
                model = trial
            else:
                rates /= 2
            self.objective_.append(min(reached, self.objective_[-1]))
        return model.projection


class _Model:
    """Projection (m, D), class weights (C, m) and biases (C,), float32."""

    def __init__(self, projection, weights, biases):
        self.projection, self.weights, self.biases = projection, weights, biases

    def arrays(self):
        return self.projection, self.weights, self.biases

    def objective(self, rows, labels, penalty):
        """Compute the objective as the head of this module states it."""
        losses = 0.0
        for start in range(0, len(rows), ROWS):
            part = slice(start, start + ROWS)
            losses += _losses(self._scores(rows[part] @ self.projection.T), labels[part]).sum(dtype=np.float64)
        squares = sum(float((part.astype(np.float64) ** 2).sum()) for part in (self.projection, self.weights))
        return losses / len(rows) + penalty / 2 * squares

    def gradient(self, rows, labels, penalty):
        """Compute the gradient of the objective of these rows, in the order of `arrays`."""
        projected = rows @ self.projection.T
        active = (_losses(self._scores(projected), labels) > 0).astype(np.float32) / np.float32(len(rows))
        active[np.arange(len(rows)), labels] = -active.sum(axis=1)
        return (
            (active @ self.weights).T @ rows + np.float32(penalty) * self.projection,
            active.T @ projected + np.float32(penalty) * self.weights,
            active.sum(axis=0),
        )

    def step(self, rows, labels, penalty, rates):
        """Step down the gradient of a batch, with the learning ``rates`` of projection and classifier."""
        projection, weights, biases = self.gradient(rows, labels, penalty)
        self.projection -= rates[0] * len(rows) * projection
        self.weights -= rates[1] * len(rows) * weights
        self.biases -= rates[1] * len(rows) * biases

    def _scores(self, projected):
        return projected @ self.weights.T + self.biases


def _losses(scores, labels):
    """Compute the hinge losses of every row and class (n, C), 0 for the row's own class."""
    own = scores[np.arange(len(labels)), labels]
    losses = np.maximum(0, 1 - own[:, None] + scores)
    losses[np.arange(len(labels)), labels] = 0
    return losses
