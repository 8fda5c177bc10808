"""The commands `svm-train`, `svm-predict` and `idt-evaluate`: parse, call one function, print the result."""

import dataclasses
import os
from pathlib import Path

from classify.models.video_features import OutcomePrinter
from classify.options import (
    add_outside_options,
    evaluation_options,
    outside_of,
    prediction_options,
    say_page,
    segmenting_of,
)
from classify.params import ClassifierParams, DatasetParams
from idt.command import (
    DONE,
    SOME_FAILED,
    Parser,
    add_common_options,
    add_fields,
    command,
    params_from,
    run_options,
    say,
    warn,
)
from idt.errors import DataError


@command
def svm_train(arguments):
    """Run ``svm-train``, which trains a model on vectors and labels, with these ``arguments``."""
    parser = Parser(
        "svm-train",
        "Train a support vector machine, one class against the rest, on a vectors file and a list of labels.",
        "svm-train vectors.h5 --labels labels.csv -o model.h5",
    )
    parser.add_argument("vectors", metavar="VECTORS", help="vectors file, as from fv-encode")
    parser.add_argument("--labels", required=True, metavar="CSV", help="lines name,label[,label], one for every vector")
    add_common_options(parser, output="model file", threads=True)
    add_outside_options(parser)
    add_fields(parser, ClassifierParams)
    options = parser.parse_args(arguments)
    params, outside = params_from(options, ClassifierParams), _blocks(outside_of(options, parser))
    from classify.models.train import train

    made = train(options.vectors, options.labels, options.output, params, outside=outside, run=run_options(options))
    if made.up_to_date:
        say(f"{made.path}: up to date")
        return DONE
    _note_empty("svm-train", made.empty, options.quiet)
    say(f"{made.path}: {len(made.classes)} classes, trained on {made.videos} videos")
    return DONE


@command
def svm_predict(arguments):
    """Run ``svm-predict``, which labels vectors or videos, with these ``arguments``."""
    options, given = prediction_options(arguments)
    outside = _blocks(given)
    if options.output:
        _check_prediction(options, outside)
    found = _predict(options, outside)
    _note_empty("svm-predict", found.empty, options.quiet)
    if options.output:
        from classify.fusion.scores import Scores
        from classify.fusion.write import write_scores

        kind = "probabilities" if options.probabilities else "margins"
        scores = Scores(found.scores, found.names, found.classes, kind=kind)
        write_scores(options.output, scores, form=_form_of(options.output), overwrite=options.overwrite)
    for name, best in zip(found.names, found.best(options.top), strict=True):
        say(f"{name}: " + ", ".join(f"{label} {score:.3f}" for label, score in best))
    if found.failed:
        warn(f"svm-predict: {len(found.failed)} videos failed; the others are labelled")
    return SOME_FAILED if found.failed else DONE


@command
def evaluate(arguments):
    """Run ``idt-evaluate``, which evaluates one recipe or several on a data set, with these ``arguments``."""
    options, given, outside = evaluation_options(arguments)
    from idt.workers import cluster

    segmenting = segmenting_of(options)
    if segmenting is not None:
        from classify.evaluation.untrimmed.command import evaluate_set

        printer = OutcomePrinter("idt-evaluate", options.quiet)
        with cluster.connected(options.scheduler):
            found, lines = evaluate_set(options, given, outside, segmenting, printer)
        printer.end()
        for line in lines:
            say(line)
        _print_written(found, options.quiet)
        return SOME_FAILED if found.failed else DONE
    from classify.datasets.registry import read_dataset
    from classify.evaluation.recipes import read_recipes, recipe_of

    if options.compare:
        recipes = read_recipes(options.compare, encoder=options.encoder, options=given)
    else:
        recipe = recipe_of("", options.encoder, given)
    dataset = read_dataset(options.dataset, options.root, params_from(options, DatasetParams))
    if outside:
        from classify.models.outside_vectors import with_outside_blocks

        dataset = with_outside_blocks(dataset, _blocks(outside))
    printer = OutcomePrinter("idt-evaluate", options.quiet)
    run = dataclasses.replace(run_options(options), pictures=not options.no_pictures)
    settings = {"features": options.features, "run": run, "on_outcome": printer}
    if options.compare:
        from classify.evaluation.compare import compare

        with cluster.connected(options.scheduler):
            rows = compare(dataset, recipes, options.output, **settings, on_row=_print_row, read=[options.compare])
        printer.end()
        return _print_table(rows, options.quiet)
    from classify.evaluation.evaluate import evaluate

    networks = _Networks(dataset, options) if options.network else None
    with cluster.connected(options.scheduler):
        found = evaluate(
            dataset,
            options.output,
            extraction=recipe.extraction,
            encoding=recipe.encoding,
            classifier=recipe.classifier,
            **settings,
        )
    printer.end()
    _print_report(found, options.quiet)
    if networks:
        networks.report(found.failed, settings["run"])
    return SOME_FAILED if found.failed else DONE


