"""Linear support vector machine, one class against the rest, trained on the Gram matrix of the rows.

`classify.svm.one_vs_rest` defines the objective, the choice of C and the probabilities.

Source: docs/method/encoding.md, section 8.
"""

import numpy as np

from classify.params import ClassifierParams
from classify.svm.lazy_rows import panels
from classify.svm.one_vs_rest import SEED, OneVsRest
from classify.svm.pairwise import inner_products, pairwise

DEFAULT = ClassifierParams()


class LinearSVM(OneVsRest):
    """One-vs-rest linear classifier of the standard recipe.

    Parameters
    ----------
    C : float or "cv"
        Weight of the errors against the margin; "cv" chooses it by cross-validation on the training rows.
    class_weight : None, "balanced" or dict
        Weight of each class's rows, as in scikit-learn; "balanced" is n / (classes · n of the class).
    probability : bool
        Calibrate probabilities on scores of held-out training rows, for `predict_proba`.
    random_state : int
        Seed of the folds that choose C and calibrate probabilities.
    n_jobs : int
        Threads. No number depends on them.

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
    multi_label_ : bool
        Whether rows may have several classes.
    unconverged_ : list
        Classes for which libsvm stopped before the optimum.
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
        class_weight=None,
        probability=DEFAULT.probability,
        random_state=SEED,
        n_jobs=1,
    ):
        self.C = C
        self.class_weight = class_weight
        self.probability = probability
        self.random_state = random_state
        self.n_jobs = n_jobs

    def similarity(self, rows, count):
        """Compute the inner products of each row with each of the first ``count`` rows; see `OneVsRest.similarity`."""
        return pairwise(rows, count, inner_products, threads=self.n_jobs)

    def _kernel(self, similarity):
        return similarity

    def _store_solution(self, rows, dual):
        weights = np.empty((len(dual), rows.shape[1]), rows.dtype)
        for columns, panel in panels(rows):
            weights[:, columns] = dual @ panel
        self.coef_ = weights

    def _scored(self, rows):
        out = np.zeros((rows.shape[0], len(self.coef_)))
        for columns, panel in panels(rows):
            out += panel @ self.coef_[:, columns].T.astype(np.float64)
        return out + self.intercept_
