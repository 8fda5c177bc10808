"""Videos to vectors in one pass, with a given codebook; no feature file is stored."""

from dataclasses import replace
from pathlib import Path

from encoding.descriptors.inputs import combine_digests
from encoding.encode import encode_video, layout_of, width_of
from encoding.encode_files import WrittenVectors
from encoding.pipeline import FileResult, vectors_identity
from encoding.vectors_file import VectorsWriter
from idt.command import error_line
from idt.errors import DataError
from idt.files import hdf5, locks, outputs
from idt.files.provenance import as_json_values, is_current
from idt.frames.suffixes import IMAGES, VIDEOS
from idt.params.decoder import chosen_decoder
from idt.workers.in_order import in_order_or_lost
from idt.workers.processes import Lost
from idt.workers.profile import stage
from idt.workers.run_options import RunOptions


class Failure(str):
    """Reason that a video has no vector, in one line."""


def encode_videos(videos, output, codebook, params, *, run=RunOptions()):
    """Extract and encode videos in one pass, unless the vectors are up to date.

    Parameters
    ----------
    videos : list of encoding.descriptors.sources.VideoSource
    output : str or Path
        Vectors file; it gets the videos that can be read.
    codebook, params, run
        As `encoding.pipeline.encode`.

    Returns
    -------
    made : FileResult
    failed : dict of str to str
        Reason that a video has no vector, by the video's name. The file records the names, so that it is not up to date
        while a video is missing.

    Raises
    ------
    DataError
        If the output exists and was made otherwise, or no video can be read.
    OSError
        If the output cannot be written.

    Notes
    -----
    The vectors equal those of `idt-extract` and a later `encoding.pipeline.encode`, bit by bit.
    """
    outputs.check([output], _files_read(videos), suffixes={*VIDEOS, *IMAGES}, overwrite=run.overwrite)
    found = {}
    with stage("digests of the videos"), run.progress("file", len(videos)) as update:
        asked = ((_digest, video) for video in videos)
        for video, outcome in zip(videos, _attempts(asked, run.jobs), strict=True):
            found[video.name] = outcome
            update()
    failed = {name: str(outcome) for name, outcome in found.items() if isinstance(outcome, Failure)}
    source = {"kind": "videos", "digest": combine_digests(found), "codebook": codebook.digest}
    source["decoder"] = chosen_decoder(run.decoder)
    missing = {"missing": sorted(failed)} if failed else {}
    with locks.held(files=[output], say=run.say):
        # A repeated run may replace vectors that lack a video, because that video's process may have been killed.
        overwrite = run.overwrite or _lacks_videos(output, vectors_identity(params), codebook, found)
        if is_current(output, **vectors_identity(params), source={**source, **missing}, overwrite=overwrite):
            return FileResult(Path(output), None, True), failed
        layout, empty, done = layout_of(codebook, params), [], 0
        made_of = {"layout": layout, "codebook": codebook.digest, "params": params, "source": source}
        left = [replace(video, content=found[video.name]) for video in videos if video.name not in failed]
        tasks = ((encode_video, video, codebook, params, run.threads) for video in left)
        with (
            stage("videos to vectors"),
            run.progress("video", len(left)) as update,
            VectorsWriter(output, **made_of, overwrite=overwrite) as writer,
        ):
            for video, outcome in zip(left, _attempts(tasks, run.jobs), strict=True):
                name = video.name
                update()
                if isinstance(outcome, Failure):
                    failed[name] = str(outcome)
                    continue
                writer.append(name, outcome.vector, empty=not outcome.n_tracks)
                done += 1
                if not outcome.n_tracks:
                    empty.append(name)
            if not done:
                name, reason = next(iter(failed.items()))
                raise DataError(f"none of {len(videos)} videos can be read; {name}: {reason}")
            writer.record_missing(failed)
        return FileResult(Path(output), WrittenVectors(done, width_of(layout), empty), False), failed


def _files_read(videos):
    """Return the files that an encoding of videos reads: the videos and their boxes."""
    from idt.batch.extract_one import boxes_of
    from idt.batch.jobs import camera_or_path

    found = [camera_or_path(video.job.source) for video in videos]
    return [*found, *(boxes_of(video.job, video.boxes) for video in videos)]


def _lacks_videos(output, identity, codebook, names):
    """Tell whether an output holds vectors made in the same way, but lacks some of these videos."""
    try:
        with hdf5.open_checked(output, format=identity["format"], versions=identity["version"]) as file:
            missing = (hdf5.json_attribute(file, "source") or {}).get("missing") or []
            there = hdf5.read(file, "names", shape=(None,), dtype=str)
            alike = hdf5.attribute(file, "codebook", str) == codebook.digest
            return (
                alike
                and hdf5.json_attribute(file, "params") == as_json_values(identity["params"])
                and bool(missing)
                and ({*there, *missing} == {*names})
            )
    except (DataError, OSError, TypeError):
        return False


def _digest(video):
    """Return the digest of a video; processes need a function at module level."""
    return video.digest()


def _attempts(tasks, jobs):
    """Yield the outcome of `_attempt` for each task, a `Failure` if the task's process dies."""
    for outcome in in_order_or_lost(_attempt, tasks, jobs):
        yield Failure(outcome.reason) if isinstance(outcome, Lost) else outcome


def _attempt(function, *arguments):
    """Return the result, or a `Failure`, so that the other videos go on."""
    try:
        return function(*arguments)
    except (DataError, OSError, MemoryError) as error:
        return Failure(error_line(error))
    except Exception as error:  # a bug, in OpenCV's decoders as likely as here, and no reason to stop the rest
        return Failure(f"{type(error).__name__}: {error_line(error)}")
