"""Pictures of tracks: thin translucent lines over a dimmed frame, which fade with age.

A track is kept or dropped only after its L steps, so a frame is drawn L frames late, with every track that was under
way in it and reached its end. If there are many tracks, some are drawn, evenly chosen over the frame. A track that is
drawn in one frame is drawn in the next ones, too, unless more tracks come.
"""

from collections import deque
from typing import NamedTuple

import numpy as np

from idt.checks import positive_integer
from idt.errors import DataError
from idt.extractor import run_frame_loop
from idt.show.canvas import Canvas, zoom_of
from idt.show.colours import ALPHAS, COLOURS, END_POINT, FOLLOWED_CAMERA, group_by_colour

MOST_TRACKS = 400
"""Most tracks of each kind, kept or moved with the camera, in one picture, unless all are asked for."""

BRIGHTNESS = 0.65
"""Brightness of the frame under the tracks, as for `idt.show.canvas.Canvas`."""

FULL_COLOUR_STEPS = 5
"""Steps after which the end point of a track has its full colour."""

GOLDEN = (5**0.5 - 1) / 2
"""The golden ratio: its multiples modulo 1, the ranks of the tracks, are spread evenly. The tracks with a rank below a
share are therefore spread evenly, too, and a larger share only adds tracks to them."""


class Drawn(NamedTuple):
    """One picture.

    Attributes
    ----------
    index : int
        Number of the frame.
    image : (H', W', 3) uint8
        The frame with tracks, enlarged by a whole number; BGR, or RGB on request.
    kept, followed_camera : int
        Tracks of either kind that are under way.
    kept_drawn, followed_camera_drawn : int
        How many of these the picture shows.
    gray : (H, W) uint8
        The frame.
    """

    index: int  # type: ignore[assignment]  # hides tuple.index, which nobody searches a picture with
    image: np.ndarray
    kept: int
    followed_camera: int
    kept_drawn: int
    followed_camera_drawn: int
    gray: np.ndarray


class Pen(NamedTuple):
    """Style of drawn tracks.

    Attributes
    ----------
    colour : str
        One of `idt.show.colours.COLOURS`.
    most : int or None
        Most tracks of either kind in a picture; None for all.
    dropped : bool
        Whether tracks that moved with the camera are drawn.
    evidence : (n,) float or None
        For the colour ``evidence``: a number for each kept track of the video, in the order of features.
    """

    colour: str = "fate"
    most: int | None = MOST_TRACKS
    dropped: bool = True
    evidence: np.ndarray | None = None


DEFAULT_PEN = Pen()


def draw_tracks(video, params, *, boxes=None, threads=1, zoom=None, channels="bgr", pen=DEFAULT_PEN):
    """Draw every frame of an opened video with the tracks that are under way in it.

    Parameters
    ----------
    video : Video
        From `idt.frames.video.open_video`.
    params : ExtractionParams
    boxes, threads, zoom, channels
        As for `idt.draw`.
    pen : Pen

    Yields
    ------
    Drawn
        One for every frame.

    Raises
    ------
    DataError
        If ``zoom`` is no whole number of at least 1, the colour is unknown, or the evidence is of other tracks.
    """
    zoom = zoom_of(video) if zoom is None else positive_integer(zoom, "zoom")
    if pen.most is not None:
        positive_integer(pen.most, "most")
    if pen.colour not in COLOURS:
        raise DataError(f"colour must be one of {', '.join(COLOURS)}, got {pen.colour!r}")
    if (pen.colour == "evidence") != (pen.evidence is not None):
        raise DataError("the colour evidence and the numbers of evidence go together; give both or neither")
    waiting: deque[tuple[int, np.ndarray]] = deque()
    ended: deque[_Ended] = deque(maxlen=params.length + 1)
    n_before = 0
    for step in run_frame_loop(video, params, boxes=boxes, threads=threads):
        waiting.append((step.index, step.gray))
        ended.append(_Ended.of(step, pen, n_before))
        n_before += len(ended[-1].kept.points)
        if len(waiting) > params.length:
            yield _picture(*waiting.popleft(), ended, (pen, zoom, params.length, channels))
    while waiting:
        yield _picture(*waiting.popleft(), ended, (pen, zoom, params.length, channels))
    if pen.evidence is not None and n_before != len(pen.evidence):
        raise DataError(
            f"the evidence is of {len(pen.evidence)} tracks, the video has {n_before}; explain this very video"
        )


