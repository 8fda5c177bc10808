"""What the support vector machines have in common: one class against the rest, the choice of C, probabilities.

For each class, with t_i = +1 for its videos and −1 for the others:

    minimise  ½‖w‖² + Σ_i C_i · max(0, 1 − t_i (w·x_i + b)),

hinge loss, L2 penalty, **bias unpenalised**; C_i = C times the weight of the video's class. The score is w·x + b, or
with a kernel Σ_j t_j α_j K(x_j, x) + b. How it is trained: `classify.svm.solvers`. Source: docs/method/encoding.md,
section 8.
"""

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted

from classify.params import CROSS_VALIDATED, check_penalty
from classify.svm import solvers
from classify.svm.calibration import fit_sigmoids, probabilities
from classify.svm.inner_folds import choose_penalty, held_out, inner_folds
from classify.svm.lazy_rows import as_rows, one_thread
from classify.svm.targets import read_targets, weights
from idt.errors import DataError


class OneVsRest(ClassifierMixin, BaseEstimator):
    """A support vector machine for each class; base of `LinearSVM` and `Chi2SVM`, which say what a row is to it."""

    def fit(self, X, y, groups=None):
        """Train.

        Parameters
        ----------
        X : (n, d) float32 or float64, or Rows
            `classify.svm.lazy_rows.Rows` of a file are read by blocks.
        y : (n,) str or int, or list of tuple of str
            Label of each row, or all of its labels.
        groups : (n,) str, optional
            What the cross-validation of C and probabilities must not tear apart, such as clips of one recording.

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
        rows = as_rows(X)
        targets = read_targets(y, rows.shape[0])
        factors = weights(self.class_weight, targets)
        with one_thread():
            problem = self._problem(rows)
            searched = self.C == CROSS_VALIDATED
            folds = inner_folds(targets.codes, groups) if searched or self.probability else []
            self.C_ = choose_penalty(problem, targets, factors, folds) if searched else float(self.C)
            found, self.intercept_ = solvers.fit(problem, targets.signs, self.C_ * factors)
            self.sigmoids_ = None
            if self.probability:
                self.sigmoids_ = fit_sigmoids(held_out(problem, targets.signs, self.C_ * factors, folds), targets.signs)
            self._keep(rows, problem, found)
        self.classes_, self.several_ = targets.classes, targets.several
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
        scores = self._machines(X)
        return scores[:, 0] if scores.shape[1] == 1 else scores

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
        scores = self._machines(X)
        return np.hstack([-scores, scores]) if scores.shape[1] == 1 else scores

    @available_if(lambda self: self.probability)
    def predict_proba(self, X):
        """Calibrated probabilities, of machines trained with ``probability=True``.

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
        return probabilities(self._machines(X), self.sigmoids_, several=self.several_)

    def _machines(self, X):
        """Scores of each machine, (n, k) float64."""
        check_is_fitted(self)
        rows = as_rows(X)
        if rows.shape[1] != self.n_features_in_:
            name = type(self).__name__
            raise DataError(
                f"X has {rows.shape[1]} features, but {name} is expecting {self.n_features_in_} features as input"
            )
        with one_thread():
            return self._scored(rows)

    def _check_options(self):
        check_penalty(self.C)
        if not isinstance(self.probability, bool | np.bool_):
            raise DataError(f"probability must be True or False, got {self.probability!r}")

    def _problem(self, rows):
        """What is solved: `solvers.Dual` or `solvers.Primal`."""
        raise NotImplementedError

    def _keep(self, rows, problem, found):
        """Keep of the solution what scores need."""
        raise NotImplementedError

    def _scored(self, rows):
        """Scores of each machine."""
        raise NotImplementedError
