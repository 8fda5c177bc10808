"""Training targets: a sign and a weight for every class and row."""

from typing import NamedTuple

import numpy as np
from sklearn.utils import column_or_1d
from sklearn.utils.multiclass import check_classification_targets

from classify.labels import classes_of
from classify.text_files import listed
from idt.errors import DataError


class Targets(NamedTuple):
    """Training targets of the machines.

    Attributes
    ----------
    classes : (c,) array
        Labels in sorted order.
    signs : (k, n) float64
        +1 for the rows of each class, −1 for the others. If there are two classes and each row has one, the second
        class alone.
    several : bool
        Whether a row may have several classes, or none.
    """

    classes: np.ndarray
    signs: np.ndarray
    several: bool

    @property
    def codes(self):
        """Index of each row's class, (n,) int; if rows have several classes, an index of their combination."""
        if self.several:
            return np.unique(self.signs, axis=1, return_inverse=True)[1].reshape(-1)
        return (self.signs[0] > 0).astype(np.intp) if len(self.signs) == 1 else self.signs.argmax(axis=0)


def read_targets(y, n):
    """Convert the labels of rows to targets.

    Parameters
    ----------
    y : (n,) str or int, or list of tuple of str
        A tuple holds all classes of a row.
    n : int
        Number of rows.

    Returns
    -------
    Targets

    Raises
    ------
    DataError
        If there is another number of labels than rows, there are fewer than two classes, a label cannot name a class,
        or every row has the same class.
    """
    if y is None:
        raise DataError("training requires y to be passed, but the target y is None")
    several = isinstance(y, list | tuple) and len(y) > 0 and all(isinstance(labels, tuple) for labels in y)
    labels = list(y) if several else _column(y)
    if len(labels) != n:
        raise DataError(f"X and y must have the same number of rows, got {n} and {len(labels)}")
    if several:
        classes = np.array(classes_of(labels))
        holds = np.array([[label in row for row in labels] for label in classes.tolist()], bool)
    else:
        classes, codes = np.unique(labels, return_inverse=True)
        holds = codes == np.arange(len(classes))[:, None]
    if len(classes) < 2:
        raise DataError(f"training needs at least two classes, got one class only: {listed(classes) or 'none'}")
    everywhere = classes[holds.all(axis=1)]
    if len(everywhere):
        raise DataError(f"nothing to tell apart: every row has the class {listed(everywhere)}")
    signs = np.where(holds, 1.0, -1.0)
    return Targets(classes, signs[1:] if len(classes) == 2 and not several else signs, several)


def weights(class_weight, targets):
    """Compute the factor of C for each class and row.

    Parameters
    ----------
    class_weight : None, "balanced" or dict
        As in scikit-learn; "balanced" is n / (c · n of the row's class). If rows have several classes, "balanced"
        weighs the two sides of each machine by n / (2 · n of the side), and a dict weighs the rows that have the class.
    targets : Targets

    Returns
    -------
    (k, n) float64

    Raises
    ------
    DataError
        If it is none of these, or a dict that names other classes or holds other than positive numbers.
    """
    signs, classes = targets.signs, targets.classes
    if class_weight is None:
        return np.ones(signs.shape)
    if isinstance(class_weight, str) and class_weight == "balanced":
        if targets.several:
            sizes = (signs > 0).sum(axis=1, keepdims=True)
            return signs.shape[1] / (2 * np.where(signs > 0, sizes, signs.shape[1] - sizes))
        factors = signs.shape[1] / (len(classes) * np.bincount(targets.codes))
    else:
        factors = _factors(class_weight, classes)
        if targets.several:
            return np.where(signs > 0, factors[:, None], 1.0)
    return np.broadcast_to(factors[targets.codes], signs.shape)


def _column(y):
    """Return the labels of rows with one class each, as a column."""
    try:
        labels = column_or_1d(y, warn=True)
        check_classification_targets(labels)
    except ValueError as problem:
        raise DataError(" ".join(str(problem).split())) from None
    return labels


def _factors(class_weight, classes):
    """Return the factor of each class from a dict."""
    if not isinstance(class_weight, dict):
        raise DataError(f'class_weight must be None, "balanced" or a dict, got {class_weight!r}')
    unknown = [str(label) for label in class_weight if label not in classes]
    if unknown:
        raise DataError(f"class_weight names classes that y does not hold: {', '.join(unknown)}")
    factors = np.array([float(class_weight.get(label, 1.0)) for label in classes.tolist()])
    if not (np.isfinite(factors).all() and (factors > 0).all()):
        raise DataError(f"class weights must be positive numbers, got {class_weight!r}")
    return factors
