"""Frames for flow files: gray, with their colours if asked for, resized to a given length of the shorter side."""

from typing import NamedTuple

import numpy as np

from idt.frames.sources import find_reader
from idt.frames.video import Video
from idt.imports.opencv import cv2
from idt.params.flow_choice import MPEG


class ColourFrame(NamedTuple):
    """A frame as `idt.frames.video.Frame`, and its BGR colours, (H, W, 3) uint8, or None if nobody asked for them."""

    index: int  # type: ignore[assignment]  # hides tuple.index, which is not used here
    original: int
    gray: np.ndarray
    vectors: tuple[np.ndarray, float] | None
    colour: np.ndarray | None


class FlowVideo(Video):
    """Iterator of `ColourFrame`; all else as `idt.frames.video.Video`.

    Parameters
    ----------
    reader, params, strict, ahead
        As for `idt.frames.video.Video`.
    short_side : int or None
        Pixels of the shorter side, to which frames are shrunk or enlarged.
    colours : bool
        Whether frames come with their colours.
    """

    def __init__(self, reader, params, strict, ahead, *, short_side, colours):
        self._short_side, self._colours, self._colour = short_side, colours, None
        super().__init__(reader, params, strict, ahead)

    def _next_frame(self):
        frame = super()._next_frame()
        return frame and ColourFrame(frame.index, frame.original, frame.gray, frame.vectors, self._colour)

    def _set_size(self, width, height):
        super()._set_size(width, height)
        if self._short_side is not None:
            self.shrink = self._short_side / min(width, height)
            self.width, self.height = round(width * self.shrink), round(height * self.shrink)

    def _gray(self, image, original):
        gray = super()._gray(image, original)
        if self._colours:
            colour = cv2.cvtColor(image, cv2.COLOR_GRAY2BGR) if image.ndim == 2 else image
            self._colour = self._resized(colour if self._reader.channels == "bgr" else colour[..., ::-1])
        return self._resized(gray)

    def _resized(self, image):
        if image.shape[:2] == (self.height, self.width):
            return np.ascontiguousarray(image)
        interpolation = cv2.INTER_AREA if self.shrink < 1 else cv2.INTER_LINEAR
        return cv2.resize(image, (self.width, self.height), interpolation=interpolation)


def open_flow_video(video, params, export, *, strict=False, ahead=0, max_pixels, decoder):
    """Open a video for its flow.

    Parameters
    ----------
    video : path or int
    params : ExtractionParams
        ``start``, ``end``, ``fps``, ``max_side`` and ``deinterlace`` are used.
    export : FlowExportParams
    strict, ahead, max_pixels, decoder
        As for `idt.frames.video.open_video`.

    Returns
    -------
    FlowVideo

    Raises
    ------
    DataError
        As `idt.frames.video.open_video`.
    """
    opening = {"max_pixels": max_pixels, "decoder": decoder, "deinterlace": params.deinterlace}
    reader = find_reader(video, **opening, vectors=params.flow == MPEG)
    return FlowVideo(reader, params, strict, ahead, short_side=export.short_side, colours=export.rgb)
