"""Measures of a fusion: each source alone and all together, class by class, video by video, and over the weight.

Accuracies of splits are averaged; with `FusionProtocol.pool` their videos are counted together. Shares lie in [0, 1].
"""

import math
from dataclasses import replace

import numpy as np

from classify import metrics
from classify.fusion.combining.weights import weighted_sum

CONFIDENCE_LEVEL = 0.95
"""Confidence of the interval over the splits."""

CURVE_POINTS = 21
"""Points of the curve over the weight."""

ACCURACY_KEY, PRECISION_KEY = "accuracy", "mean_average_precision"
"""Keys of the main metric, where videos have one label each and where they may have several."""


def main_metric(has_class, scores, multi_label):
    """Return the main metric of a fusion: accuracy, or mean average precision where videos have several labels.

    Parameters
    ----------
    has_class : (n, C) bool
        True labels.
    scores : (n, C) float
    multi_label : bool

    Returns
    -------
    float
    """
    if multi_label:
        return metrics.mean_average_precision(has_class, scores, range(scores.shape[1]))
    return float((scores.argmax(axis=1) == has_class.argmax(axis=1)).mean())


def measure_scores(truth, scores):
    """Measure how well scores agree with the true labels.

    Parameters
    ----------
    truth : Truth
    scores : (n, C) float64

    Returns
    -------
    dict of str to float
        ``accuracy``, ``class_accuracy``, and ``top5`` of more than five classes; of videos with several labels
        ``mean_average_precision`` only.
    """
    classes = range(len(truth.classes))
    if truth.multi_label:
        return {PRECISION_KEY: metrics.mean_average_precision(truth.has_class, scores, classes)}
    counts = metrics.confusion(truth.labels, scores.argmax(axis=1), classes)
    found = {ACCURACY_KEY: metrics.accuracy(counts), "class_accuracy": metrics.class_accuracy(counts)}
    if len(classes) > 5:
        found["top5"] = metrics.top_k(truth.labels, scores, classes)
    return found


def measure_splits(splits, scores, *, pool):
    """Measure the scores of all splits.

    Parameters
    ----------
    splits : list of Truth
    scores : list of (n, C) float64
    pool : bool

    Returns
    -------
    dict
        Numbers as from `measure_scores`, ``per_split`` with the numbers of each split, and the confidence ``interval``
        over the splits, None for one split.
    """
    each = [measure_scores(truth, values) for truth, values in zip(splits, scores, strict=True)]
    if pool:
        together = measure_scores(pooled(splits), np.concatenate(scores))
    else:
        together = {key: float(np.mean([numbers[key] for numbers in each])) for key in each[0]}
    metric = PRECISION_KEY if splits[0].multi_label else ACCURACY_KEY
    bounds = metrics.confidence_interval([numbers[metric] for numbers in each], level=CONFIDENCE_LEVEL)
    interval = bounds and {
        "level": CONFIDENCE_LEVEL, "low": max(bounds[0], 0.0), "high": min(bounds[1], 1.0), "splits": len(each)
    }  # fmt: skip
    return {**together, "interval": interval, "per_split": each}


def pooled(splits):
    """Return the labels of all ``splits`` together."""
    names = [name for truth in splits for name in truth.names]
    return replace(splits[0], names=names, has_class=np.concatenate([truth.has_class for truth in splits]))


def class_shares(splits, scores, *, pool):
    """Measure the scores class by class.

    Parameters
    ----------
    splits : list of Truth
    scores : list of (n, C) float64
    pool : bool

    Returns
    -------
    dict of str to float or None
        Accuracy of each class, or its average precision where videos have several labels; None where it has no video.
    """
    if pool:
        splits, scores = [pooled(splits)], [np.concatenate(scores)]
    rows = []
    for truth, values in zip(splits, scores, strict=True):
        classes = range(len(truth.classes))
        if truth.multi_label:
            rows.append(metrics.average_precision(truth.has_class, values, classes))
        else:
            rows.append(metrics.class_accuracies(metrics.confusion(truth.labels, values.argmax(axis=1), classes)))
    table = np.stack(rows)
    known = ~np.isnan(table)
    means = np.where(known.any(axis=0), np.nansum(table, axis=0) / np.maximum(known.sum(axis=0), 1), np.nan)
    return {
        label: None if math.isnan(share) else float(share)
        for label, share in zip(splits[0].classes, means, strict=True)
    }


def changed_videos(gathered, before, after):
    """List the videos that a fusion corrects, and the videos that it spoils.

    Parameters
    ----------
    gathered : list of Gathered
    before, after : list of (n, C) float64
        Scores of each split without the trajectories, or of the best source alone, and of the fusion.

    Returns
    -------
    corrected, spoiled : list of dict
        ``split``, ``name``, ``label``, ``before`` and ``after`` of each video; no entries where videos have several
        labels.
    """
    corrected: list[dict] = []
    spoiled: list[dict] = []
    for split, old, new in zip(gathered, before, after, strict=True):
        truth = split.truth
        if truth.multi_label:
            continue
        was, now = old.argmax(axis=1), new.argmax(axis=1)
        for row in np.flatnonzero((was == truth.labels) != (now == truth.labels)):
            line = {
                "split": split.split,
                "name": truth.names[row],
                "label": truth.classes[truth.labels[row]],
                "before": truth.classes[was[row]],
                "after": truth.classes[now[row]],
            }
            (corrected if now[row] == truth.labels[row] else spoiled).append(line)
    return corrected, spoiled


def weight_shares(weights, names):
    """Return the ``weights`` of the sources ``names`` as shares of their sum; equal ones if that is 0."""
    total = sum(weights[name] for name in names)
    return {name: weights[name] / total if total > 0 else 1 / len(names) for name in names}


def weight_curve(gathered, weights, group, *, pool):
    """Measure fusions over the weight of some sources against all others.

    Parameters
    ----------
    gathered : list of Gathered
    weights : list of dict of str to float
        Weights of each split; within the group and within the others they keep their ratios.
    group : list of str
        Sources whose weight varies.
    pool : bool

    Returns
    -------
    list of dict
        ``weight`` of the group, and `main_metric` under the name of the metric.
    """
    multi_label = gathered[0].truth.multi_label
    sides = []
    for split, given in zip(gathered, weights, strict=True):
        others = [name for name in split.scaled if name not in group]
        sides.append([weighted_sum(split.scaled, weight_shares(given, side)) for side in (group, others)])
    points = []
    for weight in np.linspace(0, 1, CURVE_POINTS):
        scores = [weight * ours + (1 - weight) * theirs for ours, theirs in sides]
        has_class = [split.truth.has_class for split in gathered]
        if pool:
            has_class, scores = [np.concatenate(has_class)], [np.concatenate(scores)]
        found = np.mean(
            [main_metric(true, values, multi_label) for true, values in zip(has_class, scores, strict=True)]
        )
        points.append({"weight": round(float(weight), 4), PRECISION_KEY if multi_label else ACCURACY_KEY: float(found)})
    return points
