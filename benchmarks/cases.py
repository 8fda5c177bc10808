"""Cases of the benchmarks: clips with the release's tracks, synthetic scenes, and the machine with its cores."""

import os
import platform
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median
from typing import Any

import cv2
import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks import clips, matching, vlfeat

ROOT = Path(__file__).resolve().parent.parent
CLIPS = ("wave", "bowling", "ice_dancing", "kth_walking")
WEIZMANN = clips.SHARED.parent / "data" / "weizmann"
NOT_AT_HAND = "the clip is not at hand"
PACKAGES = ("opencv-contrib-python", "numpy", "numba", "scikit-learn", "scikit-image", "h5py")


@dataclass(frozen=True)
class Clip:
    """A clip's gray frames and the tracks that the release finds in them."""

    name: str
    frames: np.ndarray
    reference: dict[str, Any]

    def __str__(self):
        n_frames, height, width = self.frames.shape
        return f"{self.name}, {width}x{height}, {n_frames} frames"

    def check(self, features):
        """Raise unless the tracks that end within the golden frames are those of the release."""
        covered = features[np.flatnonzero(features.frame < len(self.frames))]
        matching.assert_same_tracks(covered, self.reference)


def at_hand(name):
    """Tell whether a clip is at hand: ``wave`` ships with the repository, the others may lie beside the checkout."""
    return name == "wave" or (clips.SHARED / "real" / name).is_dir()


@cache
def clip(name):
    """Return one of the clips at hand."""
    return Clip(name, clips.gray(name), matching.reference(clips.golden(name)))


def scene(width, height, n_frames):
    """Tile the clip ``wave`` over a frame, played forwards and backwards: (n_frames, height, width) uint8."""
    frames = clip("wave").frames
    there_and_back = np.concatenate([frames, frames[-2:0:-1]])
    _, h, w = frames.shape
    tiled = np.tile(there_and_back, (1, -(-height // h), -(-width // w)))[:, :height, :width]
    return tiled[np.arange(n_frames) % len(tiled)]


def unit(clock):
    """Measure the seconds of one call of OpenCV's own Farnebäck flow on a fixed pair of 320x240, one thread.

    The result is the median of 40 calls. Times divided by it can be compared between machines, and between busy and
    idle hours of one machine.
    """
    noise = np.random.default_rng(0).random((240, 320), dtype=np.float32)
    first = cv2.normalize(cv2.GaussianBlur(noise, (0, 0), 2), None, 0, 255, cv2.NORM_MINMAX).astype(np.uint8)
    second = np.roll(first, 2, axis=1)
    seconds = []
    with one_thread():
        for _ in range(40):
            began = clock()
            cv2.calcOpticalFlowFarneback(first, second, None, 0.5, 1, 10, 2, 7, 1.5, cv2.OPTFLOW_FARNEBACK_GAUSSIAN)
            seconds.append(clock() - began)
    return median(seconds)


@contextmanager
def one_thread():
    """Keep OpenCV and the matrix products to one thread."""
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        with threadpool_limits(1):
            yield
    finally:
        cv2.setNumThreads(threads)


def n_cores():
    """Count the cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def on_cores(count):
    """Keep this process and those it starts to so many cores, where the system can."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(allowed)[:count])
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)


def machine():
    """Describe processor, cores, load and versions, to be stated beside every figure."""
    return {
        "processor": _processor(),
        "cores": n_cores(),
        "load when begun": round(os.getloadavg()[0], 1),
        "python": platform.python_version(),
        **{name: _version(name) for name in PACKAGES},
        "VLFeat": vlfeat.version(),
    }


def _version(package):
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"


def _processor():
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.machine())
