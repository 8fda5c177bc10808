"""Linear support vector machine, one class against the rest, trained on rows or on their Gram matrix.

For each class, with t_i = +1 for its videos and −1 for the others, over the rows x_i as they are:

    minimise  ½‖w‖² + Σ_i C_i · max(0, 1 − t_i (w·x_i + b)),

hinge loss, L2 penalty, **bias unpenalised**; C_i = C times the weight of the video's class. The score is w·x + b.

Gram: with more columns than rows, K = X Xᵀ is made by blocks of rows, libsvm solves the dual of each class on it, and
the weights come back as w = Xᵀα, so a prediction is one product. Memory is that of K and two blocks, whatever the
columns: 0.73 GB instead of 4 GB of features for UCF101.

Primal: the rows as they are. liblinear penalises the bias as the weight of one more column, of the height
``intercept_scaling``; the higher, the closer to this objective (the difference falls with its square), and the slower
its coordinate descent.

Where either does not converge in reasonable time, as for classes that overlap in few columns at C = 100, an
interior-point method takes over (`classify.interior`).

Either way b is then chosen exactly for the w found: the objective along b is piecewise linear, with its kinks at
t_i − w·x_i, and is smallest between two neighbouring kinks; b is their middle, which is libsvm's choice too.

Source: spec, encoding 8; Hsieh et al. 2008 (liblinear), Fan, Chen & Lin 2005 (libsvm). Left out: kernels that are not
linear, several labels per video.
"""

import warnings

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import ConvergenceWarning
from sklearn.svm import SVC, LinearSVC
from sklearn.utils import column_or_1d
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted

from classify import interior
from classify.params import SOLVERS, ClassifierParams, check_penalty
from classify.rows import PANEL, as_rows, check_finite, gram, one_thread, parts, products
from idt.errors import DataError

DEFAULT = ClassifierParams()

TOLERANCE = 1e-5
"""Violation of the optimality conditions, in units of the margin, at which the solvers stop: scores to ~1e-5."""

BIAS_HEIGHT = 10.0
"""Height of liblinear's bias column in lengths of a centred row: scores to below 1e-3 of the largest."""

MAX_PASSES = 5_000
"""Passes over the rows after which liblinear is said not to converge; on vectors of videos it needs up to 3,000."""

MAX_PAIRS = 500_000
"""Pairs of multipliers after which libsvm is said not to converge; on vectors of videos it needs some hundreds."""


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
            solve = _solve_primal if primal else _solve_gram
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


def bias(scores, signs, penalties):
    """The unpenalised bias for given w·x: the middle of the interval that minimises the hinge losses.

    Parameters
    ----------
    scores : (n,) float64
        w·x_i.
    signs : (n,) float64
        t_i, +1 or −1, both present.
    penalties : (n,) float64
        C_i.

    Returns
    -------
    float
    """
    kinks = signs - scores
    order = np.argsort(kinks, kind="stable")
    # The slope of the losses begins at minus the penalties of the class and rises at each kink by that of its row.
    slopes = np.cumsum(penalties[order]) - penalties[signs > 0].sum()
    level = np.abs(slopes) <= 1e-9 * penalties.sum()
    at = int(np.argmax(level | (slopes > 0)))
    return float((kinks[order[at]] + kinks[order[at + level[at]]]) / 2)


def _solve_gram(rows, signs, penalties):
    """Weights (c, d) and biases (c,) by libsvm on the Gram matrix."""
    kernel = gram(rows)
    # About the mean row, which the bias takes up: far from the origin libsvm would lose its digits.
    means = kernel.mean(axis=0)
    kernel -= means
    kernel -= means[:, None] - means.mean()
    dual = np.zeros(signs.shape)
    for row, sign in zip(dual, signs, strict=True):
        machine = SVC(C=1.0, kernel="precomputed", tol=TOLERANCE, max_iter=MAX_PAIRS)
        _fit(machine, kernel, sign, penalties)
        if machine.fit_status_:
            row[:] = interior.solve(sign, penalties, kernel=kernel)
        else:
            row[machine.support_] = machine.dual_coef_[0]
    coef = np.zeros((len(signs), rows.shape[1]))
    for part in parts(rows):
        block = rows[part]
        for first in range(0, rows.shape[1], PANEL):
            columns = slice(first, first + PANEL)
            coef[:, columns] += dual[:, part] @ block[:, columns].astype(np.float64)
    scores = dual @ kernel + (dual @ means)[:, None]
    return coef, np.array([bias(score, sign, penalties) for score, sign in zip(scores, signs, strict=True)])


def _solve_primal(rows, signs, penalties):
    """Weights (c, d) and biases (c,) by liblinear on the rows, or by interior points where that does not converge."""
    # A copy in float64, as liblinear makes in any case. The bias takes up the mean; without it the descent is faster.
    X = rows[:].astype(np.float64)
    check_finite(X, 0)
    mean = X.mean(axis=0)
    X -= mean
    length = np.sqrt(np.einsum("ij,ij->", X, X) / len(X)) or 1.0
    coef = np.empty((len(signs), X.shape[1]))
    biases = np.empty(len(signs))
    for i, sign in enumerate(signs):
        machine = LinearSVC(
            C=1.0,
            loss="hinge",
            dual=True,
            tol=TOLERANCE,
            intercept_scaling=BIAS_HEIGHT * length,
            max_iter=MAX_PASSES,
            random_state=0,
        )
        _fit(machine, X, sign, penalties)
        if machine.n_iter_ < MAX_PASSES:
            coef[i] = machine.coef_[0]
        elif X.shape[1] < len(X):
            coef[i] = interior.solve(sign, penalties, factor=X) @ X
        else:
            coef[i] = interior.solve(sign, penalties, kernel=X @ X.T) @ X
        biases[i] = bias(X @ coef[i], sign, penalties) - coef[i] @ mean
    return coef, biases


def _fit(machine, data, sign, penalties):
    """Train one of scikit-learn's machines; whether it converged is asked afterwards."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        machine.fit(data, sign, sample_weight=penalties)


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
