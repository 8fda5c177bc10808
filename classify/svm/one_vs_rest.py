"""Base class of the support vector machines: one class against the rest, the choice of C, probabilities.

For each class, with t_i = +1 for its videos and −1 for the others:

    minimise  ½‖w‖² + Σ_i C_i · max(0, 1 − t_i (w·x_i + b)),

hinge loss, L2 penalty, **bias unpenalised**; C_i is C times the weight of the video's class. The score is w·x + b, or
with a kernel Σ_j t_j α_j K(x_j, x) + b. `classify.svm.solvers` trains the machines.

Source: docs/method/encoding.md, section 8.
"""

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import NotFittedError
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from classify import metrics
from classify.params import CROSS_VALIDATED, check_penalty
from classify.svm import solvers
from classify.svm.calibration import fit_sigmoids, probabilities
from classify.svm.feature_names import check_names, keep_names
from classify.svm.inner_folds import SEED, choose_penalty, held_out, inner_folds
from classify.svm.lazy_rows import as_rows, one_thread
from classify.svm.targets import read_targets, weights
from idt.checks import checked_seed
from idt.errors import DataError


class OneVsRest(ClassifierMixin, BaseEstimator):
    """A support vector machine for each class.

    `LinearSVM` and `Chi2SVM` derive from it and define ``_problem``, ``_keep`` and ``_scored``.
    """

    def fit(self, X, y, groups=None):
        """Train a machine for each class.

        Parameters
        ----------
        X : (n, d) float32 or float64, DataFrame or Rows
            `classify.svm.lazy_rows.Rows` of a file are read by blocks.
        y : (n,) str or int, or list of tuple of str
            Label of each row, or all of its labels.
        groups : (n,) str, optional
            Rows of one group, such as clips of one recording, stay together in the cross-validation of C and of the
            probabilities.

        Returns
        -------
        OneVsRest
            Itself.

        Raises
        ------
        DataError
            If X is not finite, is no matrix or has another length than y; if there is one class only; if an option is
            wrong.
        """
        self._check_options()
        seed = checked_seed(self.random_state)
        rows = as_rows(X)
        targets = read_targets(y, rows.shape[0])
        factors = weights(self.class_weight, targets)
        with one_thread():
            problem = self._problem(rows, seed)
            searched = self.C == CROSS_VALIDATED
            folds = inner_folds(targets.codes, groups, seed=seed) if searched or self.probability else []
            self.C_ = choose_penalty(problem, targets, factors, folds) if searched else float(self.C)
            found, self.intercept_ = solvers.fit(problem, targets.signs, self.C_ * factors)
            self.sigmoids_ = None
            if self.probability:
                self.sigmoids_ = fit_sigmoids(held_out(problem, targets.signs, self.C_ * factors, folds), targets.signs)
            self._keep(rows, problem, found)
        keep_names(self, X)
        self.n_features_in_, self.several_ = rows.shape[1], targets.several
        # Last, because it marks the estimator as fitted.
        self.classes_ = targets.classes
        return self

    def decision_function(self, X):
        """Compute scores, which are positive on the side of the class.

        Parameters
        ----------
        X : (n, d) float32 or float64, DataFrame or Rows

        Returns
        -------
        (n, c) float64, or (n,) of the second class if there are two

        Raises
        ------
        DataError
            If X is not finite or has another width.
        ValueError
            If the names of the columns differ from those of the training rows.
        sklearn.exceptions.NotFittedError
            If `fit` was not called.
        """
        scores = self._machines(X)
        return scores[:, 0] if scores.shape[1] == 1 else scores

    def predict(self, X):
        """Return the class with the highest score; of equal scores the first.

        Parameters
        ----------
        X : (n, d) float32 or float64, DataFrame or Rows

        Returns
        -------
        (n,) array

        Raises
        ------
        DataError, ValueError, sklearn.exceptions.NotFittedError
            As `decision_function`.
        """
        scores = self.decision_function(X)
        best = (scores > 0).astype(np.intp) if scores.ndim == 1 else scores.argmax(axis=1)
        return self.classes_[best]

    def scores(self, X):
        """Compute scores with one column per class, also for two classes.

        Parameters
        ----------
        X : (n, d) float32 or float64, DataFrame or Rows

        Returns
        -------
        (n, c) float64
            In the order of ``classes_``.

        Raises
        ------
        DataError, ValueError, sklearn.exceptions.NotFittedError
            As `decision_function`.
        """
        scores = self._machines(X)
        return np.hstack([-scores, scores]) if scores.shape[1] == 1 else scores

    @available_if(lambda self: self.probability)
    def predict_proba(self, X):
        """Compute calibrated probabilities; the method exists if ``probability`` is true.

        Parameters
        ----------
        X : (n, d) float32 or float64, DataFrame or Rows

        Returns
        -------
        (n, c) float64
            In the order of ``classes_``.

        Raises
        ------
        DataError, ValueError
            As `decision_function`.
        sklearn.exceptions.NotFittedError
            If `fit` was not called, or was called when ``probability`` was false.
        """
        check_is_fitted(self)
        if self.sigmoids_ is None:
            raise NotFittedError(
                f"this {type(self).__name__} was fitted with probability=False and has no probabilities; fit it again"
            )
        with np.errstate(over="ignore", invalid="ignore"):
            found = probabilities(self._machines(X), self.sigmoids_, several=self.several_)
        if not np.isfinite(found).all():
            raise DataError("probabilities must be finite, got NaN: the sigmoids of the machine are absurd")
        return found

    def score(self, X, y, sample_weight=None):
        """Compute the share of rows that are labelled rightly.

        Parameters
        ----------
        X : (n, d) float32 or float64, DataFrame or Rows
        y : (n,) str or int, or list of tuple of str
            True labels.
        sample_weight : (n,) float, optional
            Weight of each row.

        Returns
        -------
        float
            Mean average precision instead of accuracy if rows may have several classes.

        Raises
        ------
        DataError, ValueError, sklearn.exceptions.NotFittedError
            As `decision_function`. Rows of several classes take no weights, and each label must be a trained class.
        """
        check_is_fitted(self)
        if not self.several_:
            return super().score(X, y, sample_weight)
        if sample_weight is not None:
            raise DataError("sample_weight must be None where rows may have several classes, got weights; leave it out")
        return metrics.mean_average_precision(metrics.memberships(y, self.classes_), self.scores(X), self.classes_)

    def __sklearn_is_fitted__(self):
        """Say whether `fit` has ended."""
        return hasattr(self, "classes_")

    def _machines(self, X):
        """Compute the scores of each machine, (n, k) float64."""
        check_is_fitted(self)
        check_names(self, X)
        rows = as_rows(X)
        if rows.shape[1] != self.n_features_in_:
            name = type(self).__name__
            raise DataError(
                f"X has {rows.shape[1]} features, but {name} is expecting {self.n_features_in_} features as input"
            )
        # Numbers that are absurd, of the machine or of X, overflow: the scores are looked at instead.
        with one_thread(), np.errstate(over="ignore", invalid="ignore"):
            found = self._scored(rows)
        bad = found.size - np.count_nonzero(np.isfinite(found))
        if bad:
            raise DataError(
                f"scores must be finite, got {bad} NaN or infinite ones: the machine or X holds absurd numbers"
            )
        return found

    def _check_options(self):
        """Refuse options that cannot be meant."""
        check_penalty(self.C)
        if not isinstance(self.probability, bool | np.bool_):
            raise DataError(f"probability must be True or False, got {self.probability!r}")

    def _problem(self, rows, seed=SEED):
        """Return the problem to solve, a `solvers.Dual` or `solvers.Primal`."""
        raise NotImplementedError

    def _keep(self, rows, problem, found):
        """Keep the part of the solution that scores need."""
        raise NotImplementedError

    def _scored(self, rows):
        """Compute the scores of each machine, (n, k) float64."""
        raise NotImplementedError
