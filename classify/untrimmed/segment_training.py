"""A classifier of windows, trained from segments of untrimmed videos.

Source: docs/method/untrimmed.md, section 9.
"""

import numpy as np

from encoding.slices.windows import windows
from idt.errors import DataError


def training_windows(slices, segments, codebook, params, *, length, background=None, stride=None):
    """Encode the windows of a video that lie within its segments.

    Parameters
    ----------
    slices : encoding.slices.slices_file.Slices
    segments : classify.untrimmed.segments.Segments
        Of this video.
    codebook : Codebook
    params : BlockParams
    length : int
        Frames of a window. A shorter segment gives the window whose middle is nearest to its own.
    background : str, optional
        Label of the windows that touch no segment; they are left out by default.
    stride : int, optional
        Frames from one window to the next; a slice by default.

    Returns
    -------
    vectors : (w, d) float32
    labels : list of str

    Raises
    ------
    DataError
        If the rate of the video is unknown, a segment lies beyond it, or as `encoding.slices.windows.windows`.
    """
    if not slices.fps > 0:
        raise DataError(f"the rate of {slices.name} is unknown, so segments in seconds cannot be found in it")
    frames = segments.spans * slices.fps
    beyond = np.flatnonzero(frames[:, 1] > slices.frames + 1)
    if len(beyond):
        start, end = segments.spans[beyond[0]]
        label = str(segments.labels[beyond[0]])
        raise DataError(
            f"the segment {label!r} from {start:g} to {end:g} s lies beyond {slices.name}, which has {slices.frames}"
            f" frames at {slices.fps:g} a second"
        )
    vectors, labels = [], []
    # The tracks of a window lie ``lag`` frames before its frames.
    found = [
        each._replace(start=each.start - slices.lag, end=each.end - slices.lag)
        for each in windows(slices, codebook, params, length=length, stride=stride)
        if each.tracks
    ]
    middles = np.array([(each.start + each.end) / 2 for each in found])
    for (start, end), label in zip(frames, segments.labels.tolist(), strict=True):
        inside = [each for each in found if each.start >= start - 0.5 and each.end <= end + 0.5]
        if not inside and len(found):
            inside = [found[int(np.argmin(np.abs(middles - (start + end) / 2)))]]
        vectors += [each.vector for each in inside]
        labels += [label] * len(inside)
    if background is not None:
        outside = [each for each in found if not any(each.start < end and each.end > start for start, end in frames)]
        vectors += [each.vector for each in outside]
        labels += [background] * len(outside)
    return vectors, labels


def train_on_segments(sliced, segments, codebook, params, classifier, *, length, background=None, stride=None):
    """Train a classifier on the windows within segments.

    Parameters
    ----------
    sliced : iterable of encoding.slices.slices_file.Slices
        Slices of every video that has segments; others are left out. They are read one at a time.
    segments : classify.untrimmed.segments.Segments
    codebook, params, length, background, stride
        As `training_windows`.
    classifier : LinearSVM or Chi2SVM
        Not fitted.

    Returns
    -------
    LinearSVM or Chi2SVM
        ``classifier``, fitted.

    Raises
    ------
    DataError
        If a video of the segments has no slices (the message names all), or there are not two classes.
    """
    vectors, labels = [], []
    missing = dict.fromkeys(sorted(set(segments.videos.tolist())))
    for each in sliced:
        missing.pop(each.name, None)
        own = segments.rows(segments.videos == each.name)
        if len(own):
            more, names = training_windows(
                each, own, codebook, params, length=length, background=background, stride=stride
            )
            vectors += more
            labels += names
    if missing:
        raise DataError(f"segments are of videos without slices: {', '.join(missing):.300}")
    if len(set(labels)) < 2:
        raise DataError(f"segments must be of two classes or more, got {', '.join(sorted(set(labels))) or 'none'}")
    return classifier.fit(np.array(vectors), labels)
