"""MAT files of version 5 or 7.3: a matrix of scores, with or without names and labels of its videos.

LTC writes ``scores_idt`` (n, C), ``vn_idt``, a cell of names without suffix, and ``gt_idt``, labels from 1, as MATLAB
counts. The hidden two-stream networks write one matrix (n, C) and DTPP one (C, n), both in the order of a list.
"""

from classify.fusion.forms.content import MAT
from classify.fusion.forms.variables import table_of

SAYS = "MAT file of a matrix of scores, with names and labels or in the order of a list"


def fits(content):
    """Tell whether ``content`` (`classify.fusion.forms.content.Content`) has this form."""
    return content.container == MAT


def read(content):
    """Read the scores of the ``content`` of a file, as a `classify.fusion.forms.table.Table`."""
    return table_of(content.value, content, first_label=1)
