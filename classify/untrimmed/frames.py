"""From labels of frames or windows to segments in seconds, and back to labels of frames.

Source: docs/method/untrimmed.md, section 8.
"""

import numpy as np

from classify.untrimmed.frame_metrics import runs
from classify.untrimmed.segments import Segments
from idt.errors import DataError


def segments_of(video, labels, rate, *, scores=None, background=()):
    """Make segments of the runs of equal labels.

    Parameters
    ----------
    video : str
    labels : (T,) sequence of str
        One a frame or window.
    rate : float
        Labels a second.
    scores : (T,) float, optional
        Score of each label; a segment gets the mean over its labels. 1 by default.
    background : collection of str
        Labels that make no segments.

    Returns
    -------
    Segments
    """
    found = [run for run in runs(labels) if run.label not in background]
    means = [1.0 if scores is None else float(np.mean(scores[run.start : run.end])) for run in found]
    spans = [(run.start / rate, run.end / rate) for run in found]
    return Segments.of([video] * len(found), [run.label for run in found], spans, means)


def labels_of(segments, n_frames, rate, *, background="background"):
    """Label the frames of one video by its segments.

    Parameters
    ----------
    segments : Segments
        Of one video, without overlaps.
    n_frames : int
    rate : float
        Frames a second.
    background : str
        Label of frames outside all segments.

    Returns
    -------
    (n_frames,) str
        A segment covers the frames from floor((start + 0.0005 s) · rate) to floor((end + 0.0005 s) · rate) − 1.

    Raises
    ------
    DataError
        If segments overlap or lie beyond the video by more than a frame.
    """
    names = [background, *segments.labels.tolist()]
    labels = np.full(n_frames, background, dtype=f"<U{max(map(len, names))}")
    # A start that was written to a thousandth of a second must not fall into the frame before.
    frames = np.floor(segments.spans * rate + 5e-4 * rate).astype(np.int64)
    taken = np.zeros(n_frames, bool)
    for (start, end), label, span in zip(frames, segments.labels.tolist(), segments.spans, strict=True):
        if start < 0 or end > n_frames + 1:
            raise DataError(
                f"the segment {label!r} from {span[0]:g} to {span[1]:g} s lies beyond the video of {n_frames} frames at"
                f" {rate:g} frames a second"
            )
        if taken[start:end].any():
            raise DataError(f"the segment {label!r} from {span[0]:g} to {span[1]:g} s overlaps another one")
        taken[start:end] = True
        labels[start:end] = label
    return labels
