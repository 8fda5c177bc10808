"""Detect corners and match them by the flow: the second kind of matches for the camera's motion.

Method: docs/method/extraction.md, section 4.3.

Source: Shi & Tomasi, CVPR 1994; Wang & Schmid, ICCV 2013, section 2.1.
"""

import numpy as np

from idt import checks
from idt.errors import DataError
from idt.imports.opencv import cv2
from idt.kernels import corners as kernel
from idt.steps import sampling

MOST_CORNERS = 1000
"""Largest number of corners of a frame; the strongest are taken."""

QUALITY = 0.001
"""Least texture of a corner, as a share of the strongest corner's."""


def detect(gray, mask=None, *, texture=None):
    """Detect the corners of a frame.

    Parameters
    ----------
    gray : (H, W) uint8
    mask : (H, W) uint8, optional
        0 where no corner may lie.
    texture : (H, W) float32, optional
        Texture of the frame from `sampling.texture`, if it was computed already.

    Returns
    -------
    (n, 2) float32
        Positions (x, y) in whole pixels, strongest first, at most 1000; none on the outermost pixels.

    Raises
    ------
    DataError
        If ``gray`` is not a 2-D uint8 image or another array does not have its size.

    Notes
    -----
    docs/method/extraction.md, section 4.3; Shi & Tomasi, CVPR 1994. The corners are the same as from
    ``cv2.goodFeaturesToTrack``, which cannot take a texture that is computed already.
    """
    gray = checks.gray_image(gray)
    texture = sampling.texture(gray) if texture is None else texture
    for name, array in (("mask", mask), ("texture", texture)):
        if array is not None and np.shape(array) != gray.shape:
            raise DataError(f"{name} must have shape {gray.shape}, got {checks.type_and_shape(array)}")
    strongest = float(texture.max() if mask is None else cv2.minMaxLoc(texture, mask=mask)[1])
    least = np.float32(QUALITY * max(strongest, 0))
    mask = np.empty((0, 0), np.uint8) if mask is None else np.ascontiguousarray(mask)
    height, width = gray.shape
    keys = np.empty(gray.size, np.int64)
    n_peaks = kernel.find_peaks(texture.view(np.int32), mask, least.view(np.int32), keys)
    found = np.empty((MOST_CORNERS, 2), np.float32)
    taken = np.zeros((height + 2 * kernel.REACH, width + 2 * kernel.REACH), np.uint8)
    return found[: kernel.keep_apart(np.sort(keys[:n_peaks]), taken, found)]


def match(previous, flow, mask=None, *, texture=None):
    """Match the corners of a frame to their positions after the flow.

    Parameters
    ----------
    previous : (H, W) uint8
        The earlier frame.
    flow : (H, W, 2) float32
        Flow from the earlier to the later frame.
    mask, texture
        As for `detect`.

    Returns
    -------
    source, target : (m, 2) float32
        Positions in the previous and in the current frame; at most 1000, strongest first.

    Raises
    ------
    DataError
        As `detect`, and if the flow is not of the frame's size.

    Notes
    -----
    docs/method/extraction.md, section 4.
    """
    previous = checks.gray_image(previous, "previous")
    if np.shape(flow) != (*previous.shape, 2):
        raise DataError(f"flow must have shape {(*previous.shape, 2)}, got {checks.type_and_shape(flow)}")
    source = detect(previous, mask, texture=texture)
    column, row = source.astype(np.int64).T
    return source, source + flow[row, column]
