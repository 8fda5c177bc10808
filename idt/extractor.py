"""START HERE: the frame loop of improved dense trajectories (Wang & Schmid 2013), one line a step.

The numbers are the sections of docs/method/extraction.md; each step is a file in `idt.steps`:

`observe_frames`  everything that does not depend on the tracks: the gray pyramid (2), textured cells (5), the
                  polynomial expansion and the flow from the previous frame (3), keypoints (4)
`run_frame_loop`  the rest: the camera's motion and the compensated flow (4), histograms along the tracks (7), the step
                  along the flow (6), tests of finished tracks (8), new tracks (5)

`observe_frames` runs ahead of `run_frame_loop` in a read-ahead thread, if the run has more than one thread; an idle
thread takes over some of the scales. `idt.api` has the public functions; `idt.features.collect` makes `Features` of the
finished tracks.
"""

import functools
import os
from typing import NamedTuple

import numpy as np

from idt.features import collect
from idt.features.multi_skip import features_of_skips
from idt.files import provenance
from idt.frames import people
from idt.frames.motion.consecutive import consecutive_flow_of, fields_at_scales
from idt.params import layout
from idt.params.flow_choice import MPEG, FunctionFlow
from idt.steps import block_flow, camera, corners, dense_flows, flow, histograms, sampling
from idt.steps.pyramid import gray_pyramid, scales
from idt.steps.tracks import LiveTracks
from idt.workers.threads import thread_pool


class FrameState(NamedTuple):
    """The state of the extraction after one frame.

    Attributes
    ----------
    index : int
        Number of the frame, t.
    gray : (H, W) uint8
    motion : camera.Motion
        From t-1 to t.
    flow, flow_warp : list of (h, w, 2) float32
        Flow from frame t-1, and the flow that remains without the camera's motion. Both at every scale, finest first;
        empty for the first frame. If the flow is motion vectors of a codec, and no track is described in frame t-1,
        one vector stands for 4 × 4 pixels.
    live : list of LiveTracks
        Live tracks of each scale, new ones included. The loop changes these objects after it has yielded them.
    finished : collect.FinishedTracks
        Tracks that ended at this frame.
    """

    index: int  # type: ignore[assignment]  # hides tuple.index, which is not used here
    gray: np.ndarray
    motion: camera.Motion
    flow: list[np.ndarray]
    flow_warp: list[np.ndarray]
    live: list[LiveTracks]
    finished: collect.FinishedTracks


class ObservedFrame(NamedTuple):
    """Everything about a frame that does not depend on the tracks.

    Attributes
    ----------
    index : int
    mask : (H, W) uint8 or None
        0 where a person is.
    pyramid : list of (h, w) uint8
        The frame at every scale, finest first. If no track starts or is described in it, every entry is the frame at
        full size.
    texture : (H, W) float32 or None
        Texture of the first scale; None if neither corners nor new tracks are searched for.
    textured : list
        Cells of each scale in which a track may start; empty if no track may start in this frame.
    expansion : flow.Expansion or None
        None unless the flow is Farnebäck's.
    keypoints : camera.FrameKeypoints
    """

    index: int  # type: ignore[assignment]
    mask: np.ndarray | None
    pyramid: list[np.ndarray]
    texture: np.ndarray | None
    textured: list[np.ndarray]
    expansion: flow.Expansion | None
    keypoints: camera.FrameKeypoints


def observe_frames(video, levels, params, boxes):
    """Compute for each frame, and for the flow that leads to it, everything that does not depend on the tracks.

    Parameters
    ----------
    video : Video
    levels : list of Scale
    params : ExtractionParams
    boxes : people.Boxes or None

    Yields
    ------
    observed : ObservedFrame
    fields : list of (h, w, 2) float32
        Flow from the frame before at every scale; [] for the first frame.
    compensated : tuple or None
        The result of `compensate` if the compensation needs no second flow; else None, and `run_frame_loop` computes
        it.
    """
    consecutive_flow = consecutive_flow_of(params)  # None for a flow that can be computed between any two images
    previous_frame, previous, blocks, described = None, None, None, False
    for frame in video:
        since = frame.index - video.first_frame.index
        # ``described`` still tells here whether tracks are described in the previous frame, from which the flow leads.
        spacing = 1 if described or params.flow != MPEG else block_flow.COARSE
        may_start, described = since % params.gap == 0, since % params.describe_every == 0
        now = observe_frame(
            frame, levels, params, mask_of(frame, params, boxes), may_start=may_start, described=described
        )
        # 3: flow from the frame before
        if consecutive_flow is None or previous_frame is None:
            fields = flow_to(previous, now.pyramid[0], now.expansion, levels, params)
        else:
            fields, blocks = fields_at_scales(consecutive_flow(previous_frame, frame), levels, spacing=spacing)
        if now.expansion is not None:
            now = now._replace(expansion=now.expansion.as_first())
        early = previous is not None and params.compensation == "field"
        yield now, fields, compensate(previous, now, fields, levels, params, blocks) if early else None
        previous, previous_frame = now, frame


