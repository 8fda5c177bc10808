"""The command `idt-fuse`: parse, fuse, print the accuracy of each source and of the fusion."""

from dataclasses import replace
from pathlib import Path

from classify.fusion_options import TEST, fusion_options, sources_of, splits_of
from classify.options import say_page
from idt.command import DONE, command, run_options, say, warn
from idt.errors import DataError


@command
def fuse(arguments):
    """Run ``idt-fuse``, which fuses or converts score files, with these ``arguments``."""
    options = fusion_options(arguments)
    searched = options.search or options.svm or []
    on_test = options.search == [TEST]
    texts = [*options.sources, *([] if on_test else searched)]
    paths = [*texts, *(path for path in (options.lists, *options.list, *options.classes) if path)]
    splits = splits_of(options.split, options.dataset, paths)
    sources = sources_of(options, splits, options.sources)
    if options.convert:
        return _convert(options, sources)
    if len(sources) < 2:
        raise DataError("a fusion needs two sources or more, got one; to write one in another form, use --convert")
    protocol = _protocol(options, splits)
    validation = None if on_test or not searched else _validation(options, splits, searched)

    from classify.fusion import fuse as fusing
    from classify.fusion import output
    from classify.fusion.combining.weights import parse_weights
    from idt.files import locks, outputs

    run = run_options(options)
    read = _files([*sources, *(validation or [])], options, splits)
    ours, others = output.files_of(options.output, splits, options.write, pool=options.pool)
    outputs.check(others, read, beside=ours, overwrite=run.overwrite, unmarked=True)
    weights = parse_weights(options.weights) if options.weights else TEST if on_test else None
    if validation:
        weights = "search" if options.search else "svm"
    with run.progress("split", len(splits)) as update:
        found = fusing.fuse(
            sources,
            protocol=protocol,
            weights=weights,
            validation=validation,
            missing=options.missing,
            C=options.svm_c,
            on_split=lambda split: update(),
        )
    with locks.held(folders=[Path(options.output)], say=run.say):
        written = output.write(
            options.output,
            found,
            forms=options.write,
            values_as=options.values_as,
            order=options.order,
            overwrite=run.overwrite,
        )
    _print(found.report, Path(options.output) / "report.md", written, options.quiet)
    return DONE


def _convert(options, sources):
    """Write the scores of one source in another form."""
    if len(sources) > 1 or len(sources[0].streams) > 1 or len(options.write) > 1:
        raise DataError("--convert takes one file of scores and writes one; leave it out to fuse several")
    from classify.datasets.video_list import read_video_list
    from classify.fusion.gather import read_source
    from classify.fusion.write import form_of, write_scores
    from idt.files import outputs

    form = form_of(options.output, options.write[0] if options.write else None)
    read = [*sources[0].paths, *([options.order] if options.order else [])]
    outputs.check([options.output], read, overwrite=options.overwrite, unmarked=True)
    ((_, scores),) = read_source(sources[0])
    listing = read_video_list(options.order) if options.order else None
    write_scores(
        options.output,
        scores,
        form=form,
        values_as=options.values_as,
        video_list=listing,
        overwrite=options.overwrite,
    )
    say(f"{options.output}: {len(scores.values)} videos, {scores.values.shape[1]} classes, {form}")
    return DONE


def _protocol(options, splits):
    from classify.fusion.alignment.protocol import FusionProtocol

    return FusionProtocol(
        dataset=options.dataset,
        lists=options.lists,
        labels=options.labels,
        splits=splits,
        pool=options.pool,
        validation=options.validation_list,
    )


def _validation(options, splits, texts):
    """Parse the sources of validation scores; ``--validation-list`` names their rows."""
    from classify.fusion.sources import parse_source

    return [replace(parse_source(text, splits[0]), order=options.validation_list) for text in texts]


def _files(sources, options, splits):
    """List the files that are read."""
    from classify.fusion.sources import path_for_split

    every = [path for source in sources for path in source.paths]
    every += [path for path in (options.lists, options.labels, options.validation_list, options.order) if path]
    return list(dict.fromkeys(path_for_split(path, split) for path in every for split in splits))


def _print(report, path, written, quiet):
    """Print the metric of each source and of the fusion, the path of the report, and the notes."""
    from classify.reports.fusion_markdown import ORIGINS
    from classify.reports.markdown import METRIC_NAMES

    metric = METRIC_NAMES[report["metric"]]
    for name, source in report["sources"].items():
        say(f"{name}: {100 * source[report['metric']]:.2f} % {metric} ({source['norm']})")
    shares = " + ".join(f"{weight:.3g} {name}" for name, weight in report["weights"].items()) or "stacked"
    biased = report["weights_from"] == "test"
    splits = len(report["per_split"])
    over = f", {splits} splits" if splits > 1 else ""
    say(
        f"fused: {100 * report['value']:.2f} % {metric}{over}; {shares}, weights {ORIGINS[report['weights_from']]}",
        red=biased,
    )
    if report["corrected"] or report["spoiled"]:
        before = " + ".join(report["before"]["sources"])
        say(
            f"against {before}, {100 * report['before'][report['metric']]:.2f} %: {len(report['corrected'])} videos"
            f" corrected, {len(report['spoiled'])} spoiled"
        )
    say(f"{path}{'' if written.paths else ': up to date'}")
    for note in [] if quiet else [*report["notes"], *written.notes]:
        warn(f"idt-fuse: {note}")
    say_page(path.with_name("report.html"))
