"""The data sets by name: each from its folder, as it is distributed, to clips, labels and the splits of its protocol.

A reader takes the root and `DatasetParams` and returns a `Dataset`. It opens no video. What does not fit a set's names
or lists is in ``skipped``, what the set should have and lacks in ``missing``; nothing disappears silently.

Source: docs/method/protocols.md, section 2.
"""

import dataclasses
from pathlib import Path

from classify.datasets import splits
from classify.datasets.folder import read_folder
from classify.datasets.hmdb import read_hmdb51, read_jhmdb
from classify.datasets.hollywood2 import read_hollywood2
from classify.datasets.kth import read_kth
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
}
"""Reader of each set, and the options that it takes."""


def read_dataset(name, root, params=None):
    """Read a data set.

    Parameters
    ----------
    name : str
        One of `READERS`.
    root : str or Path
        Its folder.
    params : DatasetParams, optional

    Returns
    -------
    Dataset

    Raises
    ------
    DataError
        If the set is unknown, an option is not one of this set, nothing below ``root`` belongs to it, its splits cannot
        be evaluated, or a file of it is malformed.
    OSError
        If something cannot be read.
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
    splits.check(dataset.splits, dataset.labels)
    return dataset
