"""Support vector machines on a kernel matrix, the choice of C, and the calibration of probabilities.

libsvm solves the dual of each class on the kernel matrix (scikit-learn's `SVC`). The kernel is centred first, because
libsvm loses digits if all rows lie far from the origin; the bias takes up the mean.

C is chosen by scikit-learn's `GridSearchCV` over folds of `StratifiedGroupKFold`. Probabilities are a sigmoid of the
score, p(s) = 1 / (1 + exp(−(a s + b))), fitted to held-out scores of the training rows. The targets are
(n₊ + 1)/(n₊ + 2) and 1/(n₋ + 2) instead of 1 and 0, because a separable class would make the sigmoid a step.
`CalibratedClassifierCV` fits the same sigmoid, but takes no rows of several classes.

Source: docs/method/encoding.md, section 8; Fan, Chen & Lin 2005 (libsvm); Platt 1999; Zadrozny & Elkan 2002 (one class
against the rest).
"""

import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from scipy.special import expit
from sklearn import config_context
from sklearn.base import BaseEstimator, clone
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, GroupKFold, StratifiedGroupKFold
from sklearn.preprocessing import KernelCenterer
from sklearn.svm import SVC

from classify import metrics
from classify.svm.targets import row_weights
from classify.text_files import listed
from idt.errors import DataError

TOLERANCE = 1e-5
"""Violation of the optimality conditions at which libsvm stops, in units of the margin."""

MOST_UPDATES = 10**10
"""Number of updates of a gradient after which libsvm stops without convergence. A pair of multipliers updates the
gradient of every row; vectors of videos need some hundreds of pairs."""

FOLDS = 5
"""Number of folds for the choice of C and for the calibration."""

GRID = (0.01, 0.1, 1.0, 10.0, 100.0, 1000.0)
"""Values of C that the cross-validation tries."""

NO_PENALTY = 1e12
"""The C of the logistic regression that fits a sigmoid: its penalty then changes no digit."""


class KernelMachines(BaseEstimator):
    """A support vector machine for each class, trained on a kernel matrix.

    Parameters
    ----------
    C : float
    class_weight : None, "balanced" or (c,) float
        As `classify.svm.targets.row_weights`.
    multi_label : bool
        Whether a row may have several classes.
    threads : int

    Attributes
    ----------
    dual_ : (k, n) float64
        Multipliers t_i α_i of the training rows.
    intercept_ : (k,) float64
    unconverged_ : list of int
        Machines for which libsvm stopped at `MOST_UPDATES`.
    """

    def __init__(self, C=1.0, class_weight=None, multi_label=False, threads=1):
        self.C = C
        self.class_weight = class_weight
        self.multi_label = multi_label
        self.threads = threads

    def fit(self, K, has_class):
        """Train the machines.

        Parameters
        ----------
        K : (n, n) float64
            Kernel of the training rows. It is overwritten.
        has_class : (n, k) bool or int
            Whether each row has each class.

        Returns
        -------
        KernelMachines
            Itself.
        """
        # In place, because a data set's kernel takes a gigabyte.
        centerer = KernelCenterer().fit(K)
        centred = centerer.transform(K, copy=False)
        factors = self.C * row_weights(self.class_weight, has_class, self.multi_label)
        # Warnings are silenced outside the threads, because threads share the filters. The caller warns with the names
        # of the classes.
        with warnings.catch_warnings(), ThreadPoolExecutor(self.threads) as pool:
            warnings.simplefilter("ignore", ConvergenceWarning)
            found = list(pool.map(lambda *of_class: _train(centred, *of_class), np.asarray(has_class).T, factors))
        self.dual_ = np.stack([dual for dual, _, _ in found])
        self.intercept_ = np.array([bias for _, bias, _ in found]) - self.dual_ @ centerer.K_fit_rows_
        self.unconverged_ = [number for number, (_, _, converged) in enumerate(found) if not converged]
        return self

    def decision_function(self, K):
        """Compute scores (m, k) float64 from the kernel ``K``, (m, n) float64, of m rows and the training rows."""
        return K @ self.dual_.T + self.intercept_

    def __sklearn_tags__(self):
        """Tell scikit-learn's cross-validation that K is indexed by training rows along both axes."""
        tags = super().__sklearn_tags__()
        tags.input_tags.pairwise = True
        return tags


