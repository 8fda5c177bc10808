"""The evaluation of a data set, from its videos to its report.

1. Every clip becomes a feature file.
2. Of each split a codebook is fitted on the training videos only; the files are sampled once for all splits.
3. The split's videos are encoded with it.
4. A classifier is trained on the training vectors, and one on each block of them; they score the test videos.
5. The report.

All of it is kept below one folder and made once: a run that was interrupted goes on where it stopped, and one that is
repeated changes nothing. What was made otherwise is refused, most of it before any work is done.
`classify.evaluation.compare` evaluates several recipes, which share what they have in common.

Source: docs/method/encoding.md, sections 1 to 8; docs/method/protocols.md.
"""

import dataclasses
from dataclasses import dataclass
from pathlib import Path

from classify.datasets.dataset import groups_of
from classify.evaluation.cost_ledger import Ledger
from classify.evaluation.fold import FoldFiles, Places
from classify.evaluation.prepare_features import prepare
from classify.evaluation.resume import earlier_report, is_repeated, settings_of
from classify.params import ClassifierParams
from classify.reports import report
from classify.reports.report import Written
from classify.reports.summary import Fold
from encoding.descriptors.inputs import Inputs, combined
from encoding.fitting import fit_codebooks, steps_of
from encoding.params import EncodingParams
from encoding.pipeline import no_progress
from idt.params import ExtractionParams


@dataclass(frozen=True)
class Evaluation:
    """What an evaluation found.

    Attributes
    ----------
    report : dict
        As from `classify.reports.report.assemble`.
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
        As from `classify.datasets.registry.read_dataset`.
    output : str or Path
        Folder of everything that is made.
    extraction : ExtractionParams, optional
    encoding : encoding.params.BlockParams, optional
        Of any encoding.
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
        Like `encoding.pipeline.no_progress`.
    seen : callable, optional
        Called with the `idt.batch.extract_one.Outcome` of every clip.

    Returns
    -------
    Evaluation
        Clips that failed are left out of the splits, and listed.

    Raises
    ------
    DataError
        If the output was made otherwise, no clip can be used, or a split cannot be evaluated.
    OSError
        If something cannot be read or written.
    """
    extraction, encoding = extraction or ExtractionParams(), encoding or EncodingParams()
    classifier, output = classifier or ClassifierParams(), Path(output)
    settings = settings_of(dataset, extraction=extraction, encoding=encoding, classifier=classifier)
    earlier_report(output / "report.json", settings, overwrite=overwrite)
    workers = {"jobs": jobs, "threads": threads, "overwrite": overwrite, "progress": progress}
    prepared = prepare(dataset, features or output / "features", extraction, **workers, seen=seen)
    return evaluate_prepared(prepared, Places(output, output, output), encoding, classifier, **workers)


def evaluate_prepared(
    prepared, places, encoding, classifier, *, jobs=1, threads=1, overwrite=False, progress=no_progress
):
    """Evaluate a data set that has its features.

    Parameters
    ----------
    prepared : Prepared
    places : Places
        Folders of codebooks, vectors, and scores and report; the first two may be shared by evaluations whose
        parameters agree as far as these depend on them.
    encoding : encoding.params.BlockParams
    classifier : ClassifierParams
    jobs, threads, overwrite, progress
        As `evaluate`.

    Returns
    -------
    Evaluation

    Raises
    ------
    DataError, OSError
        As `evaluate`.
    """
    dataset, output = prepared.dataset, places.scores
    settings = settings_of(dataset, extraction=prepared.extraction, encoding=encoding, classifier=classifier)
    earlier = earlier_report(output / "report.json", settings, overwrite=overwrite)
    folds = [
        FoldFiles(
            places,
            number,
            split,
            dataset.labels,
            groups_of(dataset.clips),
            prepared.digests,
            encoding=encoding,
            classifier=classifier,
            overwrite=overwrite,
        )
        for number, split in enumerate(dataset.splits, start=1)
    ]
    idle = prepared.up_to_date and all(fold.scored for fold in folds)
    costs = _Costs(places, prepared, encoding, classifier)
    workers = {"jobs": jobs, "threads": threads, "progress": progress}
    _fit_codebooks(folds, prepared, encoding, costs, **workers)
    scores = [_scores(fold, prepared, costs, **workers) for fold in folds]

    seconds, memory = costs.all()
    made = report.assemble(
        dataset,
        [Fold(fold.split, of.classes, of.scores, of.probabilities) for fold, of in zip(folds, scores, strict=True)],
        per_descriptor={
            block: [Fold(fold.split, of.classes, of.descriptors[block]) for fold, of in zip(folds, scores, strict=True)]
            for block in scores[0].descriptors
        },
        settings=settings,
        seconds=seconds,
        memory=memory,
        columns=scores[0].columns,
        empty=set().union(*(of.empty for of in scores)),
    )
    if idle and is_repeated(made, earlier):
        return Evaluation(earlier, Written([output / "report.md", output / "report.json"], []), prepared.failed, True)
    return Evaluation(made, report.write(output, made, overwrite=True), prepared.failed, False)


class _Costs:
    """What the stages cost, each remembered in the folder of what it made."""

    def __init__(self, places, prepared, encoding, classifier):
        self._extraction = prepared.seconds
        features = combined(prepared.digests)
        encoded = [features, encoding.encoding, dataclasses.asdict(encoding)]
        self._stages = {
            "codebooks": (Ledger(places.codebook), [features, encoding.encoding, encoding.fitting()]),
            "encoding": (Ledger(places.vectors), encoded),
            "classification": (Ledger(places.scores), [*encoded, dataclasses.asdict(classifier)]),
        }

    def paying(self, stage):
        """As `Ledger.paying`."""
        ledger, made_of = self._stages[stage]
        return ledger.paying(stage, made_of)

    def all(self):
        """Seconds of each stage, and the most memory of those after the extraction."""
        found = {stage: ledger.of(stage, made_of) for stage, (ledger, made_of) in self._stages.items()}
        seconds = {"extraction": self._extraction, **{stage: cost[0] for stage, cost in found.items()}}
        return seconds, max(cost[1] for cost in found.values())


def _fit_codebooks(folds, prepared, encoding, costs, *, jobs, threads, progress):
    """Codebooks of the folds that need one."""
    folds = [fold for fold in folds if not (fold.scored or fold.fitted)]
    if not folds:
        return
    sets = [fold.split.train for fold in folds]
    names = sorted(set().union(*sets))
    inputs = Inputs.of([prepared.files[name] for name in names], names, descriptors=encoding.descriptors)
    # Of several labels all together are one: what is learnt from them is which videos belong together.
    labels = {
        name: " ".join(label) if isinstance(label, tuple) else label for name, label in prepared.dataset.labels.items()
    }
    with costs.paying("codebooks"), progress("step", steps_of(inputs, sets, encoding)) as update:
        # While codebooks are fitted nothing else runs, so they have all threads.
        workers = {"jobs": jobs, "threads": jobs * threads, "update": update}
        fitted = fit_codebooks(inputs, sets, encoding, labels=labels, **workers)
        for fold, codebook in zip(folds, fitted, strict=True):
            fold.keep(codebook)


def _scores(fold, prepared, costs, *, jobs, threads, progress):
    """Scores of a fold, from its file or anew."""
    if fold.scored:
        return fold.load()
    with costs.paying("encoding") as bill, progress("video", len(fold.names)) as update:
        bill.due = not fold.encoded
        fold.encode(prepared.files, jobs=jobs, threads=threads, update=update)
    with costs.paying("classification"):
        return fold.classify()
