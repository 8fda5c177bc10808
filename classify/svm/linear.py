"""Linear support vector machine, one class against the rest, trained on rows or on their Gram matrix.

Objective, choice of C and probabilities: `classify.svm.one_vs_rest`. Source: docs/method/encoding.md, section 8.
"""

import numpy as np

from classify.params import SOLVERS, ClassifierParams
from classify.svm.lazy_rows import check_finite, combine, gram, parts, products
from classify.svm.one_vs_rest import OneVsRest
from classify.svm.solvers import Dual, Primal
from idt.errors import DataError

DEFAULT = ClassifierParams()


class LinearSVM(OneVsRest):
    """One-vs-rest linear classifier of the standard recipe.

    Parameters
    ----------
    C : float or "cv"
        Weight of the errors; "cv" chooses it by cross-validation on the training rows.
    solver : {"auto", "primal", "gram"}
        ``"auto"`` is the Gram matrix unless there are fewer columns than rows.
    class_weight : None, "balanced" or dict
        Weight of each class's videos, as in scikit-learn; "balanced" is n / (classes · n of the class).
    probability : bool
        Calibrate probabilities, on scores of training rows that were held out.

    Attributes
    ----------
    classes_ : (c,) array
        Sorted.
    coef_ : (c, d) float32 or float64
        In the precision of the rows. One row, of the second class, if there are two and each row has one.
    intercept_ : (c,) float64
    C_ : float
        That was trained with.
    sigmoids_ : (c, 2) float64 or None
        Slope and offset of each class's sigmoid.
    several_ : bool
        Whether rows may have several classes.
    n_features_in_ : int

    Examples
    --------
    >>> LinearSVM().fit([[0.0, 1.0], [1.0, 0.0]], ["walk", "run"]).predict([[0.1, 0.9]])
    array(['walk'], dtype='<U4')
    """

    def __init__(self, C=DEFAULT.C, solver=DEFAULT.solver, class_weight=None, probability=DEFAULT.probability):
        self.C = C
        self.solver = solver
        self.class_weight = class_weight
        self.probability = probability

    def _check_options(self):
        super()._check_options()
        if self.solver not in SOLVERS:
            raise DataError(f"solver must be one of {', '.join(SOLVERS)}, got {self.solver!r}")

    def _problem(self, rows):
        primal = rows.shape[1] < rows.shape[0] if self.solver == "auto" else self.solver == "primal"
        return Primal(rows) if primal else Dual(gram(rows))

    def _keep(self, rows, problem, found):
        # On the Gram matrix there is a multiplier for each row, and w = Xᵀα.
        weights = combine(found, rows) if isinstance(problem, Dual) else found
        self.coef_ = weights.astype(rows.dtype)

    def _scored(self, rows):
        out = np.empty((rows.shape[0], len(self.coef_)))
        for part in parts(rows):
            block = rows[part]
            check_finite(block, part.start)
            out[part] = products(block, self.coef_) + self.intercept_
        return out
