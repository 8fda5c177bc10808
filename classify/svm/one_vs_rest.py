"""Base class of the support vector machines: one class against the rest, the choice of C, probabilities.

For each class, with t_i = +1 for its videos and −1 for the others:

    minimise  ½‖w‖² + Σ_i C_i · max(0, 1 − t_i (w·x_i + b)),

hinge loss, L2 penalty, **bias unpenalised**; C_i is C times the weight of the video's class. The score is w·x + b, or
with a kernel Σ_j t_j α_j K(x_j, x) + b. `classify.svm.kernel_machines` trains the machines on the kernel matrix of the
rows.

Source: docs/method/encoding.md, section 8.
"""

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import NotFittedError
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted, validate_data

from classify import metrics
from classify.params import CROSS_VALIDATED, check_penalty
from classify.svm.kernel_machines import (
    KernelMachines,
    both_classes,
    checked_finite,
    choose_penalty,
    fit_sigmoids,
    held_out,
    inner_folds,
    probabilities,
    warn_unconverged,
)
from classify.svm.lazy_rows import as_rows
from classify.svm.targets import class_factors, read_targets
from idt.checks import checked_seed
from idt.errors import DataError
from idt.params.bounds import THREADS
from idt.workers.blas import one_blas_thread

SEED = 0
"""Default seed, which makes training the same every time."""


