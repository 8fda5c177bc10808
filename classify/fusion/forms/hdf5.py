"""HDF5 of others: a matrix of scores in a dataset of any name, such as ActionVLAD's ``stream0/logits``."""

from classify.fusion.forms.content import HDF5
from classify.fusion.forms.variables import table_of

DESCRIPTION = "HDF5 of a matrix of scores, with names, classes or labels or in the order of a list"


def recognises(content):
    """Tell whether ``content`` (`classify.fusion.forms.content.Content`) has this form."""
    return content.container == HDF5


def read(content):
    """Read the scores of the ``content`` of a file, as a `classify.fusion.forms.table.Table`."""
    return table_of(content.value, content)
