"""Flow from the motion vectors of a video codec, one displacement for each block of pixels.

Method: docs/method/extraction.md, section 3.10.

The displacements are interpolated bilinearly between the centres of the blocks, at every scale by itself. The camera's
motion is fitted to matches on a grid and subtracted from the displacements of the blocks.

Source: Kantorov & Laptev, CVPR 2014.
"""

import functools
from typing import NamedTuple

import numpy as np

from idt.imports.opencv import cv2
from idt.steps.camera import WARP_BORDER, inverse_of
from idt.steps.pyramid import resize

BLOCK = 16
"""Pixels to a side of a codec's block."""

COARSE = 4
"""Spacing in pixels of the flow's vectors at a frame whose tracks are moved but not described."""

LEAST_GRID_STEP, MOST_GRID_POINTS = 8, 20
"""Least distance of the matches in pixels, and about the largest number of matches along the longer side."""


class Blocks(NamedTuple):
    """Flow of a frame with one displacement for each block.

    Attributes
    ----------
    field : (rows, columns, 2) float32
        Displacement (x, y) of each block, in pixels of the frame.
    side : float
        Side of a block in pixels of the frame. The last row and column of blocks may reach beyond the frame.
    """

    field: np.ndarray
    side: float


def at_scales(blocks, levels, *, spacing=1):
    """Interpolate the flow of blocks at every scale.

    Parameters
    ----------
    blocks : Blocks
    levels : list of Scale
        The first has the size of the frame.
    spacing : int
        Spacing of the vectors in pixels of the scale, in x and in y.

    Returns
    -------
    list of (⌈h / spacing⌉, ⌈w / spacing⌉, 2) float32
        In pixels of each scale, finest first.
    """
    planes = np.ascontiguousarray(blocks.field.transpose(2, 0, 1))
    _, rows, columns = planes.shape
    finest, fields = levels[0], []
    for level in levels:
        inside = -(-level.height // spacing), -(-level.width // spacing)
        height = max(inside[0], round(rows * blocks.side * level.height / finest.height / spacing))
        width = max(inside[1], round(columns * blocks.side * level.width / finest.width / spacing))
        whole = resize(planes, np.empty((2, height, width), np.float32), factor=1 / level.factor)
        fields.append(np.ascontiguousarray(whole[:, : inside[0], : inside[1]]).transpose(1, 2, 0))
    return fields


def spacing_of(field, size):
    """Return the spacing of a flow's vectors in pixels of the scale, in x and in y.

    Parameters
    ----------
    field : (h, w, 2) float32
        As from `at_scales`.
    size : (int, int)
        Height and width of the scale.

    Returns
    -------
    int
        1 or `COARSE`.
    """
    return 1 if field.shape[:2] == size else COARSE


def match(field, shape, mask=None):
    """Match points of a grid to their positions after the flow.

    Parameters
    ----------
    field : (h, w, 2) float32
        Flow of the finest scale, as from `at_scales`.
    shape : (int, int)
        Height and width of the frame.
    mask : (H, W) uint8, optional
        0 where no match may begin.

    Returns
    -------
    source, target : (m, 2) float32
        Positions in the previous and in the current frame, row by row.
    """
    spacing = spacing_of(field, shape)
    row, column = _grid(shape)
    if mask is not None:
        free = mask[row, column] > 0
        row, column = row[free], column[free]
    source = np.stack([column, row], axis=1).astype(np.float32)
    return source, source + field[row // spacing, column // spacing]


@functools.lru_cache
def _grid(shape):
    """Return the rows and columns of the points that are matched."""
    height, width = shape
    step = max(LEAST_GRID_STEP, max(height, width) // MOST_GRID_POINTS)
    return tuple(grid.ravel() for grid in np.mgrid[step // 2 : height : step, step // 2 : width : step])


def subtract_motion(blocks, homography, width, height):
    """Subtract the camera's motion from the flow of blocks.

    Parameters
    ----------
    blocks : Blocks
    homography : (3, 3) float64
        Carries the earlier frame into the later.
    width, height : int
        Size of the frame.

    Returns
    -------
    Blocks
        H⁻¹(p + flow[p]) − p at the centre p of each block; zero where the motion leads within 5 px of the border.

    Notes
    -----
    A homography without an inverse leaves the flow as it is.
    """
    inverse = inverse_of(homography)
    if inverse is None:
        return blocks
    centres = _centres(*blocks.field.shape[:2], blocks.side)
    remaining = cv2.perspectiveTransform(centres + blocks.field, inverse) - centres
    # Near the border a centre would fail the test even if the camera stood still. The nearest point that would not fail
    # is tested in its place.
    last = np.array([width, height], np.float32) - (WARP_BORDER + 2)
    moved = cv2.perspectiveTransform(np.clip(centres, WARP_BORDER + 1, last), homography)
    remaining[~((moved > WARP_BORDER) & (moved < last + 1)).all(axis=2)] = 0
    return blocks._replace(field=remaining)


@functools.lru_cache
def _centres(rows, columns, side):
    """Return the centres (x, y) of all blocks, (rows, columns, 2) float32."""
    centres = np.empty((rows, columns, 2), np.float32)
    centres[..., 0] = (np.arange(columns) + 0.5) * side - 0.5
    centres[..., 1] = ((np.arange(rows) + 0.5) * side - 0.5)[:, None]
    return centres
