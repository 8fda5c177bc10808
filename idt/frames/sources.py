"""What a path, a number or an iterable means as a video, and which reader gives its frames."""

import glob
import os
import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from idt.checks import describe
from idt.errors import DataError, shown
from idt.frames.arrays import Arrays
from idt.frames.decoders import open_file
from idt.frames.image_files import Images
from idt.frames.opencv_decoder import Capture
from idt.frames.suffixes import IMAGES
from idt.imports.opencv import cv2
from idt.params.bounds import MOST_PIXELS
from idt.params.decoder import check_decoder

TO_GRAY = {"bgr": cv2.COLOR_BGR2GRAY, "rgb": cv2.COLOR_RGB2GRAY}
"""OpenCV's conversion for each order of the colours."""


def find_reader(video, channels="bgr", *, max_pixels=MOST_PIXELS, decoder="auto", deinterlace=False):
    """Find the reader for whatever `video.open_video` accepts.

    Parameters
    ----------
    video : path, int, array or iterable
    channels : {"bgr", "rgb"}
        Order of the colours in arrays.
    max_pixels : int
        Most pixels of a frame of a file or camera.
    decoder, deinterlace
        Of video files, as `idt.frames.decoders.open_file`.

    Returns
    -------
    Capture, idt.frames.pyav_decoder.Stream, Images or Arrays

    Raises
    ------
    DataError
        If there is nothing of that name, it cannot be decoded, or an argument is none of these things.
    """
    if not isinstance(channels, str) or channels not in TO_GRAY:
        raise DataError(f"channels must be one of {', '.join(TO_GRAY)}, got {shown(channels)}")
    check_decoder(decoder)
    if isinstance(video, str | os.PathLike):
        return _find_file(os.fspath(video), max_pixels, decoder, deinterlace)
    if isinstance(video, int) and not isinstance(video, bool):
        if not 0 <= video < 2**31:
            # OpenCV crashes on -1.
            raise DataError(f"the index of a camera must be between 0 and {2**31 - 1}, got {video}")
        return Capture(video, max_pixels=max_pixels)
    if isinstance(video, np.ndarray) and (video.ndim not in (3, 4) or (video.ndim == 3 and video.shape[2] == 3)):
        raise DataError(
            f"an array of frames must have shape (T, H, W) or (T, H, W, 3), got {describe(video)};"
            " wrap a single frame in a list"
        )
    if isinstance(video, Iterable):
        return Arrays(video, channels)
    raise DataError(f"video must be a path, a pattern, a camera index or an iterable of frames, got {describe(video)}")


def _find_file(text, max_pixels, decoder, deinterlace):
    if not text:
        raise DataError('the name of a video must not be empty; the folder you are in is "."')
    path = Path(text)
    if path.is_dir():
        names = sorted((p for p in path.iterdir() if _is_image(p)), key=_natural_order)
        if not names:
            raise DataError(f"{text} holds no image files ({' '.join(IMAGES)}); name a video file inside it")
        return Images(names, text, path, max_pixels)
    if path.exists():
        if _is_image(path):
            return Images([path], text, path, max_pixels)
        return open_file(text, max_pixels=max_pixels, decoder=decoder, deinterlace=deinterlace)
    number = re.search(r"%0?\d*d", path.name)
    if number:
        return Images(_numbered(path, number), text, path.parent, max_pixels)
    if glob.has_magic(text):
        names = sorted((p for p in map(Path, glob.glob(text)) if _is_image(p)), key=_natural_order)
        if not names:
            if not glob.glob(text):
                raise DataError(f"{text}: no such file, and as a pattern it matches none")
            raise DataError(f"{text} matches no image files ({' '.join(IMAGES)})")
        return Images(names, text, path.parent, max_pixels)
    raise DataError(f"{text}: no such file or folder")


def _is_image(path):
    # Hidden files such as macOS's ._frame1.png are no frames.
    return path.suffix.lower() in IMAGES and not path.name.startswith(".") and path.is_file()


def _natural_order(path):
    """Sort key under which frame2 comes before frame10."""
    pieces = re.split(r"([0-9]+)", path.name)
    return [int(p) if i % 2 else p for i, p in enumerate(pieces)], path.name


def _numbered(path, number):
    """Files that a pattern such as img_%05d.jpg names, from the lowest number on; a gap is refused."""
    name = re.compile(re.escape(path.name[: number.start()]) + "([0-9]+)" + re.escape(path.name[number.end() :]))
    found = {}
    for file in path.parent.iterdir() if path.parent.is_dir() else ():
        digits = name.fullmatch(file.name)
        if digits and number[0] % int(digits[1]) == digits[1]:
            found[int(digits[1])] = file
    if not found:
        raise DataError(f"{path} matches no files")
    for i in range(min(found), max(found)):
        if i not in found:
            missing = path.name.replace(number[0], number[0] % i, 1)
            raise DataError(f"{path}: {missing} is missing; take the files as they are with a pattern such as *.png")
    return [found[i] for i in sorted(found)]
