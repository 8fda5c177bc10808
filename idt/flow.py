"""Dense optical flow between two frames (spec 3): Farnebäck's method as the release varies it.

Around each pixel both frames are approximated by quadratics (`expand`). If the second is the first moved by d, then
A·d = b with A the mean of the quadratic parts and b half the difference of the linear ones plus A·d_0, d_0 being the
flow so far. This is solved in the least-squares sense over a Gaussian window, two times a scale, from the coarsest
scale to the finest (`between`); a 5×5 median closes each scale.

The expansion of a frame serves two pairs: as the second image of one and the first of the next. Make it once.

Source: Farnebäck, "Two-frame motion estimation based on polynomial expansion", SCIA 2003.
"""

import math
from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np

from idt import arrays
from idt.errors import DataError
from idt.kernels import expansion as expansion_kernel
from idt.kernels import flow as flow_kernel
from idt.kernels import median as median_kernel
from idt.pyramid import RATIO, Scale, resize, scales

ITERATIONS = 2
LANES = 8
"""Numbers that the kernels take at once."""
DIS_SMALLEST = 16
"""Shorter side in pixels of the smallest frame that dense inverse search takes."""
BORDER_DAMPING = np.array([0.14, 0.14, 0.4472, 0.4472, 0.4472], np.float32)


class Expansion(NamedTuple):
    """Quadratic coefficients of one frame at every scale, finest first.

    Attributes
    ----------
    levels : list of Scale
    planar : list of (5, h, w) float32 or None
        Coefficients of x, y, x², y² and xy, which the first of two frames is read by; None at the scales that were left
        out, and at all if the frame is to be the second only.
    interleaved : list of (h, w, 5) float32 or None
        The same by pixel, for the second, None likewise; the kernels read three numbers beyond the end, so these arrays
        are views of longer ones.
    """

    levels: list[Scale]
    planar: list
    interleaved: list

    def as_first(self):
        """Without what only the second of two frames needs: half the memory."""
        return self._replace(interleaved=[None] * len(self.levels))


def expand(gray, levels=None, *, finest=0, second_only=False):
    """Approximate a frame by a quadratic around every pixel of every scale.

    Parameters
    ----------
    gray : (H, W) uint8
    levels : list of Scale, optional
        Those of `pyramid.scales` with its defaults if not given.
    finest : int
        First scale that is expanded; `between` carries its flow over to the finer ones. The coarsest always is.
    second_only : bool
        Leave out ``planar``: this frame will be the second of two, never the first.

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
    finest = min(finest, len(levels) - 1)
    planar: list = [None] * finest
    interleaved: list = [None] * finest
    for level in levels[finest:]:
        by_plane = np.empty((5, 1 if second_only else level.height, level.width), np.float32)
        interleaved.append(_roomy((level.height, level.width, 5)))
        expansion_kernel.expand(
            _smooth(frame, level), level.height, level.width, by_plane.reshape(-1), interleaved[-1].reshape(-1)
        )
        planar.append(None if second_only else by_plane)
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
        If the frames differ in size or in their scales, or one lacks what its place needs.

    Notes
    -----
    Spec 3. The filtered field of a scale is its result and the start of the finer one.
    """
    if first.levels != second.levels:
        sizes = [f"{e.levels[0].width}x{e.levels[0].height} px at {len(e.levels)} scales" for e in (first, second)]
        raise DataError(f"first and second must have the same scales, got {sizes[0]} and {sizes[1]}")
    if first.planar[-1] is None or second.interleaved[-1] is None:
        raise DataError("first must not be expanded with second_only, nor second reduced by as_first")
    fields: list[np.ndarray] = []
    coarser = None
    for s in range(len(first.levels) - 1, -1, -1):
        field = _start(coarser, first.levels[s])
        if second.interleaved[s] is not None:
            _iterate(first.planar[s], second.interleaved[s], field)
            field = _filter(field)
        fields.append(field.transpose(1, 2, 0))
        coarser = field
    return fields[::-1]


