"""Linear support vector machine, one class against the rest, trained on rows or on their Gram matrix.

`classify.svm.one_vs_rest` defines the objective, the choice of C and the probabilities.

Source: docs/method/encoding.md, section 8.
"""

import numpy as np

from classify.params import SOLVERS, ClassifierParams
from classify.svm.inner_folds import SEED
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
        Weight of the errors against the margin; "cv" chooses it by cross-validation on the training rows.
    solver : {"auto", "primal", "gram"}
        "gram" trains on the inner products of the rows, "primal" on the rows; "auto" takes "primal" if there are fewer
        columns than rows, else "gram".
    class_weight : None, "balanced" or dict
        Weight of each class's rows, as in scikit-learn; "balanced" is n / (classes · n of the class).
    probability : bool
        Calibrate probabilities on scores of held-out training rows, for `predict_proba`.
    random_state : int, RandomState or None
        Seed of the folds that choose C and calibrate probabilities, and of the order in which "primal" visits the rows.
        None takes another seed each time.

    Attributes
    ----------
    classes_ : (c,) array
        Labels in sorted order.
    coef_ : (c, d) float32 or float64
        Weights in the precision of the rows. If there are two classes and each row has one, there is one row of
        weights, of the second class.
    intercept_ : (c,) float64
        Biases.
    C_ : float
        The C of the training, given or chosen.
    sigmoids_ : (c, 2) float64 or None
        Slope and offset of each class's sigmoid.
    several_ : bool
        Whether rows may have several classes.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : (d,) object
        Names of the columns; set if X was a DataFrame whose columns are text.

    Notes
    -----
    docs/method/encoding.md, section 8.

    Examples
    --------
    >>> LinearSVM().fit([[0.0, 1.0], [1.0, 0.0]], ["walk", "run"]).predict([[0.1, 0.9]])
    array(['walk'], dtype='<U4')
    """

    def __init__(
        self,
        *,
        C=DEFAULT.C,
        solver=DEFAULT.solver,
        class_weight=None,
        probability=DEFAULT.probability,
        random_state=SEED,
    ):
        self.C = C
        self.solver = solver
        self.class_weight = class_weight
        self.probability = probability
        self.random_state = random_state

    def _check_options(self):
        super()._check_options()
        if self.solver not in SOLVERS:
            raise DataError(f"solver must be one of {', '.join(SOLVERS)}, got {self.solver!r}")

    def _problem(self, rows, seed=SEED):
        primal = rows.shape[1] < rows.shape[0] if self.solver == "auto" else self.solver == "primal"
        return Primal(rows, seed) if primal else Dual(gram(rows))

    def _keep(self, rows, problem, found):
        # The Gram matrix gives a multiplier for each row, and w = Xᵀα.
        weights = combine(found, rows) if isinstance(problem, Dual) else found
        self.coef_ = weights.astype(rows.dtype)

    def _scored(self, rows):
        out = np.empty((rows.shape[0], len(self.coef_)))
        for part in parts(rows):
            block = rows[part]
            check_finite(block, part.start)
            out[part] = products(block, self.coef_) + self.intercept_
        return out
