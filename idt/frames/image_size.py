"""Read width and height from the first bytes of an image, before a decoder allocates memory for them.

A few hundred kilobytes of PNG, WebP or TIFF may unpack to gigabytes. The kinds of images in
`idt.frames.suffixes.IMAGES` are recognised by their content. An image of another kind gets no size here and is not
decoded.
"""

import re
import struct

from idt.errors import DataError

MOST_SCANS = 1000
"""A JPEG of more scans is refused: a scan of a few bytes may cost a pass over all pixels. Encoders write about ten."""

_PNM = re.compile(rb"P[1-6](?:\s|#[^\r\n]*[\r\n])+(\d{1,9})(?:\s|#[^\r\n]*[\r\n])+(\d{1,9})")

# Markers of JPEG's frame headers, SOF0 to SOF15, without the tables of Huffman coding (C4) and arithmetic coding (CC)
# and the reserved JPG (C8).
_FRAME_MARKERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}

# Pairs of TIFF tags, width and height of the image or of a tile, and the formats of their values by TIFF's type.
_TIFF_PAIRS = ((256, 257), (322, 323))
_TIFF_TYPES = {1: "B", 3: "H", 4: "I", 16: "Q"}


def image_size(data):
    """Find the largest size that a decoder of an image allocates memory for.

    Parameters
    ----------
    data : bytes
        The file, or enough of its beginning.

    Returns
    -------
    (int, int) or None
        Width and height in pixels. None if it is no image of a known kind, or its header is damaged.
    """
    try:
        for is_kind, measure in _KINDS:
            if is_kind(data):
                return measure(data)
    except (struct.error, IndexError, ValueError):
        pass
    return None


def check_pixels(name, size, most):
    """Refuse a frame called ``name`` of (width, height) ``size`` if it has more than ``most`` pixels."""
    width, height = size
    if width * height > most:
        raise DataError(
            f"{name} has {width}×{height} px, more than max_pixels={most};"
            " raise it with --max-pixels if there is memory for them"
        )


def has_too_many_scans(data):
    """Tell whether ``data`` is a JPEG of more than `MOST_SCANS` scans, by the marker that begins each scan."""
    # No scan contains the two bytes of the marker.
    return data[:2] == b"\xff\xd8" and data.count(b"\xff\xda") > MOST_SCANS


def _png(data):
    return struct.unpack_from(">II", data, 16) if data[12:16] == b"IHDR" else None


def _jpeg(data):
    at = 2
    while True:
        # As a decoder does, skip all bytes up to the next marker.
        at = data.index(b"\xff", at)
        while data[at] == 0xFF:
            at += 1
        marker = data[at]
        if marker in _FRAME_MARKERS:
            height, width = struct.unpack_from(">HH", data, at + 4)
            return width, height
        has_no_length = marker in (0x00, 0x01) or 0xD0 <= marker <= 0xD8
        at += 1 if has_no_length else 1 + struct.unpack_from(">H", data, at + 1)[0]


def _bmp(data):
    if struct.unpack_from("<I", data, 14)[0] == 12:
        return struct.unpack_from("<HH", data, 18)
    width, height = struct.unpack_from("<ii", data, 18)
    return abs(width), abs(height)


def _pnm(data):
    found = _PNM.match(data)
    return found and (int(found[1]), int(found[2]))


def _webp(data):
    kind = data[12:16]
    if kind == b"VP8X":
        return 1 + int.from_bytes(data[24:27], "little"), 1 + int.from_bytes(data[27:30], "little")
    if kind == b"VP8L":
        bits = struct.unpack_from("<I", data, 21)[0]
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", data, 26)
        return width & 0x3FFF, height & 0x3FFF
    return None


def tiff_size(data, at=None):
    """Find the size of a page of a TIFF.

    Parameters
    ----------
    data : bytes
    at : int, optional
        Offset of the directory of the page; by default of the first page's.

    Returns
    -------
    (int, int) or None
        As `image_size`.
    """
    order = "<" if data[:2] == b"II" else ">"
    is_big = struct.unpack_from(order + "H", data, 2)[0] == 43
    if at is None:
        at = struct.unpack_from(order + ("Q" if is_big else "I"), data, 8 if is_big else 4)[0]
    count = struct.unpack_from(order + ("Q" if is_big else "H"), data, at)[0]
    at, step = (at + 8, 20) if is_big else (at + 2, 12)
    found: dict[int, int] = {}
    for entry in range(at, min(at + count * step, len(data)), step):
        tag, kind = struct.unpack_from(order + "HH", data, entry)
        if tag in sum(_TIFF_PAIRS, ()):
            if kind not in _TIFF_TYPES:
                return None
            value = struct.unpack_from(order + _TIFF_TYPES[kind], data, entry + (12 if is_big else 8))[0]
            found[tag] = max(value, found.get(tag, 0))
    if not (256 in found and 257 in found):
        return None
    # A tile is unpacked whole, however little of it lies in the image.
    return max(((found.get(w, 0), found.get(h, 0)) for w, h in _TIFF_PAIRS), key=lambda size: size[0] * size[1])


def _jp2(data):
    """Return the size that the codestream records, because decoders use it even if the boxes of the file differ."""
    at = 0
    while data[at : at + 4] != b"\xff\x4f\xff\x51":
        length, kind = struct.unpack_from(">I4s", data, at)
        header = 8
        if length == 1:
            length, header = struct.unpack_from(">Q", data, at + 8)[0], 16
        at += header if kind == b"jp2c" else max(length, 8) if length else len(data)
    right, bottom, left, top = struct.unpack_from(">IIII", data, at + 8)
    return right - left, bottom - top


def _begins(*heads):
    return lambda data: data.startswith(heads)


_KINDS = (
    (_begins(b"\x89PNG\r\n\x1a\n"), _png),
    (_begins(b"\xff\xd8\xff"), _jpeg),
    (_begins(b"BM"), _bmp),
    (_PNM.match, _pnm),
    (lambda data: data[:4] == b"RIFF" and data[8:12] == b"WEBP", _webp),
    (_begins(b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"), tiff_size),
    (_begins(b"\0\0\0\x0cjP  \r\n\x87\n", b"\xff\x4f\xff\x51"), _jp2),
)
