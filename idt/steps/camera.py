"""Estimate the camera's motion between two frames: matches, a homography, and the later frame warped back.

Method: docs/method/extraction.md, section 4.

Two kinds of matches complement each other. Keypoints (SURF by default) lie on blobs. Corners, which are matched by the
flow (`idt.steps.corners`), lie on corners and edges. A homography fitted to both with RANSAC carries the earlier frame
into the later. Matches on objects that move differently, above all people, are left out as outliers or by the human
mask.

Source: Wang & Schmid, ICCV 2013, section 2.1.
"""

from typing import NamedTuple

import numpy as np

from idt import checks
from idt.errors import DataError, short_repr
from idt.imports.opencv import cv2
from idt.kernels import homography_refine as refine_kernel
from idt.kernels import ransac as ransac_kernel
from idt.kernels import warp as warp_kernel
from idt.steps import surf

SEARCH_RADIUS = 25.0

LEAST_MATCHES, LEAST_INLIERS = 51, 26
"""A homography needs at least this many matches and this many inliers: more than 50, and more than 25."""

REPROJECTION_THRESHOLD = 1.0
RANSAC_ITERATIONS = 2000
RANSAC_CONFIDENCE = 0.995

REFINE_ITERATIONS = 20
REFINE_TOLERANCE = 1e-12

WARP_BORDER = 5


class FrameKeypoints(NamedTuple):
    """Keypoints of one frame.

    Attributes
    ----------
    points : (n, 2) float32
        Positions (x, y) in pixels.
    descriptors : (n, d) float32
        Compared by Euclidean distance.
    """

    points: np.ndarray
    descriptors: np.ndarray


class Motion(NamedTuple):
    """The camera's motion between two frames.

    Attributes
    ----------
    homography : (3, 3) float64
        Carries the earlier frame into the later; the identity where none was accepted.
    matches : int
        Matches offered.
    inliers : int
        Number of matches that agree with the homography of RANSAC, before it is refined; 0 for the identity.
    """

    homography: np.ndarray
    matches: int
    inliers: int


STILL = Motion(np.eye(3), 0, 0)


def find_keypoints(gray, mask=None, *, keypoints="surf"):
    """Detect and describe the keypoints of a frame.

    Parameters
    ----------
    gray : (H, W) uint8
    mask : (H, W) uint8, optional
        0 where no keypoint may lie.
    keypoints : {"surf", "sift", "orb", "none"}
        SURF is our own; SIFT and ORB are OpenCV's.

    Returns
    -------
    FrameKeypoints
        Empty where the frame has no keypoints.

    Raises
    ------
    DataError
        If ``gray`` is not a 2-D uint8 image or the kind of keypoints is unknown.

    Notes
    -----
    docs/method/extraction.md, section 4.1, and docs/method/surf.md.
    """
    gray = checks.gray_image(gray)
    if keypoints == "surf":
        found = surf.detect(gray, mask)
        return FrameKeypoints(np.stack([found.x, found.y], axis=1), surf.describe(gray, found))
    if keypoints == "none":
        return FrameKeypoints(np.zeros((0, 2), np.float32), np.zeros((0, 1), np.float32))
    if keypoints not in ("sift", "orb"):
        raise DataError(f"keypoints must be one of surf, sift, orb, none, got {short_repr(keypoints)}")
    detector = cv2.SIFT.create() if keypoints == "sift" else cv2.ORB.create(nfeatures=1000)
    found, descriptors = detector.detectAndCompute(gray, mask)
    points = np.array([keypoint.pt for keypoint in found], np.float32).reshape(-1, 2)
    if descriptors is None:
        return FrameKeypoints(points[:0], np.zeros((0, 1), np.float32))
    if keypoints == "orb":
        # As bits, so that the squared Euclidean distance is the Hamming distance.
        descriptors = np.unpackbits(descriptors, axis=1)
    return FrameKeypoints(points, descriptors.astype(np.float32))


def match_keypoints(current, previous):
    """Match every keypoint of a frame to the most similar one nearby in the previous frame.

    Parameters
    ----------
    current, previous : FrameKeypoints

    Returns
    -------
    source, target : (m, 2) float32
        Positions in the previous and in the current frame, in the order of the current keypoints.

    Notes
    -----
    docs/method/extraction.md, section 4.2: within ±25 px in x and in y; no ratio test, no cross check.
    """
    # The checks of an empty match would take longer than anything else in it.
    if not len(current.points):
        return current.points, current.points
    index = surf.nearest_in_window(
        current.points, current.descriptors, previous.points, previous.descriptors, radius=SEARCH_RADIUS
    )
    found = index >= 0
    return previous.points[index[found]], current.points[found]


