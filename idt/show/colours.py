"""Colours of tracks: by fate, direction, age, scale or evidence.

Kept tracks are light and those that moved with the camera dark, so that they differ for people with any kind of colour
blindness. The colours of ages and scales rise in lightness.
"""

import math

import numpy as np

from idt.imports.opencv import cv2
from idt.show.canvas import GRAY, ORANGE, SKY
from idt.show.flow import colour_wheel

COLOURS = ("fate", "direction", "age", "scale", "evidence")

KEPT = (60, 230, 150)
FOLLOWED_CAMERA = (255, 130, 70)
END_POINT = (190, 255, 255)
"""Colours of tracks and of the ends of the kept ones, BGR."""

ALPHAS = (0.3, 0.55, 0.9)
"""Opacity of the thirds of a track, the oldest first."""

SECTORS = 16
"""Directions that have a colour of their own."""

MOST_SCALES = 8
FAINT = 0.04
"""Share of the strongest evidence below which a track is gray."""


def group_by_colour(colour, group, chosen, steps):
    """Split tracks into groups of one colour.

    Parameters
    ----------
    colour : str
        One of `COLOURS`.
    group : object
        With ``points`` (n, L + 1, 2), ``factor`` (n,) and ``values`` (n,) of all tracks.
    chosen : (n,) bool
        Tracks that are drawn.
    steps : int
        Number of steps that they have made.

    Yields
    ------
    colour : (int, int, int) or callable
        BGR; or, by age, a function from an age in [0, 1] to it.
    members : (k,) bool
        Which of the chosen tracks have this colour.
    """
    points = group.points[chosen]
    if colour == "fate":
        yield KEPT, np.ones(len(points), bool)
    elif colour == "age":
        yield age_colour, np.ones(len(points), bool)
    else:
        shades = _shades(colour, group, chosen, points[:, : steps + 1])
        for shade in np.unique(shades, axis=0):
            yield tuple(shade.tolist()), (shades == shade).all(axis=1)


def _shades(colour, group, chosen, points):
    """Return the colour of each track, (n, 3) int."""
    if colour == "direction":
        x, y = (points[:, -1] - points[:, 0]).T
        return direction_colours(np.arctan2(y, x))
    if colour == "scale":
        return np.array([scale_colour(factor) for factor in group.factor[chosen]], int).reshape(-1, 3)
    values = group.values[chosen, None]
    return np.where(np.abs(values) < FAINT, GRAY, np.where(values > 0, ORANGE, SKY))


def direction_colours(angles):
    """Return the colours of directions, those of the flow's colour wheel.

    Parameters
    ----------
    angles : (n,) float
        In radians, clockwise in the picture from the right.

    Returns
    -------
    (n, 3) int
        BGR.
    """
    wheel = colour_wheel()[:, ::-1]
    sector = np.round(np.asarray(angles) / (2 * math.pi) * SECTORS) % SECTORS
    return np.rint(255 * wheel[(sector * len(wheel) / SECTORS).astype(int)]).astype(int)


def age_colour(age):
    """Return the colour (BGR) of a piece of a track of this ``age``: 0 now, 1 at the track's beginning."""
    return _map_colour(cv2.COLORMAP_PLASMA, 0.95 - 0.8 * age)


def scale_colour(factor):
    """Return the colour (BGR) of the scale of this ``factor``: dark at full resolution, light at the coarsest."""
    level = min(round(2 * math.log2(max(float(factor), 1.0))), MOST_SCALES - 1)
    return _map_colour(cv2.COLORMAP_VIRIDIS, 0.4 + 0.6 * level / (MOST_SCALES - 1))


def legend_of(pen, drawn):
    """Describe the colours of a picture.

    Parameters
    ----------
    pen : Pen
    drawn : Drawn

    Returns
    -------
    list of (str, (int, int, int))
        As for `idt.show.canvas.captioned`.
    """
    kept = _count_text(drawn.kept_drawn, drawn.kept)
    if pen.colour == "fate":
        entries = [(f"kept {kept}", KEPT)]
    elif pen.colour == "direction":
        names = {"right": 0.0, "down": 0.5, "left": 1.0, "up": 1.5}
        shades = direction_colours(np.array(list(names.values())) * math.pi).tolist()
        entries = [(name, tuple(shade)) for name, shade in zip(names, shades, strict=True)]
    elif pen.colour == "age":
        entries = [("now", age_colour(0.1)), ("L frames ago", age_colour(0.9))]
    elif pen.colour == "scale":
        entries = [(f"1/{2 ** (level / 2):.3g}", scale_colour(2 ** (level / 2))) for level in range(0, MOST_SCALES, 2)]
    else:
        entries = [("adds", ORANGE), ("takes away", SKY), ("hardly counts", GRAY)]
    if pen.colour != "fate":
        entries.append((f"kept {kept}", END_POINT))
    if pen.dropped:
        entries.append((f"camera {_count_text(drawn.followed_camera_drawn, drawn.followed_camera)}", FOLLOWED_CAMERA))
    return entries


def _count_text(shown, count):
    """Return the count, or ``shown of count`` if not all are shown."""
    return f"{count:,}" if shown == count else f"{shown:,} of {count:,}"


def _map_colour(colormap, share):
    """Look a colour up in a map of OpenCV, at a ``share`` of its length."""
    shade = cv2.applyColorMap(np.full((1, 1), round(255 * min(max(share, 0.0), 1.0)), np.uint8), colormap)[0, 0]
    return tuple(int(channel) for channel in shade)
