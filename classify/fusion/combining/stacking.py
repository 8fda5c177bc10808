"""Fusion by a linear support vector machine (SVM) on the scores of all sources.

The scores of each source are divided by their L2 norm and concatenated. The SVM is trained on validation videos.
Source: Simonyan & Zisserman 2014, section 6, who fuse the scores of two networks in this way.
"""

import numpy as np

from classify import metrics
from classify.fusion.combining.normalize import normalized
from classify.svm.linear import LinearSVM
from idt.errors import DataError

PENALTY = 1.0
"""Default penalty C of the SVM, for many columns (one for each class of each source) and few validation videos."""


def stacking_scores(validation, gathered, *, C=PENALTY):
    """Score videos by an SVM that is trained on validation videos.

    Parameters
    ----------
    validation, gathered : Gathered
        Scores of the videos to train on, and of the videos to be scored. Sources and classes are the same.
    C : float or "cv"
        Penalty of the SVM; "cv" chooses it by cross-validation.

    Returns
    -------
    (n, C) float64
        A class that no validation video has gets lower scores than all others.

    Raises
    ------
    DataError
        If validation videos have one class only.
    """
    truth = validation.truth
    if truth.multi_label:
        labels = [tuple(map(int, np.flatnonzero(row))) for row in truth.has_class]
    else:
        labels = truth.labels
    if truth.has_class.any(axis=0).sum() < 2:
        raise DataError("the validation videos have one class only; an SVM needs two")
    svm = LinearSVM(C=C).fit(_concatenated(validation), labels)
    return metrics.scores_of_all_classes(svm.scores(_concatenated(gathered)), svm.classes_, range(len(truth.classes)))


def _concatenated(gathered):
    """Concatenate the scores of all S sources, each divided by its L2 norm, (n, S·C) float64."""
    names = gathered.truth.names
    return np.hstack([normalized(values, "l2", names=names, source=name) for name, values in gathered.scaled.items()])
