"""The options of classification and evaluation, and the only home of their defaults."""

import os
from dataclasses import dataclass

from encoding.slices.cut import LENGTH as SLICE_LENGTH
from idt.errors import DataError
from idt.params.bounds import SEED, Bounds
from idt.params.option import check_fields, option

CLASSIFIERS = ("linear", "chi2")
WEIGHTS = ("none", "balanced")
CROSS_VALIDATED = "cv"

NORMS = ("auto", "l2", "z", "logz", "softmax", "none")
"""Normalisations of scores before fusion (`classify.fusion.combining.normalize`)."""

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

UNTRIMMED = ("breakfast", "50salads", "gtea", "frames", "thumos14", "activitynet")
"""Data sets of untrimmed video (`classify.untrimmed.protocols`)."""

METHODS = ("viterbi", "windows", "dtw")
"""Methods of segmenting long videos (`classify.untrimmed.segmenting`)."""

PENALTY_BOUNDS = Bounds(0.0, 1e12, "no score is as large")
THRESHOLD_BOUNDS = Bounds(-1e12, 1e12, "no score is beyond")
OVERLAP_BOUNDS = Bounds(0.0, 1.0, "it is a share, and 1 is all of it")
RATE_BOUNDS = Bounds(0.1, 10_000.0, "no camera is slower or faster")

C_BOUNDS = Bounds(
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
        bounds=C_BOUNDS,
        flag="c",
        method="encoding 8",
        help="weight of the errors against the margin; cv: chosen by cross-validation on the training videos",
    )
    class_weight: str = option(
        "none",
        choices=WEIGHTS,
        help="weight of the classes in the errors; balanced: the same for each, however many videos it has",
    )
    probability: bool = option(False, help="calibrate probabilities too, by cross-validation on the training videos")

    def __post_init__(self):
        check_fields(self)
        check_penalty(self.C)


@dataclass(frozen=True)
class DatasetParams:
    """Options of reading and splitting a data set."""

    split: str | None = option(None, help="folder only: CSV file of name,train|test")
    group: str | None = option(
        None, help="folder, frames: leave one group out; a regular expression that finds the group in the video name"
    )
    folds: int = option(
        5, bounds=Bounds(2, 10_000, "a codebook is fitted for each fold"),
        help="folder, frames: number of folds without a split file or group; those of folder are stratified",
    )  # fmt: skip
    fold_seed: int = option(0, bounds=SEED, help="folder, frames: seed of the folds")
    lists: str | None = option(
        None, help="folder of the data set's official lists, if they are not in its folder or beside it"
    )
    sequences: str | None = option(None, help="kth only: the set's 00sequences.txt, if it is not in its folder")
    subsequences: bool = option(False, help="kth only: evaluate the 2,391 sub-sequences instead of the 599 clips")
    train: tuple[str, ...] = option(
        (), help="list only: annotation file of the training videos; once for each split, with its --test"
    )
    test: tuple[str, ...] = option((), help="list only: annotation file of the test videos")
    classes: str | None = option(None, help="list only: file of the classes, in the order of the labels")
    list_form: str | None = option(
        None, choices=LIST_FORMS, help="list only: form of the lines of the annotation files, if it is not clear"
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


@dataclass(frozen=True)
class SegmentingParams:
    """Options of segmenting the long videos of a data set (`classify.evaluation.untrimmed`)."""

    method: str | None = option(
        None, method="untrimmed 9", choices=METHODS,
        help="viterbi: one label a slice; windows: detections in sliding windows; dtw: alignment with the true order of"
        " the actions; by default windows for thumos14 and activitynet, else viterbi",
    )  # fmt: skip
    window: str | None = option(
        None, help="frames of the windows, such as 30 or 20,40,80 (default 30; of detections 30,60,120)"
    )
    train_stride: int | None = option(
        None, bounds=SLICE_LENGTH, unit="frames",
        help="distance of training windows, a multiple of the length of a slice (default: one slice)",
    )  # fmt: skip
    slices: int = option(5, bounds=SLICE_LENGTH, unit="frames", method="untrimmed 1", help="length of a slice")
    penalty: float = option(
        1.0, bounds=PENALTY_BOUNDS, method="untrimmed 6", help="viterbi: cost of a change of label, in scores"
    )
    threshold: float = option(-1.0, bounds=THRESHOLD_BOUNDS, help="windows: least score of a detection")
    overlap: float = option(
        0.3, bounds=OVERLAP_BOUNDS, method="untrimmed 3", help="windows: most overlap of a segment with a better one"
    )
    durations: bool = option(False, method="untrimmed 6", help="viterbi, windows: learn how long actions last")
    background: str | None = option(None, help="class outside all segments; its segments do not count in Edit and F1")
    rate: float | None = option(
        None, bounds=RATE_BOUNDS, help="frame labels a second, if not as many as the set's protocol says"
    )

    def __post_init__(self):
        check_fields(self)
        if self.window is not None:
            lengths_of(self.window)


def lengths_of(text):
    """Read the frames of windows, a tuple of int, from a ``text`` such as ``"20,40"``."""
    try:
        return tuple(int(word) for word in text.split(","))
    except ValueError:
        raise DataError(f"--window must be frames, such as 30 or 20,40,80, got {text!r}") from None


def check_penalty(C):
    """Refuse a ``C`` that is neither a number within `C_BOUNDS` nor "cv"."""
    if not (isinstance(C, str) and C == CROSS_VALIDATED):
        C_BOUNDS.check("C", C)
