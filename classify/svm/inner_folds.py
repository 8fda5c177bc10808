"""Folds inside the training part, which choose C and calibrate probabilities.

Both need scores of rows that the machine was not trained on, and the test rows must not be used. PCA and codebook are
fitted before, on the whole training part.
"""

import numbers

import numpy as np
from sklearn.utils import check_random_state

from classify import metrics
from classify.svm import solvers
from idt.errors import DataError

FOLDS = 5
"""Number of folds."""

GRID = (0.01, 0.1, 1.0, 10.0, 100.0, 1000.0)
"""Values of C that the cross-validation tries."""

SEED = 0
"""Default seed, which makes training the same every time."""


def seed_of(random_state):
    """Return the seed that a ``random_state`` stands for.

    Parameters
    ----------
    random_state : int, RandomState or None
        As in scikit-learn.

    Returns
    -------
    int
        The number itself, or one that the generator draws.

    Raises
    ------
    DataError
        If it is none of these, or a number outside 0 … 2³² − 1.
    """
    whole = isinstance(random_state, numbers.Integral) and not isinstance(random_state, bool)
    if whole and 0 <= random_state < 2**32:
        return int(random_state)
    if random_state is None or isinstance(random_state, np.random.RandomState):
        return int(check_random_state(random_state).randint(2**31))
    raise DataError(
        f"random_state must be a whole number in 0 … 2³² − 1, a RandomState or None, got {random_state!r:.80}"
    )


def inner_folds(codes, groups=None, *, folds=FOLDS, seed=SEED):
    """Deal rows to folds, class by class, so that each fold has its share of every class.

    Parameters
    ----------
    codes : (n,) int
        Class of each row.
    groups : (n,) str, optional
        Rows of one group, such as clips of one recording, go to one fold. Each row with an empty group goes on its own.
    folds : int
        Number of folds, or of groups if that is smaller.
    seed : int
        Seed of the shuffling.

    Returns
    -------
    list of (m,) int
        Rows of each fold.

    Raises
    ------
    DataError
        If all rows are of one group.
    """
    names = [""] * len(codes) if groups is None else [str(group) for group in groups]
    units = np.unique(
        [f"group {name}" if name else f"row {row}" for row, name in enumerate(names)], return_inverse=True
    )[1]
    count = int(units.max(initial=-1)) + 1
    folds = min(folds, count)
    if folds < 2:
        raise DataError("cross-validation needs training rows of at least two groups, got one")
    # The class of a group is that of its first row; shuffled first, so that the order within a class is by chance.
    first = np.unique(units, return_index=True)[1]
    order = np.random.default_rng(seed).permutation(count)
    order = order[np.argsort(np.asarray(codes)[first[order]], kind="stable")]
    dealt = np.empty(count, np.intp)
    dealt[order] = np.arange(count) % folds
    return [np.flatnonzero(dealt[units] == fold) for fold in range(folds)]


def held_out(problem, signs, penalties, folds):
    """Compute the score of every row by machines that were trained without its fold.

    Parameters
    ----------
    problem : solvers.Dual or solvers.Primal
    signs, penalties : (k, n) float64
    folds : list of (m,) int
        As from `inner_folds`.

    Returns
    -------
    (k, n) float64
    """
    out = np.empty(signs.shape)
    for fold in folds:
        rest = np.setdiff1d(np.arange(signs.shape[1]), fold)
        found, biases = solvers.fit(problem.part(rest), np.take(signs, rest, axis=1), np.take(penalties, rest, axis=1))
        out[:, fold] = found @ problem.seen_from(rest, fold).T + biases[:, None]
    return out


def choose_penalty(problem, targets, weights, folds):
    """Return the C of the grid with the best held-out scores; of equal ones the smallest.

    Parameters
    ----------
    problem : solvers.Dual or solvers.Primal
    targets : classify.svm.targets.Targets
    weights : (k, n) float64
        Factors of C.
    folds : list of (m,) int

    Returns
    -------
    float

    Notes
    -----
    The best C has the highest accuracy, or the highest mean average precision if rows have several classes.
    """
    quality = [_quality(held_out(problem, targets.signs, C * weights, folds), targets) for C in GRID]
    return GRID[int(np.argmax(quality))]


def _quality(scores, targets):
    """Return accuracy, or mean average precision if rows have several classes."""
    if targets.several:
        return metrics.mean_average_precision(targets.signs.T > 0, scores.T, targets.classes)
    best = scores[0] > 0 if len(scores) == 1 else scores.argmax(axis=0)
    return float((best == targets.codes).mean())
