"""Other dense flows than the release's, computed at full resolution and resized to the coarser scales.

Method: docs/method/extraction.md, section 3.8.

dis    dense inverse search (Kroeger et al., ECCV 2016), OpenCV's
tvl1   duality-based TV-L1 (Zach, Pock & Bischof, DAGM 2007), OpenCV's: the flow of two-stream networks
lk     Lucas & Kanade in windows (Bouguet's pyramidal form), OpenCV's, on a grid and interpolated between its points

`checked_field` validates a field that a user's function or another program computed.
"""

import numpy as np

from idt import checks
from idt.errors import DataError
from idt.imports.opencv import cv2
from idt.steps.pyramid import RATIO, resize, scales

SMALLEST_SIDE = 16
"""Least shorter side of a frame in pixels. Dense inverse search needs it; the other methods have the same limit."""

DIS_SIDE = 96
"""Least shorter side in pixels of the finest scale of dense inverse search. A frame is halved only down to this side.
OpenCV's fast preset halves every frame twice, and its authors used frames of 1024×436 pixels. A frame of 160×120 would
keep 30 lines, where a patch of 8 pixels covers a whole person."""

GRID, WINDOW, LK_LEVELS, LK_STEPS, LK_ENOUGH = 4, 15, 4, 20, 0.01
"""Lucas–Kanade: distance of the points and side of the windows in pixels, halvings of the frames, most iterations, and
the step in pixels below which they end."""

LARGEST_DISPLACEMENT = 1e6
"""Largest displacement in pixels that a field may hold."""


def dis(previous, current):
    """Compute the flow by dense inverse search, with OpenCV's fast preset, but to a finer scale in small frames.

    Parameters
    ----------
    previous, current : (H, W) uint8

    Returns
    -------
    (H, W, 2) float32
        Displacement (x, y) in pixels: the content of ``previous`` at p is found in ``current`` at p + flow[p].

    Raises
    ------
    DataError
        If a frame is not a 2-D uint8 image, or they differ in size or are too small.
    """
    previous, current = _checked(previous, current, "dis")
    method = cv2.DISOpticalFlow.create(cv2.DISOpticalFlow_PRESET_FAST)
    halvings = 0
    while halvings < method.getFinestScale() and min(current.shape) >> (halvings + 1) >= DIS_SIDE:
        halvings += 1
    method.setFinestScale(halvings)
    return method.calc(previous, current, None)  # type: ignore[call-overload]  # None: OpenCV makes the field


def tvl1(previous, current):
    """Compute the flow by TV-L1, with the parameters of OpenCV's contributed modules.

    Parameters
    ----------
    previous, current : (H, W) uint8

    Returns
    -------
    (H, W, 2) float32
        As for `dis`.

    Raises
    ------
    DataError
        As `dis`, and if OpenCV was built without its contributed modules.
    """
    previous, current = _checked(previous, current, "tvl1")
    if not hasattr(cv2, "optflow"):
        raise DataError(f"flow=tvl1 needs opencv-contrib-python, but this is OpenCV {cv2.__version__} without optflow")
    method = cv2.optflow.createOptFlow_DualTVL1()
    return method.calc(previous, current, None)  # type: ignore[call-overload]


def lk(previous, current):
    """Compute the flow by pyramidal Lucas–Kanade on a grid of windows, bilinearly interpolated between them.

    Parameters
    ----------
    previous, current : (H, W) uint8

    Returns
    -------
    (H, W, 2) float32
        As for `dis`. A window without texture, or one that is lost, does not move.

    Raises
    ------
    DataError
        As `dis`.
    """
    previous, current = _checked(previous, current, "lk")
    height, width = previous.shape
    # The grid is that of the pixel centres of an image a quarter of the size, so that `cv2.resize` brings it back.
    across, down = -(-width // GRID), -(-height // GRID)
    x = (np.arange(across, dtype=np.float32) + np.float32(0.5)) * np.float32(width / across) - np.float32(0.5)
    y = (np.arange(down, dtype=np.float32) + np.float32(0.5)) * np.float32(height / down) - np.float32(0.5)
    points = np.stack(np.meshgrid(x, y), axis=2).reshape(-1, 1, 2)
    ending = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, LK_STEPS, LK_ENOUGH)
    moved, found, _ = cv2.calcOpticalFlowPyrLK(
        previous, current, points, None, winSize=(WINDOW, WINDOW), maxLevel=LK_LEVELS, criteria=ending
    )  # type: ignore[call-overload]
    motion = np.where(found[:, :, None] == 1, moved - points, np.float32(0)).astype(np.float32)
    return cv2.resize(motion.reshape(down, across, 2), (width, height), interpolation=cv2.INTER_LINEAR)


METHODS = {"dis": dis, "tvl1": tvl1, "lk": lk}
"""Function of each method by the value of the parameter ``flow``."""


def at_scales(field, levels):
    """Resize the flow of the full resolution to the coarser scales.

    Parameters
    ----------
    field : (H, W, 2) float32
    levels : list of Scale
        The first has the size of the field.

    Returns
    -------
    list of (h, w, 2) float32
        In pixels of each scale, finest first.

    Notes
    -----
    Each scale is the next finer one, resized bilinearly and divided by √2.
    """
    planes = np.ascontiguousarray(field.transpose(2, 0, 1))
    fields = [planes.transpose(1, 2, 0)]
    for level in levels[1:]:
        planes = resize(planes, np.empty((2, level.height, level.width), np.float32), factor=1 / RATIO)
        fields.append(planes.transpose(1, 2, 0))
    return fields


def estimate(previous, current, method, levels=None):
    """Compute the flow between two images at every scale.

    Parameters
    ----------
    previous, current : (H, W) uint8
    method : str or callable
        A key of `METHODS`, or a function ``(previous, current) -> (H, W, 2)``.
    levels : list of Scale, optional
        Those of `idt.steps.pyramid.scales` with its defaults if not given.

    Returns
    -------
    list of (h, w, 2) float32
        In pixels of each scale, finest first.

    Raises
    ------
    DataError
        If the images, or the field that a function returned, are invalid.
    """
    levels = scales(*previous.shape) if levels is None else levels
    if callable(method):
        return at_scales(checked_field(method(previous, current), previous.shape), levels)
    return at_scales(METHODS[method](previous, current), levels)


def checked_field(field, shape, name="the flow"):
    """Convert a field of another program to float32, or refuse it.

    Parameters
    ----------
    field : array-like
    shape : (int, int)
        Height and width of the frames.
    name : str
        Name for messages.

    Returns
    -------
    (H, W, 2) float32

    Raises
    ------
    DataError
        If it has another shape, is not real and finite, or holds a displacement beyond `LARGEST_DISPLACEMENT`.
    """
    field = checks.float_array(np.asarray(field), (*shape, 2), name)
    return checks.checked_range(field, -LARGEST_DISPLACEMENT, LARGEST_DISPLACEMENT, name)


def _checked(previous, current, method):
    previous, current = checks.gray_image(previous, "previous"), checks.gray_image(current, "current")
    if previous.shape != current.shape:
        raise DataError(f"previous and current must have one size, got {previous.shape} and {current.shape}")
    if min(previous.shape) < SMALLEST_SIDE:
        size = f"{current.shape[1]}x{current.shape[0]} px"
        raise DataError(f"flow={method} needs frames of at least {SMALLEST_SIDE} px, got {size}")
    return previous, current
