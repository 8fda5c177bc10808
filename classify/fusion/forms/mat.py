"""MAT files of version 5 or 7.3: a matrix of scores, with or without names and labels of its videos.

LTC writes ``scores_idt`` (n, C), ``vn_idt``, a cell of names without suffix, and ``gt_idt``, labels from 1, as MATLAB
counts. The hidden two-stream networks write one matrix (n, C) and DTPP one (C, n), both in the order of a list.
"""

import io

import numpy as np

from classify.fusion.forms.content import MAT
from classify.fusion.forms.variables import table_of
from idt.files.marks import NAME

DESCRIPTION = "MAT file of a matrix of scores, with names and labels or in the order of a list"


def recognises(content):
    """Tell whether ``content`` (`classify.fusion.forms.content.Content`) has this form."""
    return content.container == MAT


def read(content):
    """Read the scores of the ``content`` of a file, as a `classify.fusion.forms.table.Table`."""
    return table_of(content.value, content, first_label=1)


def to_bytes(scores):
    """Return the bytes of a MAT file of version 5 of ``scores`` (`classify.fusion.scores.Scores`).

    It holds ``scores`` (n, C); where they are known the cells ``names`` (n, 1) and ``classes`` (C, 1), and ``labels``
    (n, 1), from 1, or (n, C) of 0 and 1.
    """
    from scipy.io import savemat

    found = {"scores": np.asarray(scores.values, np.float64)}
    for name, texts in (("names", scores.names), ("classes", scores.classes)):
        if texts is not None:
            found[name] = np.array(texts, object)[:, None]
    if scores.labels is not None:
        multi_label = scores.labels.ndim == 2
        found["labels"] = (
            scores.labels.astype(np.uint8) if multi_label else scores.labels[:, None].astype(np.float64) + 1
        )
    data = io.BytesIO()
    savemat(data, found, do_compression=True)
    # The header names this package instead of the time, because the time would make equal files differ.
    return f"MATLAB 5.0 MAT-file, {NAME}".encode().ljust(116) + data.getvalue()[116:]
