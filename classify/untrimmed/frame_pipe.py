"""Frames from a pipe: YUV4MPEG2, the plain stream that ``ffmpeg -f yuv4mpegpipe`` and GStreamer's ``y4menc`` write.

A line ``YUV4MPEG2 W320 H240 F25:1 C420jpeg`` begins the stream, a line ``FRAME`` each frame. The samples of the frame
follow: the luma plane, then for C420 two chroma planes of a quarter of its size.

Source: yuv4mpeg(5) of the MJPEG tools.
"""

import math
import re

import numpy as np

from idt.errors import DataError
from idt.frames.image_size import check_pixels
from idt.imports.opencv import cv2
from idt.params.bounds import MOST_PIXELS

MAGIC = b"YUV4MPEG2 "

LONGEST = 1024
"""Most bytes of a line; a header has about fifty."""

REMEDY = "write one with: ffmpeg -i VIDEO -pix_fmt yuv420p -f yuv4mpegpipe -"


class FramePipe:
    """Iterator of the frames of a pipe, (H, W) or BGR (H, W, 3) uint8.

    Parameters
    ----------
    file : binary file
        Such as ``sys.stdin.buffer``. It is read as the frames are asked for.
    name : str
        For messages.
    max_pixels : int
        Most pixels of a frame.

    Attributes
    ----------
    width, height : int
        Pixels of a frame.
    fps : float
        Frames a second; NaN where the stream does not say.
    notes : list of str
        Remarks on the stream, one line each.

    Raises
    ------
    DataError
        If the stream is something else, its frames have other samples than C420 or Cmono, an odd side, or too many
        pixels.
    """

    def __init__(self, file, *, name="the pipe", max_pixels=MOST_PIXELS):
        self._file, self._name = file, name
        self.notes: list[str] = []
        head = file.readline(LONGEST)
        words = head.split()
        fields = {word[:1]: word[1:].decode("ascii", "replace") for word in words[1:]}
        sides = [fields.get(letter, "") for letter in (b"W", b"H")]
        if not head.startswith(MAGIC) or not all(re.fullmatch("[1-9][0-9]{0,5}", side) for side in sides):
            raise DataError(f"{name} must be a YUV4MPEG2 stream with its width and height, got {head[:40]!r}; {REMEDY}")
        self.width, self.height = map(int, sides)
        check_pixels(name, (self.width, self.height), max_pixels)
        samples = fields.get(b"C", "420")
        self._is_gray = samples == "mono"
        if not self._is_gray and (samples not in ("420", "420jpeg", "420mpeg2", "420paldv")):
            raise DataError(f"{name} has samples of the kind C{samples}, expected C420 or Cmono; {REMEDY}")
        if not self._is_gray and (self.width % 2 or self.height % 2):
            raise DataError(
                f"{name} has frames of {self.width}×{self.height} px, expected even sides for C420; use -pix_fmt gray"
            )
        rate = re.fullmatch("([0-9]{1,9}):([0-9]{1,9})", fields.get(b"F", ""))
        frames, seconds = map(int, rate.groups()) if rate else (0, 0)
        self.fps = frames / seconds if frames and seconds else math.nan

    def __iter__(self):
        return self

    def __next__(self):
        line = self._file.readline(LONGEST)
        if not line:
            raise StopIteration
        if not re.fullmatch(rb"FRAME( [^\n]*)?\n", line):
            raise DataError(f"{self._name}: a frame must begin with FRAME, got {line[:40]!r}; {REMEDY}")
        height = self.height if self._is_gray else self.height * 3 // 2
        data = self._file.read(self.width * height)
        if len(data) < self.width * height:
            self.notes.append(f"{self._name} ends within a frame, which is left out")
            raise StopIteration
        image = np.frombuffer(data, np.uint8).reshape(height, self.width)
        return image if self._is_gray else cv2.cvtColor(image, cv2.COLOR_YUV2BGR_I420)
