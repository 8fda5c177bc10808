"""Scores of CoViAR and DMC-Net: npz of ``scores``, an object array (n, 2) or (n, 3), ``labels`` and ``names``.

``scores[i, 0]`` is (1, C) float32, the mean over segments and crops before a softmax; ``scores[i, 1]`` is the label,
which newer runs write as a tensor. Names are ``class/video.avi``, in the sorted order of the network's own list.
Classes are in the order of its labels, which no file names: their folders do, where every class has a video.
"""

import numpy as np

from classify.fusion.content import ARRAYS
from classify.fusion.forms.table import Table, numbers, stacked, texts
from idt.errors import DataError

SAYS = "npz of CoViAR or DMC-Net: scores (n, 2) objects, labels, names"


def fits(content):
    """Tell whether ``content`` (`classify.fusion.content.Content`) has this form."""
    return (
        content.kind == ARRAYS
        and {"scores", "labels", "names"} <= content.value.keys()
        and content.value["scores"].dtype == object
        and content.value["scores"].ndim == 2
    )


def read(content):
    """Read the scores of the ``content`` of a file, as a `Table`.

    Raises
    ------
    DataError
        If it holds something else.
    """
    rows, names = content.value["scores"], texts(content.value["names"], content, "names")
    labels = numbers(content.value["labels"], content, "labels").ravel()
    if not len(rows) == len(labels) == len(names) or rows.ndim != 2 or rows.shape[1] < 2:
        raise DataError(f"{content.path} must hold as many scores as labels and names, got {rows.shape}, {len(labels)}")
    values = stacked([_row(row[0], content) for row in rows], content)
    beside = np.array([numbers(row[1], content, "labels").ravel()[:1] for row in rows])
    if beside.shape != (len(rows), 1) or np.any(beside[:, 0] != labels):
        raise DataError(f"{content.path}: the labels in scores are not those in labels")
    classes, notes = classes_of_folders(names, labels, values.shape[1])
    return Table(values, names, classes, labels, "logits", first_label=0, upright=True, notes=notes)


def _row(scores, content):
    """The scores of a video, which lie in one row of a matrix."""
    found = numbers(scores, content, "scores")
    return found.reshape(found.shape[-1:]) if found.size and found.size == found.shape[-1] else found


def classes_of_folders(names, labels, count):
    """Name the classes by the folders of their videos.

    Parameters
    ----------
    names : list of str
        Of videos, ``class/video.avi``.
    labels : (n,) array
        0-based.
    count : int
        Number of classes.

    Returns
    -------
    classes : list of str or None
        None where a class has no video, a video no folder, or folders and labels contradict one another.
    notes : tuple of str
    """
    folders: dict[int, str] = {}
    for name, label in zip(names, labels.tolist(), strict=True):
        folder, slash, _ = name.replace("\\", "/").rpartition("/")
        if not slash or folders.setdefault(label, folder) != folder:
            return None, ()
    if len(set(folders.values())) < count or sorted(folders) != list(range(count)):
        return None, ()
    classes = [folders[label].rpartition("/")[2] for label in range(count)]
    if len(set(classes)) < count:
        return None, ()
    return classes, ("classes are named by the folders of their videos",)
