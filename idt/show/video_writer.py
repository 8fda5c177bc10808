"""Drawn frames written to the disk: all of them as a video, or one as a picture."""

import os
import shutil
from pathlib import Path

from idt.errors import DataError
from idt.files import marks, outputs, scratch
from idt.files.atomic import replacing
from idt.frames.suffixes import IMAGES, VIDEOS
from idt.imports.opencv import cv2
from idt.show.tracks import draw_tracks, zoom_of

FALLBACK_RATE = 25.0
"""Frames per second of a drawn video whose source has no known rate."""


def write_video(video, output, params, *, boxes=None, threads=1, progress=iter, overwrite=False):
    """Write the drawn frames as a video.

    Parameters
    ----------
    video : Video
    output : path
        ``.mp4`` or ``.avi``.
    params, boxes, threads
        As for `idt.show.tracks.draw_tracks`.
    progress : callable
        Wraps the iterator of pictures.
    overwrite : bool or collection of path
        As for `idt.files.atomic.replacing`.

    Returns
    -------
    Drawn
        The picture with the most kept tracks.

    Raises
    ------
    DataError
        If the output is an input, exists and may not be replaced, or OpenCV has no encoder for its suffix.
    OSError
        If the disk takes no more, be it that of the output or of temporary files.
    """
    _check(output, video, boxes, overwrite)
    suffix = Path(output).suffix.lower()
    code = cv2.VideoWriter.fourcc(*("MJPG" if suffix == ".avi" else "mp4v"))
    rate = video.fps if video.fps > 0 else FALLBACK_RATE
    zoom = zoom_of(video)
    with replacing(output, overwrite=overwrite) as part, scratch.folder() as folder:
        # OpenCV writes videos only to a path of its own, with a suffix that it knows.
        rendered = os.path.join(folder, f"tracks{suffix}")
        writer = cv2.VideoWriter(rendered, code, rate, (video.width * zoom, video.height * zoom))
        if not writer.isOpened():
            raise DataError(f"OpenCV cannot write a video such as {output}; use .mp4 or .avi")
        best, n_frames = None, 0
        for drawn in progress(draw_tracks(video, params, boxes=boxes, threads=threads)):
            writer.write(drawn.image)
            n_frames += 1
            best = drawn if best is None or drawn.kept > best.kept else best
        writer.release()
        if _count_frames(rendered) != n_frames:
            # OpenCV only warns when it cannot write.
            raise OSError(f"{output} was not written whole; is there room in {folder}, and for {output}?")
        with open(rendered, "rb") as file:
            shutil.copyfileobj(file, part)
        marks.mark_video(part, suffix)
    return best


def write_picture(video, output, params, *, frame=None, boxes=None, threads=1, progress=iter, overwrite=False):
    """Write one drawn frame as an image.

    Parameters
    ----------
    video : Video
    output : path
        ``.png`` or another format that OpenCV writes.
    params, boxes, threads, progress, overwrite
        As for `write_video`.
    frame : int, optional
        Number of the frame; the one with the most kept tracks if not given.

    Returns
    -------
    Drawn

    Raises
    ------
    DataError
        If the video has no such frame, the output is an input or exists and may not be replaced, or its suffix is not
        that of a picture.
    OSError
        If the disk takes no more.
    """
    suffix = Path(output).suffix
    if not suffix or not cv2.haveImageWriter(f"tracks{suffix}"):
        raise DataError(f"OpenCV cannot write a picture such as {output}; use .png or .jpg")
    _check(output, video, boxes, overwrite)
    best = None
    last = -1
    # Opened first: an output that cannot be written is refused before the work, not after.
    with replacing(output, overwrite=overwrite, unmarked=not marks.carries_mark(output)) as part:
        for drawn in progress(draw_tracks(video, params, boxes=boxes, threads=threads)):
            last = drawn.index
            wanted = drawn.index == frame if frame is not None else best is None or drawn.kept > best.kept
            best = drawn if wanted else best
            if frame is not None and best is not None:
                break
        if best is None:
            raise DataError(f"frame {frame} is not among those of {video.name}, {video.first_frame.index} to {last}")
        part.write(marks.mark_picture(cv2.imencode(suffix, best.image)[1].tobytes(), suffix))
    return best


def _check(output, video, boxes, overwrite):
    """Refuse an output that would destroy something."""
    read, suffixes = [video.path, boxes], {*VIDEOS, *IMAGES}
    outputs.check([output], read, suffixes=suffixes, overwrite=overwrite, unmarked=not marks.carries_mark(output))


def _count_frames(path):
    """Count the frames of a video that decode."""
    capture = cv2.VideoCapture(path)
    count = 0
    while capture.grab():
        count += 1
    capture.release()
    return count
