"""Videos to feature files: one, or many in processes that may die or on a cluster.

What is up to date is left alone, and what fails is an `Outcome` with its reason.
"""

import os
import time
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from idt import atomic, cluster, workers
from idt.bounds import JOBS, THREADS
from idt.command import error_line
from idt.errors import DataError
from idt.jobs import Job, camera_or_path, plan, size_of
from idt.stages import stage

__all__ = [
    "Job",
    "Outcome",
    "attempt_apart",
    "attempt_job",
    "camera_or_path",
    "extract_job",
    "extract_many",
    "plan",
    "source_of_job",
    "stream_job",
    "threads_for",
]

DECODED_AHEAD = 2
"""Frames kept decoded with two threads and more."""


class Outcome(NamedTuple):
    """What became of a job.

    Attributes
    ----------
    job : Job
    tracks, frames : int
    seconds : float
    notes : list of str
    up_to_date : bool
        Nothing was done: the output had been made from the same source with the same parameters.
    error : str or None
        Why it failed, in one line.
    """

    job: Job
    tracks: int = 0
    frames: int = 0
    seconds: float = 0.0
    notes: tuple[str, ...] = ()
    up_to_date: bool = False
    error: str | None = None


def extract_job(
    job,
    params,
    *,
    boxes=None,
    float32=False,
    compact=False,
    project=None,
    strict=False,
    threads=1,
    overwrite=False,
    progress=None,
    compiled=False,
):
    """Extract one video into its feature file, unless the file is up to date.

    Parameters
    ----------
    job : Job
    params : ExtractionParams
    boxes : path, optional
        Human boxes, or a folder with ``NAME.txt`` for every video name.
    float32 : bool
        Store histograms as float32 instead of fixed point.
    compact : bool
        Store points as differences in 1/64 pixel and the trajectory descriptor as float16.
    project : str or Path, optional
        Store descriptors along the axes of this codebook, and little else of the tracks.
    strict : bool
        Refuse a truncated video, and an up-to-date file of one.
    threads : int
        As for `idt.extract`; 2 or more also decode ahead and write behind.
    overwrite : bool
        Replace a file that was made otherwise.
    progress : callable, optional
        Called with the number of frames done since the last call, and how many there will be: None if unknown.
    compiled : bool
        Do not look for kernels to compile beforehand, as one of many processes.

    Returns
    -------
    Outcome

    Raises
    ------
    DataError
        If the input or the existing output does not fit.
    OSError
        If the output cannot be written.
    """
    with stage("imports"):
        import cv2

        from idt import hdf5, store
        from idt.ahead import behind
        from idt.compilation import compile_missing
        from idt.extractor import features_of, source_of
        from idt.video import open_video

    began = time.perf_counter()
    # The pipeline's threads are the parallelism; OpenCV's own would only compete with them.
    cv2.setNumThreads(1)
    boxes = _boxes_of(job, boxes)
    form = {"float32": float32, "compact": compact, "projection": project and store.Projection.load(project)}
    source = camera_or_path(job.source)
    atomic.refuse_input(job.output, source, boxes)
    with open_video(source, params=params, strict=strict, ahead=DECODED_AHEAD if threads > 1 else 0) as video:
        with stage("digest of the source"):
            origin = {**source_of(video, boxes), "name": job.name}
        stored = store.stored_params(params, **form)
        state = hdf5.matches(job.output, format=store.FORMAT, version=store.VERSIONS, params=stored, source=origin)
        if state == "current":
            truncation = store.truncation(job.output)
            if strict and truncation:
                raise DataError(truncation)
            return Outcome(job, notes=(truncation,) if truncation else (), up_to_date=True)
        if state != "absent" and not overwrite:
            raise DataError(state)
        job.output.parent.mkdir(parents=True, exist_ok=True)
        if not compiled:
            compile_missing()
        tracks = frames = 0
        with store.Writer(
            job.output,
            params=params,
            source=origin,
            width=video.width,
            height=video.height,
            fps=video.fps,
            first_frame=video.first_frame.index,
            overwrite=overwrite,
            **form,
        ) as writer:
            # The chunks are closed before the video is, for their threads read it.
            with (
                stage("frames to tracks, and writing"),
                behind(writer.append, threads > 1) as append,
                closing(features_of(video, params, boxes=boxes, threads=threads)) as chunks,
            ):
                for chunk in chunks:
                    append(chunk)
                    tracks, frames = tracks + len(chunk), frames + chunk.frames
                    if progress is not None:
                        progress(chunk.frames, video.n_expected)
                    del chunk  # before the next one is made
            with stage("last rows and times"):
                writer.finish(frames, truncation=video.truncation)
        return Outcome(job, tracks, frames, time.perf_counter() - began, tuple(video.notes))


