"""Saved matrices: npy, or npz with names, classes or labels beside the matrix.

two-stream-pytorch writes an npy (n, C) in the order of its test list.
"""

from classify.fusion.forms.content import ARRAY, ARRAYS, NPZ
from classify.fusion.forms.table import Table
from classify.fusion.forms.variables import table_of

DESCRIPTION = "npy of a matrix of scores, or npz of one with names, classes or labels"


def recognises(content):
    """Tell whether ``content`` (`classify.fusion.forms.content.Content`) has this form."""
    return content.kind == ARRAY or (content.kind == ARRAYS and content.container == NPZ)


def read(content):
    """Read the scores of the ``content`` of a file, as a `classify.fusion.forms.table.Table`."""
    return Table(content.value) if content.kind == ARRAY else table_of(content.value, content)
