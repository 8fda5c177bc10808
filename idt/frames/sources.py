"""Find the reader for a video given as path, camera index or iterable."""

import glob
import os
import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from idt.checks import type_and_shape
from idt.errors import DataError, short_repr
from idt.files.source_file import open_source
from idt.frames.arrays import ArrayReader
from idt.frames.decoders import open_file
from idt.frames.image_files import ImageReader, most_bytes
from idt.frames.image_pages import PageReader, is_animation, pages_of
from idt.frames.image_series import is_image, matching_images, numbered_images, series_in
from idt.frames.opencv_decoder import OpencvReader
from idt.frames.playlists import HEAD_BYTES
from idt.imports.opencv import cv2
from idt.params.bounds import MOST_PIXELS
from idt.params.decoder import check_decoder

TO_GRAY = {"bgr": cv2.COLOR_BGR2GRAY, "rgb": cv2.COLOR_RGB2GRAY}
"""OpenCV's conversion for each order of the colours."""

_URL = re.compile("[A-Za-z][A-Za-z0-9+.-]*://")


def find_reader(video, channels="bgr", *, max_pixels=MOST_PIXELS, decoder="auto", deinterlace=False, vectors=False):
    """Find the reader for any video that `video.open_video` accepts.

    Parameters
    ----------
    video : path, int, array or iterable
    channels : {"bgr", "rgb"}
        Order of the colours in arrays.
    max_pixels : int
        Most pixels of a frame of a file or camera.
    decoder, deinterlace, vectors
        As for `idt.frames.decoders.open_file`; for video files only.

    Returns
    -------
    OpencvReader, PyavReader, ImageReader, PageReader or ArrayReader

    Raises
    ------
    DataError
        If the video does not exist or cannot be decoded, an argument is invalid, or ``deinterlace`` is asked for
        anything but a video file.
    """
    if not isinstance(channels, str) or channels not in TO_GRAY:
        raise DataError(f"channels must be one of {', '.join(TO_GRAY)}, got {short_repr(channels)}")
    check_decoder(decoder)
    if isinstance(video, str | os.PathLike):
        reader = _find_file(os.fspath(video), max_pixels, decoder, deinterlace, vectors)
    else:
        reader = _find_frames(video, channels, max_pixels)
    if deinterlace and reader.kind != "file":
        reader.close()
        raise DataError(f"deinterlace is for video files, but {reader.name} is of the kind {reader.kind}; drop it")
    return reader


def _find_frames(video, channels, max_pixels):
    """Return the reader of a camera or of arrays."""
    if isinstance(video, int) and not isinstance(video, bool):
        if not 0 <= video < 2**31:
            # OpenCV crashes on -1.
            raise DataError(f"the index of a camera must be between 0 and {2**31 - 1}, got {video}")
        return OpencvReader(video, max_pixels=max_pixels)
    if isinstance(video, np.ndarray) and (video.ndim not in (3, 4) or (video.ndim == 3 and video.shape[2] == 3)):
        raise DataError(
            f"an array of frames must have shape (T, H, W) or (T, H, W, 3), got {type_and_shape(video)};"
            " wrap a single frame in a list"
        )
    if isinstance(video, Iterable):
        return ArrayReader(video, channels)
    raise DataError(
        f"video must be a path, a pattern, a camera index or an iterable of frames, got {type_and_shape(video)}"
    )


def _find_file(text, max_pixels, decoder, deinterlace, vectors):
    if not text:
        raise DataError('the name of a video must not be empty; the folder you are in is "."')
    path = Path(text)
    if path.is_dir():
        names, notes = series_in(path)
        return ImageReader(names, text, path, max_pixels, notes)
    if path.exists():
        reader = _open_image(path, text, max_pixels) if is_image(path) else None
        opening = {"max_pixels": max_pixels, "decoder": decoder, "deinterlace": deinterlace, "vectors": vectors}
        return reader or open_file(text, **opening)
    if _URL.match(text):
        raise DataError(f"{text}: no such file; URLs are not read: download it first")
    number = re.search(r"%0?\d*d", path.name)
    if number:
        return ImageReader(numbered_images(path, number), text, path.parent, max_pixels)
    if glob.has_magic(text):
        return ImageReader(matching_images(text), text, path.parent, max_pixels)
    raise DataError(f"{text}: no such file or folder")


def _open_image(path, text, max_pixels):
    """Return the reader of an image file; None for an animation, which the decoder of video files reads."""
    file = open_source(path)
    keep = False
    try:
        head = file.head(HEAD_BYTES)
        # FFmpeg has no decoder for animated WebP.
        if is_animation(head) and not head.startswith(b"RIFF"):
            return None
        # A TIFF is read whole, because its directories may lie behind its pictures.
        data = file.read(most_bytes(max_pixels)) if head[:2] in (b"II", b"MM") else b""
        pages = pages_of(data)
        keep = len(pages) > 1
        return PageReader(file, data, pages, text, max_pixels) if keep else ImageReader([path], text, path, max_pixels)
    finally:
        if not keep:
            file.close()
