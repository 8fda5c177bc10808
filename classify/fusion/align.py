"""Scores of a file in the order of the true labels: a row for each video and a column for each class, both by name.

`classify.fusion.names` compares names, `classify.fusion.columns` finds the columns. A file without names of its videos
needs a list of them: its rows are in the order of the list.
"""

from collections import Counter
from dataclasses import dataclass, replace

import numpy as np

from classify.fusion.columns import check_plausible, column_order
from classify.fusion.names import match
from classify.fusion.scores import Scores
from classify.text_files import listed
from idt.errors import DataError

BY_POSITION, CONFIRMED = "by position in a list", "the labels of the file confirm its list"
"""Notes on rows that a list gave their names."""


@dataclass(frozen=True)
class Aligned:
    """Scores in the order of the true labels.

    Attributes
    ----------
    values : (n, C) float64
        NaN in the rows of videos that the file lacks.
    steps : dict of str to int
        How many videos were found by which step of `classify.fusion.names.VIDEO_STEPS`, or by position in a list.
    columns : str
        How the columns were found.
    extra : list of str
        Videos of the file that have no true label.
    """

    values: np.ndarray
    steps: dict[str, int]
    columns: str
    extra: list[str]

    @property
    def there(self):
        """(n,) bool, whether the file has each video."""
        return ~np.isnan(self.values[:, 0])


def with_list(scores, names, labels, name):
    """Give the rows of a file that names no videos the names of a list.

    Parameters
    ----------
    scores : Scores
    names : list of str
    labels : (m,) int64 or None
        Numbers of the classes in the list, from 0, where it has some.
    name : str
        What messages call the file.

    Returns
    -------
    Scores
        Transposed if only so there are as many rows as names; with the labels of the list if it has none of its own.

    Raises
    ------
    DataError
        If the list has another length, could name rows or columns, or its labels contradict those of the file.
    """
    if scores.names is not None:
        return scores
    rows, columns = scores.values.shape
    notes = (*scores.notes, BY_POSITION)
    if len(names) not in (rows, columns):
        raise DataError(f"{name} holds {rows} × {columns} numbers, its list names {len(names)} videos")
    if rows == columns and scores.labels is None:
        raise DataError(f"{name} holds {rows} × {columns} numbers, so that its list may name its rows or its columns")
    if len(names) != rows:
        if scores.labels is not None or scores.classes is not None:
            raise DataError(f"{name} has {rows} rows, its list names {len(names)} videos")
        scores = replace(scores, values=scores.values.T)
        notes = (*notes, f"a matrix (classes, videos), {rows} × {columns}, transposed")
    if scores.labels is None and labels is not None:
        if labels.max(initial=0) >= scores.values.shape[1]:
            raise DataError(f"{name} has {scores.values.shape[1]} classes, its list {labels.max() + 1}")
        scores = replace(scores, labels=labels)
    elif scores.labels is not None:
        if labels is not None and scores.labels.ndim == 1:
            _check_order(scores.labels, labels, names, name)
        notes = (*notes, CONFIRMED)
    return replace(scores, names=list(names), notes=notes)


def _check_order(own, given, names, name):
    """Refuse a list whose labels are not those of the rows."""
    wrong = np.flatnonzero(own != given)
    if len(wrong):
        raise DataError(
            f"{name}: the labels of {len(wrong)} of {len(names)} videos contradict its list:"
            f" {listed([names[row] for row in wrong[:5]])}{' …' if len(wrong) > 5 else ''}"
        )


def align(scores, truth, name):
    """Bring scores into the order of the true labels.

    Parameters
    ----------
    scores : Scores
    truth : Truth
    name : str
        What messages call the file.

    Returns
    -------
    Aligned

    Raises
    ------
    DataError
        If names occur twice or cannot be told apart, no video is known, the columns cannot be told, or labels
        contradict the true ones.
    """
    _check(scores, name)
    if scores.names is None:
        raise DataError(f"{name} names no videos; give the list in whose order its rows are, --list")
    twice = [video for video, count in Counter(scores.names).items() if count > 1]
    if twice:
        raise DataError(f"{name} names {len(twice)} videos more than once: {listed(twice)}")
    found = match(truth.names, scores.names, beside=truth.beside)
    if found.ambiguous:
        raise DataError(f"{name}: names that cannot be told apart: {listed(found.ambiguous)}")
    rows = found.places
    there = rows >= 0
    if not there.any():
        raise DataError(
            f"{name} has none of the {len(rows)} videos of {truth.origin}: expected such as {truth.names[0]}, got"
            f" {scores.names[0]}"
        )
    order, how = column_order(scores, truth, rows, name)
    values = np.full((len(rows), len(order)), np.nan)
    values[there] = scores.values[rows[there]][:, order]
    positions = BY_POSITION in scores.notes
    doubtful = positions and CONFIRMED not in scores.notes
    check_plausible(values, truth, np.where(there, np.arange(len(rows)), -1), name, by_position=doubtful)
    taken = set(rows.tolist())
    extra = [video for row, video in enumerate(scores.names) if row not in taken]
    steps = {BY_POSITION: int(there.sum())} if positions else {step: count for step, count in found.steps.items() if count}
    return Aligned(values, steps, how, extra)


def _check(scores: Scores, name):
    """Refuse scores that say nothing."""
    rows, columns = scores.values.shape
    if not rows or columns < 2:
        raise DataError(f"{name} holds {rows} × {columns} numbers, expected videos and at least two classes")
    if not np.isfinite(scores.values).all():
        bad = scores.values.size - np.count_nonzero(np.isfinite(scores.values))
        raise DataError(f"{name} holds {bad} NaN or infinite scores")
    flat = np.flatnonzero(scores.values.min(axis=1) == scores.values.max(axis=1))
    if len(flat):
        named = [scores.names[row] if scores.names else f"row {row}" for row in flat]
        raise DataError(f"{name}: all scores of {len(flat)} videos are equal: {listed(named)}")
