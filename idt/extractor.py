"""The frame loop: a video in, tracks and their descriptors out.

For each new frame t and the one before it, in the order of docs/method/extraction.md:

- the gray pyramid (2) and the polynomial expansion (3) of frame t, its keypoints (4) and textured cells (5): `_look`
- the flow from t-1 to t (3): `_pairs`
- the camera's motion, frame t warped back, and the flow that remains (4): `_compensate`
- at every scale, histograms at the tracks' positions (7), the step along the flow (6): `follow`
- the tracks that have made their L steps are tested and summarised (8), then new ones are sampled (5)

What depends on the frames alone (`_pairs`) may run ahead, in another thread, of what depends on the tracks; there a
thread that has nothing else to do takes over some of the scales.
"""

import dataclasses
import functools
from typing import Any, NamedTuple

import numpy as np

from idt import layout
from idt.bounds import THREADS
from idt.features.features import LAST_POSITION, Camera, Features
from idt.files import provenance
from idt.frames import people
from idt.frames.video import open_video
from idt.multi_skip import features_of_skips
from idt.params import ExtractionParams
from idt.steps import camera, flow, histograms, sampling, selection
from idt.steps.pyramid import gray_pyramid, scales
from idt.steps.tracks import Tracks
from idt.workers.threads import Crew

CHUNK = 16
"""Frames whose finished tracks `stream` hands out together."""


class Rows(NamedTuple):
    """Tracks that ended at one frame, at all scales, finest first; kept or not.

    Attributes
    ----------
    factor : (n,) float32
        f_s of each track's scale.
    points : (n, L + 1, 2) float32
        In full-resolution pixels.
    summary : selection.Summary
    histograms : (k, time cells, D) float32
        Of the k kept ones.
    """

    factor: np.ndarray
    points: np.ndarray
    summary: selection.Summary
    histograms: np.ndarray


class Step(NamedTuple):
    """Everything known after one frame.

    Attributes
    ----------
    index : int
        Number of the frame, t.
    gray : (H, W) uint8
    motion : camera.Motion
        From t-1 to t.
    flow, flow_warp : list of (h, w, 2) float32
        At every scale, finest first; empty for the first frame.
    live : list of Tracks
        Those of each scale, new ones included; the loop goes on changing them.
    rows : Rows
    """

    index: int  # type: ignore[assignment]  # hides tuple.index, which nobody searches a step with
    gray: np.ndarray
    motion: camera.Motion
    flow: list[np.ndarray]
    flow_warp: list[np.ndarray]
    live: list[Tracks]
    rows: Rows


class _Look(NamedTuple):
    """What a frame shows by itself."""

    index: int  # type: ignore[assignment]
    mask: np.ndarray | None
    pyramid: list[np.ndarray]
    expansion: flow.Expansion | None
    view: camera.View
    texture: np.ndarray
    textured: list[np.ndarray]


def extract(video, *, boxes=None, threads=1, strict=False, **params):
    """Extract improved dense trajectories from a video.

    Parameters
    ----------
    video : path, int, array or iterable
        A file; a folder or pattern of images; the index of a camera; or gray (H, W) or BGR (H, W, 3) uint8 frames.
    boxes : path, optional
        Human boxes, one line a frame: its index, then x1 y1 x2 y2 confidence for each person
        (docs/method/extraction.md, section 9.4). No camera match is taken from inside a box.
    threads : int
        More than one look at the next frames beside this one, and share its scales. The result does not depend on it.
    strict : bool
        Refuse a truncated video instead of taking what decodes.
    **params
        Fields of `ExtractionParams`: ``length``, ``stride``, ``patch``, ``keypoints``, ``camera`` …, and ``preset``,
        "exact" (default) or "fast", over whose values they are taken.

    Returns
    -------
    Features
        Of all kept tracks, by ending frame, scale and age; none for a single frame. ``notes`` say what was noticed,
        such as a truncated video.

    Raises
    ------
    DataError
        If the video, the boxes or a parameter cannot be used; the message says why.

    Notes
    -----
    Wang & Schmid, "Action recognition with improved trajectories", ICCV 2013. Memory grows with the number of
    tracks: for a long video, or a stream without an end, use `stream` or the command ``idt-extract``.

    Examples
    --------
    >>> import idt
    >>> features = idt.extract("walk.avi", stride=10)  # doctest: +SKIP
    """
    checked = ExtractionParams.from_options(**params)
    with open_video(video, params=checked, strict=strict) as opened:
        chunks = list(features_of(opened, checked, boxes=boxes, threads=threads))
        features = Features.concatenate(chunks).timed(sum(chunk.frames for chunk in chunks))
        return dataclasses.replace(features, source=source_of(opened, boxes), notes=tuple(opened.notes))


