"""Motion vectors of a video codec as optical flow: coarse, and far faster than any flow that looks at pixels.

The frames are encoded in memory as MPEG-4 part 2 without B-frames, so that every frame but the first is predicted from
the one before, and decoded again with the vectors. This works for any input, whatever its own codec, and for frames
that were resized or left out. A vector belongs to a block of 16×16 pixels. It says where the block comes from in the
frame before, in half pixels, so the flow is its opposite. A block that was coded without prediction takes the mean of
its neighbours. The field of the blocks is interpolated bilinearly between their centres.

Source: docs/method/extraction.md, section 3.10; Kantorov & Laptev, CVPR 2014; Zhang et al., CVPR 2016.
"""

from fractions import Fraction
from typing import Any

import av
import numpy as np

from idt.errors import DataError
from idt.imports.opencv import cv2

BLOCK = 16
"""Pixels to a side of a block, and what frames are padded to a multiple of."""

QUANTISER = 2
"""MPEG-4's step of quantisation, the second finest: what is predicted from is nearly the frame itself."""

OPTIONS = {
    "flags": "+qscale", "global_quality": f"{118 * QUANTISER}", "bf": "0", "sc_threshold": "1000000000",
    "cmp": "satd", "subcmp": "satd", "precmp": "satd",
}  # fmt: skip
"""Of FFmpeg's encoder: a fixed quantiser, no B-frames, no scene changes, and vectors compared by the sum of transformed
differences, because those of the plain sum follow noise."""

LARGEST = 8176
"""Pixels of the longer side of the largest frame that MPEG-4 takes, in whole blocks."""


class MotionVectors:
    """Flow between the consecutive frames of one video."""

    def __init__(self):
        self._encoder: Any = None
        self._decoder: Any = None
        self._count = 0

    def between(self, previous, current):
        """Return the flow from one frame to the next.

        Parameters
        ----------
        previous, current : Frame
            ``previous`` is the ``current`` of the last call.

        Returns
        -------
        (H, W, 2) float32

        Raises
        ------
        DataError
            If the frames are larger than the codec takes.
        """
        if self._encoder is None:
            self._begin(previous.gray.shape)
            self._take(previous.gray)
        vectors = self._take(current.gray)
        height, width = current.gray.shape
        grid, known = block_field(vectors, *(-(-side // BLOCK) for side in (height, width)))
        return upsampled(fill(grid, known), height, width)

    def _begin(self, shape):
        """Open the encoder and the decoder."""
        height, width = (-(-side // BLOCK) * BLOCK for side in shape)
        if max(height, width) > LARGEST:
            raise DataError(f"flow=mpeg takes frames of at most {LARGEST} px, got {width}×{height} px; use max_side")
        encoder = av.CodecContext.create("mpeg4", "w")
        encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
        encoder.time_base, encoder.framerate = Fraction(1, 25), Fraction(25)
        encoder.gop_size, encoder.max_b_frames = 600, 0
        encoder.qmin = encoder.qmax = QUANTISER
        decoder = av.CodecContext.create("mpeg4", "r")
        decoder.options = {"flags2": "+export_mvs", "flags": "+low_delay"}
        encoder.options = OPTIONS
        # With more the vectors would depend on their number.
        encoder.thread_count = decoder.thread_count = 1
        encoder.open()
        if encoder.extradata:
            decoder.extradata = encoder.extradata
        decoder.open()
        self._encoder, self._decoder = encoder, decoder
        # Gray, whatever the levels of the luminance are.
        self._chroma = np.full((height // 2, width), 128, np.uint8)
        self._size = height, width

    def _take(self, gray):
        """Encode a frame and decode it again; its vectors, none for a frame without prediction."""
        height, width = self._size
        below, right = height - gray.shape[0], width - gray.shape[1]
        luma = cv2.copyMakeBorder(gray, 0, below, 0, right, cv2.BORDER_REPLICATE) if below or right else gray
        frame = av.VideoFrame.from_ndarray(np.concatenate([luma, self._chroma]), format="yuv420p")
        frame.pts, self._count = self._count, self._count + 1
        for packet in self._encoder.encode(frame):
            for decoded in self._decoder.decode(packet):
                found = decoded.side_data.get("MOTION_VECTORS")
                return None if found is None else found.to_ndarray()
        return None


def block_field(vectors, rows, columns):
    """Put motion vectors on the grid of their blocks.

    Parameters
    ----------
    vectors : structured array or None
        As PyAV gives them; those that point to a later frame are left out.
    rows, columns : int
        Blocks of a frame; the vectors of smaller blocks within one are averaged.

    Returns
    -------
    field : (rows, columns, 2) float32
        Flow (x, y) in pixels; 0 where there is none.
    known : (rows, columns) bool
        Where there is a vector.
    """
    total, count = np.zeros((rows, columns, 2), np.float64), np.zeros((rows, columns), np.int64)
    if vectors is not None:
        back = vectors[(vectors["source"] < 0) & (vectors["motion_scale"] > 0)]
        moved = np.stack([back["motion_x"], back["motion_y"]], axis=1) / back["motion_scale"][:, None]
        # A centre may lie beyond the last block where the codec's blocks are larger than the frame.
        row = np.clip(back["dst_y"] // BLOCK, 0, rows - 1)
        column = np.clip(back["dst_x"] // BLOCK, 0, columns - 1)
        np.add.at(total, (row, column), -moved)
        np.add.at(count, (row, column), 1)
    known = count > 0
    return (total / np.maximum(count, 1)[..., None]).astype(np.float32), known


def fill(field, known):
    """Give blocks without a vector the mean of their neighbours, ring by ring.

    Parameters
    ----------
    field : (rows, columns, 2) float32
    known : (rows, columns) bool

    Returns
    -------
    (rows, columns, 2) float32
        0 everywhere if nothing is known.
    """
    field, known = field.copy(), known.copy()
    field[~known] = 0
    while not known.all() and known.any():
        weight = cv2.boxFilter(known.astype(np.float32), -1, (3, 3), normalize=False, borderType=cv2.BORDER_CONSTANT)
        total = cv2.boxFilter(field, -1, (3, 3), normalize=False, borderType=cv2.BORDER_CONSTANT)
        new = ~known & (weight > 0.5)
        field[new] = total[new] / weight[new][:, None]
        known |= new
    return field


def upsampled(field, height, width):
    """Interpolate the field of the blocks between their centres.

    Parameters
    ----------
    field : (rows, columns, 2) float32
    height, width : int
        Of the frame.

    Returns
    -------
    (height, width, 2) float32
    """
    whole = cv2.resize(field, (field.shape[1] * BLOCK, field.shape[0] * BLOCK), interpolation=cv2.INTER_LINEAR)
    return np.ascontiguousarray(whole[:height, :width])
