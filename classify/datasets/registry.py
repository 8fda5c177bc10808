"""Readers of the data sets, by name.

A reader takes the root folder, as distributed, and `DatasetParams`, and returns a `Dataset` with clips, labels and
the splits of the protocol. It opens no video. Files that do not fit the names or lists of the set are listed as
``skipped``, clips that the set should have as ``missing``.

Source: docs/method/protocols.md, section 2.
"""

import dataclasses
from pathlib import Path

from classify.datasets import splits
from classify.datasets.folder import read_folder
from classify.datasets.hmdb import read_hmdb51, read_jhmdb
from classify.datasets.hollywood2 import read_hollywood2
from classify.datasets.kth import read_kth
from classify.datasets.listed_videos import read_listed
from classify.datasets.olympic import read_olympic
from classify.datasets.ucf11 import read_ucf11
from classify.datasets.ucf50 import read_ucf50
from classify.datasets.ucf101 import read_ucf101
from classify.datasets.ut_interaction import read_ut_interaction
from classify.datasets.weizmann import read_weizmann
from classify.params import DatasetParams
from idt.errors import DataError

READERS = {
    "ucf101": (read_ucf101, ("lists",)),
    "hmdb51": (read_hmdb51, ("lists",)),
    "ucf50": (read_ucf50, ()),
    "ucf11": (read_ucf11, ()),
    "hollywood2": (read_hollywood2, ("lists",)),
    "olympic": (read_olympic, ("lists",)),
    "jhmdb": (read_jhmdb, ("lists",)),
    "kth": (read_kth, ("sequences", "subsequences")),
    "weizmann": (read_weizmann, ()),
    "ut-interaction": (read_ut_interaction, ()),
    "folder": (read_folder, ("split", "group", "folds", "fold_seed")),
    "list": (read_listed, ("train", "test", "classes", "list_form", "first_label")),
}
"""Reader of each data set, and the options that it takes."""


def read_dataset(name, root, params=None):
    """Read a data set from its folder.

    Parameters
    ----------
    name : str
        One of "ucf101", "hmdb51", "ucf50", "ucf11", "hollywood2", "olympic", "jhmdb", "kth", "weizmann",
        "ut-interaction", "folder" (any CLASS/VIDEO) and "list" (the videos in annotation files).
    root : str or Path
        Folder of the data set.
    params : DatasetParams, optional
        Options of the protocol; the defaults if left out.

    Returns
    -------
    Dataset

    Raises
    ------
    DataError
        If the data set is unknown, an option does not belong to it, nothing below ``root`` belongs to it, its splits
        cannot be evaluated, or one of its files is malformed.
    OSError
        If a file cannot be read.

    Notes
    -----
    docs/method/protocols.md, section 2.
    """
    if name not in READERS:
        raise DataError(f"unknown data set {name!r}; known are {', '.join(READERS)}")
    params = params or DatasetParams()
    reader, options = READERS[name]
    given = [field.name for field in dataclasses.fields(params) if getattr(params, field.name) != field.default]
    foreign = [option for option in given if option not in options]
    if foreign:
        raise DataError(f"{name} has a protocol of its own and takes no {', '.join(foreign)}")
    dataset = reader(Path(root), params)
    splits.check_splits(dataset.splits, dataset.labels)
    named = (params.split, params.lists, params.sequences, *params.train, *params.test, params.classes)
    return dataclasses.replace(dataset, lists=[path for path in named if path is not None])
