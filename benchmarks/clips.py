"""Clips with golden data, which are frames and results of the authors' release, and the places of both.

The synthetic clips ship with the repository (``tests/data``). The others lie beside a development checkout, in
``../shared/golden``.
"""

from pathlib import Path

import cv2
import numpy as np

from idt.frames.video import open_video

ROOT = Path(__file__).resolve().parent.parent
SHIPPED = ROOT / "tests" / "data" / "golden"
SHARED = ROOT.parent / "shared" / "golden"
FOLDERS = (SHIPPED, SHARED / "synthetic", SHARED / "real")


def golden(clip):
    """Return the folder of one clip's golden data; FileNotFoundError if it is not at hand."""
    return _first(clip)


def video(clip):
    """Return the path of the clip's .avi; FileNotFoundError if it is not at hand."""
    return _first(f"{clip}.avi")


def gray(clip):
    """Return the clip's gray frames exactly as the release saw them, (T, H, W) uint8."""
    return np.load(golden(clip) / "frames.npz")["gray"]


def decodes_alike(clip):
    """Return whether this decoder gives the gray frames that the release saw.

    FFmpeg 8.1, in the wheels of OpenCV 4.14 and 5.0, decodes a few pixels of an XviD clip differently. That is enough
    for RANSAC to draw another homography now and then.
    """
    expected = gray(clip)
    with open_video(video(clip)) as frames:
        return all(np.array_equal(frame.gray, own) for frame, own in zip(frames, expected, strict=False))


def write_video(path, frames, *, fourcc="FFV1", fps=25):
    """Write (T, H, W) gray or (T, H, W, 3) BGR frames as a video; FFV1 keeps gray levels exactly."""
    height, width = frames[0].shape[:2]
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter_fourcc(*fourcc), fps, (width, height))
    if not writer.isOpened():
        raise OSError(f"this OpenCV cannot write {fourcc}")
    for frame in frames:
        writer.write(frame if frame.ndim == 3 else cv2.merge([frame] * 3))
    writer.release()
    return path


def _first(name):
    for folder in FOLDERS:
        if (folder / name).exists():
            return folder / name
    raise FileNotFoundError(f"golden data not at hand: {SHARED / '*' / name}")
