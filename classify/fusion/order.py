"""Scores in the order of a list of videos and of its classes."""

from dataclasses import replace

import numpy as np

from classify.fusion.alignment.names import CLASS_NAME_RULES, match
from classify.fusion.forms.table import refuse_repeated
from classify.text_files import listed
from idt.errors import DataError


def in_order_of(scores, listing):
    """Order scores as a list does.

    Parameters
    ----------
    scores : Scores
        With names.
    listing : classify.datasets.video_list.VideoList
        Its videos and classes are found by name, in the spellings of `classify.fusion.alignment.names`.

    Returns
    -------
    Scores
        Scores of the videos of the list, under its names, with its classes and labels where it has them.

    Raises
    ------
    DataError
        If a video has no scores or several, or classes or labels differ.
    """
    if scores.names is None:
        raise DataError(f"{scores.path or 'the scores'} name no videos, so they cannot be put in another order")
    rows = _rows(scores, listing)
    values, labels = scores.values[rows], None if scores.labels is None else scores.labels[rows]
    columns = _columns(scores, labels, listing)
    values = values[:, columns]
    if labels is not None:
        new_columns = np.argsort(columns)
        labels = labels[:, columns] if labels.ndim == 2 else new_columns[labels]
    if listing.labels is not None:
        truth = np.asarray(listing.labels, np.int64)
        if labels is not None and labels.ndim == 1 and np.any(labels != truth):
            wrong = [listing.names[row] for row in np.flatnonzero(labels != truth)]
            raise DataError(f"{scores.path or 'the scores'} and {listing.path} label {listed(wrong)} differently")
        labels = truth if labels is None or labels.ndim == 1 else labels
    names = None if scores.classes is None else [scores.classes[column] for column in columns]
    return replace(scores, values=values, names=list(listing.names), classes=listing.classes or names, labels=labels)


def _rows(scores, listing):
    """Find the row of each video of a list."""
    refuse_repeated(listing.names, listing.path)
    found = match(listing.names, scores.names)
    absent = [name for name, row in zip(listing.names, found.places, strict=True) if row < 0]
    if absent:
        several = f"; it stays open which is meant: {listed(found.ambiguous)}" if found.ambiguous else ""
        raise DataError(
            f"{scores.path or 'the scores'} lack {len(absent)} videos of {listing.path}: {listed(absent)}{several}"
        )
    return found.places


def _columns(scores, labels, listing):
    """Find the column of each class of a list."""
    count = scores.values.shape[1]
    if listing.classes is not None and scores.classes is not None:
        places = match(listing.classes, scores.classes, CLASS_NAME_RULES).places
        unknown = [name for name, column in zip(listing.classes, places, strict=True) if column < 0]
        unknown += [name for column, name in enumerate(scores.classes) if column not in places]
        if unknown:
            raise DataError(f"{scores.path or 'the scores'} and {listing.path} have other classes: {listed(unknown)}")
        return places
    if listing.labels is None or labels is None or labels.ndim == 2:
        if scores.classes is None or listing.labels is None:
            return np.arange(count)
        raise DataError(
            f"{listing.path} numbers its classes without naming them, and the scores have no labels to tell which"
            " column is which; give a list with names of classes"
        )
    columns = np.full(count, -1, np.intp)
    for label, column in zip(listing.labels, labels.tolist(), strict=True):
        if not 0 <= label < count or columns[label] not in (-1, column):
            raise DataError(
                f"{scores.path or 'the scores'} and {listing.path} label videos differently;"
                " give the list of the scores"
            )
        columns[label] = column
    if sorted(columns.tolist()) != list(range(count)):
        raise DataError(f"{listing.path} has no video of some classes, so it stays open which column is which")
    return columns
