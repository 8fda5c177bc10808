"""`idt-evaluate` on a data set of untrimmed video."""

from classify.evaluation.recipes import recipe_of
from classify.evaluation.untrimmed.data_sets import read_untrimmed
from classify.evaluation.untrimmed.evaluate import evaluate_untrimmed
from classify.params import DatasetParams
from classify.reports.page.untrimmed import tiles
from idt.command import params_from, run_options
from idt.errors import DataError


def evaluate_set(options, given, outside, segmenting, on_outcome):
    """Evaluate the set that a command line names.

    Parameters
    ----------
    options : argparse.Namespace
    given, outside
        As from `classify.options.evaluation_options`.
    segmenting : SegmentingParams
    on_outcome : callable
        Called with the outcome of each extraction.

    Returns
    -------
    found : UntrimmedEvaluation
    lines : list of str
        To be printed.

    Raises
    ------
    DataError
        If such a set takes no such option, or as
        `classify.evaluation.untrimmed.evaluate.evaluate_untrimmed`.
    OSError
        If something cannot be read or written.
    """
    for flag, value in (("--compare", options.compare), ("--extra", outside), ("--network", options.network)):
        if value:
            raise DataError(f"{options.dataset} is a set of untrimmed video, which takes no {flag}")
    recipe = recipe_of("", options.encoder, given)
    found = evaluate_untrimmed(
        read_untrimmed(options.dataset, options.root, params_from(options, DatasetParams)),
        options.output,
        recipe,
        segmenting=segmenting,
        features=options.features,
        run=run_options(options),
        on_outcome=on_outcome,
    )
    report = found.report
    lines = [
        f"{report['dataset']}: {report['metric']} {100 * report['value']:.1f} %, {report['protocol']}",
        ", ".join(f"{name} {value} %" for name, value in tiles(report["numbers"]).items()),
    ]
    return found, lines
