"""Columns of a score file in the order of the classes, never by their position alone.

Names of classes in the file decide. Without names the labels in the file decide: the videos that they give a column
must be exactly the videos of one class. Without names and labels the columns are in the order of the list that numbers
the classes, if there is one. An order that the scores contradict is refused.
"""

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.stats import binom

from classify.fusion.alignment.names import CLASS_NAME_RULES, match
from classify.text_files import listed
from idt.errors import DataError

ORDER_SIGNIFICANCE = 1e-6
"""Significance level below which scores contradict an order of the columns."""

FEWEST_VIDEOS = 100
"""Least number of videos for which the order of the rows is tested."""

CHANCE = 1e-3
"""Largest p-value with which the order of the rows is accepted. The p-value is the probability that random labels are
right for at least as many videos as the scores."""


def column_order(scores, truth, rows, name):
    """Find the column of each class.

    Parameters
    ----------
    scores : Scores
    truth : Truth
    rows : (n,) intp
        Row of each video of ``truth`` in the scores, -1 where they have none.
    name : str
        Name of the file in messages.

    Returns
    -------
    order : (C,) intp
        Column of each class.
    how : str
        How the order was found, in words for the report.

    Raises
    ------
    DataError
        If the file has other classes, its labels contradict those of ``truth``, or the order cannot be found.
    """
    width, classes = scores.values.shape[1], truth.classes
    by_name = scores.classes is not None
    if by_name and scores.labels is not None and are_numbers(classes) and not are_numbers(scores.classes):
        # The true labels only number the classes, so the names in the file match none of them.
        by_name = False
    if by_name:
        order = _by_name(scores.classes, classes, name)
        _check_labels(scores, truth, rows, order, name)
        return order, "by the names of the classes"
    if width != len(classes):
        raise DataError(f"{name} has {width} columns and no names of classes, expected {len(classes)} classes")
    if scores.labels is not None:
        return _by_labels(scores, truth, rows, name)
    if not truth.numbered:
        raise DataError(
            f"{name} names no classes and has no labels, so that the order of its {width} columns cannot be told; name"
            " a file of its classes, --classes"
        )
    return np.arange(width), f"in the order of {truth.origin}"


def are_numbers(classes):
    """Tell whether ``classes`` are only the numbers ``0``, ``1``, …, instead of names."""
    return list(classes) == [str(number) for number in range(len(classes))]


def _by_name(given, classes, name):
    """Find the column of each class by the names."""
    found = match(classes, given, CLASS_NAME_RULES)
    if found.ambiguous:
        raise DataError(f"{name}: classes that cannot be told apart: {listed(found.ambiguous)}")
    missing = [label for label, place in zip(classes, found.places, strict=True) if place < 0]
    taken = set(found.places.tolist())
    unknown = [label for column, label in enumerate(given) if column not in taken]
    if missing or unknown:
        parts = [f"{len(unknown)} unknown classes, {listed(unknown)}"] if unknown else []
        parts += [f"{len(missing)} missing classes, {listed(missing)}"] if missing else []
        raise DataError(f"{name} has {len(given)} classes, expected {len(classes)}: {'; '.join(parts)}")
    return found.places


def _label_flags(scores):
    """Return the labels of a file as a flag for each video and column, (n, C) bool."""
    if scores.labels.ndim == 2:
        return np.asarray(scores.labels, bool)
    return scores.labels[:, None] == np.arange(scores.values.shape[1])


def _check_labels(scores, truth, rows, order, name):
    """Refuse labels of a file that differ from the true ones."""
    if scores.labels is None:
        return
    present = rows >= 0
    given = _label_flags(scores)[rows[present]][:, order]
    wrong = np.flatnonzero((given != truth.has_class[present]).any(axis=1))
    if len(wrong):
        _refuse_labels(wrong, present, given, truth, name)


def _refuse_labels(wrong, present, given, truth, name):
    """Raise an error that names the videos whose labels differ."""
    videos = np.flatnonzero(present)[wrong]
    odd = [
        f"{truth.names[video]} ({_class_names(given[row], truth)} instead of"
        f" {_class_names(truth.has_class[video], truth)})"
        for row, video in zip(wrong, videos, strict=True)
    ]
    raise DataError(
        f"{name}: the labels of {len(odd)} of {int(present.sum())} videos contradict {truth.origin}: {listed(odd[:5])}"
        f"{' …' if len(odd) > 5 else ''}"
    )


