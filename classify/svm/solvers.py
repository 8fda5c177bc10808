"""How support vector machines are trained: on the inner products of the rows, or on the rows as they are.

`Dual`: libsvm solves the dual on a kernel matrix. With more columns than rows the kernel of the linear machine is the
Gram matrix K = X Xᵀ, made by blocks of rows, and the weights come back as w = Xᵀα, so a prediction is one product.
Memory is that of K and two blocks, whatever the columns: 0.73 GB instead of 4 GB of features for UCF101.

`Primal`: the rows as they are. liblinear penalises the bias as the weight of one more column, of the height
``intercept_scaling``; the higher, the closer to this objective (the difference falls with its square), and the slower
its coordinate descent.

Where either does not converge in reasonable time, as for classes that overlap in few columns at C = 100, an
interior-point method takes over (`classify.svm.interior_point`).

Either way b is then chosen exactly for the w found: the objective along b is piecewise linear, with its kinks at
t_i − w·x_i, and is smallest between two neighbouring kinks; b is their middle, which is libsvm's choice too.

Both hold a matrix, centred about its mean row, which the bias takes up: far from the origin the solvers would lose
their digits or their speed. What a class is trained to is a vector v, of multipliers or of weights; the score of a row
is then that row of the matrix times v, plus a bias.

Source: docs/method/encoding.md, section 8; Hsieh et al. 2008 (liblinear), Fan, Chen & Lin 2005 (libsvm).
"""

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.svm import SVC, LinearSVC

from classify.svm import interior_point
from classify.svm.lazy_rows import check_finite

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


class Dual:
    """Training on a kernel matrix.

    Parameters
    ----------
    kernel : (n, n) float64
        Inner products of the rows; it is centred in place.
    """

    def __init__(self, kernel):
        self.mean = kernel.mean(axis=0)
        kernel -= self.mean
        kernel -= self.mean[:, None] - self.mean.mean()
        self.matrix = kernel

    def part(self, rows):
        """The problem of some rows, (m,) int."""
        return Dual(self.matrix[np.ix_(rows, rows)])

    def seen_from(self, rows, others):
        """Other rows as a machine of the part ``rows`` takes them."""
        return self.matrix[np.ix_(others, rows)]

    def train(self, sign, penalties):
        """Multipliers t_i α_i of one class, (n,) float64; arguments are lines of `fit`'s."""
        machine = SVC(C=1.0, kernel="precomputed", tol=TOLERANCE, max_iter=MAX_PAIRS)
        _fit(machine, self.matrix, sign, penalties)
        if machine.fit_status_:
            return interior_point.solve(sign, penalties, kernel=self.matrix)
        found = np.zeros(len(self.matrix))
        found[machine.support_] = machine.dual_coef_[0]
        return found


class Primal:
    """Training on rows as they are, for more rows than columns.

    Parameters
    ----------
    rows : (n, d) float32 or float64, or Rows

    Raises
    ------
    DataError
        If a number is not finite.
    """

    def __init__(self, rows):
        # A copy in float64, as liblinear makes in any case.
        self.matrix = rows[:].astype(np.float64)
        check_finite(self.matrix, 0)
        self.mean = self.matrix.mean(axis=0)
        self.matrix -= self.mean

    def part(self, rows):
        """The problem of some rows, (m,) int."""
        return Primal(self.matrix[rows])

    def seen_from(self, rows, others):
        """Other rows as a machine of the part ``rows`` takes them."""
        return self.matrix[others]

    def train(self, sign, penalties):
        """Weights of one class, (d,) float64; arguments are lines of `fit`'s."""
        X = self.matrix
        length = np.sqrt(np.einsum("ij,ij->", X, X) / len(X)) or 1.0
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
            return machine.coef_[0]
        few = X.shape[1] < len(X)
        return interior_point.solve(sign, penalties, **({"factor": X} if few else {"kernel": X @ X.T})) @ X


def fit(problem, signs, penalties):
    """Train each class against the rest.

    Parameters
    ----------
    problem : Dual or Primal
    signs : (k, n) float64
        +1 for the rows of each class, −1 for the others.
    penalties : (k, n) float64
        C_i.

    Returns
    -------
    found : (k, …) float64
        Multipliers or weights v of each class.
    biases : (k,) float64
        Of rows, or lines of the kernel, as they were before they were centred.

    Raises
    ------
    DataError
        If nothing converges.
    """
    found, biases = [], []
    for sign, penalty in zip(signs, penalties, strict=True):
        if np.ptp(sign):
            found.append(problem.train(sign, penalty))
            offset = bias(problem.matrix @ found[-1], sign, penalty)
        else:  # Of a part of the rows that holds no other side, the constant that all of it agrees with.
            found.append(np.zeros(problem.matrix.shape[1]))
            offset = sign[0]
        biases.append(offset - problem.mean @ found[-1])
    return np.stack(found), np.array(biases)


def _fit(machine, data, sign, penalties):
    """Train one of scikit-learn's machines; whether it converged is asked afterwards."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        machine.fit(data, sign, sample_weight=penalties)
