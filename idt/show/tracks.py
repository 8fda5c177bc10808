"""Looking at tracks: drawn over the frames, fading with age, those that moved with the camera in another colour.

Whether a track is kept is known only when it has made its L steps, so a frame is drawn L frames late, with every
track that was under way in it and got that far.
"""

import os
import shutil
import tempfile
from collections import deque
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from idt.errors import DataError
from idt.extractor import follow
from idt.files.atomic import replacing

KEPT = (80, 255, 80)
FOLLOWED_CAMERA = (255, 120, 60)
HEAD = (60, 60, 255)
SUBPIXEL_BITS = 4
SMALLEST_SIDE = 360
"""Frames are enlarged by whole numbers until their shorter side has this many pixels, or lines hide what they show."""
FALLBACK_RATE = 25.0
"""Frames per second of a drawn video whose source has no known rate."""


class Drawn(NamedTuple):
    """One picture.

    Attributes
    ----------
    index : int
        Number of the frame.
    image : (H', W', 3) uint8
        BGR, enlarged by a whole number.
    kept, followed_camera : int
        Tracks drawn of either kind.
    """

    index: int  # type: ignore[assignment]  # hides tuple.index, which nobody searches a picture with
    image: np.ndarray
    kept: int
    followed_camera: int


def draw(video, params, *, boxes=None, threads=1):
    """Draw every frame of a video with the tracks that are under way in it.

    Parameters
    ----------
    video : Video
        From `idt.frames.video.open_video`.
    params : ExtractionParams
    boxes, threads
        As for `idt.extract`.

    Yields
    ------
    Drawn
        One for every frame.
    """
    waiting: deque[tuple[int, np.ndarray]] = deque()
    ended: deque = deque(maxlen=params.length + 1)
    for step in follow(video, params, boxes=boxes, threads=threads):
        waiting.append((step.index, step.gray))
        ended.append((step.index, step.rows))
        if len(waiting) > params.length:
            yield _picture(*waiting.popleft(), ended, params.length)
    while waiting:
        yield _picture(*waiting.popleft(), ended, params.length)


def write_video(video, output, params, *, boxes=None, threads=1, progress=iter, overwrite=False):
    """Write the drawn frames as a video.

    Parameters
    ----------
    video : Video
    output : path
        ``.mp4`` or ``.avi``.
    params, boxes, threads
        As for `draw`.
    progress : callable
        Wraps the iterator of pictures.
    overwrite : bool
        Replace an existing output.

    Returns
    -------
    Drawn
        The picture with the most kept tracks.

    Raises
    ------
    DataError
        If the output exists, or OpenCV has no encoder for its suffix.
    OSError
        If the disk takes no more, be it that of the output or of temporary files.
    """
    suffix = Path(output).suffix.lower()
    code = cv2.VideoWriter.fourcc(*("MJPG" if suffix == ".avi" else "mp4v"))
    rate = video.fps if video.fps > 0 else FALLBACK_RATE
    zoom = _zoom(video.height, video.width)
    with replacing(output, overwrite=overwrite) as part, tempfile.TemporaryDirectory() as folder:
        # OpenCV writes videos only to a path of its own, with a suffix that it knows.
        rendered = os.path.join(folder, f"tracks{suffix}")
        writer = cv2.VideoWriter(rendered, code, rate, (video.width * zoom, video.height * zoom))
        if not writer.isOpened():
            raise DataError(f"OpenCV cannot write a video such as {output}; use .mp4 or .avi")
        best, n_frames = None, 0
        for drawn in progress(draw(video, params, boxes=boxes, threads=threads)):
            writer.write(drawn.image)
            n_frames += 1
            best = drawn if best is None or drawn.kept > best.kept else best
        writer.release()
        if _count_frames(rendered) != n_frames:
            # OpenCV only warns when it cannot write.
            raise OSError(f"{output} was not written whole; is there room in {folder}, and for {output}?")
        with open(rendered, "rb") as file:
            shutil.copyfileobj(file, part)
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
        If the video has no such frame, the output exists, or its suffix is not that of a picture.
    OSError
        If the disk takes no more.
    """
    suffix = Path(output).suffix
    if not suffix or not cv2.haveImageWriter(f"tracks{suffix}"):
        raise DataError(f"OpenCV cannot write a picture such as {output}; use .png or .jpg")
    best = None
    last = -1
    # Opened first: an output that cannot be written is refused before the work, not after.
    with replacing(output, overwrite=overwrite) as part:
        for drawn in progress(draw(video, params, boxes=boxes, threads=threads)):
            last = drawn.index
            wanted = drawn.index == frame if frame is not None else best is None or drawn.kept > best.kept
            best = drawn if wanted else best
            if frame is not None and best is not None:
                break
        if best is None:
            raise DataError(f"frame {frame} is not among those of {video.name}, {video.first_frame.index} to {last}")
        part.write(cv2.imencode(suffix, best.image)[1])
    return best


def _count_frames(path):
    """Frames of a video that decode."""
    capture = cv2.VideoCapture(path)
    count = 0
    while capture.grab():
        count += 1
    capture.release()
    return count


def _picture(index, gray, ended, length):
    """One frame with the tracks under way in it: begun by then, ended then or later."""
    zoom = _zoom(*gray.shape)
    size = (gray.shape[1] * zoom, gray.shape[0] * zoom)
    image = cv2.cvtColor(cv2.resize(gray, size, interpolation=cv2.INTER_CUBIC), cv2.COLOR_GRAY2BGR) // 3 * 2
    counts = [0, 0]
    heads = []
    for end, rows in ended:
        steps = index - (end - length)
        if not 0 <= steps <= length:
            continue
        # Camera tracks first, so that they do not cover the others.
        for kind, chosen, colour in (
            (1, rows.summary.followed_camera, FOLLOWED_CAMERA),
            (0, rows.summary.kept, KEPT),
        ):
            points = rows.points[chosen, : steps + 1]
            counts[kind] += len(points)
            _draw_lines(image, points, zoom, length, colour)
            if kind == 0:
                heads.append(points[:, -1])
    for x, y in np.concatenate(heads) if heads else ():
        cv2.circle(image, _fixed(x, y, zoom), (zoom << SUBPIXEL_BITS) // 2, HEAD, -1, cv2.LINE_AA, SUBPIXEL_BITS)
    return Drawn(index, image, *counts)


def _zoom(height, width):
    return max(1, round(SMALLEST_SIDE / min(height, width)))


def _draw_lines(image, points, zoom, length, colour):
    """Polylines whose segments darken with their age, oldest first so that the new lie on top."""
    n_steps = points.shape[1] - 1
    for step in range(n_steps):
        strength = 1 - (n_steps - 1 - step) / length
        faded = tuple(int(channel * (0.25 + 0.75 * strength)) for channel in colour)
        for (x0, y0), (x1, y1) in points[:, step : step + 2]:
            ends = _fixed(x0, y0, zoom), _fixed(x1, y1, zoom)
            cv2.line(image, *ends, faded, 1, cv2.LINE_AA, SUBPIXEL_BITS)


def _fixed(x, y, zoom):
    """A position as the fixed-point pair that OpenCV draws with; (0, 0) is the centre of the first pixel."""
    scale = zoom * (1 << SUBPIXEL_BITS)
    shift = (zoom - 1) / 2 * (1 << SUBPIXEL_BITS)
    return round(float(x) * scale + shift), round(float(y) * scale + shift)
