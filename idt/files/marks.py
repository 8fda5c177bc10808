"""The mark that identifies pictures and videos of ours, and the heads that identify our text files.

A PNG has the mark in a ``tEXt`` chunk, a JPEG in a comment, an MP4 in a ``free`` box at its end, an AVI in a ``JUNK``
chunk at its end. Viewers and players skip all four. Pictures of other formats cannot carry a mark. JSON of ours names
its ``tool`` first; Markdown, HTML and CSV are known by their head (docs/method/files.md, section 1.3).
"""

import os
import re
import stat
import struct
import zlib

from idt import __version__

NAME = "improved-dense-trajectories"
TOOL = f"{NAME} {__version__}"
"""Name and version of this program, as recorded in our files."""

MARK = TOOL.encode()

PNG = b"\x89PNG\r\n\x1a\n"
PICTURES = (".png", ".jpg", ".jpeg", ".jpe")
"""Suffixes of the pictures that carry a mark."""

MARKED = (*PICTURES, ".mp4", ".avi")
"""Suffixes of the pictures and videos that carry a mark."""

HEAD_BYTES = 1 << 16
"""Bytes at the beginning of a file in which a mark or head is looked for."""

TAIL_BYTES = 128
"""Bytes at the end of a video in which its mark is looked for."""

HEADS = tuple(
    re.compile(pattern)
    for pattern in (
        rb'\{\s*"tool": "' + NAME.encode() + rb' [^"\n]*"',
        # report.json of releases in which it did not name its tool yet
        rb'\{\n  "dataset": "[^\n]*",\n  "root": "[^\n]*",\n  "clips": \d+,\n  "protocol": "',
        # report.html and comparison.html
        rb"<!doctype html>\n<!-- " + NAME.encode() + rb" [^\n]* -->\n",
        # cost.json
        rb'\{\n  "[a-z ]+": \{\n    "key": "[0-9a-f]{64}",\n    "memory": \d+,\n    "seconds": ',
        # report.md and comparison.md
        rb"# [^\n]*: [^\n]* % [^\n]*\n\n\d+ clips of \d+ classes; ",
        rb"# [^\n]*: \d+ recipes\n\n\d+ clips of \d+ classes",
        rb"# Comparison\n\n- ",
        # confusion.csv, failures.csv, comparison.csv, and results.csv of untrimmed video
        rb"true class,",
        rb"name,source,reason\r?\n",
        rb"recipe,metric,value,low,high,",
        rb"split,video,start,end,label,score\r?\n",
    )
)
"""Beginnings that only text files of ours have."""


def carries_mark(path):
    """Tell whether the format of the picture or video ``path`` can carry our mark."""
    return os.path.splitext(path)[1].lower() in MARKED


def mark_picture(data, suffix):
    """Return the bytes ``data`` of a picture with our mark, if the format ``suffix`` can carry it."""
    if data[:8] == PNG:
        text = b"tEXtSoftware\0" + MARK
        # The mark follows the header chunk, which has a fixed size.
        return data[:33] + struct.pack(">I", len(text) - 4) + text + struct.pack(">I", zlib.crc32(text)) + data[33:]
    if data[:2] == b"\xff\xd8" and suffix.lower() in PICTURES:
        # The mark follows the JFIF header, if there is one, because JFIF requires its header to come first.
        at = 4 + struct.unpack(">H", data[4:6])[0] if data[2:4] == b"\xff\xe0" else 2
        return data[:at] + b"\xff\xfe" + struct.pack(">H", len(MARK) + 2) + MARK + data[at:]
    return data


