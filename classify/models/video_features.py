"""Interface to the extraction: feature files for the commands that start from videos.

No other module of the classification extracts videos. This one imports the extraction only when a function is called,
because labelling vectors needs no decoder.
"""

import sys
from pathlib import Path
from typing import NamedTuple

from idt.command import warn
from idt.errors import with_name
from idt.params.extraction import ExtractionParams
from idt.workers.in_order import sorted_again


class Task(NamedTuple):
    """A video, or a stretch of one, to extract: its path, its video name, its feature file and the parameters."""

    source: str
    name: str
    output: Path
    params: ExtractionParams


def extract(tasks, run):
    """Extract videos into feature files; those that are up to date are left alone.

    Parameters
    ----------
    tasks : sequence of Task
    run : RunOptions

    Yields
    ------
    idt.batch.outcome.Outcome
        In the order of the tasks. A video that failed has its ``error``; the others go on.
    """
    from idt.batch.extract_many import extract_many
    from idt.batch.extract_one import attempt_job
    from idt.batch.jobs import Job
    from idt.workers import cluster

    videos = [Job(task.source, task.name, task.output) for task in tasks]
    params = [task.params for task in tasks]
    if len(tasks) == 1 and not cluster.is_connected():
        # If the process of the only video dies, the run fails.
        yield attempt_job(videos[0], params[0], run=run.for_one())
        return
    yield from sorted_again(extract_many(videos, params, run=run))


def extract_alone(task, run):
    """Extract one video into its feature file, and show the progress of its frames.

    Parameters
    ----------
    task : Task
    run : RunOptions

    Returns
    -------
    idt.batch.outcome.Outcome
        With its ``error`` if it failed.
    """
    from idt.batch.extract_one import attempt_job
    from idt.batch.jobs import Job

    return attempt_job(Job(task.source, task.name, task.output), task.params, run=run)


def plan(videos, folder, params):
    """Plan tasks for the videos of a command line, named as `idt-extract` names them.

    Parameters
    ----------
    videos : list of str
        Files, patterns, folders of videos or of images.
    folder : Path
        Folder of the feature files.
    params : ExtractionParams

    Returns
    -------
    list of Task

    Raises
    ------
    DataError
        If a folder holds nothing, or two videos have one name.
    """
    from idt.batch.jobs import plan

    return [Task(job.source, job.name, job.output, params) for job in plan(videos, f"{folder}/")]


class OutcomePrinter:
    """Printer of the outcomes of an extraction, on stderr: each failure at once, and unless quiet a summary at the end.

    Parameters
    ----------
    name : str
        Name of the command.
    quiet : bool
    """

    def __init__(self, name, quiet):
        from idt.batch.summary import Notes

        self._name, self._quiet = name, quiet
        self._notes, self._videos = Notes(), 0

    def __call__(self, outcome):
        """Print why the video of an ``outcome`` failed, if it did."""
        self._videos += 1
        self._notes.add(outcome)
        if outcome.error is None:
            return
        from tqdm import tqdm

        with tqdm.external_write_mode(file=sys.stderr):
            warn(f"{self._name}: {with_name(outcome.job.source, outcome.error)}")

    def end(self):
        """Print the summary of the notes."""
        line = self._notes.line(self._videos)
        if line and not self._quiet:
            warn(f"{self._name}: {line}")
