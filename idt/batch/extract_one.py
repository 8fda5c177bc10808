"""Extract one video to its feature file, unless that is up to date, or to chunks of features that are not stored."""

import contextlib
import os
import time
from contextlib import closing
from dataclasses import replace

from idt.batch.jobs import camera_or_path
from idt.batch.outcome import Outcome, large_hint
from idt.batch.pool_maps import map_pool
from idt.command import error_line
from idt.errors import DataError
from idt.features.storage import PLAIN
from idt.files import locks, outputs
from idt.frames.suffixes import IMAGES, VIDEOS
from idt.workers import patience
from idt.workers.profile import stage
from idt.workers.run_options import RunOptions

DECODED_AHEAD = 2
"""Frames that are decoded ahead of their use if there are two threads or more."""


def extract_job(job, params, *, boxes=None, storage=PLAIN, strict=False, run=RunOptions(), compiled=False, wait=True):
    """Extract one video into its feature file, unless the file is up to date.

    Parameters
    ----------
    job : Job
    params : ExtractionParams
    boxes : path, optional
        Human boxes, or a folder with ``NAME.txt`` for every video name.
    storage : Storage
        Form of the feature file.
    strict : bool
        Refuse a truncated or damaged video, and an up-to-date feature file of such a video.
    run : RunOptions
        With 2 or more ``threads`` frames are decoded ahead, and rows are written behind. The progress counts frames.
        ``jobs`` is ignored.
    compiled : bool
        Skip compiling missing kernels, because the parent of many processes has done it.
    wait : bool
        If another run makes the file, wait for it. False returns an `Outcome` with ``busy`` instead.

    Returns
    -------
    Outcome

    Raises
    ------
    DataError
        If the input is invalid, or the existing output may not be replaced.
    OSError
        If the output cannot be written.
    """
    with stage("imports"):
        from idt.batch.precompile import compile_missing
        from idt.extractor import load_boxes, source_of
        from idt.features import feature_file
        from idt.imports.opencv import cv2

    began = time.perf_counter()
    # The pipeline's threads are the parallelism; OpenCV's own would only compete with them.
    cv2.setNumThreads(1)
    boxes = boxes_of(job, boxes)
    check_outputs([job], [boxes, storage.project], overwrite=run.overwrite)
    storage = storage.loaded()
    with contextlib.ExitStack() as held:
        # If another run makes this file, the lock waits until it is up to date.
        try:
            held.enter_context(locks.held(files=[job.output], say=run.say, wait=wait))
        except BlockingIOError:
            return Outcome(job, busy=True)
        ahead = DECODED_AHEAD if run.threads > 1 else 0
        video = held.enter_context(_opened(job, params, run, strict=strict, ahead=ahead))
        pool = held.enter_context(map_pool(video, job, params, storage.network, run))
        if pool is not None:
            storage = replace(storage, network=pool.description)
        with stage("digest of the source"):
            boxes = load_boxes(boxes)
            origin = {**source_of(video, boxes), "name": job.name}
        stored = feature_file.stored_params(params, storage)
        if feature_file.is_current(job.output, params=stored, source=origin, overwrite=run.overwrite):
            truncation = feature_file.truncation(job.output)
            if strict and truncation:
                raise DataError(truncation)
            return Outcome(job, notes=(truncation,) if truncation else (), up_to_date=True)
        size = video.width, video.height
        if hint := large_hint(video.name, size, params):
            run.say(hint)
        if not compiled:
            compile_missing()
        try:
            tracks, frames = _write(video, job, params, boxes=boxes, source=origin, storage=storage, run=run, pool=pool)
        except DataError:
            # On a file system without locks another run may have made the same file meanwhile.
            if not feature_file.is_current(job.output, params=stored, source=origin):
                raise
            return Outcome(job, up_to_date=True)
        return Outcome(job, tracks, frames, time.perf_counter() - began, tuple(video.notes), size=size)


def _write(video, job, params, *, boxes, source, storage, run, pool):
    """Extract an opened video into the feature file of a job; return the numbers of tracks and frames."""
    from idt.extractor import features_of
    from idt.features import feature_file
    from idt.workers.read_ahead import write_behind

    tracks = frames = 0
    with feature_file.Writer(
        job.output,
        params=params,
        source=source,
        video=feature_file.VideoInfo(video.width, video.height, video.fps, video.first_frame.index),
        storage=storage,
        overwrite=run.overwrite,
    ) as writer:
        # The chunks are closed before the video is, because their threads read it.
        with (
            stage("frames to tracks, and writing"),
            run.progress("frame", video.n_expected) as update,
            write_behind(writer.append, run.threads > 1) as append,
            closing(features_of(video, params, boxes=boxes, threads=run.threads)) as chunks,
        ):
            for chunk in patience.watched(chunks, run.patience, job.source):
                if pool is not None:
                    chunk = pool.with_blocks(chunk)
                append(chunk)
                tracks, frames = tracks + len(chunk), frames + chunk.frames
                update(chunk.frames)
                del chunk  # before the next one is made
        with stage("last rows and times"):
            writer.finish(frames, truncation=video.fault, maxima=None if pool is None else pool.finish())
    return tracks, frames


