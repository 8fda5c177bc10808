"""Names for the rows of a file that has none, from the list of videos that it was made with."""

import numpy as np

from idt.errors import DataError

LEAST_TO_TEST = 10
"""Least number of classes, and of videos a class, for a test of the order. The test refuses scores if the number of
rightly labelled videos is below twice the number expected by chance, because their order must be another than that of
the list."""


def name_by_list(values, labels, classes, listing, maybe_sorted, content):
    """Name the rows and columns of scores by a list.

    Parameters
    ----------
    values : (n, C) float64
    labels : (n,) int64, (n, C) bool or None
        Labels in the file.
    classes : list of str or None
        Classes that the file names.
    listing : classify.datasets.video_list.VideoList
    maybe_sorted : bool
        Whether the file may have its rows in the sorted order of the list.
    content : classify.fusion.forms.content.Content
        For messages.

    Returns
    -------
    names : list of str
    labels : array or None
    classes : list of str or None
    notes : list of str

    Raises
    ------
    DataError
        If the list has another number of videos or classes, its labels are not those of the file, or it stays open
        whether the rows are sorted.
    """
    count, classes_count = values.shape
    names, truth = list(listing.names), None
    if len(names) != count:
        raise DataError(
            f"{content.path} holds scores of {count} videos, but {listing.path} lists {len(names)}; give the list that"
            " they were made with"
        )
    if listing.labels is not None:
        truth = np.asarray(listing.labels, np.int64)
    n_listed = max(0 if listing.classes is None else len(listing.classes), 0 if truth is None else int(truth.max()) + 1)
    if n_listed > classes_count or (listing.classes is not None and n_listed < classes_count):
        raise DataError(f"{content.path} holds scores of {classes_count} classes, but {listing.path} has {n_listed}")
    notes = []
    order = _order(names, truth, labels, maybe_sorted, listing, content)
    if order is not None:
        names = [names[row] for row in order]
        truth = None if truth is None else truth[order]
    if truth is not None:
        labels = _agreed(values, labels, truth, listing, content)
    if classes is None and listing.classes is not None:
        classes = list(listing.classes)
        notes.append(f"columns are the classes of {listing.path}, in its order")
    notes.append(f"rows are the videos of {listing.path}, in {'its' if order is None else 'the sorted'} order")
    return names, labels, classes, notes


def _order(names, truth, labels, maybe_sorted, listing, content):
    """Find the rows of the list in the order of the file; None if file and list have the same order."""
    order = sorted(range(len(names)), key=names.__getitem__)
    if not maybe_sorted or order == list(range(len(names))):
        return None
    known = truth is not None and labels is not None and labels.ndim == 1
    as_listed, as_sorted = (known and np.array_equal(labels, truth[rows]) for rows in (np.arange(len(names)), order))
    if as_sorted == as_listed and (as_listed or not known):
        raise DataError(
            f"{content.path} may be in the order of {listing.path} or in its sorted order, as tsn-pytorch writes, and"
            " its labels do not tell; give a list that is sorted, or one in the order of the file"
        )
    return order if as_sorted else None


def _agreed(values, labels, truth, listing, content):
    """Return the labels, on which file and list must agree."""
    count, classes_count = values.shape
    if labels is None:
        right = np.count_nonzero(values.argmax(axis=1) == truth)
        if (
            classes_count >= LEAST_TO_TEST
            and count >= LEAST_TO_TEST * classes_count
            and right * classes_count < 2 * count
        ):
            raise DataError(
                f"{content.path} labels {right} of {count} videos as {listing.path} does, no more than chance would;"
                " its order of videos or of classes is another"
            )
        return truth
    if labels.ndim == 2:
        wrong = np.count_nonzero(~labels[np.arange(count), truth])
    else:
        wrong = np.count_nonzero(labels != truth)
    if wrong:
        raise DataError(
            f"{content.path} has other labels than {listing.path} for {wrong} of {count} videos, so its order of videos"
            " or of classes is another"
        )
    return labels
