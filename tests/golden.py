"""Golden data in tests: what is not at hand is a reason to skip, and under CI=true a failure.

`benchmarks.clips` says where the data is. The official lists of the data sets lie in ``../shared/data``.
"""

import os
from pathlib import Path

import pytest

from benchmarks import clips
from benchmarks.clips import SHARED, decodes_alike

__all__ = [
    "HERE",
    "REAL",
    "SYNTHETIC",
    "authors",
    "decodes_alike",
    "golden_folder",
    "gray",
    "scores",
    "splits",
    "video",
]

HERE = Path(__file__).resolve().parent
SYNTHETIC = ("wave", "walk", "disc")
REAL = ("bowling", "ice_dancing", "kth_walking", "boxing")


def golden_folder(clip):
    """Return the folder of one clip's golden data."""
    return _at_hand(clips.golden_folder, clip)


def video(clip):
    """Return the path of the clip's .avi."""
    return _at_hand(clips.video, clip)


def gray(clip):
    """Return the clip's gray frames exactly as the release saw them, (T, H, W) uint8."""
    return _at_hand(clips.gray, clip)


def authors():
    """Return the authors' own published rows for the boxing clip, gzipped text of 436 columns."""
    return _existing(SHARED / "authors" / "person01_boxing_d1.txt.gz")


def splits(name):
    """Return an official list of training and test videos, or the folder of several; they may not be passed on."""
    return data("splits", name)


def data(*names):
    """Return a file or folder of others' data, which may not be passed on."""
    return _existing(SHARED.parent.joinpath("data", *names))


def scores(name):
    """Return a score file of others, which may not be passed on."""
    return _existing(SHARED.parent / "data" / "scores" / name)


def _at_hand(find, clip):
    try:
        return find(clip)
    except FileNotFoundError as problem:
        return _missing(str(problem))


def _existing(path):
    return path if path.exists() else _missing(f"golden data not at hand: {path}")


def _missing(reason):
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
