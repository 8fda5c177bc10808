"""MAT files: a matrix of scores, with or without names and labels of its videos.

LTC writes ``scores_idt`` (n, C), ``vn_idt``, a cell of names without suffix, and ``gt_idt``, labels from 1. The hidden
two-stream networks write one matrix (n, C) and DTPP one (C, n), both in the order of a list. So the matrix of numbers
that is larger than all others has the scores, a cell or matrix of text the names, and a vector of as many whole numbers
the labels. MATLAB counts from 1.
"""

import numpy as np

from classify.fusion.content import ARRAYS
from classify.fusion.forms.table import Table, texts
from idt.errors import DataError

SAYS = "MAT file of a matrix of scores, with names and labels or in the order of a list"


def fits(content):
    """Tell whether ``content`` (`classify.fusion.content.Content`) has this form."""
    return content.kind == ARRAYS and content.container == "MAT"


def read(content):
    """Read the scores of the ``content`` of a file, as a `Table`.

    Raises
    ------
    DataError
        If it holds no matrix of scores, or it cannot be told which of several has them.
    """
    return from_variables(content, first_label=1)


def from_variables(content, first_label):
    """Read scores, names and labels that lie in arrays of any names.

    Parameters
    ----------
    content : classify.fusion.content.Content
    first_label : int or None
        The number of the first class.

    Returns
    -------
    Table

    Raises
    ------
    DataError
        As `read`.
    """
    found = {name: value for name, value in content.value.items() if isinstance(value, np.ndarray)}
    matrices = {name: value for name, value in found.items() if value.dtype.kind in "fiu" and _is_matrix(value)}
    if not matrices:
        raise DataError(f"{content.path} holds no matrix of scores, got {_say(found)}")
    most = max(value.size for value in matrices.values())
    largest = [name for name, value in matrices.items() if value.size == most]
    if len(largest) > 1:
        raise DataError(f"{content.path} holds several matrices of one size, {', '.join(largest)}; keep one of them")
    values = matrices[largest[0]]
    names = [name for name, value in found.items() if value.dtype.kind in "OU" and value.size in values.shape]
    names = [name for name in names if value_is_text(found[name])]
    labels = [
        name
        for name, value in found.items()
        if value.dtype.kind in "fiu" and value.size in values.shape and not _is_matrix(value)
    ]
    whole = [name for name in labels if np.all(found[name] == np.floor(found[name]))]
    if len(names) > 1 or len(whole) > 1:
        raise DataError(f"{content.path} holds several lists: {', '.join([*names, *whole])}; keep names and labels")
    notes = (f"scores are taken from {largest[0]}",) if len(matrices) > 1 else ()
    return Table(
        values,
        texts(found[names[0]], content, names[0]) if names else None,
        labels=found[whole[0]].ravel() if whole else None,
        first_label=first_label,
        notes=notes,
    )


def value_is_text(value):
    """Tell whether an array ``value`` is of text, or of cells of text."""
    return value.dtype.kind == "U" or all(
        isinstance(each, str) or (isinstance(each, np.ndarray) and each.dtype.kind == "U") for each in value.ravel()
    )


def _is_matrix(value):
    return value.ndim == 2 and min(value.shape) > 1


def _say(found):
    return ", ".join(f"{name} of shape {value.shape}" for name, value in found.items()) or "nothing that is read"
