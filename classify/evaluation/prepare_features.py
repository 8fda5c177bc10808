"""The features of a data set: a feature file for each clip, extracted once, and the clips that failed."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path

from classify.datasets import splits
from classify.datasets.dataset import Dataset
from classify.evaluation.cost_ledger import Stage, measured, record, recorded
from classify.evaluation.resume import refuse_other_features
from classify.models.video_features import Task, extract
from encoding.descriptors.inputs import digests
from encoding.descriptors.sources import FileSource
from idt.errors import DataError
from idt.params.extraction import ExtractionParams
from idt.workers.run_options import RunOptions


@dataclass(frozen=True)
class Prepared:
    """A data set with its features.

    Attributes
    ----------
    dataset : Dataset
        Without the clips that failed.
    extraction : ExtractionParams
    files : dict of str to FileSource
        Video name → feature file.
    digests : dict of str to str
        Video name → digest of its feature file.
    failed : dict of str to str
        Clips that could not be extracted, and why.
    up_to_date : bool
        Whether all feature files were up to date.
    seconds : float
        Wall time of the extraction, in this run and those before it.
    """

    dataset: Dataset
    extraction: ExtractionParams
    files: dict[str, FileSource]
    digests: dict[str, str]
    failed: dict[str, str]
    up_to_date: bool
    seconds: float


def prepare(dataset, folder, extraction, *, run=RunOptions(), on_outcome=None):
    """Make a feature file of every clip of a set, unless it is up to date.

    Parameters
    ----------
    dataset : Dataset
    folder : str or Path
        Folder of the feature files.
    extraction : ExtractionParams
    run, on_outcome
        As `classify.evaluation.evaluate.evaluate`.

    Returns
    -------
    Prepared

    Raises
    ------
    DataError, OSError
        As `classify.evaluation.evaluate.evaluate`.
    """
    tasks = _tasks(dataset, extraction, Path(folder))
    # A file with the folder's name is refused here, in one line, and not clip by clip.
    Path(folder).mkdir(parents=True, exist_ok=True)
    if not run.overwrite:
        refuse_other_features(tasks, run.decoder)
    stage, outcomes = Stage("extraction", Path(folder), extraction), []
    with measured(stage) as cost, run.progress("video", len(tasks)) as update:
        for outcome in extract(tasks, run):
            outcomes.append(outcome)
            if on_outcome is not None:
                on_outcome(outcome)
            update()
    extracted = any(not (outcome.up_to_date or outcome.error) for outcome in outcomes)
    if extracted:
        record(stage, cost, overwrite=run.overwrite)
    failed = {outcome.job.name: outcome.error for outcome in outcomes if outcome.error is not None}
    dataset = dataset.without(failed)
    splits.check_splits(dataset.splits, dataset.labels)
    files = {task.name: FileSource(task.output, task.name) for task in tasks if task.name not in failed}
    with run.progress("file", len(files)) as update:
        found = digests(list(files.values()), update=update)
    return Prepared(dataset, extraction, files, found, failed, not extracted, recorded(stage).seconds)


def _tasks(dataset, extraction, folder):
    """List the extraction tasks; a stretch of a video is extracted as if it were a whole video."""
    tasks = []
    for clip in dataset.clips:
        params = extraction
        if clip.first_frame is not None:
            if (extraction.start, extraction.end) != (ExtractionParams.start, ExtractionParams.end):
                raise DataError(
                    f"{dataset.name} is cut into sub-sequences, each with its frames; leave --start and --end out"
                )
            params = dataclasses.replace(extraction, start=clip.first_frame, end=clip.last_frame)
        tasks.append(Task(str(clip.path), clip.name, folder / f"{clip.name}.h5", params))
    return tasks