def _class_names(has_class, truth):
    return " and ".join(truth.classes[column] for column in np.flatnonzero(has_class)) or "none"


def _by_labels(scores, truth, rows, name):
    """Find the column of each class by the labels: the column whose labelled videos are the videos of the class."""
    present = rows >= 0
    given, wanted = _label_flags(scores)[rows[present]], truth.has_class[present]
    has_videos = wanted.any(axis=0)
    if (given == wanted).all() and (truth.numbered or (~has_videos).sum() < 2):
        return np.arange(given.shape[1]), "by the labels, which are numbered alike"
    shared = given.T.astype(np.int64) @ wanted.astype(np.int64)
    order = linear_sum_assignment(-shared.T)[1].astype(np.intp)
    # The assignment also pairs the classes without videos; their columns must have no videos either.
    wrong = np.flatnonzero((given[:, order] != wanted).any(axis=1))
    if len(wrong):
        _refuse_labels(wrong, present, given[:, order], truth, name)
    for label in np.flatnonzero(has_videos):
        same = np.flatnonzero(shared[:, label] == shared[order[label], label])
        if len(same) > 1:
            raise DataError(
                f"{name}: the column of {truth.classes[label]} cannot be told, because {len(same)} columns have the"
                " same videos; name a file of its classes, --classes"
            )
    bare = np.flatnonzero(~has_videos)
    if len(bare) > 1:
        raise DataError(
            f"{name}: the columns of {len(bare)} classes cannot be told, because no video has them:"
            f" {listed(truth.classes[label] for label in bare)}; name a file of its classes, --classes"
        )
    return order, "found by the labels of the videos"


def check_plausible(values, truth, rows, name, *, by_position):
    """Refuse scores that contradict the order of their columns or rows.

    Parameters
    ----------
    values : (n, C) float
        Columns in the order of the classes.
    truth : Truth
    rows : (n,) intp
        Row in ``values`` of each video, -1 where there is none.
    name : str
        Name of the file in messages.
    by_position : bool
        Whether a list gave the rows their names and no labels confirm them.

    Raises
    ------
    DataError
        If far more videos would be labelled rightly with columns of some classes exchanged, or if rows named by a list
        are labelled rightly no more often than by chance.
    """
    present = rows >= 0
    if truth.multi_label or not present.any():
        return
    labels, best = truth.labels[present], values[rows[present]].argmax(axis=1)
    counts = np.zeros((len(truth.classes),) * 2, np.int64)
    np.add.at(counts, (labels, best), 1)
    right, chance = int(np.trace(counts)), float(np.bincount(labels).max() / len(labels))
    if by_position and len(labels) >= FEWEST_VIDEOS and binom.sf(right - 1, len(labels), chance) > CHANCE:
        raise DataError(
            f"{name}: {right} of {len(labels)} videos are right, no more than by chance, so that its rows or columns"
            " are in another order than the list; give the list that the file was made with"
        )
    for cycle in _cycles(linear_sum_assignment(-counts)[1]):
        kept, exchanged = int(counts[cycle, cycle].sum()), int(counts[cycle, np.roll(cycle, -1)].sum())
        if exchanged > 3 * kept and binom.sf(exchanged - 1, kept + exchanged, 0.5) < ORDER_SIGNIFICANCE:
            raise DataError(
                f"{name}: the columns of {listed(truth.classes[label] for label in cycle[:5])}"
                f"{' …' if len(cycle) > 5 else ''} seem to be in another order, in which {exchanged} of their videos"
                f" were right instead of {kept}; name a file of its classes, --classes"
            )


def _cycles(order):
    """Yield the cycles of an order: groups of classes that change places among themselves."""
    left = set(np.flatnonzero(order != np.arange(len(order))).tolist())
    while left:
        cycle, at = [], min(left)
        while at in left:
            left.remove(at)
            cycle.append(at)
            at = int(order[at])
        yield np.array(cycle)
