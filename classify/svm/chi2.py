"""Support vector machine with the χ² kernel over several channels, the classifier of bags of visual words.

    K(x, y) = exp(−Σ_c D_c(x, y) / A_c),   D_c(x, y) = Σ_i (x_i − y_i)² / (x_i + y_i) over the columns of channel c,

where 0/0 = 0 and A_c is the mean of D_c over all pairs of different training rows. Sparse codes hold negative numbers:
x is then replaced by (max(x, 0), max(−x, 0)), which changes nothing for non-negative numbers.

`classify.svm.one_vs_rest` defines the objective, the choice of C and the probabilities.

Source: docs/method/encoding.md, section 15; Zhang et al. 2007, Wang et al. 2013.
"""

import numpy as np
from sklearn.metrics.pairwise import additive_chi2_kernel

from classify.params import ClassifierParams
from classify.svm.inner_folds import SEED
from classify.svm.lazy_rows import Rows, check_finite, parts
from classify.svm.one_vs_rest import OneVsRest
from classify.svm.solvers import Dual
from idt.errors import DataError

DEFAULT = ClassifierParams()


class Chi2SVM(OneVsRest):
    """One-vs-rest classifier with the χ² kernel.

    Parameters
    ----------
    C : float or "cv"
        Weight of the errors against the margin; "cv" chooses it by cross-validation on the training rows.
    channels : list of (int, int), optional
        First and last column, exclusive, of each channel. By default all columns are one channel.
    class_weight : None, "balanced" or dict
        Weight of each class's rows, as in scikit-learn; "balanced" is n / (classes · n of the class).
    probability : bool
        Calibrate probabilities on scores of held-out training rows, for `predict_proba`.
    random_state : int, RandomState or None
        Seed of the folds that choose C and calibrate probabilities. None takes another seed each time.

    Attributes
    ----------
    classes_, intercept_, C_, sigmoids_, several_, n_features_in_, feature_names_in_
        As `LinearSVM`.
    support_ : (s, d) float32 or float64
        Support vectors: the training rows with a multiplier in some class.
    dual_coef_ : (c, s) float64
        Multipliers t α of the support vectors.
    scales_ : (channels,) float64
        A_c; 1 where all rows are alike.

    Notes
    -----
    docs/method/encoding.md, section 15.

    Examples
    --------
    >>> Chi2SVM().fit([[0.0, 1.0], [1.0, 0.0]], ["walk", "run"]).predict([[0.1, 0.9]])
    array(['walk'], dtype='<U4')
    """

    def __init__(
        self,
        *,
        C=DEFAULT.C,
        channels=None,
        class_weight=None,
        probability=DEFAULT.probability,
        random_state=SEED,
    ):
        self.C = C
        self.channels = channels
        self.class_weight = class_weight
        self.probability = probability
        self.random_state = random_state

    def _problem(self, rows, seed=SEED):
        n, scales = rows.shape[0], []
        exponent = np.zeros((n, n))
        for channel in self._slices(rows.shape[1]):
            apart = pairwise(rows.cut(channel) if isinstance(rows, Rows) else rows[:, channel])
            # Over the pairs of different rows; the diagonal is zero.
            scales.append(apart.sum() / max(n * (n - 1), 1) or 1.0)
            apart /= -scales[-1]
            exponent += apart
        self.scales_ = np.array(scales)
        return Dual(np.exp(exponent, out=exponent))

    def _keep(self, rows, problem, found):
        needed = np.flatnonzero(found.any(axis=0))
        self.dual_coef_ = found[:, needed]
        self.support_ = rows.take(needed)[:] if isinstance(rows, Rows) else rows[needed]

    def _scored(self, rows):
        out = np.empty((rows.shape[0], len(self.dual_coef_)))
        for part in parts(rows):
            block = rows[part]
            check_finite(block, part.start)
            exponent = np.zeros((len(block), len(self.support_)))
            for channel, scale in zip(self._slices(rows.shape[1]), self.scales_, strict=True):
                exponent += distances(block[:, channel], self.support_[:, channel]) / scale
            out[part] = np.exp(-exponent) @ self.dual_coef_.T + self.intercept_
        return out

    def _slices(self, width):
        """Return the channels as slices; refuse channels that do not partition the columns."""
        if self.channels is None:
            return [slice(0, width)]
        end = 0
        for first, last in self.channels:
            if first != end or last <= first:
                raise DataError(f"channels must follow each other from column 0 on, got {self.channels!r:.80}")
            end = last
        if end != width:
            raise DataError(f"channels describe {end} columns, X has {width}")
        return [slice(first, last) for first, last in self.channels]


def distances(left, right):
    """Compute the χ² distances between the rows of two matrices.

    Parameters
    ----------
    left : (n, d) float32 or float64
    right : (m, d) float32 or float64

    Returns
    -------
    (n, m) float64
        Σ (x − y)² / (x + y); of the positive and negative halves if a number is below zero.

    Notes
    -----
    docs/method/encoding.md, section 15.
    """
    if left.min(initial=0) < 0 or right.min(initial=0) < 0:
        left, right = (np.hstack([np.maximum(side, 0), np.maximum(-side, 0)]) for side in (left, right))
    # scikit-learn's loop takes no read-only array, such as that of a DataFrame or a memory map.
    return -additive_chi2_kernel(*(np.require(side, requirements="W") for side in (left, right)))


def pairwise(rows):
    """Compute the χ² distances of all pairs of rows, by blocks.

    Parameters
    ----------
    rows : (n, d) float32 or float64, or Rows

    Returns
    -------
    (n, n) float64
        A symmetric matrix with zeros along the diagonal.

    Raises
    ------
    DataError
        If a number is not finite.
    """
    n = rows.shape[0]
    out = np.empty((n, n))
    pieces = parts(rows)
    for i, piece in enumerate(pieces):
        left = rows[piece]
        for other in pieces[i:]:
            right = left if other == piece else rows[other]
            if i == 0:  # the first sweep sees every row
                check_finite(right, other.start)
            out[piece, other] = distances(left, right)
            out[other, piece] = out[piece, other].T
    return out
