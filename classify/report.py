"""What an evaluation found: the numbers as JSON, and in forms that people read.

`assemble` makes the report from the scores of each split, `write` puts it into a folder: ``report.json``,
``report.md``, ``confusion.csv`` and, where matplotlib is at hand, ``confusion.png``. But for ``seconds`` and
``versions`` a report depends on nothing but data and options.

Shares lie in [0, 1] in the JSON and are percent elsewhere. Predictions of the splits of one part are put together
before they are counted; numbers of several parts (the official splits of a set, two sets) are averaged.
"""

import importlib.metadata
import json
import math
import os
import platform
from pathlib import Path
from typing import NamedTuple

import numpy as np

from classify import metrics
from classify.picture import NO_MATPLOTLIB, confusion_png
from classify.published import published
from classify.readable import as_markdown
from classify.splits import Split
from classify.tables import csv_text, write_text
from idt import atomic
from idt.errors import DataError

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


class Fold(NamedTuple):
    """The outcome of a split.

    Attributes
    ----------
    split : Split
    classes : (k,) str
        Those that it was trained with.
    scores : (n, k) float
        Of the test videos, in the order of ``split.test``.
    """

    split: Split
    classes: list[str]
    scores: np.ndarray


class Written(NamedTuple):
    """The files of a report, and what could not be written."""

    paths: list[Path]
    notes: list[str]


def summarise(dataset, folds):
    """Count how well folds agree with the labels of their set.

    Parameters
    ----------
    dataset : Dataset
    folds : sequence of Fold

    Returns
    -------
    dict of str to float
        ``accuracy``, ``class_accuracy``, ``mean_average_precision`` and, for sets of more than five classes, ``top5``:
        over the folds of a part together, averaged over the parts.

    Raises
    ------
    DataError
        If there are no folds, or scores do not fit their split.
    """
    parts = [_numbers(dataset, mine) for _, mine in _by_part(folds)]
    return {key: float(np.mean([numbers[key] for numbers in parts])) for key in parts[0]}


def assemble(dataset, folds, *, per_descriptor=None, settings=None, seconds=None, empty=(), notes=()):
    """Make the report of an evaluation.

    Parameters
    ----------
    dataset : Dataset
    folds : sequence of Fold
    per_descriptor : dict of str to sequence of Fold, optional
        The outcome with each block of the vectors by itself.
    settings : dict, optional
        All options that the numbers depend on.
    seconds : dict of str to float, optional
        Wall time by stage.
    empty : sequence of str
        Videos without tracks.
    notes : sequence of str
        What else the reader should know.

    Returns
    -------
    dict
        Ready for JSON. ``value`` is the number of the set's ``metric``, which is also that of ``per_descriptor``;
        ``confusion`` is [true][predicted] in the order of ``classes``; a share of nothing is None.

    Raises
    ------
    DataError
        As `summarise`.
    """
    numbers = summarise(dataset, folds)
    counts = sum(_confusion(dataset, [fold]) for fold in folds)
    parts = _by_part(folds)
    return {
        "dataset": dataset.name,
        "root": str(dataset.root),
        "clips": len(dataset.clips),
        "protocol": dataset.protocol,
        "metric": dataset.metric,
        "value": numbers[dataset.metric],
        **numbers,
        "per_part": {part: _numbers(dataset, mine) for part, mine in parts} if len(parts) > 1 else {},
        "per_fold": [
            {
                "name": fold.split.name,
                "part": fold.split.part,
                "n_train": len(fold.split.train),
                "n_test": len(fold.split.test),
                **_numbers(dataset, [fold]),
            }
            for fold in folds
        ],
        "per_class": {
            label: None if math.isnan(share) else float(share)
            for label, share in zip(dataset.classes, metrics.per_class(counts), strict=True)
        },
        "per_descriptor": {
            block: summarise(dataset, mine)[dataset.metric] for block, mine in (per_descriptor or {}).items()
        },
        "classes": dataset.classes,
        "confusion": counts.tolist(),
        "mistakes": _mistakes(dataset, folds),
        "skipped": [{"path": skipped.path, "reason": skipped.reason} for skipped in dataset.skipped],
        "missing": list(dataset.missing),
        "empty": sorted(empty),
        "notes": list(notes),
        "published": [entry._asdict() for entry in published(dataset.name)],
        "settings": settings or {},
        "versions": versions(),
        "seconds": {stage: round(float(spent), 3) for stage, spent in (seconds or {}).items()},
    }


