"""Average precision of scored segments, by the two definitions of the field.

The same detections give different numbers: ActivityNet goes through the detections by falling score and gives each the
true segment that it overlaps most; the official evaluation of THUMOS'14 goes through the true segments and gives each
the detection that overlaps it most, and forgives detections that touch an ambiguous segment.

Source: docs/method/untrimmed.md, section 4; Caba Heilbron et al., CVPR 2015; Jiang et al., THUMOS challenge 2014.
"""

import numpy as np

from classify.untrimmed.segments import overlaps
from classify.untrimmed.suppression import groups
from idt.errors import DataError

AMBIGUOUS = "Ambiguous"
"""THUMOS'14's label of segments in which detections are neither right nor wrong."""

RULES = ("activitynet", "thumos14")


def detection_precision(truth, detections, thresholds, *, rule="activitynet"):
    """Compute the average precision of each class at each overlap.

    Parameters
    ----------
    truth : Segments
        Rows of the label `AMBIGUOUS` excuse detections under the rule ``"thumos14"``, and are left out under the other.
    detections : Segments
        Detections of classes that are not among the truths are refused.
    thresholds : sequence of float
        Temporal intersections over union, in (0, 1].
    rule : str
        One of `RULES`.

    Returns
    -------
    dict of str to (t,) float64
        By class, in alphabetical order, one number for each threshold.

    Raises
    ------
    DataError
        If there is no truth, a detection has an unknown class, or an option is out of bounds.

    Notes
    -----
    docs/method/untrimmed.md, section 4. Equal scores stay in the order of the rows; of equal overlaps the last row is
    taken in the rule of ActivityNet, the first in that of THUMOS'14.
    """
    if rule not in RULES:
        raise DataError(f"rule must be one of {', '.join(RULES)}, got {rule!r}")
    if any(not 0 < threshold <= 1 for threshold in thresholds):
        raise DataError(f"overlaps must be above 0 and at most 1, got {', '.join(f'{t:g}' for t in thresholds)}")
    sure = truth.rows(truth.labels != AMBIGUOUS)
    classes = sorted(set(sure.labels.tolist()))
    if not classes:
        raise DataError("there is no true segment, so no precision is defined")
    unknown = sorted(set(detections.labels.tolist()) - set(classes))
    if unknown:
        raise DataError(f"no true segment is of the class {unknown[0]!r}; expected one of {', '.join(classes):.200}")
    found = {}
    for label in classes:
        true, guessed = sure.rows(sure.labels == label), detections.rows(detections.labels == label)
        guessed = guessed.rows(np.argsort(-guessed.scores, kind="stable"))
        if rule == "activitynet":
            found[label] = _activitynet(true, guessed, thresholds)
        else:
            vague = truth.rows(truth.labels == AMBIGUOUS)
            found[label] = np.array([_thumos14(true, guessed, vague, threshold) for threshold in thresholds])
    return found


def mean_precision(truth, detections, thresholds, *, rule="activitynet"):
    """Average the precisions of the classes.

    Parameters
    ----------
    truth, detections, thresholds, rule
        As `detection_precision`.

    Returns
    -------
    (t,) float64

    Raises
    ------
    DataError
        As `detection_precision`.
    """
    return np.mean(list(detection_precision(truth, detections, thresholds, rule=rule).values()), axis=0)


def _activitynet(truth, detections, thresholds):
    """Give each detection the free truth that it overlaps most; detections by falling score."""
    rows = groups(truth.videos)
    hits = np.zeros((len(thresholds), len(detections)), bool)
    taken = np.zeros((len(thresholds), len(truth)), bool)
    for i, video in enumerate(detections.videos.tolist()):
        of_video = rows.get((video,))
        if of_video is None:
            continue
        overlap = overlaps(detections.spans[i], truth.spans[of_video])
        order = np.argsort(overlap, kind="stable")[::-1]
        for t, threshold in enumerate(thresholds):
            free = [j for j in order if overlap[j] >= threshold and not taken[t, of_video[j]]]
            if free:
                taken[t, of_video[free[0]]] = hits[t, i] = True
    return np.array([_area(row, len(truth)) for row in hits])


def _area(hits, n_true):
    """Compute the area under precision over recall, where precision is made monotone from the right."""
    right = np.cumsum(hits)
    precision = right / np.arange(1, len(hits) + 1)
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    return float(envelope[hits].sum() / n_true)


def _thumos14(truth, detections, vague, threshold):
    """Give each truth the free detection that overlaps it most, then add up precisions at the hits."""
    rows, truths, vagues = groups(detections.videos), groups(truth.videos), groups(vague.videos)
    hit, counted = np.zeros(len(detections), bool), np.ones(len(detections), bool)
    for (video,), of_video in rows.items():
        free = np.ones(len(of_video), bool)
        for j in truths.get((video,), ()):
            if not free.any():
                break
            overlap = np.where(free, overlaps(truth.spans[j], detections.spans[of_video]), -1.0)
            best = int(np.argmax(overlap))
            if overlap[best] > threshold:
                free[best] = False
                hit[of_video[best]] = True
        for j in vagues.get((video,), ()):
            counted[of_video[free & (overlaps(vague.spans[j], detections.spans[of_video]) > 0)]] = False
    kept = hit[counted]
    precision = np.cumsum(kept) / np.arange(1, len(kept) + 1)
    return float(precision[kept].sum() / len(truth))
