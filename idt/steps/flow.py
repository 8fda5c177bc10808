"""Compute dense optical flow between two frames: Farnebäck's method as the release varies it.

Method: docs/method/extraction.md, section 3.

Around each pixel both frames are approximated by quadratic polynomials (`expand`). If the second frame is the first
moved by d, then A·d = b. A is the mean of the quadratic parts. b is half the difference of the linear parts plus A·d_0,
where d_0 is the flow so far. `between` solves this by least squares over a Gaussian window, in two iterations at each
scale, from the coarsest scale to the finest. A 5×5 median filters the flow at the end of each scale.

The expansion of a frame serves two pairs of frames, as the second of one and the first of the next. Compute it once.

Source: Farnebäck, "Two-frame motion estimation based on polynomial expansion", SCIA 2003.
"""

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from idt import checks
from idt.errors import DataError
from idt.imports.opencv import cv2
from idt.kernels import expansion as expansion_kernel
from idt.kernels import flow as flow_kernel
from idt.kernels.flow import COEFFICIENTS, LANES
from idt.steps.pyramid import RATIO, Scale, scales

ITERATIONS = 2


class Expansion(NamedTuple):
    """Coefficients of x, y, x², y² and xy of one frame at every scale, in this order.

    Attributes
    ----------
    levels : list of Scale
    finest : int
        First scale that was expanded.
    by_plane, by_pixel : (5 · P + 8,) float32 or None
        Coefficients of all scales, finest first, in two orders: the first of two frames is read by plane, the second by
        pixel. P is the number of pixels of all scales; the kernels read 8 numbers beyond the end. ``by_plane`` is None
        if the frame can only be the second, ``by_pixel`` if it can only be the first.
    """

    levels: list[Scale]
    finest: int
    by_plane: np.ndarray | None
    by_pixel: np.ndarray | None

    @property
    def planar(self):
        """Return the coefficients by plane, (5, h, w) for each scale."""
        return _split(self.by_plane, self.levels, COEFFICIENTS)

    @property
    def interleaved(self):
        """Return the coefficients by pixel, (h, w, 5) for each scale."""
        flat = _split(self.by_pixel, self.levels, COEFFICIENTS)
        return [scale.reshape(*scale.shape[1:], COEFFICIENTS) for scale in flat]

    def as_first(self):
        """Return the part that the first of two frames needs, which is half the memory."""
        return self._replace(by_pixel=None)


def expand(gray, levels=None, *, finest=0, second_only=False):
    """Approximate a frame by a quadratic polynomial around every pixel of every scale.

    Parameters
    ----------
    gray : (H, W) uint8
    levels : list of Scale, optional
        By default the levels of `pyramid.scales` with its defaults.
    finest : int
        First scale that is expanded; `between` resizes its flow to the finer scales. The coarsest scale is always
        expanded.
    second_only : bool
        Leave out ``by_plane``, because this frame will be the second of two, never the first.

    Returns
    -------
    Expansion

    Raises
    ------
    DataError
        If ``gray`` is not a 2-D uint8 image, or a scale of it less than 2 px wide or high.

    Notes
    -----
    docs/method/extraction.md, section 3.1. Each scale is made from the blurred full frame, not from the scale above;
    even the first is blurred.
    """
    gray = checks.gray_image(gray)
    levels = scales(*gray.shape) if levels is None else levels
    if min(min(level.height, level.width) for level in levels) < 2:
        # Bilinear sampling reads the pixels to the right and below, even if their weight is 0.
        raise DataError(f"a frame must be at least 2x2 px at every scale, got {gray.shape[1]}x{gray.shape[0]} px")
    table = _scale_table(tuple(levels))
    finest = min(finest, len(levels) - 1)
    size = COEFFICIENTS * table.pixels + LANES
    by_pixel = np.empty(size, np.float32)
    by_plane = np.empty(0 if second_only else size, np.float32)
    expansion_kernel.expand(gray, table.sizes, table.blurs, finest, by_plane, by_pixel)
    return Expansion(levels, finest, None if second_only else by_plane, by_pixel)


def between(first, second):
    """Compute the flow from one frame to another at every scale.

    Parameters
    ----------
    first, second : Expansion
        Expansions of frames of the same size.

    Returns
    -------
    list of (h, w, 2) float32
        Displacement (x, y) in pixels of the scale, finest first: the content of ``first`` at p is found in
        ``second`` at p + flow[p].

    Raises
    ------
    DataError
        If the frames differ in size or in their scales, or if ``first`` lacks the coefficients by plane or ``second``
        those by pixel.

    Notes
    -----
    docs/method/extraction.md, section 3. The filtered flow of a scale is its result and where the finer scale starts.
    """
    if first.levels != second.levels:
        sizes = [f"{e.levels[0].width}x{e.levels[0].height} px at {len(e.levels)} scales" for e in (first, second)]
        raise DataError(f"first and second must have the same scales, got {sizes[0]} and {sizes[1]}")
    if first.by_plane is None or second.by_pixel is None:
        raise DataError("first must not be expanded with second_only, nor second reduced by as_first")
    table = _scale_table(tuple(first.levels))
    fields = np.empty(2 * table.pixels, np.float32)
    finest = max(first.finest, second.finest)
    flow_kernel.estimate(first.by_plane, second.by_pixel, table.sizes, finest, RATIO, ITERATIONS, fields)
    return [field.transpose(1, 2, 0) for field in _split(fields, first.levels, 2)]


class _ScaleTable(NamedTuple):
    """Sizes and blurs of the scales, as the kernels take them.

    Attributes
    ----------
    sizes : (S, 2) int64
        Height and width.
    pixels : int
        Number of pixels of all scales.
    blurs : (S, K) float32
        Half of the Gaussian kernel that blurs the full frame before it is resized, from the centre outwards, padded
        with zeros.
    """

    sizes: np.ndarray
    pixels: int
    blurs: np.ndarray


@lru_cache(maxsize=64)
def _scale_table(levels):
    sizes = np.array([[level.height, level.width] for level in levels], np.int64)
    halves = []
    for level in levels:
        sigma = (level.factor - 1) / 2
        size = max(3, round(5 * sigma) | 1)
        # With σ = 0 OpenCV takes a kernel of 3 to be [1 2 1] / 4: the first scale is blurred too, as in the release.
        halves.append(cv2.getGaussianKernel(size, sigma, cv2.CV_32F)[size // 2 :, 0])
    blurs = np.zeros((len(levels), max(map(len, halves))), np.float32)
    for row, half in zip(blurs, halves, strict=True):
        row[: len(half)] = half
    return _ScaleTable(sizes, int(sizes.prod(axis=1).sum()), blurs)


def _split(flat, levels, planes):
    """Return views of a flat array, scale after scale: (planes, h, w) for each."""
    split, start = [], 0
    for level in levels:
        end = start + planes * level.height * level.width
        split.append(flat[start:end].reshape(planes, level.height, level.width))
        start = end
    return split
