"""Run jobs in processes that may die or on a cluster; several runs can share the jobs.

`extract_many` and the command idt-net use this. A failure is an `Outcome` with its reason, and the others go on.
"""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from idt.batch.jobs import size_of
from idt.batch.outcome import Outcome
from idt.files import atomic
from idt.workers import cluster, processes


class Work(NamedTuple):
    """The functions that do one job, in a process of this machine or on a cluster.

    Attributes
    ----------
    attempt : callable
        Importable by its module's name. Called with the arguments of a task and, in a process of this machine, with
        ``progress``; returns an `Outcome`.
    attempt_on_cluster : callable
        The same for a worker of a cluster, without progress.
    task : callable
        Called with the index of a job and whether to wait for another run that makes its output; returns the arguments
        of its task.
    for_cluster : callable
        Called with these arguments; returns them with absolute paths, which are valid on all machines.
    """

    attempt: Callable
    attempt_on_cluster: Callable
    task: Callable
    for_cluster: Callable


def run_jobs(work, jobs, *, run, advance=None, prepare=None):
    """Run jobs, the longest first.

    Jobs that another run is working on are skipped, and waited for at the end.

    Parameters
    ----------
    work : Work
    jobs : list of Job
    run : RunOptions
    advance : callable, optional
        Called with the index of a job, the number of frames done since the last call, and the expected number of
        frames, None if unknown. A cluster does not call it.
    prepare : callable, optional
        Called before the jobs are run, and again before the run waits for jobs of another run.

    Yields
    ------
    index : int
        Index of the job.
    outcome : Outcome
        Outcome of the job; jobs come in the order in which they end.
    """
    folders: dict[Path, set[str]] = {}
    for job in jobs:
        folders.setdefault(job.output.parent, set()).add(job.output.name)
    for folder, names in folders.items():
        atomic.sweep(folder, names)
    sizes = [size_of(job) for job in jobs]
    left, wait = sorted(range(len(jobs)), key=lambda index: -sizes[index]), False
    while left:
        busy = []
        tasks = [work.task(index, wait) for index in left]
        tell = None if advance is None else functools.partial(_tell, advance, left)
        if prepare is not None:
            prepare()
        for place, result in _ended(work, tasks, run, tell):
            outcome = outcome_of(jobs[left[place]], result)
            if outcome.busy:
                busy.append(left[place])
            else:
                yield left[place], outcome
        if busy:
            run.say(f"videos left to another run, which is waited for: {len(busy)} of {len(jobs)}")
        left, wait = busy, True


def _ended(work, tasks, run, tell):
    """Yield index and result of the tasks as they end, on this machine or on a cluster."""
    if cluster.is_connected():
        return cluster.run(work.attempt_on_cluster, (work.for_cluster(*task) for task in tasks))
    return processes.run(work.attempt, tasks, jobs=run.jobs, threads=run.threads, progress=tell)


def _tell(advance, indices, place, *counts):
    advance(indices[place], *counts)


def outcome_of(job, result):
    """Return the outcome of a ``job`` from its ``result``; a process that died is a failure."""
    if not isinstance(result, processes.Lost):
        return result._replace(job=job)
    atomic.sweep(job.output.parent, [job.output.name])
    return Outcome(job, error=result.reason)
