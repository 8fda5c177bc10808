"""Sample new tracks: textured points of a regular grid that no live track occupies.

Method: docs/method/extraction.md, section 5.

Source: Wang & Schmid, ICCV 2013, section 2; the criterion is that of Shi & Tomasi, CVPR 1994.
"""

import numpy as np

from idt import checks
from idt.kernels import sampling as kernel
from idt.kernels import texture as texture_kernel


def texture(gray):
    """Compute the texture around every pixel.

    Parameters
    ----------
    gray : (H, W) uint8

    Returns
    -------
    (H, W) float32
        Smaller eigenvalue of the structure tensor over 3×3 pixels, Sobel gradients of 3×3.

    Raises
    ------
    DataError
        If ``gray`` is not a 2-D uint8 image.
    """
    gray = checks.gray_image(gray)
    out = np.empty(gray.shape, np.float32)
    texture_kernel.texture(gray, out)
    return out


def textured_cells(texture, *, stride=5, quality=0.001):
    """Find the grid cells of one level whose centre has texture.

    Parameters
    ----------
    texture : (H, W) float32
        As from `texture`.
    stride : int
        Side of a cell in pixels ("W").
    quality : float
        A centre has texture if its smaller eigenvalue exceeds ``quality`` × the level's largest.

    Returns
    -------
    (H // stride, W // stride) bool

    Notes
    -----
    docs/method/extraction.md, section 5.
    """
    rows, columns = texture.shape[0] // stride, texture.shape[1] // stride
    centres = texture[stride // 2 :: stride, stride // 2 :: stride][:rows, :columns]
    return centres > np.float32(quality * float(texture.max()))


def sample_points(textured, live, *, stride=5):
    """Return the centres of the textured cells that no live track occupies.

    Parameters
    ----------
    textured : (rows, columns) bool
        As from `textured_cells`.
    live : (n, 2) float32
        Current positions (x, y) of the level's tracks, in pixels of the level; one that is not finite occupies none.
    stride : int
        Side of a cell in pixels ("W").

    Returns
    -------
    (m, 2) float32
        New points (x, y), row by row. Empty if nothing is textured and free.

    Raises
    ------
    DataError
        If ``live`` is not of that shape or type, or not contiguous.

    Notes
    -----
    docs/method/extraction.md, section 5. Tracks beyond the last whole cell occupy none, as in the release.
    """
    live = checks.checked_points(live, "live")
    points = np.empty((textured.size, 2), np.float32)
    return points[: kernel.free_centres(textured.copy(), live, stride, points)]
