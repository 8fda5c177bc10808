"""Choose the motion vectors of a video file that are flow: vectors of P-frames whose reference frame is known.

For each vector FFmpeg says whether its reference frame comes before or after, but not which frame it is. So the vectors
of a P-frame are taken only if it can refer to a single frame, the last I-frame or P-frame. In H.264 this is the case if
the header allows one reference frame. Vectors of the B-frames in between are not taken, because FFmpeg does not keep
them all. Instead the motion of the P-frame is spread evenly over them.
"""

import contextlib

from av.video.frame import PictureType

CODECS = frozenset(
    ("flv", "h263", "mpeg1video", "mpeg2video", "mpeg4", "msmpeg4", "msmpeg4v1", "msmpeg4v2", "wmv1", "wmv2")
)
"""Codecs whose P-frames refer to the last I-frame or P-frame, and whose vectors FFmpeg exports."""

MOST_B_FRAMES = 4
"""Vectors are spread over at most this many B-frames, because all are held in memory until the next P-frame."""

EXPORT = {"flags2": "+export_mvs"}
"""With this option FFmpeg's decoders export their motion vectors."""

_HEADER = 4096
"""The parameters of H.264 lie in this many bytes at the beginning of the codec's header."""

_SPS = 7
"""The unit of H.264 of this type, the sequence parameter set, holds the number of reference frames."""

_WITH_CHROMA = frozenset((44, 83, 86, 100, 110, 118, 122, 128, 134, 135, 138, 139, 244))
"""Sequence parameter sets of these profiles of H.264 hold fields about chroma."""


def with_vectors(decoded, context):
    """Find the usable motion vectors of decoded frames.

    Parameters
    ----------
    decoded : generator of (int, av.VideoFrame)
        Every frame of a stream that is decoded, with its number.
    context : av.video.codeccontext.VideoCodecContext

    Yields
    ------
    number : int
    frame : av.VideoFrame
    vectors : structured array or None
        As PyAV gives them, but scaled to the motion of one frame.
    """
    is_usable = context.name in CODECS or (context.name == "h264" and reference_count(context.extradata) == 1)
    # P-frames of H.264 after B-frames may refer to one of them.
    most = MOST_B_FRAMES if context.name in CODECS else 0
    # Number of the last I-frame or P-frame, None if it is unknown or damaged, and the B-frames since then.
    reference = None
    waiting: list[tuple] = []
    with contextlib.closing(decoded):
        for number, frame in decoded:
            kind, distance = frame.pict_type, len(waiting) + 1
            is_intact = is_usable and reference is not None and number == reference + distance and not frame.is_corrupt
            if is_intact and kind == PictureType.B and distance <= most:
                waiting.append((number, frame))
                continue
            vectors = _vectors_per_frame(frame, distance) if is_intact and kind == PictureType.P else None
            yield from ((*earlier, vectors) for earlier in waiting)
            yield number, frame, vectors
            is_reference = kind in (PictureType.I, PictureType.P) and not frame.is_corrupt
            waiting, reference = [], number if is_reference else None
    yield from ((*earlier, None) for earlier in waiting)


def _vectors_per_frame(frame, distance):
    """Return the motion vectors of a frame, divided by its ``distance`` in frames from its reference frame."""
    # Vectors of fields span another time, and vectors of a frame that is turned for display have other directions.
    found = None if frame.interlaced_frame or frame.rotation else frame.side_data.get("MOTION_VECTORS")
    if found is None:
        return None
    vectors = found.to_ndarray()
    if distance > 1:
        vectors = vectors.copy()
        vectors["motion_scale"] *= distance
    return vectors


def reference_count(extradata):
    """Read how many frames a frame of H.264 may refer to.

    Parameters
    ----------
    extradata : bytes or None
        Header of the codec, in the form of MP4 or of a byte stream (ITU-T H.264, annex B).

    Returns
    -------
    int or None
        None if the header has no sequence parameter set, or several.
    """
    head = bytes(extradata or b"")[:_HEADER]
    if head[:1] == b"\x01":
        # MP4: one set of parameters with its length before it.
        units = [head[8 : 8 + int.from_bytes(head[6:8], "big")]] if len(head) > 8 and head[5] & 31 == 1 else []
    else:
        units = head.split(b"\0\0\1")[1:]
    found = [unit for unit in units if unit and unit[0] & 31 == _SPS]
    if len(found) != 1:
        return None
    try:
        return _read_reference_count(found[0])
    except (IndexError, ValueError):
        return None


def _read_reference_count(unit):
    """Return the number of reference frames in a sequence parameter set (ITU-T H.264, section 7.3.2.1.1)."""
    profile, bits = unit[1], _Bits(unit[4:].replace(b"\0\0\3", b"\0\0"))
    bits.number()  # seq_parameter_set_id
    if profile in _WITH_CHROMA:
        if bits.number() == 3:  # chroma_format_idc
            bits.flag()  # separate_colour_plane_flag
        bits.number(), bits.number(), bits.flag()  # bit depths, qpprime_y_zero_transform_bypass_flag
        if bits.flag():
            # Matrices of the quantiser follow, which are rare.
            raise ValueError
    bits.number()  # log2_max_frame_num_minus4
    order = bits.number()  # pic_order_cnt_type
    if order == 0:
        bits.number()  # log2_max_pic_order_cnt_lsb_minus4
    elif order == 1:
        bits.flag(), bits.number(), bits.number()  # delta_pic_order_always_zero_flag and two offsets
        for _ in range(bits.number()):  # num_ref_frames_in_pic_order_cnt_cycle
            bits.number()
    return bits.number()  # max_num_ref_frames


class _Bits:
    """Flags and numbers of a stream of bits; `IndexError` or `ValueError` behind its end."""

    def __init__(self, data):
        self._bits, self._at = "".join(f"{byte:08b}" for byte in data), 0

    def flag(self):
        self._at += 1
        return self._bits[self._at - 1] == "1"

    def number(self):
        """Read a number in unsigned Exp-Golomb code; a signed number is returned as this code, not decoded."""
        first = self._bits.index("1", self._at)
        length = first - self._at + 1
        self._at = first + length
        if self._at > len(self._bits):
            raise IndexError
        return int(self._bits[first : self._at], 2) - 1
