"""Predictions of PySlowFast (``TEST.SAVE_RESULTS_PATH``): a pickle of ``[preds (n, C), labels (n,)]``.

A row is the sum of the softmax outputs of all views of a video; it is divided by its sum. With ``ensemble_method`` max
a row is their maximum and stays as it is. The rows are in the order of test.csv. Labels are flags, (n, C), if a video
may have several.
"""

import numpy as np

from classify.fusion.forms.content import OBJECT
from classify.fusion.forms.table import Table
from idt.errors import DataError

DESCRIPTION = "pickle of PySlowFast: [predictions (n, C), labels (n,)]"

TOLERANCE = 1e-3
"""Tolerance of a sum of probabilities in float32, for each view."""


def recognises(content):
    """Tell whether ``content`` (`classify.fusion.forms.content.Content`) has this form."""
    value = content.value
    if content.kind != OBJECT or not isinstance(value, list | tuple) or len(value) != 2:
        return False
    if not all(isinstance(each, np.ndarray) for each in value) or value[0].ndim != 2:
        return False
    # Flags tell this form from a dump of mmaction with two videos of the same number of crops.
    return value[1].ndim == 1 or (value[1].shape == value[0].shape and bool(np.isin(value[1], (0, 1)).all()))


def read(content):
    """Read the scores of the ``content`` of a file, as a `classify.fusion.forms.table.Table`."""
    values, labels = content.value
    if values.dtype.kind not in "fiu" or labels.shape not in ((len(values),), values.shape):
        raise DataError(f"{content.path} must hold {DESCRIPTION}, got {values.shape} and {labels.shape}")
    if labels.ndim == 2:
        labels = labels.astype(bool)
    values = values.astype(np.float64)
    kind, notes = "unknown", []
    sums = values.sum(axis=1) if values.size else np.zeros(1)
    views = round(float(np.median(sums))) if np.all(np.isfinite(sums)) else 0
    if values.size and values.min() >= 0 and views >= 1 and np.all(np.abs(sums - views) < TOLERANCE * views):
        kind, values = "probabilities", values / sums[:, None]
        notes = [f"scores are means over {views} views"] if views > 1 else []
    return Table(values, labels=labels, kind=kind, first_label=0, rows_are_videos=True, notes=tuple(notes))
