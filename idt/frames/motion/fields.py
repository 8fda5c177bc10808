"""Convert the motion vectors of a codec into a field of flow on the grid of blocks, without holes."""

import numpy as np

from idt.imports.opencv import cv2
from idt.steps.block_flow import BLOCK


def block_field(vectors, rows, columns):
    """Put motion vectors on the grid of their blocks.

    Parameters
    ----------
    vectors : structured array or None
        As PyAV gives them; vectors that point to a later frame are left out.
    rows, columns : int
        Blocks of a frame. Smaller blocks within one are averaged, each with its area as its weight.

    Returns
    -------
    field : (rows, columns, 2) float32
        Flow (x, y) in pixels; 0 where there is none.
    known : (rows, columns) bool
        Where there is a vector.
    """
    field = np.zeros((rows, columns, 2), np.float32)
    if vectors is None:
        return field, np.zeros((rows, columns), bool)
    is_used = (vectors["source"] < 0) & (vectors["motion_scale"] > 0)
    # A copy of the vectors would take half of the time, and P-frames need none.
    backward = vectors if is_used.all() else vectors[is_used]
    # A centre may lie beyond the last block where the codec's blocks are larger than the frame.
    row = np.minimum(np.maximum(backward["dst_y"], 0) // BLOCK, rows - 1)
    column = np.minimum(np.maximum(backward["dst_x"], 0) // BLOCK, columns - 1)
    block, pixels = row * np.int64(columns) + column, backward["w"] * np.float64(backward["h"])
    area = np.bincount(block, pixels, rows * columns)
    weight = -pixels / backward["motion_scale"]
    for axis, name in enumerate(("motion_x", "motion_y")):
        total = np.bincount(block, weight * backward[name], rows * columns)
        field[..., axis] = (total / np.maximum(area, 1)).reshape(rows, columns)
    return field, (area > 0).reshape(rows, columns)


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
