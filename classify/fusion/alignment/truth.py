"""True labels of the videos that a fusion is tested on, and their origin.

Labels come from a list of videos (the official lists of a data set, or the annotation file that a network was trained
from), from a CSV of labels, or from a score file that carries them. The labels also define the names and the order of
the classes. The columns of every source are brought into this order.
"""

import os
from dataclasses import dataclass, replace

import numpy as np

from classify.datasets.video_list import read_video_list
from classify.fusion.alignment.columns import are_numbers
from classify.fusion.alignment.names import CLASS_NAME_RULES, match
from classify.fusion.forms.coviar import classes_of_folders
from classify.labels import classes_of, read_labels
from classify.metrics import memberships
from classify.text_files import listed
from idt.errors import DataError

TEST, TRAIN = "test", "train"


@dataclass(frozen=True)
class Truth:
    """Videos, classes and labels.

    Attributes
    ----------
    names : list of str
    classes : list of str
    has_class : (n, C) bool
        Whether each video has each class.
    multi_label : bool
        Whether a video may have several classes, or none.
    numbered : bool
        Whether the classes stand in the order of the numbers that networks are trained with, so that columns without
        names may be taken in it.
    covers_untested : bool
        Whether there may be labels for more videos than are tested. Videos that no source has are then left out.
    covers_split : bool
        Whether these are all test videos of a split. Further videos of a source are then left out and not refused.
    other_videos : tuple of str
        Names of other videos of the data set, such as training videos.
    origin : str
        Where the labels come from, in words for the report.
    """

    names: list[str]
    classes: list[str]
    has_class: np.ndarray
    multi_label: bool = False
    numbered: bool = False
    covers_untested: bool = False
    covers_split: bool = False
    other_videos: tuple[str, ...] = ()
    origin: str = ""

    @property
    def labels(self):
        """(n,) int64, the index of each video's class; the first if a video has several."""
        return self.has_class.argmax(axis=1)

    def take(self, rows):
        """Return the labels of some ``rows`` only."""
        return replace(self, names=[self.names[row] for row in rows], has_class=self.has_class[rows])

    def in_order_of(self, classes, name):
        """Return the labels with the classes in another order.

        Parameters
        ----------
        classes : list of str
        name : str
            Name of these labels in messages.

        Returns
        -------
        Truth

        Raises
        ------
        DataError
            If a video has a class that is not among ``classes``.
        """
        found = match(classes, self.classes, CLASS_NAME_RULES)
        unknown = sorted(set(range(len(self.classes))) - set(found.places.tolist()))
        if unknown and self.has_class[:, unknown].any():
            odd = listed(self.classes[column] for column in unknown)
            raise DataError(f"{name}: {odd} are no classes of the test videos")
        known = found.places >= 0
        # A class that no validation video has may be missing.
        has_class = np.zeros((len(self.names), len(classes)), bool)
        has_class[:, known] = self.has_class[:, found.places[known]]
        return replace(self, classes=list(classes), has_class=has_class)


def listed_truth(path, *, split=1, side=TEST):
    """Read labels from a list of videos.

    Parameters
    ----------
    path : str or Path
        Folder of official lists, or an annotation file.
    split : int
        Split that is read, if ``path`` is a folder.
    side : {"test", "train"}
        Side of the split that is read, if ``path`` is a folder.

    Returns
    -------
    Truth

    Raises
    ------
    DataError
        If the list is malformed or has no labels.
    OSError
        If it cannot be read.
    """
    found = read_video_list(path, split=split, side=side)
    folder = os.path.isdir(path)
    other_videos: tuple[str, ...] = ()
    if folder:
        other = TRAIN if side == TEST else TEST
        other_videos = tuple(read_video_list(path, split=split, side=other).names)
    truth = truth_of_list(found)
    if truth is None:
        raise DataError(f"{path} has no labels; use an annotation file that has some, or --labels")
    return replace(truth, numbered=is_numbered(path), covers_split=True, other_videos=other_videos)


