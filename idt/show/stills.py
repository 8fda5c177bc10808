"""Frames of a video as small JPEGs for the HTML report, plain or with the evidence for a class drawn over them."""

import os
from itertools import islice
from typing import NamedTuple

from idt.errors import DataError
from idt.imports.opencv import cv2
from idt.networks.colour import open_colour
from idt.params.bounds import MOST_PIXELS
from idt.params.extraction import ExtractionParams
from idt.show.evidence import ColourScale, ValuedTracks, overlaid

FRAME = 15
"""Number of the frame that is taken: an action has begun by then, and few frames need to be decoded."""

WIDTH = 240
"""Pixels of the longer side of a plain frame."""

EVIDENCE_WIDTH = 320
"""Pixels of the longer side of a frame with evidence, which shows more details."""

QUALITY = 75
"""Quality of the JPEGs, in percent."""


class FrameEvidence(NamedTuple):
    """Evidence to draw over one frame: the number of the frame, the tracks, and the colour scale."""

    frame: int
    tracks: ValuedTracks
    scale: ColourScale


def plain_still(video, start=None, end=None, max_pixels=MOST_PIXELS, decoder="auto"):
    """Return a frame of a video, or of a stretch of it, as a JPEG.

    Parameters
    ----------
    video : str or Path
        Anything that `idt.frames.video.open_video` reads.
    start, end : int, str or None
        The stretch, as in `ExtractionParams`; None is the whole video.
    max_pixels, decoder
        As for `idt.frames.video.open_video`.

    Returns
    -------
    bytes or None
        The frame `FRAME` in colour, or the last frame of a shorter video. None if the video cannot be read.
    """
    params = ExtractionParams(start=start or 0, end=end)
    try:
        with open_colour(os.fspath(video), params=params, max_pixels=max_pixels, decoder=decoder) as frames:
            for frame in islice(frames, FRAME + 1):
                image = frame.bgr
    except (DataError, OSError):
        return None
    return _jpeg(_sized(image, min(1.0, WIDTH / max(image.shape))))


def evidence_stills(video, evidence, params, size, *, max_pixels=MOST_PIXELS, decoder="auto"):
    """Draw evidence over frames of a video, each as a JPEG; the video is decoded once.

    Parameters
    ----------
    video : str or Path
        Anything that `idt.frames.video.open_video` reads.
    evidence : sequence of FrameEvidence
    params : ExtractionParams
        Parameters with which the tracks were extracted.
    size : (int, int)
        Width and height of the frames that the points of the tracks lie in.
    max_pixels, decoder
        As for `idt.frames.video.open_video`.

    Returns
    -------
    list of bytes
        In colour, `EVIDENCE_WIDTH` pixels wide or high.

    Raises
    ------
    DataError, OSError
        If the video cannot be read or lacks one of the frames.
    """
    wanted = {one.frame for one in evidence}
    images = {}
    with open_colour(os.fspath(video), params=params, max_pixels=max_pixels, decoder=decoder) as frames:
        for frame in frames:
            if frame.index in wanted:
                images[frame.index] = _sized(frame.bgr, EVIDENCE_WIDTH / max(frame.bgr.shape))
            if len(images) == len(wanted):
                break
    if len(images) < len(wanted):
        raise DataError(f"{video} has no frame {min(wanted - images.keys())}")
    return [_jpeg(overlaid(images[one.frame], one.frame, one.tracks, one.scale, size)) for one in evidence]


def _sized(image, factor):
    """Resize a picture by a ``factor``."""
    size = [max(1, round(side * factor)) for side in image.shape[1::-1]]
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC)


def _jpeg(image):
    """Encode a picture as JPEG."""
    return cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1].tobytes()
