"""Where the golden data is: what the authors' release computes, clip by clip.

The synthetic clips ship with the repository (``tests/data``); the others lie beside a development checkout in
``../shared/golden``, and the official lists of the data sets in ``../shared/data``. On a user's machine the tests that
need them skip with the reason; under CI=true that is a failure.
"""

import os
from pathlib import Path

import numpy as np
import pytest

from idt.frames.video import open_video

HERE = Path(__file__).resolve().parent
SHIPPED = HERE / "data" / "golden"
SHARED = HERE.parent.parent / "shared" / "golden"

SYNTHETIC = ("wave", "walk", "disc")
REAL = ("bowling", "ice_dancing", "kth_walking", "boxing")


def golden(clip):
    """Folder of one clip's golden data; the test skips (fails under CI) where it is not at hand."""
    for folder in (SHIPPED / clip, SHARED / "synthetic" / clip, SHARED / "real" / clip):
        if folder.is_dir():
            return folder
    return _missing(SHARED / "*" / clip)


def video(clip):
    """Path of the clip's .avi, found as `golden` finds its folder."""
    for path in (SHIPPED / f"{clip}.avi", SHARED / "synthetic" / f"{clip}.avi", SHARED / "real" / f"{clip}.avi"):
        if path.is_file():
            return path
    return _missing(SHARED / "*" / f"{clip}.avi")


def authors():
    """The authors' own published rows for the boxing clip, gzipped text of 436 columns."""
    path = SHARED / "authors" / "person01_boxing_d1.txt.gz"
    return path if path.is_file() else _missing(path)


def splits(name):
    """An official list of training and test videos, or the folder of several; they may not be passed on."""
    path = SHARED.parent / "data" / "splits" / name
    return path if path.exists() else _missing(path)


def gray(clip):
    """The clip's gray frames exactly as the release saw them, (T, H, W) uint8."""
    return np.load(golden(clip) / "frames.npz")["gray"]


def decodes_alike(clip):
    """Whether this decoder gives the gray frames that the release saw.

    FFmpeg 8.1, in the wheels of OpenCV 4.14 and 5.0, decodes a few pixels of an XviD clip differently, which is enough
    for RANSAC to draw another homography now and then.
    """
    expected = gray(clip)
    with open_video(video(clip)) as frames:
        return all(np.array_equal(frame.gray, own) for frame, own in zip(frames, expected, strict=False))


def _missing(path):
    reason = f"golden data not at hand: {path}"
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
