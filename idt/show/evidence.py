"""Pictures of evidence: the number that each track adds to a score, as lines and as a map of neighbourhoods.

Positive numbers are orange, negative ones sky blue. Where the tracks nearly cancel in a column of the vector, single
tracks get large numbers of both signs (docs/method/encoding.md, section 17). So the map shows sums over neighbourhoods:
the numbers of the tracks under way, blurred.
"""

from typing import NamedTuple

import numpy as np

from idt.imports.opencv import cv2
from idt.show.canvas import GRAY, ORANGE, SKY, Canvas, captioned, side_by_side

BLUR = 0.05
"""Standard deviation of the blur, as a share of the frame's shorter side."""
MAP_FACTOR = 4
"""Factor by which the map is smaller than the frame."""
FAINT = 0.04
"""A track is gray if its number is below this share of the number that has the full colour."""
MOST_LINES = 40
"""Most tracks of a picture that also shows the map, because more would hide it; the strongest are drawn."""
FULL_COLOUR_PERCENTILE = 98.0
"""Percentile of the tracks' absolute numbers that has the full colour."""


class ValuedTracks(NamedTuple):
    """Tracks of a video with a number each.

    Attributes
    ----------
    points : (n, L + 1, 2) float
        Points in pixels of the frames that they are drawn over.
    frame : (n,) int
        Frame at which each track ends.
    skip : (n,) int
        Frames from one point to the next.
    values : (n,) float
        The number that each track adds to the score.
    """

    points: np.ndarray
    frame: np.ndarray
    skip: np.ndarray
    values: np.ndarray

    def under_way(self, index):
        """Return the indices of the tracks that are under way in frame ``index``, and how many steps they have made."""
        length = self.points.shape[1] - 1
        steps = (index - self.frame + length * self.skip) // self.skip
        chosen = np.flatnonzero((steps >= 0) & (index <= self.frame))
        return chosen, steps[chosen]


class ColourScale(NamedTuple):
    """Colour scale: the numbers that have the full colour, of a ``track`` and of a place of the ``map``."""

    track: float
    map: float


def neighbourhoods(tracks, index, size):
    """Sum up the numbers of the tracks that are under way in a frame, by neighbourhood.

    Parameters
    ----------
    tracks : ValuedTracks
    index : int
        Number of the frame.
    size : (int, int)
        Width and height of the frame.

    Returns
    -------
    (h, w) float32
        `MAP_FACTOR` times smaller than the frame.
    """
    width, height = -(-size[0] // MAP_FACTOR), -(-size[1] // MAP_FACTOR)
    chosen, steps = tracks.under_way(index)
    x, y = np.nan_to_num(tracks.points[chosen, steps]).T / MAP_FACTOR
    column, row = np.clip(x, 0, width - 1).astype(int), np.clip(y, 0, height - 1).astype(int)
    out = np.zeros((height, width))
    np.add.at(out, (row, column), tracks.values[chosen] / tracks.points.shape[1])
    return cv2.GaussianBlur(
        out.astype(np.float32), (0, 0), BLUR * min(size) / MAP_FACTOR, borderType=cv2.BORDER_CONSTANT
    )


def scale_of(tracks, size):
    """Find the numbers that have the full colour in all frames, and the frame with the strongest neighbourhood.

    Parameters
    ----------
    tracks : ValuedTracks
    size : (int, int)
        Width and height of the frames.

    Returns
    -------
    scale : ColourScale
    index : int
        0 if there are no tracks.
    """
    if not len(tracks.frame):
        return ColourScale(1.0, 1.0), 0
    first = int((tracks.frame - (tracks.points.shape[1] - 1) * tracks.skip).min())
    peaks = [float(neighbourhoods(tracks, i, size).max()) for i in range(first, int(tracks.frame.max()) + 1)]
    best = first + int(np.argmax(peaks))
    strong_track = float(np.percentile(np.abs(tracks.values), FULL_COLOUR_PERCENTILE))
    strong_place = float(np.abs(neighbourhoods(tracks, best, size)).max())
    return ColourScale(strong_track or 1.0, strong_place or 1.0), best


def draw_evidence(gray, index, tracks, *, scale, zoom=1, caption="", cells=None):
    """Draw one frame twice: with the map of neighbourhoods, and with the tracks.

    Parameters
    ----------
    gray : (H, W) uint8
    index : int
        Number of the frame.
    tracks : ValuedTracks
    scale : ColourScale
        As from `scale_of`.
    zoom : int
        Factor by which the frame is enlarged.
    caption : str
    cells : (rows, columns) float, optional
        Numbers of cells of the frame, drawn in place of neighbourhoods; ``scale.map`` has the full colour.

    Returns
    -------
    (H', W', 3) uint8
        BGR, the map left and the tracks right.
    """
    left, right = Canvas(gray, zoom, 0.75), Canvas(gray, zoom, 0.45)
    found = neighbourhoods(tracks, index, gray.shape[::-1]) if cells is None else np.asarray(cells, np.float32)
    _draw_map(left, found, scale.map, smooth=cells is None)
    count = _draw_tracks(right, index, tracks, scale.track, radius=0.35 * zoom + 0.5)
    legend = [("adds", ORANGE), ("takes away", SKY)]
    return captioned(side_by_side([left.image(), right.image()]), caption, [*legend, (f"{count} tracks", GRAY)])


def overlaid(image, index, tracks, scale, size):
    """Draw one frame once: the tracks over the map of neighbourhoods.

    Parameters
    ----------
    image : (H, W, 3) uint8
        BGR, of any size.
    index : int
        Number of the frame.
    tracks : ValuedTracks
    scale : ColourScale
        As from `scale_of`.
    size : (int, int)
        Width and height of the frames that the points of the tracks lie in.

    Returns
    -------
    (H, W, 3) uint8
        BGR.
    """
    canvas = Canvas(image, 1, 0.8)
    _draw_map(canvas, neighbourhoods(tracks, index, size), scale.map, smooth=True)
    # (0, 0) is the centre of the first pixel.
    points = (tracks.points + 0.5) * (np.array(image.shape[1::-1]) / size) - 0.5
    _draw_tracks(canvas, index, tracks._replace(points=points), scale.track, radius=1.2, most=MOST_LINES)
    return canvas.image()


def _draw_map(canvas, found, strongest, *, smooth):
    """Lay the map ``found`` over a frame; the number ``strongest`` has the full colour."""
    strength = np.clip(np.abs(found) / strongest, 0, 1)
    colours = np.where(found[..., None] > 0, ORANGE, SKY).astype(np.uint8)
    canvas.overlay(colours, 0.85 * strength**0.8, smooth=smooth)


def _draw_tracks(canvas, index, tracks, strongest, *, radius, most=None):
    """Draw the tracks under way in a frame, or the ``most`` strongest of them; return how many are under way."""
    chosen, steps = tracks.under_way(index)
    # The strongest last, so that nothing covers them.
    order = np.argsort(np.abs(tracks.values[chosen]), kind="stable")[-(most or len(chosen)) :]
    for track, n_steps in zip(chosen[order].tolist(), steps[order].tolist(), strict=True):
        value = tracks.values[track] / strongest
        colour = GRAY if abs(value) < FAINT else ORANGE if value > 0 else SKY
        path = tracks.points[track, : n_steps + 1]
        alpha = 0.15 + 0.85 * min(1.0, abs(value)) ** 0.7
        canvas.lines([path], colour, alpha)
        canvas.dots(path[-1:], colour, radius, alpha)
    return len(chosen)
