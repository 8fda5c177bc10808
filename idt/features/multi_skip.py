"""Multi-skip extraction: points are also tracked over every 2nd, 3rd, … frame, as if only these had been filmed.

The video is decoded once. Each frame step has a frame loop of its own on the first and every skip-th frame after it.
The loops advance side by side, so that memory holds only the frames between two frames of the largest step. The column
``skip`` has the frame step of a track; frame numbers count the frames of the video. The camera's motion is taken from
the loop of frame step 1. A frame step that leaves fewer than L + 1 frames contributes nothing.

Source: docs/method/encoding.md, section 14; Lan et al., "Beyond Gaussian pyramid: multi-skip feature stacking for
action recognition", CVPR 2015.
"""

import contextlib
import dataclasses
import heapq
import itertools
import threading

import numpy as np

from idt.features.features import Features

# Attributes of a video that `_Skipped` copies.
COPIED = ("width", "height", "source_width", "source_height", "shrink", "fps")


class _Skipped:
    """Every skip-th frame of a video, numbered consecutively from the first."""

    def __init__(self, video, frames, skip):
        for name in COPIED:
            setattr(self, name, getattr(video, name))
        self.first_frame = video.first_frame
        first = video.first_frame.index
        kept = itertools.islice(frames, 0, None, skip)
        self._frames = (frame._replace(index=first + i) for i, frame in enumerate(kept))

    def __iter__(self):
        return self._frames


class _Locked:
    """Thread-safe iterator: branches of one `itertools.tee` share a lock."""

    def __init__(self, iterator, lock):
        self._iterator, self._lock = iterator, lock

    def __iter__(self):
        return self

    def __next__(self):
        with self._lock:
            return next(self._iterator)


def features_of_skips(video, skips, extract, *, chunk):
    """Yield the features of a video for all frame steps, merged frame by frame.

    Parameters
    ----------
    video : Video
    skips : tuple of int
        Rising, from 1.
    extract : callable
        Called with a video for each frame step; returns a generator of the `Features` of each frame.
    chunk : int
        Number of frames of each `Features` that is yielded.

    Yields
    ------
    Features
        Of consecutive frames. Tracks that end at one frame are sorted by frame step.
    """
    parts = []
    for part in _by_frame(video, skips, extract):
        parts.append(part)
        if len(parts) == chunk:
            yield Features.concatenate(parts)
            parts = []
    if parts:
        yield Features.concatenate(parts)


def _by_frame(video, skips, extract):
    """Yield features frame by frame."""
    lock = threading.Lock()
    first = video.first_frame.index
    with contextlib.ExitStack() as stack:
        loops = []
        for skip, branch in zip(skips, itertools.tee(video, len(skips)), strict=True):
            loop = stack.enter_context(contextlib.closing(extract(_Skipped(video, _Locked(branch, lock), skip))))
            loops.append(_numbered(loop, skip, first))
        # At one frame the smaller skip comes first. A loop advances only when its next frame is due.
        steps = heapq.merge(*loops, key=lambda step: step[:2])
        for _, at_frame in itertools.groupby(steps, key=lambda step: step[0]):
            parts = [part for _, _, part in at_frame]
            # The first part has the smallest frame step.
            yield dataclasses.replace(Features.concatenate(parts), camera=parts[0].camera, frames=1)


def _numbered(loop, skip, first):
    """Yield (frame, frame step, features) of every frame of a loop, with the frame numbers of the video."""
    for i, features in enumerate(loop):
        frame = first + i * skip
        if skip > 1:
            steps = np.full(len(features), skip, np.uint8)
            at = np.full(len(features), frame, np.int32)
            features = dataclasses.replace(features, frame=at, skip=steps, camera=None)
        yield frame, skip, features
