"""The options of classification and evaluation, and the only home of their defaults."""

import math
import numbers
from dataclasses import dataclass

from idt.errors import DataError
from idt.params import option

CLASSIFIERS = ("linear", "chi2")
SOLVERS = ("auto", "primal", "gram")
WEIGHTS = ("none", "balanced")
CROSS_VALIDATED = "cv"


@dataclass(frozen=True)
class ClassifierParams:
    """What a classifier depends on besides its data; the defaults are those of the standard recipe."""

    classifier: str = option(
        "linear", method="encoding 8", choices=CLASSIFIERS, help="support vector machine: linear, or with the χ² kernel"
    )
    C: float | str = option(
        100.0,
        flag="c",
        method="encoding 8",
        help="weight of the errors against the margin; cv: chosen by cross-validation on the training videos",
    )
    solver: str = option(
        "auto",
        method="encoding 8",
        choices=SOLVERS,
        help="linear only: Gram matrix, rows as they are, or whichever is smaller",
    )
    class_weight: str = option(
        "none", choices=WEIGHTS, help="whether errors in small classes weigh as much as in large ones"
    )
    probability: bool = option(False, help="calibrate probabilities too, by cross-validation on the training videos")

    def __post_init__(self):
        check_penalty(self.C)
        for name, choices in (("classifier", CLASSIFIERS), ("solver", SOLVERS), ("class_weight", WEIGHTS)):
            if getattr(self, name) not in choices:
                raise DataError(f"{name} must be one of {', '.join(choices)}, got {getattr(self, name)!r}")
        if not isinstance(self.probability, bool):
            raise DataError(f"probability must be True or False, got {self.probability!r}")


@dataclass(frozen=True)
class DatasetParams:
    """How a data set is read and split."""

    split: str | None = option(None, help="folder only: CSV file of name,train|test")
    group: str | None = option(
        None, help="folder only: leave one group out; a regular expression that finds the group in the video name"
    )
    folds: int = option(5, help="folder only: stratified folds, when neither a split file nor a group is given")
    fold_seed: int = option(0, help="folder only: seed of the folds")
    lists: str | None = option(
        None, help="folder of the official lists of a set that has some, if not in its folder or beside it"
    )
    sequences: str | None = option(None, help="kth only: the set's 00sequences.txt, if it is not in its folder")
    subsequences: bool = option(False, help="kth only: evaluate the 2,391 sub-sequences instead of the 599 clips")

    def __post_init__(self):
        if isinstance(self.folds, bool) or not isinstance(self.folds, int) or self.folds < 2:
            raise DataError(f"folds must be a whole number of at least 2, got {self.folds!r}")
        seed = self.fold_seed
        if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**32:
            raise DataError(f"fold_seed must be a whole number in 0 … 2³² − 1, got {seed!r}")
        if self.split is not None and self.group is not None:
            raise DataError("split and group exclude each other: give a split file or a group pattern")


def check_penalty(C):
    """Refuse a C that is neither a positive finite number nor "cv"."""
    if isinstance(C, str) and C == CROSS_VALIDATED:
        return
    if isinstance(C, bool) or not isinstance(C, numbers.Real) or not 0 < float(C) < math.inf:
        raise DataError(f"C must be a positive number or {CROSS_VALIDATED}, got {C!r}")
