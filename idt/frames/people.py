"""Boxes of people, whose image regions are excluded from the matches for the camera's motion.

Method: docs/method/extraction.md, sections 4.4 and 9.4.

Boxes come from a file, one line per frame: ``frame x1 y1 x2 y2 confidence x1 y1 …``, in pixels of the source, or
from OpenCV's people detector (HOG and a linear SVM; Dalal & Triggs, CVPR 2005). The mask of a frame is 1
everywhere and 0 inside each box, from the ceil of its top-left to the floor of its bottom-right corner, inclusive.
The release counts lines and ignores their frame numbers; here the number decides. Confidences are not used.
"""

import os
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from idt.checks import float_array, gray_image
from idt.errors import DataError, one_line
from idt.files import text
from idt.files.source_file import open_source
from idt.imports.opencv import cv2

FRAME_DIGITS = 9
"""A frame's number has at most this many digits: a year of video has a billion frames."""

LARGEST_COORDINATE = 1e9
"""No coordinate of a box is farther from 0, in pixels."""

NO_BOXES = np.empty((0, 4), np.float32)

# Smaller frames are enlarged until their shorter side is this long (px): the detector's window is 64×128 px, in which a
# person is 96 px high, so it finds nobody in the 120 lines of KTH.
DETECTOR_SIDE = 240


@dataclass(frozen=True, eq=False)
class Boxes:
    """Human boxes by frame of the source, as `read_boxes` returns them.

    Attributes
    ----------
    name : str
        The file, for messages.
    frames : dict of int to (k, 4) float32
        Corners x1 y1 x2 y2 in pixels; k may be 0.
    lines : dict of int to int
        Line of the file that each frame stands on, from 1.
    digest : str
        SHA-256 of the file that the boxes were read from.
    """

    name: str
    frames: dict[int, np.ndarray]
    lines: dict[int, int]
    digest: str = ""

    def for_frame(self, index):
        """Return the boxes of one frame, numbered as in the source (`video.Frame.original`).

        Returns
        -------
        (k, 4) float32

        Raises
        ------
        DataError
            If the file has no line for the frame.
        """
        if index not in self.frames:
            raise DataError(
                f"{self.name} has no line for frame {index}: its {len(self.frames)} lines must cover the video"
                f" (frames {min(self.frames)} to {max(self.frames)} at present); the line of a frame without people has"
                " its number alone"
            )
        return self.frames[index]

    def clipped(self, width, height):
        """Return the boxes cut to a ``width`` × ``height`` image of source pixels.

        Raises
        ------
        DataError
            If a box lies wholly outside the image.
        """
        corner = np.array([width - 1, height - 1], np.float32)
        frames = {}
        for index, boxes in self.frames.items():
            outside = (boxes[:, 2:] < 0).any(axis=1) | (boxes[:, :2] > corner).any(axis=1)
            if outside.any():
                raise DataError(
                    f"{self.name}, line {self.lines[index]}: box {_show(boxes[outside][0])}"
                    f" lies outside the {width}×{height} image; boxes are pixels of the source video"
                )
            frames[index] = np.clip(boxes, 0, np.tile(corner, 2))
        return replace(self, frames=frames)

    def scaled(self, factor):
        """Return the boxes in pixels of frames shrunk by ``factor`` (`video.Video.shrink`)."""
        return replace(self, frames={i: boxes * np.float32(factor) for i, boxes in self.frames.items()})


def read_boxes(path):
    """Read human boxes from a file.

    Parameters
    ----------
    path : path
        Text: on each line the number of a frame of the source, then five numbers per box: x1 y1 x2 y2 confidence. The
        line of a frame without people has the number alone. Blank lines are skipped; frames may come in any order.

    Returns
    -------
    Boxes
        In pixels of the source, not yet clipped.

    Raises
    ------
    DataError
        If there is no such file, no line in it, or a line is malformed; the message names the line.

    Notes
    -----
    docs/method/extraction.md, section 9.
    """
    if not os.path.exists(path):
        raise DataError(f"{path}: no such file of human boxes")
    # `SourceFile.digest` raises if the file has changed since it was parsed.
    with open_source(path) as file:
        return replace(_read(path), digest=file.digest())


def _read(path):
    frames: dict[int, np.ndarray] = {}
    lines: dict[int, int] = {}
    for number, line in text.numbered_lines(path, what="a text file of human boxes"):
        try:
            index, boxes = _parse(line.split())
            if index in frames:
                raise DataError(f"frame {index} occurs again, first on line {lines[index]}")
        except DataError as error:
            raise DataError(f"{path}, line {number}: {error}") from None
        frames[index], lines[index] = boxes, number
    if not frames:
        raise DataError(f"{path} has no lines; expected one per frame: frame x1 y1 x2 y2 confidence …")
    return Boxes(str(path), frames, lines)


