"""Tracks of a camera, a pipe of frames or a video, in chunks that are made while the frames come.

Source: docs/method/untrimmed.md, section 10.
"""

import contextlib
import sys
from collections.abc import Iterator
from typing import NamedTuple

from classify.untrimmed.frame_pipe import FramePipe
from encoding.coders.registry import track_columns_of
from idt.batch.jobs import camera_or_path
from idt.extractor import features_of
from idt.features import feature_file
from idt.frames.video import open_video
from idt.imports.opencv import cv2
from idt.params.extraction import ExtractionParams
from idt.workers import patience

PIPE = "-"
"""Word of the command line for standard input."""


class RunningVideo(NamedTuple):
    """Video that is being read.

    Attributes
    ----------
    name : str
    fps : float
        Frames a second, NaN if unknown.
    chunks : iterator of (Features, int)
        As `encoding.slices.running.running_slices` takes them.
    notes : list of str
        Remarks on the video until now.
    """

    name: str
    fps: float
    chunks: Iterator
    notes: list[str]


@contextlib.contextmanager
def open_running_video(given, codebook, params, *, run):
    """Open a video that may never end.

    Parameters
    ----------
    given : str
        The index of a camera, `PIPE`, or a video as `idt-extract` takes it.
    codebook : Codebook
        Tracks are extracted with the parameters of its features.
    params : BlockParams
        Options of the encoding, which decide the columns of tracks that are needed.
    run : RunOptions

    Yields
    ------
    RunningVideo

    Raises
    ------
    DataError
        If it cannot be read.
    """
    extraction = ExtractionParams.from_options(**codebook.features)
    columns = tuple(dict.fromkeys((*codebook.sizes, *track_columns_of(params), "frame", "skip", "scale")))
    # The pipeline's threads are the parallelism; OpenCV's own would only compete with them.
    cv2.setNumThreads(1)
    if given == PIPE:
        pipe = FramePipe(sys.stdin.buffer, max_pixels=run.max_pixels)
        with open_video(pipe, params=extraction) as video:
            yield RunningVideo(
                "pipe", pipe.fps, _chunks(features_of(video, extraction, threads=run.threads), columns), pipe.notes
            )
        return
    opening = {"max_pixels": run.max_pixels, "decoder": run.decoder}
    with patience.watching(run.patience, given):
        reader = open_video(camera_or_path(given), params=extraction, **opening)
    with reader as video:
        features = patience.watched(features_of(video, extraction, threads=run.threads), run.patience, given)
        yield RunningVideo(video.name, video.fps, _chunks(features, columns), video.notes)


def _chunks(features, columns):
    frames = 0
    for chunk in features:
        frames += chunk.frames
        # The tracks are rounded as in a feature file, so that a video has the same segments with and without one.
        yield feature_file.rounded(chunk, columns), frames
