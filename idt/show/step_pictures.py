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
from idt.show.canvas import GRAY, ORANGE, SKY, VERMILION, YELLOW, Canvas, beside, captioned, write, zoom_of
from idt.show.flow import flow_image
from idt.steps import block_flow, camera, corners

LONGEST = 99.0
"""Percentile of the lengths of the flow that has the full colour."""
LEAST = 1.0
"""Least length of flow, in pixels, that has the full colour: with less, noise would look like motion."""
WHEEL = 61
MOST_MATCHES = 400


class StepPicture(NamedTuple):
    """One picture: ``index`` of the frame, ``image`` BGR, ``weight`` (the best has the most), and ``said``, a line
    of text for the user.
    """

    index: int  # type: ignore[assignment]  # hides tuple.index, which nobody searches a picture with
    image: np.ndarray
    weight: float
    said: str


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
    frames = Recorded(video)
    before = None
    for step in run_frame_loop(frames, params, boxes=boxes, threads=threads):
        now = _Frame(step, _boxes_of(video, step.gray, frames.given_out.pop(step.index).original, boxes, params))
        if before is not None:
            yield _DRAWN[kind](before, now, params, zoom)
        before = now


class _Frame(NamedTuple):
    """A step of the frame loop, and the human boxes of its frame; None where no detector ran."""

    step: FrameState
    boxes: np.ndarray | None

    def mask(self):
        return None if self.boxes is None else people.match_mask(self.boxes, self.step.gray.shape)


class Recorded:
    """A video that remembers the frames that it handed out.

    Attributes
    ----------
    given_out : dict of int to Frame
        Frames by number; looking one up removes it.
    """

    def __init__(self, video):
        self._video, self.given_out = video, {}

    def __getattr__(self, name):
        return getattr(self._video, name)

    def __iter__(self):
        for frame in self._video:
            self.given_out[frame.index] = frame
            yield frame


def _flow(before, now, params, zoom):
    """Draw the flow of the finest scale before and after the camera's compensation."""
    step = now.step
    fields = (step.flow[0], step.flow_warp[0])
    lengths = [np.hypot(field[..., 0], field[..., 1]) for field in fields]
    longest = max(float(np.percentile(np.concatenate(lengths), LONGEST)), LEAST)
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
    write(images[0], f"{longest:.1f} px", (WHEEL + 4, images[0].shape[0] - 8), (0, 0, 0))
    weight = float(np.mean(lengths[0]))
    medians = [float(np.median(length)) for length in lengths]
    said = f"a median flow of {medians[0]:.2f} px, {medians[1]:.2f} px without the camera's motion"
    return StepPicture(step.index, captioned(beside(images), f"frame {step.index}"), weight, said)


def _matches(before, now, params, zoom):
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
    said = f"{step.motion.inliers} of {step.motion.matches} matches agree with the camera's motion"
    image = captioned(canvas.image(), f"frame {step.index}: {said}", legend)
    return StepPicture(step.index, image, float(step.motion.inliers), said)


def _agrees(source, target, homography):
    """Tell which matches are inliers of the homography, by the threshold of RANSAC, (n,) bool."""
    carried = np.column_stack([source, np.ones(len(source))]) @ homography.T
    error = np.hypot(*(carried[:, :2] / carried[:, 2:] - target).T)
    return error <= camera.REPROJECTION_THRESHOLD


def _warp(before, now, params, zoom):
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
    image = np.concatenate([beside(images[:2]), beside(images[2:])])
    said = f"{means[0]:.2f} gray levels of difference, {means[1]:.2f} warped"
    return StepPicture(step.index, captioned(image, f"frame {step.index}"), means[0] - means[1], said)


def _people(before, now, params, zoom):
    """Draw the human boxes, inside which matches are masked."""
    canvas = Canvas(now.step.gray, zoom, 0.8)
    found = np.zeros((0, 4)) if now.boxes is None else now.boxes
    for left, top, right, bottom in found[:, :4]:
        corner = np.array([(left, top), (right, top), (right, bottom), (left, bottom), (left, top)])
        canvas.lines([corner], YELLOW, 0.9, wide=2)
    said = f"{len(found)} human boxes"
    legend = [(said, YELLOW)] if len(found) else [("no human box: --boxes FILE or --humans hog", GRAY)]
    image = captioned(canvas.image(), f"frame {now.step.index}", legend)
    return StepPicture(now.step.index, image, float(len(found)), said)


def _boxes_of(video, gray, original, boxes, params):
    """Return the human boxes of a frame in its pixels; None where no detector ran."""
    found = [people.find_people(gray)] if params.humans == "hog" else []
    if boxes is not None:
        scaled = boxes.clipped(video.source_width, video.source_height).scaled(video.shrink)
        found.append(scaled.for_frame(original))
    return np.concatenate(found) if found else None


_DRAWN = {"flow": _flow, "matches": _matches, "warp": _warp, "people": _people}
