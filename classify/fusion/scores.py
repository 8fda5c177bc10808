"""Scores of videos, as every reader of a score file returns them."""

from dataclasses import dataclass

import numpy as np

KINDS = ("margins", "logits", "probabilities", "unknown")
"""Kinds of scores: distances from a separating plane, inputs of a softmax, its outputs, or unknown."""


@dataclass(frozen=True)
class Scores:
    """Scores of videos.

    Attributes
    ----------
    values : (n, C) float64
        One row a video, one column a class; finite.
    names : list of str or None
        Videos, as the file names them; None where it names none.
    classes : list of str or None
        Classes of the columns; None where the file names none.
    labels : (n,) int64, (n, C) bool or None
        Column of each video's class, from 0, or a flag for each class where a video has several; None where the file
        has no labels.
    kind : str
        One of `KINDS`.
    split : int or None
        Split of a data set, 1-based, where the file tells it.
    path : str
        The file.
    form : str
        Name of the file's form.
    notes : tuple of str
        Decisions of the reader that a user must know, such as averaged crops or labels that begin at 1.
    """

    values: np.ndarray
    names: list[str] | None = None
    classes: list[str] | None = None
    labels: np.ndarray | None = None
    kind: str = "unknown"
    split: int | None = None
    path: str = ""
    form: str = ""
    notes: tuple[str, ...] = ()
