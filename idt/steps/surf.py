"""Detect SURF keypoints, describe them, and match them between two frames.

The camera's motion is estimated from these keypoints, so they must equal those of OpenCV's SURF with a Hessian
threshold of 200, 4 octaves, 2 layers per octave, extended and oriented descriptors. OpenCV's packages leave SURF out.

1. Determinants of the Hessian, approximated by box filters of growing size on an integral image, are searched for
   maxima in position and size; a quadratic through the neighbours refines them.
2. The longest sum of Haar responses over 60° is a keypoint's direction.
3. Gradients in a window turned by it, summed in 4 × 4 cells, are its descriptor.

Source: docs/method/surf.md; Bay, Ess, Tuytelaars & Van Gool, "Speeded-Up Robust Features", CVIU 2008. Left out: the
upright variant, 64-number descriptors, the sign of the Laplacian. Every function is safe to call from several threads.
"""

from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any

import numpy as np

from idt.checks import float_array, gray_image
from idt.checks import type_and_shape as received
from idt.errors import DataError, short_repr
from idt.imports.opencv import cv2
from idt.kernels import matching, surf_describe, surf_detect, surf_orient

DESCRIPTOR = 128
SMALLEST = 9
"""Side of the smallest filter, and the least size a keypoint can have."""


@dataclass(frozen=True, eq=False)
class Keypoints:
    """Keypoints of one image, one array per property.

    Attributes
    ----------
    x, y : (n,) float32
        Position in pixels.
    size : (n,) float32
        Side of the filter that responded most, in pixels.
    angle : (n,) float32
        Direction in degrees, clockwise from the x axis as the image is seen (y down).
    response : (n,) float32
        Determinant of the Hessian.
    octave : (n,) int32

    Raises
    ------
    DataError
        If the arrays differ in length, are not 1-D, or hold a number that is not finite.
    """

    x: Any
    y: Any
    size: Any
    angle: Any
    response: Any
    octave: Any

    def __post_init__(self):
        for field in fields(self):
            array = float_array(getattr(self, field.name), (None,), f"keypoints.{field.name}")
            if len(array) != len(self.x):
                raise DataError(f"keypoints must have as many {field.name} as x, got {len(array)} and {len(self.x)}")
            object.__setattr__(self, field.name, array.astype(np.int32) if field.name == "octave" else array)

    @classmethod
    def _unchecked(cls, *arrays):
        """Make keypoints of arrays that need no check: contiguous, finite, of the right types and of equal length."""
        made = cls.__new__(cls)
        made.__dict__.update(zip(cls.__dataclass_fields__, arrays, strict=True))
        return made

    def __len__(self):
        return len(self.x)

    def __getitem__(self, index):
        """Return the keypoints that a slice, a mask or an array of indices chooses, in the order of the index."""
        return Keypoints(*(getattr(self, field.name)[index] for field in fields(self)))

    @classmethod
    def empty(cls):
        """Return an empty set of keypoints."""
        return cls(*([()] * len(fields(cls))))

    @property
    def points(self):
        """Return the positions, (n, 2) float32, x first."""
        return np.column_stack([self.x, self.y])


