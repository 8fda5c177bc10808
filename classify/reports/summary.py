"""The outcome of splits in numbers.

A subset is a group of splits that test different videos, such as all splits that leave one actor out. Their predictions
are put together before they are counted. The numbers of several subsets are averaged: each official split is a subset
of its own, and UT-Interaction has two, its set 1 and its set 2.
"""

import math
from typing import NamedTuple

import numpy as np

from classify import metrics
from classify.datasets.splits import Split
from idt.errors import DataError


class Fold(NamedTuple):
    """The outcome of a split.

    Attributes
    ----------
    split : Split
    classes : (k,) str
        Classes of the training videos.
    scores : (n, k) float
        Scores of the test videos, in the order of ``split.test``.
    probabilities : (n, k) float or None
        Calibrated probabilities; None if the classifier has none.
    """

    split: Split
    classes: list[str]
    scores: np.ndarray
    probabilities: np.ndarray | None = None


def summarise(dataset, folds):
    """Compute how well folds agree with the labels of their set.

    Parameters
    ----------
    dataset : Dataset
    folds : sequence of Fold

    Returns
    -------
    dict of str to float
        ``accuracy``, ``class_accuracy``, ``mean_average_precision`` and, for sets of more than five classes, ``top5``,
        and ``log_loss`` of probabilities; of sets whose clips have several labels ``mean_average_precision`` only. The
        folds of a subset are counted together, and the numbers of the subsets averaged.

    Raises
    ------
    DataError
        If there are no folds, or scores do not fit their split.
    """
    subsets = [numbers_of(dataset, mine) for mine in by_subset(folds).values()]
    return {key: float(np.mean([numbers[key] for numbers in subsets])) for key in subsets[0]}


def by_subset(folds):
    """Group folds by subset, in the order of the subsets' first appearance.

    Parameters
    ----------
    folds : sequence of Fold

    Returns
    -------
    dict of str to list of Fold

    Raises
    ------
    DataError
        If there are none.
    """
    subsets: dict[str, list[Fold]] = {}
    for fold in folds:
        subsets.setdefault(fold.split.subset, []).append(fold)
    if not subsets:
        raise DataError("a report needs at least one split")
    return subsets


def numbers_of(dataset, folds):
    """Compute the numbers of folds that test different videos, together.

    Parameters
    ----------
    dataset : Dataset
    folds : sequence of Fold

    Returns
    -------
    dict of str to float
        As from `summarise`.

    Raises
    ------
    DataError
        If scores do not fit their split.
    """
    found = {"mean_average_precision": float(np.nanmean(_precisions(dataset, folds)))}
    if dataset.multi_label:
        return found
    counts, truth = confusion_of(dataset, folds), _truth(dataset, folds)
    found = {"accuracy": metrics.accuracy(counts), "class_accuracy": metrics.class_accuracy(counts), **found}
    if len(dataset.classes) > 5:
        found["top5"] = metrics.top_k(truth, _scores(dataset, folds), dataset.classes, k=5)
    if all(fold.probabilities is not None for fold in folds):
        given = np.concatenate(
            [metrics.scores_of_all_classes(fold.probabilities, fold.classes, dataset.classes) for fold in folds]
        )
        # A class without training videos gets the probability 0.
        found["log_loss"] = metrics.log_loss(truth, np.maximum(given, 0), dataset.classes)
    return found


def confusion_of(dataset, folds):
    """Return the confusion matrix of all ``folds`` of ``dataset`` together; see `metrics.confusion`."""
    predicted = [label for fold in folds for label in predicted_by(fold)]
    return metrics.confusion(_truth(dataset, folds), predicted, dataset.classes)


def class_shares(dataset, folds):
    """Return the share of each class of ``dataset`` that ``folds`` labelled rightly.

    The share is None where a class has no video. The dict is empty where videos have several labels.
    """
    return {} if dataset.multi_label else _by_class(dataset, metrics.class_accuracies(confusion_of(dataset, folds)))


def class_precisions(dataset, folds):
    """Return the average precision of each class of ``dataset``, the mean over the subsets of ``folds``.

    It is None where a class has no video.
    """
    rows = np.stack([_precisions(dataset, mine) for mine in by_subset(folds).values()])
    there = ~np.isnan(rows)
    means = np.where(there.any(axis=0), np.nansum(rows, axis=0) / np.maximum(there.sum(axis=0), 1), np.nan)
    return _by_class(dataset, means)


def mistakes_of(dataset, folds):
    """List the test videos of ``dataset`` that are labelled wrongly, in the order of the ``folds``.

    The list is empty where videos have several labels.
    """
    return [
        {"name": name, "label": label, "predicted": predicted, "fold": fold.split.name}
        for fold in ([] if dataset.multi_label else folds)
        for name, label, predicted in zip(fold.split.test, _truth(dataset, [fold]), predicted_by(fold), strict=True)
        if label != predicted
    ]


def _truth(dataset, folds):
    labels = dataset.labels
    return [labels[name] for fold in folds for name in fold.split.test]


def predicted_by(fold):
    """Return the class of the highest score of each test video of a ``fold``, of equal ones the first."""
    _check(fold)
    return [str(fold.classes[best]) for best in np.argmax(fold.scores, axis=1)]


def _scores(dataset, folds):
    """Stack the scores of the folds, with a column for each class of the set."""
    for fold in folds:
        _check(fold)
    return np.concatenate([metrics.scores_of_all_classes(fold.scores, fold.classes, dataset.classes) for fold in folds])


def _precisions(dataset, folds):
    """Compute the average precision of each class over folds that test different videos."""
    truth = _truth(dataset, folds)
    has_class = metrics.memberships(truth, dataset.classes) if dataset.multi_label else truth
    return metrics.average_precision(has_class, _scores(dataset, folds), dataset.classes)


def _check(fold):
    """Refuse scores that do not fit their split."""
    if np.shape(fold.scores) != (len(fold.split.test), len(fold.classes)):
        raise DataError(
            f"scores of {fold.split.name} must be of shape {(len(fold.split.test), len(fold.classes))},"
            f" got {np.shape(fold.scores)}"
        )


def _by_class(dataset, shares):
    pairs = zip(dataset.classes, shares, strict=True)
    return {label: None if math.isnan(share) else float(share) for label, share in pairs}
