"""Labelled segments of videos: truths, and predictions with scores."""

from dataclasses import dataclass

import numpy as np

from idt.errors import DataError


@dataclass(frozen=True)
class Segments:
    """Segments of videos, one a row.

    Attributes
    ----------
    videos, labels : (n,) str
    spans : (n, 2) float64
        Start and end in seconds.
    scores : (n,) float64
        1 for a truth.
    """

    videos: np.ndarray
    labels: np.ndarray
    spans: np.ndarray
    scores: np.ndarray

    @classmethod
    def of(cls, videos, labels, spans, scores=None, *, instants=False):
        """Make segments of columns, which are checked.

        Parameters
        ----------
        videos, labels : sequence of str
        spans : (n, 2) float
            Seconds.
        scores : (n,) float, optional
            1 by default.
        instants : bool
            Allow segments of no length, which overlap nothing. Some published truths have them.

        Returns
        -------
        Segments

        Raises
        ------
        DataError
            If the lengths differ, a number is not finite, or a segment does not end after it starts.
        """
        spans = np.asarray(spans, np.float64).reshape(-1, 2)
        scores = np.ones(len(spans)) if scores is None else np.asarray(scores, np.float64)
        if not len(videos) == len(labels) == len(spans) == len(scores):
            raise DataError(
                f"every segment needs a video, a label, a start and end, and a score, got {len(videos)}, {len(labels)},"
                f" {len(spans)} and {len(scores)}"
            )
        if not (np.isfinite(spans).all() and np.isfinite(scores).all()):
            raise DataError("starts, ends and scores of segments must be finite")
        wrong = np.flatnonzero(spans[:, 0] > spans[:, 1] if instants else spans[:, 0] >= spans[:, 1])
        if len(wrong):
            i = wrong[0]
            raise DataError(
                f"a segment must end after it starts, got {labels[i]!r} of {videos[i]!r} from {spans[i, 0]:g} to"
                f" {spans[i, 1]:g} s"
            )
        return cls(np.asarray(videos, str), np.asarray(labels, str), spans, scores)

    def __len__(self):
        return len(self.videos)

    def rows(self, chosen):
        """Select rows: ``chosen`` are their numbers or a (n,) bool mask."""
        return Segments(self.videos[chosen], self.labels[chosen], self.spans[chosen], self.scores[chosen])


def overlaps(span, spans):
    """Compute the temporal intersection over union of one segment with others.

    Parameters
    ----------
    span : (2,) float64
        Seconds.
    spans : (n, 2) float64

    Returns
    -------
    (n,) float64
        0 for two segments of no length.
    """
    shared = np.minimum(span[1], spans[:, 1]) - np.maximum(span[0], spans[:, 0])
    shared = np.maximum(shared, 0.0)
    union = (span[1] - span[0]) + (spans[:, 1] - spans[:, 0]) - shared
    return np.divide(shared, union, out=np.zeros(len(spans)), where=union > 0)
