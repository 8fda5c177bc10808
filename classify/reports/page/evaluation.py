"""The page of an evaluation."""

import json
from pathlib import PurePath

from classify.reports.markdown import METRIC_NAMES, shown_number
from classify.reports.page import charts
from classify.reports.page.template import MOST_LISTED, data_url, fill_template, is_available
from classify.reports.page.videos import key_of
from classify.reports.published_tables import HEADER, Own, rankings

OWN_DATA = ("folder", "list")
"""Data sets whose title on the page is the name of their root folder."""


def page(report, videos=(), pictures=None):
    """Make the page of an evaluation.

    Parameters
    ----------
    report : dict
        As from `classify.reports.report.assemble`.
    videos : sequence of classify.reports.page.videos.Tested
        The test videos; without them a cell of the confusion matrix only has its count.
    pictures : dict of (str, str) to list of classify.reports.page.videos.Picture, optional
        Name and split of a video → pictures.

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
    pictures = pictures or {}
    # Videos with pictures come first.
    wrong = sorted(report["mistakes"], key=lambda entry: (entry["name"], entry["fold"]) not in pictures)[:MOST_LISTED]
    metric = METRIC_NAMES[report["metric"]]
    keys = [key for key in METRIC_NAMES if key in report]
    tables, legend = rankings(report["published"], Own(report["value"], metric, report["part"]))
    of_class = {"accuracy": report["per_class"], "average precision": report["per_class_precision"]}
    columns = {name: shares for name, shares in of_class.items() if shares}
    return fill_template(
        "evaluation.html",
        report=report,
        title=title_of(report),
        metric=metric,
        numbers=[(METRIC_NAMES[key], shown_number(key, report[key])) for key in keys],
        keys=keys,
        metric_names=METRIC_NAMES,
        shown=shown_number,
        rankings=tables,
        header=HEADER,
        legend=legend,
        columns=columns,
        charts=_charts(report, columns),
        data=_data(report, videos, pictures, wrong),
        wrong=[(entry, pictures.get((entry["name"], entry["fold"]), [])) for entry in wrong],
        shows_evidence=any(picture.shows_evidence for shown in pictures.values() for picture in shown),
        lists=_lists(report),
        listed=MOST_LISTED,
        settings=json.dumps(report["settings"], indent=2, sort_keys=True, ensure_ascii=False).split("\n"),
    )


def title_of(report):
    """Return the name of the data set of a ``report``, or of its folder if the data set is the user's own."""
    name = report["dataset"]
    return (name in OWN_DATA and PurePath(report["root"]).name) or name


def _charts(report, columns):
    """Draw the charts; return name → SVG."""
    wanted = {}
    name, shares = next(iter(columns.items()))
    known = sorted(
        ((100 * share, label) for label, share in shares.items() if share is not None), key=lambda one: -one[0]
    )
    wanted["classes"] = charts.bars([label for _, label in known], [share for share, _ in known], unit=f"{name}, %")
    if report["per_descriptor"]:
        found = report["interval"]
        span = (100 * found["low"], 100 * found["high"]) if found else None
        blocks = report["per_descriptor"]
        wanted["descriptors"] = charts.bars(
            ["all together", *blocks],
            [100 * report["value"], *(100 * value for value in blocks.values())],
            spans=[span, *[None] * len(blocks)],
            marked=[0],
        )
    if report["seconds"]:
        wanted["costs"] = charts.bars(list(report["seconds"]), list(report["seconds"].values()), unit="seconds")
    return charts.draw_charts(wanted)


def _data(report, videos, pictures, wrong):
    """List the videos of each cell of the confusion matrix, for the page's script.

    Pictures of wrong videos are in the page already; their entries hold the place in the list of wrong videos.
    """
    places = {label: place for place, label in enumerate(report["classes"])}
    cells: dict[str, list] = {}
    listed = {(entry["name"], entry["fold"]): place for place, entry in enumerate(wrong)}
    for video in videos:
        cell = cells.setdefault(f"{places[video.label]} {places[video.predicted]}", [])
        key = key_of(video)
        entry: dict = {"name": video.name}
        if key in listed:
            entry["wrong"] = listed[key]
        elif key in pictures:
            entry["pictures"] = [[picture.caption, data_url(picture.data)] for picture in pictures[key]]
        cell.append(entry)
    return {"classes": report["classes"], "cells": cells}


def _lists(report):
    """List the videos and files that were left out or have no tracks: heading → lines."""
    failed, skipped = (
        [f"{entry['path']}: {entry['reason']}" for entry in report[kind]] for kind in ("failed", "skipped")
    )
    found = {
        "Videos without tracks (zero vectors)": report["empty"],
        "Clips that could not be used": failed,
        "Clips that the set should have and that are missing": report["missing"],
        "Files that are not of the set": skipped,
    }
    return {heading: entries for heading, entries in found.items() if entries}
