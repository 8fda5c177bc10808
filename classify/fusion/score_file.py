"""Score files of ours: the scores of videos, to and from HDF5.

Format ``idt-scores``, version 3: ``names`` (n,) text, the videos; ``classes`` (k,) text; ``scores`` (n, k) float64;
where they are known ``labels``, (n,) int64, 0-based columns, or ``label_flags``, (n, k) uint8, where a video may have
several labels. `idt-evaluate` adds ``probabilities`` (n, k) float64, if the classifier calibrates them, and
``descriptors`` (b, n, k) float64, the scores with each block of the vectors by itself. Root attributes besides those
of all our files: ``kind``, one of `classify.fusion.scores.KINDS`; ``split``, 1-based, or 0; ``columns``, the length
of a vector, or 0; ``blocks``, the JSON list of the blocks; ``empty``, the JSON list of the videos without tracks.

Version 2, of an earlier release, has neither labels nor kind nor split: its scores are margins.
Source: docs/method/files.md, section 7.1.
"""

from dataclasses import dataclass, field

import numpy as np

from classify.fusion.forms.table import names_and_classes
from classify.fusion.scores import KINDS, Scores
from idt.checks import checked_range
from idt.errors import DataError
from idt.files import hdf5, result_file
from idt.files.provenance import REMEDY

SCORES_FORMAT = "idt-scores"
SCORES_VERSION = 3

DESCRIPTION = "score file of ours, HDF5, as idt-evaluate and svm-predict write"

FORM = "idt"
"""The `Scores.form` of these files."""

LARGEST = 1e300
"""Largest score, so that differences of scores stay finite."""


@dataclass(frozen=True)
class Details:
    """Details that an evaluation keeps beside the scores of a split.

    Attributes
    ----------
    descriptors : dict of str to (n, k) float64
        Scores with each block of the vectors by itself.
    empty : list of str
        Videos of the split, training ones too, that have no tracks.
    probabilities : (n, k) float64 or None
        If the classifier calibrates them.
    vector_length : int
        Length of a vector; 0 if it is unknown.
    """

    descriptors: dict[str, np.ndarray] = field(default_factory=dict)
    empty: list[str] = field(default_factory=list)
    probabilities: np.ndarray | None = None
    vector_length: int = 0


def save(path, scores, details=None, *, params=None, source=None, overwrite=False):
    """Write a score file.

    Parameters
    ----------
    path : str or Path
        Its folder must exist.
    scores : Scores
        With names and classes.
    details : Details, optional
    params : dict, optional
        Options of encoding and classifier.
    source : dict, optional
        Provenance of the scores, with its ``"digest"``.
    overwrite : bool or collection of path
        As for `idt.files.atomic.replacing`.

    Raises
    ------
    DataError
        If names or classes are unknown, or ``path`` exists and may not be replaced.
    OSError
        If the disk is full or ``path`` cannot be written.
    """
    names, classes = names_and_classes(scores, path)
    details = details or Details()
    with result_file.create(
        path, format=SCORES_FORMAT, version=SCORES_VERSION, params=params, source=source, overwrite=overwrite
    ) as file:
        for name, texts in (("names", names), ("classes", classes)):
            result_file.write_text(file, name, texts)
        result_file.write_array(file, "scores", np.asarray(scores.values, np.float64))
        if scores.labels is not None:
            labels = np.asarray(scores.labels)
            multi_label = labels.ndim == 2
            name, kind = ("label_flags", np.uint8) if multi_label else ("labels", np.int64)
            result_file.write_array(file, name, labels.astype(kind), packed=True)
        if details.probabilities is not None:
            result_file.write_array(file, "probabilities", np.asarray(details.probabilities, np.float64))
        if details.descriptors:
            # One dataset, because HDF5 keeps the links of a group of more than eight in a heap.
            stacked = np.array([*details.descriptors.values()], np.float64)
            result_file.write_array(file, "descriptors", stacked.reshape(-1, len(names), len(classes)))
        result_file.set_attribute(file, "kind", scores.kind)
        result_file.set_attribute(file, "split", scores.split or 0)
        result_file.set_attribute(file, "columns", details.vector_length)
        result_file.set_json(file, "blocks", list(details.descriptors))
        result_file.set_json(file, "empty", details.empty)


def load(path):
    """Read the scores of a file.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    Scores

    Raises
    ------
    DataError
        If the file is no score file of ours, is damaged, or a score is not finite.
    OSError
        If it cannot be read.
    """
    with hdf5.open_checked(path, format=SCORES_FORMAT, versions=(2, SCORES_VERSION)) as file:
        return _scores(file, path)


def load_details(path, *, names, classes, probability):
    """Read the scores and details that an evaluation kept.

    Parameters
    ----------
    path : str or Path
    names, classes : list of str
        Names that the file must hold.
    probability : bool
        Whether it holds probabilities.

    Returns
    -------
    scores : Scores
    details : Details

    Raises
    ------
    DataError
        If the file is damaged, holds other videos or classes, a score is not finite, or a probability is not within
        [0, 1].
    OSError
        If it cannot be read.
    """
    with hdf5.open_checked(path, format=SCORES_FORMAT, versions=SCORES_VERSION) as file:
        scores = _scores(file, path)
        if (scores.names, scores.classes) != (names, classes):
            raise DataError(f"{path} holds other videos or classes than its split; {REMEDY}")
        shape = scores.values.shape
        blocks, empty = (hdf5.json_attribute(file, name, list) for name in ("blocks", "empty"))
        if not all(isinstance(name, str) for name in (*blocks, *empty)):
            raise DataError(f"{path}: attributes 'blocks' and 'empty' must list names; {REMEDY}")
        stacked = _numbers(file, path, "descriptors", (len(blocks), *shape)) if blocks else []
        return scores, Details(
            descriptors=dict(zip(blocks, stacked, strict=True)),
            empty=empty,
            probabilities=_numbers(file, path, "probabilities", shape, 0, 1) if probability else None,
            vector_length=hdf5.attribute(file, "columns", int),
        )


def _scores(file, path):
    """Read the scores of an open file."""
    names, classes = (hdf5.read(file, name, shape=(None,), dtype=str) for name in ("names", "classes"))
    shape = (len(names), len(classes))
    kind = hdf5.attribute(file, "kind", str, "margins")
    split = hdf5.attribute(file, "split", int, 0)
    if kind not in KINDS or split < 0:
        raise DataError(f"{path}: attributes 'kind' and 'split' must be a kind of scores and a number; {REMEDY}")
    return Scores(
        _numbers(file, path, "scores", shape),
        names,
        classes,
        _labels(file, path, shape),
        kind,
        split or None,
        str(path),
        FORM,
    )


def _labels(file, path, shape):
    """Read the labels: columns, flags, or None if there are none."""
    if hdf5.has(file, "labels"):
        return checked_range(
            hdf5.read(file, "labels", shape=shape[:1], dtype=np.int64), 0, shape[1] - 1, f"{path}: labels"
        )
    if hdf5.has(file, "label_flags"):
        flags = hdf5.read(file, "label_flags", shape=shape, dtype=np.uint8)
        return checked_range(flags, 0, 1, f"{path}: label_flags").astype(bool)
    return None


def _numbers(file, path, name, shape, least=-LARGEST, most=LARGEST):
    return checked_range(hdf5.read(file, name, shape=shape, dtype=np.float64), least, most, f"{path}: {name}")
