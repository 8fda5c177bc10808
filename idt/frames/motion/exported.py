"""Which motion vectors of a file's own codec are flow: those of P-frames that refer to a frame that is known.

FFmpeg exports the vectors, but of the frame that they refer to only whether it comes before or after. So the vectors of
a P-frame are taken where it can refer to one frame only, the last I-frame or P-frame. H.264 is such a codec if its
header allows one reference. B-frames in between have no vectors of their own, because FFmpeg does not keep them all:
the motion of the P-frame is spread evenly over them.
"""

import contextlib

from av.video.frame import PictureType

CODECS = frozenset(
    ("flv", "h263", "mpeg1video", "mpeg2video", "mpeg4", "msmpeg4", "msmpeg4v1", "msmpeg4v2", "wmv1", "wmv2")
)
"""Codecs whose P-frames refer to the last I-frame or P-frame, and whose vectors FFmpeg exports."""

BETWEEN = 4
"""Most B-frames in a row. They are held until the next P-frame is decoded; more of them would be too much memory."""

EXPORT = {"flags2": "+export_mvs"}
"""FFmpeg's option of a decoder that exports its vectors."""

_HEADER = 4096
"""Bytes of a codec's header within which the parameters of H.264 lie."""

_SPS = 7
"""Type of H.264's unit that says how many frames are referred to."""

_WITH_CHROMA = frozenset((44, 83, 86, 100, 110, 118, 122, 128, 134, 135, 138, 139, 244))
"""Profiles of H.264 that say more of their colours."""


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
        As PyAV gives them, but for a distance of one frame.
    """
    is_usable = context.name in CODECS or (context.name == "h264" and references(context.extradata) == 1)
    # P-frames of H.264 behind B-frames may refer to one of them.
    most = BETWEEN if context.name in CODECS else 0
    # Frames behind the last one that others may refer to, whose number is ``last``.
    waiting: list[tuple] = []
    last = None
    with contextlib.closing(decoded):
        for number, frame in decoded:
            kind, distance = frame.pict_type, len(waiting) + 1
            is_whole = is_usable and last is not None and number == last + distance and not frame.is_corrupt
            if is_whole and kind == PictureType.B and distance <= most:
                waiting.append((number, frame))
                continue
            vectors = _of_one_frame(frame, distance) if is_whole and kind == PictureType.P else None
            yield from ((*earlier, vectors) for earlier in waiting)
            yield number, frame, vectors
            refers = kind in (PictureType.I, PictureType.P) and not frame.is_corrupt
            waiting, last = [], number if refers else None
    yield from ((*earlier, None) for earlier in waiting)


def _of_one_frame(frame, distance):
    """Motion vectors of a frame, divided by the frames between it and the one that it refers to."""
    # Vectors of fields have other distances, and those of a frame that is turned for display other directions.
    found = None if frame.interlaced_frame or frame.rotation else frame.side_data.get("MOTION_VECTORS")
    if found is None:
        return None
    vectors = found.to_ndarray()
    if distance > 1:
        vectors = vectors.copy()
        vectors["motion_scale"] *= distance
    return vectors


def references(extradata):
    """Read how many frames a frame of H.264 may refer to.

    Parameters
    ----------
    extradata : bytes or None
        Header of the codec, as MP4 has it or as a stream of bytes.

    Returns
    -------
    int or None
        None if the header does not say, or says it more than once.
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
        return _references(found[0])
    except (IndexError, ValueError):
        return None


def _references(unit):
    """Return the number of reference frames in a sequence parameter set (ITU-T H.264, section 7.3.2.1.1)."""
    profile, bits = unit[1], _Bits(unit[4:].replace(b"\0\0\3", b"\0\0"))
    bits.number()
    if profile in _WITH_CHROMA:
        if bits.number() == 3:
            bits.flag()
        bits.number(), bits.number(), bits.flag()
        if bits.flag():
            # Matrices of the quantiser, which are rare.
            raise ValueError
    bits.number()
    order = bits.number()
    if order == 0:
        bits.number()
    elif order == 1:
        bits.flag(), bits.number(), bits.number()
        for _ in range(bits.number()):
            bits.number()
    return bits.number()


class _Bits:
    """Flags and numbers of a stream of bits; `IndexError` or `ValueError` behind its end."""

    def __init__(self, data):
        self._bits, self._at = "".join(f"{byte:08b}" for byte in data), 0

    def flag(self):
        self._at += 1
        return self._bits[self._at - 1] == "1"

    def number(self):
        """Read a number in Exp-Golomb code; of a signed one, its code."""
        first = self._bits.index("1", self._at)
        length = first - self._at + 1
        self._at = first + length
        if self._at > len(self._bits):
            raise IndexError
        return int(self._bits[first : self._at], 2) - 1
