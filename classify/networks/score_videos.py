"""Scores of many videos by a network: a score file for each video, so that a run can be resumed, and one for all.

Source: docs/method/networks.md, section 5.
"""

import dataclasses
import functools
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from classify.fusion import score_file
from classify.fusion.scores import Scores
from classify.fusion.write import write_scores
from idt.batch.jobs import camera_or_path
from idt.batch.outcome import Outcome
from idt.batch.run_jobs import Work, outcome_of, run_jobs
from idt.command import error_line
from idt.errors import DataError
from idt.files import locks, provenance
from idt.networks.model import Network
from idt.networks.presets import Preset
from idt.networks.scoring import scores
from idt.networks.views import Opening, measure
from idt.workers import cluster, patience, processes

KINDS = {"logits": "logits", "probabilities": "probabilities", "given": "probabilities"}
"""Kind of the scores by what is averaged."""


@dataclass(frozen=True)
class Recipe:
    """What makes scores of a video.

    Attributes
    ----------
    model : str
        Path of the ONNX file.
    preset : Preset
    tensor : str or None
        Tensor of the scores; the model's first output by default.
    classes : tuple of str
        Names of its columns.
    listed : str
        File of the classes, for messages.
    """

    model: str
    preset: Preset
    tensor: str | None
    classes: tuple[str, ...]
    listed: str = "--classes"

    def network(self):
        """Return the model, which stays open for the next video as long as its file is the same."""
        status = os.stat(self.model)
        return _network(self.model, self.preset, self.tensor, (status.st_mtime_ns, status.st_size, status.st_ino))

    def params(self, network):
        """Return what a score file records and an up-to-date check compares: dict."""
        return {
            "network": network.digest,
            "tensor": network.tensors[0],
            "preset": dataclasses.asdict(self.preset),
            "classes": hashlib.sha256("\n".join(self.classes).encode()).hexdigest(),
        }


@functools.lru_cache(maxsize=1)
def _network(model, preset, tensor, identity):
    network = Network(model, preset=preset, tensors=[tensor] if tensor else [])
    if tensor is None and len(network.tensors) > 1:
        raise DataError(f"{model} has outputs {', '.join(network.tensors)}: name that of the scores with --tensor")
    return network


def score_job(job, recipe, run, *, wait=True):
    """Score one video, unless its file is up to date.

    Parameters
    ----------
    job : idt.batch.jobs.Job
    recipe : Recipe
    run : RunOptions
    wait : bool
        Wait for another run that makes the file, instead of leaving it to that.

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
    params = recipe.params(network)
    try:
        with locks.held(files=[job.output], say=run.say, wait=wait), patience.watching(run.patience, job.source):
            opening = opening.for_preset(source, recipe.preset)
            with opening.opened(source) as video:
                origin = {**video.source, "kind": "videos", "name": job.name}
            wanted = {"format": score_file.SCORES_FORMAT, "version": score_file.SCORES_VERSION, "params": params}
            if provenance.is_current(job.output, **wanted, source=origin, overwrite=run.overwrite):
                return Outcome(job, up_to_date=True)
            measured = measure(source, opening)
            found = scores(network, source, opening=opening, measured=measured)
            if len(found) != len(recipe.classes):
                raise DataError(
                    f"{recipe.model} has {len(found)} classes, but {recipe.listed} names {len(recipe.classes)}; name"
                    " the file that the network was trained with"
                )
            made = Scores(found[None], [job.name], list(recipe.classes), kind=KINDS[recipe.preset.average])
            score_file.save(job.output, made, params=params, source=origin, overwrite=run.overwrite)
    except BlockingIOError:
        return Outcome(job, busy=True)
    return Outcome(job, frames=measured.frames, notes=measured.notes, size=(measured.width, measured.height))


def score_videos(jobs, recipe, run, *, advance=None):
    """Score many videos; a failure is an `Outcome` with its reason, and the others go on.

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
        Of the job.
    outcome : idt.batch.outcome.Outcome
        As the jobs finish.
    """

    def task(index, wait):
        return jobs[index], recipe, run.for_one(), wait

    yield from run_jobs(Work(attempt_job, _attempt_anywhere, task, _anywhere), jobs, run=run, advance=advance)


def attempt_job(job, recipe, run, wait, progress=None):
    """Score one of many videos: a failure is an outcome with its reason.

    Parameters
    ----------
    job, recipe, run, wait
        As for `score_job`.
    progress : callable, optional
        Called with the number of frames when all are done.

    Returns
    -------
    idt.batch.outcome.Outcome
    """
    try:
        outcome = score_job(job, recipe, run, wait=wait)
    except (DataError, OSError, MemoryError) as error:
        return Outcome(job, error=error_line(error))
    except Exception as error:  # a bug, in a decoder or in ONNX Runtime as likely as here, and no reason to stop
        return Outcome(job, error=f"{type(error).__name__}: {error_line(error)}")
    if progress is not None and outcome.frames:
        progress(outcome.frames, outcome.frames)
    return outcome


def _attempt_anywhere(job, *rest):
    try:
        return outcome_of(job, processes.call(attempt_job, job, *rest))
    except OSError as error:  # no process can be started, on this machine
        return Outcome(job, error=error_line(error))


def _anywhere(job, recipe, run, wait):
    """A task with paths that any machine understands."""
    job = job._replace(source=cluster.absolute(job.source), output=Path(os.path.abspath(job.output)))
    return job, dataclasses.replace(recipe, model=cluster.absolute(recipe.model)), run, wait


def join(path, jobs, recipe, *, overwrite=False):
    """Write the scores of all videos into one file.

    Parameters
    ----------
    path : str or Path
    jobs : list of idt.batch.jobs.Job
        Those whose files are there.
    recipe : Recipe
    overwrite : bool or collection of path
        As for `classify.fusion.write.write_scores`.

    Returns
    -------
    classify.fusion.scores.Scores

    Raises
    ------
    DataError
        If a file is damaged, or ``path`` may not be replaced.
    OSError
        If a file cannot be read or written.
    """
    classes = list(recipe.classes)
    rows = []
    for job in jobs:
        found = score_file.load(job.output)
        if found.classes != classes or found.names != [job.name]:
            raise DataError(f"{job.output} holds other classes or videos than this run; {provenance.REMEDY}")
        rows.append(found.values[0])
    made = Scores(np.array(rows), [job.name for job in jobs], classes, kind=KINDS[recipe.preset.average])
    write_scores(path, made, overwrite=overwrite)
    return made
