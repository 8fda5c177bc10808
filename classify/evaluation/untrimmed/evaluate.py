"""The evaluation of a data set of untrimmed video, from its videos to its report.

1. Every video becomes a feature file.
2. For each split, a codebook is fitted on the training videos only, and all videos of the split are sliced with it.
3. A classifier is trained on windows of the training videos, and segments the test videos.
4. The segments are measured by the protocol of the set.

A repeated run keeps features, codebooks and slices. It trains the classifiers again unless the report is up to date.

Source: docs/method/untrimmed.md, sections 9 and 11.
"""

import dataclasses
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from classify.evaluation.cost_ledger import cost_file
from classify.evaluation.fold_plan import folder_name
from classify.evaluation.prepare_features import Prepared, prepare
from classify.evaluation.recipes import Recipe
from classify.evaluation.resume import earlier_report, settings_of
from classify.evaluation.untrimmed import measure, report
from classify.evaluation.untrimmed.data_sets import UntrimmedSet
from classify.params import SegmentingParams, lengths_of
from classify.reports.report import Written, lacks_page
from classify.svm.build import build_classifier
from classify.untrimmed.detection_metrics import AMBIGUOUS
from classify.untrimmed.frame_metrics import runs
from classify.untrimmed.protocols import FRAMES
from classify.untrimmed.segment_training import train_on_segments
from classify.untrimmed.segment_videos import SegmentOptions, joined, segment_slices
from classify.untrimmed.segmenting import estimate_length_rewards
from encoding import pipeline
from encoding.descriptors.inputs import combine_digests
from encoding.encode import layout_of
from encoding.params import FITTING
from encoding.slices.cut import Cut
from encoding.slices.slice_files import read_rate_and_frames, slice_files
from encoding.slices.slices_file import load_slices
from idt.errors import DataError
from idt.files import locks, outputs
from idt.files.provenance import as_json_values
from idt.workers.run_options import RunOptions


@dataclass(frozen=True)
class UntrimmedEvaluation:
    """Result of an evaluation of untrimmed video.

    Attributes
    ----------
    report : dict
        As from `classify.evaluation.untrimmed.report.assemble`.
    written : Written
        The files of the report, and what could not be written.
    failed : dict of str to str
        Videos that could not be extracted, and why.
    up_to_date : bool
        Whether the files of an earlier run were up to date, so that nothing was done.
    """

    report: dict
    written: Written
    failed: dict[str, str]
    up_to_date: bool


class _Job(NamedTuple):
    """Data and options that all splits of an evaluation share."""

    untrimmed_set: UntrimmedSet
    prepared: Prepared
    truths: dict[str, measure.Truth]
    recipe: Recipe
    segmenting: SegmentingParams
    run: RunOptions


def evaluate_untrimmed(
    untrimmed_set, output, recipe, *, segmenting=None, features=None, run=RunOptions(), on_outcome=None
):
    """Evaluate a data set of untrimmed video.

    Parameters
    ----------
    untrimmed_set : UntrimmedSet
        As from `classify.evaluation.untrimmed.data_sets.read_untrimmed`.
    output : str or Path
        Folder of all files that the evaluation makes; feature files may lie elsewhere.
    recipe : classify.evaluation.recipes.Recipe
        Any encoding but stacked Fisher vectors, because windows need sums over tracks.
    segmenting : SegmentingParams, optional
    features : str or Path, optional
        Folder of the feature files; by default ``features`` in the output.
    run : RunOptions
    on_outcome : callable, optional
        As for `classify.evaluation.evaluate.evaluate`.

    Returns
    -------
    UntrimmedEvaluation

    Raises
    ------
    DataError
        If the output has other settings, a file in it is an input or was not made by this package, a truth does not fit
        its video, or an option does not fit the set.
    OSError
        If something cannot be read or written.
    """
    if recipe.encoding.encoding == "stacked":
        raise DataError("stacked Fisher vectors are no sums over tracks, which windows need; use another encoder")
    output, dataset = Path(output), untrimmed_set.dataset
    segmenting = _completed(segmenting or SegmentingParams(), dataset.name)
    settings = settings_of(
        dataset, extraction=recipe.extraction, encoding=recipe.encoding, classifier=recipe.classifier
    )
    settings["segmenting"] = dataclasses.asdict(segmenting)
    features = Path(features or output / "features")
    _check_files(dataset, output, features, run)
    earlier = earlier_report(output / "report.json", settings, overwrite=run.overwrite)
    with locks.held(folders=[output, features], say=run.say):
        prepared = prepare(dataset, features, recipe.extraction, run=run, on_outcome=on_outcome)
        made_of = _digest(untrimmed_set, prepared)
        repeated = earlier and (earlier["settings"], earlier.get("made_of")) == (as_json_values(settings), made_of)
        if prepared.up_to_date and repeated and not lacks_page(output):
            written = Written([output / "report.md", output / "report.json"], [])
            return UntrimmedEvaluation(earlier, written, prepared.failed, True)
        untrimmed_set = dataclasses.replace(untrimmed_set, dataset=prepared.dataset)
        truths = {}
        for name, source in prepared.files.items():
            fps, frames = read_rate_and_frames(source.path)
            truths[name] = measure.truth_of(untrimmed_set, name, fps=fps, frames=frames, rate=segmenting.rate)
        job, results = _Job(untrimmed_set, prepared, truths, recipe, segmenting, run), []
        with run.progress("split", len(untrimmed_set.dataset.splits)) as update:
            for number, split in enumerate(untrimmed_set.dataset.splits, start=1):
                results.append(report.SplitResult(split, _segmented(job, split, output / folder_name(number, split))))
                update()
        hidden = measure.hidden_labels(untrimmed_set, segmenting.background)
        made = report.assemble(untrimmed_set, truths, results, hidden=hidden, settings=settings, made_of=made_of)
        # `earlier_report` refuses a report with other settings, so the report that exists now may be replaced.
        written = report.write(output, made, results, overwrite=run.overwrite or True)
        return UntrimmedEvaluation(made, written, prepared.failed, False)


