"""Scores of the test videos of a split, to and from HDF5.

Format ``idt-scores``, version 1: ``names`` (n,) text, the test videos; ``classes`` (k,) text, those trained with;
``scores`` (n, k) float64, and ``probabilities`` if the classifier calibrates them; in ``descriptors/BLOCK`` the scores
with each block of the vectors by itself. Root attributes besides those of all our files: ``columns``, the numbers of
a vector, and ``empty``, the JSON list of the videos of the split without tracks.
"""

import json
from dataclasses import dataclass

import h5py
import numpy as np

from idt.checks import within
from idt.errors import DataError
from idt.files import hdf5, result_file
from idt.files.provenance import REMEDY

SCORES_FORMAT = "idt-scores"
SCORES_VERSION = 1

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
    overwrite : bool
        Replace a file that exists.

    Raises
    ------
    DataError
        If ``path`` exists and ``overwrite`` is false.
    OSError
        If the disk is full or ``path`` cannot be written.
    """
    with result_file.create(
        path, format=SCORES_FORMAT, version=SCORES_VERSION, params=params, source=source, overwrite=overwrite
    ) as file:
        for name, texts in (("names", scores.names), ("classes", scores.classes)):
            file.create_dataset(name, data=texts, dtype=h5py.string_dtype())
        # Little-endian on any machine.
        file.create_dataset("scores", data=scores.scores, dtype="<f8")
        if scores.probabilities is not None:
            file.create_dataset("probabilities", data=scores.probabilities, dtype="<f8")
        for block, values in scores.descriptors.items():
            file.create_dataset(f"descriptors/{block}", data=values, dtype="<f8")
        file.attrs["columns"] = scores.columns
        file.attrs["blocks"] = json.dumps(list(scores.descriptors))
        file.attrs["empty"] = json.dumps(scores.empty)


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

        def read(name, least=-LARGEST, most=LARGEST):
            values = hdf5.read(file, name, shape=shape, dtype=np.float64)
            return within(values, least, most, f"{path}: {name}")

        blocks, empty = (hdf5.json_attribute(file, name, list) for name in ("blocks", "empty"))
        if not all(isinstance(name, str) for name in (*blocks, *empty)):
            raise DataError(f"{path}: attributes 'blocks' and 'empty' must list names; {REMEDY}")
        return Scores(
            names,
            classes,
            scores=read("scores"),
            descriptors={block: read(f"descriptors/{block}") for block in blocks},
            empty=empty,
            probabilities=read("probabilities", 0, 1) if probability else None,
            columns=hdf5.attribute(file, "columns", int),
        )
