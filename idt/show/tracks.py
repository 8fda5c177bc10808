"""Looking at tracks: drawn over the frames, fading with age, those that moved with the camera in another colour.

Whether a track is kept is known only when it has made its L steps, so a frame is drawn L frames late, with every
track that was under way in it and got that far.
"""

from collections import deque
from typing import NamedTuple

import numpy as np

from idt.checks import positive_integer
from idt.extractor import follow
from idt.imports.opencv import cv2

KEPT = (80, 255, 80)
FOLLOWED_CAMERA = (255, 120, 60)
HEAD = (60, 60, 255)
"""Colours of tracks and of the ends of the kept ones, BGR."""
SUBPIXEL_BITS = 4
SMALLEST_SIDE = 360
"""Frames are enlarged by whole numbers until their shorter side has this many pixels, or lines hide what they show."""


class Drawn(NamedTuple):
    """One picture.

    Attributes
    ----------
    index : int
        Number of the frame.
    image : (H', W', 3) uint8
        Enlarged by a whole number; BGR unless RGB was asked for.
    kept, followed_camera : int
        Tracks drawn of either kind.
    """

    index: int  # type: ignore[assignment]  # hides tuple.index, which nobody searches a picture with
    image: np.ndarray
    kept: int
    followed_camera: int


def draw_tracks(video, params, *, boxes=None, threads=1, zoom=None, dropped=True, channels="bgr"):
    """Draw every frame of an opened video with the tracks that are under way in it.

    Parameters
    ----------
    video : Video
        From `idt.frames.video.open_video`.
    params : ExtractionParams
    boxes, threads, zoom, dropped, channels
        As for `idt.draw`.

    Yields
    ------
    Drawn
        One for every frame.

    Raises
    ------
    DataError
        If ``zoom`` is no whole number of at least 1.
    """
    pen = _Pen(
        zoom_of(video) if zoom is None else positive_integer(zoom, "zoom"), params.length, dropped, channels == "rgb"
    )
    waiting: deque[tuple[int, np.ndarray]] = deque()
    ended: deque = deque(maxlen=params.length + 1)
    for step in follow(video, params, boxes=boxes, threads=threads):
        waiting.append((step.index, step.gray))
        ended.append((step.index, step.finished))
        if len(waiting) > params.length:
            yield _picture(*waiting.popleft(), ended, pen)
    while waiting:
        yield _picture(*waiting.popleft(), ended, pen)


def zoom_of(video):
    """Return how many times the frames of a ``video`` are enlarged if nobody says."""
    return max(1, round(SMALLEST_SIDE / min(video.height, video.width)))


class _Pen(NamedTuple):
    """How tracks are drawn.

    Attributes
    ----------
    zoom : int
        Pixels of the picture for one of the frame.
    length : int
        Steps of a track.
    dropped : bool
        Whether tracks that moved with the camera are drawn.
    rgb : bool
        Whether red comes first in the picture.
    """

    zoom: int
    length: int
    dropped: bool
    rgb: bool

    def colour(self, bgr):
        """Return a colour in the picture's order."""
        return bgr[::-1] if self.rgb else bgr

    def fixed(self, x, y):
        """Return a position as the fixed-point pair that OpenCV draws with; (0, 0) is the first pixel's centre."""
        scale = self.zoom * (1 << SUBPIXEL_BITS)
        shift = (self.zoom - 1) / 2 * (1 << SUBPIXEL_BITS)
        return round(float(x) * scale + shift), round(float(y) * scale + shift)


def _picture(index, gray, ended, pen):
    """Draw one frame with the tracks under way in it: begun by then, ended then or later."""
    size = (gray.shape[1] * pen.zoom, gray.shape[0] * pen.zoom)
    image = cv2.cvtColor(cv2.resize(gray, size, interpolation=cv2.INTER_CUBIC), cv2.COLOR_GRAY2BGR) // 3 * 2
    counts = {"kept": 0, "followed_camera": 0}
    heads = []
    for end, tracks in ended:
        steps = index - (end - pen.length)
        if not 0 <= steps <= pen.length:
            continue
        # Camera tracks first, so that they do not cover the others.
        if pen.dropped:
            points = tracks.points[tracks.summary.followed_camera, : steps + 1]
            counts["followed_camera"] += len(points)
            _draw_lines(image, points, pen, FOLLOWED_CAMERA)
        points = tracks.points[tracks.summary.kept, : steps + 1]
        counts["kept"] += len(points)
        _draw_lines(image, points, pen, KEPT)
        heads.append(points[:, -1])
    radius = (pen.zoom << SUBPIXEL_BITS) // 2
    for x, y in np.concatenate(heads) if heads else ():
        cv2.circle(image, pen.fixed(x, y), radius, pen.colour(HEAD), -1, cv2.LINE_AA, SUBPIXEL_BITS)
    return Drawn(index, image, **counts)


def _draw_lines(image, points, pen, colour):
    """Draw polylines whose segments darken with their age, oldest first so that the new lie on top."""
    n_steps = points.shape[1] - 1
    for step in range(n_steps):
        strength = 1 - (n_steps - 1 - step) / pen.length
        faded = tuple(int(channel * (0.25 + 0.75 * strength)) for channel in pen.colour(colour))
        for (x0, y0), (x1, y1) in points[:, step : step + 2]:
            cv2.line(image, pen.fixed(x0, y0), pen.fixed(x1, y1), faded, 1, cv2.LINE_AA, SUBPIXEL_BITS)
