"""Image files with several pictures: pages of a TIFF are frames, animations go to the decoders of videos.

Sources: TIFF 6.0, section 2 and tag 254; the container of WebP (RFC 9649); PNG, third edition.
"""

import hashlib
import math
import struct
from pathlib import Path

import numpy as np

from idt.errors import DataError
from idt.frames.image_size import check_pixels, tiff_size
from idt.frames.opencv_decoder import silence_opencv
from idt.imports.opencv import cv2

MOST_PIXELS_AT_ONCE = 1 << 25
"""Pages that are decoded in one call have at most this many pixels in all. Each call of OpenCV skips all earlier pages
again, so several pages are decoded in one call."""

# TIFF's tag of a page's kind, and the bits for a smaller copy of another page and for a mask.
_SUBFILE_TYPE = 254
_REDUCED_OR_MASK = 1 | 4


def pages_of(data):
    """Find the pages of a TIFF file.

    Parameters
    ----------
    data : bytes

    Returns
    -------
    list of (int, (int, int))
        Number and size of each page; smaller copies of a page, and masks, are left out. Empty if it is no TIFF, or
        damaged.
    """
    if not data.startswith((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")):
        return []
    order, is_big = "<" if data[:2] == b"II" else ">", data[2:4] in (b"+\0", b"\0+")
    found: list[tuple[int, tuple[int, int]]] = []
    visited: set[int] = set()
    try:
        at = struct.unpack_from(order + ("Q" if is_big else "I"), data, 8 if is_big else 4)[0]
        while at and at not in visited:
            number = len(visited)
            visited.add(at)
            count = struct.unpack_from(order + ("Q" if is_big else "H"), data, at)[0]
            first, step = (at + 8, 20) if is_big else (at + 2, 12)
            size = tiff_size(data, at)
            if size is None:
                return []
            kind = 0
            for entry in range(first, min(first + count * step, len(data)), step):
                if struct.unpack_from(order + "H", data, entry)[0] == _SUBFILE_TYPE:
                    kind = struct.unpack_from(order + "I", data, entry + (12 if is_big else 8))[0]
            if not kind & _REDUCED_OR_MASK:
                found.append((number, size))
            at = struct.unpack_from(order + ("Q" if is_big else "I"), data, first + count * step)[0]
    except struct.error:
        return []
    return found


def is_animation(data):
    """Tell whether ``data`` is a WebP or PNG file with several pictures that follow each other in time."""
    if data[:4] == b"RIFF" and data[8:16] == b"WEBPVP8X":
        return bool(data[20] & 2)
    # PNG marks an animation by the chunk acTL before the first picture.
    return data[:4] == b"\x89PNG" and b"acTL" in data[: max(data.find(b"IDAT"), 0)]


def check_picture(image, label, max_pixels):
    """Refuse an ``image`` called ``label`` unless it decoded, has 8 bits and at most ``max_pixels``."""
    if image is None or image.dtype != np.uint8:
        reason = "is damaged or no image that OpenCV can decode" if image is None else f"has {image.dtype} pixels"
        raise DataError(f"{label} {reason}; expected an 8-bit image")
    check_pixels(label, image.shape[1::-1], max_pixels)


class PageReader:
    """Reader of the pages of a TIFF file, one frame each.

    Parameters
    ----------
    file : idt.files.source_file.SourceFile
        `close` closes it.
    data : bytes
        Content of the file.
    pages : list of (int, (int, int))
        As from `pages_of`.
    path : str
        The file as it was given.
    max_pixels : int
        Most pixels of a page.
    """

    kind, fps, channels, decoder, notes = "images", math.nan, "bgr", "", ()

    def __init__(self, file, data, pages, path, max_pixels):
        self.path, self.name, self.size = path, Path(path).name, file.size
        self.n_frames, self.position = len(pages), 0
        self._file, self._data, self._pages, self._max_pixels = file, data, pages, max_pixels
        self._decoded: dict[int, np.ndarray] = {}

    def skip(self):
        """Skip a page."""
        has_page = self.position < self.n_frames
        self.position += has_page
        return has_page

    def read(self):
        """Return the next page, (H, W, 3) BGR uint8; refuse one that does not decode."""
        if self.position >= self.n_frames:
            return None
        number, size = self._pages[self.position]
        label = f"{self.name}: {self.label(self.position)}"
        check_pixels(label, size, self._max_pixels)
        if number not in self._decoded:
            self._decode(number, size)
        image = self._decoded.pop(number, None)
        check_picture(image, label, self._max_pixels)
        self.position += 1
        return image

    def label(self, index):
        """Return the page's name for messages."""
        return f"frame {index} (page {self._pages[index][0] + 1})"

    def digest(self):
        """Return the digest of the file, as `idt.frames.image_files.ImageReader` returns it for one file."""
        return hashlib.sha256(self._file.digest().encode()).hexdigest()

    def check_unchanged(self):
        """Refuse a file that was changed since it was opened."""
        self._file.check_unchanged()

    def times(self):
        """Return None: pages have no time stamps."""
        return

    def faults(self, at_end):
        """Return an empty list, whether or not ``at_end``: a TIFF announces no other pages."""
        return []

    def close(self):
        """Skip the remaining pages."""
        self.position = self.n_frames
        self._file.close()

    def _decode(self, number, size):
        """Decode a page, and some of the following pages if they have its size."""
        follow = [page for page, page_size in self._pages[self.position :] if page_size == size]
        last = number
        while last + 1 in follow and (last + 2 - number) * size[0] * size[1] <= MOST_PIXELS_AT_ONCE:
            last += 1
        flags, data = cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH, np.frombuffer(self._data, np.uint8)
        with silence_opencv():
            try:
                done, images = cv2.imdecodemulti(data, flags, range=(number, last + 1))
            except cv2.error:
                done, images = False, ()
        self._decoded = dict(zip(range(number, last + 1), images, strict=False)) if done else {}