def match_mask(boxes, shape):
    """Make the mask of the pixels where matches may lie: 1, and 0 inside the boxes.

    Parameters
    ----------
    boxes : (k, 4) float32
        Corners x1 y1 x2 y2 in pixels of the image; parts of a box beyond the image are ignored.
    shape : (int, int)
        Height and width.

    Returns
    -------
    (H, W) uint8
        All 1 without boxes.

    Notes
    -----
    docs/method/extraction.md, section 4.
    """
    boxes = float_array(boxes, (None, 4), "boxes")
    free = np.ones(shape, np.uint8)
    first = np.maximum(np.ceil(boxes[:, :2]), 0).astype(np.int64)
    stop = np.maximum(np.floor(boxes[:, 2:]) + 1, 0).astype(np.int64)
    for (x1, y1), (x2, y2) in zip(first, stop, strict=True):
        free[y1:y2, x1:x2] = 0
    return free


def find_people(gray):
    """Find upright people with OpenCV's HOG detector.

    Parameters
    ----------
    gray : (H, W) uint8
        Frames with a shorter side below 240 px are enlarged for the search.

    Returns
    -------
    (k, 4) float32
        Corners x1 y1 x2 y2 inside the image, sorted; (0, 4) if nobody is found.

    Raises
    ------
    DataError
        If ``gray`` is not a 2-D uint8 image, or this build of OpenCV lacks the detector.

    Notes
    -----
    docs/method/extraction.md, section 4.4; Dalal & Triggs 2005, with the detector's stride of 8 px and steps of 5 % in
    scale. The result does not depend on the number of threads.
    """
    gray = gray_image(gray)
    height, width = gray.shape
    factor = max(1.0, DETECTOR_SIDE / min(height, width))
    if factor > 1:
        gray = cv2.resize(gray, (round(width * factor), round(height * factor)), interpolation=cv2.INTER_LINEAR)
    found, _ = _detector().detectMultiScale(gray, winStride=(8, 8), padding=(16, 16), scale=1.05)
    if len(found) == 0:
        return NO_BOXES.copy()
    # Threads find the boxes in any order; (x, y, width, height) in whole pixels of the enlarged frame.
    x, y, w, h = np.asarray(sorted(map(tuple, found)), np.float32).T
    boxes = np.stack([x, y, x + w - 1, y + h - 1], axis=1) / np.float32(factor)
    return np.clip(boxes, 0, np.array([width - 1, height - 1] * 2, np.float32))


@cache
def _detector():
    if not hasattr(cv2, "HOGDescriptor"):
        raise DataError(
            f"OpenCV {cv2.__version__} was built without its people detector; install opencv-contrib-python,"
            " give a file of human boxes, or leave humans at none"
        )
    detector = cv2.HOGDescriptor()
    detector.setSVMDetector(np.array(cv2.HOGDescriptor.getDefaultPeopleDetector(), np.float32))
    return detector


def _parse(fields):
    """Parse frame number and (k, 4) boxes of one line."""
    if not fields[0].isdecimal():
        raise DataError(f"the frame must be a whole number of at least 0, got {one_line(fields[0], 40)}")
    if len(fields[0]) > FRAME_DIGITS:
        raise DataError(f"the frame must have at most {FRAME_DIGITS} digits, got {len(fields[0])}")
    try:
        numbers = np.array([float(field) for field in fields[1:]])
    except ValueError as error:
        raise DataError(f"expected numbers, {one_line(str(error).removeprefix('could not '), 80)}") from None
    if not np.isfinite(numbers).all():
        raise DataError("expected finite numbers, got NaN or infinity")
    if (abs(numbers) > LARGEST_COORDINATE).any():
        raise DataError(f"expected numbers of at most {LARGEST_COORDINATE:g}, got {abs(numbers).max():g}")
    if numbers.size % 5:
        raise DataError(f"expected five numbers per box (x1 y1 x2 y2 confidence), got {numbers.size} after the frame")
    boxes = numbers.reshape(-1, 5)[:, :4]
    reversed_ = boxes[(boxes[:, 2:] < boxes[:, :2]).any(axis=1)]
    if len(reversed_):
        raise DataError(f"expected x1 ≤ x2 and y1 ≤ y2, got {_show(reversed_[0])}")
    return int(fields[0]), boxes.astype(np.float32)


def _show(box):
    return " ".join(f"{value:g}" for value in box)
