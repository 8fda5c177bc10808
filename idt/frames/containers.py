"""Parse the bytes of a container: is the file truncated, and does an edit list hide frames?

The number of frames that a container announces is an estimate in most kinds, and off by a frame or two in others. Its
structure is exact: AVI, Matroska (WebM), MP4 (QuickTime) and ASF (WMV) say how many bytes belong to them. A file that
has fewer is truncated. Other formats have no such number, or need none, and never count as truncated.

Sources: Microsoft, "AVI RIFF File Reference"; RFC 8794 (EBML) and RFC 9559 (Matroska); ISO/IEC 14496-12 (MP4), sections
4.2 and 8.6.6; Microsoft, "Advanced Systems Format Specification", section 3.2.
"""

import struct

MOST_BOXES = 10_000
"""At most this many boxes of an MP4 are read; phones write about twenty."""

_EBML, _SEGMENT = b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67"
_ASF = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_ASF_PROPERTIES = bytes.fromhex("a1dcab8c47a9cf118ee400c00c205365")
_MP4_FIRST = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot")
_HEAD = 1 << 16


def is_truncated(file):
    """Tell whether a file is shorter than its container says.

    Parameters
    ----------
    file : idt.files.source_file.SourceFile

    Returns
    -------
    bool
        False also for containers that do not say how long they are.
    """
    head = file.read_at(0, _HEAD)
    end = 0
    if head[:4] == b"RIFF":
        # The eight bytes before the counted ones are not added, because some writers count them already.
        end = int.from_bytes(head[4:8], "little")
    elif head[:4] == _EBML:
        end = _segment_end(head)
    elif head[:16] == _ASF:
        end = _asf_end(head)
    elif is_mp4(file):
        end = max((start + size for _, start, size in _boxes(file, 0, file.size)), default=0)
    return end > file.size


def is_mp4(file):
    """Tell whether a ``file`` is MP4 or QuickTime, by the type of its first box."""
    return file.read_at(4, 4) in _MP4_FIRST


def hides_frames(file):
    """Tell whether an MP4 has an edit list that hides frames.

    Parameters
    ----------
    file : idt.files.source_file.SourceFile

    Returns
    -------
    bool
        False if the file is no MP4, or damaged.
    """
    if not is_mp4(file):
        return False
    try:
        movie = _inside(file, b"moov", 0, file.size)
        for kind, start, size in _boxes(file, *movie):
            if kind == b"trak" and _handler(file, start, size) == b"vide":
                return _shows_less(file, movie, (start, start + size))
    except (struct.error, LookupError, ZeroDivisionError):
        pass
    return False


def _segment_end(head):
    """Return the offset of the end of a Matroska file's segment; 0 if it is not recorded."""
    at = 4
    length, size = _ebml_size(head, at)
    at += length + size
    if head[at : at + 4] != _SEGMENT:
        return 0
    length, size = _ebml_size(head, at + 4)
    # All bits are set if the size is unknown, as in a file that was written while it was streamed.
    return 0 if size == (1 << 7 * length) - 1 else at + 4 + length + size


def _ebml_size(data, at):
    """Return the length in bytes of a variable-length number, and the number."""
    if at >= len(data) or not data[at]:
        return 1, 0
    length = 9 - data[at].bit_length()
    return length, int.from_bytes(data[at : at + length], "big") & ((1 << 7 * length) - 1)


def _asf_end(head):
    """Return the size that the properties of an ASF file record; 0 if they record none, as in a broadcast."""
    at = head.find(_ASF_PROPERTIES)
    if at < 0 or at + 92 > len(head):
        return 0
    is_broadcast = head[at + 88] & 1
    return 0 if is_broadcast else int.from_bytes(head[at + 40 : at + 48], "little")


def _boxes(file, start, end):
    """Yield the boxes of an MP4 between two offsets: (type, offset of the content, size of the content)."""
    for _ in range(MOST_BOXES):
        header = file.read_at(start, 16)
        if start + 8 > end or len(header) < 8:
            return
        size, kind = struct.unpack_from(">I4s", header)
        length = 8
        if size == 1 and len(header) == 16:
            size, length = struct.unpack_from(">Q", header, 8)[0], 16
        elif size == 0:
            size = end - start
        if size < length:
            return
        yield kind, start + length, size - length
        start += size


def _inside(file, kind, start, end):
    """Return start and end of the content of the first box of a type; raise `LookupError` if there is none."""
    for found, first, size in _boxes(file, start, end):
        if found == kind:
            return first, first + size
    raise LookupError(kind)


def _handler(file, start, size):
    """Return the media type of a track, such as ``vide``."""
    media = _inside(file, b"mdia", start, start + size)
    return file.read_at(_inside(file, b"hdlr", *media)[0] + 8, 4)


def _shows_less(file, movie, track):
    """Tell whether the edit list of a track shows less than the whole media."""
    try:
        entries, _ = _inside(file, b"elst", *_inside(file, b"edts", *track))
    except LookupError:
        return False
    is_64_bit = file.read_at(entries, 1) == b"\1"
    count = min(struct.unpack(">I", file.read_at(entries + 4, 4))[0], MOST_BOXES)
    form = ">Qqi" if is_64_bit else ">Iii"
    data = file.read_at(entries + 8, count * struct.calcsize(form))
    # A media time of -1 is a pause before the first frame.
    shown = sum(duration for duration, begins, _ in struct.iter_unpack(form, data) if begins >= 0)
    movie_clock, _ = _clock(file, b"mvhd", movie)
    media_clock, media_duration = _clock(file, b"mdhd", _inside(file, b"mdia", *track))
    # 0.02 s are allowed, because durations are rounded to the clock of the movie, 1000 ticks per second in most files.
    return shown / movie_clock < media_duration / media_clock - 0.02


def _clock(file, kind, within):
    """Return the ticks per second in a header, and the duration in ticks."""
    first, _ = _inside(file, kind, *within)
    if file.read_at(first, 1) == b"\1":
        return struct.unpack(">IQ", file.read_at(first + 20, 12))
    return struct.unpack(">II", file.read_at(first + 12, 8))
