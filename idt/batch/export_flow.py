"""Write the flow files of one video, unless they are up to date, and verify the flow files of a folder."""

import contextlib
import os
import time
from pathlib import Path

from idt.batch.extract_one import boxes_of
from idt.batch.jobs import camera_or_path
from idt.batch.outcome import Outcome
from idt.batch.verify import Finding, source_is_there
from idt.command import error_line
from idt.errors import DataError
from idt.files import locks, outputs, provenance
from idt.flows import record
from idt.flows.layouts import LAYOUTS, units_of
from idt.frames.suffixes import IMAGES, VIDEOS
from idt.params.flow_export import recorded_params
from idt.workers import patience
from idt.workers.run_options import RunOptions


def export_job(job, params, *, boxes=None, strict=False, run=RunOptions(), compiled=False, wait=True):
    """Write the flow files of one video, unless they are up to date.

    Parameters
    ----------
    job : Job
        Its output is the record (`idt.flows.record.path_of`).
    params : (ExtractionParams, FlowExportParams, str)
        Parameters of the flow, parameters of the files, and the output folder.
    boxes, strict, run, compiled, wait
        As for `idt.batch.extract_one.extract_job`.

    Returns
    -------
    Outcome
        ``tracks`` is the number of flows.

    Raises
    ------
    DataError
        If the input is invalid, or existing files may not be replaced.
    OSError
        If the files cannot be written.
    """
    from idt.batch.precompile import compile_missing
    from idt.extractor import load_boxes, source_of
    from idt.flows.export import export
    from idt.flows.frames import open_flow_video
    from idt.imports.opencv import cv2

    params, wanted_files, folder = params
    began = time.perf_counter()
    # OpenCV's threads would only compete with the pipeline's own.
    cv2.setNumThreads(1)
    boxes = boxes_of(job, boxes)
    check_flow_outputs([job], wanted_files, folder, [boxes], overwrite=run.overwrite)
    with contextlib.ExitStack() as held:
        job.output.parent.mkdir(parents=True, exist_ok=True)
        try:
            held.enter_context(locks.held(files=[job.output], say=run.say, wait=wait))
        except BlockingIOError:
            return Outcome(job, busy=True)
        reading = {"max_pixels": run.max_pixels, "decoder": run.decoder, "ahead": 2 if run.threads > 1 else 0}
        with patience.watching(run.patience, job.source):
            opened = open_flow_video(camera_or_path(job.source), params, wanted_files, strict=strict, **reading)
        video = held.enter_context(opened)
        boxes = load_boxes(boxes)
        origin = {**source_of(video, boxes), "name": job.name}
        stored = provenance.as_json_values(recorded_params(params, wanted_files))
        wanted = record.Record(stored, origin, record.made_with(stored, origin), 0, 0, (0, 0), {}, False)
        if record.is_current(job.output, wanted, overwrite=run.overwrite):
            found = record.read(job.output)
            truncation = found.source.get("truncation")
            if strict and truncation:
                raise DataError(truncation)
            return Outcome(job, found.flows, found.images, notes=(truncation,) if truncation else (), up_to_date=True)
        if not compiled:
            compile_missing()
        with run.progress("frame", video.n_expected) as update:

            def progress(frames):
                for item in patience.watched(frames, run.patience, job.source):
                    yield item
                    update()

            made = export(video, folder, job.name, params, wanted_files, boxes=boxes, wanted=wanted, progress=progress)
        if video.fault is not None:
            made = made._replace(source={**made.source, "truncation": video.fault})
            record.write(job.output, made)
        size = (video.width, video.height)
        return Outcome(job, made.flows, made.images, time.perf_counter() - began, tuple(video.notes), size=size)


def check_flow_outputs(jobs, export, folder, inputs, *, beside=(), overwrite=False):
    """Refuse jobs whose outputs would overwrite an input or a foreign file.

    Parameters
    ----------
    jobs : list of Job
    export : FlowExportParams
    folder : str or Path
        The output folder.
    inputs : iterable of path
        Other files that the command reads.
    beside : iterable of path
        Files that are written besides the flow files.
    overwrite : bool or collection of path
        As in `RunOptions`.

    Raises
    ------
    DataError
        If an output is an input, is a folder that holds an input, or lies in a folder that is an input.
    """
    read = [*(camera_or_path(job.source) for job in jobs), *inputs]
    suffixes = {*VIDEOS, *IMAGES}
    records = [job.output for job in jobs]
    outputs.check(records, read, beside=beside, suffixes=suffixes, overwrite=overwrite, unmarked=True)
    units = [Path(folder) / unit for job in jobs for unit in units_of(export.layout, job.name, rgb=export.rgb)]
    if LAYOUTS[export.layout].form in ("npy", "h5"):
        outputs.check(units, read, suffixes=suffixes, unmarked=True)
        return
    # One file stands for all files of its folder.
    outputs.check([unit / "flow_x_00001.jpg" for unit in units], read, suffixes=suffixes, unmarked=True)
    places = {os.path.realpath(unit): unit for unit in units}
    for given in read:
        place = os.path.realpath(given) if isinstance(given, str | os.PathLike) and os.path.lexists(given) else ""
        while place not in ("", "/"):
            if place in places:
                raise DataError(f"{places[place]} is an input of this run and would be lost; use another path")
            place = os.path.dirname(place)


def check_flow_files(folder, path):
    """Verify all flow files of a video.

    Parameters
    ----------
    folder : str or Path
        The output folder.
    path : Path
        Path of the record.

    Returns
    -------
    Finding
    """
    try:
        found = record.read(path)
        if not found.complete:
            raise DataError(f"{path}: a run that was killed left the flow files unfinished; run idt-flow again")
        for unit, digest in found.units.items():
            place = Path(folder) / unit
            if not place.exists():
                raise DataError(f"{place} is gone; run idt-flow again")
            if provenance.digest(place) != digest:
                raise DataError(f"{place} has changed since it was written; remove it and run idt-flow again")
        there = source_is_there(path, found.source)
    except (DataError, OSError) as problem:
        return Finding(path, error_line(problem))
    return Finding(path, None, there)