def _check_prediction(options, outside):
    """Refuse an output that would overwrite an input or a file of another program, before any work."""
    from idt.batch.jobs import sources_of
    from idt.files import outputs, ownership
    from idt.frames.suffixes import IMAGES, VIDEOS

    videos = sources_of(options.inputs) if options.codebook else []
    read = [
        options.model,
        options.codebook,
        *options.inputs,
        *videos,
        *(path for block in outside for path in block.paths),
    ]
    suffixes = {*VIDEOS, *IMAGES}
    marked = _form_of(options.output) != "csv"
    outputs.check([options.output], read, suffixes=suffixes, overwrite=options.overwrite, unmarked=not marked)
    if not options.overwrite or options.codebook:
        # With --overwrite, an existing CSV file is accepted if it holds the same scores, which the writer finds out.
        # Scores of vectors take little time, so this is left to the writer. Scores of videos take hours, so their file
        # is checked now.
        ownership.check_replaceable(options.output, options.overwrite)


def _form_of(path):
    """Return the form of the scores that `svm-predict` writes to ``path``: "idt" for .h5 and .hdf5, else "csv"."""
    return "idt" if Path(path).suffix.lower() in (".h5", ".hdf5") else "csv"


def _predict(options, outside):
    """Score the inputs: a vectors file, or videos if a codebook is given."""
    from classify.models.model_file import load_model
    from classify.models.predict import check_calibrated, label_vectors

    model = load_model(options.model)
    if options.probabilities:
        check_calibrated(model, options.model)
    if options.codebook:
        from classify.models.predict_videos import label_videos

        printer = OutcomePrinter("svm-predict", options.quiet)
        found = label_videos(
            model,
            options.inputs,
            options.codebook,
            outside=outside,
            probabilities=options.probabilities,
            run=run_options(options),
            on_outcome=printer,
        )
        printer.end()
        return found
    if len(options.inputs) > 1 or os.path.isdir(options.inputs[0]):
        raise DataError(
            f"without --codebook the input must be one vectors file, got {options.inputs[0]}"
            f"{f' and {len(options.inputs) - 1} more' if len(options.inputs) > 1 else ''}; videos need the model's"
            " codebook"
        )
    from idt.files.hdf5 import is_hdf5

    if not is_hdf5(options.inputs[0]):
        raise DataError(f"{options.inputs[0]} is no vectors file; a video needs the model's codebook, --codebook")
    return label_vectors(model, options.inputs[0], outside=outside, probabilities=options.probabilities)


def _blocks(given):
    """Return the outside blocks that were ``given``."""
    if not given:
        return []
    from classify.models.outside_vectors import OutsideFile

    return [OutsideFile(*block) for block in given]


def _print_report(found, quiet):
    """Print the result on stdout, and notes on stderr."""
    from classify.reports.markdown import METRIC_NAMES

    report = found.report
    say(f"{report['dataset']}: {METRIC_NAMES[report['metric']]} {100 * report['value']:.1f} %, {report['protocol']}")
    if report["per_descriptor"]:
        say(", ".join(f"{block} {100 * value:.1f} %" for block, value in report["per_descriptor"].items()))
    _print_written(found, quiet)


def _print_written(found, quiet):
    """Print where the report lies, and the notes."""
    folder = Path(found.written.paths[0]).parent
    say(f"{folder / 'report.md'}{': up to date' if found.up_to_date else ''}")
    _note_empty("idt-evaluate", found.report.get("empty"), quiet)
    for note in [] if quiet else found.written.notes:
        warn(f"idt-evaluate: {note}")
    if found.failed:
        warn(f"idt-evaluate: {len(found.failed)} clips failed and were left out")
    say_page(folder / "report.html")


def _print_row(row):
    """Print a recipe's line on stdout as soon as it is known."""
    from classify.reports.markdown import METRIC_NAMES

    if row.report is None:
        warn(f"idt-evaluate: {row.name}: {row.error}")
        return
    number = f"{METRIC_NAMES[row.report['metric']]} {100 * row.report['value']:.1f} %"
    say(f"{row.name}: {number}, {row.report['columns']} numbers a video, {row.seconds:.1f} s")


def _print_table(found, quiet):
    """Print the path of the table and what failed; return the exit status."""
    say(f"{found.written.paths[0]}{': up to date' if found.up_to_date else ''}")
    for note in [] if quiet else found.written.notes:
        warn(f"idt-evaluate: {note}")
    if found.failed:
        warn(f"idt-evaluate: {len(found.failed)} clips failed and were left out")
    say_page(Path(found.written.paths[0]).with_name("comparison.html"))
    return SOME_FAILED if found.failed or any(row.report is None for row in found.rows) else DONE


def _note_empty(name, empty, quiet):
    if empty and not quiet:
        warn(f"{name}: {len(empty)} videos without tracks have a zero vector: {', '.join(empty)}")


class _Networks:
    """Score files of networks (``--network``), read before the evaluation and reported after it."""

    def __init__(self, dataset, options):
        from classify.evaluation.evaluate_networks import check
        from classify.evaluation.network_scores import read_networks
        from classify.fusion_options import network_sources

        sources = network_sources(options.network, options.network_list, options.network_classes)
        self._found = read_networks(dataset, sources)
        self._dataset, self._output, self._quiet = dataset, options.output, options.quiet
        check(dataset, options.output, options.features, self._found, overwrite=run_options(options).overwrite)

    def report(self, failed, run):
        """Write the reports, without clips that ``failed``, and print them."""
        from classify.evaluation.evaluate_networks import evaluate_networks

        made = evaluate_networks(self._dataset.without(failed), self._output, self._found, run=run)
        for line in made.lines():
            say(line)
        for note in [] if self._quiet else made.notes:
            warn(f"idt-evaluate: {note}")
