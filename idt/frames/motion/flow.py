"""Flow between consecutive frames from motion vectors: of the video file where they are usable, else of an encoder.

A vector belongs to a block of 16×16 pixels or less. It says where the block comes from in the frame before, so the flow
is its opposite. A block that was coded without prediction takes the mean of its neighbours.
"""

import math

import numpy as np

from idt.frames.motion.encoded import Encoder
from idt.frames.motion.fields import block_field, fill
from idt.imports.opencv import cv2
from idt.steps.block_flow import BLOCK, Blocks

COLUMNS = 16
"""Along the longer side of a frame at least this many blocks are needed; else a person is one or two blocks wide."""

ENLARGED = 2
"""Frames of fewer blocks are enlarged by this factor before they are encoded."""


class MotionVectors:
    """Flow between the consecutive frames of one video."""

    def __init__(self):
        self._encoder = Encoder()

    def between(self, previous, current):
        """Return the flow from one frame to the next.

        Parameters
        ----------
        previous, current : Frame
            ``previous`` is the ``current`` of the last call. The vectors that the file has for ``current`` are used if
            there are any, their blocks are small enough, and no frame was left out in between.

        Returns
        -------
        idt.steps.block_flow.Blocks

        Raises
        ------
        DataError
            If the frames are larger than the codec takes.
        """
        longest = max(current.gray.shape)
        vectors, shrink = current.vectors or (None, 1.0)
        is_consecutive = current.original == previous.original + 1
        if vectors is not None and is_consecutive and longest >= COLUMNS * BLOCK * shrink:
            self._encoder.interrupt()
        else:
            shrink = 1.0 if longest >= COLUMNS * BLOCK else 1 / ENLARGED
            vectors = self._encoder.between(*(_enlarged(frame.gray, shrink) for frame in (previous, current)))
        side = BLOCK * shrink
        grid, known = block_field(vectors, *(math.ceil(pixels / side) for pixels in current.gray.shape))
        return Blocks(fill(grid, known) * np.float32(shrink), side)


def _enlarged(gray, shrink):
    """Enlarge a frame by the factor 1 / ``shrink``."""
    if shrink == 1:
        return gray
    height, width = gray.shape
    return cv2.resize(gray, (round(width / shrink), round(height / shrink)), interpolation=cv2.INTER_CUBIC)
