"""Scores made of what a form's reader found: checked, upright, with labels from 0, and with the names of a list.

A matrix lies upright if its form says so, or its names, labels or list are as many as its rows. Labels begin at 0 or 1:
one of their numbers tells, or the list, or the form's own rule. What stays open is refused.
"""

import numpy as np

from classify.fusion.forms.table import LARGEST, check_size, looks_like_probabilities, numbers, refuse_twice
from classify.fusion.scores import Scores
from classify.text_files import listed
from idt.errors import DataError

ODDS = 10
"""A list is refused whose labels fit no better than twice chance, in a set of so many classes, and so many videos each:
it has another order."""


def complete(table, content, form, video_list=None):
    """Make scores.

    Parameters
    ----------
    table : Table
    content : classify.fusion.content.Content
    form : str
    video_list : VideoList, optional
        Names of the rows where the file has none, in its order.

    Returns
    -------
    Scores

    Raises
    ------
    DataError
        If the scores are not finite or not one matrix, a video has the same score for all classes, names occur twice,
        the numbers of videos differ, or it stays open which side is the videos or where labels begin.
    """
    notes = list(table.notes)
    values = numbers(table.values, content, "scores")
    if values.ndim != 2 or not values.size:
        raise DataError(f"{content.path} must hold scores of shape (videos, classes), got {values.shape}")
    check_size(values.size, content)
    listing = video_list if table.names is None else None
    if not table.upright:
        values = _upright(values, table, content, listing, notes)
    if values.shape[1] < 2:
        raise DataError(f"{content.path} must hold scores of two or more classes, got {values.shape[1]}")
    values = np.ascontiguousarray(values, np.float64)
    _check_values(values, content)
    names = list(table.names) if table.names is not None else None
    labels = _labels(table, values, content, listing, notes)
    classes = list(table.classes) if table.classes is not None else None
    _check_lengths(values, names, classes, content)
    if listing is not None:
        names, labels, classes = _listed(values, labels, classes, content, listing, notes)
    if names is not None:
        refuse_twice(names, content)
    if classes is not None:
        refuse_twice(classes, content, "classes")
    kind = table.kind
    if kind == "unknown" and looks_like_probabilities(values):
        kind = "probabilities"
    return Scores(values, names, classes, labels, kind, table.split, content.path, form, tuple(notes))


def _upright(values, table, content, listing, notes):
    """The matrix with its videos in rows."""
    rows, columns = values.shape
    wanted = {len(part) for part in (table.names, table.labels) if part is not None}
    if table.classes is not None:
        columns_wanted = len(table.classes)
        return _turned(values, rows == columns_wanted != columns, notes)
    if listing is not None:
        wanted.add(len(listing.names))
    if not wanted:
        raise DataError(
            f"{content.path} holds a matrix of shape {values.shape} without names or labels, so it stays open which"
            " side is the videos; give the list of the videos that it was made with"
        )
    if len(wanted) > 1:
        raise DataError(_unequal(content, wanted, values))
    (count,) = wanted
    if count not in values.shape:
        raise DataError(_unequal(content, wanted, values))
    if rows == columns:
        known = listing is not None and listing.classes is not None
        raise DataError(
            f"{content.path} holds a matrix of {rows} × {columns}, so it stays open which side is the videos"
            f"{' although the list has as many' if known else ''}; save it with names, as CSV"
        )
    return _turned(values, rows != count, notes)


def _turned(values, turn, notes):
    if turn:
        notes.append("the matrix is transposed: its columns are the videos")
    return values.T if turn else values


def _unequal(content, wanted, values):
    rows, columns = values.shape
    found = " and ".join(str(count) for count in sorted(wanted))
    return (
        f"{content.path} holds scores of {rows} × {columns}, expected {found} videos, as its names, labels or list say"
    )


