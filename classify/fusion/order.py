"""Scores in the order of a list of videos and of its classes."""

import os
from dataclasses import replace

import numpy as np

from classify.text_files import listed
from idt.errors import DataError
from idt.frames.suffixes import VIDEOS


def in_order_of(scores, listing):
    """Order scores as a list does.

    Parameters
    ----------
    scores : Scores
        With names.
    listing : classify.datasets.video_list.VideoList
        Its videos are looked for by name, then without suffix, then without folder, each where that is unique.

    Returns
    -------
    Scores
        Of the videos of the list, under its names, with its classes and labels where it has them.

    Raises
    ------
    DataError
        If a video has no scores or several, classes differ, or labels do.
    """
    if scores.names is None:
        raise DataError(f"{scores.path or 'the scores'} name no videos, so they cannot be put in another order")
    rows = _rows(scores, listing)
    values, labels = scores.values[rows], None if scores.labels is None else scores.labels[rows]
    columns = _columns(scores, labels, listing)
    values = values[:, columns]
    if labels is not None:
        place = np.argsort(columns)
        labels = labels[:, columns] if labels.ndim == 2 else place[labels]
    if listing.labels is not None:
        truth = np.asarray(listing.labels, np.int64)
        if labels is not None and labels.ndim == 1 and np.any(labels != truth):
            wrong = [listing.names[row] for row in np.flatnonzero(labels != truth)]
            raise DataError(f"{scores.path or 'the scores'} and {listing.path} label {listed(wrong)} differently")
        labels = truth if labels is None or labels.ndim == 1 else labels
    names = None if scores.classes is None else [scores.classes[column] for column in columns]
    return replace(scores, values=values, names=list(listing.names), classes=listing.classes or names, labels=labels)


def _rows(scores, listing):
    """The row of each video of a list."""
    found: dict[str, int] = {}
    for key in (str, _without_suffix, os.path.basename, lambda name: os.path.basename(_without_suffix(name))):
        ours: dict[str, list[int]] = {}
        for row, name in enumerate(scores.names):
            ours.setdefault(key(name), []).append(row)
        theirs: dict[str, list[str]] = {}
        for name in listing.names:
            theirs.setdefault(key(name), []).append(name)
        for same, names in theirs.items():
            if len(names) == len(ours.get(same, ())) == 1 and names[0] not in found:
                found[names[0]] = ours[same][0]
    absent = [name for name in listing.names if name not in found]
    if absent:
        raise DataError(
            f"{scores.path or 'the scores'} have none of {len(absent)} videos of {listing.path}: {listed(absent)}"
        )
    if len(set(found.values())) < len(found):
        raise DataError(f"{listing.path} names one video of {scores.path or 'the scores'} twice")
    return np.array([found[name] for name in listing.names], np.intp)


def _without_suffix(name):
    stem, suffix = os.path.splitext(name)
    return stem if suffix.lower() in VIDEOS else name


def _columns(scores, labels, listing):
    """The column of each class of a list."""
    count = scores.values.shape[1]
    if listing.classes is not None and scores.classes is not None:
        place = {name: column for column, name in enumerate(scores.classes)}
        unknown = sorted({*listing.classes} ^ {*scores.classes})
        if unknown:
            raise DataError(f"{scores.path or 'the scores'} and {listing.path} have other classes: {listed(unknown)}")
        return np.array([place[name] for name in listing.classes], np.intp)
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
            raise DataError(f"{scores.path or 'the scores'} and {listing.path} have other labels")
        columns[label] = column
    if sorted(columns.tolist()) != list(range(count)):
        raise DataError(f"{listing.path} has no video of some classes, so it stays open which column is which")
    return columns