def _train(kernel, has_class, penalties):
    """Train one machine; return its multipliers, its bias, and whether libsvm converged."""
    dual = np.zeros(len(kernel))
    if has_class.all() or not has_class.any():
        # A fold may lack the class or all others; a constant score then fits all of its rows.
        return dual, 1.0 if has_class.all() else -1.0, True
    machine = SVC(C=1.0, kernel="precomputed", tol=TOLERANCE, max_iter=min(MOST_UPDATES // len(kernel), 10**9))
    # The kernel was checked when it was centred; scikit-learn need not check it again. Only this thread is affected.
    with config_context(assume_finite=True):
        machine.fit(kernel, has_class, sample_weight=penalties)
    dual[machine.support_] = machine.dual_coef_[0]
    return dual, machine.intercept_[0], not machine.fit_status_


def inner_folds(codes, groups=None, *, seed):
    """Deal training rows to folds, so that each fold has its share of every class.

    Parameters
    ----------
    codes : (n,) int
        Class of each row.
    groups : (n,) str, optional
        Rows of one group, such as clips of one recording, go to one fold. Each row with an empty group goes on its own.
    seed : int

    Returns
    -------
    list of ((m,) int, (k,) int)
        Rows to train on and rows held out, for each of at most `FOLDS` folds.

    Raises
    ------
    DataError
        If all rows are of one group.
    """
    names = [""] * len(codes) if groups is None else [str(group) for group in groups]
    units = [f"group {name}" if name else f"row {row}" for row, name in enumerate(names)]
    count = len(set(units))
    if count < 2:
        raise DataError("cross-validation needs training rows of at least two groups, got one")
    count = min(FOLDS, count)
    # scikit-learn cannot give folds equal shares of classes if no class has a row for every fold.
    shares = np.bincount(codes).max() >= count
    folds = StratifiedGroupKFold(count, shuffle=True, random_state=seed) if shares else GroupKFold(count)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "The least populated class", UserWarning)
        return [(rest, fold) for rest, fold in folds.split(codes, codes, units) if len(fold) and len(rest)]


def choose_penalty(machines, kernel, targets, folds):
    """Return the C of `GRID` with the best mean quality over the folds; of equal values the smallest.

    Parameters
    ----------
    machines : KernelMachines
    kernel : (n, n) float64
    targets : classify.svm.targets.Targets
    folds : list
        As from `inner_folds`.

    Returns
    -------
    float

    Notes
    -----
    The quality is the accuracy, or the mean average precision if rows have several classes.
    """

    def quality(trained, K, has_class):
        scores = trained.decision_function(K)
        if targets.multi_label:
            present = has_class.any(axis=0)
            return metrics.mean_average_precision(
                has_class[:, present] > 0, scores[:, present], targets.classes[present]
            )
        codes, best = (side[:, 0] > 0 if scores.shape[1] == 1 else side.argmax(axis=1) for side in (has_class, scores))
        return float((codes == best).mean())

    search = GridSearchCV(machines, {"C": GRID}, scoring=quality, cv=folds, refit=False, error_score="raise")
    return search.fit(kernel, targets.has_class.astype(int)).best_params_["C"]


def fit_sigmoids(scores, has_class):
    """Fit the sigmoid of each class to held-out scores.

    Parameters
    ----------
    scores : (n, k) float64
    has_class : (n, k) bool
        Whether each row has each class.

    Returns
    -------
    (k, 2) float64
        a and b of each class.
    """
    return np.array(
        [_fit_sigmoid(score, has > 0) for score, has in zip(scores.T, np.asarray(has_class).T, strict=True)]
    )


def held_out(machines, kernel, has_class, folds):
    """Compute the score of every row by machines that are trained without its fold.

    Parameters
    ----------
    machines : KernelMachines
    kernel : (n, n) float64
    has_class : (n, k) bool
    folds : list
        As from `inner_folds`.

    Returns
    -------
    (n, k) float64
    """
    out = np.empty(has_class.shape)
    for rest, fold in folds:
        trained = clone(machines).fit(kernel[np.ix_(rest, rest)], has_class[rest])
        out[fold] = trained.decision_function(kernel[np.ix_(fold, rest)])
    return out


def probabilities(scores, sigmoids, *, multi_label):
    """Compute the probabilities of the classes.

    Parameters
    ----------
    scores : (n, k) float64
    sigmoids : (k, 2) float64
        As from `fit_sigmoids`.
    multi_label : bool
        Whether a row may have several classes, or none.

    Returns
    -------
    (n, c) float64
        Two columns if there is one machine, which tells the second class from the first. If rows have one class each,
        every row sums up to one; a row whose sigmoids are all zero gets equal probabilities.
    """
    found = expit(scores * sigmoids[:, 0] + sigmoids[:, 1])
    if multi_label:
        return found
    if found.shape[1] == 1:
        return np.hstack([1 - found, found])
    total = found.sum(axis=1, keepdims=True)
    return np.where(total > 0, found / np.where(total > 0, total, 1.0), 1 / found.shape[1])


def warn_unconverged(classes):
    """Warn of ``classes`` for which libsvm did not converge."""
    if classes:
        warnings.warn(
            f"the support vector machine did not reach the optimum of {listed(classes)}; a smaller C, or rows of about"
            " unit length, converge",
            ConvergenceWarning,
            stacklevel=4,
        )


def checked_finite(scores):
    """Return ``scores``, or refuse them if one is not finite."""
    bad = scores.size - np.count_nonzero(np.isfinite(scores))
    if bad:
        raise DataError(f"scores must be finite, got {bad} NaN or infinite ones: the machine or X holds absurd numbers")
    return scores


def both_classes(scores):
    """Return ``scores`` with one column per class, also for the one machine of two classes."""
    return np.hstack([-scores, scores]) if scores.shape[1] == 1 else scores


def _fit_sigmoid(scores, positive):
    """Fit a and b of one class: each row counts as a positive and as a negative one, in the shares of its target."""
    wanted = np.where(positive, (positive.sum() + 1) / (positive.sum() + 2), 1 / ((~positive).sum() + 2))
    unit = np.abs(scores).max() or 1.0  # the search assumes numbers of about one
    line = LogisticRegression(C=NO_PENALTY, tol=1e-10, max_iter=1000).fit(
        np.concatenate([scores, scores])[:, None] / unit,
        np.repeat([1, 0], len(scores)),
        sample_weight=np.concatenate([wanted, 1 - wanted]),
    )
    return line.coef_[0, 0] / unit, line.intercept_[0]
