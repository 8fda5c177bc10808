"""UCF101: 13,320 clips of 101 classes, three splits by groups of clips from one recording.

Source: docs/method/protocols.md, section 2.1; Soomro et al. 2012.
"""

import re

from classify.datasets.dataset import find_videos
from classify.datasets.official import ListedSplit, assemble, lists_folder
from classify.text_files import read_lines
from idt.errors import DataError

SPLITS = (1, 2, 3)


def read_ucf101(root, params):
    """Read UCF101: ``<Class>/v_<Class>_gXX_cYY.avi``, split by ``ucfTrainTestlist``.

    Parameters
    ----------
    root : Path
        The folder ``UCF-101``, or the folder above it.
    params : DatasetParams
        Only ``lists`` is used.

    Returns
    -------
    Dataset
        A group is the clips of one class that were cut from one recording.

    Raises
    ------
    DataError
        If there are no videos or no lists, or a list is malformed.

    Notes
    -----
    Labels are the folders in the lists. Videos are found by their own names, in any case of the letters: folder and
    files of HandstandPushups are spelled differently.
    """
    folder = lists_folder(root, params, names=("ucfTrainTestlist",), holds="classInd.txt")
    classes = read_classes(folder / "classInd.txt")
    return assemble(
        "ucf101",
        root,
        videos=find_videos(root),
        layout="UCF-101/<Class>/v_<Class>_gXX_cYY.avi",
        splits=[
            ListedSplit(
                f"split {number}",
                read_list(folder / f"trainlist{number:02}.txt", classes, numbered=True),
                read_list(folder / f"testlist{number:02}.txt", classes, numbered=False),
            )
            for number in SPLITS
        ],
        key=lambda path: path.stem.lower(),
        group=lambda name: name.rpartition("_")[0],
        protocol="3 splits, each trained and tested by itself; the mean of their accuracies",
        metric="accuracy",
    )


def read_classes(path):
    """Read ``classInd.txt``: lines ``1 ApplyEyeMakeup``, numbered from 1.

    Parameters
    ----------
    path : Path

    Returns
    -------
    dict of str to str
        Class → its number.

    Raises
    ------
    DataError
        If a line is malformed or the numbers are not 1, 2, ….
    OSError
        If the file cannot be read.
    """
    classes = {}
    for place, line in enumerate(read_lines(path), start=1):
        match = re.fullmatch(r"(\d{1,9})\s+(\S+)", line)
        if not match or int(match[1]) != place:
            raise DataError(f"{path}, line {place}: expected {place} and a class, got {line!r}")
        classes[match[2]] = match[1]
    return classes


def read_list(path, classes, *, numbered):
    """Read a list of videos: lines ``Class/v_Class_g01_c01.avi``, in training lists with the number of the class.

    Parameters
    ----------
    path : Path
    classes : dict of str to str
        As from `read_classes`.
    numbered : bool
        Whether the lines end with a number.

    Returns
    -------
    dict of str to str
        Name of the video without folder and suffix, in lower case → class.

    Raises
    ------
    DataError
        If a line is malformed, names an unknown class, or a number that its class does not have.
    OSError
        If the file cannot be read.
    """
    found = {}
    for line in read_lines(path):
        match = re.fullmatch(r"([^/\s]+)/(\S+)\.avi" + (r"\s+(\d+)" if numbered else ""), line)
        if not match or match[1] not in classes:
            wanted = "<Class>/<video>.avi and the number of the class" if numbered else "<Class>/<video>.avi"
            raise DataError(f"{path}: expected {wanted}, got {line!r}")
        if numbered and match[3] != classes[match[1]]:
            raise DataError(f"{path}: {match[1]} has number {classes[match[1]]} in classInd.txt, got {line!r}")
        found[match[2].lower()] = match[1]
    return found