def detect(gray, mask=None, *, threshold=200.0):
    """Detect keypoints with their directions, strongest first.

    Parameters
    ----------
    gray : (H, W) uint8
    mask : (H, W) uint8, optional
        1 where keypoints are wanted, 0 elsewhere: a keypoint is kept if it lies on a 1 and at least half of its
        filter's square does.
    threshold : float
        Least determinant of the Hessian, exclusive, for an image of gray levels 0 to 255.

    Returns
    -------
    Keypoints
        In descending order of response, then size, octave and y, then in ascending order of x. Empty if the image is
        flat or too small. Keypoints so near the border that they have no direction are left out.

    Raises
    ------
    DataError
        If ``gray`` is not a 2-D uint8 image, ``mask`` has another shape or other values than 0 and 1, or ``threshold``
        is negative.

    Notes
    -----
    docs/method/surf.md, sections 1 and 2; Bay et al. 2008, sections 3 and 4.1.
    """
    gray = gray_image(gray)
    if not 0 <= threshold < np.inf:
        raise DataError(f"threshold must be a number of at least 0, got {short_repr(threshold)}")
    integral = _integrate(gray)
    mask_integral = np.empty((0, 0), np.int32) if mask is None else _integrate(_mask_for(gray, mask))
    # Two maxima are never neighbours, so at most a quarter of the cells of either searched layer are maxima. All
    # octaves have at most 4/3 of the first one's cells: 2 · 1/4 · 4/3 = 2/3 of the pixels.
    found = np.empty((gray.size * 2 // 3 + 1, surf_detect.COLUMNS), np.float32)
    found = found[: surf_detect.find_keypoints(integral, mask_integral, np.float32(threshold), found)]
    x, y, size, response, octave = found[_sort_order(found)].T.copy()
    angle = np.empty_like(x)
    surf_orient.orient(integral, x, y, _scales(size), _gaussian(surf_orient.TAPS, 2.5), angle)
    keypoints = Keypoints._unchecked(x, y, size, angle, response, octave.astype(np.int32))
    directed = ~np.isnan(angle)
    return keypoints if directed.all() else keypoints[directed]


def _sort_order(found):
    """Return the sort order of keypoints, (n, 5) with columns x, y, size, response, octave, as `detect` sorts them."""
    order = np.argsort(-found[:, 3])
    ranked = found[order, 3]
    if not (ranked[1:] == ranked[:-1]).any():
        return order
    # Equal responses are rare, and sorting by five keys is slow.
    x, y, size, response, octave = found.T
    return np.lexsort((x, -y, -octave, -size, -response))


def describe(gray, keypoints):
    """Compute the extended, oriented descriptors of keypoints.

    Parameters
    ----------
    gray : (H, W) uint8
        The image the keypoints are from.
    keypoints : Keypoints
        Keypoints of size 9 at least. Outside the image its border pixels are repeated.

    Returns
    -------
    (n, 128) float32
        Of length 1; all 0 for a keypoint whose window is flat.

    Raises
    ------
    DataError
        If ``gray`` is not a 2-D uint8 image, ``keypoints`` no `Keypoints`, or one of them smaller than any filter.

    Notes
    -----
    docs/method/surf.md, section 3; Bay et al. 2008, section 4.2.
    """
    gray = gray_image(gray)
    if not isinstance(keypoints, Keypoints):
        raise DataError(f"keypoints must be Keypoints as from idt.steps.surf.detect, got {received(keypoints)}")
    if len(keypoints) and keypoints.size.min() < SMALLEST:
        raise DataError(f"keypoints must have a size of at least {SMALLEST} px, got {keypoints.size.min():g}")
    descriptors = np.empty((len(keypoints), DESCRIPTOR), np.float32)
    k, pixels = keypoints, np.empty(gray.size, np.int32)
    surf_describe.describe(gray, k.x, k.y, _scales(k.size), k.angle, _descriptor_weights(), pixels, descriptors)
    return descriptors


def nearest_in_window(keypoints, descriptors, previous_keypoints, previous_descriptors, *, radius=25.0):
    """Match keypoints to those of the previous frame: the nearest descriptor within a window of the image.

    Parameters
    ----------
    keypoints, previous_keypoints : Keypoints or (n, 2), (m, 2) float32
        The keypoints, or their positions only, x first.
    descriptors, previous_descriptors : (n, d), (m, d) float32
        Of any kind.
    radius : float
        Largest distance in pixels, exclusive, in x and in y.

    Returns
    -------
    (n,) int64
        Index into ``previous_keypoints``, the lowest of equally near descriptors; −1 where the window is empty.

    Raises
    ------
    DataError
        If keypoints and descriptors do not fit each other, or ``radius`` is not positive.

    Notes
    -----
    docs/method/extraction.md, section 4.2: by Euclidean distance, no ratio test, no cross check.
    """
    points, previous_points = _positions(keypoints, "keypoints"), _positions(previous_keypoints, "previous_keypoints")
    descriptors = float_array(descriptors, (len(points), None), "descriptors")
    previous_descriptors = float_array(previous_descriptors, (len(previous_points), None), "previous_descriptors")
    if not 0 < radius < np.inf:
        raise DataError(f"radius must be a positive number of pixels, got {short_repr(radius)}")
    nearest = np.full(len(points), -1, np.int64)
    if len(points) == 0 or len(previous_points) == 0:
        return nearest
    if descriptors.shape[1] != previous_descriptors.shape[1]:
        raise DataError(
            f"descriptors and previous_descriptors must be of one kind,"
            f" got {descriptors.shape[1]} and {previous_descriptors.shape[1]} numbers each"
        )
    order = np.argsort(previous_points[:, 1], kind="stable")
    previous_points = previous_points[order]
    # The borders of the windows are float64, in which differences of float32 positions are exact.
    y, previous_y = points[:, 1].astype(np.float64), previous_points[:, 1].astype(np.float64)
    first = np.searchsorted(previous_y, y - radius, side="right")
    matching.find_nearest(
        points, descriptors, previous_points, previous_descriptors, order, first, float(radius), nearest
    )
    return nearest


def _positions(value, name):
    return value.points if isinstance(value, Keypoints) else float_array(value, (None, 2), name)


def _mask_for(gray, mask):
    if not (isinstance(mask, np.ndarray) and mask.shape == gray.shape and mask.dtype == np.uint8):
        raise DataError(f"mask must be uint8 of gray's shape {gray.shape}, got {received(mask)}")
    if mask.max() > 1:
        raise DataError(f"mask must hold 0 and 1 only, got {mask.max()}; (mask > 0).astype(np.uint8) makes it so")
    return np.ascontiguousarray(mask)


def _integrate(image):
    return cv2.integral(image, sdepth=cv2.CV_32S)


def _scales(size):
    """Return the scale s of keypoints in pixels, rounded as in the release, because s decides side lengths."""
    return size * np.float32(1.2) / np.float32(9)


@lru_cache
def _gaussian(taps, sigma):
    """Return normalised Gaussian weights, (taps,) float32, read-only."""
    distance = np.abs(np.arange(taps) - (taps - 1) / 2)
    # If the number of taps is even, OpenCV gives both middle taps the weight of the centre between them.
    distance[distance < 1] = 0
    weights = np.exp(-(distance**2) / (2 * sigma**2))
    return (weights / weights.sum()).astype(np.float32)


@lru_cache
def _descriptor_weights():
    """Return the weights of the gradients, rows of 20 padded with zeros to the kernel's pitch, (20, 24) float32."""
    weights = np.zeros((surf_describe.ROWS, surf_describe.PITCH), np.float32)
    gaussian = _gaussian(surf_describe.ROWS, 3.3)
    weights[:, : surf_describe.ROWS] = np.outer(gaussian, gaussian)
    return weights