def write(folder, report, *, overwrite=False):
    """Write a report into a folder; ``report.json`` comes last, so where it is, all is.

    Parameters
    ----------
    folder : str or Path
        Made if it is not there.
    report : dict
        As from `assemble`.
    overwrite : bool
        Replace a report that is there.

    Returns
    -------
    Written

    Raises
    ------
    DataError
        If the folder holds a report and ``overwrite`` is false.
    OSError
        If something cannot be written.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    final = folder / "report.json"
    if os.path.lexists(final) and not overwrite:
        raise DataError(f"{final} exists; use another path or --overwrite")
    paths, notes = [folder / "confusion.csv"], []
    lines = [[label, *row] for label, row in zip(report["classes"], report["confusion"], strict=True)]
    write_text(paths[0], csv_text([["true class", *report["classes"]], *lines]), overwrite=True)
    picture = confusion_png(np.array(report["confusion"]), report["classes"])
    if picture is None:
        notes.append(NO_MATPLOTLIB)
        # One of an earlier run would show another result.
        (folder / "confusion.png").unlink(missing_ok=True)
    else:
        paths.append(folder / "confusion.png")
        with atomic.replacing(paths[-1], overwrite=True) as part:
            part.write(picture)
    paths += [folder / "report.md", final]
    write_text(paths[-2], as_markdown(report, picture=picture is not None), overwrite=True)
    write_text(final, json.dumps(report, indent=2, ensure_ascii=False, allow_nan=False) + "\n", overwrite=overwrite)
    return Written(paths, notes)


def versions():
    """Versions of Python and of the packages that the numbers depend on, as far as they are installed."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def _by_part(folds):
    """Folds of each part, in the order of their first appearance."""
    parts: dict[str, list[Fold]] = {}
    for fold in folds:
        parts.setdefault(fold.split.part, []).append(fold)
    if not parts:
        raise DataError("a report needs at least one split")
    return list(parts.items())


def _truth(dataset, fold):
    labels = dataset.labels
    return [labels[name] for name in fold.split.test]


def _predicted(fold):
    """The class of the highest score of each test video, of equal ones the first."""
    if np.shape(fold.scores) != (len(fold.split.test), len(fold.classes)):
        raise DataError(
            f"scores of {fold.split.name} must be of shape {(len(fold.split.test), len(fold.classes))},"
            f" got {np.shape(fold.scores)}"
        )
    return [str(fold.classes[best]) for best in np.argmax(fold.scores, axis=1)]


def _confusion(dataset, folds):
    truth = [label for fold in folds for label in _truth(dataset, fold)]
    predicted = [label for fold in folds for label in _predicted(fold)]
    return metrics.confusion(truth, predicted, dataset.classes)


def _numbers(dataset, folds):
    """The numbers of folds that test different videos, together."""
    counts = _confusion(dataset, folds)
    truth = [label for fold in folds for label in _truth(dataset, fold)]
    scores = np.concatenate([metrics.spread(fold.scores, fold.classes, dataset.classes) for fold in folds])
    numbers = {
        "accuracy": metrics.accuracy(counts),
        "class_accuracy": metrics.class_accuracy(counts),
        "mean_average_precision": metrics.mean_average_precision(truth, scores, dataset.classes),
    }
    if len(dataset.classes) > 5:
        numbers["top5"] = metrics.top_k(truth, scores, dataset.classes, k=5)
    return numbers


def _mistakes(dataset, folds):
    """Videos with a wrong label, in the order of the folds."""
    return [
        {"name": name, "label": label, "predicted": predicted, "fold": fold.split.name}
        for fold in folds
        for name, label, predicted in zip(fold.split.test, _truth(dataset, fold), _predicted(fold), strict=True)
        if label != predicted
    ]
