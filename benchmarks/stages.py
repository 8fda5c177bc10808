"""The stages of an extraction: the function of each, and the least work that its input needs.

No other module names the functions that the frame loop calls. The work of a stage is a pair (bytes, flops). The bytes
are the least traffic: every array is read or written once a pass. A fused multiply-add counts as two flops, a
comparison as one. The derivation of the numbers is printed below the table. Stages without work are calls of
OpenCV or NumPy.
"""

from collections.abc import Callable
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np

from idt import extractor
from idt.steps import camera, corners, flow, histograms, sampling, selection, surf
from idt.steps.tracks import LiveTracks


class Stage(NamedTuple):
    """A stage of the frame loop.

    Attributes
    ----------
    owner : object
        Module or class in which the frame loop looks the function up.
    function : str
        Name of the function there.
    work : callable, optional
        ``work(result, *arguments, **options)`` counts the bytes and flops of a call.
    derivation : str
        How ``work`` counts them, for the reader of the table.
    """

    owner: object
    function: str
    work: Callable | None = None
    derivation: str = ""


def expansion_work(expansion, gray, levels=None, **options):
    """Count the bytes and flops of an expansion."""
    pixels = _pixels(expansion.levels)
    return 56 * pixels, (7 * 8 + 7 * 17 + 7) * pixels


def flow_work(fields, first, second):
    """Count the bytes and flops of a flow."""
    pixels = _pixels(first.levels)
    passes = flow.ITERATIONS
    return (68 * passes + 16) * pixels, passes * (12 + 35 + 40 + 160 + 13) * pixels


def detection_work(found, gray, mask=None, **options):
    """Count the bytes and flops of a detection of keypoints."""
    return 64 * gray.size, (2 + 192) * gray.size + 113 * 14 * len(found)


def description_work(descriptors, gray, keypoints):
    """Count the bytes and flops of a description of keypoints."""
    window = np.floor(21 * 1.2 / 9 * keypoints.size.astype(np.float64)) ** 2
    samples = float(window.sum())
    return 4 * samples + descriptors.nbytes, 22 * samples + 400 * 14 * len(keypoints)


def matching_work(nearest, points, descriptors, earlier_points, earlier_descriptors, *, radius):
    """Count the bytes and flops of a search for keypoint matches."""
    near = np.abs(points[:, None] - earlier_points[None]) < radius
    pairs, size = int(near.all(axis=2).sum()), descriptors.shape[1]
    return 4 * size * pairs, 3 * size * pairs


def warp_work(warped, *inputs):
    """Count the bytes and flops of a warp."""
    return 3 * warped.size, 20 * warped.size


def histogram_work(nothing, gray, field, points, sums, rows, **options):
    """Count the bytes and flops of an update of the histograms."""
    numbers = len(points) * sums.shape[1]
    return 9 * gray.size + 12 * numbers, (6 + 88 + 396) * gray.size + (16 + 5) * numbers


STAGES = {
    "gray pyramid": Stage(extractor, "gray_pyramid"),
    "expansion": Stage(
        flow,
        "expand",
        expansion_work,
        "Per pixel: 4 B read, 5 + 8 coefficients written; 7 × 8 flops for the vertical pass, 7 × (8 + 6 + 3) for the "
        "horizontal, 7 to fit. The blur is not counted.",
    ),
    "flow": Stage(
        flow,
        "between",
        flow_work,
        "Per pixel and iteration: 5 + 8 coefficients and the flow read, the flow written: 68 B; 12 flops to locate, "
        "35 to sample, 40 to combine, 5 × 2 × 16 to average, 13 to solve. Per pixel once, for the median: 16 B.",
    ),
    "keypoints": Stage(
        surf,
        "detect",
        detection_work,
        "Per pixel: gray read, the integral image written and read 4 times, 16/3 responses written and read: 64 B; "
        "2 flops to integrate, 16/3 × 36 for the responses. Per keypoint: 113 × 14 flops for its direction.",
    ),
    "descriptors": Stage(
        surf,
        "describe",
        description_work,
        "Per sample of a keypoint's window of (2.8 × size)² px: 4 B, 22 flops. Per keypoint: 14 flops for each of "
        "20 × 20 gradients, 128 floats written.",
    ),
    "corner matches": Stage(corners, "match"),
    "keypoint matches": Stage(
        surf,
        "nearest_in_window",
        matching_work,
        "Per pair within the window: d floats of the earlier descriptor read, 3 d flops.",
    ),
    "homography": Stage(camera, "fit"),
    "warp": Stage(
        camera,
        "warp",
        warp_work,
        "Per pixel: both frames read, one written: 3 B; 9 flops to project, 2 to round, 9 to blend.",
    ),
    "histograms": Stage(
        histograms,
        "accumulate",
        histogram_work,
        "Per pixel: gray and flow read: 9 B; 6 flops for gradients, 4 × 22 for polar coordinates, 2 × 33 × 6 for sums. "
        "Per track: its D floats summed from 16 columns, normalised (4 flops each), and added: 12 D B.",
    ),
    "tracking": Stage(LiveTracks, "advance"),
    "texture": Stage(sampling, "texture"),
    "sampling": Stage(sampling, "sample_points"),
    "selection": Stage(selection, "measure_tracks"),
}


@contextmanager
def wrapped(wrap):
    """Replace the function of each stage by ``wrap(name, function)`` within a ``with`` block."""
    originals = {name: getattr(stage.owner, stage.function) for name, stage in STAGES.items()}
    try:
        for name, stage in STAGES.items():
            setattr(stage.owner, stage.function, wrap(name, originals[name]))
        yield
    finally:
        for name, stage in STAGES.items():
            setattr(stage.owner, stage.function, originals[name])


def _pixels(levels):
    return sum(level.height * level.width for level in levels)
