"""Two frames: the flow between them, the camera's motion, and the flow that remains without it.

The same steps as in the frame loop (`idt.extractor`), without the tracks.
"""

from collections import deque
from typing import NamedTuple

import numpy as np

from idt import checks, extractor
from idt.errors import DataError
from idt.frames import people
from idt.frames.motion.consecutive import consecutive_flow_of, fields_at_scales
from idt.frames.video import Frame
from idt.params.extraction import ExtractionParams
from idt.steps import camera
from idt.steps.pyramid import scales


class Compensated(NamedTuple):
    """Flow and camera motion between two frames, as `compensate` returns them.

    Attributes
    ----------
    flow : (H, W, 2) float32
        Displacement (x, y) in pixels: the content of the first frame at p is found in the second at p + flow[p].
    homography : (3, 3) float64
        Maps pixels of the first frame to the second; the identity if no homography was accepted.
    matches, inliers : int
        Number of all matches, and of inliers of the accepted homography; 0 inliers for the identity.
    warped : (H, W) uint8
        The second frame as the camera of the first would have seen it.
    remaining : (H, W, 2) float32
        Flow without the camera's motion: from the first frame to ``warped``.
    """

    flow: np.ndarray
    homography: np.ndarray
    matches: int
    inliers: int
    warped: np.ndarray
    remaining: np.ndarray


def flow_between(first, second, *, method="farneback"):
    """Compute the optical flow from one frame to another.

    Parameters
    ----------
    first, second : (H, W) uint8
        Gray frames of one size.
    method : {"farneback", "dis", "tvl1", "lk", "mpeg"} or callable, default "farneback"
        The release's own flow; OpenCV's DIS, TV-L1 (slow) or Lucas–Kanade; motion vectors of MPEG-4
        (needs PyAV); or a function ``(first, second) -> (H, W, 2)``.

    Returns
    -------
    (H, W, 2) float32
        Displacement (x, y) in pixels: the content of ``first`` at p is found in ``second`` at p + flow[p].

    Raises
    ------
    DataError
        If a frame is not a 2-D uint8 image, they differ in size or are too small, or there is no such method.

    Notes
    -----
    docs/method/extraction.md, section 3.

    Examples
    --------
    >>> import numpy as np
    >>> import idt
    >>> still = np.zeros((40, 60), np.uint8)
    >>> idt.flow_between(still, still).shape
    (40, 60, 2)
    """
    params = ExtractionParams(flow=method, camera=False)
    return _pair(first, second, params, None).flow


def compensate(first, second, *, method="farneback", keypoints="surf", compensation="warp", boxes=None):
    """Estimate the camera's motion between two frames, and the flow that remains without it.

    Parameters
    ----------
    first, second : (H, W) uint8
        Gray frames of one size.
    method : str or callable, default "farneback"
        As for `flow_between`.
    keypoints : {"surf", "sift", "orb", "none"}, default "surf"
        Keypoints that are matched, besides corners that the flow moves.
    compensation : {"warp", "moved", "field"}, default "warp"
        How the camera's motion is removed from the flow, as for `idt.extract`.
    boxes : (k, 4) array, optional
        Corners x1 y1 x2 y2 of people in the second frame, in pixels. No match is taken from inside a box.

    Returns
    -------
    Compensated

    Raises
    ------
    DataError
        As `flow_between`, and if an option or the boxes cannot be used.

    Notes
    -----
    docs/method/extraction.md, section 4; Wang & Schmid, ICCV 2013, section 2.1.

    Examples
    --------
    >>> import numpy as np
    >>> import idt
    >>> still = np.zeros((40, 60), np.uint8)
    >>> idt.compensate(still, still).inliers
    0
    """
    params = ExtractionParams(flow=method, keypoints=keypoints, compensation=compensation)
    mask = None if boxes is None else people.match_mask(boxes, np.shape(second)[:2])
    return _pair(first, second, params, mask)


def pairs(video, params, *, boxes=None, step=1):
    """Yield the frames of a video with the flow and the camera's motion from an earlier frame, without tracks.

    Parameters
    ----------
    video : Video
    params : ExtractionParams
        Its options of flow, keypoints, camera and compensation are used. Without ``camera`` the remaining flow is the
        flow itself.
    boxes : path or people.Boxes, optional
        Human boxes, as for `idt.extract`.
    step : int
        Frames from the first to the second of a pair.

    Yields
    ------
    frame : Frame
        Every frame of the video.
    compensated : Compensated or None
        Flow and camera motion from the frame ``step`` before it; None for the first ``step`` frames.
    """
    levels = scales(video.height, video.width)
    boxes = extractor.scaled_boxes(video, boxes)
    consecutive_flow = consecutive_flow_of(params)
    if consecutive_flow is not None and step > 1:
        raise DataError(f"flow={params.flow} is known between consecutive frames only, got step={step}; leave it 1")
    earlier: deque = deque(maxlen=step)
    for frame in video:
        mask = extractor.mask_of(frame, params, boxes)
        now = extractor.observe_frame(frame, levels, params, mask, may_start=False)
        compensated = None
        if len(earlier) == step:
            previous_frame, previous = earlier[0]
            field = None if consecutive_flow is None else consecutive_flow(previous_frame, frame)
            compensated = _compensated(previous, now, levels, params, field)
        earlier.append((frame, now))
        yield frame, compensated


def _pair(first, second, params, mask):
    """Compute the flow between two images, and the motion of the camera."""
    first, second = checks.gray_image(first, "first"), checks.gray_image(second, "second")
    if first.shape != second.shape:
        raise DataError(f"first and second must have one size, got shapes {first.shape} and {second.shape}")
    levels = scales(*first.shape)
    frames = Frame(0, 0, first), Frame(1, 1, second)
    consecutive_flow = consecutive_flow_of(params)
    previous, now = (extractor.observe_frame(frame, levels, params, mask, may_start=False) for frame in frames)
    return _compensated(previous, now, levels, params, None if consecutive_flow is None else consecutive_flow(*frames))


def _compensated(previous, now, levels, params, field):
    """Estimate the flow between two observed frames, unless ``field`` gives it, and the motion of the camera."""
    first, second, blocks = previous.pyramid[0], now.pyramid[0], None
    if field is None:
        fields = extractor.flow_to(previous, second, now.expansion, levels, params)
    else:
        fields, blocks = fields_at_scales(field, levels)
    motion, remaining = extractor.compensate(previous, now, fields, levels, params, blocks)
    warped = camera.warp(second, first, motion.homography) if params.camera else second
    flow, remaining = (np.ascontiguousarray(of_scale[0]) for of_scale in (fields, remaining))
    return Compensated(flow, motion.homography, motion.matches, motion.inliers, warped, remaining)
