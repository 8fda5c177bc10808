"""The options of classification and evaluation, and the only home of their defaults."""

import os
from dataclasses import dataclass

from idt.errors import DataError
from idt.params.bounds import SEED, Bounds
from idt.params.option import check_fields, option

CLASSIFIERS = ("linear", "chi2")
WEIGHTS = ("none", "balanced")
CROSS_VALIDATED = "cv"

NORMS = ("auto", "l2", "z", "logz", "softmax", "none")
"""How scores are normalised before they are fused (`classify.fusion.combining.normalize`)."""

LIST_FORMS = (
    "path",
    "path label",
    "path labels",
    "path frames label",
    "path offset frames label",
    "path class label",
    "kinetics",
    "csv",
)
"""Forms of the lines of a list of videos (`classify.datasets.list_lines`)."""

PENALTY = Bounds(
    1e-9, 1e9, "beyond, all errors are free or none is, and the solvers lose their precision", other=CROSS_VALIDATED
)


@dataclass(frozen=True)
class ClassifierParams:
    """Parameters of a classifier; the defaults are those of the standard recipe."""

    classifier: str = option(
        "linear", method="encoding 8", choices=CLASSIFIERS, help="support vector machine: linear, or with the χ² kernel"
    )
    C: float | str = option(
        100.0,
        bounds=PENALTY,
        flag="c",
        method="encoding 8",
        help="weight of the errors against the margin; cv: chosen by cross-validation on the training videos",
    )
    class_weight: str = option(
        "none", choices=WEIGHTS, help="whether errors in small classes weigh as much as in large ones"
    )
    probability: bool = option(False, help="calibrate probabilities too, by cross-validation on the training videos")

    def __post_init__(self):
        check_fields(self)
        check_penalty(self.C)


@dataclass(frozen=True)
class DatasetParams:
    """How a data set is read and split."""

    split: str | None = option(None, help="folder only: CSV file of name,train|test")
    group: str | None = option(
        None, help="folder only: leave one group out; a regular expression that finds the group in the video name"
    )
    folds: int = option(
        5, bounds=Bounds(2, 10_000, "a codebook is fitted for each fold"),
        help="folder only: stratified folds, when neither a split file nor a group is given",
    )  # fmt: skip
    fold_seed: int = option(0, bounds=SEED, help="folder only: seed of the folds")
    lists: str | None = option(
        None, help="folder of the official lists of a set that has some, if not in its folder or beside it"
    )
    sequences: str | None = option(None, help="kth only: the set's 00sequences.txt, if it is not in its folder")
    subsequences: bool = option(False, help="kth only: evaluate the 2,391 sub-sequences instead of the 599 clips")
    train: tuple[str, ...] = option(
        (), help="list only: annotation file of the training videos; once for each split, with its --test"
    )
    test: tuple[str, ...] = option((), help="list only: annotation file of the test videos")
    classes: str | None = option(None, help="list only: file of the classes, in the order of the labels")
    list_form: str | None = option(
        None, choices=LIST_FORMS, help="list only: what a line of the annotation files holds, if that is not clear"
    )
    first_label: int | None = option(
        None, bounds=Bounds(0, 1, "labels count from 0 or from 1"),
        help="list only: number of the first class, if that is not clear",
    )  # fmt: skip

    def __post_init__(self):
        check_fields(self)
        for name in ("train", "test"):
            given = getattr(self, name)
            if isinstance(given, str | os.PathLike):
                given = (given,)
            object.__setattr__(self, name, tuple(map(os.fspath, given)))
        if self.split is not None and self.group is not None:
            raise DataError("split and group exclude each other: give a split file or a group pattern")


def check_penalty(C):
    """Refuse a ``C`` that is neither a number within `PENALTY` nor "cv"."""
    if not (isinstance(C, str) and C == CROSS_VALIDATED):
        PENALTY.check("C", C)
