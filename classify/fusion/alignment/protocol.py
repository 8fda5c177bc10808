"""Protocol of a fusion: the test videos, the origin of their labels, and the combination of the splits."""

import os
from dataclasses import dataclass, replace

from classify.fusion.alignment.truth import TRAIN, Truth, csv_truth, listed_truth, named_truth, truth_of_score_files
from classify.fusion.sources import path_for_split
from classify.reports.extent import SIZES
from idt.errors import DataError, did_you_mean, short_repr

SPLITS = {"ucf101": ("1", "2", "3"), "hmdb51": ("1", "2", "3"), "jhmdb": ("1", "2", "3")}
"""Official splits of data sets, whose accuracies are averaged."""


@dataclass(frozen=True)
class FusionProtocol:
    """Videos that are tested, and their labels.

    Attributes
    ----------
    dataset : str or None
        Name of the data set, one of `classify.reports.extent.SIZES`, for the report and its published numbers.
    lists : str or None
        Folder of the official lists of UCF101 or HMDB51, or an annotation file; may hold ``{split}``.
    labels : str, dict or None
        Path of a CSV of ``name,label``, or a dict of video → label or labels. Without ``lists`` and ``labels`` a score
        file must carry labels.
    splits : tuple of str
        Names of the splits, which take the place of ``{split}``; official ones are numbers.
    pool : bool
        Whether the videos of all splits are counted together, as in protocols that leave one actor out. Otherwise the
        mean of the splits' numbers is reported.
    validation : str or None
        Annotation file of the validation videos.
    truths : dict of str to Truth, optional
        Labels of each split, where the caller has them.
    """

    dataset: str | None = None
    lists: str | None = None
    labels: str | dict | None = None
    splits: tuple[str, ...] = ("1",)
    pool: bool = False
    validation: str | None = None
    truths: dict[str, Truth] | None = None

    def __post_init__(self):
        if self.lists is not None and self.labels is not None:
            raise DataError("lists and labels exclude each other: labels come from one of them")
        if self.dataset is not None and self.dataset not in SIZES:
            hint = did_you_mean(self.dataset, SIZES)
            raise DataError(f"unknown data set {short_repr(self.dataset)}; known are {', '.join(SIZES)}{hint}")
        if not self.splits or len(set(self.splits)) < len(self.splits):
            raise DataError(f"splits must be different names, got {', '.join(map(str, self.splits)) or 'none'}")

    def truth(self, split, streams, lists, side):
        """Return the labels of a split.

        Parameters
        ----------
        split : str
        streams : list of (str, Scores)
            Name of each score file in messages, and its scores.
        lists : list of Truth
            Labels of the lists that name rows.
        side : {"test", "train"}
            Which official list is read; validation videos are among the training videos.

        Returns
        -------
        Truth

        Raises
        ------
        DataError
            If there are no labels.
        OSError
            If a file of labels cannot be read.
        """
        if self.truths is not None:
            return self.truths[split]
        if side == TRAIN and self.validation is not None:
            return replace(listed_truth(path_for_split(self.validation, split)), covers_untested=True)
        if self.labels is not None:
            return named_truth(self.labels) if isinstance(self.labels, dict) else csv_truth(self.labels)
        if self.lists is not None:
            path = path_for_split(self.lists, split)
            number = int(split) if split.isascii() and split.isdigit() else None
            if number is None and os.path.isdir(path):
                raise DataError(f"{path} has splits 1, 2, …, got {short_repr(split)}; use numbers")
            found = listed_truth(path, split=number or 1, side=side)
            if side != TRAIN:
                return found
            if found.other_videos:
                return replace(found, covers_untested=True, covers_split=False)
        return truth_of_score_files(streams, lists)
