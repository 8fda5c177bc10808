"""One frame of a video as a small JPEG, to know the video by."""

import os
from itertools import islice

from idt.errors import DataError
from idt.frames.video import open_video
from idt.imports.opencv import cv2
from idt.params.bounds import MOST_PIXELS
from idt.params.extraction import ExtractionParams

FRAME = 15
"""Frame that is taken, from the beginning: by then an action has begun, and little needs to be decoded."""

WIDTH = 240
"""Pixels of the longer side."""

QUALITY = 75
"""Of the JPEG, in percent."""


def still(video, start=None, end=None, max_pixels=MOST_PIXELS, decoder="auto"):
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
        Gray; the frame `FRAME`, or the last of a shorter video. None if the video cannot be read.
    """
    params = ExtractionParams(start=start or 0, end=end, patch=2)
    try:
        with open_video(os.fspath(video), params=params, max_pixels=max_pixels, decoder=decoder) as frames:
            for frame in islice(frames, FRAME + 1):
                gray = frame.gray
    except (DataError, OSError):
        return None
    shrink = min(1.0, WIDTH / max(gray.shape))
    if shrink < 1:
        gray = cv2.resize(gray, None, fx=shrink, fy=shrink, interpolation=cv2.INTER_AREA)
    return cv2.imencode(".jpg", gray, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1].tobytes()
