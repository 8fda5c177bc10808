"""Which motion vectors of a file's own codec are flow: those that lead to a frame from the one before it.

FFmpeg exports the vectors, but of the frame that they refer to only whether it comes before or after. So the vectors of
a P-frame are taken where that frame is known: behind an I-frame or P-frame, of codecs that refer to no other. H.264 is
one of them if its header allows one reference. B-frames, and the P-frames behind them, have other distances.
"""

from av.video.frame import PictureType

CODECS = frozenset(
    ("flv", "h263", "mpeg1video", "mpeg2video", "mpeg4", "msmpeg4", "msmpeg4v1", "msmpeg4v2", "wmv1", "wmv2")
)
"""Codecs whose P-frames refer to the last I-frame or P-frame, and whose vectors FFmpeg exports."""

EXPORT = {"flags2": "+export_mvs"}
"""FFmpeg's option of a decoder that exports its vectors."""

_HEADER = 4096
"""Bytes of a codec's header within which the parameters of H.264 lie."""

_SPS = 7
"""Type of H.264's unit that says how many frames are referred to."""

_WITH_CHROMA = frozenset((44, 83, 86, 100, 110, 118, 122, 128, 134, 135, 138, 139, 244))
"""Profiles of H.264 that say more of their colours."""


class Exported:
    """Usable motion vectors of the frames of a stream.

    Parameters
    ----------
    context : av.video.codeccontext.VideoCodecContext
    """

    def __init__(self, context):
        self._usable = context.name in CODECS or (context.name == "h264" and references(context.extradata) == 1)
        # Number of the last frame, if the next one may refer to it.
        self._last: int | None = None

    def of(self, number, frame):
        """Return the motion vectors of a frame if they lead from the frame before it.

        Parameters
        ----------
        number : int
            Of the frame; this method is called with every frame that is decoded.
        frame : av.VideoFrame

        Returns
        -------
        structured array or None
            As PyAV gives them.
        """
        before, kind = self._last, frame.pict_type
        self._last = number if kind in (PictureType.I, PictureType.P) and not frame.is_corrupt else None
        if not self._usable or kind != PictureType.P or self._last is None or before != number - 1:
            return None
        # Vectors of fields have other distances, and those of a frame that is turned for display other directions.
        if frame.interlaced_frame or frame.rotation:
            return None
        found = frame.side_data.get("MOTION_VECTORS")
        return None if found is None else found.to_ndarray()


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