def stream(video, *, boxes=None, threads=1, strict=False, **params):
    """Extract from a video that need not end, a chunk at a time.

    Parameters
    ----------
    video, boxes, threads, strict, **params
        As for `extract`.

    Yields
    ------
    Features
        The tracks that ended within the next 16 frames, with the camera's motion of these frames; the last chunk
        holds what is left. Their time positions are NaN, since they are relative to the number of frames:
        `Features.timed` fills them in when it is known.

    Raises
    ------
    DataError
        As for `extract`, when the first chunk is asked for or the frame at fault is reached.
    """
    checked = ExtractionParams.from_options(**params)
    with open_video(video, params=checked, strict=strict) as opened:
        yield from features_of(opened, checked, boxes=boxes, threads=threads)


def source_of(video, boxes=None):
    """What the features of a video are made from, as a feature file records it.

    Parameters
    ----------
    video : Video
        Its digest reads the whole source.
    boxes : path, optional
        Human boxes; the numbers depend on them, too.

    Returns
    -------
    dict
    """
    return video.source if boxes is None else {**video.source, "boxes_digest": provenance.digest(boxes)}


def features_of(video, params, *, boxes=None, threads=1):
    """Chunks of features of an opened video: `stream` without the opening.

    Parameters
    ----------
    video : Video
    params : ExtractionParams
    boxes, threads
        As for `extract`.

    Yields
    ------
    Features
        At least one chunk, each of 1 to 16 frames.
    """
    if params.steps != (1,):

        def by_frame(some):
            return (
                _features([_kept(step)], some, params) for step in follow(some, params, boxes=boxes, threads=threads)
            )

        yield from features_of_skips(video, params.steps, by_frame, chunk=CHUNK)
        return
    kept = []
    for step in follow(video, params, boxes=boxes, threads=threads):
        kept.append(_kept(step))
        if len(kept) == CHUNK:
            yield _features(_taken(kept), video, params)
    if kept:
        yield _features(kept, video, params)


def _taken(kept):
    """All of a list, out of it: what a chunk is made of need not live until the chunk is written."""
    taken = kept[:]
    kept.clear()
    return taken


def follow(video, params, *, boxes=None, threads=1):
    """The frame loop itself, for those who want to look inside (`show` does).

    Parameters
    ----------
    video : Video
    params : ExtractionParams
    boxes, threads
        As for `extract`.

    Yields
    ------
    Step
        One for every frame.
    """
    threads = THREADS.check("threads", threads)
    levels = scales(video.height, video.width, patch=params.patch, most=params.scales)
    live = [Tracks(params.length, params.time_cells, params.cells**2 * _STEP_BINS) for _ in levels]
    known_boxes = None
    if boxes is not None:
        known_boxes = people.read_boxes(boxes).clipped(video.source_width, video.source_height).scaled(video.shrink)
    previous = None
    with Crew(threads - 1) as crew:
        # Without a second flow the helpers run ahead further; with one that would be memory for nothing.
        depth = 2 if params.compensation == "field" else 1
        for now, fields, compensated in crew.ahead(_pairs(video, levels, params, known_boxes), depth):
            since = now.index - video.first_frame.index
            if previous is None:
                motion, remaining, finished = camera.STILL, fields, [tracks.none_finished() for tracks in live]
            else:
                motion, remaining = compensated or _compensate(previous, now, fields, levels, params)
                describe = (since - 1) % params.describe_every == 0
                advance = functools.partial(_advance, params=params, describe=describe)
                finished = crew.map(advance, live, previous.pyramid, fields, remaining)
            rows = _rows(live, finished, levels, params, since)
            for tracks, textured in zip(live, now.textured, strict=False):  # none where no track may start
                tracks.start(sampling.sample_points(textured, tracks.positions, stride=params.stride))
            yield Step(now.index, now.pyramid[0], motion, fields, remaining, live, rows)
            previous = now


