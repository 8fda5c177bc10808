"""Predictions of two-stream-action-recognition (jeffreyhuang1): a pickle of a dict, name → scores (C,).

Its scores are sums over 19 frames of logits. Names lack ``v_`` and suffix, and ``HandStandPushups`` is spelled
``HandstandPushups``. Classes are in the order of UCF101's classInd.txt. The program runs on Python 2, whose pickles are
read, too.
"""

import numpy as np

from classify.fusion.forms.content import OBJECT
from classify.fusion.forms.table import Table, numbers, stack_rows

DESCRIPTION = "pickle or JSON of a dict, name of a video → its scores"


def recognises(content):
    """Tell whether ``content`` (`classify.fusion.forms.content.Content`) has this form."""
    value = content.value
    if content.kind != OBJECT or not isinstance(value, dict) or not value:
        return False
    return all(_is_row(each) for each in value.values()) and len({np.size(each) for each in value.values()}) == 1


def read(content):
    """Read the scores of the ``content`` of a file, as a `classify.fusion.forms.table.Table`."""
    rows = [numbers(row, content, f"scores of {name}").ravel() for name, row in content.value.items()]
    return Table(stack_rows(rows, content), list(content.value), rows_are_videos=True)


def _is_row(value):
    if isinstance(value, list):
        return len(value) > 1 and all(type(each) in (int, float) for each in value)
    return isinstance(value, np.ndarray) and value.dtype.kind in "fiu" and value.size == max(value.shape, default=0) > 1
