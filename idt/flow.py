"""Dense optical flow between two frames (spec 3): Farnebäck's method as the release varies it.

Around each pixel both frames are approximated by quadratics (`expand`). If the second is the first moved by d, then
A·d = b with A the mean of the quadratic parts and b half the difference of the linear ones plus A·d_0, d_0 being the
flow so far. This is solved in the least-squares sense over a Gaussian window, two times a scale, from the coarsest
scale to the finest (`between`); a 5×5 median closes each scale.

The expansion of a frame serves two pairs: as the second image of one and the first of the next. Make it once.

Source: Farnebäck, "Two-frame motion estimation based on polynomial expansion", SCIA 2003.
"""

from typing import NamedTuple

import cv2
import numpy as np

from idt import arrays
from idt.errors import DataError
from idt.kernels import expansion as expansion_kernel
from idt.kernels import flow as flow_kernel
from idt.pyramid import RATIO, Scale, scales

ITERATIONS = 2
MEDIAN = 5
BORDER_DAMPING = np.array([0.14, 0.14, 0.4472, 0.4472, 0.4472], np.float32)


class Expansion(NamedTuple):
    """Quadratic coefficients of one frame at every scale, finest first.

    Attributes
    ----------
    levels : list of Scale
    planar : list of (5, h, w) float32
        Coefficients of x, y, x², y² and xy.
    interleaved : list of (h, w, 8) float32
        The same five by pixel, then three zeros.
    """

    levels: list[Scale]
    planar: list[np.ndarray]
    interleaved: list[np.ndarray]


def expand(gray, levels=None):
    """Approximate a frame by a quadratic around every pixel of every scale.

    Parameters
    ----------
    gray : (H, W) uint8
    levels : list of Scale, optional
        Those of `pyramid.scales` with its defaults if not given.

    Returns
    -------
    Expansion

    Raises
    ------
    DataError
        If ``gray`` is not a 2-D uint8 image, or a scale of it less than 2 px wide or high.

    Notes
    -----
    Spec 3. Each scale is made from the blurred full frame, not from the scale above; even the first is blurred.
    """
    gray = arrays.gray_image(gray)
    levels = scales(*gray.shape) if levels is None else levels
    if min(min(level.height, level.width) for level in levels) < 2:
        # Bilinear sampling reads the pixel to the right and the one below, even where these weigh nothing.
        raise DataError(f"a frame must be at least 2x2 px at every scale, got {gray.shape[1]}x{gray.shape[0]} px")
    frame = gray.astype(np.float32)
    planar, interleaved = [], []
    for level in levels:
        image = _smooth(frame, level)
        padded = cv2.copyMakeBorder(
            image, expansion_kernel.RADIUS, expansion_kernel.RADIUS, 0, 0, borderType=cv2.BORDER_REPLICATE
        )
        planar.append(np.empty((5, level.height, level.width), np.float32))
        interleaved.append(np.empty((level.height, level.width, 8), np.float32))
        expansion_kernel.expand(padded, planar[-1], interleaved[-1])
    return Expansion(levels, planar, interleaved)


def between(first, second):
    """Flow from one frame to another, at every scale.

    Parameters
    ----------
    first, second : Expansion
        Of frames of the same size.

    Returns
    -------
    list of (h, w, 2) float32
        Displacement (x, y) in pixels of the scale, finest first: the content of ``first`` at p is found in
        ``second`` at p + flow[p].

    Raises
    ------
    DataError
        If the frames differ in size or in their scales.

    Notes
    -----
    Spec 3. The filtered field of a scale is its result and the start of the finer one.
    """
    if first.levels != second.levels:
        sizes = [f"{e.levels[0].width}x{e.levels[0].height} px at {len(e.levels)} scales" for e in (first, second)]
        raise DataError(f"first and second must have the same scales, got {sizes[0]} and {sizes[1]}")
    fields = []
    field = None
    for level, planar, interleaved in zip(
        first.levels[::-1], first.planar[::-1], second.interleaved[::-1], strict=True
    ):
        field = _start(field, level)
        damping_x, damping_y = _damping(level.width), _damping(level.height)
        for _ in range(ITERATIONS):
            flow_kernel.iterate(planar, interleaved.ravel(), field, damping_x, damping_y)
        for c in range(2):
            field[c] = cv2.medianBlur(field[c], MEDIAN)
        fields.append(np.moveaxis(field, 0, 2))
    return fields[::-1]


def _smooth(frame, level):
    """The frame blurred for a scale and resized to it."""
    sigma = (level.factor - 1) / 2
    size = max(3, round(5 * sigma) | 1)
    # With σ = 0 OpenCV takes a kernel of 3 to be [1 2 1] / 4: the first scale is blurred too, as in the release.
    blurred = cv2.GaussianBlur(frame, (size, size), sigma, borderType=cv2.BORDER_REFLECT_101)
    return cv2.resize(blurred, (level.width, level.height), interpolation=cv2.INTER_LINEAR)


def _start(coarser, level):
    """Planar flow (2, h, w) at which a scale starts: zero at the coarsest, else the coarser flow carried over."""
    field = np.zeros((2, level.height, level.width), np.float32)
    if coarser is not None:
        for c in range(2):
            cv2.resize(coarser[c], (level.width, level.height), dst=field[c], interpolation=cv2.INTER_LINEAR)
        field *= RATIO
    return field


def _damping(size):
    """Weight of the pixels along an axis: the five at either end count less (spec 3, border damping)."""
    weight = np.ones(size, np.float32)
    reach = min(size, len(BORDER_DAMPING))
    weight[:reach] = BORDER_DAMPING[:reach]
    weight[size - reach :] *= BORDER_DAMPING[:reach][::-1]
    return weight
