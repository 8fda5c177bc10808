"""Optical flow in 8 bits, as networks are trained with it: 128 is no motion, 0 and 255 are ∓20 pixels.

The flow is ours (docs/method/extraction.md, section 3) at full resolution, not the TVL1 of the networks' authors.
Warped flow is what remains of it without the camera's motion. Source: docs/method/networks.md, section 2.
"""

import numpy as np

from idt.errors import DataError
from idt.imports.opencv import cv2
from idt.steps import camera, corners, flow, sampling
from idt.steps.pyramid import scales

BOUND = 20.0
"""Displacement in pixels that the largest 8-bit value stands for."""


def quantise(field):
    """Quantise a ``field``, (H, W, 2) float32 in pixels, to 8 bits: round(255 (v + 20) / 40), cut at ±20."""
    return np.clip(np.round((field + BOUND) * (255 / (2 * BOUND))), 0, 255).astype(np.uint8)


def flow_fields(pictures, *, warped=False, wanted=None):
    """Compute the flow from each frame to the next.

    Parameters
    ----------
    pictures : iterable of Picture
    warped : bool
        Take the camera's motion out.
    wanted : collection of int, optional
        Numbers of the flows to compute; flow t is from frame t to t + 1. All by default.

    Yields
    ------
    t : int
        Counted from 0.
    field : (H, W, 2) uint8
        As from `quantise`.

    Raises
    ------
    DataError
        If the frames are too small for the flow.
    """
    previous = None
    for t, picture in enumerate(pictures):
        needed = wanted is None or t in wanted or t - 1 in wanted
        now = _prepare(picture.bgr, warped) if needed else None
        if previous is not None and now is not None and (wanted is None or t - 1 in wanted):
            yield t - 1, quantise(_between(previous, now, warped))
        previous = now


def _prepare(bgr, warped):
    """Return the gray frame, its scales, its expansion and, for warped flow, its keypoints."""
    gray = cv2.cvtColor(bgr, cv2.COLOR_BGR2GRAY)
    if min(gray.shape) < 2:
        raise DataError(f"flow needs frames of at least 2×2 px, got {gray.shape[1]}×{gray.shape[0]} px")
    levels = scales(*gray.shape)
    keypoints = camera.find_keypoints(gray) if warped else None
    return gray, levels, flow.expand(gray, levels), keypoints


def _between(previous, now, warped):
    """Return the flow between two frames, as from `_prepare`, (H, W, 2) float32."""
    fields = flow.between(previous[2], now[2])
    if warped:
        by_flow = corners.match(previous[0], fields[0], texture=sampling.texture(previous[0]))
        by_keypoints = camera.match_keypoints(now[3], previous[3])
        motion = camera.fit(*(np.concatenate(pair) for pair in zip(by_flow, by_keypoints, strict=True)))
        fields = camera.subtract_motion(fields, motion.homography, now[1])
    return fields[0]