def dis(previous, current, levels=None):
    """Flow by dense inverse search, computed at full resolution and carried over to the coarser scales.

    Parameters
    ----------
    previous, current : (H, W) uint8
    levels : list of Scale, optional
        As for `expand`.

    Returns
    -------
    list of (h, w, 2) float32
        As of `between`.

    Raises
    ------
    DataError
        If a frame is not a 2-D uint8 image or they differ in size.

    Notes
    -----
    Kroeger et al., "Fast optical flow using dense inverse search", ECCV 2016: OpenCV's, its fast preset. Not the
    release's flow: for speed.
    """
    previous, current = arrays.gray_image(previous, "previous"), arrays.gray_image(current, "current")
    if previous.shape != current.shape:
        raise DataError(f"previous and current must have one size, got {previous.shape} and {current.shape}")
    levels = scales(*previous.shape) if levels is None else levels
    if min(previous.shape) < DIS_SMALLEST:
        raise DataError(
            f"flow=dis needs frames of at least {DIS_SMALLEST} px, got {current.shape[1]}x{current.shape[0]} px"
        )
    whole = cv2.DISOpticalFlow.create(cv2.DISOpticalFlow_PRESET_FAST).calc(previous, current, None)  # type: ignore[call-overload]  # a new field
    field = np.ascontiguousarray(whole.transpose(2, 0, 1))
    fields = [field.transpose(1, 2, 0)]
    for level in levels[1:]:
        field = resize(field, np.empty((2, level.height, level.width), np.float32), factor=1 / RATIO)
        fields.append(field.transpose(1, 2, 0))
    return fields


def _start(coarser, level):
    """Planar flow (2, h, w) at which a scale starts: zero at the coarsest, else the coarser flow carried over."""
    field = _roomy((2, level.height, level.width))
    if coarser is None:
        field[:] = 0
        return field
    return resize(coarser, field, factor=RATIO)


def _smooth(frame, level):
    """The frame blurred for a scale and resized to it, flat, with seven rows replicated at either end."""
    sigma = (level.factor - 1) / 2
    size = max(3, round(5 * sigma) | 1)
    radius = expansion_kernel.RADIUS
    padded = _roomy((level.height + 2 * radius, level.width))
    image = padded[radius:-radius]
    # With σ = 0 OpenCV takes a kernel of 3 to be [1 2 1] / 4: the first scale is blurred too, as in the release.
    if image.shape == frame.shape:
        cv2.GaussianBlur(frame, (size, size), sigma, dst=image, borderType=cv2.BORDER_REFLECT_101)
    else:
        resize(cv2.GaussianBlur(frame, (size, size), sigma, borderType=cv2.BORDER_REFLECT_101)[None], image[None])
    padded[:radius] = image[0]
    padded[-radius:] = image[-1]
    return padded.reshape(-1)


def _iterate(planar, interleaved, field):
    """Improve a field in place, as often as the specification says."""
    _, height, width = field.shape
    if width < LANES:
        planar = _roomy(planar.shape, planar)
    damping_x, damping_y = _damping(width, -(-width // LANES) * LANES), _damping(height, height)
    flow_kernel.iterate(planar.reshape(-1), interleaved.reshape(-1), field, damping_x, damping_y, ITERATIONS)


def _filter(field):
    """The median of each component, (2, h, w)."""
    filtered = np.empty_like(field)
    median_kernel.median(field, filtered)
    return filtered


def _roomy(shape, values=None):
    """A new array that the kernels may read a vector beyond its end, where they find anything."""
    size = math.prod(shape)
    flat = np.empty(size + LANES, np.float32)
    flat[size:] = 0
    array = flat[:size].reshape(shape)
    if values is not None:
        array[:] = values
    return array


@lru_cache(maxsize=64)
def _damping(size, columns):
    """Weight of the pixels along an axis: the five at either end count less (spec 3, border damping).

    (columns,) float32, of which ``size`` are used; not to be written to.
    """
    weight = np.ones(columns, np.float32)
    reach = min(size, len(BORDER_DAMPING))
    weight[:reach] = BORDER_DAMPING[:reach]
    weight[size - reach : size] *= BORDER_DAMPING[:reach][::-1]
    return weight