def is_numbered(path):
    """Tell whether the list at ``path`` numbers the classes.

    The folder of HMDB51's lists does not, so that every network has an order of its own.
    """
    return not os.path.isdir(path) or os.path.isfile(os.path.join(path, "classInd.txt"))


def truth_of_list(found):
    """Return the labels of a list.

    Parameters
    ----------
    found : classify.datasets.video_list.VideoList

    Returns
    -------
    Truth or None
        None if it has no labels.
    """
    sets = found.label_sets if found.labels is None else [(label,) for label in found.labels]
    if sets is None:
        return None
    count = 1 + max((label for labels in sets for label in labels), default=0)
    classes = found.classes if found.classes is not None else numbered_names(count)
    has_class = np.zeros((len(sets), len(classes)), bool)
    for row, labels in zip(has_class, sets, strict=True):
        row[list(labels)] = True
    multi_label = found.labels is None
    return Truth(found.names, list(classes), has_class, multi_label, numbered=True, origin=str(found.path))


def csv_truth(path):
    """Read labels from CSV lines ``name,label``, in the form of `classify.labels.read_labels`.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    Truth

    Raises
    ------
    DataError, OSError
        As `classify.labels.read_labels`.
    """
    return named_truth(read_labels(path), str(path))


def named_truth(labels, origin="labels"):
    """Return the labels of videos that are given by name. There may be more videos than are tested.

    Parameters
    ----------
    labels : dict of str to str or to tuple of str
        Video → label, or all of its labels.
    origin : str
        Where the labels come from, in words for the report.

    Returns
    -------
    Truth
    """
    classes = classes_of(labels.values())
    multi_label = any(not isinstance(label, str) for label in labels.values())
    sets = [(label,) if isinstance(label, str) else label for label in labels.values()]
    return Truth(list(labels), classes, memberships(sets, classes), multi_label, covers_untested=True, origin=origin)


def truth_of_score_files(streams, lists=()):
    """Return the labels of a list or score file, the one that tells most about its classes.

    Labels with names of classes are preferred to a list that numbers the classes, and this list to a file with neither.

    Parameters
    ----------
    streams : list of (str, Scores)
        Name of each score file in messages, and its scores.
    lists : list of Truth
        Labels of the lists that name the rows of files.

    Returns
    -------
    Truth

    Raises
    ------
    DataError
        If no file has labels and names of its videos.
    """
    found = [(are_numbers(truth.classes), truth) for truth in lists]
    for name, scores in streams:
        if scores.labels is not None and scores.names is not None:
            classes = scores.classes or _classes_of_folders(scores)
            found.append((2 * (classes is None), _truth_of_scores(name, scores, classes)))
    if not found:
        bare = next((name for name, scores in streams if scores.names is None), None)
        reason = f"; {bare} names no videos, so that its order must be given, --list" if bare else ""
        raise DataError(f"none of the files has labels and names of its videos; give --lists or --labels{reason}")
    return min(found, key=lambda each: each[0])[1]


def _truth_of_scores(name, scores, classes):
    """Convert the labels of a score file to `Truth`."""
    width = scores.values.shape[1]
    multi_label = scores.labels.ndim == 2
    has_class = np.array(scores.labels, bool) if multi_label else np.eye(width, dtype=bool)[scores.labels]
    return Truth(
        list(scores.names),
        list(classes or numbered_names(width)),
        has_class,
        multi_label,
        origin=f"the labels in {name}",
    )


def _classes_of_folders(scores):
    """Name the classes by the folders of their videos; None if the folders do not tell them apart."""
    if scores.labels.ndim != 1:
        return None
    return classes_of_folders(scores.names, scores.labels, scores.values.shape[1])[0]


def numbered_names(count):
    """Return the names of ``count`` classes of which only the numbers are known, from 0."""
    return [str(label) for label in range(count)]
