"""Motion vectors of frames that are encoded in memory and decoded again.

The codec is MPEG-4 part 2 without B-frames, so that every predicted frame refers to the frame before it. This
works for any input, whatever its own codec, and for frames that were resized or left out.
"""

from fractions import Fraction
from typing import Any

import av
import numpy as np
from av.video.frame import PictureType

from idt.errors import DataError
from idt.imports.opencv import cv2
from idt.steps.block_flow import BLOCK

QUANTISER = 2
"""MPEG-4's second finest step of quantisation keeps the decoded reference of a prediction near the frame itself."""

# FFmpeg's global quality is 118 times the quantiser (FF_QP2LAMBDA).
OPTIONS = {
    "flags": "+qscale", "global_quality": f"{118 * QUANTISER}", "bf": "0", "sc_threshold": "1000000000",
    "cmp": "satd", "subcmp": "satd", "precmp": "satd",
}  # fmt: skip
"""These options of FFmpeg's encoder fix the quantiser and exclude B-frames and scene changes. Vectors are compared by
the sum of transformed differences, because vectors with the least sum of plain differences follow noise."""

LARGEST = 8176
"""MPEG-4 takes frames of at most this many pixels to a side, in whole blocks."""

GROUP = 600
"""An I-frame follows at most this many frames after another, the largest distance that FFmpeg's encoder takes."""


class Encoder:
    """MPEG-4 encoder and decoder that give the motion vectors between consecutive gray frames."""

    def __init__(self):
        self._encoder: Any = None
        self._decoder: Any = None
        self._n_encoded = 0
        # Frames predicted since the first call or the last interruption. At 0 the next call begins with an I-frame.
        self._n_predicted = 0

    def interrupt(self):
        """Let the next call begin with an I-frame, because its first frame is not the second frame of the last call."""
        self._n_predicted = 0

    def between(self, previous, current):
        """Return the vectors that lead from one frame to the next.

        Parameters
        ----------
        previous, current : (H, W) uint8
            ``previous`` is the ``current`` of the last call, unless `interrupt` was called since.

        Returns
        -------
        structured array or None
            As PyAV gives them; None if no block was predicted.

        Raises
        ------
        DataError
            If the frames are larger than the codec takes.
        """
        if self._encoder is None:
            self._begin(previous.shape)
        if self._n_predicted % (GROUP - 1) == 0:
            self._vectors_of(previous, PictureType.I)
        self._n_predicted += 1
        return self._vectors_of(current, PictureType.NONE)

    def _begin(self, shape):
        """Open the encoder and the decoder for frames of a ``shape``."""
        height, width = (-(-side // BLOCK) * BLOCK for side in shape)
        if max(height, width) > LARGEST:
            raise DataError(f"flow=mpeg takes frames of at most {LARGEST} px, got {width}×{height} px; use max_side")
        encoder = av.CodecContext.create("mpeg4", "w")
        encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
        encoder.time_base, encoder.framerate = Fraction(1, 25), Fraction(25)
        encoder.gop_size, encoder.max_b_frames = GROUP, 0
        encoder.qmin = encoder.qmax = QUANTISER
        decoder = av.CodecContext.create("mpeg4", "r")
        decoder.options = {"flags2": "+export_mvs", "flags": "+low_delay"}
        encoder.options = OPTIONS
        # With more threads the vectors would depend on the number of threads.
        encoder.thread_count = decoder.thread_count = 1
        encoder.open()
        if encoder.extradata:
            decoder.extradata = encoder.extradata
        decoder.open()
        self._encoder, self._decoder = encoder, decoder
        # 128 is the chroma of a gray pixel.
        self._chroma = np.full((height // 2, width), 128, np.uint8)
        self._size = height, width

    def _vectors_of(self, gray, kind):
        """Encode a frame, decode it again, and return its vectors, None for an I-frame."""
        height, width = self._size
        below, right = height - gray.shape[0], width - gray.shape[1]
        luma = cv2.copyMakeBorder(gray, 0, below, 0, right, cv2.BORDER_REPLICATE) if below or right else gray
        frame = av.VideoFrame.from_ndarray(np.concatenate([luma, self._chroma]), format="yuv420p")
        frame.pts, self._n_encoded = self._n_encoded, self._n_encoded + 1
        frame.pict_type = kind
        for packet in self._encoder.encode(frame):
            for decoded in self._decoder.decode(packet):
                found = decoded.side_data.get("MOTION_VECTORS")
                return None if found is None else found.to_ndarray()
        return None