def _check_values(values, content):
    """Refuse what is not finite, and rows that tell nothing."""
    bad = values.size - np.count_nonzero(np.isfinite(values))
    if bad:
        raise DataError(f"{content.path}: scores must be finite, got {bad} NaN or infinite numbers")
    if max(-values.min(), values.max()) > LARGEST:
        raise DataError(f"{content.path}: scores must be within ±{LARGEST:g}")
    equal = np.flatnonzero(values.min(axis=1) == values.max(axis=1))
    if len(equal):
        raise DataError(
            f"{content.path}: {len(equal)} videos have the same score for all classes, in rows {listed(equal + 1)}"
        )


def _check_lengths(values, names, classes, content):
    for what, have, want in (("videos", names, values.shape[0]), ("classes", classes, values.shape[1])):
        if have is not None and len(have) != want:
            raise DataError(f"{content.path} names {len(have)} {what}, but holds scores of {want}")


def _labels(table, values, content, listing, notes):
    """Labels from 0, or flags."""
    if table.labels is None:
        return None
    labels = np.asarray(table.labels)
    if labels.ndim == 2:
        if labels.shape != values.shape or labels.dtype != bool:
            raise DataError(f"{content.path} holds labels of shape {labels.shape}, expected {values.shape}")
        return labels
    labels = numbers(labels, content, "labels").ravel()
    count = values.shape[1]
    if len(labels) != len(values):
        raise DataError(f"{content.path} holds {len(labels)} labels, expected {len(values)}")
    least, most = labels.min(), labels.max()
    if np.any(labels != np.floor(labels)) or least < 0 or most > count or (least == 0 and most == count):
        raise DataError(
            f"{content.path}: labels must be whole numbers from 0 to {count - 1}, or from 1 to {count}, got"
            f" {least:g} to {most:g}"
        )
    labels = labels.astype(np.int64)
    first = _first(labels, count, table.first_label, listing, content)
    if first and table.first_label != 1:
        notes.append("labels begin at 1")
    return labels - first


def _first(labels, count, rule, listing, content):
    """The number of the first class."""
    if labels.min() == 0:
        return 0
    if labels.max() == count:
        return 1
    if listing is not None and listing.labels is not None and len(listing.labels) == len(labels):
        for first in (0, 1):
            if np.array_equal(labels - first, listing.labels):
                return first
    if rule is None:
        raise DataError(
            f"{content.path}: labels from {labels.min()} to {labels.max()} of {count} classes may begin at 0 or at 1;"
            " give the list of the videos"
        )
    return rule


def _listed(values, labels, classes, content, listing, notes):
    """Names, labels and classes by a list in the order of the file."""
    count, classes_count = values.shape
    if len(listing.names) != count:
        raise DataError(
            f"{content.path} holds scores of {count} videos, but {listing.path} lists {len(listing.names)}; give the"
            " list that the network was tested with"
        )
    if listing.classes is not None and len(listing.classes) != classes_count:
        raise DataError(
            f"{content.path} holds scores of {classes_count} classes, but {listing.path} has {len(listing.classes)}"
        )
    if listing.labels is not None:
        truth = np.asarray(listing.labels, np.int64)
        if truth.max() >= classes_count:
            raise DataError(f"{content.path} holds scores of {classes_count} classes, but {listing.path} has more")
        if labels is None:
            right = np.count_nonzero(values.argmax(axis=1) == truth)
            if classes_count >= ODDS and count >= ODDS * classes_count and right * classes_count < 2 * count:
                raise DataError(
                    f"{content.path} labels {right} of {count} videos as {listing.path} does, no better than chance;"
                    " its order of videos or of classes is another"
                )
            labels = truth
        elif labels.ndim == 1 and np.any(labels != truth):
            wrong = np.count_nonzero(labels != truth)
            raise DataError(
                f"{content.path} has other labels than {listing.path} for {wrong} of {count} videos, so its order of"
                " videos or of classes is another"
            )
    if classes is None and listing.classes is not None:
        classes = list(listing.classes)
        notes.append(f"columns are the classes of {listing.path}, in its order")
    notes.append(f"rows are the videos of {listing.path}, in its order")
    return list(listing.names), labels, classes
