"""Colour frames: the frames of `idt.frames.video` with the same frame numbers, as BGR, for networks.

Small frames are accepted, because networks take frames of any size.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from idt.frames.sources import find_reader
from idt.frames.video import DEFAULTS, Video
from idt.imports.opencv import cv2
from idt.params.bounds import MOST_PIXELS, PIXELS


class Picture(NamedTuple):
    """One colour frame: its number after resampling, its number in the source, and (H, W, 3) uint8 pixels, BGR."""

    index: int  # type: ignore[assignment]  # hides tuple.index, which nobody searches a frame with
    original: int
    bgr: np.ndarray


class ColourVideo(Video):
    """Video in colour: an iterator of `Picture`, otherwise the same as `idt.frames.video.Video`."""

    least_side = 1

    def __next__(self) -> Picture:  # type: ignore[override]  # the same numbers with other pixels
        frame = self._take()
        if frame is None:
            raise StopIteration
        return Picture(frame.index, frame.original, frame.gray)

    def __iter__(self) -> Iterator[Picture]:  # type: ignore[override]
        return self

    def _converted(self, image):
        if image.ndim == 2:
            return cv2.cvtColor(image, cv2.COLOR_GRAY2BGR)
        # Copied, because a caller's generator may write its next frame into the same array.
        return np.array(image if self._reader.channels == "bgr" else image[..., ::-1], order="C")


def open_colour(video, *, params=DEFAULTS, channels="bgr", max_pixels=MOST_PIXELS, decoder="auto"):
    """Open a source of frames, and read it in colour.

    Parameters
    ----------
    video : path, int, array or iterable
    params : ExtractionParams
    channels : {"bgr", "rgb"}
    max_pixels : int
    decoder : {"auto", "opencv", "pyav"}
        All as for `idt.frames.video.open_video`.

    Returns
    -------
    ColourVideo

    Raises
    ------
    DataError
        As `idt.frames.video.open_video`, except that small frames are accepted.
    """
    PIXELS.check("max_pixels", max_pixels)
    opening = {"max_pixels": max_pixels, "decoder": decoder, "deinterlace": params.deinterlace}
    return ColourVideo(find_reader(video, channels, **opening), params, False, 0)
