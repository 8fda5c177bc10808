"""Compute the descriptors of one step of the tracks: HOG, HOF, MBHx and MBHy of the patch around each point.

Method: docs/method/extraction.md, section 7.

A patch of N×N pixels is divided into cells. Every pixel adds a vector to its cell's histogram. The length of the vector
is shared between the two nearest of eight directions. The vectors are the gray gradient (HOG), the flow (HOF, whose
ninth bin counts vectors of at most 0.4 px), and the gradients of the flow's x and y components (MBHx, MBHy).

Source: Dalal & Triggs, CVPR 2005; Dalal, Triggs & Schmid, ECCV 2006; Wang et al., IJCV 2013, section 3.3.
"""

import numpy as np

from idt import checks
from idt.errors import DataError, short_repr
from idt.kernels import histograms as kernel

_NORMS = {"none": 0, "rootl1": 1, "l2": 2}


def describe(gray, flow, points, *, patch=32, cells=2, local_norm="rootl1"):
    """Compute the histograms of the patches around points.

    Parameters
    ----------
    gray : (H, W) uint8
        One level of the gray pyramid.
    flow : (H, W, 2) float32
        Its flow, in pixels of the level.
    points : (n, 2) float32
        Positions (x, y) in pixels of the level. A patch is placed at round(position) − N/2 and moved into the image.
    patch : int
        Side of the patch ("N").
    cells : int
        Cells in x and in y; each is patch // cells wide.
    local_norm : {"rootl1", "l2", "none"}
        Normalisation of each block (HOG, HOF, MBHx, MBHy) of a patch: "rootl1", division by the sum, then a square
        root; "l2", division by the Euclidean length; "none".

    Returns
    -------
    (n, 33 · cells²) float32
        HOG, HOF, MBHx and MBHy in this order; in each of them cells x outer, y inner, bins innermost.

    Raises
    ------
    DataError
        If an array has the wrong shape or dtype, the patch does not fit into the image or the cells into the patch,
        or the normalisation is unknown.

    Notes
    -----
    docs/method/extraction.md, section 7. Before the normalisation 0.05 is added to every bin.
    """
    points = checks.float_array(points, (None, 2), "points")
    rows = np.arange(len(points), dtype=np.int32)
    sums = np.zeros((len(rows), max(cells, 0) ** 2 * kernel.CHANNELS), np.float32)
    accumulate(gray, flow, points, sums, rows, patch=patch, cells=cells, local_norm=local_norm)
    return sums


def accumulate(gray, flow, points, sums, rows, *, patch=32, cells=2, local_norm="rootl1"):
    """Add the histograms of the patches around points to sums, as `describe` without an intermediate array.

    Parameters
    ----------
    gray, flow, points, patch, cells, local_norm
        As for `describe`, but the points are not checked for finiteness.
    sums : (m, 33 · cells²) float32
        Changed in place.
    rows : (n,) int32
        The row of ``sums`` that each point's histograms are added to, or −1 for a point that is passed over.

    Raises
    ------
    DataError
        As for `describe`, or if ``sums`` and ``rows`` have the wrong shape or dtype, or a row lies beyond the sums.
    """
    gray = checks.gray_image(gray)
    height, width = gray.shape
    if not isinstance(flow, np.ndarray) or flow.shape != (height, width, 2) or flow.dtype != np.float32:
        raise DataError(f"flow must be float32 of shape {(height, width, 2)}, got {checks.type_and_shape(flow)}")
    points = checks.checked_points(points, "points")
    if patch > min(height, width):
        raise DataError(f"a patch of {patch} px does not fit into an image of {width}x{height} px; use a smaller patch")
    if not 1 <= cells <= patch:
        raise DataError(f"cells must be between 1 and the patch's {patch} px, got {cells}")
    if local_norm not in _NORMS:
        raise DataError(f"local_norm must be one of {', '.join(_NORMS)}, got {short_repr(local_norm)}")
    size = cells * cells * kernel.CHANNELS
    if sums.dtype != np.float32 or sums.shape != (len(sums), size) or not sums.flags.c_contiguous:
        raise DataError(f"sums must be contiguous float32 of shape (m, {size}), got {checks.type_and_shape(sums)}")
    fit = rows.dtype == np.int32 and rows.shape == (len(points),)
    # `flow.between` stores the flow as planes; then this makes no copy.
    planes = np.ascontiguousarray(flow.transpose(2, 0, 1))
    rows = np.ascontiguousarray(rows)
    if not fit or not kernel.accumulate(gray, planes, points, rows, patch, cells, _NORMS[local_norm], sums):
        expected = f"int32, an index below {len(sums)} for each point"
        raise DataError(f"rows must be {expected}, got {checks.type_and_shape(rows)}")