def observe_frame(frame, levels, params, mask, *, may_start, described=True):
    """Compute the pyramid, textured cells, expansion and keypoints of one frame.

    Parameters
    ----------
    frame : Frame
    levels : list of Scale
    params : ExtractionParams
    mask : (H, W) uint8 or None
        0 where a person is.
    may_start : bool
        Whether tracks may start; if not, only the texture of the first scale is computed, for the corners.
    described : bool
        Whether tracks are described in this frame.

    Returns
    -------
    ObservedFrame
    """
    # 2: scales; the coarser ones are used only where tracks start or are described
    pyramid = gray_pyramid(frame.gray, levels) if may_start or described else [frame.gray] * len(levels)
    # 5: where a track may start
    for_corners = pyramid[:1] if params.camera and params.flow != MPEG else []
    texture = [sampling.texture(image) for image in (pyramid if may_start else for_corners)]
    textured = [sampling.textured_cells(level, stride=params.stride) for level in texture] if may_start else []
    expansion = _expand(frame.gray, levels, params)  # 3: polynomials, from which the flow is computed
    # 4: keypoints
    points = camera.find_keypoints(frame.gray, mask, keypoints=params.keypoints if params.camera else "none")
    return ObservedFrame(frame.index, mask, pyramid, texture[0] if texture else None, textured, expansion, points)


def run_frame_loop(video, params, *, boxes=None, threads=1):
    """Run the frame loop; `idt.show` calls it, too, for the state after each frame.

    Parameters
    ----------
    video : Video
    params : ExtractionParams
    boxes, threads
        As for `idt.extract`.

    Yields
    ------
    FrameState
        One for every frame.
    """
    levels = scales(video.height, video.width, patch=params.patch, most=params.scales)
    live = [LiveTracks(params.length, params.time_cells, params.cells**2 * _STEP_BINS) for _ in levels]
    # If no second flow is computed here, the read-ahead thread can be two frames ahead; else one is enough.
    depth = 2 if params.compensation == "field" else 1
    previous = None
    with thread_pool(threads, depth) as (read_ahead, map_scales):
        for now, fields, early in read_ahead(observe_frames(video, levels, params, scaled_boxes(video, boxes))):
            since = now.index - video.first_frame.index
            if previous is None:
                motion, remaining, ended = camera.STILL, fields, [tracks.none_finished() for tracks in live]
            else:
                # 4: the camera's motion, and the flow that remains without it
                motion, remaining = early or compensate(previous, now, fields, levels, params)
                # 7 and 6: histograms at the positions of the tracks, then the step along the flow
                advance = _make_advance(params, describe=(since - 1) % params.describe_every == 0)
                ended = map_scales(advance, live, levels, previous.pyramid, fields, remaining)
            finished = collect.finished_tracks(live, ended, levels, params, since)  # 8: which are kept
            _start_tracks(live, now.textured, params)  # 5: new tracks
            yield FrameState(now.index, now.pyramid[0], motion, fields, remaining, live, finished)
            previous = now


def features_of(video, params, *, boxes=None, threads=1):
    """Extract from an opened video, chunk by chunk; `idt.stream` opens the video and calls this.

    Parameters
    ----------
    video : Video
    params : ExtractionParams
    boxes, threads
        As for `idt.extract`.

    Returns
    -------
    generator of Features
        At least one chunk, each of 1 to 16 frames.
    """

    def chunks(frames, size):
        states = run_frame_loop(frames, params, boxes=boxes, threads=threads)
        return collect.join_frames(states, frames, params, size=size)

    if params.steps == (1,):
        return chunks(video, collect.CHUNK)
    return features_of_skips(video, params.steps, functools.partial(chunks, size=1), chunk=collect.CHUNK)


def source_of(video, boxes=None):
    """Return the provenance of features, as a feature file records it.

    Parameters
    ----------
    video : Video
        Its digest reads the whole source.
    boxes : path or people.Boxes, optional
        Human boxes, whose digest is recorded, because the features depend on them. For boxes from `load_boxes` it is
        the digest of the bytes that were read.

    Returns
    -------
    dict
    """
    if boxes is None:
        return video.source
    digest = boxes.digest if isinstance(boxes, people.Boxes) else provenance.digest(boxes)
    return {**video.source, "boxes_digest": digest}


def load_boxes(boxes):
    """Read human ``boxes`` from their file; None and boxes that were read already are returned unchanged."""
    return people.read_boxes(boxes) if isinstance(boxes, str | os.PathLike) else boxes


