"""Measures of labels of frames: accuracy, Edit and F1.

A segment is a maximal run of equal labels. Two conventions of the field are computed side by side, because they give
different numbers for the same labels: ``pooled`` counts over all videos together (MS-TCN), ``mean`` averages the
values of the videos (Lea et al., temporal convolutional networks). Edit is a mean over videos in both.

Source: docs/method/untrimmed.md, section 2.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from classify.untrimmed.segments import overlaps
from idt.errors import DataError

OVERLAPS = (0.10, 0.25, 0.50)
"""Overlaps of the field's F1@10, F1@25 and F1@50."""

MOST_EXTRA_FRAMES = 2
"""Most frames by which a prediction may be longer than its truth, because networks that read every second frame
repeat each label."""


class Run(NamedTuple):
    """Segment of a sequence of labels: frames ``start`` to ``end``, without the last."""

    label: str
    start: int
    end: int


class Counts(NamedTuple):
    """Segments that were found, that are wrong, and that were missed."""

    found: int
    wrong: int
    missed: int

    @property
    def f1(self):
        """Harmonic mean of precision and recall, in [0, 1]; 1 if there is nothing to find and nothing was predicted."""
        total = 2 * self.found + self.wrong + self.missed
        return 2 * self.found / total if total else 1.0


@dataclass(frozen=True)
class FrameScores:
    """Agreement of predicted labels with true ones, all in [0, 1].

    Attributes
    ----------
    accuracy_pooled, accuracy_mean : float
        Share of the frames that are labelled rightly: of all frames together, and the mean of the videos' shares.
    edit : float
        Mean over the videos of 1 − Levenshtein distance of the segments' labels / the larger number of segments.
    f1_pooled, f1_mean : dict of float to float
        By overlap.
    counts : dict of float to Counts
        By overlap, of all videos together.
    videos, frames : int
    """

    accuracy_pooled: float
    accuracy_mean: float
    edit: float
    f1_pooled: dict[float, float]
    f1_mean: dict[float, float]
    counts: dict[float, Counts]
    videos: int
    frames: int


def frame_scores(truths, predictions, *, background=(), overlaps=OVERLAPS):
    """Compare predicted labels of frames with true ones.

    Parameters
    ----------
    truths, predictions : sequence of (T,) sequences of str or int
        One sequence of labels a video, in the same order. A prediction may be longer by up to `MOST_EXTRA_FRAMES`
        frames, which do not count in the accuracy.
    background : collection of str or int
        Labels whose segments do not count in Edit and F1. Their frames count in the accuracy.
    overlaps : sequence of float
        Smallest overlaps, in (0, 1], at which a segment counts as found.

    Returns
    -------
    FrameScores

    Raises
    ------
    DataError
        If there are no videos, their numbers differ, a video has no frames, a prediction is shorter or longer than its
        truth, or an overlap is out of bounds.

    Notes
    -----
    docs/method/untrimmed.md, section 2. Each predicted segment is compared with the one true segment of its label that
    it overlaps most, even if an earlier prediction took that one. It counts as found if the overlap is at least the
    threshold and the true segment is not taken yet.
    """
    if len(truths) != len(predictions) or not len(truths):
        raise DataError(f"every video needs true and predicted labels, got {len(truths)} and {len(predictions)} videos")
    for overlap in overlaps:
        if not 0 < overlap <= 1:
            raise DataError(f"overlaps must be above 0 and at most 1, got {overlap}")
    shares, frames, right, edits = [], 0, 0, []
    counts: dict[float, list[Counts]] = {overlap: [] for overlap in overlaps}
    for number, (truth, prediction) in enumerate(zip(truths, predictions, strict=True)):
        hits = _hits(np.asarray(truth), np.asarray(prediction), number)
        shares.append(hits / len(truth))
        frames, right = frames + len(truth), right + hits
        true_runs, predicted_runs = ([run for run in runs(labels) if run.label not in background]
                                     for labels in (truth, prediction))  # fmt: skip
        edits.append(edit_score([run.label for run in true_runs], [run.label for run in predicted_runs]))
        for overlap in overlaps:
            counts[overlap].append(match(true_runs, predicted_runs, overlap))
    sums = {overlap: Counts(*map(sum, zip(*found, strict=True))) for overlap, found in counts.items()}
    return FrameScores(
        accuracy_pooled=right / frames,
        accuracy_mean=float(np.mean(shares)),
        edit=float(np.mean(edits)),
        f1_pooled={overlap: found.f1 for overlap, found in sums.items()},
        f1_mean={overlap: float(np.mean([one.f1 for one in found])) for overlap, found in counts.items()},
        counts=sums,
        videos=len(shares),
        frames=frames,
    )


def runs(labels):
    """Cut a sequence of ``labels`` into its maximal runs, a list of `Run`."""
    labels = np.asarray(labels)
    if not len(labels):
        return []
    starts = [0, *(np.flatnonzero(labels[1:] != labels[:-1]) + 1).tolist()]
    return [
        Run(labels[start].item(), start, end) for start, end in zip(starts, [*starts[1:], len(labels)], strict=True)
    ]


def edit_score(truth, predicted):
    """Compare two sequences of labels by their Levenshtein distance.

    Parameters
    ----------
    truth, predicted : sequence of str or int
        Labels of segments.

    Returns
    -------
    float
        1 − distance / the larger length; 1 if both are empty.
    """
    row = list(range(len(predicted) + 1))
    for i, label in enumerate(truth, 1):
        diagonal, row[0] = row[0], i
        for j, other in enumerate(predicted, 1):
            diagonal, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, diagonal + (label != other))
    longest = max(len(truth), len(predicted))
    return 1 - row[-1] / longest if longest else 1.0


def match(truth, predicted, overlap):
    """Count the segments of one video that were found.

    Parameters
    ----------
    truth, predicted : list of Run
        In the order of time.
    overlap : float
        Smallest intersection over union of a segment that is found.

    Returns
    -------
    Counts
    """
    taken: set[int] = set()
    by_label: dict = {}
    for i, run in enumerate(truth):
        by_label.setdefault(run.label, []).append(i)
    spans = np.array([(run.start, run.end) for run in truth], np.float64).reshape(-1, 2)
    for run in predicted:
        same = by_label.get(run.label)
        if same:
            found = overlaps(np.array([run.start, run.end], np.float64), spans[same])
            best = int(np.argmax(found))
            if found[best] >= overlap and same[best] not in taken:
                taken.add(same[best])
    return Counts(len(taken), len(predicted) - len(taken), len(truth) - len(taken))


def _hits(truth, prediction, number):
    """Count the frames of a video that are labelled rightly."""
    if truth.ndim != 1 or not len(truth):
        raise DataError(f"true labels of video {number} must be one label a frame, got {truth.shape}")
    if not len(truth) <= len(prediction) <= len(truth) + MOST_EXTRA_FRAMES:
        raise DataError(
            f"video {number} has {len(prediction)} predicted labels, expected {len(truth)} like the true ones, or up to"
            f" {MOST_EXTRA_FRAMES} more; was it made at another frame rate?"
        )
    return int(np.count_nonzero(truth == prediction[: len(truth)]))
