"""Scores, names, classes and labels among arrays that the user has named.

A matrix of numbers holds the scores; of several matrices, the one that is named like scores. A vector of whole numbers
holds the labels, arrays of text the names of videos and of classes. A file with two candidates is refused.
"""

import re

import numpy as np

from classify.fusion.forms.table import Table, texts
from classify.text_files import listed
from idt.errors import DataError

SCORES = re.compile(r"score|logit|pred|prob|output", re.IGNORECASE)
LABELS = re.compile(r"label|gt|target|true|truth|\by\b", re.IGNORECASE)
NAMES = re.compile(r"name|video", re.IGNORECASE)
CLASSES = re.compile(r"class|category|categories|label", re.IGNORECASE)
"""Words in the usual names of arrays of classes; the constants above hold those of scores, labels and videos."""


def table_of(found, content, first_label=None):
    """Find the scores among arrays.

    Parameters
    ----------
    found : dict of str to ndarray
        The arrays by name.
    content : classify.fusion.forms.content.Content
        For messages.
    first_label : int or None
        The number of the first class, if the program that wrote the file always counts so.

    Returns
    -------
    Table

    Raises
    ------
    DataError
        If there is no matrix of numbers, or it stays open which array is meant.
    """
    matrices = [name for name, value in found.items() if value.dtype.kind in "fiu" and is_matrix(value)]
    if not matrices:
        say = listed(f"{name} of shape {value.shape}" for name, value in found.items()) or "nothing that is read"
        raise DataError(f"{content.path} must hold a matrix of scores, got {say}")
    scores = _only(matrices, SCORES, content, "matrices of scores")
    values = found[scores]
    text = [name for name, value in found.items() if _is_text(value)]
    classes = [name for name in text if CLASSES.search(name)]
    # Arrays with telling names but wrong lengths are refused later.
    names = [name for name in text if name not in classes and (NAMES.search(name) or found[name].size in values.shape)]
    vectors = [name for name, value in found.items() if _is_vector(value)]
    labels = [name for name in vectors if "label" in name.lower() or found[name].size in values.shape]
    class_array, name_array, label_array = (
        _only(these, pattern, content, what) if these else None
        for these, pattern, what in (
            (classes, CLASSES, "lists of classes"),
            (names, NAMES, "lists of videos"),
            (labels, LABELS, "lists of labels"),
        )
    )
    return Table(
        values,
        texts(found[name_array], content, name_array) if name_array else None,
        texts(found[class_array], content, class_array) if class_array else None,
        found[label_array].ravel() if label_array else None,
        first_label=first_label,
        notes=(f"scores are taken from {scores}",) if len(matrices) > 1 else (),
    )


def is_matrix(value):
    """Tell whether the array ``value`` is a matrix and no vector."""
    return value.ndim == 2 and min(value.shape) > 1


def _is_vector(value):
    """Tell whether an array is a vector of whole numbers."""
    flat = value.dtype.kind in "fiu" and value.size > 0 and value.size == max(value.shape, default=0)
    return flat and bool(np.all(np.isfinite(value)) and np.all(value == np.floor(value)))


def _is_text(value):
    """Tell whether an array is of text, or of cells of text."""
    if value.dtype.kind == "O":
        return value.size > 0 and all(
            isinstance(each, str) or (isinstance(each, np.ndarray) and each.dtype.kind == "U") for each in value.ravel()
        )
    return value.dtype.kind in "US" and value.size > 0


def _only(names, pattern, content, what):
    """Return the only name, or of several ``names`` the one that fits the ``pattern``."""
    if len(names) > 1:
        names = [name for name in names if pattern.search(name)] or names
    if len(names) > 1:
        raise DataError(f"{content.path} holds several {what}, {listed(names)}; keep one of them")
    return names[0]