def _completed(segmenting, name):
    """Fill in the options whose default depends on the data set."""
    detects = name not in FRAMES
    if detects and segmenting.rate is not None:
        raise DataError(f"{name} has segments in seconds and takes no --rate")
    method = segmenting.method or ("windows" if detects else "viterbi")
    if detects and method != "windows":
        raise DataError(f"{name} is measured by detections with scores, which are made by --method windows")
    window = segmenting.window or ("30,60,120" if detects else "30")
    return dataclasses.replace(segmenting, method=method, window=window)


def _check_files(dataset, output, features, run):
    """Refuse outputs that would overwrite an input or a file of another program, before any work."""
    places = [output / folder_name(number, split) for number, split in enumerate(dataset.splits, start=1)]
    made = [features / f"{clip.name}.h5" for clip in dataset.clips]
    made += [place / "codebook.h5" for place in places]
    made += [
        place / "slices" / f"{name}.h5"
        for place, split in zip(places, dataset.splits, strict=True)
        for name in (*split.train, *split.test)
    ]
    beside = [cost_file(features), *(output / name for name in report.FILES)]
    read = [*(clip.path for clip in dataset.clips), *dataset.lists]
    outputs.check(made, read, beside=beside, overwrite=run.overwrite)


def _digest(untrimmed_set, prepared):
    """Compute the digest of features and truth, on which a report depends besides its settings."""
    found = hashlib.sha256(combine_digests(prepared.digests).encode())
    for name, labels in sorted(untrimmed_set.labels.items()):
        found.update("\n".join([name, *labels.tolist()]).encode("utf-8", "surrogateescape"))
    rows = untrimmed_set.segments
    for row in zip(rows.videos.tolist(), rows.labels.tolist(), rows.spans.tolist(), strict=True):
        found.update(repr(row).encode("utf-8", "surrogateescape"))
    return found.hexdigest()


def _segmented(job, split, place):
    """Segment the test videos of a split with a codebook and a classifier of its training videos."""
    names, options, run = [*split.train, *split.test], job.segmenting, job.run
    files = {name: job.prepared.files[name].path for name in names}
    training = [files[name] for name in split.train]
    place.mkdir(parents=True, exist_ok=True)
    made = pipeline.fit(training, list(split.train), place / "codebook.h5", job.recipe.encoding, run=run)
    codebook, lengths = made.content, lengths_of(options.window)
    params = codebook.params_with(**_encoding(job.recipe.encoding))
    sliced = slice_files(
        list(files.values()), names, place / "slices", codebook, params, cut=Cut(options.slices), run=run
    )
    slices = dict(zip(names, sliced.paths, strict=True))
    hidden = measure.hidden_labels(job.untrimmed_set, options.background)
    background = hidden[0] if hidden else None
    segments = joined([job.truths[name].segments for name in split.train])
    model = train_on_segments(
        [load_slices(slices[name], codebook=codebook) for name in split.train],
        segments.rows(segments.labels != AMBIGUOUS), codebook, params,
        build_classifier(job.recipe.classifier, layout_of(codebook, params), run.jobs * run.threads),
        length=lengths[0], background=None if job.untrimmed_set.labels else background, stride=options.train_stride,
    )  # fmt: skip
    rewards = None
    if options.durations:

        def rewards(classes, rate, longest):
            return estimate_length_rewards(segments, classes, slice_seconds=1 / rate, longest=longest)

    how = SegmentOptions(
        options.method, lengths, options.penalty, options.threshold, options.overlap,
        background if background in model.classes_ else None,
        {name: _transcript(job.truths[name]) for name in split.test} if options.method == "dtw" else None, rewards,
    )  # fmt: skip
    return [
        segment_slices(load_slices(slices[name], codebook=codebook), codebook, params, model, how)
        for name in split.test
    ]


def _encoding(encoding):
    """Select the options of an encoding that a codebook does not hold."""
    return {key: value for key, value in dataclasses.asdict(encoding).items() if key not in (*FITTING, "pyramid")}


def _transcript(truth):
    """List the true actions in their order."""
    if truth.labels is not None:
        return [run.label for run in runs(truth.labels)]
    return truth.segments.labels[np.argsort(truth.segments.spans[:, 0], kind="stable")].tolist()
