"""How the linear support vector machine is trained: on the Gram matrix of the rows, or on the rows as they are.

Gram: with more columns than rows, K = X Xᵀ is made by blocks of rows, libsvm solves the dual of each class on it, and
the weights come back as w = Xᵀα, so a prediction is one product. Memory is that of K and two blocks, whatever the
columns: 0.73 GB instead of 4 GB of features for UCF101.

Primal: the rows as they are. liblinear penalises the bias as the weight of one more column, of the height
``intercept_scaling``; the higher, the closer to this objective (the difference falls with its square), and the slower
its coordinate descent.

Where either does not converge in reasonable time, as for classes that overlap in few columns at C = 100, an
interior-point method takes over (`classify.interior`).

Either way b is then chosen exactly for the w found: the objective along b is piecewise linear, with its kinks at
t_i − w·x_i, and is smallest between two neighbouring kinks; b is their middle, which is libsvm's choice too.

Source: spec, encoding 8; Hsieh et al. 2008 (liblinear), Fan, Chen & Lin 2005 (libsvm).
"""

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.svm import SVC, LinearSVC

from classify import interior
from classify.rows import PANEL, check_finite, gram, parts

TOLERANCE = 1e-5
"""Violation of the optimality conditions, in units of the margin, at which the solvers stop: scores to ~1e-5."""

BIAS_HEIGHT = 10.0
"""Height of liblinear's bias column in lengths of a centred row: scores to below 1e-3 of the largest."""

MAX_PASSES = 5_000
"""Passes over the rows after which liblinear is said not to converge; on vectors of videos it needs up to 3,000."""

MAX_PAIRS = 500_000
"""Pairs of multipliers after which libsvm is said not to converge; on vectors of videos it needs some hundreds."""


def bias(scores, signs, penalties):
    """The unpenalised bias for given w·x: the middle of the interval that minimises the hinge losses.

    Parameters
    ----------
    scores : (n,) float64
        w·x_i.
    signs : (n,) float64
        t_i, +1 or −1, both present.
    penalties : (n,) float64
        C_i.

    Returns
    -------
    float
    """
    kinks = signs - scores
    order = np.argsort(kinks, kind="stable")
    # The slope of the losses begins at minus the penalties of the class and rises at each kink by that of its row.
    slopes = np.cumsum(penalties[order]) - penalties[signs > 0].sum()
    level = np.abs(slopes) <= 1e-9 * penalties.sum()
    at = int(np.argmax(level | (slopes > 0)))
    return float((kinks[order[at]] + kinks[order[at + level[at]]]) / 2)


def solve_gram(rows, signs, penalties):
    """Train each class with libsvm on the Gram matrix, for more columns than rows.

    Parameters
    ----------
    rows : (n, d) float32 or float64, or Rows
    signs : (c, n) float64
        +1 for the rows of each class, −1 for the others.
    penalties : (n,) float64
        C_i.

    Returns
    -------
    weights : (c, d) float64
    biases : (c,) float64

    Raises
    ------
    DataError
        If a number is not finite, or nothing converges.
    """
    kernel = gram(rows)
    # About the mean row, which the bias takes up: far from the origin libsvm would lose its digits.
    means = kernel.mean(axis=0)
    kernel -= means
    kernel -= means[:, None] - means.mean()
    dual = np.zeros(signs.shape)
    for row, sign in zip(dual, signs, strict=True):
        machine = SVC(C=1.0, kernel="precomputed", tol=TOLERANCE, max_iter=MAX_PAIRS)
        _fit(machine, kernel, sign, penalties)
        if machine.fit_status_:
            row[:] = interior.solve(sign, penalties, kernel=kernel)
        else:
            row[machine.support_] = machine.dual_coef_[0]
    coef = np.zeros((len(signs), rows.shape[1]))
    for part in parts(rows):
        block = rows[part]
        for first in range(0, rows.shape[1], PANEL):
            columns = slice(first, first + PANEL)
            coef[:, columns] += dual[:, part] @ block[:, columns].astype(np.float64)
    scores = dual @ kernel + (dual @ means)[:, None]
    return coef, np.array([bias(score, sign, penalties) for score, sign in zip(scores, signs, strict=True)])


def solve_primal(rows, signs, penalties):
    """Train each class with liblinear on the rows as they are, for more rows than columns.

    Parameters
    ----------
    rows : (n, d) float32 or float64, or Rows
    signs : (c, n) float64
        +1 for the rows of each class, −1 for the others.
    penalties : (n,) float64
        C_i.

    Returns
    -------
    weights : (c, d) float64
    biases : (c,) float64

    Raises
    ------
    DataError
        If a number is not finite, or nothing converges.
    """
    # A copy in float64, as liblinear makes in any case. The bias takes up the mean; without it the descent is faster.
    X = rows[:].astype(np.float64)
    check_finite(X, 0)
    mean = X.mean(axis=0)
    X -= mean
    length = np.sqrt(np.einsum("ij,ij->", X, X) / len(X)) or 1.0
    coef = np.empty((len(signs), X.shape[1]))
    biases = np.empty(len(signs))
    for i, sign in enumerate(signs):
        machine = LinearSVC(
            C=1.0,
            loss="hinge",
            dual=True,
            tol=TOLERANCE,
            intercept_scaling=BIAS_HEIGHT * length,
            max_iter=MAX_PASSES,
            random_state=0,
        )
        _fit(machine, X, sign, penalties)
        if machine.n_iter_ < MAX_PASSES:
            coef[i] = machine.coef_[0]
        elif X.shape[1] < len(X):
            coef[i] = interior.solve(sign, penalties, factor=X) @ X
        else:
            coef[i] = interior.solve(sign, penalties, kernel=X @ X.T) @ X
        biases[i] = bias(X @ coef[i], sign, penalties) - coef[i] @ mean
    return coef, biases


def _fit(machine, data, sign, penalties):
    """Train one of scikit-learn's machines; whether it converged is asked afterwards."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        machine.fit(data, sign, sample_weight=penalties)
