"""Support vector machine with the χ² kernel over several channels, the classifier of bags of visual words.

    K(x, y) = exp(−Σ_c D_c(x, y) / A_c),   D_c(x, y) = Σ_i (x_i − y_i)² / (x_i + y_i) over the columns of channel c,

0/0 = 0, A_c the mean of D_c over all pairs of different training rows. Numbers below zero, as of sparse codes, enter as
their negative half: x is (max(x, 0), max(−x, 0)), which the formula of non-negative numbers does not change.

Objective, choice of C and probabilities: `classify.svm.one_vs_rest`. Source: docs/method/encoding.md, section 15; Zhang
et al. 2007, Wang et al. 2013.
"""

import numpy as np
from sklearn.metrics.pairwise import additive_chi2_kernel

from classify.params import ClassifierParams
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
        Weight of the errors; "cv" chooses it by cross-validation on the training rows.
    channels : list of (int, int), optional
        First and last column, exclusive, of each channel; all columns are one by default.
    class_weight : None, "balanced" or dict
        As `LinearSVM`.
    probability : bool
        Calibrate probabilities, on scores of training rows that were held out.

    Attributes
    ----------
    classes_, intercept_, C_, sigmoids_, several_, n_features_in_
        As `LinearSVM`.
    support_ : (s, d) float32 or float64
        Training rows that some class needs.
    dual_coef_ : (c, s) float64
        Their multipliers, t α.
    scales_ : (channels,) float64
        A_c; 1 where all rows are alike.
    """

    def __init__(self, C=DEFAULT.C, channels=None, class_weight=None, probability=DEFAULT.probability):
        self.C = C
        self.channels = channels
        self.class_weight = class_weight
        self.probability = probability

    def _problem(self, rows):
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
        """The channels, which must partition the columns."""
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
    """The χ² distances of rows.

    Parameters
    ----------
    left : (n, d) float32 or float64
    right : (m, d) float32 or float64

    Returns
    -------
    (n, m) float64
        Σ (x − y)² / (x + y), of the halves where a number is below zero.

    Notes
    -----
    docs/method/encoding.md, section 15.
    """
    if left.min(initial=0) < 0 or right.min(initial=0) < 0:
        left, right = (np.hstack([np.maximum(side, 0), np.maximum(-side, 0)]) for side in (left, right))
    return -additive_chi2_kernel(left, right)


def pairwise(rows):
    """The χ² distances of all pairs of rows, by blocks.

    Parameters
    ----------
    rows : (n, d) float32 or float64, or Rows

    Returns
    -------
    (n, n) float64
        Symmetric, with zeros along the diagonal.

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
