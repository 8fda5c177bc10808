"""Report of an evaluation of untrimmed video: the numbers as JSON, and in forms that people read.

`assemble` makes the report, `write` puts it into a folder: ``report.json``, ``report.md``, ``results.csv`` with all
predicted segments and, where Jinja2 is installed, ``report.html`` with a timeline of each video.
"""

import json
from pathlib import Path
from typing import NamedTuple

from classify.datasets.splits import Split
from classify.evaluation.untrimmed import measure
from classify.reports.extent import covered_part
from classify.reports.markdown import escape, percent, table
from classify.reports.page import untrimmed as page
from classify.reports.page.template import NO_JINJA
from classify.reports.report import PAGE, Written, versions
from classify.text_files import write_text
from classify.untrimmed.formats.table import HEADER, fields
from classify.untrimmed.frame_metrics import runs
from classify.untrimmed.protocols import FRAMES, SEGMENTS
from classify.untrimmed.segment_videos import Segmented
from idt.errors import printable
from idt.files import atomic, csv_text, json_text, ownership
from idt.files.marks import TOOL

RESULTS = "results.csv"

FILES = ("report.json", "report.md", PAGE, RESULTS)
"""Files of a report."""

GIVEN_ORDER = (
    "The true order of the actions of each test video was given: these are numbers of an alignment, not of a"
    " recognition."
)


class SplitResult(NamedTuple):
    """Segments ``found`` in the test videos of a ``split``."""

    split: Split
    found: list[Segmented]


def assemble(untrimmed_set, truths, results, *, hidden, settings, made_of):
    """Make the report as a dict.

    Parameters
    ----------
    untrimmed_set : UntrimmedSet
    truths : dict of str to classify.evaluation.untrimmed.measure.Truth
    results : list of SplitResult
    hidden : tuple of str
        Labels whose segments do not count in Edit and F1.
    settings : dict
        All options that the numbers depend on.
    made_of : str
        Digest of features and truth.

    Returns
    -------
    dict
        Ready for JSON. Shares lie in [0, 1]. ``numbers`` are the means of the splits' numbers in ``per_split``,
        ``value`` is the one by which the set is compared, ``metric`` its name. ``per_class`` is the share of each
        class's frames that are labelled correctly, over the videos of all splits together, or the mean over splits of
        its average precision at 0.5.
    """
    dataset, method = untrimmed_set.dataset, settings["segmenting"]["method"]
    per_split, videos, label_pairs, precisions_by_class = [], [], [], []
    for split, found in results:
        numbers: dict = {}
        if dataset.name in FRAMES:
            numbers, own, labels = measure.measure_frames(truths, found, hidden)
            label_pairs += labels
        else:
            numbers, precisions = measure.measure_segments(dataset.name, truths, found)
            precisions_by_class.append(
                {label: values[f"{measure.MAIN_OVERLAP:g}"] for label, values in precisions.items()}
            )
            own = [{} for _ in found]
        per_split.append(
            {"name": split.name, "n_train": len(split.train), "n_test": len(split.test), "numbers": numbers}
        )
        videos += [_video(split, each, truths[each.name], more) for each, more in zip(found, own, strict=True)]
    means = measure.mean_of([entry["numbers"] for entry in per_split])
    return {
        "tool": TOOL,
        "dataset": dataset.name,
        "root": str(dataset.root),
        "clips": len(dataset.clips),
        "protocol": dataset.protocol,
        "method": method,
        "metric": _metric(dataset.name),
        "value": means["accuracy" if dataset.name in FRAMES else "average"],
        "numbers": means,
        "per_split": per_split,
        "per_class": measure.class_shares(label_pairs) if label_pairs else _means(precisions_by_class),
        "class_measure": "frames right" if label_pairs else f"average precision at {measure.MAIN_OVERLAP:g}",
        "classes": dataset.classes,
        "background": list(hidden),
        "videos": videos,
        "failed": [failed._asdict() for failed in dataset.failed],
        "skipped": [skipped._asdict() for skipped in dataset.skipped],
        "missing": list(dataset.missing),
        "notes": [GIVEN_ORDER] if method == "dtw" else [],
        "part": covered_part(dataset),
        "settings": settings,
        "made_of": made_of,
        "versions": versions(),
    }


