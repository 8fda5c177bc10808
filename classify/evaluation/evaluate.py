"""The evaluation of a data set, from its videos to its report.

1. Every clip becomes a feature file.
2. The codebook of each split is fitted on its training videos only; the files are sampled once for all splits.
3. The split's videos are encoded with it.
4. A classifier is trained on the training vectors, and one on each block of them; they score the test videos.
5. The report is written.

All of it is kept below one folder and made once: a run that was interrupted goes on where it stopped, and one that is
repeated changes nothing. Files that were made with other options are refused, most of them before any work is done.
`classify.evaluation.compare` evaluates several recipes, which share features, codebooks and vectors.

Source: docs/method/encoding.md, sections 1 to 8; docs/method/protocols.md.
"""

import dataclasses
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from classify.evaluation import fold
from classify.evaluation.cost_ledger import Stage, cost_file, measured, record, recorded
from classify.evaluation.fold_plan import Places, files_of, plan_folds
from classify.evaluation.page_pictures import draw_pictures
from classify.evaluation.prepare_features import prepare
from classify.evaluation.resume import earlier_report, equals_earlier, settings_of
from classify.params import ClassifierParams
from classify.reports import report
from classify.reports.page.template import is_available
from classify.reports.page.videos import tested_videos
from classify.reports.report import Costs, Written
from classify.reports.summary import Fold
from encoding.descriptors.inputs import Inputs, combine_digests
from encoding.fitting import count_updates, fit_codebooks
from encoding.params import EncodingParams
from idt.files import locks, outputs
from idt.params.extraction import ExtractionParams
from idt.workers.run_options import RunOptions


@dataclass(frozen=True)
class Evaluation:
    """Result of an evaluation.

    Attributes
    ----------
    report : dict
        As from `classify.reports.report.assemble`.
    written : Written
        The files of the report, and what could not be written.
    failed : dict of str to str
        Clips that could not be extracted, and why.
    up_to_date : bool
        Whether the files of an earlier run were up to date, so that nothing was done.
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
    run=RunOptions(),
    on_outcome=None,
):
    """Evaluate a data set.

    Parameters
    ----------
    dataset : Dataset
        As from `classify.datasets.registry.read_dataset`.
    output : str or Path
        Folder of all files that the evaluation makes; feature files may lie elsewhere.
    extraction : ExtractionParams, optional
    encoding : encoding.params.BlockParams, optional
        Parameters of any encoding.
    classifier : ClassifierParams, optional
        ``extraction``, ``encoding`` and ``classifier`` default to the standard recipe.
    features : str or Path, optional
        Folder of the feature files; by default ``features`` in the output.
    run : RunOptions
        Processes and threads, on which no number depends; whether files with other settings may be replaced; and the
        progress.
    on_outcome : callable, optional
        Called with the `idt.batch.outcome.Outcome` of every clip.

    Returns
    -------
    Evaluation
        Clips that failed are left out of the splits, and listed.

    Raises
    ------
    DataError
        If the output has other settings, a file in it is an input or was not made by this package, no clip can be used,
        or a split cannot be evaluated.
    OSError
        If something cannot be read or written.
    """
    extraction, encoding = extraction or ExtractionParams(), encoding or EncodingParams()
    classifier, output = classifier or ClassifierParams(), Path(output)
    settings = settings_of(dataset, extraction=extraction, encoding=encoding, classifier=classifier)
    features, places = Path(features or output / "features"), Places(output, output, output)
    check_files(dataset, [(features, places)], overwrite=run.overwrite)
    earlier_report(output / "report.json", settings, overwrite=run.overwrite)
    # If another run works in these folders, this one waits; the files of the other are then up to date.
    with locks.held(folders=[output, features], say=run.say):
        prepared = prepare(dataset, features, extraction, run=run, on_outcome=on_outcome)
        return evaluate_prepared(prepared, places, encoding, classifier, run=run)


def check_files(dataset, wanted, *, read=(), beside=(), overwrite=False):
    """Refuse evaluations that would overwrite an input or a file of another program, before any work.

    Parameters
    ----------
    dataset : Dataset
    wanted : list of (Path, Places)
        Folder of the features, and folders of the rest, of each evaluation.
    read : iterable of path
        Files that are read besides the data set.
    beside : iterable of path
        Files that are written besides those of the evaluations.
    overwrite : bool or collection of path
        As in `RunOptions`.

    Raises
    ------
    DataError
        As `idt.files.outputs.check`.
    """
    made: dict[Path, None] = {}
    also = dict.fromkeys(map(Path, beside))
    for features, places in wanted:
        made |= dict.fromkeys(files_of(dataset, features, places))
        also |= dict.fromkeys(cost_file(folder) for folder in (features, *places))
        also |= dict.fromkeys(places.scores / name for name in report.FILES)
    clips = (clip.path for clip in dataset.clips)
    outputs.check(made, [*clips, *dataset.lists, *read], beside=also, overwrite=overwrite)


def evaluate_prepared(prepared, places, encoding, classifier, *, run=RunOptions(), pictures=None):
    """Evaluate a data set that has its features.

    Parameters
    ----------
    prepared : Prepared
    places : Places
        Folders of codebooks, of vectors, and of scores and report. Evaluations may share the folder of codebooks if
        these are fitted alike, and the folder of vectors if these are encoded alike.
    encoding : encoding.params.BlockParams
    classifier : ClassifierParams
    run : RunOptions
    pictures : callable, optional
        Called with the `classify.reports.page.videos.Tested` videos; returns their pictures for the page.
        By default `classify.evaluation.page_pictures.draw_pictures`.

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
    earlier = earlier_report(output / "report.json", settings, overwrite=run.overwrite)
    plans = plan_folds(prepared, places, encoding, classifier)
    states = [fold.read_state(plan, overwrite=run.overwrite) for plan in plans]
    # Unless `overwrite` is set, `read_state` has refused files with other settings or inputs. An outdated file that is
    # left was made without clips that failed, and may be replaced.
    run = dataclasses.replace(run, overwrite=run.overwrite or True)
    stages = _stages(prepared, places, encoding, classifier)
    _fit_codebooks(plans, states, prepared, stages["codebooks"], run)
    with measured(stages["encoding"]) as cost:
        encoded = fold.encode(plans, states, prepared.files, run)
    if encoded:
        record(stages["encoding"], cost, overwrite=run.overwrite)
    found = [_scores(plan, state, stages["classification"], run) for plan, state in zip(plans, states, strict=True)]

    folds = _folds(plans, [(scores.classes, scores.values, more.probabilities) for scores, more in found])
    made = report.assemble(
        dataset,
        folds,
        per_descriptor={
            block: _folds(plans, [(scores.classes, more.descriptors[block]) for scores, more in found])
            for block in found[0][1].descriptors
        },
        settings=settings,
        costs=_costs(prepared.seconds, stages),
        vector_length=found[0][1].vector_length,
        empty=set().union(*(more.empty for _, more in found)),
    )
    all_up_to_date = prepared.up_to_date and all(state.scored for state in states)
    if all_up_to_date and equals_earlier(made, earlier) and not report.lacks_page(output):
        return Evaluation(earlier, Written([output / "report.md", output / "report.json"], []), prepared.failed, True)
    videos = tested_videos(dataset, folds)
    draw = pictures or partial(draw_pictures, plans=plans, files=prepared.files, run=run)
    shown = draw(videos) if run.pictures and is_available() else {}
    written = report.write(output, made, videos=videos, pictures=shown, overwrite=run.overwrite)
    return Evaluation(made, written, prepared.failed, False)


