"""A report as Markdown: the result, the published numbers beside it, and remarks with which to judge it.

Names of videos, classes and recipes are text. `escape` therefore escapes every character that Markdown, HTML or a
terminal would interpret.
"""

import json
import re

from idt.errors import printable

METRIC_NAMES = {
    "accuracy": "accuracy",
    "class_accuracy": "mean class accuracy",
    "mean_average_precision": "mean average precision",
    "top5": "top-5 accuracy",
    "log_loss": "log loss",
}
"""Key of a number in a report → its name."""

SPECIAL_CHARACTERS = re.compile(
    r"[\\`*\[\]<>|~$]|&(?=#?\w+;)|(?<![^\W_])_|_(?![^\W_])|:(?=//)|(?<=www)\.|^[-+#=](?!\d)|^\d+(?P<end>[.)])(?=\s)",
    re.IGNORECASE,
)
"""Characters that mean something in Markdown where they stand; a hyphen or an underscore within a word does not."""


class Markup(str):
    """Text that is Markdown of ours, which `table` leaves as it is."""

    __slots__ = ()


def escape(text):
    """Return ``text`` as Markdown that shows it: no markup, no HTML, no link, no new cell or line."""
    return SPECIAL_CHARACTERS.sub(_escaped, printable(str(text)))


def _escaped(found):
    """Return the match with a backslash before its last character."""
    return f"{found[0][:-1]}\\{found[0][-1]}"


def as_markdown(report, *, picture, published_lines):
    """Lay out a report.

    Parameters
    ----------
    report : dict
        As from `classify.reports.report.assemble`.
    published_lines : list of str
        Lines of the published numbers, as from `classify.reports.published_tables.published_tables`.
    picture : bool
        Whether ``confusion.png`` lies beside the report.

    Returns
    -------
    str
    """
    metric = METRIC_NAMES[report["metric"]]
    lines = [
        f"# {escape(report['dataset'])}: {percent(report['value'])} % {metric}",
        "",
        f"{report['clips']} clips of {len(report['classes'])} classes; {escape(report['protocol'])}.",
        *_interval(report, metric),
        *_counted(report),
        *_part(report),
        "",
        *table(
            ["number", "percent"], [[METRIC_NAMES[key], shown_number(key, report[key])] for key in _number_keys(report)]
        ),
        *_section("Beside published numbers", published_lines),
    ]
    if report["per_descriptor"]:
        rows = [[block, percent(value)] for block, value in report["per_descriptor"].items()]
        lines += _section("Each descriptor by itself", table(["descriptor", metric], rows))
    if report["per_part"]:
        rows = [
            [part, *(shown_number(key, numbers[key]) for key in _number_keys(report))]
            for part, numbers in report["per_part"].items()
        ]
        header = ["part", *(METRIC_NAMES[key] for key in _number_keys(report))]
        lines += _section("Parts", ["The numbers above are the means of these.", "", *table(header, rows)])
    keys = _number_keys(report)
    rows = [
        [fold["name"], fold["n_train"], fold["n_test"], *(shown_number(key, fold[key]) for key in keys)]
        for fold in report["per_fold"]
    ]
    lines += _section("Splits", table(["split", "train", "test", *(METRIC_NAMES[key] for key in keys)], rows))
    of_class = {"accuracy": report["per_class"], "average precision": report["per_class_precision"]}
    columns = {name: shares for name, shares in of_class.items() if shares}
    rows = [[label, *(percent(shares[label]) for shares in columns.values())] for label in report["classes"]]
    lines += _section("Classes", table(["class", *columns], rows))
    lines += ["", "![Confusion matrix](confusion.png)"] if picture else []
    lines += _lists(report)
    settings = json.dumps(report["settings"], indent=2, sort_keys=True, ensure_ascii=False).split("\n")
    lines += _section("Settings", ["```json", *map(printable, settings), "```"])
    lines += _section("Versions", [", ".join(f"{name} {version}" for name, version in report["versions"].items())])
    if report["seconds"]:
        rows = [[stage, f"{spent:.1f}"] for stage, spent in report["seconds"].items()]
        lines += _section("Wall time", table(["stage", "seconds"], rows))
        if report["memory"]:
            lines += ["", f"At most {report['memory'] / 2**20:.0f} MB of memory after the extraction."]
    return "\n".join(lines) + "\n"


def _interval(report, metric):
    """State the confidence interval over the splits."""
    found = report["interval"]
    if not found:
        return []
    low, high = (percent(found[end]) for end in ("low", "high"))
    return [f"Over {found['splits']} splits, {100 * found['level']:.0f} % of confidence: {metric} {low} … {high} %."]


def _counted(report):
    """Count the clips that were left out."""
    counts = [
        f"{len(report[kind])} {what}"
        for kind, what in (("missing", "missing clips"), ("failed", "clips that could not be used"))
        if report[kind]
    ]
    return [f"Not evaluated: {' and '.join(counts)}; they are listed below."] if counts else []


def _part(report):
    """Name the part of the set that the run covers, unless it covers all."""
    if not report["part"]:
        return []
    return [f"**On part of the set, {', '.join(report['part'])}: not comparable with results on the whole.**"]


def _lists(report):
    """List everything that went wrong or was left out, by name."""
    mistakes = [f"{entry['name']}: {entry['label']}, taken for {entry['predicted']}" for entry in report["mistakes"]]
    failed, skipped = (
        [f"{entry['path']}: {entry['reason']}" for entry in report[kind]] for kind in ("failed", "skipped")
    )
    lines = []
    for title, entries in (
        ("Wrongly labelled", mistakes),
        ("Videos without tracks (zero vectors)", report["empty"]),
        ("Clips that could not be used", failed),
        ("Clips that the set should have and that are missing", report["missing"]),
        ("Files that are not of the set", skipped),
        ("Notes", report["notes"]),
    ):
        if entries:
            heading = title if title == "Notes" else f"{title}: {len(entries)}"
            lines += _section(heading, [f"- {escape(entry)}" for entry in entries])
    return lines


def _number_keys(report):
    return [key for key in METRIC_NAMES if key in report]


def _section(title, lines):
    return ["", f"## {title}", "", *lines]


def table(header, rows):
    """Lay out a Markdown table.

    Parameters
    ----------
    header : list
    rows : list of list
        Cells are `Markup`, or anything else, which `escape` makes text.

    Returns
    -------
    list of str
        Lines.
    """
    lines = [header, [Markup("---")] * len(header), *rows]
    return [
        "| " + " | ".join(cell if isinstance(cell, Markup) else escape(cell) for cell in line) + " |" for line in lines
    ]


def shown_number(key, value):
    """Write the ``value`` of the number ``key``: a loss as it is, a share in percent."""
    return f"{value:.3f}" if key == "log_loss" else percent(value)


def percent(share):
    """Write a ``share`` in percent, with one decimal; a dash where there is none."""
    return "–" if share is None else f"{100 * share:.1f}"