def write(folder, report, results, *, overwrite=False):
    """Write a report into a folder; ``report.json`` is written last, so a folder that holds it is complete.

    Parameters
    ----------
    folder : str or Path
    report : dict
        As from `assemble`.
    results : list of SplitResult
    overwrite : bool or collection of path
        Replace an existing report of this package, and files that the collection names.

    Returns
    -------
    Written

    Raises
    ------
    DataError
        If a file that would be replaced was not made by this package.
    OSError
        If something cannot be written.
    """
    folder = Path(folder)
    for name in FILES:
        ownership.check_replaceable(folder / name, overwrite)
    atomic.remove(folder / PAGE, overwrite)
    paths, notes = [folder / RESULTS], []
    lines = [(result.split.name, *row) for result in results for each in result.found for row in fields(each.segments)]
    write_text(paths[0], csv_text.dumps([("split", *HEADER), *lines]), overwrite=overwrite)
    filled = page.page(report)
    if filled is None:
        notes.append(NO_JINJA)
    else:
        paths.append(folder / PAGE)
        write_text(paths[-1], filled, overwrite=overwrite)
    paths += [folder / "report.md", folder / "report.json"]
    write_text(paths[-2], as_markdown(report), overwrite=overwrite)
    write_text(paths[-1], json_text.dumps(report) + "\n", overwrite=overwrite)
    return Written(paths, notes)


def as_markdown(report):
    """Return a ``report`` as Markdown text."""
    lines = [
        f"# {escape(report['dataset'])}: {percent(report['value'])} % {report['metric']}",
        "",
        f"{report['clips']} clips of {len(report['classes'])} classes; {escape(report['protocol'])}; method"
        f" {report['method']}.",
    ]
    if report["part"]:
        lines.append(f"**On part of the set, {', '.join(report['part'])}: not comparable with results on the whole.**")
    lines += [escape(note) for note in report["notes"]]
    header, rows = page.numbers_table(report)
    lines += ["", "## Splits", "", *table(header, rows)]
    rows = [[label, percent(share)] for label, share in report["per_class"].items()]
    lines += ["", "## Classes", "", *table(["class", f"{report['class_measure']}, %"], rows)]
    if any(video["numbers"] for video in report["videos"]):
        names = page.NUMBERS
        rows = [
            [video["name"], video["split"], f"{video['seconds']:.1f}", *page.shown(video["numbers"])]
            for video in report["videos"]
        ]
        lines += ["", "## Videos", "", *table(["video", "split", "seconds", *names], rows)]
    for title, entries in page.lists_of(report).items():
        lines += ["", f"## {title}: {len(entries)}", "", *(f"- {escape(entry)}" for entry in entries)]
    settings = json.dumps(report["settings"], indent=2, sort_keys=True, ensure_ascii=False).split("\n")
    lines += ["", "## Settings", "", "```json", *map(printable, settings), "```"]
    lines += ["", "## Versions", "", ", ".join(f"{name} {version}" for name, version in report["versions"].items())]
    return "\n".join(lines) + "\n"


def _metric(name):
    if name in FRAMES:
        return "frame accuracy"
    averaged = SEGMENTS[name].averaged
    return f"mean average precision, mean over overlaps from {averaged[0]:g} to {averaged[-1]:g}"


def _video(split, found, truth, numbers):
    """Describe a test video for the report."""
    if truth.labels is None:
        rows = zip(truth.segments.spans.tolist(), truth.segments.labels.tolist(), strict=True)
        true = [[*span, label] for span, label in rows]
    else:
        true = _spans(truth.labels, truth.rate)
    return {
        "name": found.name,
        "split": split.name,
        "seconds": truth.seconds,
        "numbers": numbers,
        "true": true,
        "predicted": _spans(found.labels, found.fps),
    }


def _spans(labels, rate):
    return [[run.start / rate, run.end / rate, str(run.label)] for run in runs(labels)]


def _means(precisions_by_class):
    """Average the precision of each class over the splits that have it."""
    names = sorted({label for each in precisions_by_class for label in each})
    values = {label: [each[label] for each in precisions_by_class if label in each] for label in names}
    return {label: sum(own) / len(own) for label, own in values.items()}
