"""HMDB51, and J-HMDB, its part with annotated joints: three splits, with one list for each class and split.

Source: docs/method/protocols.md, sections 2.2 and 2.10; Kuehne et al. 2011 (HMDB51), Jhuang et al. 2013 (J-HMDB).
"""

import re
from pathlib import PurePosixPath

from classify.datasets.dataset import find_videos
from classify.datasets.official import ListedSplit, assemble, list_files, lists_folder
from classify.text_files import read_lines
from idt.errors import DataError

SPLITS = (1, 2, 3)
UNUSED, TRAIN, TEST = "012"
PATTERN = "*_test_split[123].txt"


def read_hmdb51(root, params):
    """Read HMDB51: ``<class>/*.avi``, split by ``testTrainMulti_7030_splits``: 70 training and 30 test clips a class.

    Parameters
    ----------
    root : Path
        The folder of the classes, or the folder above it.
    params : DatasetParams
        Only ``lists`` is used.

    Returns
    -------
    Dataset
        A clip that no split uses is skipped.

    Raises
    ------
    DataError
        If there are no videos or no lists, or a list is malformed.

    Notes
    -----
    The names hold brackets, semicolons, question marks and more, so no name is used as a glob pattern.
    """
    folder = lists_folder(root, params, names=("testTrainMulti_7030_splits",), holds=PATTERN)
    return _read("hmdb51", root, folder, "<class>/<video>.avi", codes=(UNUSED, TRAIN, TEST))


def read_jhmdb(root, params):
    """Read J-HMDB: ``ReCompressed_Videos/<class>/*.avi``, split by ``splits``.

    Parameters
    ----------
    root : Path
        The folder of the classes, or one that holds it.
    params : DatasetParams
        Only ``lists`` is used.

    Returns
    -------
    Dataset

    Raises
    ------
    DataError
        If there are no videos or no lists, or a list is malformed.
    """
    folder = lists_folder(root, params, names=("splits",), holds=PATTERN)
    return _read("jhmdb", root, folder, "ReCompressed_Videos/<class>/<video>.avi", codes=(TRAIN, TEST))


def read_lists(folder, number, codes):
    """Read the lists of a split, ``<class>_test_splitN.txt`` of each class, lines ``<video>.avi <code>``.

    Parameters
    ----------
    folder : Path
    number : int
    codes : tuple of str
        Codes that may occur: 0 unused, 1 training, 2 test.

    Returns
    -------
    ListedSplit
        Videos are called ``<class>/<video>``.

    Raises
    ------
    DataError
        If there are no lists of this split, or a line is malformed.
    OSError
        If a file cannot be read.
    """
    sides: dict[str, dict[str, str]] = {code: {} for code in (UNUSED, TRAIN, TEST)}
    files = list_files(folder, f"*_test_split{number}.txt")
    if not files:
        raise DataError(f"{folder} holds no lists *_test_split{number}.txt; name their folder with --lists")
    for path in files:
        label = path.name.removesuffix(f"_test_split{number}.txt")
        for line in read_lines(path):
            match = re.fullmatch(r"(.+)\s(\d)", line)
            if not match or match[2] not in codes:
                raise DataError(f"{path}: expected <video>.avi and one of {', '.join(codes)}, got {line!r}")
            sides[match[2]][f"{label}/{PurePosixPath(match[1].strip()).stem}"] = label
    return ListedSplit(f"split {number}", sides[TRAIN], sides[TEST])


def _read(name, root, folder, layout, codes):
    return assemble(
        name,
        root,
        videos=find_videos(root),
        layout=layout,
        splits=[read_lists(folder, number, codes) for number in SPLITS],
        key=lambda path: f"{path.parent.name}/{path.stem}",
        protocol="3 splits, each trained and tested by itself; the mean of their accuracies",
        metric="accuracy",
    )
