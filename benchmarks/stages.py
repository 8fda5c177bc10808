"""The stages of an extraction: which function each is, and how much work its input asks for.

The only place that knows which functions the frame loop calls. A stage's work is a pair (bytes, flops): the least
traffic, every array once a pass, and its arithmetic, a fused multiply-add being two, a comparison one. The docstring
derives it and is printed below the table. Stages without are OpenCV's or NumPy's.
"""

from collections.abc import Callable
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np

from idt import extractor
from idt.steps import camera, corners, flow, histograms, sampling, selection, surf
from idt.steps.tracks import LiveTracks


class Stage(NamedTuple):
    """A function where the loop looks it up, and the work of a call: ``work(result, *arguments, **options)``."""

    owner: object
    function: str
    work: Callable | None = None


def expansion_work(expansion, gray, levels=None, **options):
    """A pixel: 4 B read, 5 + 8 coefficients written; 7 × 8 flops down, 7 × (8 + 6 + 3) across, 7 to fit; no blur."""
    pixels = _pixels(expansion.levels)
    return 56 * pixels, (7 * 8 + 7 * 17 + 7) * pixels


def flow_work(fields, first, second):
    """A pixel and iteration: 5 + 8 coefficients and the flow read, the flow written: 68 B; 12 flops to locate, 35 to
    sample, 40 to combine, 5 × 2 × 16 to average, 13 to solve. Once the median: 16 B.
    """
    pixels = _pixels(first.levels)
    passes = flow.ITERATIONS
    return (68 * passes + 16) * pixels, passes * (12 + 35 + 40 + 160 + 13) * pixels


def detection_work(found, gray, mask=None, **options):
    """A pixel: gray read, the integral image written and read 4 times, 16/3 responses written and read: 64 B; 2 flops
    to integrate, 16/3 × 36 for the responses. A keypoint: 113 × 14 flops for its direction.
    """
    return 64 * gray.size, (2 + 192) * gray.size + 113 * 14 * len(found)


def description_work(descriptors, gray, keypoints):
    """A sample of a keypoint's window of (2.8 × size)²: 4 B, 22 flops; its 20 × 20 gradients 14 flops each; 128 floats
    written.
    """
    window = np.floor(21 * 1.2 / 9 * keypoints.size.astype(np.float64)) ** 2
    samples = float(window.sum())
    return 4 * samples + descriptors.nbytes, 22 * samples + 400 * 14 * len(keypoints)


def matching_work(nearest, points, descriptors, earlier_points, earlier_descriptors, *, radius):
    """A pair within the window: d floats of the earlier descriptor read, 3 d flops."""
    near = np.abs(points[:, None] - earlier_points[None]) < radius
    pairs, size = int(near.all(axis=2).sum()), descriptors.shape[1]
    return 4 * size * pairs, 3 * size * pairs


def warp_work(warped, *inputs):
    """A pixel: both frames read, one written: 3 B; 9 flops to project, 2 to round, 9 to blend."""
    return 3 * warped.size, 20 * warped.size


def histogram_work(nothing, gray, field, points, sums, rows, **options):
    """A pixel: gray and flow read: 9 B; 6 flops of gradients, 4 × 22 to polar, 2 × 33 × 6 into sums. A track: its D
    floats summed from 16 columns, normalised (4 flops), added: 12 D B.
    """
    numbers = len(points) * sums.shape[1]
    return 9 * gray.size + 12 * numbers, (6 + 88 + 396) * gray.size + (16 + 5) * numbers


STAGES = {
    "gray pyramid": Stage(extractor, "gray_pyramid"),
    "expansion": Stage(flow, "expand", expansion_work),
    "flow": Stage(flow, "between", flow_work),
    "keypoints": Stage(surf, "detect", detection_work),
    "descriptors": Stage(surf, "describe", description_work),
    "corner matches": Stage(corners, "match"),
    "keypoint matches": Stage(surf, "nearest_in_window", matching_work),
    "homography": Stage(camera, "fit"),
    "warp": Stage(camera, "warp", warp_work),
    "histograms": Stage(histograms, "accumulate", histogram_work),
    "tracking": Stage(LiveTracks, "advance"),
    "texture": Stage(sampling, "texture"),
    "sampling": Stage(sampling, "sample_points"),
    "selection": Stage(selection, "measure_tracks"),
}


@contextmanager
def wrapped(wrap):
    """Replace each stage's function by ``wrap(name, function)`` where the loop looks it up, for a while."""
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
