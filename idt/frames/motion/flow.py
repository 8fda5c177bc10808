"""Flow between consecutive frames from motion vectors: the file's own where they are usable, else of an encoder.

A vector belongs to a block of 16×16 pixels or less. It says where the block comes from in the frame before, so the flow
is its opposite. A block that was coded without prediction takes the mean of its neighbours.
"""

import math

import numpy as np

from idt.frames.motion.encoded import Encoder
from idt.frames.motion.fields import block_field, fill
from idt.steps.block_flow import BLOCK, Blocks


class MotionVectors:
    """Flow between the consecutive frames of one video."""

    def __init__(self):
        self._encoder = Encoder()

    def between(self, previous, current):
        """Return the flow from one frame to the next.

        Parameters
        ----------
        previous, current : Frame
            ``previous`` is the ``current`` of the last call. The vectors of ``current`` are used if it has any and no
            frame was left out in between.

        Returns
        -------
        idt.steps.block_flow.Blocks

        Raises
        ------
        DataError
            If the frames are larger than the codec takes.
        """
        if current.vectors is not None and current.original == previous.original + 1:
            vectors, shrink = current.vectors
            self._encoder.interrupt()
        else:
            vectors, shrink = self._encoder.between(previous.gray, current.gray), 1.0
        side = BLOCK * shrink
        grid, known = block_field(vectors, *(math.ceil(pixels / side) for pixels in current.gray.shape))
        return Blocks(fill(grid, known) * np.float32(shrink), side)
