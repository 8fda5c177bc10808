"""Collect the finished tracks of every frame: test, measure and describe them, and join them into `Features`.

The frame loop (`extractor`) has tracks by scale, in pixels of their scale. The features that a caller gets have one
array for each column. It holds the tracks of all scales, in full-resolution pixels.

Method: docs/method/extraction.md, sections 7.5, 8 and 9.
"""

import functools
from typing import Any, NamedTuple

import numpy as np

from idt.features.camera import Camera
from idt.features.columns import LAST_POSITION
from idt.features.features import Features
from idt.params import layout
from idt.steps import selection

CHUNK = 16
"""Frames whose finished tracks `stream` hands out together."""


class FinishedTracks(NamedTuple):
    """All tracks that finished at one frame, kept and dropped, of all scales, the finest scale first.

    Attributes
    ----------
    factor : (n,) float32
        f_s of each track's scale.
    points : (n, L + 1, 2) float32
        In full-resolution pixels.
    statistics : selection.TrackStatistics
    histograms : (k, time cells, D) float32
        Histograms of the k kept tracks.
    """

    factor: np.ndarray
    points: np.ndarray
    statistics: selection.TrackStatistics
    histograms: np.ndarray


class _KeptTracks(NamedTuple):
    """The kept tracks of a frame, and the camera's motion."""

    index: int  # type: ignore[assignment]  # hides tuple.index, which is not used here
    motion: Any
    columns: dict[str, np.ndarray]
    histograms: np.ndarray


def finished_tracks(live, finished, levels, params, since):
    """Test and measure the tracks that ended at a frame, and describe those that are kept.

    Parameters
    ----------
    live : list of LiveTracks
        Of every scale, finest first.
    finished : list of idt.steps.tracks.FinishedAtScale
        Finished tracks of every scale.
    levels : list of Scale
    params : ExtractionParams
    since : int
        Frames between the first one and this one.

    Returns
    -------
    FinishedTracks
    """
    # On a typical frame, tracks end at few scales. If there are none, the finest scale gives arrays without rows.
    scales = list(zip(levels, live, finished, strict=True))
    ended = [scale for scale in scales if len(scale[2].slots)] or scales[:1]
    factor = np.concatenate([np.full(len(end.slots), level.factor, np.float32) for level, _, end in ended])
    points = np.concatenate([end.points for _, _, end in ended])
    displacements = np.concatenate([end.displacements for _, _, end in ended])
    points *= factor[:, None, None]
    displacements *= factor[:, None, None]
    statistics = selection.measure_tracks(points, displacements, camera=params.camera)
    if params.tracks == "none":
        # Cuboids do not move, so that tests of motion do not apply: all are kept.
        statistics = statistics._replace(kept=np.ones(len(points), bool), followed_camera=np.zeros(len(points), bool))
    step_counts = _count_described_steps(
        params.length, params.time_cells, params.describe_every, since % params.describe_every
    )
    # Only kept tracks need histograms, and most tracks are dropped.
    histograms, first = [], 0
    for _, tracks, end in ended:
        last = first + len(end.slots)
        histograms.append(tracks.histograms(end.slots[statistics.kept[first:last]], step_counts))
        first = last
    return FinishedTracks(factor, points, statistics, np.concatenate(histograms))


def join_frames(states, video, params, *, size=CHUNK):
    """Join the kept tracks of consecutive frames.

    Parameters
    ----------
    states : iterable of idt.extractor.FrameState
        One for every frame.
    video : Video
        Gives the size of the frames and their rate.
    params : ExtractionParams
    size : int
        Frames of a chunk.

    Yields
    ------
    Features
        Of 1 to ``size`` frames. Time positions are NaN, since they are relative to the number of frames.
    """
    kept = []
    for state in states:
        kept.append(_kept_tracks(state))
        if len(kept) == size:
            yield _features(_emptied(kept), video, params)
    if kept:
        yield _features(kept, video, params)


def _emptied(tracks):
    """Empty a list and return its elements in a new one, so that no list keeps them while the chunk is written."""
    elements = tracks[:]
    tracks.clear()
    return elements


@functools.lru_cache
def _count_described_steps(length, time_cells, every, remainder):
    """Count the described steps of each time cell; ``remainder`` is the frame's number modulo ``every``."""
    group = length // time_cells
    # Step k of L was made at this frame − L + k.
    steps = np.arange(remainder - length, remainder - length + time_cells * group)
    return (steps.reshape(time_cells, group) % every == 0).sum(axis=1)


def _kept_tracks(state):
    """Select the tracks of a frame that passed all tests."""
    tracks, statistics = state.finished, state.finished.statistics
    kept = np.flatnonzero(statistics.kept)
    columns = {
        "frame": np.full(len(kept), state.index, np.int32),
        "scale": tracks.factor[kept],
        "points": tracks.points[kept],
        **{name: getattr(statistics, name)[kept] for name in ("mean", "std", "length", "trajectory")},
    }
    return _KeptTracks(state.index, state.motion, columns, tracks.histograms)


def _features(frames, video, params):
    """Join the columns of consecutive frames."""
    columns: dict[str, Any] = {
        name: np.concatenate([frame.columns[name] for frame in frames]) for name in frames[0].columns
    }
    first = 0
    for name, size in layout.step_sizes(params.cells).items():
        block = np.concatenate([frame.histograms[:, :, first : first + size] for frame in frames])
        columns[name] = block.reshape(len(block), params.time_cells * size)
        first += size
    frame_size = np.array([video.width, video.height], np.float32)
    place = np.clip(columns["mean"] / frame_size, 0, LAST_POSITION)
    motions = [frame.motion for frame in frames]
    return Features(
        **columns,
        position=np.column_stack([place, np.full(len(place), np.nan, np.float32)]),
        camera=Camera(
            homography=np.stack([motion.homography for motion in motions]),
            matches=np.array([motion.matches for motion in motions], np.int32),
            inliers=np.array([motion.inliers for motion in motions], np.int32),
            first_frame=frames[0].index,
        ),
        width=video.width,
        height=video.height,
        fps=video.fps,
        frames=len(frames),
        params=params,
    )
