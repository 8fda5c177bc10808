"""Probabilities from scores: a sigmoid for each class, fitted to scores of held-out rows.

    p(s) = 1 / (1 + exp(−(a s + b)))

a and b have the highest likelihood. The targets are (n₊ + 1)/(n₊ + 2) and 1/(n₋ + 2) instead of 1 and 0, because a
separable class would make the sigmoid a step. If each row has one class, its probabilities are divided by their sum.

Source: Platt 1999; Zadrozny & Elkan 2002 (one class against the rest).
"""

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit


def fit_sigmoids(scores, signs):
    """Fit the sigmoid of each class.

    Parameters
    ----------
    scores : (k, n) float64
        Scores of held-out rows.
    signs : (k, n) float64
        +1 for the rows of the class, −1 for the others.

    Returns
    -------
    (k, 2) float64
        a and b of each class.
    """
    return np.array([_fit_sigmoid(score, sign > 0) for score, sign in zip(scores, signs, strict=True)])


def probabilities(scores, sigmoids, *, several):
    """Compute the probabilities of the classes.

    Parameters
    ----------
    scores : (n, k) float64
    sigmoids : (k, 2) float64
        As from `fit_sigmoids`.
    several : bool
        Whether a row may have several classes, or none.

    Returns
    -------
    (n, c) float64
        Two columns if there is one machine, which tells the second class from the first. If rows have one class each,
        every row sums up to one; a row whose sigmoids are all zero gets equal probabilities.
    """
    found = expit(scores * sigmoids[:, 0] + sigmoids[:, 1])
    if several:
        return found
    if found.shape[1] == 1:
        return np.hstack([1 - found, found])
    total = found.sum(axis=1, keepdims=True)
    return np.where(total > 0, found / np.where(total > 0, total, 1.0), 1 / found.shape[1])


def _fit_sigmoid(scores, positive):
    """Fit a and b of one class."""
    counts = positive.sum(), (~positive).sum()
    wanted = np.where(positive, (counts[0] + 1) / (counts[0] + 2), 1 / (counts[1] + 2))
    unit = np.abs(scores).max() or 1.0  # the search assumes numbers of about one

    def loss(line):
        z = line[0] * scores / unit + line[1]
        # log(1 + exp(z)) − wanted·z, whose slope is p − wanted.
        slope = expit(z) - wanted
        return float((np.logaddexp(0, z) - wanted * z).sum()), np.array([slope @ scores / unit, slope.sum()])

    start = np.array([0.0, np.log((counts[0] + 1) / (counts[1] + 1))])
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"gtol": 1e-8, "ftol": 1e-14}).x
    return found / (unit, 1.0)
