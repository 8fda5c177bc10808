"""Space-time cells: their size, its bounds and defaults."""

from idt.params.bounds import Bounds

GRID = (8, 6)
"""Columns and rows of cells."""

LENGTH = 15
"""Frames of a cell."""

# Bounds of the columns and rows, and of the frames.
SIDE = Bounds(1, 256, "a cell is larger than a patch")
FRAMES = Bounds(1, 10_000, "a cell is shorter than an action")
