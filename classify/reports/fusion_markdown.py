"""The report of a fusion as Markdown: the accuracies, the gain by the trajectories, and the matching of files."""

from classify.reports.markdown import METRIC_NAMES, Markup, escape, percent, table
from classify.reports.published_tables import Own, published_tables

RED = '<span style="color:red">🔴 {}</span>'
"""Red mark of a number. The emoji stays red where styles are removed, as on GitHub."""

MOST_LISTED = 200
"""Most videos of a list that are shown; the others are in ``report.json``."""

ORIGINS = {
    "given": "given",
    "default": "the default",
    "validation": "found on validation videos",
    "test": "chosen on the TEST videos",
    "svm": "a linear SVM trained on validation videos",
}
"""Origin of the weights → words for the report."""


def as_markdown(report, *, pictures):
    """Lay out a report.

    Parameters
    ----------
    report : dict
        As from `classify.fusion.report.make_report`.
    pictures : list of str
        Names of the files that lie beside the report.

    Returns
    -------
    str
    """
    metric, biased = METRIC_NAMES[report["metric"]], report["weights_from"] == "test"
    title = f"{percent(report['value'])} % {metric}"
    splits = [split["name"] for split in report["per_split"]]
    how = "their videos counted together" if report["pooled"] else "the mean of their numbers"
    several = f"{len(splits)} splits, {how}" if len(splits) > 1 else "one split"
    lines = [
        f"# {escape(' + '.join(report['sources']))}: {RED.format(title) if biased else title}",
        "",
        f"{report['videos']} clips of {len(report['classes'])} classes; {several}."
        f" Weights: {ORIGINS[report['weights_from']]}.",
    ]
    if report["part"]:
        lines += ["", f"**On part of the set, {', '.join(report['part'])}: not comparable with results on the whole.**"]
    for place, note in enumerate(report["notes"]):
        lines += ["", RED.format(escape(note)) if biased and not place else f"{escape(note)}."]
    lines += ["", *_sources(report, biased), *_gain(report, metric, biased)]
    if "accuracy.png" in pictures:
        lines += ["", "![Accuracy alone, together and over the weight](accuracy.png)"]
    lines += _classes(report, pictures)
    if len(splits) > 1:
        lines += _section("Splits", _splits(report, metric, biased))
    lines += _section("How files were read", _files(report))
    lines += _videos(report)
    if report["published"]:
        # A number is too high if its weights were chosen on the test videos; it is not ranked with published ones.
        own = None if biased else Own(report["value"], metric, report["part"])
        lines += _section("Beside published numbers", published_tables(report["published"], own))
    lines += _section("Versions", [", ".join(f"{name} {version}" for name, version in report["versions"].items())])
    return "\n".join(lines) + "\n"


def _marked(share, biased):
    """Write a share in percent, bold, and red where weights were chosen on the test videos."""
    return Markup(RED.format(f"**{percent(share)}**") if biased else f"**{percent(share)}**")


def _sources(report, biased):
    """Lay out the numbers of every source alone and of the fusion."""
    keys = [key for key in METRIC_NAMES if key in report]
    rows = [
        [
            name,
            *(percent(source[key]) for key in keys),
            _interval(source),
            f"{source['weight']:.3g}" if report["weights"] else "–",
            source["norm"],
        ]
        for name, source in report["sources"].items()
    ]
    fused = [Markup("**fused**"), *(_marked(report[key], biased) for key in keys), _interval(report), "", ""]
    header = ["source", *(METRIC_NAMES[key] for key in keys), "95 % over splits", "weight", "norm"]
    return table(header, [*rows, fused])


def _interval(numbers):
    found = numbers["interval"]
    return f"{percent(found['low'])} … {percent(found['high'])}" if found else "–"


def _gain(report, metric, biased):
    """State the gain of the fusion over the sources without trajectories, or over the best source alone."""
    before = report["before"]
    names = " + ".join(before["sources"])
    added = [name for name in report["sources"] if name not in before["sources"]]
    gain = 100 * (report["value"] - before[report["metric"]])
    text = (
        f"Without {escape(' and '.join(added))}: {percent(before[report['metric']])} % {metric}"
        f" ({escape(names)}). Fused: {gain:+.1f} points."
    )
    if report["corrected"] or report["spoiled"]:
        text += f" {len(report['corrected'])} videos are corrected, {len(report['spoiled'])} spoiled."
    return ["", RED.format(text) if biased else text]


def _classes(report, pictures):
    """List the gain of each class, the largest first."""
    known = [label for label in report["classes"] if report["gain"][label] is not None]
    rows = [
        [label, percent(report["per_class_before"][label]), percent(report["per_class"][label]), f"{100 * gain:+.1f}"]
        for gain, label in sorted(((report["gain"][label], label) for label in known), key=lambda pair: -pair[0])
    ]
    lines = table(["class", " + ".join(report["before"]["sources"]), "fused", "gain"], rows)
    picture = ["", "![Gain of each class](gain.png)"] if "gain.png" in pictures else []
    return _section("Classes", [*lines, *picture])


def _splits(report, metric, biased):
    names = list(report["sources"])
    rows = [
        [
            split["name"],
            split["videos"],
            *(percent(split["sources"][name]) for name in names),
            _marked(split[report["metric"]], biased),
            ", ".join(f"{name} {weight:.3g}" for name, weight in split["weights"].items()) or "–",
        ]
        for split in report["per_split"]
    ]
    return table(["split", "videos", *names, f"fused, {metric}", "weights"], rows)


def _files(report):
    """Lay out how the files of each source were read and matched."""
    rows = [
        [
            name,
            ", ".join(source["forms"]),
            ", ".join(f"{count} {rule}" for rule, count in source["matched"].items()),
            "; ".join(source["columns"]),
            "; ".join(source["notes"]),
        ]
        for name, source in report["sources"].items()
    ]
    lines = table(["source", "form", "names of videos", "columns", "notes"], rows)
    return [*lines, "", f"Labels: {escape(', '.join(report['labels_from']))}."]


def _videos(report):
    """List the videos that the fusion changes, and the videos that were left out."""
    lines = []
    for title, entries in (
        ("Corrected", [_line(entry) for entry in report["corrected"]]),
        ("Spoiled", [_line(entry) for entry in report["spoiled"]]),
        ("Left out, because a source or the labels lack them", report["missing"]),
    ):
        if entries:
            more = [f"- … and {len(entries) - MOST_LISTED} more in report.json"] if len(entries) > MOST_LISTED else []
            shown = [f"- {escape(entry)}" for entry in entries[:MOST_LISTED]]
            lines += _section(f"{title}: {len(entries)}", [*shown, *more])
    return lines


def _line(entry):
    return f"{entry['name']}: {entry['label']}, before {entry['before']}, now {entry['after']}"


def _section(title, lines):
    return ["", f"## {title}", "", *lines]
