"""Olympic Sports: 783 clips of 16 classes.

Source: docs/method/protocols.md, section 2.6; Niebles et al. 2010.
"""

from pathlib import PurePosixPath

from classify.datasets.dataset import find_videos
from classify.datasets.official import ListedSplit, assemble, list_files, lists_folder
from classify.text_files import read_lines
from idt.errors import DataError
from idt.frames import suffixes

SUFFIXES = suffixes.VIDEOS | {".seq"}
"""Suffixes of listed names: the set is distributed as image sequences, which must be converted first."""


def read_olympic(root, params):
    """Read Olympic Sports: ``<class>/<video>``, split by ``train_set/<class>.txt`` and ``test_set/<class>.txt``.

    Parameters
    ----------
    root : Path
        The folder that holds videos and lists.
    params : DatasetParams
        Only ``lists`` is used: the folder of ``train_set`` and ``test_set``.

    Returns
    -------
    Dataset

    Raises
    ------
    DataError
        If there are no videos or no lists.
    """
    folder = lists_folder(root, params, names=(".",), holds="train_set/*.txt")
    train, test = (read_lists(folder / side) for side in ("train_set", "test_set"))
    return assemble(
        "olympic",
        root,
        videos=find_videos(root),
        layout="<class>/<video>",
        splits=[ListedSplit("training set against test set", train, test)],
        key=lambda path: f"{path.parent.name}/{path.stem}",
        protocol="the official training and test sets; the mean of the classes' average precisions",
        metric="mean_average_precision",
    )


def read_lists(folder):
    """Read the lists of all classes, one name a line, with or without folder and suffix.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    dict of str to str
        Video, as ``<class>/<video>`` → class.

    Raises
    ------
    DataError
        If there are no lists.
    OSError
        If a file cannot be read.
    """
    found = {}
    for path in list_files(folder, "*.txt"):
        for line in read_lines(path):
            name = PurePosixPath(line).name
            stem = PurePosixPath(name).stem if PurePosixPath(name).suffix.lower() in SUFFIXES else name
            found[f"{path.stem}/{stem}"] = path.stem
    if not found:
        raise DataError(f"{folder} holds no lists <class>.txt; name the folder of train_set and test_set with --lists")
    return found
