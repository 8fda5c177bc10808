"""Segments of one video from the scores of its windows, by each method.

Source: docs/method/untrimmed.md, sections 3, 5, 6 and 9.
"""

import numpy as np

from classify.untrimmed.dtw import align_states, stretch_labels
from classify.untrimmed.frames import segments_of
from classify.untrimmed.segments import Segments
from classify.untrimmed.suppression import suppress
from classify.untrimmed.viterbi import decode_frames, decode_segments
from idt.errors import DataError


def by_viterbi(scores, *, penalty=1.0, length_rewards=None):
    """Label slices by Viterbi decoding.

    Parameters
    ----------
    scores : SliceScores
    penalty : float
        Cost of each change.
    length_rewards : (L + 1, C) float, optional
        Rewards of lengths in slices, as `classify.untrimmed.viterbi.decode_segments`.

    Returns
    -------
    (s,) str
    """
    if length_rewards is None:
        classes, _ = decode_frames(scores.values, penalty)
    else:
        classes, _ = decode_segments(scores.values, length_rewards, penalty)
    return np.array(scores.classes)[classes]


def by_transcript(scores, transcript):
    """Label slices by alignment with an ordered list of actions.

    Parameters
    ----------
    scores : SliceScores
    transcript : list of str
        Actions in the order in which they happen.

    Returns
    -------
    aligned : (s,) str
    equal : (s,) str
        The actions stretched over equal parts of the video, the baseline.

    Raises
    ------
    DataError
        If an action is none of the classes, or there are more actions than slices.
    """
    place = {label: column for column, label in enumerate(scores.classes)}
    unknown = [label for label in transcript if label not in place]
    if unknown:
        raise DataError(
            f"the transcript of {scores.name} names {unknown[0]!r}, expected one of {', '.join(scores.classes):.300}"
        )
    if not transcript:
        raise DataError(f"the transcript of {scores.name} names no actions")
    costs = -scores.values[:, [place[label] for label in transcript]]
    states, _ = align_states(costs)
    labels = np.array(transcript)
    return labels[states], stretch_labels(labels, len(scores.values))


def by_windows(tables, *, threshold=0.0, overlap=0.3, background=None, length_rewards=None):
    """Detect segments in sliding windows of several lengths.

    Parameters
    ----------
    tables : list of (int, SliceScores)
        Length of the windows in frames, and the scores of one video in these windows.
    threshold : float
        A window whose score is not above this, or not above the score of the background class, is no detection.
    overlap : float
        As for `classify.untrimmed.suppression.suppress`.
    background : str, optional
        A class that makes no segments.
    length_rewards : (L + 1, C) float, optional
        Rewards of lengths in slices, as from `estimate_length_rewards`. The score of a window is lowered by the
        difference between its class's highest reward, over the given lengths, and the reward of its own length.

    Returns
    -------
    Segments
        By class and falling score. Segments of different classes may overlap.

    Raises
    ------
    DataError
        If the background is none of the classes.
    """
    first = tables[0][1]
    if background is not None and background not in first.classes:
        raise DataError(
            f"the model has no class {background!r} for the background, but {', '.join(first.classes):.300}"
        )
    lowered = _lowered(tables, length_rewards)
    spans, labels, scores = [], [], []
    for row, (length, table) in enumerate(tables):
        least = np.full(len(table.values), float(threshold))
        if background is not None:
            least = np.maximum(least, table.values[:, table.classes.index(background)])
        middle = (np.arange(len(table.values)) + 0.5) * table.slice_frames
        starts = np.clip(middle - length / 2, 0, None)
        ends = np.clip(middle + length / 2, None, table.frames)
        for column, label in enumerate(table.classes):
            for i in np.flatnonzero((table.values[:, column] > least) & ~table.empty):
                if label != background:
                    spans.append((starts[i] / table.fps, ends[i] / table.fps))
                    labels.append(label)
                    scores.append(table.values[i, column] - lowered[row, column])
    found = Segments.of([first.name] * len(spans), labels, spans, scores)
    kept = suppress(found, overlap)
    return kept.rows(np.lexsort((-kept.scores, kept.labels)))


def _lowered(tables, length_rewards):
    """Compute by how much the scores of each length of windows are lowered, a row a length and a column a class."""
    if length_rewards is None:
        return np.zeros((len(tables), len(tables[0][1].classes)))
    rewards = length_rewards[[length // table.slice_frames for length, table in tables]]
    return rewards.max(axis=0) - rewards


def best_labels(tables, segments, *, background="background"):
    """Label each slice with the best segment that covers it.

    Parameters
    ----------
    tables : list of (int, SliceScores)
        As `by_windows`.
    segments : Segments
        Of this video.
    background : str
        Label of slices that no segment covers.

    Returns
    -------
    (s,) str
    """
    table = tables[0][1]
    names = [background, *segments.labels.tolist()]
    labels = np.full(len(table.values), background, dtype=f"<U{max(map(len, names))}")
    best = np.full(len(labels), -np.inf)
    middle = (np.arange(len(labels)) + 0.5) / table.rate
    for (start, end), label, score in zip(segments.spans, segments.labels.tolist(), segments.scores, strict=True):
        better = (middle >= start) & (middle < end) & (score > best)
        labels[better], best[better] = label, score
    return labels


def label_segments(scores, labels, *, background=()):
    """Make segments in seconds of one label a slice.

    Parameters
    ----------
    scores : SliceScores
    labels : (s,) str
    background : collection of str
        Labels that make no segments.

    Returns
    -------
    Segments
        Each with the mean score of its label.
    """
    place = {label: column for column, label in enumerate(scores.classes)}
    own = [scores.values[i, place[label]] if label in place else 0.0 for i, label in enumerate(labels.tolist())]
    frames, means = scores.frame_labels(labels), scores.frame_labels(own)
    return segments_of(scores.name, frames, scores.fps, scores=means, background=background)


def estimate_length_rewards(segments, classes, *, slice_seconds, longest):
    """Estimate how probable each length of a segment is, class by class.

    Parameters
    ----------
    segments : Segments
        Training segments. A class without segments takes the lengths of all.
    classes : list of str
    slice_seconds : float
        Seconds of a slice.
    longest : int
        Slices of the longest segment.

    Returns
    -------
    (longest + 1, C) float64
        Logarithm of the density of a log-normal distribution over lengths in slices.

    Raises
    ------
    DataError
        If there are no segments.
    """
    if not len(segments):
        raise DataError("lengths need segments to be learnt from")
    sizes = np.log(np.maximum((segments.spans[:, 1] - segments.spans[:, 0]) / slice_seconds, 1.0))
    grid = np.log(np.maximum(np.arange(longest + 1), 1))
    found = np.empty((longest + 1, len(classes)))
    for column, label in enumerate(classes):
        own = sizes[segments.labels == label] if (segments.labels == label).any() else sizes
        # A spread of nothing, as of one segment, would forbid every other length.
        spread = max(float(own.std()), 0.2)
        found[:, column] = -0.5 * ((grid - own.mean()) / spread) ** 2 - np.log(spread) - grid
    found[0] = -np.inf
    return found
