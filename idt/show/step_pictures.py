"""Pictures of the steps before tracking: flow, matches, the warped frame, human boxes.

Each shows a frame and the one before it. The frame loop does not keep the matches, so they are computed again.
Source: docs/method/extraction.md, sections 3 and 4.
"""

from typing import NamedTuple

import numpy as np

from idt.extractor import FrameState, load_boxes, run_frame_loop
from idt.frames import people
from idt.imports.opencv import cv2
from idt.params.flow_choice import MPEG
from idt.show.canvas import GRAY, ORANGE, SKY, VERMILION, YELLOW, Canvas, captioned, draw_text, side_by_side, zoom_of
from idt.show.flow import flow_image
from idt.steps import block_flow, camera, corners

FULL_COLOUR_PERCENTILE = 99.0
"""Percentile of the lengths of the flow vectors that has the full colour."""
LEAST_FULL_COLOUR = 1.0
"""Least length of flow, in pixels, that has the full colour: with less, noise would look like motion."""
WHEEL = 61
"""Side of the colour wheel beside a flow, in pixels."""
MOST_MATCHES = 400
"""Most matches of each kind that a picture shows."""


class StepPicture(NamedTuple):
    """One picture.

    Attributes
    ----------
    index : int
        Number of the frame.
    image : (H, W, 3) uint8
        BGR.
    weight : float
        The best picture of a video is the one with the largest weight.
    summary : str
        A line of text for the user.
    """

    index: int  # type: ignore[assignment]  # hides tuple.index, which nobody searches a picture with
    image: np.ndarray
    weight: float
    summary: str


def step_pictures(kind, video, params, *, boxes=None, threads=1):
    """Draw a step of the method for every frame but the first.

    Parameters
    ----------
    kind : {"flow", "matches", "warp", "people"}
    video : Video
        From `idt.frames.video.open_video`.
    params : ExtractionParams
    boxes, threads
        As for `idt.draw`.

    Yields
    ------
    StepPicture
    """
    zoom = zoom_of(video)
    boxes = load_boxes(boxes)
    frames = FrameKeeper(video)
    before = None
    for step in run_frame_loop(frames, params, boxes=boxes, threads=threads):
        now = _Frame(step, _boxes_of(video, step.gray, frames.kept_frames.pop(step.index).original, boxes, params))
        if before is not None:
            yield _DRAW[kind](before, now, params, zoom)
        before = now


class _Frame(NamedTuple):
    """State of the frame loop at a frame, and the frame's human boxes, or None if there is no source of boxes."""

    step: FrameState
    boxes: np.ndarray | None

    def mask(self):
        return None if self.boxes is None else people.match_mask(self.boxes, self.step.gray.shape)


class FrameKeeper:
    """Video that keeps the frames that it has yielded.

    Attributes
    ----------
    kept_frames : dict of int to Frame
        Frames by number; the code that takes a frame from it removes the frame.
    """

    def __init__(self, video):
        self._video, self.kept_frames = video, {}

    def __getattr__(self, name):
        return getattr(self._video, name)

    def __iter__(self):
        for frame in self._video:
            self.kept_frames[frame.index] = frame
            yield frame


def _draw_flow(before, now, params, zoom):
    """Draw the flow of the finest scale before and after the camera's compensation."""
    step = now.step
    fields = (step.flow[0], step.flow_warp[0])
    lengths = [np.hypot(field[..., 0], field[..., 1]) for field in fields]
    longest = max(float(np.percentile(np.concatenate(lengths), FULL_COLOUR_PERCENTILE)), LEAST_FULL_COLOUR)
    size = (step.gray.shape[1] * zoom, step.gray.shape[0] * zoom)
    images = []
    for name, field, length in zip(("flow", "without the camera's motion"), fields, lengths, strict=True):
        image = cv2.resize(flow_image(field, longest=longest), size, interpolation=cv2.INTER_NEAREST)
        images.append(captioned(image, f"{name}: median {np.median(length):.2f} px"))
    centre = WHEEL // 2
    y, x = np.mgrid[:WHEEL, :WHEEL] - centre
    wheel = flow_image(np.dstack([x, y]).astype(np.float32), longest=float(centre))
    wheel[np.hypot(x, y) > centre] = 255
    images[0][-WHEEL:, :WHEEL] = wheel
    draw_text(images[0], f"{longest:.1f} px", (WHEEL + 4, images[0].shape[0] - 8), (0, 0, 0))
    weight = float(np.mean(lengths[0]))
    medians = [float(np.median(length)) for length in lengths]
    summary = f"a median flow of {medians[0]:.2f} px, {medians[1]:.2f} px without the camera's motion"
    return StepPicture(step.index, captioned(side_by_side(images), f"frame {step.index}"), weight, summary)