class _Group(NamedTuple):
    """Tracks of one kind that ended at one frame, each with a rank in [0, 1). The lowest ranks are drawn."""

    points: np.ndarray
    factor: np.ndarray
    values: np.ndarray
    rank: np.ndarray

    @classmethod
    def of(cls, finished, chosen, values=None):
        points = finished.points[chosen]
        values = np.zeros(len(points)) if values is None else values
        return cls(points, finished.factor[chosen], values, _ranks(points[:, -1]))


class _Ended(NamedTuple):
    """Tracks that ended at a frame: the kept ones and the ones that moved with the camera."""

    index: int  # type: ignore[assignment]
    kept: _Group
    dropped: _Group

    @classmethod
    def of(cls, step, pen, n_before):
        statistics, values = step.finished.statistics, None
        count = int(np.count_nonzero(statistics.kept))
        if pen.evidence is not None:
            values = np.resize(pen.evidence[n_before : n_before + count], count)
        kept = _Group.of(step.finished, statistics.kept, values)
        return cls(step.index, kept, _Group.of(step.finished, statistics.followed_camera))


def _ranks(points):
    """Return a rank in [0, 1) for each point: the k-th along a Z-order curve gets k times `GOLDEN`, modulo 1.

    Neighbours follow each other on the curve, so the points with a rank below any share are spread evenly.
    """
    cells = np.clip(np.nan_to_num(points) / 8, 0, 2**10 - 1).astype(np.int64)
    code = np.zeros(len(points), np.int64)
    for bit in range(10):
        for axis in (0, 1):
            code |= ((cells[:, axis] >> bit) & 1) << (2 * bit + axis)
    ranks = np.empty(len(points))
    ranks[np.argsort(code, kind="stable")] = (np.arange(len(points)) + 1) * GOLDEN % 1
    return ranks


def _picture(index, gray, ended, style):
    """Draw one frame with the tracks under way in it, which have begun by then and ended then or later."""
    pen, zoom, length, channels = style
    canvas = Canvas(gray, zoom, BRIGHTNESS)
    under_way = [(group, index - (group.index - length)) for group in ended]
    under_way = [(group, steps) for group, steps in under_way if 0 <= steps <= length]
    counts, shown = [], []
    # Tracks of the camera first, so that they do not cover the kept ones.
    for dropped in (True, False):
        groups = [((group.dropped if dropped else group.kept), steps) for group, steps in under_way]
        groups = groups if pen.dropped or not dropped else []
        count = sum(len(group.points) for group, _ in groups)
        share = 1.0 if pen.most is None or count <= pen.most else pen.most / count
        drawn = 0
        for group, steps in groups:
            chosen = group.rank < share
            drawn += int(np.count_nonzero(chosen))
            points = group.points[chosen, : steps + 1]
            if dropped:
                _draw_fading(canvas, points, FOLLOWED_CAMERA, length, 0.75)
                continue
            for colour, members in group_by_colour(pen.colour, group, chosen, steps):
                _draw_fading(canvas, points[members], colour, length, 1.0)
            # A track that has just begun shows no motion yet.
            strength = 1.0 if pen.colour == "fate" else 0.6
            canvas.dots(
                points[:, -1], END_POINT, 0.35 * zoom + 0.4, strength * min(1.0, 0.2 + steps / FULL_COLOUR_STEPS)
            )
        counts.append(count)
        shown.append(drawn)
    image = canvas.image()
    image = np.ascontiguousarray(image[..., ::-1]) if channels == "rgb" else image
    return Drawn(index, image, counts[1], counts[0], shown[1], shown[0], gray)


def _draw_fading(canvas, points, colour, length, strength):
    """Draw polylines in pieces that fade with their age, oldest first so that the newest lie on top.

    ``colour`` is BGR, or a function that gives the colour of a piece's age in [0, 1].
    """
    n_steps = points.shape[1] - 1
    pieces = len(ALPHAS)
    for piece, alpha in enumerate(ALPHAS):
        # The last piece is of the newest third of a whole track.
        last = n_steps - (pieces - 1 - piece) * length // pieces
        first = max(0, n_steps - (pieces - piece) * length // pieces)
        if last > first:
            shade = colour(1 - (piece + 0.5) / pieces) if callable(colour) else colour
            canvas.lines(list(points[:, first : last + 1]), shade, alpha * strength)
