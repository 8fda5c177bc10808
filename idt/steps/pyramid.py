"""Compute the scales of a video and its gray pyramid (docs/method/extraction.md, section 2)."""

from typing import NamedTuple

import numpy as np

from idt import checks
from idt.imports.opencv import cv2
from idt.kernels import resize as kernel

RATIO = np.float32(np.sqrt(2))


class Scale(NamedTuple):
    """One level of the pyramid.

    Attributes
    ----------
    factor : float
        f_s: full-resolution pixels per pixel of this level, 1 for the first. Accumulated in float32 as in the
        release, so the fifth is 3.9999995.
    height, width : int
    """

    factor: float
    height: int
    width: int


def scales(height, width, *, patch=32, most=8):
    """Compute the sizes of the levels, finest first.

    Parameters
    ----------
    height, width : int
        Size of the frames in pixels.
    patch : int
        The shorter side is divided by √2 for as long as it holds a patch ("N").
    most : int
        Largest number of levels; there is always at least one.

    Returns
    -------
    list of Scale

    Notes
    -----
    docs/method/extraction.md, section 2.
    """
    levels: list[Scale] = []
    factor, side = np.float32(1), np.float32(min(height, width))
    while not levels or (side >= patch and len(levels) < most):
        levels.append(Scale(float(factor), round(float(height / factor)), round(float(width / factor))))
        factor, side = factor * RATIO, side / RATIO
    return levels


def gray_pyramid(gray, levels):
    """Resize the frame to every level, each bilinearly from the finer one.

    Parameters
    ----------
    gray : (H, W) uint8
    levels : list of Scale
        As from `scales`.

    Returns
    -------
    list of (h, w) uint8

    Raises
    ------
    DataError
        If ``gray`` is not a 2-D uint8 image.

    Notes
    -----
    docs/method/extraction.md, section 2. The flow has a pyramid of its own, made from the full frame
    (docs/method/extraction.md, section 3.1).
    """
    pyramid = [checks.gray_image(gray)]
    for level in levels[1:]:
        pyramid.append(cv2.resize(pyramid[-1], (level.width, level.height), interpolation=cv2.INTER_LINEAR))
    return pyramid


def resize(planes, out, *, factor=1.0):
    """Resize float images bilinearly, as ``cv2.resize``.

    Parameters
    ----------
    planes : (n, h, w) float32
    out : (n, H, W) float32, contiguous
        Receives the resized images.
    factor : float
        Factor that every value is multiplied by.

    Returns
    -------
    (n, H, W) float32
        ``out``.

    Notes
    -----
    OpenCV's function is not called, because it has a high fixed cost on small images.
    """
    _, height, width = planes.shape
    kernel.resize(planes.reshape(-1), height, width, np.float32(factor), *out.shape[1:], out.reshape(-1))
    return out