def mark_video(file, suffix):
    """Append our mark to a video.

    Parameters
    ----------
    file : file object
        Open for reading and writing in binary; the whole video.
    suffix : str
        ``.mp4`` or ``.avi``.
    """
    size = file.seek(0, os.SEEK_END)
    if suffix.lower() == ".mp4":
        file.write(struct.pack(">I", 8 + len(MARK)) + b"free" + MARK)
        return
    # A chunk has an even size.
    content = MARK + b" " * (len(MARK) % 2)
    head = bytearray(8)
    file.seek(0)
    file.readinto(head)
    is_one_chunk = head[:4] == b"RIFF" and struct.unpack("<I", head[4:])[0] + 8 == size
    file.seek(0, os.SEEK_END)
    file.write(b"JUNK" + struct.pack("<I", len(content)) + content)
    if is_one_chunk:
        # One RIFF chunk spans the file, as in files of up to a gigabyte: it must include the mark.
        file.seek(4)
        file.write(struct.pack("<I", size + 8 + len(content) - 8))
        file.seek(0, os.SEEK_END)


def is_marked(descriptor):
    """Tell whether the open file ``descriptor`` has our mark, or a head that only our files have."""
    head = os.pread(descriptor, HEAD_BYTES, 0)
    if head[:8] == PNG:
        return any(kind == b"tEXt" and _names_us(text, b"Software\0") for kind, text in _png_chunks(head))
    if head[:2] == b"\xff\xd8":
        return any(kind == 0xFE and _names_us(text) for kind, text in _jpeg_segments(head))
    is_mp4 = head[4:8] == b"ftyp"
    if is_mp4 or (head[:4] == b"RIFF" and head[8:12] == b"AVI "):
        size = os.fstat(descriptor).st_size
        tail = os.pread(descriptor, TAIL_BYTES, max(0, size - TAIL_BYTES))
        return _ends_in_free_box(tail) if is_mp4 else _ends_in_junk_chunk(tail)
    return any(pattern.match(head) for pattern in HEADS)


def is_drawn(path):
    """Tell whether ``path`` is a video that `idt-show` drew, which is an output and never an input."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return False
        head = os.pread(descriptor, 12, 0)
        return (head[4:8] == b"ftyp" or head[:4] == b"RIFF") and is_marked(descriptor)
    except OSError:
        return False
    finally:
        os.close(descriptor)


def is_earlier_plot(descriptor):
    """Tell whether the open file ``descriptor`` is a PNG of a report from before reports were marked.

    Such a file does not name its maker and has 120 dots per inch. Other PNGs have that, too, so the caller must also
    look at the file beside it (`idt.files.ownership.PLOTS`).
    """
    head = os.pread(descriptor, HEAD_BYTES, 0)
    chunks = list(_png_chunks(head)) if head[:8] == PNG else []
    dots = struct.pack(">IIB", 4724, 4724, 1)
    return (b"pHYs", dots) in chunks and not any(kind in (b"tEXt", b"iTXt", b"zTXt") for kind, _ in chunks)


def _names_us(text, before=b""):
    return text.startswith(before + NAME.encode())


def _ends_in_free_box(tail):
    """Tell whether the last bytes of an MP4 are a ``free`` box with our mark."""
    at = tail.rfind(b"free" + NAME.encode())
    # The size stands before the type, and counts both.
    return at >= 4 and struct.unpack(">I", tail[at - 4 : at])[0] == len(tail) - at + 4


def _ends_in_junk_chunk(tail):
    """Tell whether the last bytes of an AVI are a ``JUNK`` chunk with our mark."""
    at = tail.rfind(b"JUNK")
    content = tail[at + 8 :]
    return at >= 0 and _names_us(content) and struct.unpack("<I", tail[at + 4 : at + 8])[0] == len(content)


def _png_chunks(head):
    """Return type and content of the chunks before the pixels, as far as ``head`` contains them."""
    at = 8
    while at + 8 <= len(head) and head[at + 4 : at + 8] != b"IDAT":
        (size,) = struct.unpack(">I", head[at : at + 4])
        yield head[at + 4 : at + 8], head[at + 8 : at + 8 + size]
        at += 12 + size


def _jpeg_segments(head):
    """Return type and content of the segments before the pixels, as far as ``head`` contains them."""
    at = 2
    while at + 4 <= len(head) and head[at] == 0xFF and head[at + 1] != 0xDA:
        (size,) = struct.unpack(">H", head[at + 2 : at + 4])
        yield head[at + 1], head[at + 4 : at + 2 + size]
        at += 2 + max(size, 2)
