"""The evaluation of a data set, from its videos to its report.

1. Every clip becomes a feature file.
2. Of each split a codebook is fitted on the training videos only; the files are sampled once for all splits.
3. The split's videos are encoded with it.
4. A classifier is trained on the training vectors, and one on each block of them; they score the test videos.
5. The report.

All of it is kept below one folder and made once: a run that was interrupted goes on where it stopped, and one that is
repeated changes nothing. What was made otherwise is refused, most of it before any work is done.

Source: spec, encoding 1 to 8; spec, "Datasets: layout, splits, metric".
"""

import contextlib
import dataclasses
import time
from dataclasses import dataclass
from pathlib import Path

from classify import report, splits
from classify.clips import groups_of
from classify.counting import Fold
from classify.extraction import Task, extract
from classify.folds import FoldFiles, folder_name
from classify.params import ClassifierParams
from classify.report import Written
from classify.resuming import earlier_report, is_repeated, refuse_other_features, settings_of
from encoding.batch import no_progress
from encoding.codebook import Codebook
from encoding.inputs import Inputs, digests
from encoding.params import EncodingParams
from idt.errors import DataError
from idt.params import ExtractionParams


@dataclass(frozen=True)
class Evaluation:
    """What an evaluation found.

    Attributes
    ----------
    report : dict
        As from `classify.report.assemble`.
    written : Written
        The files of the report, and what could not be written.
    failed : dict of str to str
        Clips that could not be extracted, and why.
    up_to_date : bool
        Nothing was done: all was there from an earlier run.
    """

    report: dict
    written: Written
    failed: dict[str, str]
    up_to_date: bool


class Stages:
    """Wall time by stage, in seconds; ``with stages("encoding"):`` adds what happens in the block."""

    def __init__(self):
        self.seconds: dict[str, float] = {}

    @contextlib.contextmanager
    def __call__(self, stage):
        """Add the time of the block to that of the stage."""
        began = time.perf_counter()
        yield
        self.seconds[stage] = self.seconds.get(stage, 0.0) + time.perf_counter() - began


def evaluate(
    dataset,
    output,
    *,
    extraction=None,
    encoding=None,
    classifier=None,
    features=None,
    jobs=1,
    threads=1,
    overwrite=False,
    progress=no_progress,
    seen=None,
):
    """Evaluate a data set.

    Parameters
    ----------
    dataset : Dataset
        As from `classify.datasets.read`.
    output : str or Path
        Folder of everything that is made.
    extraction : ExtractionParams, optional
    encoding : EncodingParams, optional
    classifier : ClassifierParams, optional
        The standard recipe by default, all three.
    features : str or Path, optional
        Folder of the feature files; by default ``features`` in the output.
    jobs : int
        Videos at once, in processes.
    threads : int
        Threads for each. No number depends on these two.
    overwrite : bool
        Replace what was made otherwise.
    progress : callable
        Like `encoding.batch.no_progress`.
    seen : callable, optional
        Called with the `idt.batch.Outcome` of every clip.

    Returns
    -------
    Evaluation
        Clips that failed are left out of the splits, and listed among those skipped.

    Raises
    ------
    DataError
        If the output was made otherwise, no clip can be used, or a split cannot be evaluated.
    OSError
        If something cannot be read or written.
    """
    extraction, encoding = extraction or ExtractionParams(), encoding or EncodingParams()
    classifier = classifier or ClassifierParams()
    output, stages = Path(output), Stages()
    settings = settings_of(dataset, extraction=extraction, encoding=encoding, classifier=classifier)
    earlier = earlier_report(output / "report.json", settings, overwrite=overwrite)
    workers = {"jobs": jobs, "threads": threads}

    tasks = _tasks(dataset, extraction, Path(features or output / "features"))
    if not overwrite:
        refuse_other_features(tasks)
    with stages("extraction"), progress("video", len(tasks)) as update:
        outcomes = []
        for outcome in extract(tasks, **workers, overwrite=overwrite):
            outcomes.append(outcome)
            if seen is not None:
                seen(outcome)
            update()
    failed = {outcome.job.name: outcome.error for outcome in outcomes if outcome.error is not None}
    dataset = dataset.without(failed)
    splits.check(dataset.splits, dataset.labels)
    files = {task.name: task.output for task in tasks if task.name not in failed}

    with stages("digests"), progress("file", len(files)) as update:
        found = digests(files.values(), files, update=update)
        folds = [
            FoldFiles(
                output / "folds" / folder_name(number, split),
                split,
                dataset.labels,
                groups_of(dataset.clips),
                found,
                encoding=encoding,
                classifier=classifier,
                overwrite=overwrite,
            )
            for number, split in enumerate(dataset.splits, start=1)
        ]
    with stages("codebooks"):
        _fit_codebooks(folds, files, encoding, progress=progress, **workers)
    scores = [_scores(fold, files, stages, progress=progress, **workers) for fold in folds]

    made = report.assemble(
        dataset,
        [Fold(fold.split, of.classes, of.scores, of.probabilities) for fold, of in zip(folds, scores, strict=True)],
        per_descriptor={
            block: [Fold(fold.split, of.classes, of.descriptors[block]) for fold, of in zip(folds, scores, strict=True)]
            for block in scores[0].descriptors
        },
        settings=settings,
        seconds=stages.seconds,
        empty=set().union(*(of.empty for of in scores)),
    )
    idle = all(fold.scored for fold in folds) and all(it.up_to_date or it.error is not None for it in outcomes)
    if idle and is_repeated(made, earlier):
        return Evaluation(earlier, Written([output / "report.md", output / "report.json"], []), failed, True)
    return Evaluation(made, report.write(output, made, overwrite=True), failed, False)


def _tasks(dataset, extraction, folder):
    """What to extract; a stretch of a video as if it were all there is."""
    tasks = []
    for clip in dataset.clips:
        params = extraction
        if clip.first_frame is not None:
            if (extraction.start, extraction.end) != (ExtractionParams.start, ExtractionParams.end):
                raise DataError(f"{dataset.name} is cut into sub-sequences, which leaves nothing to start and end")
            params = dataclasses.replace(extraction, start=clip.first_frame, end=clip.last_frame)
        tasks.append(Task(str(clip.path), clip.name, folder / f"{clip.name}.h5", params))
    return tasks


def _fit_codebooks(folds, files, encoding, *, jobs, threads, progress):
    """Codebooks of the folds that need one."""
    folds = [fold for fold in folds if not (fold.scored or fold.fitted)]
    if not folds:
        return
    sets = [fold.split.train for fold in folds]
    names = sorted(set().union(*sets))
    inputs = Inputs.of([files[name] for name in names], names, descriptors=encoding.descriptors)
    blocks = 1 if encoding.joint else len(inputs.sizes)
    with progress("step", len(names) + len(folds) * blocks) as update:
        # While mixtures are fitted nothing else runs, so they have all threads.
        fitted = Codebook.fit_each(inputs, sets, encoding, jobs=jobs, threads=jobs * threads, update=update)
        for fold, codebook in zip(folds, fitted, strict=True):
            fold.keep(codebook)


def _scores(fold, files, stages, *, jobs, threads, progress):
    """Scores of a fold, from its file or anew."""
    if fold.scored:
        return fold.load()
    with stages("encoding"), progress("video", len(fold.names)) as update:
        fold.encode(files, jobs=jobs, threads=threads, update=update)
    with stages("classification"):
        return fold.classify()