def fit(source, target):
    """Fit a homography to matches with RANSAC.

    Parameters
    ----------
    source, target : (m, 2) float32
        Positions in the previous and in the current frame.

    Returns
    -------
    Motion
        The identity if there are too few matches or inliers, or no model at all.

    Notes
    -----
    docs/method/extraction.md, section 4.5; Fischler & Bolles, CACM 1981. The draws and the refinement are those of
    OpenCV's RANSAC. It always starts from the same seed, so equal matches give equal homographies.
    """
    if len(source) >= LEAST_MATCHES:
        sources, targets = np.ascontiguousarray(source.T), np.ascontiguousarray(target.T)
        model, agreeing = np.empty(8, np.float32), np.empty(len(source), np.bool_)
        inliers = ransac_kernel.consensus(
            sources, targets, REPROJECTION_THRESHOLD, RANSAC_ITERATIONS, RANSAC_CONFIDENCE, model, agreeing
        )
        if inliers >= LEAST_INLIERS:
            matrix = np.empty(9)
            if refine_kernel.refine(sources, targets, agreeing, model, REFINE_ITERATIONS, REFINE_TOLERANCE, matrix):
                return Motion(matrix.reshape(3, 3), len(source), inliers)
    return Motion(np.eye(3), len(source), 0)


def warp(gray, previous, homography):
    """Warp a frame so that the camera's motion is removed.

    Parameters
    ----------
    gray : (H, W) uint8
        The later frame.
    previous : (H, W) uint8
        The earlier one, which fills what the later one does not show.
    homography : (3, 3) float64
        Carries the earlier frame into the later.

    Returns
    -------
    (H, W) uint8
        The later frame as the camera of the earlier one would have seen it.

    Raises
    ------
    DataError
        If the frames differ in size or the homography is not a finite 3×3 matrix.

    Notes
    -----
    docs/method/extraction.md, section 4.6: sampled bilinearly at 1/32 px; copied from ``previous`` where the sample
    lies within 5 px of the border.
    """
    gray, previous = checks.gray_image(gray), checks.gray_image(previous, "previous")
    if gray.shape != previous.shape:
        raise DataError(f"gray and previous must have one size, got shapes {gray.shape} and {previous.shape}")
    homography = np.ascontiguousarray(homography, np.float64)
    if homography.shape != (3, 3) or not np.isfinite(homography).all():
        raise DataError(f"homography must be a finite 3x3 matrix, got {checks.type_and_shape(homography)}")
    out = np.empty_like(gray)
    warp_kernel.warp(gray.ravel(), previous, homography, WARP_BORDER, out)
    return out


def subtract_motion(flow, homography, levels):
    """Subtract the camera's motion from a flow, without a second flow to the warped frame.

    Parameters
    ----------
    flow : list of (h, w, 2) float32
        At every scale, finest first.
    homography : (3, 3) float64
        Carries the earlier frame into the later.
    levels : list of Scale
        Scales of the flow.

    Returns
    -------
    list of (h, w, 2) float32
        H⁻¹(p + flow[p]) − p; zero where H·p lies within 5 px of the border or outside, where `warp` copies the earlier
        frame.

    Notes
    -----
    This differs from the release and is faster. A homography without an inverse leaves the flow as it is.
    """
    homography = np.ascontiguousarray(homography, np.float64)
    inverse = inverse_of(homography)
    if inverse is None:
        return flow
    _, height, width = levels[0]
    remaining = []
    for field, level in zip(flow, levels, strict=True):
        planes = np.ascontiguousarray(field.transpose(2, 0, 1))
        out = np.empty_like(planes)
        warp_kernel.subtract(planes, homography, inverse, level.factor, width, height, WARP_BORDER, out)
        remaining.append(out.transpose(1, 2, 0))
    return remaining


def inverse_of(homography):
    """Invert a homography.

    Parameters
    ----------
    homography : (3, 3) float64

    Returns
    -------
    (3, 3) float64 or None
        None if the determinant is too small for its reciprocal.
    """
    if abs(cv2.determinant(homography)) < np.finfo(np.float64).tiny:
        return None
    return np.linalg.inv(homography)
