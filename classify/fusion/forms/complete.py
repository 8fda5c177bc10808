"""Scores from the table of a form's reader: checked, videos as rows, labels from 0, names from a list.

Rows are videos if the form says so, or if the numbers of names, labels, classes and listed videos fit the matrix only
that way. The number of the first class, 0 or 1, is found from the labels themselves, from the list, or by the form's
own rule. A file is refused if its rows may be videos or classes, or if its first class may be 0 or 1.

Source: docs/method/files.md, section 7.2.
"""

import numpy as np

from classify.fusion.forms.listing import name_by_list
from classify.fusion.forms.table import (
    LARGEST,
    looks_like_probabilities,
    numbers,
    refuse_repeated,
)
from classify.fusion.scores import Scores
from classify.text_files import listed
from idt.errors import DataError


def complete(table, content, form, video_list=None):
    """Convert the table of a form's reader to checked scores.

    Parameters
    ----------
    table : classify.fusion.forms.table.Table
    content : classify.fusion.forms.content.Content
    form : str
        Name of the form.
    video_list : classify.datasets.video_list.VideoList, optional
        Names of the rows where the file has none.

    Returns
    -------
    Scores

    Raises
    ------
    DataError
        If the scores are no matrix of finite numbers, a video has the same score for all classes, a name occurs twice,
        numbers of videos or classes differ, labels contradict those of the list, or the orientation of the matrix or
        the number of the first class cannot be found.
    """
    listing = video_list if table.names is None else None
    values, notes = numbers(table.values, content, "scores"), list(table.notes)
    if values.ndim != 2 or not values.size:
        raise DataError(f"{content.path} must hold scores of shape (videos, classes), got {values.shape}")
    if _is_transposed(values.shape, table, listing, content):
        values = values.T
        notes.append("the matrix is transposed: its columns are the videos")
    values = np.ascontiguousarray(values, np.float64)
    labels, note = _labels(table, values.shape, listing, content)
    notes += note
    names, classes = table.names, table.classes
    if listing is not None:
        names, labels, classes, note = name_by_list(values, labels, classes, listing, table.maybe_sorted, content)
        notes += note
    kind = table.kind
    if kind == "unknown" and looks_like_probabilities(values):
        kind = "probabilities"
    return checked(Scores(values, names, classes, labels, kind, None, content.path, form, tuple(notes)))


def _is_transposed(shape, table, listing, content):
    """Tell whether the columns are the videos."""
    videos = [("names", table.names), ("labels", table.labels)]
    classes = [("classes", table.classes)]
    if listing is not None:
        videos.append((f"videos of {listing.path}", listing.names))
        classes.append((f"classes of {listing.path}", listing.classes))
    wanted = [
        (f"{len(these)} {what}", side, len(these))
        for side, group in ((0, videos), (1, classes))
        for what, these in group
        if these is not None
    ]
    fits, fits_transposed = (all(turned[side] == count for _, side, count in wanted) for turned in (shape, shape[::-1]))
    if fits and (table.rows_are_videos or not fits_transposed):
        return False
    if fits_transposed and not fits and not table.rows_are_videos:
        return True
    beginning = f"{content.path} holds scores of {shape[0]} × {shape[1]}"
    if table.rows_are_videos or not (fits_transposed or fits):
        remedy = "" if listing is None else "; give the list that they were made with"
        raise DataError(f"{beginning}, which does not fit {', '.join(text for text, _, _ in wanted)}{remedy}")
    if wanted:
        raise DataError(f"{beginning}, so that either side may be the videos; save it with names, as CSV")
    raise DataError(
        f"{beginning} without names or labels, so that either side may be the videos; give the list of the videos that"
        " they belong to"
    )


def checked(scores):
    """Check ``scores`` (`classify.fusion.scores.Scores`) and return them.

    Raises
    ------
    DataError
        If a score is not finite, a video has the same score for all classes, a name occurs twice, or there are fewer
        than two classes.
    """
    values, path = scores.values, scores.path
    if values.shape[1] < 2:
        raise DataError(f"{path} must hold scores of two or more classes, got {values.shape[1]}")
    bad = values.size - np.count_nonzero(np.isfinite(values))
    if bad:
        raise DataError(f"{path}: scores must be finite, got {bad} NaN or infinite numbers")
    if not values.size:
        raise DataError(f"{path} holds no videos")
    if max(-values.min(), values.max()) > LARGEST:
        raise DataError(f"{path}: scores must be within ±{LARGEST:g}, got {values.min():g} to {values.max():g}")
    equal = np.flatnonzero(values.min(axis=1) == values.max(axis=1))
    if len(equal):
        raise DataError(f"{path}: {len(equal)} videos have the same score for all classes, in rows {listed(equal + 1)}")
    for names, what in ((scores.names, "videos"), (scores.classes, "classes")):
        if names is not None:
            refuse_repeated(names, path, what)
    return scores


def _labels(table, shape, listing, content):
    """Return labels from 0, flags or None, and notes on them."""
    if table.labels is None:
        return None, []
    if table.labels.ndim == 2:
        if table.labels.shape != shape:
            raise DataError(f"{content.path} holds labels of shape {table.labels.shape}, expected {shape}")
        return table.labels, []
    labels, count = numbers(table.labels, content, "labels"), shape[1]
    least, most = labels.min(), labels.max()
    # Negated, because comparisons with NaN are false and NaN has to be refused.
    if not (0 <= least <= most <= count) or np.any(labels != np.floor(labels)) or (least == 0 and most == count):
        raise DataError(
            f"{content.path}: labels must be whole numbers from 0 to {count - 1}, or from 1 to {count}, got"
            f" {least:g} to {most:g}"
        )
    labels = labels.astype(np.int64)
    first = _first_label(labels, count, table.first_label, listing, content)
    return labels - first, ["labels begin at 1"] if first else []


def _first_label(labels, count, rule, listing, content):
    """Find the number of the first class."""
    if labels.min() == 0:
        return 0
    if labels.max() == count:
        return 1
    if listing is not None and listing.labels is not None and len(listing.labels) == len(labels):
        for first in (0, 1):
            if np.array_equal(np.sort(labels - first), np.sort(listing.labels)):
                return first
    if rule is None:
        raise DataError(
            f"{content.path}: labels from {labels.min()} to {labels.max()} of {count} classes may begin at 0 or at 1;"
            " give the list of the videos"
        )
    return rule