def check_outputs(jobs, inputs, *, beside=(), overwrite=False):
    """Refuse jobs whose outputs would overwrite an input or a foreign file (`idt.files.outputs.check`).

    Parameters
    ----------
    jobs : list of Job
    inputs : iterable of path
        Other files that the command reads.
    beside : iterable of path
        Other files that the command writes.
    overwrite : bool or collection of path
        As in `RunOptions`.

    Raises
    ------
    DataError
        As `idt.files.outputs.check`.
    """
    outputs.check(
        [job.output for job in jobs],
        [*(camera_or_path(job.source) for job in jobs), *inputs],
        beside=beside,
        suffixes={*VIDEOS, *IMAGES},
        overwrite=overwrite,
    )


def attempt_job(job, params, make=None, **options):
    """Call `extract_job` for one of many videos; a failure becomes an `Outcome` with its reason.

    Parameters
    ----------
    job : Job
    params : ExtractionParams
    make : callable, optional
        Called in place of `extract_job`, with ``params`` of its own.
    **options
        As for `extract_job`.

    Returns
    -------
    Outcome
    """
    try:
        return (make or extract_job)(job, params, **options)
    except (DataError, OSError, MemoryError) as error:
        return Outcome(job, error=error_line(error))
    except Exception as error:  # a bug, in OpenCV's decoders as likely as here, and no reason to stop the rest
        return Outcome(job, error=f"{type(error).__name__}: {error_line(error)}")


def source_of_job(job, params, *, boxes=None, run=RunOptions()):
    """Return the provenance that the features of a job would have.

    Parameters
    ----------
    job : Job
    params : ExtractionParams
    boxes : path, optional
        As for `extract_job`.
    run : RunOptions
        Only ``max_pixels``, ``decoder`` and ``patience`` are used.

    Returns
    -------
    dict
        As `idt.extractor.source_of`.

    Raises
    ------
    DataError
        If the video cannot be read.
    """
    from idt.extractor import source_of

    with _opened(job, params, run) as video:
        return source_of(video, boxes_of(job, boxes))


def extract_chunks(job, params, *, columns, boxes=None, run=RunOptions(), check=None):
    """Extract one video without a feature file.

    Parameters
    ----------
    job : Job
        Its output is not written.
    params : ExtractionParams
    columns : sequence of str
        The columns that are needed. With ``"position"`` all tracks are held until the last one is known: their times
        are relative to the number of frames.
    boxes
        As for `extract_job`.
    run : RunOptions
        Only ``threads``, ``max_pixels``, ``decoder`` and ``patience`` are used.
    check : callable, optional
        Called with the provenance of the features, as from `source_of_job`, before the first chunk.

    Yields
    ------
    Features
        Chunks of these columns only, with the numbers that a feature file would give back
        (`idt.features.feature_file.rounded`).

    Raises
    ------
    DataError
        If the video cannot be read.
    """
    from idt.extractor import features_of, load_boxes, source_of
    from idt.features import feature_file
    from idt.features.features import Features
    from idt.imports.opencv import cv2

    # OpenCV's threads would only compete with the pipeline's own.
    cv2.setNumThreads(1)
    with _opened(job, params, run) as video:
        boxes = load_boxes(boxes_of(job, boxes))
        if check is not None:
            check(source_of(video, boxes))
        chunks = patience.watched(
            features_of(video, params, boxes=boxes, threads=run.threads), run.patience, job.source
        )
        if "position" in columns:
            whole = Features.concatenate(chunks)
            chunks = iter([whole.with_times(whole.frames)])
        for chunk in chunks:
            yield feature_file.rounded(chunk, columns)


@contextlib.contextmanager
def _opened(job, params, run, **reading):
    """Open the video of a job; the timeout of a frame holds for the first one, too."""
    from idt.frames.video import open_video

    source = camera_or_path(job.source)
    with patience.watching(run.patience, job.source):
        opened = open_video(source, params=params, max_pixels=run.max_pixels, decoder=run.decoder, **reading)
    with opened as video:
        yield video


def boxes_of(job, boxes):
    """Return the file of human boxes of ``job``: ``boxes``, or ``NAME.txt`` in it if it is a folder."""
    return os.path.join(boxes, f"{job.name}.txt") if boxes is not None and os.path.isdir(boxes) else boxes
