"""Space-time cells: their size, its bounds and defaults."""

from idt.params.bounds import Bounds

GRID = (8, 6)
"""Columns and rows of cells."""

LENGTH = 15
"""Frames of a cell."""

# Bounds of the number of columns and of rows, and of the frames of a cell.
GRID_BOUNDS = Bounds(1, 256, "a cell is larger than a patch")
LENGTH_BOUNDS = Bounds(1, 10_000, "a cell is shorter than an action")
