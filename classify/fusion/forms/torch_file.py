"""Tensors saved with torch, or pickled arrays: a matrix (n, C), or one in a dict.

The dict may hold names, classes and labels besides.
"""

import numpy as np

from classify.fusion.forms.content import OBJECT
from classify.fusion.forms.table import Table
from classify.fusion.forms.variables import is_matrix, table_of

DESCRIPTION = "torch file or pickle of a matrix of scores, or of a dict with one"


def recognises(content):
    """Tell whether ``content`` (`classify.fusion.forms.content.Content`) has this form."""
    value = content.value
    if content.kind != OBJECT:
        return False
    matrices = value.values() if isinstance(value, dict) else [value]
    return any(isinstance(each, np.ndarray) and is_matrix(each) for each in matrices)


def read(content):
    """Read the scores of the ``content`` of a file, as a `classify.fusion.forms.table.Table`."""
    if isinstance(content.value, np.ndarray):
        return Table(content.value)
    return table_of({name: each for name, value in content.value.items() for each in _arrays(value)}, content)


def _arrays(value):
    """Yield the array that a value is or can be converted to, if there is one."""
    if isinstance(value, np.ndarray):
        yield value
    elif isinstance(value, list | tuple) and value and all(type(each) is str for each in value):
        yield np.array(value, object)
    elif isinstance(value, list | tuple) and value and all(type(each) is int and 0 <= each < 1 << 31 for each in value):
        yield np.array(value)
