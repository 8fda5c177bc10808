"""Extract many videos to feature files, in processes that may die or on a cluster.

A failure is an `Outcome` with its reason, and the other videos go on.
"""

import contextlib
import os
from dataclasses import replace
from pathlib import Path

from idt.batch.extract_one import attempt_job
from idt.batch.outcome import Outcome
from idt.batch.run_jobs import Work, outcome_of, run_jobs
from idt.command import error_line
from idt.features.storage import PLAIN
from idt.workers import cluster, processes
from idt.workers.run_options import RunOptions


def extract_many(jobs, params, *, boxes=None, storage=PLAIN, strict=False, run=RunOptions(), advance=None, make=None):
    """Extract many videos, the longest first. If one fails its `Outcome` has the reason, and the others go on.

    Every video is decoded in a process that may die of it (`idt.workers.processes`), or on a cluster
    (`idt.workers.cluster.connected`). If two runs extract the same videos they share the work: a run skips the job that
    the other one works on, and waits for it at the end.

    Parameters
    ----------
    jobs : list of Job
    params : ExtractionParams or list of ExtractionParams
        Parameters of all jobs, or a list with the parameters of each.
    boxes, storage, strict
        As for `extract_job`.
    run : RunOptions
        On a cluster ``run.jobs`` is ignored. ``run.progress`` is not used, because the videos are in other processes:
        ``advance`` reports how far each has come.
    advance : callable, optional
        Called with the index of a job, the number of frames done since the last call, and the expected number of
        frames, None if unknown. A cluster does not call it.
    make : callable, optional
        Makes the files of a job in place of `extract_job`; it takes no ``storage``.

    Yields
    ------
    index : int
        Index of the job.
    outcome : Outcome
        Outcome of the job; jobs come in the order in which they end.
    """
    each = params if isinstance(params, list) else [params] * len(jobs)
    options = {"boxes": boxes, "strict": strict, "run": run.for_one()}
    options |= {"storage": storage} if make is None else {"make": make}

    def task(index, wait):
        return jobs[index], each[index], {**options, "wait": wait}

    # On this machine the kernels are compiled first, because otherwise every process would compile them.
    prepare = None if cluster.is_connected() else _compile_missing
    yield from run_jobs(
        Work(_attempt, _attempt_on_cluster, task, _for_cluster), jobs, run=run, advance=advance, prepare=prepare
    )


def _compile_missing():
    from idt.batch.precompile import compile_missing

    compile_missing()


def threads_for(count, n_jobs):
    """Return how many of the cores each of ``count`` videos may use if ``n_jobs`` of them are extracted at once.

    Parameters
    ----------
    count, n_jobs : int

    Returns
    -------
    int
        1 for a single video, whose user may have other work for the cores; else at most 2, because more threads gain
        nothing.
    """
    if count == 1:
        return 1
    from joblib import cpu_count

    return max(1, min(2, cpu_count() // min(n_jobs, count)))


def attempt_apart(job, params, **options):
    """Call `attempt_job` in a separate process that this thread owns; if the process dies, the `Outcome` says so.

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
        return outcome_of(job, processes.call(_attempt, job, params, options))
    except OSError as error:  # this machine can start no process
        return Outcome(job, error=error_line(error))


def _attempt(job, params, options, progress=None):
    """Extract one video in a worker process; ``progress`` sends the numbers of frames done and expected."""
    if progress is not None:
        options = {**options, "run": replace(options["run"], progress=_sending_progress(progress))}
    return attempt_job(job, params, compiled=True, **options)


def _sending_progress(send):
    """Return a progress for `RunOptions` that calls ``send`` with the number of frames done and expected."""

    @contextlib.contextmanager
    def progress(stage, total):
        yield lambda count=1: send(count, total)

    return progress


def _attempt_on_cluster(job, params, options):
    """Extract one video on a cluster, in a process of its own, because Dask repeats a task whose worker died."""
    outcome = attempt_apart(job, params, **options)
    if outcome.error is not None and job.output.exists():
        # A worker that was given up for lost may have gone on, and finished first: then its file is up to date.
        outcome = attempt_apart(job, params, **options)
    return outcome


def _for_cluster(job, params, options):
    """Return a task whose paths are absolute."""
    options = {**options, "boxes": cluster.absolute(options["boxes"])}
    if "storage" in options:
        storage = options["storage"]
        maps = storage.network
        if maps is not None:
            maps = replace(maps, models=tuple((cluster.absolute(path), tensors) for path, tensors in maps.models))
        options["storage"] = replace(storage, project=cluster.absolute(storage.project), network=maps)
    job = job._replace(source=cluster.absolute(job.source), output=Path(os.path.abspath(job.output)))
    return job, params, options