def compensate(previous, now, fields, levels, params, blocks=None):
    """Estimate the camera's motion between two frames, and the flow that remains without it (section 4).

    Parameters
    ----------
    previous, now : ObservedFrame
    fields : list of (h, w, 2) float32
        Flow from one to the other.
    levels : list of Scale
    params : ExtractionParams
    blocks : block_flow.Blocks, optional
        Motion vectors of blocks from which the flow was interpolated, if it was. Matches then lie on a grid and not on
        corners.

    Returns
    -------
    motion : camera.Motion
    remaining : list of (h, w, 2) float32
    """
    if not params.camera:
        return camera.STILL, fields
    # As in the authors' release, corners of frame t-1 are detected under the mask of frame t.
    if blocks is None:
        by_flow = corners.match(previous.pyramid[0], fields[0], now.mask, texture=previous.texture)
    else:
        by_flow = block_flow.match(fields[0], now.pyramid[0].shape, now.mask)
    by_keypoint = camera.match_keypoints(now.keypoints, previous.keypoints)
    motion = camera.fit(*(np.concatenate(pair) for pair in zip(by_flow, by_keypoint, strict=True)))
    if params.compensation == "field" and blocks is not None:
        remaining = block_flow.subtract_motion(blocks, motion.homography, levels[0].width, levels[0].height)
        spacing = block_flow.spacing_of(fields[0], levels[0][1:])
        return motion, block_flow.at_scales(remaining, levels, spacing=spacing)
    if params.compensation == "field":
        return motion, camera.subtract_motion(fields, motion.homography, levels)
    if params.compensation == "moved" and motion.inliers == 0:
        return motion, fields
    warped = camera.warp(now.pyramid[0], previous.pyramid[0], motion.homography)
    return motion, flow_to(previous, warped, _expand(warped, levels, params, second_only=True), levels, params)


_STEP_BINS = sum(layout.step_sizes(1).values())
"""One step of a track adds to this many bins in each cell: 8 + 9 + 8 + 8 in HOG, HOF, MBHx and MBHy."""


def _expand(gray, levels, params, *, second_only=False):
    """Return the polynomial expansion of a frame, from which Farnebäck's flow is computed; None for other flows."""
    if params.flow != "farneback":
        return None
    return flow.expand(gray, levels, finest=params.flow_from, second_only=second_only)


def flow_to(previous, gray, expansion, levels, params):
    """Compute the flow from the previous frame to another image.

    Parameters
    ----------
    previous : ObservedFrame or None
    gray : (H, W) uint8
        The other frame.
    expansion : flow.Expansion or None
        Expansion of ``gray``, for Farnebäck's flow; None for any other flow.
    levels : list of Scale
    params : ExtractionParams

    Returns
    -------
    list of (h, w, 2) float32
        At every scale, finest first; [] if there is no previous frame.
    """
    if previous is None:
        return []
    if expansion is None:
        method = params.flow.function if isinstance(params.flow, FunctionFlow) else params.flow
        return dense_flows.estimate(previous.pyramid[0], gray, method, levels)
    return flow.between(previous.expansion, expansion)


def _make_advance(params, *, describe):
    """Return the function that describes the tracks of one scale (section 7) and moves them on (section 6)."""

    def advance(tracks, level, gray, field, remaining):
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
        size = level[1:]
        spacing = block_flow.spacing_of(field, size)
        moving = field if params.tracks == "flow" else np.zeros_like(field)
        return tracks.advance(moving, remaining, spacing=spacing, size=size)

    return advance


def _start_tracks(live, textured, params):
    """Start a track in each textured cell that holds no live track; with tracks="none", a cuboid in each cell."""
    for tracks, cells in zip(live, textured, strict=False):  # textured is empty where no track may start
        if params.tracks == "none":
            # All cells count as textured, and none as occupied.
            points = sampling.sample_points(np.ones_like(cells), tracks.positions[:0], stride=params.stride)
        else:
            points = sampling.sample_points(cells, tracks.positions, stride=params.stride)
        tracks.start(points)


def scaled_boxes(video, boxes):
    """Read human ``boxes`` and scale them to the frames of ``video``; None if there are no boxes."""
    boxes = load_boxes(boxes)
    if boxes is None:
        return None
    return boxes.clipped(video.source_width, video.source_height).scaled(video.shrink)


def mask_of(frame, params, boxes):
    """Return the mask of a ``frame``, 0 on people: from ``boxes``, from the detector if ``params`` ask for it, or both.

    Without either, or without compensation of the camera's motion, the mask is None.
    """
    if not params.camera or (boxes is None and params.humans == "none"):
        return None
    found = [people.find_people(frame.gray)] if params.humans == "hog" else []
    if boxes is not None:
        found.append(boxes.for_frame(frame.original))
    return people.match_mask(np.concatenate(found), frame.gray.shape)
