"""Numbers of the test videos of a split: agreement of frames, or average precision of detections.

The rules are those of `classify.untrimmed.protocols`, so that `idt-segment --evaluate` gives the same numbers.

Source: docs/method/untrimmed.md, sections 2, 4 and 11.
"""

import math
from typing import NamedTuple

import numpy as np

from classify.untrimmed.detection_metrics import AMBIGUOUS
from classify.untrimmed.frame_metrics import frame_scores, runs
from classify.untrimmed.frames import labels_of, segments_of
from classify.untrimmed.protocols import FRAMES, SEGMENTS, precisions
from classify.untrimmed.segment_videos import joined
from classify.untrimmed.segments import Segments
from idt.errors import DataError

TOLERANCE = 0.05
"""Share of its length by which a video may be longer or shorter than its labels, in addition to one second."""

DEFAULT_BACKGROUND = "background"
"""Label of frames outside all segments, where a set does not name one."""

MAIN_OVERLAP = 0.5
"""Overlap at which the report lists the average precision of each class."""


class Truth(NamedTuple):
    """True labels or segments of one video.

    Attributes
    ----------
    labels : (T,) str or None
        Labels of frames; None for a set with segments.
    rate : float
        Labels a second; the frame rate of the video where there are no labels.
    segments : Segments
        True segments of the video.
    seconds : float
        Length of the video.
    """

    labels: np.ndarray | None
    rate: float
    segments: Segments
    seconds: float


def truth_of(untrimmed_set, name, *, fps, frames, rate=None):
    """Return the true labels or segments of a video.

    Parameters
    ----------
    untrimmed_set : classify.evaluation.untrimmed.data_sets.UntrimmedSet
    name : str
    fps : float
        Frames a second of the video.
    frames : int
        Number of frames of the video.
    rate : float, optional
        Labels a second; by default the protocol's, or the number of labels divided by the seconds of the video.

    Returns
    -------
    Truth

    Raises
    ------
    DataError
        If the rate of the video is unknown, or its labels and the video differ in duration.
    """
    if not fps > 0:
        raise DataError(f"the rate of {name} is unknown, so its labels cannot be found in it")
    seconds, data_set = frames / fps, untrimmed_set.dataset.name
    if not untrimmed_set.labels:
        own = untrimmed_set.segments.rows(untrimmed_set.segments.videos == name)
        # Published lists contain segments that end after the video does.
        return Truth(None, fps, own if data_set in FRAMES else _within(own, seconds), seconds)
    labels = untrimmed_set.labels[name]
    known = FRAMES[data_set].rate if rate is None else rate
    if math.isnan(known):
        known = len(labels) / seconds
    lasting = len(labels) / known
    if abs(lasting - seconds) > max(1.0, TOLERANCE * seconds):
        raise DataError(
            f"{name} has {len(labels)} labels, {lasting:.1f} s at {known:g} a second, and lasts {seconds:.1f} s; give"
            " the rate of the labels with --rate"
        )
    return Truth(labels, known, _within(segments_of(name, labels, known), seconds), seconds)


def hidden_labels(untrimmed_set, background=None):
    """Return the labels whose segments do not count in Edit and F1: the background.

    Parameters
    ----------
    untrimmed_set : classify.evaluation.untrimmed.data_sets.UntrimmedSet
    background : str, optional
        Background label from the command line.

    Returns
    -------
    tuple of str
    """
    if background is not None:
        return (background,)
    return FRAMES[untrimmed_set.dataset.name].background if untrimmed_set.labels else (DEFAULT_BACKGROUND,)