def extract_many(jobs, params, *, n_jobs=1, threads=1, progress=None, **options):
    """Extract many videos, the longest first; a failure is an `Outcome` with its reason, and the rest goes on.

    Every video is decoded in a process that may die of it (`idt.workers`), or on a cluster (`idt.cluster.connected`).

    Parameters
    ----------
    jobs : list of Job
    params : ExtractionParams or list of ExtractionParams
        For all, or for each.
    n_jobs : int
        Processes; a cluster has as many as it has.
    threads : int
        Of each.
    progress : callable, optional
        Called with the index of a job and what `extract_job` tells; not from a cluster.
    **options
        As for `extract_job`.

    Yields
    ------
    index : int
        Of the job.
    outcome : Outcome
        As the jobs finish.

    Raises
    ------
    DataError
        If a number of processes or threads lies outside its bounds.
    """
    JOBS.check("n_jobs", n_jobs)
    THREADS.check("threads", threads)
    folders: dict[Path, set[str]] = {}
    for job in jobs:
        folders.setdefault(job.output.parent, set()).add(job.output.name)
    for folder, names in folders.items():
        atomic.sweep(folder, names)
    sizes = [size_of(job) for job in jobs]
    each = params if isinstance(params, list) else [params] * len(jobs)
    order = sorted(range(len(jobs)), key=lambda index: -sizes[index])
    options["threads"] = threads
    if cluster.is_connected():
        options.update((name, cluster.absolute(options.get(name))) for name in ("boxes", "project"))
        ended = cluster.run(_attempt_anywhere, ((_anywhere(jobs[index]), each[index], options) for index in order))
    else:
        from idt.compilation import compile_missing

        # Or every process would do it.
        compile_missing()

        def told(place, *counts):
            progress(order[place], *counts)

        tasks = ((jobs[index], each[index], options) for index in order)
        ended = workers.run(
            _attempt, tasks, jobs=n_jobs, threads=threads, progress=None if progress is None else told
        )  # fmt: skip
    for place, result in ended:
        job = jobs[order[place]]
        yield order[place], _outcome(job, result)


def threads_for(count, n_jobs):
    """Threads for each of ``count`` videos of which ``n_jobs`` are extracted at once: as many as there are cores for.

    Parameters
    ----------
    count, n_jobs : int

    Returns
    -------
    int
        1 for a single video, whose user may have other work for the cores; at most 2, for more gain nothing.
    """
    if count == 1:
        return 1
    from joblib import cpu_count

    return max(1, min(2, cpu_count() // min(n_jobs, count)))


def attempt_job(job, params, **options):
    """`extract_job` for one of many videos: a failure is an `Outcome` with its reason, so that the others go on.

    Parameters
    ----------
    job : Job
    params : ExtractionParams
    **options
        As for `extract_job`.

    Returns
    -------
    Outcome
    """
    try:
        return extract_job(job, params, **options)
    except (DataError, OSError, MemoryError) as error:
        return Outcome(job, error=error_line(error))
    except Exception as error:  # a bug, in OpenCV's decoders as likely as here, and no reason to stop the rest
        return Outcome(job, error=f"{type(error).__name__}: {error_line(error)}")


def attempt_apart(job, params, **options):
    """`attempt_job` in a process that this thread keeps for the purpose: should it die, that is the `Outcome`.

    Parameters
    ----------
    job : Job
    params : ExtractionParams
    **options
        As for `extract_job`.

    Returns
    -------
    Outcome
    """
    try:
        return _outcome(job, workers.call(_attempt, job, params, options))
    except OSError as error:  # no process can be started, on this machine
        return Outcome(job, error=error_line(error))


def source_of_job(job, params, *, boxes=None):
    """What the features of a video would be made from.

    Parameters
    ----------
    job : Job
    params : ExtractionParams
    boxes : path, optional
        As for `extract_job`.

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
    from idt.video import open_video

    with open_video(camera_or_path(job.source), params=params) as video:
        return source_of(video, _boxes_of(job, boxes))


def stream_job(job, params, *, columns, boxes=None, threads=1):
    """Extract one video without storing it.

    Parameters
    ----------
    job : Job
        Its output is not written.
    params : ExtractionParams
    columns : sequence of str
        The columns that are needed. With ``"position"`` all tracks are held until the last one is known: their times
        are relative to the number of frames.
    boxes, threads
        As for `extract_job`.

    Yields
    ------
    Features
        Chunks of these columns only, with the numbers that a feature file would give back (`idt.store.rounded`).

    Raises
    ------
    DataError
        If the video cannot be read.
    """
    import cv2

    from idt import store
    from idt.extractor import features_of
    from idt.features import Features
    from idt.video import open_video

    # As for `extract_job`.
    cv2.setNumThreads(1)
    with open_video(camera_or_path(job.source), params=params) as video:
        chunks = features_of(video, params, boxes=_boxes_of(job, boxes), threads=threads)
        if "position" in columns:
            whole = Features.concatenate(chunks)
            chunks = iter([whole.timed(whole.frames)])
        for chunk in chunks:
            yield store.rounded(chunk, columns)


def _attempt(job, params, options, progress=None):
    return attempt_job(job, params, progress=progress, compiled=True, **options)


def _attempt_anywhere(job, params, options):
    """A task of a cluster. What kills a decoder kills its process only, so that Dask need not try it four times."""
    outcome = attempt_apart(job, params, **options)
    if outcome.error is not None and job.output.exists():
        # A worker that was given up for lost may have gone on, and finished first: then its file is up to date.
        outcome = attempt_apart(job, params, **options)
    return outcome


def _anywhere(job):
    """The job with paths that any machine understands."""
    return job._replace(source=cluster.absolute(job.source), output=Path(os.path.abspath(job.output)))


def _outcome(job, result):
    """An `Outcome` of the job as it was asked for, also where its process died."""
    if not isinstance(result, workers.Lost):
        return result._replace(job=job)
    atomic.sweep(job.output.parent, [job.output.name])
    return Outcome(job, error=result.reason)


def _boxes_of(job, boxes):
    """The box file of a video."""
    return os.path.join(boxes, f"{job.name}.txt") if boxes is not None and os.path.isdir(boxes) else boxes
