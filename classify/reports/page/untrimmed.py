"""The page of an evaluation of untrimmed video: the numbers, the classes, and a timeline of each video."""

import json

from classify.reports.markdown import percent
from classify.reports.page import charts
from classify.reports.page.template import MOST_LISTED, fill_template, is_available

MOST_VIDEOS = 60
"""Most videos of a page that have a timeline."""

NUMBERS = ("frames", "Edit", "F1@10", "F1@25", "F1@50")
"""Headings of the metrics of frame labels, which are in percent."""


def page(report):
    """Make the page of an evaluation of untrimmed video.

    Parameters
    ----------
    report : dict
        As from `classify.evaluation.untrimmed.report.assemble`.

    Returns
    -------
    str or None
        None where Jinja2 is not installed.

    Raises
    ------
    OSError
        If the charts cannot be drawn.
    """
    if not is_available():
        return None
    known = sorted(((100 * share, label) for label, share in report["per_class"].items()), key=lambda one: -one[0])
    names, values = [label for _, label in known], [share for share, _ in known]
    header, rows = numbers_table(report)
    videos = report["videos"][:MOST_VIDEOS]
    bars = (bar for video in videos for bar in video["true"] + video["predicted"])
    labels = dict.fromkeys([*report["classes"], *(label for _, _, label in bars)])
    return fill_template(
        "untrimmed.html",
        report=report,
        tiles=tiles(report["numbers"]),
        header=header,
        rows=rows,
        charts=charts.draw_charts({"classes": charts.bars(names, values, unit=f"{report['class_measure']}, %")}),
        videos=[{**video, "rows": _rows(video)} for video in videos],
        more=len(report["videos"]) - len(videos),
        colours={label: "#c9cfd6" if label in report["background"] else colour(i) for i, label in enumerate(labels)},
        shown=shown,
        columns=NUMBERS,
        lists=lists_of(report),
        listed=MOST_LISTED,
        settings=json.dumps(report["settings"], indent=2, sort_keys=True, ensure_ascii=False).split("\n"),
    )


def tiles(numbers):
    """Write the main ``numbers`` of a report in percent, a dict of name → text."""
    if "precision" in numbers:
        return {f"mAP@{at}": percent(value) for at, value in numbers["precision"].items()}
    return dict(zip(NUMBERS, shown(numbers), strict=True))


def shown(numbers):
    """Write the metrics of frame labels among ``numbers`` in percent, a list of str in the order of `NUMBERS`."""
    return [percent(value) for value in (numbers["accuracy"], numbers["edit"], *numbers["f1"].values())]


def numbers_table(report):
    """Lay out the numbers of the splits.

    Parameters
    ----------
    report : dict

    Returns
    -------
    header : list of str
    rows : list of list
        If the report measures detections, a row for each split. If it measures frame labels, the rows of a split are
        its pooled numbers, the means of its videos, and the numbers of the baseline if there is one: the transcript
        stretched over equal parts of the video. The means over the splits come last.
    """
    detects = "precision" in report["numbers"]
    header = ["split", "train", "test", *tiles(report["numbers"]), *(["average"] if detects else [])]
    rows = []
    entries = [
        *report["per_split"],
        {"name": "mean of the splits", "n_train": "", "n_test": "", "numbers": report["numbers"]},
    ]
    for entry in entries if len(report["per_split"]) > 1 else entries[:1]:
        first, numbers = [entry["name"], entry["n_train"], entry["n_test"]], entry["numbers"]
        if detects:
            rows.append([*first, *tiles(numbers).values(), percent(numbers["average"])])
            continue
        rows.append([f"{first[0]}, pooled", *first[1:], *shown(numbers)])
        mean = {"accuracy": numbers["accuracy_mean"], "edit": numbers["edit"], "f1": numbers["f1_mean"]}
        rows.append([f"{first[0]}, mean of the videos", *first[1:], *shown(mean)])
        if "baseline" in numbers:
            rows.append([f"{first[0]}, transcript over equal parts, pooled", *first[1:], *shown(numbers["baseline"])])
    return header, rows


def lists_of(report):
    """List the videos and files that a ``report`` left out: a dict of heading → lines."""
    failed, skipped = (
        [f"{entry['path']}: {entry['reason']}" for entry in report[kind]] for kind in ("failed", "skipped")
    )
    found = {
        "Videos that could not be used": failed,
        "Videos that the set should have and that are missing": report["missing"],
        "Files that are not of the set": skipped,
    }
    return {heading: entries for heading, entries in found.items() if entries}


def colour(number):
    """Return the CSS colour of the class with a ``number``; dark letters can be read on it."""
    # Hues step by the golden angle, so that no two of the first dozens of classes are close.
    return f"hsl({number * 137.508 % 360:.0f} {62 if number % 2 else 78}% {74 if number % 3 else 66}%)"


def _rows(video):
    """Lay out the two rows of a timeline: name → bars of place and width in percent, label, and text."""
    found = {}
    for name in ("true", "predicted"):
        found[name] = [
            {
                "left": f"{100 * start / video['seconds']:.3f}",
                "width": f"{100 * (min(end, video['seconds']) - start) / video['seconds']:.3f}",
                "label": label,
                "text": f"{label}, {start:.1f} to {end:.1f} s",
            }
            for start, end, label in video[name]
        ]
    return found