def measure_frames(truths, found, hidden):
    """Compare the labels of the frames of some videos with the true ones.

    Parameters
    ----------
    truths : dict of str to Truth
        By video.
    found : list of classify.untrimmed.segment_videos.Segmented
    hidden : tuple of str
        Labels whose segments do not count in Edit and F1.

    Returns
    -------
    numbers : dict
        Metrics of all videos together, ready for JSON; ``baseline`` where the method has one.
    videos : list of dict
        Metrics of each video.
    labels : list of ((T,) str, (T,) str)
        True and predicted labels of each video.
    """
    outside = hidden[0] if hidden else DEFAULT_BACKGROUND
    rates = [(truths[each.name].rate, each.fps) for each in found]
    true = [_true_labels(truths[each.name], each, outside) for each in found]

    def resampled_all(labels):
        return [_resampled(one, len(own), *rate) for one, own, rate in zip(labels, true, rates, strict=True)]

    def agreement(guessed):
        return _frame_numbers(frame_scores(true, guessed, background=hidden))

    guessed = resampled_all([each.labels for each in found])
    numbers = agreement(guessed)
    if all(each.baseline is not None for each in found):
        numbers["baseline"] = agreement(resampled_all([each.baseline for each in found]))
    pairs = list(zip(true, guessed, strict=True))
    videos = [_frame_numbers(frame_scores([one], [other], background=hidden)) for one, other in pairs]
    return numbers, videos, pairs


def measure_segments(name, truths, found):
    """Compute the mean average precision of the detections in some videos.

    Parameters
    ----------
    name : str
        One of `classify.untrimmed.protocols.SEGMENTS`.
    truths : dict of str to Truth
    found : list of classify.untrimmed.segment_videos.Segmented

    Returns
    -------
    numbers : dict
        ``precision`` by overlap, ready for JSON, and ``average``, the mean over the overlaps of the protocol.
    classes : dict of str to dict
        Average precision of each class, by overlap.
    """
    known = SEGMENTS[name]
    true = joined([truths[each.name].segments for each in found])
    guessed = joined([each.segments for each in found])
    # Classes of the training videos that no test video has are not measured.
    guessed = guessed.rows(np.isin(guessed.labels, list({*true.labels.tolist()} - {AMBIGUOUS})))
    of_class = precisions(name, true, guessed)
    means = dict(zip(known.overlaps, np.mean(list(of_class.values()), axis=0).tolist(), strict=True))
    numbers = {
        "precision": {f"{at:g}": value for at, value in means.items()},
        "average": float(np.mean([means[at] for at in known.averaged])),
    }
    classes = {
        label: dict(zip((f"{at:g}" for at in known.overlaps), values.tolist(), strict=True))
        for label, values in of_class.items()
    }
    return numbers, classes


def mean_of(numbers):
    """Average the ``numbers`` of splits: nested dicts of floats with the same keys."""
    first = numbers[0]
    return {
        key: mean_of([each[key] for each in numbers])
        if isinstance(first[key], dict)
        else float(np.mean([each[key] for each in numbers]))
        for key in first
    }


def class_shares(labels):
    """Compute the share of the frames of each class that are labelled rightly.

    Parameters
    ----------
    labels : list of ((T,) str, (T,) str)
        True and predicted labels of each video.

    Returns
    -------
    dict of str to float
    """
    counts: dict[str, list[int]] = {}
    for true, guessed in labels:
        for run in runs(true):
            own = counts.setdefault(run.label, [0, 0])
            own[0] += int(np.count_nonzero(guessed[run.start : run.end] == run.label))
            own[1] += run.end - run.start
    return {label: right / total for label, (right, total) in sorted(counts.items())}


def _within(segments, seconds):
    """Cut segments off at the end of their video."""
    spans = np.minimum(segments.spans, seconds)
    kept = spans[:, 0] < spans[:, 1]
    return Segments(segments.videos[kept], segments.labels[kept], spans[kept], segments.scores[kept])


def _true_labels(truth, found, outside):
    if truth.labels is not None:
        return truth.labels
    return labels_of(truth.segments, len(found.labels), truth.rate, background=outside)


def _resampled(labels, count, rate, fps):
    """Take the labels of frames of a video at the times of ``count`` true labels."""
    frames = np.floor((np.arange(count) + 0.5) / rate * fps).astype(np.int64)
    return labels[np.minimum(frames, len(labels) - 1)]


def _frame_numbers(scores):
    return {
        "accuracy": scores.accuracy_pooled,
        "accuracy_mean": scores.accuracy_mean,
        "edit": scores.edit,
        "f1": {f"{100 * at:.0f}": value for at, value in scores.f1_pooled.items()},
        "f1_mean": {f"{100 * at:.0f}": value for at, value in scores.f1_mean.items()},
    }
