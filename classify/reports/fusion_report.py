"""Files of a fusion's report: ``report.json``, ``report.md`` and, where libraries are installed, page and pictures."""

from pathlib import Path

from classify.reports.comparison_table import write_if_changed
from classify.reports.fusion_markdown import as_markdown
from classify.reports.fusion_plots import accuracy_png, gain_png
from classify.reports.markdown import METRIC_NAMES
from classify.reports.page import fusion as fusion_page
from classify.reports.page.template import NO_JINJA
from classify.reports.plots import NO_MATPLOTLIB
from classify.reports.report import Written
from idt.files import atomic, json_text, text
from idt.files.marks import mark_picture

FILES = ("report.json", "report.md", "report.html", "accuracy.png", "gain.png")
"""Files of a report."""

OPTIONAL = (".html", ".png")
"""Suffixes of files that a report may lack."""


def write(folder, report, *, overwrite=False):
    """Write the report of a fusion.

    ``report.json`` is written last, so that it exists only beside all other files.

    Parameters
    ----------
    folder : str or Path
        Made if it is not there.
    report : dict
        As from `classify.fusion.report.make_report`.
    overwrite : bool or collection of path
        A collection names files that are replaced whoever made them. Files that this package made are always replaced.

    Returns
    -------
    Written

    Raises
    ------
    DataError
        If a file that would be replaced was not made by this package.
    OSError
        If something cannot be written.

    Notes
    -----
    Files whose content would not change are left alone.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    overwrite = overwrite or True
    pictures = {"accuracy.png": _accuracy(report), "gain.png": _gain(report)}
    paths, notes = [], []
    for name, picture in pictures.items():
        if picture is None:
            atomic.remove(folder / name, overwrite)
            continue
        paths.append(folder / name)
        write_if_changed(paths[-1], mark_picture(picture, ".png"), overwrite)
    if pictures["accuracy.png"] is None:
        notes.append(NO_MATPLOTLIB)
    page = fusion_page.page(report)
    if page is None:
        notes.append(NO_JINJA)
        atomic.remove(folder / "report.html", overwrite)
    else:
        paths.append(folder / "report.html")
        write_if_changed(paths[-1], text.encoded(page), overwrite)
    for name, content in (
        ("report.md", as_markdown(report, pictures=[path.name for path in paths])),
        ("report.json", json_text.dumps(report) + "\n"),
    ):
        paths.append(folder / name)
        write_if_changed(paths[-1], text.encoded(content), overwrite)
    return Written(paths, notes)


def _accuracy(report):
    """Draw the accuracies; return None where matplotlib is not installed."""
    metric, before = report["metric"], report["before"]
    bars = [(name, 100 * source[metric], _interval(source)) for name, source in report["sources"].items()]
    if len(before["sources"]) > 1:
        bars.append((" + ".join(before["sources"]), 100 * before[metric], None))
    bars.append(("fused", 100 * report["value"], _interval(report)))
    points, group = report["curve"], report["curve_of"]
    weight = (sum(report["weights"][name] for name in group), 100 * report["value"]) if report["weights"] else None
    curve = (" + ".join(group), [point["weight"] for point in points], [100 * point[metric] for point in points])
    return accuracy_png(
        bars, curve, metric=METRIC_NAMES[metric], weight=weight, biased=report["weights_from"] == "test"
    )


def _interval(numbers):
    found = numbers["interval"]
    return found and (100 * found["low"], 100 * found["high"])


def _gain(report):
    """Draw the gains; return None where matplotlib is not installed or no class has a gain."""
    gains = {label: 100 * gain for label, gain in report["gain"].items() if gain is not None}
    return gain_png(gains, " + ".join(report["before"]["sources"])) if gains else None
