"""Flow between consecutive frames from motion vectors: the file's own where they are usable, else of an encoder.

A vector belongs to a block of 16×16 pixels or less. It says where the block comes from in the frame before, so the flow
is its opposite. A block that was coded without prediction takes the mean of its neighbours. The field of the blocks is
interpolated bilinearly between their centres.
"""

from idt.frames.motion.encoded import Encoder
from idt.frames.motion.fields import BLOCK, block_field, fill, upsampled


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
        (H, W, 2) float32

        Raises
        ------
        DataError
            If the frames are larger than the codec takes.
        """
        if current.vectors is not None and current.original == previous.original + 1:
            vectors = current.vectors
            self._encoder.interrupt()
        else:
            vectors = self._encoder.between(previous.gray, current.gray)
        height, width = current.gray.shape
        grid, known = block_field(vectors, -(-height // BLOCK), -(-width // BLOCK))
        return upsampled(fill(grid, known), height, width)
