"""Videos to feature files: one, or many with joblib; what is up to date is left alone, what fails is listed."""

import glob
import os
import re
import time
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from idt.command import error_line
from idt.errors import DataError
from idt.suffixes import VIDEOS

DECODED_AHEAD = 2
"""Frames kept decoded with two threads and more."""


class Job(NamedTuple):
    """One video to extract: where it is, its name, where its features go."""

    source: str
    name: str
    output: Path


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


def plan(inputs, output):
    """Pair inputs with outputs.

    Parameters
    ----------
    inputs : list of str
        Video files, folders or patterns of images, the index of a camera; a folder without images stands for all
        videos below it.
    output : str
        A file for a single input; a folder for several, or where it exists as one or ends with a slash. In a folder,
        outputs keep their path relative to the common root of the inputs.

    Returns
    -------
    list of Job
        In the order of the inputs; those of a folder by name.

    Raises
    ------
    DataError
        If an input is an empty folder, two have one name, or the output cannot be a file or folder.

    Notes
    -----
    `files` of the specification: the relative path without suffix is the video name; of a pattern of images, that
    of its folder.
    """
    if output in ("", "-"):
        raise DataError(f"the output must be a file or a folder, got {output!r}: HDF5 cannot be piped")
    sources = [found for given in inputs for found in _expand(given)]
    into_folder = len(sources) > 1 or os.path.isdir(output) or output.endswith(("/", os.sep))
    if not into_folder:
        return [Job(sources[0], _name(sources[0], _root(sources)), Path(output))]
    if os.path.exists(output) and not os.path.isdir(output):
        raise DataError(f"{output} is a file, but several videos need a folder; use another path")
    root = _root(sources)
    jobs: dict[str, Job] = {}
    for source in sources:
        name = _name(source, root)
        if name in jobs:
            raise DataError(f"{source} and {jobs[name].source} have one name, {name!r}; extract them into two folders")
        jobs[name] = Job(source, name, Path(output) / f"{name}.h5")
    return list(jobs.values())


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
    import cv2

    from idt import atomic, hdf5, store
    from idt.ahead import behind
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
                behind(writer.append, threads > 1) as append,
                closing(features_of(video, params, boxes=boxes, threads=threads)) as chunks,
            ):
                for chunk in chunks:
                    append(chunk)
                    tracks, frames = tracks + len(chunk), frames + chunk.frames
                    if progress is not None:
                        progress(chunk.frames, video.n_expected)
            writer.finish(frames, truncation=video.truncation)
        return Outcome(job, tracks, frames, time.perf_counter() - began, tuple(video.notes))


def extract_many(jobs, params, *, n_jobs=1, **options):
    """Extract many videos; a failure is an `Outcome` with its reason, and the rest goes on.

    Parameters
    ----------
    jobs : list of Job
    params : ExtractionParams
    n_jobs : int
        Processes.
    **options
        As for `extract_job`, but for ``progress``.

    Yields
    ------
    Outcome
        As the jobs finish.
    """
    from joblib import Parallel, delayed

    tasks = (delayed(attempt_job)(job, params, **options) for job in jobs)
    yield from Parallel(n_jobs=n_jobs, return_as="generator_unordered")(tasks)


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


def camera_or_path(given):
    """The index of a camera as an int, any other input as it is; a file or folder of that name comes first.

    Parameters
    ----------
    given : str

    Returns
    -------
    int or str
    """
    return int(given) if given.isdecimal() and not os.path.exists(given) else given


def _boxes_of(job, boxes):
    """The box file of a video."""
    return os.path.join(boxes, f"{job.name}.txt") if boxes is not None and os.path.isdir(boxes) else boxes


def _expand(given):
    """The videos that one input stands for."""
    if os.path.isdir(given):
        names = sorted(os.listdir(given))
        below = sorted(str(path) for path in Path(given).rglob("*") if path.suffix.lower() in VIDEOS and path.is_file())
        if below or not names:
            if not below:
                raise DataError(f"{given} is an empty folder: expected videos or images in it")
            return below
        return [given]
    if not os.path.exists(given) and glob.has_magic(given):
        found = sorted(path for path in glob.glob(given, recursive=True) if Path(path).suffix.lower() in VIDEOS)
        return found or [given]
    return [given]


def _root(sources):
    """Folder that all sources lie below."""
    return os.path.commonpath([os.path.dirname(_place(source)) for source in sources])


def _name(source, root):
    """Path relative to the root, without suffix, with forward slashes on any system."""
    place = _place(source)
    relative = Path(os.path.relpath(place, root))
    return relative.as_posix() if os.path.isdir(place) else relative.with_suffix("").as_posix()


def _place(source):
    """Absolute path of a file or folder; of a pattern of images, the folder that it stands in."""
    place = os.path.abspath(source)
    if not os.path.exists(place):
        while glob.has_magic(name := os.path.basename(place)) or re.search(r"%0?\d*d", name):
            place = os.path.dirname(place)
    return place
