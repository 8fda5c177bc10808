"""Hollywood2: film clips, each with any number of twelve actions.

Source: docs/method/protocols.md, section 2.5; Marszałek et al. 2009.
"""

import re

from classify.datasets.dataset import find_videos
from classify.datasets.official import ListedSplit, assemble, lists_folder
from classify.text_files import read_lines
from idt.errors import DataError

CLASSES = "AnswerPhone DriveCar Eat FightPerson GetOutCar HandShake HugPerson Kiss Run SitDown SitUp StandUp".split(" ")


def read_hollywood2(root, params):
    """Read Hollywood2: ``AVIClips/actionclip{train,test}NNNNN.avi``, labelled by ``ClipSets/<Class>_{train,test}.txt``.

    Parameters
    ----------
    root : Path
        The folder that holds ``AVIClips`` and ``ClipSets``.
    params : DatasetParams
        Only ``lists`` is used.

    Returns
    -------
    Dataset
        Labels are tuples. The clips of scenes and of automatic labels, which other lists name, are skipped.

    Raises
    ------
    DataError
        If there are no videos or no lists, or a list is malformed.
    """
    folder = lists_folder(root, params, names=("ClipSets",), holds=f"{CLASSES[0]}_train.txt")
    train, test = (read_labels(folder, side) for side in ("train", "test"))
    return assemble(
        "hollywood2",
        root,
        videos=find_videos(root),
        layout="AVIClips/actionclip{train,test}NNNNN.avi",
        splits=[ListedSplit("training clips against test clips", train, test)],
        key=lambda path: path.stem,
        protocol="clips of some films against those of others; the mean of the classes' average precisions",
        metric="mean_average_precision",
    )


def read_labels(folder, side):
    """Read the lists of all classes, lines ``actioncliptrain00001  1`` or ``-1``.

    Parameters
    ----------
    folder : Path
    side : {"train", "test"}

    Returns
    -------
    dict of str to tuple of str
        Clip → its classes.

    Raises
    ------
    DataError
        If a line is malformed, or the lists of two classes name different clips.
    OSError
        If a file cannot be read.
    """
    labels_of: dict[str, list[str]] = {}
    for number, label in enumerate(CLASSES):
        path = folder / f"{label}_{side}.txt"
        named = set()
        for line in read_lines(path):
            match = re.fullmatch(r"(\S+)\s+(-?1)", line)
            if not match:
                raise DataError(f"{path}: expected a clip and 1 or -1, got {line!r}")
            named.add(match[1])
            labels = labels_of.setdefault(match[1], [])
            if match[2] == "1":
                labels.append(label)
        if number and named != labels_of.keys():
            odd = sorted(named ^ labels_of.keys())
            raise DataError(f"{path} must name the clips of {CLASSES[0]}_{side}.txt, differs in {odd[0]}")
    return {clip: tuple(labels) for clip, labels in labels_of.items()}
