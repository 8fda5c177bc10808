"""Training targets: a sign and a weight for every class and row."""

from typing import NamedTuple

import numpy as np
from sklearn.utils import column_or_1d, compute_sample_weight
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
    has_class : (n, k) bool
        Whether each row has each class. If there are two classes and each row has one, the second class alone.
    multi_label : bool
        Whether a row may have several classes, or none.
    """

    classes: np.ndarray
    has_class: np.ndarray
    multi_label: bool

    @property
    def codes(self):
        """Index of each row's class, (n,) int; if rows have several classes, an index of their combination."""
        if self.multi_label:
            return np.unique(self.has_class, axis=0, return_inverse=True)[1].reshape(-1)
        return class_codes(self.has_class)


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
    multi_label = isinstance(y, list | tuple) and len(y) > 0 and all(isinstance(labels, tuple) for labels in y)
    labels = list(y) if multi_label else _column(y)
    if len(labels) != n:
        raise DataError(f"X and y must have the same number of rows, got {n} and {len(labels)}")
    if multi_label:
        classes = np.array(classes_of(labels))
        has_class = np.array([[label in row for label in classes.tolist()] for row in labels], bool).reshape(n, -1)
    else:
        classes, codes = np.unique(labels, return_inverse=True)
        has_class = codes[:, None] == np.arange(len(classes))
    if len(classes) < 2:
        raise DataError(f"training needs at least two classes, got one class only: {listed(classes) or 'none'}")
    everywhere = classes[has_class.all(axis=0)]
    if len(everywhere):
        raise DataError(f"nothing to tell apart: every row has the class {listed(everywhere)}")
    return Targets(classes, has_class[:, 1:] if len(classes) == 2 and not multi_label else has_class, multi_label)


def class_codes(has_class):
    """Return the index of the one class that each row has, (n,) int, from ``has_class`` as in `Targets`."""
    return has_class[:, 0].astype(np.intp) if has_class.shape[1] == 1 else has_class.argmax(axis=1)


def class_factors(class_weight, classes):
    """Check the weights of classes.

    Parameters
    ----------
    class_weight : None, "balanced" or dict
        As in scikit-learn.
    classes : (c,) array

    Returns
    -------
    None, "balanced" or (c,) float64

    Raises
    ------
    DataError
        If it is none of these, or a dict that names other classes or holds a number that is not positive.
    """
    if class_weight is None or (isinstance(class_weight, str) and class_weight == "balanced"):
        return class_weight
    if not isinstance(class_weight, dict):
        raise DataError(f'class_weight must be None, "balanced" or a dict, got {class_weight!r}')
    unknown = [str(label) for label in class_weight if label not in classes]
    if unknown:
        raise DataError(f"class_weight names classes that y does not hold: {', '.join(unknown)}")
    factors = np.array([float(class_weight.get(label, 1.0)) for label in classes.tolist()])
    if not (np.isfinite(factors).all() and (factors > 0).all()):
        raise DataError(f"class weights must be positive numbers, got {class_weight!r}")
    return factors


def row_weights(factors, has_class, multi_label):
    """Compute the factor of C for each machine and row.

    Parameters
    ----------
    factors : None, "balanced" or (c,) float64
        As from `class_factors`. "balanced" is n / (c · n of the row's class); if rows have several classes, it weighs
        the two sides of each machine by n / (2 · n of the side), and an array weighs the rows that have the class.
    has_class : (n, k) bool or int
    multi_label : bool

    Returns
    -------
    (k, n) float64
    """
    balanced = isinstance(factors, str)
    if factors is None:
        return np.ones(has_class.shape[::-1])
    if multi_label and balanced:
        return np.stack([compute_sample_weight("balanced", has) for has in has_class.T])
    if multi_label:
        return np.where(has_class.T, factors[:, None], 1.0)
    codes = class_codes(has_class)
    return np.broadcast_to(
        compute_sample_weight("balanced", codes) if balanced else factors[codes], has_class.shape[::-1]
    )


def _column(y):
    """Return the labels of rows with one class each, as a column."""
    try:
        labels = column_or_1d(y, warn=True)
        check_classification_targets(labels)
    except ValueError as problem:
        raise DataError(" ".join(str(problem).split())) from None
    return labels
