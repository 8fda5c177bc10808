"""Running of a network over many videos; each gives a file, so that a run can be resumed.

A `Recipe` makes the file of a video. Source: docs/method/networks.md, sections 5 and 6.
"""

import dataclasses
import functools
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from idt.batch.jobs import camera_or_path
from idt.batch.outcome import Outcome
from idt.batch.run_jobs import Work, outcome_of, run_jobs
from idt.command import error_line
from idt.errors import DataError
from idt.files import locks
from idt.networks.model import Network
from idt.networks.presets import Preset
from idt.networks.views import Opening, measure
from idt.workers import cluster, patience, processes


class VideoTask(NamedTuple):
    """Arguments of `Recipe.write`.

    Attributes
    ----------
    network : Network
    video : path or int
    name : str
        Video name.
    output : Path
    params : dict
        As from `Recipe.params`.
    """

    network: Any
    video: Any
    name: str
    output: Path
    params: dict


@dataclass(frozen=True)
class Recipe:
    """Recipe of the file of a video.

    Attributes
    ----------
    model : str
        Path of the ONNX file.
    preset : Preset
    tensors : tuple of str
        The wanted tensors; the model's outputs by default.
    """

    model: str
    preset: Preset
    tensors: tuple[str, ...] = ()

    def network(self):
        """Return the model, from a cache unless its file has changed."""
        status = os.stat(self.model)
        return _network(self.model, self.preset, self.tensors, (status.st_mtime_ns, status.st_size, status.st_ino))

    def with_absolute_paths(self):
        """Return the recipe with absolute paths, for another machine."""
        return dataclasses.replace(self, model=cluster.absolute(self.model))

    def params(self, network):
        """Return the parameters that a file records and the up-to-date check compares: dict."""
        raise NotImplementedError

    def is_current(self, path, params, source, *, overwrite):
        """Tell whether the file at ``path`` is up to date."""
        raise NotImplementedError

    def write(self, task, measured, *, opening, source, overwrite):
        """Write the file of a video.

        Parameters
        ----------
        task : VideoTask
        measured : Measured
        opening : Opening
        source : dict
            Provenance of the video, which the file records.
        overwrite : bool or collection of path
        """
        raise NotImplementedError


@functools.lru_cache(maxsize=2)
def _network(model, preset, tensors, identity):
    return Network(model, preset=preset, tensors=list(tensors))


def run_job(job, recipe, run, *, wait=True):
    """Make the file of one video, unless it is up to date.

    Parameters
    ----------
    job : idt.batch.jobs.Job
    recipe : Recipe
    run : RunOptions
    wait : bool
        Whether to wait while another run makes the file; otherwise the outcome is ``busy``.

    Returns
    -------
    idt.batch.outcome.Outcome

    Raises
    ------
    DataError
        If the video or the model does not fit, or the existing file may not be replaced.
    OSError
        If the file cannot be written.
    """
    network = recipe.network()
    source = camera_or_path(job.source)
    opening = Opening(max_pixels=run.max_pixels, decoder=run.decoder)
    task = VideoTask(network, source, job.name, job.output, recipe.params(network))
    try:
        with locks.held(files=[job.output], say=run.say, wait=wait), patience.watching(run.patience, job.source):
            opening = opening.for_preset(source, recipe.preset)
            with opening.opened(source) as video:
                origin = {**video.source, "kind": "videos", "name": job.name}
            if recipe.is_current(job.output, task.params, origin, overwrite=run.overwrite):
                return Outcome(job, up_to_date=True)
            measured = measure(source, opening)
            recipe.write(task, measured, opening=opening, source=origin, overwrite=run.overwrite)
    except BlockingIOError:
        return Outcome(job, busy=True)
    return Outcome(job, frames=measured.frames, notes=measured.notes, size=(measured.width, measured.height))


def run_videos(jobs, recipe, run, *, advance=None):
    """Make the files of many videos; a failure gives an `Outcome` with its reason.

    Parameters
    ----------
    jobs : list of idt.batch.jobs.Job
    recipe : Recipe
    run : RunOptions
    advance : callable, optional
        As for `idt.batch.run_jobs.run_jobs`.

    Yields
    ------
    index : int
        Index of the job.
    outcome : idt.batch.outcome.Outcome
        As the jobs finish.
    """

    def task(index, wait):
        return jobs[index], recipe, run.for_one(), wait

    work = Work(attempt_job, _attempt_on_worker, task, _with_absolute_paths)
    yield from run_jobs(work, jobs, run=run, advance=advance)


def attempt_job(job, recipe, run, wait, progress=None):
    """Make the file of one of many videos: a failure gives an outcome with its reason.

    Parameters
    ----------
    job, recipe, run, wait
        As for `run_job`.
    progress : callable, optional
        Called once, when the video is done, with its number of frames as both done and total.

    Returns
    -------
    idt.batch.outcome.Outcome
    """
    try:
        outcome = run_job(job, recipe, run, wait=wait)
    except (DataError, OSError, MemoryError) as error:
        return Outcome(job, error=error_line(error))
    except Exception as error:  # a bug here, in a decoder or in ONNX Runtime: go on with the others
        return Outcome(job, error=f"{type(error).__name__}: {error_line(error)}")
    if progress is not None and outcome.frames:
        progress(outcome.frames, outcome.frames)
    return outcome


def _attempt_on_worker(job, *rest):
    """Make the file in a child process of a cluster's worker."""
    try:
        return outcome_of(job, processes.call(attempt_job, job, *rest))
    except OSError as error:  # this machine cannot start a process
        return Outcome(job, error=error_line(error))


def _with_absolute_paths(job, recipe, run, wait):
    """Return a task with absolute paths, for another machine."""
    job = job._replace(source=cluster.absolute(job.source), output=Path(os.path.abspath(job.output)))
    return job, recipe.with_absolute_paths(), run, wait