class OneVsRest(ClassifierMixin, BaseEstimator):
    """A support vector machine for each class.

    `LinearSVM` and `Chi2SVM` derive from it and define `similarity`, ``_kernel``, ``_store_solution`` and ``_scored``.
    """

    def fit(self, X, y, groups=None):
        """Train a machine for each class.

        Parameters
        ----------
        X : (n, d) float32 or float64, DataFrame or LazyRows
            `classify.svm.lazy_rows.LazyRows` of a file are read by panels of columns.
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

        Warns
        -----
        ConvergenceWarning
            If libsvm stopped before the optimum of a class.
        """
        rows = as_rows(X)
        targets = read_targets(y, rows.shape[0])
        self._check_options()
        validate_data(self, X, skip_check_array=True)
        machines = self._trained(self._kernel(self.similarity(rows, rows.shape[0])), targets, groups)
        with one_blas_thread():
            self._store_solution(rows, machines.dual_)
        self.n_features_in_ = rows.shape[1]
        # Last, because it marks the estimator as fitted.
        self.classes_ = targets.classes
        return self

    def score_others(self, similarity, y, groups=None):
        """Train on the first rows of a matrix of similarities, and score the other rows.

        Parameters
        ----------
        similarity : (n, m) float64
            A result of `similarity`, or the sum of several results. The matrix is overwritten.
        y : (m,) str or int, or list of tuple of str
            Labels of the first m rows.
        groups : (m,) str, optional
            As for `fit`.

        Returns
        -------
        scores : (n - m, c) float64
        probabilities : (n - m, c) float64 or None
            If ``probability`` is true.
        """
        count = similarity.shape[1]
        targets = read_targets(y, count)
        self._check_options()
        kernel = self._kernel(similarity)
        machines = self._trained(kernel[:count], targets, groups)
        with one_blas_thread(), np.errstate(over="ignore", invalid="ignore"):
            scores = checked_finite(machines.decision_function(kernel[count:]))
        found = probabilities(scores, self.sigmoids_, multi_label=self.multi_label_) if self.probability else None
        return both_classes(scores), found

    def _trained(self, kernel, targets, groups):
        """Train the machines on a kernel, and set ``C_``, ``intercept_``, ``sigmoids_``, ``multi_label_``."""
        seed, factors = checked_seed(self.random_state), class_factors(self.class_weight, targets.classes)
        searched = self.C == CROSS_VALIDATED
        machines = KernelMachines(1.0, factors, targets.multi_label, self.n_jobs)
        with one_blas_thread():
            folds = inner_folds(targets.codes, groups, seed=seed) if searched or self.probability else []
            self.C_ = choose_penalty(machines, kernel, targets, folds) if searched else float(self.C)
            machines.set_params(C=self.C_)
            self.sigmoids_ = None
            if self.probability:
                self.sigmoids_ = fit_sigmoids(held_out(machines, kernel, targets.has_class, folds), targets.has_class)
            machines.fit(kernel, targets.has_class)
        self.intercept_, self.multi_label_ = machines.intercept_, targets.multi_label
        self.unconverged_ = targets.classes[-targets.has_class.shape[1] :][machines.unconverged_].tolist()
        warn_unconverged(self.unconverged_)
        return machines

    def decision_function(self, X):
        """Compute scores, which are positive on the side of the class.

        Parameters
        ----------
        X : (n, d) float32 or float64, DataFrame or LazyRows

        Returns
        -------
        (n, c) float64, or (n,) of the second class if there are two

        Raises
        ------
        DataError
            If X is not finite.
        ValueError
            If the number or the names of the columns differ from those of the training rows.
        sklearn.exceptions.NotFittedError
            If `fit` was not called.
        """
        scores = self._checked_scores(X)
        return scores[:, 0] if scores.shape[1] == 1 else scores

    def predict(self, X):
        """Return the class with the highest score; of equal scores the first.

        Parameters
        ----------
        X : (n, d) float32 or float64, DataFrame or LazyRows

        Returns
        -------
        (n,) array
        """
        scores = self.decision_function(X)
        best = (scores > 0).astype(np.intp) if scores.ndim == 1 else scores.argmax(axis=1)
        return self.classes_[best]

    def scores(self, X):
        """Compute scores with one column per class, also for two classes.

        Parameters
        ----------
        X : (n, d) float32 or float64, DataFrame or LazyRows

        Returns
        -------
        (n, c) float64
            In the order of ``classes_``.
        """
        return both_classes(self._checked_scores(X))

    @available_if(lambda self: self.probability)
    def predict_proba(self, X):
        """Compute calibrated probabilities; the method exists if ``probability`` is true.

        Parameters
        ----------
        X : (n, d) float32 or float64, DataFrame or LazyRows

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
            found = probabilities(self._checked_scores(X), self.sigmoids_, multi_label=self.multi_label_)
        if not np.isfinite(found).all():
            raise DataError("probabilities must be finite, got NaN: the sigmoids of the machine are absurd")
        return found

    def score(self, X, y, sample_weight=None):
        """Compute the share of rows that are labelled rightly.

        Parameters
        ----------
        X : (n, d) float32 or float64, DataFrame or LazyRows
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
        if not self.multi_label_:
            return super().score(X, y, sample_weight)
        if sample_weight is not None:
            raise DataError("sample_weight must be None where rows may have several classes, got weights; leave it out")
        return metrics.mean_average_precision(metrics.memberships(y, self.classes_), self.scores(X), self.classes_)

    def __sklearn_is_fitted__(self):
        """Say whether `fit` has ended."""
        return hasattr(self, "classes_")

    def similarity(self, rows, count):
        """Compute the part of the kernel that is additive over the columns, for each row with each of the first rows.

        Parameters
        ----------
        rows : LazyRows
        count : int
            Number m of training rows, which come first.

        Returns
        -------
        (n, m) float64

        Raises
        ------
        DataError
            If a number is not finite.
        """
        raise NotImplementedError

    def _checked_scores(self, X):
        """Check ``X``, compute the scores of each machine, (n, k) float64, and check these."""
        check_is_fitted(self)
        rows = as_rows(X)
        validate_data(self, X, reset=False, skip_check_array=True)
        # Absurd numbers of the machine or of X overflow, so the scores are checked instead.
        with one_blas_thread(), np.errstate(over="ignore", invalid="ignore"):
            return checked_finite(self._scored(rows))

    def _check_options(self):
        """Refuse options out of their bounds."""
        check_penalty(self.C)
        THREADS.check("n_jobs", self.n_jobs)
        if not isinstance(self.probability, bool | np.bool_):
            raise DataError(f"probability must be True or False, got {self.probability!r}")

    def _kernel(self, similarity):
        """Return the kernel of a matrix of similarities, which may be overwritten."""
        raise NotImplementedError

    def _store_solution(self, rows, dual):
        """Keep the part of the solution that scores need, from the multipliers (k, n) of the rows."""
        raise NotImplementedError

    def _scored(self, rows):
        """Compute the scores of each machine, (n, k) float64."""
        raise NotImplementedError
