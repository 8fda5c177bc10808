"""Training of support vector machines on the inner products of the rows, or on the rows.

`Dual`: libsvm solves the dual on a kernel matrix. The kernel of the linear machine is the Gram matrix K = X Xᵀ, made by
blocks of rows, and the weights are w = Xᵀα. Memory is that of K and two blocks, whatever the number of columns.

`Primal`: liblinear works on the rows. It penalises the bias as the weight of one more column of the height
``intercept_scaling``. A higher column comes closer to our objective, because the difference falls with the square of
the height, but it slows the coordinate descent.

If the solver does not converge in reasonable time, as for classes that overlap in few columns at C = 100, an
interior-point method takes over (`classify.svm.interior_point`).

Both ways choose b exactly for the w found. The objective along b is piecewise linear, with kinks at t_i − w·x_i, and is
smallest between two neighbouring kinks; b is their middle, which is libsvm's choice, too.

Both hold a matrix centred about its mean row, because the solvers lose digits or speed far from the origin; the bias
takes up the mean. Training a class yields a vector v of multipliers or weights, and the score of a row is that row of
the matrix times v, plus a bias.

Source: docs/method/encoding.md, section 8; Hsieh et al. 2008 (liblinear), Fan, Chen & Lin 2005 (libsvm).
"""

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.svm import SVC, LinearSVC

from classify.svm import interior_point
from classify.svm.lazy_rows import check_finite

TOLERANCE = 1e-5
"""The solvers stop at this violation of the optimality conditions, in units of the margin."""

BIAS_HEIGHT = 10.0
"""Height of liblinear's bias column in lengths of a centred row; scores are then exact to below 1e-3 of the largest."""

MAX_PASSES = 5_000
"""Number of passes over the rows after which liblinear is given up; vectors of videos need up to 3,000."""

MAX_PAIRS = 500_000
"""Number of pairs of multipliers after which libsvm is given up; vectors of videos need some hundreds."""


def bias(scores, signs, penalties):
    """Compute the unpenalised bias for given w·x: the middle of the interval that minimises the hinge losses.

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
    """A training problem given by a kernel matrix.

    Parameters
    ----------
    kernel : (n, n) float64
        Inner products of the rows. The matrix is centred in place.
    """

    def __init__(self, kernel):
        self.mean = kernel.mean(axis=0)
        kernel -= self.mean
        kernel -= self.mean[:, None] - self.mean.mean()
        self.matrix = kernel

    def part(self, rows):
        """Return the problem of some rows, (m,) int."""
        return Dual(self.matrix[np.ix_(rows, rows)])

    def seen_from(self, rows, others):
        """Return other rows in the form that a machine of the part ``rows`` scores."""
        return self.matrix[np.ix_(others, rows)]

    def train(self, sign, penalties):
        """Return the multipliers t_i α_i of one class, (n,) float64; the arguments are rows of those of `fit`."""
        machine = SVC(C=1.0, kernel="precomputed", tol=TOLERANCE, max_iter=MAX_PAIRS)
        _fit(machine, self.matrix, sign, penalties)
        if machine.fit_status_:
            return interior_point.solve(sign, penalties, kernel=self.matrix)
        found = np.zeros(len(self.matrix))
        found[machine.support_] = machine.dual_coef_[0]
        return found


class Primal:
    """A training problem given by the rows, for fewer columns than rows.

    Parameters
    ----------
    rows : (n, d) float32 or float64, or Rows
    seed : int
        Seed of the order in which liblinear visits the rows.

    Raises
    ------
    DataError
        If a number is not finite.
    """

    def __init__(self, rows, seed=0):
        self.seed = seed
        # A copy in float64, as liblinear makes in any case.
        self.matrix = rows[:].astype(np.float64)
        check_finite(self.matrix, 0)
        self.mean = self.matrix.mean(axis=0)
        self.matrix -= self.mean

    def part(self, rows):
        """Return the problem of some rows, (m,) int."""
        return Primal(self.matrix[rows], self.seed)

    def seen_from(self, rows, others):
        """Return other rows in the form that a machine of the part ``rows`` scores."""
        return self.matrix[others]

    def train(self, sign, penalties):
        """Return the weights of one class, (d,) float64; the arguments are rows of those of `fit`."""
        X = self.matrix
        length = np.sqrt(np.einsum("ij,ij->", X, X) / len(X)) or 1.0
        machine = LinearSVC(
            C=1.0,
            loss="hinge",
            dual=True,
            tol=TOLERANCE,
            intercept_scaling=BIAS_HEIGHT * length,
            max_iter=MAX_PASSES,
            random_state=self.seed,
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
        Biases for the rows, or rows of the kernel, before centring.

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
        else:  # A fold may lack the class or all others; a constant score then fits all of its rows.
            found.append(np.zeros(problem.matrix.shape[1]))
            offset = sign[0]
        biases.append(offset - problem.mean @ found[-1])
    return np.stack(found), np.array(biases)


def _fit(machine, data, sign, penalties):
    """Train one of scikit-learn's machines; the caller asks whether it converged."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        machine.fit(data, sign, sample_weight=penalties)
