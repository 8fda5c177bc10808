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
from classify.svm.lazy_rows import panels
from classify.svm.one_vs_rest import SEED, OneVsRest
from classify.svm.pairwise import pairwise
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
    random_state : int
        Seed of the folds that choose C and calibrate probabilities.
    n_jobs : int
        Threads. No number depends on them.

    Attributes
    ----------
    classes_, intercept_, C_, sigmoids_, multi_label_, unconverged_, n_features_in_, feature_names_in_
        As `LinearSVM`.
    support_ : (s, d) float32 or float64
        Support vectors: the training rows with a multiplier in some class.
    dual_coef_ : (c, s) float64
        Multipliers t α of the support vectors.
    scales_ : (channels,) float64
        A_c of each channel; 1 for a channel in which all rows are alike.

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
        n_jobs=1,
    ):
        self.C = C
        self.channels = channels
        self.class_weight = class_weight
        self.probability = probability
        self.random_state = random_state
        self.n_jobs = n_jobs

    def similarity(self, rows, count):
        """Compute the exponent of the kernel; see `OneVsRest.similarity`. Sets ``scales_``."""
        exponent, scales = np.zeros((rows.shape[0], count)), []
        for channel in self._channels(rows.shape[1]):
            apart = pairwise(rows, count, distances, columns=channel, threads=self.n_jobs)
            # The mean over the pairs of different training rows; the diagonal is zero.
            scales.append(apart[:count].sum() / max(count * (count - 1), 1) or 1.0)
            exponent -= apart / scales[-1]
        self.scales_ = np.array(scales)
        return exponent

    def _kernel(self, similarity):
        return np.exp(similarity, out=similarity)

    def _store_solution(self, rows, dual):
        needed = np.flatnonzero(dual.any(axis=0))
        self.dual_coef_ = dual[:, needed]
        self.support_ = rows.take(needed).read()

    def _scored(self, rows):
        exponent = np.zeros((rows.shape[0], len(self.support_)))
        for channel, scale in zip(self._channels(rows.shape[1]), self.scales_, strict=True):
            for columns, panel in panels(rows, channel):
                exponent -= distances(panel, self.support_[:, columns].astype(np.float64)) / scale
        return np.exp(exponent) @ self.dual_coef_.T + self.intercept_

    def _channels(self, width):
        """Return the channels; refuse channels that do not partition the columns."""
        if self.channels is None:
            return [(0, width)]
        end = 0
        for first, last in self.channels:
            if first != end or last <= first:
                raise DataError(f"channels must follow each other from column 0 on, got {self.channels!r:.80}")
            end = last
        if end != width:
            raise DataError(f"channels describe {end} columns, X has {width}")
        return self.channels


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
