"""The texts that describe grids of cells and sizes of sub-volumes, as options of the command line give them."""

import math
from typing import NamedTuple

from idt.errors import DataError

WHOLE_VIDEO = "1x1x1"
"""The grid of one cell."""

MOST_CELLS = 4096
"""Largest number of cells of a pyramid. Each has a vector of its own, and most cells of a finer pyramid are empty."""

MOST_PARTS = 100
"""Largest number by which a sub-volume divides a frame's width or height; a smaller sub-volume holds no track."""


class Volume(NamedTuple):
    """Size of a sub-volume: 1/``width`` and 1/``height`` of the frame, and ``frames``."""

    width: int
    height: int
    frames: int


def pyramid_grids(text):
    """Parse the grids of a pyramid: the ``text`` 1x1x1,1x3x1 is ((1, 1, 1), (1, 3, 1)), each (columns, rows, times).

    Raises
    ------
    DataError
        If the text is no list of different grids, or the grids together have more cells than `MOST_CELLS`.
    """
    grids = _triples(text)
    if grids is None:
        raise DataError(
            f"pyramid must be different grids of columns x rows x times such as 1x1x1,1x3x1,1x1x2, got {text!r:.80}"
        )
    cells = sum(map(math.prod, grids))
    if cells > MOST_CELLS:
        raise DataError(
            f"pyramid must have at most {MOST_CELLS} cells in all, for each has a vector of its own, got {cells} of"
            f" {text!r:.80}; use coarser grids"
        )
    return grids


def volume_sizes(text):
    """Parse a ``text`` of sizes of sub-volumes, such as 2x2x60,3x3x30, into a tuple of `Volume`.

    Raises
    ------
    DataError
        If the text is no list of different sizes, a number of frames is odd, or a width or height is below
        1/`MOST_PARTS` of the frame.
    """
    sizes = _triples(text)
    if sizes is None or any(frames % 2 for _, _, frames in sizes):
        raise DataError(
            f"volumes must be different sizes such as 2x2x60,3x3x30, with an even number of frames, got {text!r:.80}"
        )
    if any(max(width, height) > MOST_PARTS for width, height, _ in sizes):
        raise DataError(
            f"volumes must be at least 1/{MOST_PARTS} of the frame wide and high, for smaller ones hold no tracks, got"
            f" {text!r:.80}"
        )
    return tuple(Volume(*size) for size in sizes)


def _triples(text):
    """Parse a list of different triples of whole numbers from 1 to 9999; return None for any other text."""
    if not isinstance(text, str):
        return None
    triples = []
    for part in text.split(","):
        counts = [count.strip() for count in part.split("x")]
        if len(counts) != 3 or not all(count.isdecimal() and len(count) < 5 and int(count) > 0 for count in counts):
            return None
        triples.append(tuple(int(count) for count in counts))
    return tuple(triples) if len(set(triples)) == len(triples) else None
