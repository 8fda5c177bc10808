"""The vectors of a codec's blocks as a field of flow: on the grid of the blocks, without holes, at full resolution."""

import numpy as np

from idt.imports.opencv import cv2

BLOCK = 16
"""Pixels to a side of a block."""


def block_field(vectors, rows, columns):
    """Put motion vectors on the grid of their blocks.

    Parameters
    ----------
    vectors : structured array or None
        As PyAV gives them; those that point to a later frame are left out.
    rows, columns : int
        Blocks of a frame. Smaller blocks within one are averaged, each with its area as its weight.

    Returns
    -------
    field : (rows, columns, 2) float32
        Flow (x, y) in pixels; 0 where there is none.
    known : (rows, columns) bool
        Where there is a vector.
    """
    total, area = np.zeros((rows, columns, 2), np.float64), np.zeros((rows, columns), np.int64)
    if vectors is not None:
        back = vectors[(vectors["source"] < 0) & (vectors["motion_scale"] > 0)]
        moved = np.stack([back["motion_x"], back["motion_y"]], axis=1) / back["motion_scale"][:, None]
        # A centre may lie beyond the last block where the codec's blocks are larger than the frame.
        row = np.clip(back["dst_y"] // BLOCK, 0, rows - 1)
        column = np.clip(back["dst_x"] // BLOCK, 0, columns - 1)
        pixels = back["w"].astype(np.int64) * back["h"]
        np.add.at(total, (row, column), -moved * pixels[:, None])
        np.add.at(area, (row, column), pixels)
    known = area > 0
    return (total / np.maximum(area, 1)[..., None]).astype(np.float32), known


def fill(field, known):
    """Give blocks without a vector the mean of their neighbours, ring by ring.

    Parameters
    ----------
    field : (rows, columns, 2) float32
    known : (rows, columns) bool

    Returns
    -------
    (rows, columns, 2) float32
        0 everywhere if nothing is known.
    """
    field, known = field.copy(), known.copy()
    field[~known] = 0
    while not known.all() and known.any():
        weight = cv2.boxFilter(known.astype(np.float32), -1, (3, 3), normalize=False, borderType=cv2.BORDER_CONSTANT)
        total = cv2.boxFilter(field, -1, (3, 3), normalize=False, borderType=cv2.BORDER_CONSTANT)
        new = ~known & (weight > 0.5)
        field[new] = total[new] / weight[new][:, None]
        known |= new
    return field


def upsampled(field, height, width):
    """Interpolate the field of the blocks between their centres.

    Parameters
    ----------
    field : (rows, columns, 2) float32
    height, width : int
        Of the frame.

    Returns
    -------
    (height, width, 2) float32
    """
    whole = cv2.resize(field, (field.shape[1] * BLOCK, field.shape[0] * BLOCK), interpolation=cv2.INTER_LINEAR)
    return np.ascontiguousarray(whole[:height, :width])