def _draw_matches(before, now, params, zoom):
    """Draw the matches by keypoint and by corner or block, inliers and outliers of the camera's motion."""
    step = now.step
    views = [camera.find_keypoints(each.step.gray, each.mask(), keypoints=params.keypoints) for each in (before, now)]
    kinds = {"keypoints": camera.match_keypoints(views[1], views[0])}
    # Release: the corners of frame t-1 are searched under the mask of frame t.
    if params.flow == MPEG:
        kinds["blocks"] = block_flow.match(step.flow[0], step.gray.shape, now.mask())
    else:
        kinds["corners"] = corners.match(before.step.gray, step.flow[0], now.mask())
    canvas = Canvas(step.gray, zoom, 0.5)
    legend = []
    for (name, (source, target)), colour in zip(kinds.items(), (ORANGE, SKY), strict=True):
        agrees = _agrees(source, target, step.motion.homography) & (step.motion.inliers > 0)
        chosen = np.unique(np.linspace(0, len(source) - 1, min(len(source), MOST_MATCHES)).astype(int))
        for inside, shade, alpha in ((False, VERMILION, 0.8), (True, colour, 0.9)):
            some = chosen[agrees[chosen] == inside] if len(source) else chosen[:0]
            canvas.lines(list(np.stack([source[some], target[some]], axis=1)), shade, alpha)
            canvas.dots(target[some], shade, 0.3 * zoom + 0.8, alpha)
        legend.append((f"{name}: {agrees.sum():,} of {len(source):,} agree", colour))
    legend.append(("disagree", VERMILION))
    summary = f"{step.motion.inliers} of {step.motion.matches} matches agree with the camera's motion"
    image = captioned(canvas.image(), f"frame {step.index}: {summary}", legend)
    return StepPicture(step.index, image, float(step.motion.inliers), summary)


def _agrees(source, target, homography):
    """Tell which matches are inliers of the homography, by the threshold of RANSAC, (n,) bool."""
    mapped = np.column_stack([source, np.ones(len(source))]) @ homography.T
    error = np.hypot(*(mapped[:, :2] / mapped[:, 2:] - target).T)
    return error <= camera.REPROJECTION_THRESHOLD


def _draw_warp(before, now, params, zoom):
    """Draw the previous frame, the warped frame, and the differences before and after warping."""
    step, previous = now.step, before.step
    warped = camera.warp(step.gray, previous.gray, step.motion.homography)
    parts = {"the frame before": previous.gray, "this frame, warped": warped}
    images = [captioned(Canvas(gray, zoom, 1.0).image(), name) for name, gray in parts.items()]
    means = []
    for name, gray in (("difference", step.gray), ("difference, warped", warped)):
        difference = cv2.absdiff(previous.gray, gray)
        means.append(float(difference.mean()))
        shown = cv2.applyColorMap(cv2.convertScaleAbs(difference, alpha=4.0), cv2.COLORMAP_INFERNO)
        size = (gray.shape[1] * zoom, gray.shape[0] * zoom)
        image = cv2.resize(shown, size, interpolation=cv2.INTER_NEAREST)
        images.append(captioned(image, f"{name}: {means[-1]:.2f} gray levels"))
    image = np.concatenate([side_by_side(images[:2]), side_by_side(images[2:])])
    summary = f"{means[0]:.2f} gray levels of difference, {means[1]:.2f} warped"
    return StepPicture(step.index, captioned(image, f"frame {step.index}"), means[0] - means[1], summary)


def _draw_people(before, now, params, zoom):
    """Draw the human boxes, inside which matches are masked."""
    canvas = Canvas(now.step.gray, zoom, 0.8)
    found = np.zeros((0, 4)) if now.boxes is None else now.boxes
    for left, top, right, bottom in found[:, :4]:
        corner = np.array([(left, top), (right, top), (right, bottom), (left, bottom), (left, top)])
        canvas.lines([corner], YELLOW, 0.9, thickness=2)
    summary = f"{len(found)} human boxes"
    legend = [(summary, YELLOW)] if len(found) else [("no human box: --boxes FILE or --humans hog", GRAY)]
    image = captioned(canvas.image(), f"frame {now.step.index}", legend)
    return StepPicture(now.step.index, image, float(len(found)), summary)


def _boxes_of(video, gray, original, boxes, params):
    """Return the human boxes of a frame in its pixels, or None if there is no source of boxes."""
    found = [people.find_people(gray)] if params.humans == "hog" else []
    if boxes is not None:
        scaled = boxes.clipped(video.source_width, video.source_height).scaled(video.shrink)
        found.append(scaled.for_frame(original))
    return np.concatenate(found) if found else None


_DRAW = {"flow": _draw_flow, "matches": _draw_matches, "warp": _draw_warp, "people": _draw_people}