def _advance(tracks, gray, field, remaining, *, params, describe):
    """Describe the tracks of one scale where they are, if this is asked for, and move them along the flow."""
    if describe:
        histograms.accumulate(
            gray,
            remaining,
            tracks.positions,
            tracks.sums,
            tracks.rows,
            patch=params.patch,
            cells=params.cells,
            local_norm=params.local_norm,
        )
    return tracks.advance(field, remaining)


_STEP_BINS = sum(layout.step_sizes(1).values())


def _pairs(video, levels, params, known_boxes):
    """Look at each frame and yield it with the flow that leads to it, [] for the first.

    Third comes what `_compensate` makes of the two, if that asks for no second flow; else None, and the caller's
    thread, which describes the tracks, has about as much to do as this one.
    """
    previous = None
    for frame in video:
        starts = (frame.index - video.first_frame.index) % params.gap == 0
        now = _look(frame, levels, params, _mask(frame, params, known_boxes), starts)
        fields: list[np.ndarray] = [] if previous is None else _flow(previous, now.pyramid[0], now.expansion, levels)
        if now.expansion is not None:
            now = now._replace(expansion=now.expansion.as_first())
        early = previous is not None and params.compensation == "field"
        yield now, fields, _compensate(previous, now, fields, levels, params) if early else None
        previous = now


def _look(frame, levels, params, mask, starts):
    pyramid = gray_pyramid(frame.gray, levels)
    # The first scale's is that of the corners, too.
    texture = [sampling.texture(image) for image in (pyramid if starts else pyramid[:1])]
    return _Look(
        frame.index,
        mask,
        pyramid,
        _expand(frame.gray, levels, params),
        camera.view(frame.gray, mask, keypoints=params.keypoints if params.camera else "none"),
        texture[0],
        [sampling.textured_cells(level, stride=params.stride) for level in texture] if starts else [],
    )


def _expand(gray, levels, params, *, second_only=False):
    """What the flow from or to a frame is made of, besides its gray levels; None for flows that need no more."""
    if params.flow != "farneback":
        return None
    return flow.expand(gray, levels, finest=params.flow_from, second_only=second_only)


def _flow(previous, gray, expansion, levels):
    """Flow at every scale from the frame before to another one and its expansion."""
    if expansion is None:
        return flow.dis(previous.pyramid[0], gray, levels)
    return flow.between(previous.expansion, expansion)


def _mask(frame, params, known_boxes):
    """0 where a person is; None where nobody was looked for."""
    if not params.camera or (known_boxes is None and params.humans == "none"):
        return None
    found = [people.find_people(frame.gray)] if params.humans == "hog" else []
    if known_boxes is not None:
        found.append(known_boxes.for_frame(frame.original))
    return people.mask(np.concatenate(found), frame.gray.shape)


