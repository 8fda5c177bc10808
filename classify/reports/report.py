"""Report of an evaluation: its numbers as JSON and in forms that people read.

`assemble` makes the report from the scores of each split. `write` puts it into a folder: ``report.json``,
``report.md``, ``confusion.csv`` and, if their libraries are installed, ``report.html`` and ``confusion.png``. A report
depends on data and options only, except for ``seconds``, ``memory`` and ``versions``.

Shares lie in [0, 1] in the JSON and are percent elsewhere. `classify.reports.summary` combines the splits.
"""

import importlib.metadata
import platform
from pathlib import Path
from typing import NamedTuple

import numpy as np

from classify import metrics
from classify.reports import summary
from classify.reports.extent import covered_part
from classify.reports.markdown import METRIC_NAMES, as_markdown
from classify.reports.page import evaluation as evaluation_page
from classify.reports.page.template import NO_JINJA, is_available
from classify.reports.plots import NO_MATPLOTLIB, confusion_png
from classify.reports.published import published
from classify.reports.published_tables import Own, published_tables
from classify.text_files import write_text
from idt.files import atomic, csv_text, json_text, ownership
from idt.files.marks import TOOL, mark_picture

PACKAGES = (
    "improved-dense-trajectories",
    "numpy",
    "scipy",
    "scikit-learn",
    "numba",
    "h5py",
    "opencv-contrib-python",
    "opencv-contrib-python-headless",
    "opencv-python",
    "opencv-python-headless",
)

PAGE = "report.html"

FILES = ("report.json", "report.md", PAGE, "confusion.csv", "confusion.png")
"""Files of a report."""

LEVEL = 0.95
"""Confidence of the interval over the splits."""


class Written(NamedTuple):
    """The files of a report, and notes on files that could not be written."""

    paths: list[Path]
    notes: list[str]


class Costs(NamedTuple):
    """Time and memory of an evaluation.

    Attributes
    ----------
    seconds : dict of str to float
        Wall time by stage.
    memory : int
        Bytes, the most that a stage after the extraction took; 0 if it is not known.
    """

    seconds: dict[str, float]
    memory: int = 0


def assemble(dataset, folds, *, per_descriptor=None, settings=None, costs=None, vector_length=None, empty=(), notes=()):
    """Make the report of an evaluation.

    Parameters
    ----------
    dataset : Dataset
    folds : sequence of Fold
    per_descriptor : dict of str to sequence of Fold, optional
        Splits evaluated with each block of the vectors by itself.
    settings : dict, optional
        All options that the numbers depend on.
    costs : Costs, optional
    vector_length : int, optional
        Length of a vector.
    empty : sequence of str
        Videos without tracks.
    notes : sequence of str
        Further remarks for the reader.

    Returns
    -------
    dict
        Ready for JSON. ``value`` and ``per_descriptor`` are numbers of the set's ``metric``; ``interval`` is the
        confidence interval of the mean over the splits; ``confusion`` is [true][predicted] in the order of ``classes``;
        ``confusion`` and ``per_class`` are empty where clips have several labels; a share over no videos is None;
        ``part`` is the part of the set that the run covers, empty if it covers the whole set. In ``per_part`` and
        ``per_fold``, a part is a subset of the set, whose splits are counted together.

    Raises
    ------
    DataError
        As `classify.reports.summary.summarise`.
    """
    seconds, memory = costs or Costs({})
    numbers = summary.summarise(dataset, folds)
    subsets = summary.by_subset(folds)
    per_fold = [summary.numbers_of(dataset, [fold]) for fold in folds]
    return {
        "tool": TOOL,
        "dataset": dataset.name,
        "root": str(dataset.root),
        "clips": len(dataset.clips),
        "protocol": dataset.protocol,
        "metric": dataset.metric,
        "value": numbers[dataset.metric],
        **numbers,
        "interval": _interval([mine[dataset.metric] for mine in per_fold]),
        "per_part": {part: summary.numbers_of(dataset, mine) for part, mine in subsets.items()}
        if 1 < len(subsets) < len(folds)
        else {},
        "per_fold": [
            {
                "name": fold.split.name,
                "part": fold.split.subset,
                "n_train": len(fold.split.train),
                "n_test": len(fold.split.test),
                **mine,
            }
            for fold, mine in zip(folds, per_fold, strict=True)
        ],
        "per_class": summary.class_shares(dataset, folds),
        "per_class_precision": summary.class_precisions(dataset, folds),
        "per_descriptor": {
            block: summary.summarise(dataset, mine)[dataset.metric] for block, mine in (per_descriptor or {}).items()
        },
        "classes": dataset.classes,
        "confusion": [] if dataset.multi_label else summary.confusion_of(dataset, folds).tolist(),
        "mistakes": summary.mistakes_of(dataset, folds),
        "failed": [failed._asdict() for failed in dataset.failed],
        "skipped": [skipped._asdict() for skipped in dataset.skipped],
        "missing": list(dataset.missing),
        "empty": sorted(empty),
        "notes": list(notes),
        "columns": vector_length,
        "part": covered_part(dataset, len(folds)),
        "published": [entry._asdict() for entry in published(dataset.name)],
        "settings": settings or {},
        "versions": versions(),
        "seconds": {stage: round(float(spent), 3) for stage, spent in seconds.items()},
        "memory": memory or None,
    }


