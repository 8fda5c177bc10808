"""Linear support vector machine, one class against the rest, trained on rows or on their Gram matrix.

For each class, with t_i = +1 for its videos and −1 for the others, over the rows x_i as they are:

    minimise  ½‖w‖² + Σ_i C_i · max(0, 1 − t_i (w·x_i + b)),

hinge loss, L2 penalty, **bias unpenalised**; C_i = C times the weight of the video's class. The score is w·x + b.

How it is trained: `classify.solvers`. Source: spec, encoding 8. Left out: kernels that are not linear, several labels
per video.
"""

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils import column_or_1d
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted

from classify.params import SOLVERS, ClassifierParams, check_penalty
from classify.rows import as_rows, check_finite, one_thread, parts, products
from classify.solvers import solve_gram, solve_primal
from idt.errors import DataError

DEFAULT = ClassifierParams()


class LinearSVM(ClassifierMixin, BaseEstimator):
    """One-vs-rest linear classifier of the standard recipe.

    Parameters
    ----------
    C : float
        Weight of the errors.
    solver : {"auto", "primal", "gram"}
        ``"auto"`` is the Gram matrix unless there are fewer columns than rows.
    class_weight : None, "balanced" or dict
        Weight of each class's videos, as in scikit-learn; "balanced" is n / (classes · n of the class).

    Attributes
    ----------
    classes_ : (c,) array
        Sorted.
    coef_ : (c, d) float32 or float64
        In the precision of the rows. One row, of the second class, if there are two.
    intercept_ : (c,) float64
    n_features_in_ : int

    Examples
    --------
    >>> LinearSVM().fit([[0.0, 1.0], [1.0, 0.0]], ["walk", "run"]).predict([[0.1, 0.9]])
    array(['walk'], dtype='<U4')
    """

    def __init__(self, C=DEFAULT.C, solver=DEFAULT.solver, class_weight=None):
        self.C = C
        self.solver = solver
        self.class_weight = class_weight

    @classmethod
    def from_params(cls, params):
        """Build from `ClassifierParams`, the options of the commands."""
        return cls(params.C, params.solver, None if params.class_weight == "none" else params.class_weight)

    def fit(self, X, y):
        """Train.

        Parameters
        ----------
        X : (n, d) float32 or float64, or Rows
            `classify.rows.Rows` of a file are read by blocks, once for every block (Gram) or as a whole (primal).
        y : (n,) str or int
            Label of each row.

        Returns
        -------
        LinearSVM
            Itself.

        Raises
        ------
        DataError
            If X is not finite, is no matrix or has another length than y; if there is one class only; if an option is
            wrong.
        """
        check_penalty(self.C)
        if self.solver not in SOLVERS:
            raise DataError(f"solver must be one of {', '.join(SOLVERS)}, got {self.solver!r}")
        rows = as_rows(X)
        classes, codes = _labels(y, rows.shape[0])
        penalties = self.C * _class_weights(self.class_weight, classes, codes)[codes]
        signs = np.where(codes == np.arange(len(classes))[:, None], 1.0, -1.0)
        if len(classes) == 2:
            signs = signs[1:]
        primal = rows.shape[1] < rows.shape[0] if self.solver == "auto" else self.solver == "primal"
        with one_thread():
            solve = solve_primal if primal else solve_gram
            coef, self.intercept_ = solve(rows, signs, penalties)
        self.coef_ = coef.astype(rows.dtype)
        self.classes_ = classes
        self.n_features_in_ = rows.shape[1]
        return self

    def decision_function(self, X):
        """Scores, positive on the side of the class.

        Parameters
        ----------
        X : (n, d) float32 or float64, or Rows

        Returns
        -------
        (n, c) float64, or (n,) of the second class if there are two

        Raises
        ------
        DataError
            If X is not finite or has another width.
        sklearn.exceptions.NotFittedError
            If `fit` was not called.
        """
        check_is_fitted(self)
        rows = as_rows(X)
        if rows.shape[1] != self.n_features_in_:
            raise DataError(
                f"X has {rows.shape[1]} features, but LinearSVM is expecting {self.n_features_in_} features as input"
            )
        out = np.empty((rows.shape[0], len(self.coef_)))
        with one_thread():
            for part in parts(rows):
                block = rows[part]
                check_finite(block, part.start)
                out[part] = products(block, self.coef_) + self.intercept_
        return out[:, 0] if len(self.classes_) == 2 else out

    def predict(self, X):
        """The class of the highest score; of equal ones the first.

        Parameters
        ----------
        X : (n, d) float32 or float64, or Rows

        Returns
        -------
        (n,) array

        Raises
        ------
        DataError, sklearn.exceptions.NotFittedError
            As `decision_function`.
        """
        scores = self.decision_function(X)
        best = (scores > 0).astype(np.intp) if scores.ndim == 1 else scores.argmax(axis=1)
        return self.classes_[best]

    def scores(self, X):
        """Scores with one column per class, also for two.

        Parameters
        ----------
        X : (n, d) float32 or float64, or Rows

        Returns
        -------
        (n, c) float64
            In the order of ``classes_``.

        Raises
        ------
        DataError, sklearn.exceptions.NotFittedError
            As `decision_function`.
        """
        scores = self.decision_function(X)
        return np.stack([-scores, scores], axis=1) if scores.ndim == 1 else scores


def _labels(y, n):
    """Sorted classes, and the index of each row's class among them."""
    if y is None:
        raise DataError("training requires y to be passed, but the target y is None")
    try:
        labels = column_or_1d(y, warn=True)
        check_classification_targets(labels)
    except ValueError as problem:
        raise DataError(" ".join(str(problem).split())) from None
    if len(labels) != n:
        raise DataError(f"X and y must have the same number of rows, got {n} and {len(labels)}")
    classes, codes = np.unique(labels, return_inverse=True)
    if len(classes) < 2:
        raise DataError(f"training needs at least two classes, got one class only: {classes[0]!s}")
    return classes, codes


def _class_weights(weight, classes, codes):
    """Factor of C for each class."""
    if weight is None:
        return np.ones(len(classes))
    if isinstance(weight, str) and weight == "balanced":
        return len(codes) / (len(classes) * np.bincount(codes))
    if not isinstance(weight, dict):
        raise DataError(f'class_weight must be None, "balanced" or a dict, got {weight!r}')
    unknown = [str(label) for label in weight if label not in classes]
    if unknown:
        raise DataError(f"class_weight names classes that y does not hold: {', '.join(unknown)}")
    weights = np.array([float(weight.get(label, 1.0)) for label in classes.tolist()])
    if not (np.isfinite(weights).all() and (weights > 0).all()):
        raise DataError(f"class weights must be positive numbers, got {weight!r}")
    return weights
