"""Normalisation of scores, so that the scores of several sources can be added.

``l2``       each video's scores divided by their L2 norm, √Σ s²
``z``        each video's scores with the mean 0 and the standard deviation 1
``logz``     log(max(p, 1e-6)) of the probabilities p, then as ``z``
``softmax``  exp(s) / Σ exp(s)
``none``     unchanged

``auto`` is ``l2``, or ``logz`` for rows that are probabilities: L2 keeps the saturation of a softmax, and the
logarithm removes it. Source: docs/method/fusion.md, section 3.
"""

import numpy as np

from classify.params import NORMS
from classify.text_files import listed
from idt.errors import DataError

LEAST_PROBABILITY = 1e-6
"""Smaller probabilities are raised to this before the logarithm is taken."""

FEWEST_ROWS = 10
"""Fewer rows are not taken for sums of probabilities over views, because they may have equal sums by chance."""

SUM_TOLERANCE = 1e-3
"""Relative tolerance of the sum of a row of probabilities, because half floats have eleven bits."""


def views_of(values, kind="unknown"):
    """Count the views whose probabilities are summed up in each row.

    Parameters
    ----------
    values : (n, C) float
    kind : str
        One of `classify.fusion.scores.KINDS`.

    Returns
    -------
    int
        Number of views; 0 if the rows are no probabilities.
    """
    if kind in ("margins", "logits") or values.min() < 0:
        return 0
    sums = values.sum(axis=1)
    views = round(float(np.median(sums)))
    if views > 1 and len(values) < FEWEST_ROWS:
        return 0
    return views if views and np.allclose(sums, views, rtol=SUM_TOLERANCE, atol=0) else 0


def norm_for(norm, values, kind="unknown"):
    """Return ``norm``, or for "auto" the norm that fits the ``values`` and their ``kind``."""
    if norm != "auto":
        return norm
    return "logz" if views_of(values, kind) else "l2"


def normalized(values, norm, *, names=None, source="scores"):
    """Normalise the scores of each video.

    Parameters
    ----------
    values : (n, C) float64
    norm : str
        One of `classify.params.NORMS` but "auto".
    names : list of str, optional
        Names of the videos in messages.
    source : str
        Name of the scores in messages.

    Returns
    -------
    (n, C) float64

    Raises
    ------
    DataError
        If the normalisation is unknown, scores for ``logz`` are negative, or the scores of a video are all equal or all
        zero, so that they have no scale.
    """
    if norm not in NORMS[1:]:
        raise DataError(f"norm of {source} must be one of {', '.join(NORMS)}, got {norm!r}")
    if norm == "none":
        return values
    if norm == "softmax":
        shifted = np.exp(values - values.max(axis=1, keepdims=True))
        return shifted / shifted.sum(axis=1, keepdims=True)
    if norm == "logz":
        values = _log(values, source)
    # Division by the largest number keeps the squares finite.
    largest = np.abs(values).max(axis=1, keepdims=True)
    scaled = values / np.where(largest > 0, largest, 1)
    centred = scaled if norm == "l2" else scaled - scaled.mean(axis=1, keepdims=True)
    size = np.sqrt(np.square(centred).sum(axis=1) if norm == "l2" else np.square(centred).mean(axis=1))
    flat = np.flatnonzero(size < 1e-12)
    if len(flat):
        videos = listed([names[row] if names else f"row {row}" for row in flat])
        raise DataError(f"{source}: the scores of {len(flat)} videos have no scale, all are equal or zero: {videos}")
    return centred / size[:, None]


def _log(values, source):
    """Compute logarithms of probabilities, or of sums of them over views."""
    if values.min() < 0:
        raise DataError(f"{source} has negative scores, which are no probabilities; use another norm than logz")
    total = values.sum(axis=1, keepdims=True)
    return np.log(np.maximum(values / np.where(total > 0, total, 1), LEAST_PROBABILITY))