def lacks_page(folder):
    """Tell whether the report in ``folder`` has no page though one can be made."""
    return is_available() and not (Path(folder) / PAGE).exists()


def write(folder, report, *, videos=(), pictures=None, overwrite=False):
    """Write a report into a folder.

    ``report.json`` is written last, so that it exists only beside all other files.

    Parameters
    ----------
    folder : str or Path
        Made if it is not there.
    report : dict
        As from `assemble`.
    videos, pictures
        Test videos and their pictures, as for `classify.reports.page.evaluation.page`.
    overwrite : bool or collection of path
        Replace an existing report of this package, and files that the collection names.

    Returns
    -------
    Written

    Raises
    ------
    DataError
        If the folder holds a report and ``overwrite`` is false, or a file that would be replaced was not made by this
        package.
    OSError
        If something cannot be written.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    final = folder / "report.json"
    ownership.check_replaceable(final, overwrite)
    overwrite = overwrite or True
    for name in FILES:
        ownership.check_replaceable(folder / name, overwrite)
    paths: list[Path] = []
    notes: list[str] = []
    picture = None
    for name in (PAGE, "confusion.csv", "confusion.png"):
        # A page, table or picture of an earlier run would show another result.
        atomic.remove(folder / name, overwrite)
    if report["confusion"]:
        paths.append(folder / "confusion.csv")
        lines = [[label, *row] for label, row in zip(report["classes"], report["confusion"], strict=True)]
        write_text(paths[-1], csv_text.dumps([["true class", *report["classes"]], *lines]), overwrite=overwrite)
        picture = confusion_png(np.array(report["confusion"]), report["classes"])
        if picture is None:
            notes.append(NO_MATPLOTLIB)
    if picture is not None:
        paths.append(folder / "confusion.png")
        with atomic.replacing(paths[-1], overwrite=overwrite) as part:
            part.write(mark_picture(picture, ".png"))
    page = evaluation_page.page(report, videos, pictures)
    if page is None:
        notes.append(NO_JINJA)
    else:
        paths.append(folder / PAGE)
        write_text(paths[-1], page, overwrite=overwrite)
    paths += [folder / "report.md", final]
    own = Own(report["value"], METRIC_NAMES[report["metric"]], report["part"])
    published_lines = published_tables(report["published"], own)
    write_text(
        paths[-2],
        as_markdown(report, picture=picture is not None, published_lines=published_lines),
        overwrite=overwrite,
    )
    write_text(final, json_text.dumps(report) + "\n", overwrite=overwrite)
    return Written(paths, notes)


def versions():
    """Return the versions of Python and of the installed packages that the numbers depend on."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def _interval(values):
    """Compute the confidence interval of the mean over splits, cut to the range of a share."""
    found = metrics.confidence_interval(values, level=LEVEL)
    if found is None:
        return None
    return {"level": LEVEL, "low": max(found[0], 0.0), "high": min(found[1], 1.0), "splits": len(values)}
