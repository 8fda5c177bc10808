"""Fusion by a linear support vector machine on the scores of all sources.

The scores of each source have the length 1 and stand side by side; validation videos train the machine. Source:
Simonyan & Zisserman 2014, section 6, who stack the scores of two networks so.
"""

import numpy as np

from classify import metrics
from classify.fusion.combining.normalize import normalized
from classify.svm.linear import LinearSVM
from idt.errors import DataError

PENALTY = 1.0
"""Default weight of errors: there are as many columns as classes and sources, and few validation videos."""


def stacking_scores(validation, gathered, *, C=PENALTY):
    """Score videos by a machine that is trained on validation videos.

    Parameters
    ----------
    validation, gathered : Gathered
        Scores of the same sources and classes: to train on, and to be scored.
    C : float or "cv"
        Weight of the errors, or chosen by cross-validation.

    Returns
    -------
    (n, C) float64
        A class that no validation video has gets less than all others.

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
        raise DataError("the validation videos have one class only; a machine needs two")
    machine = LinearSVM(C=C).fit(_side_by_side(validation), labels)
    return metrics.spread(machine.scores(_side_by_side(gathered)), machine.classes_, range(len(truth.classes)))


def _side_by_side(gathered):
    """Put the scores of the sources side by side, each source with the length 1, (n, S·C) float64."""
    names = gathered.truth.names
    return np.hstack([normalized(values, "l2", names=names, source=name) for name, values in gathered.scaled.items()])
