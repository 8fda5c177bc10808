"""Writers of images to the disk: one as a picture file, many as a video file."""

import contextlib
import os
import shutil
from pathlib import Path

from idt.errors import DataError
from idt.files import marks, scratch
from idt.files.atomic import replacing
from idt.imports.opencv import cv2

FALLBACK_RATE = 25.0
"""Frames per second of a drawn video whose source has no known rate."""


def check_picture(path):
    """Refuse an output ``path`` whose suffix is not that of a picture.

    Raises
    ------
    DataError
        If OpenCV writes no pictures with its suffix.
    """
    suffix = Path(path).suffix
    if not suffix or not cv2.haveImageWriter(f"tracks{suffix}"):
        raise DataError(f"OpenCV cannot write a picture such as {path}; use .png or .jpg")


@contextlib.contextmanager
def picture_file(path, *, overwrite=False):
    """Open a picture file before the work begins, so that an output that cannot be written is refused at once.

    Parameters
    ----------
    path : str or Path
    overwrite : bool or collection of path
        As for `idt.files.atomic.replacing`.

    Yields
    ------
    callable
        Writes an image (H, W, 3) uint8, BGR.

    Raises
    ------
    DataError
        If the suffix is not that of a picture, or ``path`` exists and may not be replaced.
    OSError
        If the disk takes no more.
    """
    check_picture(path)
    suffix = Path(path).suffix
    with replacing(path, overwrite=overwrite, unmarked=not marks.carries_mark(path)) as part:

        def write_image(image):
            part.write(marks.mark_picture(cv2.imencode(suffix, image)[1].tobytes(), suffix))

        yield write_image


def save_picture(image, path, *, overwrite=False):
    """Write one picture.

    Parameters
    ----------
    image : (H, W, 3) uint8
        BGR.
    path, overwrite
        As for `picture_file`.

    Raises
    ------
    DataError, OSError
        As `picture_file`.
    """
    with picture_file(path, overwrite=overwrite) as write_image:
        write_image(image)


def save_video(images, path, *, rate, overwrite=False):
    """Write a video.

    Parameters
    ----------
    images : iterable of (H, W, 3) uint8
        BGR, at least one, all of one size.
    path : str or Path
        ``.mp4`` or ``.avi``.
    rate : float
        Frames per second; NaN or 0 if unknown.
    overwrite : bool or collection of path
        As for `idt.files.atomic.replacing`.

    Returns
    -------
    int
        Number of frames.

    Raises
    ------
    DataError
        If ``path`` exists and may not be replaced, there are no images, or OpenCV has no encoder for its suffix.
    OSError
        If the disk of the output or of temporary files takes no more.
    """
    suffix = Path(path).suffix.lower()
    code = cv2.VideoWriter.fourcc(*("MJPG" if suffix == ".avi" else "mp4v"))
    rate = rate if rate > 0 else FALLBACK_RATE
    with replacing(path, overwrite=overwrite) as part, scratch.folder() as folder:
        # OpenCV writes videos only to a path of its own, with a suffix that it knows.
        rendered = os.path.join(folder, f"tracks{suffix}")
        writer, n_frames = None, 0
        for image in images:
            # Video encoders take even widths and heights only.
            even = cv2.copyMakeBorder(image, 0, image.shape[0] % 2, 0, image.shape[1] % 2, cv2.BORDER_REPLICATE)
            if writer is None:
                writer = cv2.VideoWriter(rendered, code, rate, even.shape[1::-1])
                if not writer.isOpened():
                    raise DataError(f"OpenCV cannot write a video such as {path}; use .mp4 or .avi")
            writer.write(even)
            n_frames += 1
        if writer is None:
            raise DataError(f"{path} would have no frames; there was nothing to draw")
        writer.release()
        if _count_frames(rendered) != n_frames:
            # OpenCV only warns when it cannot write.
            raise OSError(f"{path} was not written whole; is there room in {folder}, and for {path}?")
        with open(rendered, "rb") as file:
            shutil.copyfileobj(file, part)
        marks.mark_video(part, suffix)
    return n_frames


def _count_frames(path):
    """Count the frames of a video by decoding them."""
    capture = cv2.VideoCapture(path)
    count = 0
    while capture.grab():
        count += 1
    capture.release()
    return count