def _compensate(previous, now, fields, levels, params):
    """The camera's motion from the frame before to this one, and the flow that remains without it."""
    if not params.camera:
        return camera.STILL, fields
    # Release: the corners of frame t-1 are searched under the mask of frame t.
    by_flow = camera.match_corners(previous.pyramid[0], fields[0], now.mask, texture=previous.texture)
    by_view = camera.match_views(now.view, previous.view)
    motion = camera.fit(*(np.concatenate(pair) for pair in zip(by_flow, by_view, strict=True)))
    if params.compensation == "field":
        return motion, camera.remove_motion(fields, motion.homography, levels)
    if params.compensation == "moved" and motion.inliers == 0:
        return motion, fields
    warped = camera.warp(now.pyramid[0], previous.pyramid[0], motion.homography)
    return motion, _flow(previous, warped, _expand(warped, levels, params, second_only=True), levels)


def _rows(live, finished, levels, params, since):
    """The tracks of all scales that ended ``since`` frames after the first, in full-resolution pixels, summarised."""
    # At most frames no track ends at most scales.
    every = list(zip(levels, live, finished, strict=True))
    ended = [scale for scale in every if len(scale[2].slots)] or every[:1]
    factor = np.concatenate([np.full(len(end.slots), level.factor, np.float32) for level, _, end in ended])
    points = np.concatenate([end.points for _, _, end in ended])
    displacements = np.concatenate([end.displacements for _, _, end in ended])
    points *= factor[:, None, None]
    displacements *= factor[:, None, None]
    summary = selection.summarise(points, displacements, camera=params.camera)
    described = _described(params.length, params.time_cells, params.describe_every, since % params.describe_every)
    # Of most tracks nobody needs the histograms.
    means, first = [], 0
    for _, tracks, end in ended:
        last = first + len(end.slots)
        means.append(tracks.histograms(end.slots[summary.kept[first:last]], described))
        first = last
    return Rows(factor, points, summary, np.concatenate(means))


@functools.lru_cache
def _described(length, time_cells, every, remainder):
    """How many steps of each time cell were described; the frame's number divided by ``every`` leaves ``remainder``."""
    group = length // time_cells
    # Step k of L was made at this frame − L + k.
    steps = np.arange(remainder - length, remainder - length + time_cells * group)
    return (steps.reshape(time_cells, group) % every == 0).sum(axis=1)


class _Kept(NamedTuple):
    """What is kept of a step: its tracks that passed the tests, and the camera's motion."""

    index: int  # type: ignore[assignment]
    motion: camera.Motion
    columns: dict[str, np.ndarray]
    histograms: np.ndarray


def _kept(step):
    rows, summary, kept = step.rows, step.rows.summary, np.flatnonzero(step.rows.summary.kept)
    columns = {
        "frame": np.full(len(kept), step.index, np.int32),
        "scale": rows.factor[kept],
        "points": rows.points[kept],
        **{name: getattr(summary, name)[kept] for name in ("mean", "std", "length", "trajectory")},
    }
    return _Kept(step.index, step.motion, columns, rows.histograms)


def _features(steps, video, params):
    """The columns of consecutive steps as one."""
    columns: dict[str, Any] = {
        name: np.concatenate([step.columns[name] for step in steps]) for name in steps[0].columns
    }
    first = 0
    for name, size in layout.step_sizes(params.cells).items():
        block = np.concatenate([step.histograms[:, :, first : first + size] for step in steps])
        columns[name] = block.reshape(len(block), params.time_cells * size)
        first += size
    whole = np.array([video.width, video.height], np.float32)
    place = np.clip(columns["mean"] / whole, 0, LAST_POSITION)
    motions = [step.motion for step in steps]
    return Features(
        **columns,
        position=np.column_stack([place, np.full(len(place), np.nan, np.float32)]),
        camera=Camera(
            homography=np.stack([motion.homography for motion in motions]),
            matches=np.array([motion.matches for motion in motions], np.int32),
            inliers=np.array([motion.inliers for motion in motions], np.int32),
            first_frame=steps[0].index,
        ),
        width=video.width,
        height=video.height,
        fps=video.fps,
        frames=len(steps),
        params=params,
    )
