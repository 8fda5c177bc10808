"""Non-maximum suppression of scored segments.

Source: docs/method/untrimmed.md, section 3.
"""

import numpy as np

from classify.untrimmed.segments import overlaps
from idt.errors import DataError

TIES = ("first", "last")


def suppress(segments, threshold, *, ties="first"):
    """Drop every segment that overlaps a better one of its video and class.

    Parameters
    ----------
    segments : Segments
    threshold : float
        A segment is dropped if its intersection over union with a kept one is above this, in [0, 1].
    ties : str
        Which of two equal scores is better, the ``"first"`` row or the ``"last"``.

    Returns
    -------
    Segments
        The segments that are kept, in the order of the rows.

    Raises
    ------
    DataError
        If an option is out of bounds.

    Notes
    -----
    docs/method/untrimmed.md, section 3.
    """
    if not 0 <= threshold <= 1:
        raise DataError(f"threshold of suppression must be from 0 to 1, got {threshold}")
    if ties not in TIES:
        raise DataError(f"ties must be one of {', '.join(TIES)}, got {ties!r}")
    kept = np.ones(len(segments), bool)
    for rows in groups(segments.videos, segments.labels).values():
        kept[rows] = False
        scores = segments.scores[rows]
        order = np.argsort(-scores, kind="stable") if ties == "first" else np.argsort(scores, kind="stable")[::-1]
        left = rows[order]
        while len(left):
            best, left = left[0], left[1:]
            kept[best] = True
            left = left[overlaps(segments.spans[best], segments.spans[left]) <= threshold]
    return segments.rows(kept)


def groups(*columns):
    """Group rows by the values in their columns.

    Parameters
    ----------
    *columns : (n,) array
        Such as videos and labels.

    Returns
    -------
    dict of tuple to (m,) int64
        Numbers of the rows of each group, in order; the groups in the order of their first rows.
    """
    found: dict[tuple, list[int]] = {}
    for i, key in enumerate(zip(*(column.tolist() for column in columns), strict=True)):
        found.setdefault(key, []).append(i)
    return {key: np.array(rows) for key, rows in found.items()}
