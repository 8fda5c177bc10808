"""Dynamic time warping: two sequences, a short one within a long one, or a list of actions along a video.

    D[i, j] = c(i, j) + min(D[i−1, j−1], D[i−1, j], D[i, j−1])

with c the Euclidean or cosine distance of row i of one sequence and row j of the other. Among paths of equal cost the
diagonal step wins, then the step that stays in the same row of the second sequence. In spotting (`spot`) a path may
begin in every column (D[−1, j] = 0), and it ends in the column of the least cost. In the alignment with a transcript
(`align_states`) every row has one state, so that a path never moves along a row.

Rows without tracks are zero. They must be left out or interpolated before (`fill_empty_rows`), because the cosine of a
zero row is not defined, and because `spot` with the Euclidean distance would choose them.

Source: docs/method/untrimmed.md, section 5; Sakoe & Chiba 1978; Müller, Information Retrieval for Music and Motion,
chapter 4.
"""

from typing import NamedTuple

import numpy as np

from classify.kernels.alignment import BOTH, COLUMN, ROW, START, accumulate
from idt.checks import float_array
from idt.errors import DataError

DISTANCES = ("euclidean", "sqeuclidean", "cosine")

LARGEST = 1 << 30
"""Most cells of an alignment, because each takes a byte: 32,768 rows by as many columns."""

BLOCK = 1 << 20
"""Most costs that are computed at once."""


class Alignment(NamedTuple):
    """Path through two sequences.

    Attributes
    ----------
    cost : float
        Sum of the distances along the path.
    path : (p, 2) int64
        Rows of the first and of the second sequence, from the first to the last.
    """

    cost: float
    path: np.ndarray


def align(first, second, *, distance="euclidean", band=None):
    """Align two sequences.

    Parameters
    ----------
    first, second : (n, D), (m, D) float
        One row a window of time.
    distance : str
        One of `DISTANCES`.
    band : float, optional
        Keep |i · (m−1)/(n−1) − j| within this many rows of the second sequence (Sakoe and Chiba).

    Returns
    -------
    Alignment

    Raises
    ------
    DataError
        If a sequence is empty; if its rows differ in length, are not finite or, with the cosine, zero; if the band
        leaves no path; or if there are more than `LARGEST` cells.

    Notes
    -----
    docs/method/untrimmed.md, section 5.
    """
    first, second = _checked_sequences(first, second)
    return _aligned(first, second, distance, band=band)[0]


def spot(query, series, *, k=1, distance="euclidean"):
    """Find a short sequence within a long one.

    Parameters
    ----------
    query, series : (n, D), (m, D) float
    k : int
        Number of places to find. Places do not share rows of the series.
    distance : str
        One of `DISTANCES`.

    Returns
    -------
    list of Alignment
        By rising cost; fewer than ``k`` if no more places are left. The paths hold the rows of the series.

    Raises
    ------
    DataError
        As `align`.

    Notes
    -----
    docs/method/untrimmed.md, section 5.
    """
    rows, others = _checked_sequences(query, series)
    found: list[Alignment] = []
    free = np.ones(len(others), bool)
    while len(found) < k and free.any():
        best, _ = _aligned(rows, others, distance, subsequence=True, free=free)
        if not np.isfinite(best.cost):
            break
        found.append(best)
        free[best.path[0, 1] : best.path[-1, 1] + 1] = False
    return found


def align_states(costs):
    """Align the rows of a sequence with an ordered list of states, one state a row.

    Parameters
    ----------
    costs : (n, s) float
        Cost of each row in each state, such as the distance from the mean of an action.

    Returns
    -------
    states : (n,) int64
        State of each row, rising by 0 or 1 from row to row, from the first state to the last.
    cost : float

    Raises
    ------
    DataError
        If there are more states than rows, or a cost is not finite.

    Notes
    -----
    docs/method/untrimmed.md, section 5.
    """
    costs = float_array(costs, (None, None), "costs", np.float64)
    n, s = costs.shape
    if not 0 < s <= n:
        raise DataError(f"a transcript of {s} actions cannot be aligned with {n} rows; every action needs a row")
    row, moves = np.full(s, np.inf), np.empty((n, s), np.uint8)
    accumulate(costs, row, moves, 0, 0.0, np.inf, False, True)
    return _path(moves, n - 1, s - 1)[:, 1], float(row[-1])