def _stages(prepared, places, encoding, classifier):
    """Return the stages after the extraction by name, each with the folder of its files."""
    features = combine_digests(prepared.digests)
    fitted = [features, encoding.encoding, encoding.fitting()]
    encoded = [features, encoding.encoding, dataclasses.asdict(encoding)]
    classified = [*encoded, dataclasses.asdict(classifier), *(block.digest for block in prepared.dataset.outside)]
    return {
        "codebooks": Stage("codebooks", places.codebook, fitted),
        "encoding": Stage("encoding", places.vectors, encoded),
        "classification": Stage("classification", places.scores, classified),
    }


def _costs(extraction, stages):
    """Return the seconds of each stage, and the largest memory of the stages after the extraction."""
    found = {name: recorded(stage) for name, stage in stages.items()}
    seconds = {"extraction": extraction, **{name: cost.seconds for name, cost in found.items()}}
    return Costs(seconds, max(cost.memory for cost in found.values()))


def _fit_codebooks(plans, states, prepared, stage, run):
    """Fit and save the codebooks of the splits that need one."""
    plans = [plan for plan, state in zip(plans, states, strict=True) if not (state.scored or state.fitted)]
    if not plans:
        return
    params = plans[0].encoding
    sets = [plan.split.train for plan in plans]
    names = sorted(set().union(*sets))
    inputs = Inputs.of([prepared.files[name] for name in names], names, descriptors=params.descriptors)
    # A set of labels counts as one class, because the projection only learns which videos belong together.
    labels = {
        name: " ".join(label) if isinstance(label, tuple) else label for name, label in prepared.dataset.labels.items()
    }
    with measured(stage) as cost, run.progress("step", count_updates(inputs, sets, params)) as update:
        # Nothing else runs while codebooks are fitted, so they get all threads.
        workers = {"jobs": run.jobs, "threads": run.jobs * run.threads, "update": update}
        fitted = fit_codebooks(inputs, sets, params, labels=labels, **workers)
        for plan, codebook in zip(plans, fitted, strict=True):
            fold.save_codebook(plan, codebook, overwrite=run.overwrite)
    record(stage, cost, overwrite=run.overwrite)


def _scores(plan, state, stage, run):
    """Load the scores of a split and their details, or compute them."""
    if state.scored:
        return fold.load_scores(plan)
    with measured(stage) as cost:
        scores = fold.classify(plan, run)
    record(stage, cost, overwrite=run.overwrite)
    return scores


def _folds(plans, outcomes):
    """Return the outcome of every split for the report: its classes, scores and, perhaps, probabilities."""
    return [Fold(plan.split, *outcome) for plan, outcome in zip(plans, outcomes, strict=True)]
