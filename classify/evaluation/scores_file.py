"""Scores of the test videos of a split, to and from HDF5.

Format ``idt-scores``, version 2: ``names`` (n,) text, the test videos; ``classes`` (k,) text, those trained with;
``scores`` (n, k) float64, and ``probabilities`` if the classifier calibrates them; in ``descriptors`` (b, n, k) the
scores with each block of the vectors by itself. Root attributes besides those of all our files: ``columns``, the
numbers of a vector, ``blocks``, the JSON list of the blocks, and ``empty``, the JSON list of the videos of the split
without tracks.
"""

from dataclasses import dataclass

import numpy as np

from idt.checks import within
from idt.errors import DataError
from idt.files import hdf5, result_file
from idt.files.provenance import REMEDY

SCORES_FORMAT = "idt-scores"
SCORES_VERSION = 2

LARGEST = 1e300
"""No score is beyond: their differences stay finite."""


@dataclass(frozen=True)
class Scores:
    """Scores of the test videos of a split.

    Attributes
    ----------
    names : list of str
    classes : list of str
    scores : (n, k) float64
    descriptors : dict of str to (n, k) float64
        With each block of the vectors by itself.
    empty : list of str
        Videos of the split, training ones too, that have no tracks.
    probabilities : (n, k) float64 or None
        If the classifier calibrates them.
    columns : int
        Numbers of a vector.
    """

    names: list[str]
    classes: list[str]
    scores: np.ndarray
    descriptors: dict[str, np.ndarray]
    empty: list[str]
    probabilities: np.ndarray | None = None
    columns: int = 0


def save(path, scores, *, params, source, overwrite=False):
    """Write a file of scores.

    Parameters
    ----------
    path : str or Path
        Its folder must exist.
    scores : Scores
    params : dict
        Options of encoding and classifier.
    source : dict
        What the scores are made from, with its ``"digest"``.
    overwrite : bool or collection of path
        As for `idt.files.atomic.replacing`.

    Raises
    ------
    DataError
        If ``path`` exists and may not be replaced.
    OSError
        If the disk is full or ``path`` cannot be written.
    """
    with result_file.create(
        path, format=SCORES_FORMAT, version=SCORES_VERSION, params=params, source=source, overwrite=overwrite
    ) as file:
        for name, texts in (("names", scores.names), ("classes", scores.classes)):
            result_file.write_text(file, name, texts)
        result_file.write_array(file, "scores", np.asarray(scores.scores, np.float64))
        if scores.probabilities is not None:
            result_file.write_array(file, "probabilities", np.asarray(scores.probabilities, np.float64))
        # One dataset, because HDF5 keeps the links of a group of more than eight in a heap.
        stacked = np.array([*scores.descriptors.values()], np.float64)
        result_file.write_array(file, "descriptors", stacked.reshape(-1, len(scores.names), len(scores.classes)))
        result_file.set_attribute(file, "columns", scores.columns)
        result_file.set_json(file, "blocks", list(scores.descriptors))
        result_file.set_json(file, "empty", scores.empty)


def load(path, *, names, classes, probability):
    """Read a file of scores.

    Parameters
    ----------
    path : str or Path
    names, classes : list of str
        Those that it must hold.
    probability : bool
        Whether it holds probabilities.

    Returns
    -------
    Scores

    Raises
    ------
    DataError
        If the file is damaged, holds other videos or classes, or a score is not finite or a probability not one.
    OSError
        If it cannot be read.
    """
    with hdf5.open_checked(path, format=SCORES_FORMAT, versions=SCORES_VERSION) as file:
        found = tuple(hdf5.read(file, name, shape=(None,), dtype=str) for name in ("names", "classes"))
        if found != (names, classes):
            raise DataError(f"{path} holds other videos or classes than its split; {REMEDY}")
        shape = (len(names), len(classes))

        def read(name, shape, least=-LARGEST, most=LARGEST):
            values = hdf5.read(file, name, shape=shape, dtype=np.float64)
            return within(values, least, most, f"{path}: {name}")

        blocks, empty = (hdf5.json_attribute(file, name, list) for name in ("blocks", "empty"))
        if not all(isinstance(name, str) for name in (*blocks, *empty)):
            raise DataError(f"{path}: attributes 'blocks' and 'empty' must list names; {REMEDY}")
        stacked = read("descriptors", (len(blocks), *shape))
        return Scores(
            names,
            classes,
            scores=read("scores", shape),
            descriptors=dict(zip(blocks, stacked, strict=True)),
            empty=empty,
            probabilities=read("probabilities", shape, 0, 1) if probability else None,
            columns=hdf5.attribute(file, "columns", int),
        )