def fill_empty_rows(rows, empty):
    """Fill rows without tracks from their neighbours.

    Parameters
    ----------
    rows : (n, D) float
    empty : (n,) bool
        Rows without tracks.

    Returns
    -------
    (n, D) float
        Between two rows with tracks the values are interpolated; before the first and after the last they are repeated.

    Raises
    ------
    DataError
        If all rows are empty.
    """
    rows, empty = np.asarray(rows), np.asarray(empty, bool)
    known = np.flatnonzero(~empty)
    if not len(known):
        raise DataError("no window of the video has tracks, so there is nothing to interpolate from")
    filled = rows.copy()
    for column in range(rows.shape[1]):
        filled[empty, column] = np.interp(np.flatnonzero(empty), known, rows[known, column])
    return filled


def carry_labels(labels, path, n):
    """Carry labels of one sequence over to another along an alignment.

    Parameters
    ----------
    labels : (m,) sequence
        Labels of the first sequence of the path.
    path : (p, 2) int64
        As from `align`.
    n : int
        Number of rows of the second sequence.

    Returns
    -------
    (n,) array
        The label of each row of the second sequence. If several rows of the first are aligned with it, the middle one
        gives the label, of two middle ones the earlier.
    """
    labels = np.asarray(labels)
    begins = np.searchsorted(path[:, 1], np.arange(n), "left")
    ends = np.searchsorted(path[:, 1], np.arange(n), "right")
    return labels[path[(begins + ends - 1) // 2, 0]]


def stretch_labels(labels, n):
    """Stretch the labels of one sequence linearly over ``n`` rows: the baseline that an alignment must beat.

    Parameters
    ----------
    labels : (m,) sequence
    n : int

    Returns
    -------
    (n,) array
    """
    labels = np.asarray(labels)
    return labels[np.arange(n) * len(labels) // n]


def _checked_sequences(first, second):
    sequences = [float_array(rows, (None, None), "a sequence", np.float64) for rows in (first, second)]
    n, m = map(len, sequences)
    if not (n and m):
        raise DataError(f"sequences must have rows, got {n} and {m}")
    if n * m > LARGEST:
        raise DataError(
            f"sequences of {n} and {m} rows make {n * m} cells, expected at most {LARGEST}; use longer windows"
        )
    if sequences[0].shape[1] != sequences[1].shape[1]:
        raise DataError(f"rows must be of one length, got {sequences[0].shape[1]} and {sequences[1].shape[1]} numbers")
    return sequences


def _aligned(first, second, distance, *, band=None, subsequence=False, free=None):
    """Align two checked sequences; return the alignment, and the cost of the path to each row of the second one."""
    from scipy.spatial.distance import cdist

    if distance not in DISTANCES:
        raise DataError(f"distance must be one of {', '.join(DISTANCES)}, got {distance!r}")
    if distance == "cosine" and not (first.any(axis=1).all() and second.any(axis=1).all()):
        raise DataError("the cosine of a zero row is not defined; leave rows without tracks out, or interpolate them")
    n, m = len(first), len(second)
    slope = (m - 1) / (n - 1) if n > 1 else 0.0
    row, moves = np.full(m, np.inf), np.empty((n, m), np.uint8)
    rows_at_once = max(1, BLOCK // m)
    for start in range(0, n, rows_at_once):
        costs = cdist(first[start : start + rows_at_once], second, distance)
        if free is not None:
            costs[:, ~free] = np.inf
        width = np.inf if band is None else float(band)
        accumulate(costs, row, moves[start : start + rows_at_once], start, slope, width, subsequence, False)
    end = int(np.argmin(row)) if subsequence else m - 1
    if not (subsequence or np.isfinite(row[end])):
        raise DataError(f"a band of {band} leaves no path from the first rows to the last; use a wider one")
    path = _path(moves, n - 1, end) if np.isfinite(row[end]) else np.empty((0, 2), np.int64)
    return Alignment(float(row[end]), path), row


def _path(moves, i, j):
    """Follow the moves back from a cell, (p, 2) int64."""
    cells = []
    while True:
        cells.append((i, j))
        move = moves[i, j]
        if move == START:
            return np.array(cells[::-1], np.int64)
        i, j = i - (move in (BOTH, ROW)), j - (move in (BOTH, COLUMN))
