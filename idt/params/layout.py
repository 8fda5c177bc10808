"""Names, sizes and columns of the descriptor blocks: the only place where 30, 96, 108 and 436 come from.

A row of the release (docs/method/extraction.md, section 9) is ten numbers about the track, then the five blocks in the
order of `DESCRIPTORS`.
"""

import re

ORIENTATIONS = 8
"""Bins of HOG, MBHx and MBHy; HOF has one more, for vectors too short to have a direction."""

DESCRIPTORS = ("trajectory", "hog", "hof", "mbhx", "mbhy")
HISTOGRAMS = ("hog", "hof", "mbhx", "mbhy")

INFO_COLUMNS = 10
"""Frame, mean x, mean y, σx, σy, length, scale, and the position x, y, t of the track.

Method: docs/method/extraction.md, section 9.
"""


NETWORK_BLOCK = re.compile(r"[A-Za-z0-9]+(?:_[A-Za-z0-9]+)+")
"""Name of a block that networks give: its underscore tells it from ours (docs/method/networks.md, section 7)."""


def step_sizes(cells):
    """Return how many numbers one step of a track has in each histogram of ``cells`` × ``cells`` cells.

    Returns
    -------
    dict of str to int
        ``{"hog": 32, "hof": 36, "mbhx": 32, "mbhy": 32}`` for 2×2 cells.
    """
    return {name: cells * cells * (ORIENTATIONS + (name == "hof")) for name in HISTOGRAMS}


def block_sizes(length=15, cells=2, time_cells=3):
    """Return the number of columns of each descriptor block: 30, 96, 108, 96 and 96 by default.

    A track has ``length`` steps and ``time_cells`` cells in time, a patch ``cells`` × ``cells`` cells.
    """
    return {"trajectory": 2 * length, **{name: time_cells * size for name, size in step_sizes(cells).items()}}


def block_columns(sizes):
    """Return the slice of each block in a row of the release.

    Parameters
    ----------
    sizes : dict of str to int
        As from `block_sizes`.

    Returns
    -------
    dict of str to slice
        The last one stops at 436 by default.
    """
    columns, first = {}, INFO_COLUMNS
    for name in DESCRIPTORS:
        columns[name] = slice(first, first + sizes[name])
        first += sizes[name]
    return columns


def row_length(sizes):
    """Return the length of a row of the release, 436 by default, from the ``sizes`` of its blocks."""
    return INFO_COLUMNS + sum(sizes[name] for name in DESCRIPTORS)
