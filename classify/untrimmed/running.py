"""Segments of a video that is still running, in constant memory.

Frames → tracks (`idt.extractor`) → sums of slices (`encoding.slices.running`) → scores of the last window → labels
(`classify.untrimmed.running_viterbi`) → segments, each as soon as it is settled.

Source: docs/method/untrimmed.md, section 10.
"""

import math
from collections import deque
from typing import NamedTuple

import numpy as np

from classify.untrimmed.running_viterbi import RunningViterbi
from classify.untrimmed.window_scores import window_of
from encoding.slices.cut import LENGTH, Cut
from encoding.slices.running import running_slices
from encoding.slices.slices_file import lag_of
from encoding.slices.windows import vector_of, widths_of
from idt.errors import DataError
from idt.features.collect import CHUNK


class Settled(NamedTuple):
    """Segment that no later frame changes.

    Attributes
    ----------
    label : str
    start, end : int
        Frames, the end exclusive.
    score : float
        Mean score of the label.
    settled_at : int
        Frames that had passed when the segment was settled.
    """

    label: str
    start: int
    end: int
    score: float
    settled_at: int


class RunningSegments:
    """Segmentation of a running video, from chunks of its tracks.

    Parameters
    ----------
    codebook : Codebook
    params : BlockParams
    classifier : LinearSVM or Chi2SVM
        Fitted on vectors of this codebook.
    length : int
        Frames of a window.
    penalty : float
        As `classify.untrimmed.viterbi.decode_frames`.
    wait : int
        Most later slices that a label waits for, at least 1.
    cut : Cut

    Attributes
    ----------
    delay : int
        Most frames that pass between the end of a segment and the frame at which it is settled.

    Raises
    ------
    DataError
        If the window is no whole number of slices, or an option is out of bounds.

    Notes
    -----
    docs/method/untrimmed.md, section 10.
    """

    def __init__(self, codebook, params, classifier, *, length, penalty=1.0, wait=20, cut=Cut()):
        LENGTH.check("length", length)
        if length % cut.length:
            raise DataError(f"length of windows must be a multiple of the {cut.length} frames of a slice, got {length}")
        self._codebook, self._params, self._classifier = codebook, params, classifier
        self._length, self._cut, self._lag = length, cut, lag_of(codebook, cut)
        self._decoder = RunningViterbi(penalty, wait)
        ahead = int(window_of(0, cut.length, self._lag, length)) + length // cut.length
        # A segment is settled with the label of the next slice. This label needs the slices that its window reaches
        # ahead, the later slices that it waits for, and the rest of the chunk.
        self.delay = (max(ahead, 1) + wait) * cut.length + CHUNK
        self.classes = [str(label) for label in classifier.classes_]

    def run(self, chunks, *, name, threads=1):
        """Segment a video.

        Parameters
        ----------
        chunks : iterable of (Features, int)
            As `encoding.slices.running.running_slices`.
        name : str
            The video, for messages.
        threads : int

        Yields
        ------
        Settled
            In the order of time; together they cover the video.

        Raises
        ------
        DataError
            If the video ends without a track, or as `encoding.slices.slice_sums.slice_sums`.
        """
        # The number of frames so far, in a list so that `_slices` can change it.
        passed = [0]
        rows = self._rows(self._slices(chunks, passed, name, threads), name)
        current, begin = None, 0
        scores: deque = deque()
        total = 0.0
        number = 0

        def labelled():
            for row in rows:
                scores.append(row)
                yield from self._decoder.push(row)
            yield from self._decoder.finish()

        for label in labelled():
            score = float(scores.popleft()[label])
            if label != current and current is not None:
                yield self._segment(current, begin, number, total, passed[0])
            if label != current:
                current, begin, total = label, number, 0.0
            total += score
            number += 1
        if current is not None:
            last = self._segment(current, begin, number, total, passed[0])
            yield last._replace(end=passed[0])

    def _segment(self, label, begin, end, total, settled_at):
        size = self._cut.length
        return Settled(self.classes[label], begin * size, end * size, total / (end - begin), settled_at)

    def _slices(self, chunks, passed, name, threads):
        """Yield sums of slices, and note the frames that have passed in ``passed``."""

        def noted():
            for chunk, frames in chunks:
                passed[0] = frames
                yield chunk, frames

        return running_slices(
            noted(), self._codebook, self._params, name=name, cut=self._cut, threads=threads
        )  # fmt: skip

    def _rows(self, slices, name):
        """Yield the scores of each slice in order: the scores of the window in whose middle it lies."""
        size, count = self._length // self._cut.length, 0
        window: deque = deque(maxlen=size)
        scores, waiting, yielded = None, 0, 0
        for count, each in enumerate(slices, 1):
            window.append((each.sums, each.tracks))
            if count < size:
                continue
            scores = self._scores(window, scores)
            # Slices that lie in the middle of this window; for the first window also the slices before its middle.
            while int(window_of(yielded + waiting, self._cut.length, self._lag, self._length)) <= count - size:
                waiting += 1
            if scores is not None:
                yield from (scores for _ in range(waiting))
                yielded, waiting = yielded + waiting, 0
        if count < size and window:
            scores = self._scores(window, scores)
        if scores is None:
            raise DataError(f"{name} has no tracks, so there is nothing to segment")
        yield from (scores for _ in range(count - yielded))

    def _scores(self, window, previous):
        """Return the scores of the window, or the previous scores if it has no tracks."""
        tracks = sum(n for _, n in window)
        if not tracks:
            return previous
        # The sum is computed anew for each window, because rounding errors of a running sum would grow over hours.
        total = np.sum([sums for sums, _ in window], axis=0)
        widths = widths_of(self._codebook, self._params)
        vector = vector_of([(total, tracks)], self._codebook, self._params, widths)
        return np.asarray(self._classifier.scores(vector[None]), np.float64)[0]


def slices_to_wait(seconds, rate, slice_length):
    """Count the slices of ``slice_length`` frames in a wait of ``seconds`` at ``rate`` frames a second, at least 1."""
    return max(1, math.floor(seconds * rate / slice_length))
