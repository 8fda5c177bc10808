"""Image files as the frames of a video.

Images are decoded in colour and converted to gray like video frames, because the gray that a JPEG decoder returns
differs by a level. 16-bit images are refused, because the caller decides how to drop eight bits. The size of an image
is checked before it is decoded.
"""

import hashlib
import math
from array import array

import numpy as np

from idt.errors import DataError
from idt.files.source_file import open_source
from idt.frames.image_pages import check_picture, is_animation, pages_of
from idt.frames.image_size import check_pixels, has_too_many_scans, image_size
from idt.frames.opencv_decoder import silence_opencv
from idt.imports.opencv import cv2
from idt.params.bounds import MOST_PIXELS

# Most bytes of a pixel (four values of 16 bits, uncompressed), and most bytes of the metadata of a file.
_PIXEL_BYTES, _METADATA_BYTES = 8, 1 << 24


class ImageReader:
    """Reader of image files, one frame each.

    Parameters
    ----------
    paths : list of Path
    path : str
        The file, folder or pattern that was given.
    named : Path
        The file or folder that names the video; for a pattern its folder.
    max_pixels : int
        Most pixels of a frame.
    notes : list of str
        Notes about files that are left out.
    """

    kind, fps, channels, decoder = "images", math.nan, "bgr", ""

    def __init__(self, paths, path, named, max_pixels=MOST_PIXELS, notes=()):
        self.notes = notes
        self.path = path
        self.name = named.name or path
        self.n_frames = len(paths)
        self.position = self.size = 0
        self._paths, self._max_pixels = paths, max_pixels
        # Hashes of the files' identities, because there may be a million files; 0 for a file that was not read yet.
        self._identities = array("q", bytes(8 * len(paths)))

    def skip(self):
        """Skip a file."""
        has_file = self.position < self.n_frames
        self.position += has_file
        return has_file

    def read(self):
        """Return the pixels of the next file, (H, W, 3) BGR uint8; refuse a file that does not decode."""
        if self.position >= self.n_frames:
            return None
        with self._open(self.position) as file:
            data = file.read(most_bytes(self._max_pixels))
        label = f"{self.name}: {self.label(self.position)}"
        size = image_size(data)
        if size is not None:
            check_pixels(label, size, self._max_pixels)
        if is_animation(data) and data.startswith(b"RIFF"):
            raise DataError(f"{label} is an animated WebP, which no decoder here reads; convert it into a GIF")
        if len(pages_of(data)) > 1 or is_animation(data):
            raise DataError(f"{label} holds several pictures, expected one; give it as the video, or convert it")
        image = None if size is None or has_too_many_scans(data) else _decode_image(data)
        check_picture(image, label, self._max_pixels)
        self.position += 1
        return image

    def digest(self):
        """Return the SHA-256 of the joined digests of all files, and set ``size`` to the files' bytes in all."""
        digests, self.size = [], 0
        for index in range(self.n_frames):
            with self._open(index) as file:
                digests.append(file.digest())
                self.size += file.size
        return hashlib.sha256("".join(digests).encode()).hexdigest()

    def check_unchanged(self):
        """Do nothing: each file is compared when it is opened again."""

    def _open(self, index):
        """Open the file of an index; refuse it if it changed since it was read before."""
        file = open_source(self._paths[index])
        identity = hash(file.identity) or 1
        if self._identities[index] not in (0, identity):
            file.close()
            raise DataError(f"{self._paths[index]} was changed while {self.name} was read; run again once it is stable")
        self._identities[index] = identity
        return file

    def label(self, index):
        """Return the frame's name for messages."""
        return f"frame {index} ({self._paths[index].name})"

    def times(self):
        """Return None: images have no time stamps."""
        return

    def faults(self, at_end):
        """Return an empty list, whether or not ``at_end``: a folder announces no number of files."""
        return []

    def close(self):
        """Skip the remaining files."""
        self.position = self.n_frames


def decode_gray(data, label):
    """Decode a gray image.

    Parameters
    ----------
    data : bytes
    label : str
        Name for messages.

    Returns
    -------
    (H, W) uint8

    Raises
    ------
    DataError
        If the image is damaged, not gray, not of 8 bits, or has too many pixels.
    """
    size = image_size(data)
    if size is not None:
        check_pixels(label, size, MOST_PIXELS)
    image = None if size is None or has_too_many_scans(data) else _decode_image(data, cv2.IMREAD_UNCHANGED)
    check_picture(image, label, MOST_PIXELS)
    if image is None or image.ndim != 2:
        raise DataError(f"{label} must be a gray image, got colours")
    return image


def most_bytes(max_pixels):
    """Return the largest size in bytes of an image file of at most ``max_pixels``."""
    return _PIXEL_BYTES * max_pixels + _METADATA_BYTES


def _decode_image(data, form=cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH):
    """Decode pixels in the file's own depth, BGR or the ``form`` asked for; None if that fails."""
    # OpenCV before 5 fills the lost rows of a truncated JPEG with gray. A truncated JPEG has no end marker after the
    # start of its scan.
    if not data or (data[:2] == b"\xff\xd8" and data.rfind(b"\xff\xd9") < data.rfind(b"\xff\xda")):
        return None
    with silence_opencv():
        try:
            return cv2.imdecode(np.frombuffer(data, np.uint8), form)
        except cv2.error:
            return None
