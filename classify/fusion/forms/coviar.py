"""Scores of CoViAR and DMC-Net: npz of ``scores``, an object array (n, 2) or (n, 3), ``labels`` and ``names``.

``scores[i, 0]`` is (1, C) float32, the mean over segments and crops before a softmax; ``scores[i, 1]`` is the label,
which newer runs write as a tensor. Names are ``class/video.avi``, in the sorted order of the network's own list.
Columns are in the order of the labels. No file names the classes; the folders of the videos do, if every class has a
video.
"""

from classify.fusion.forms.content import ARRAYS, NPZ
from classify.fusion.forms.table import Table, texts
from classify.fusion.forms.tsn import are_pairs, read_pairs
from idt.errors import DataError

DESCRIPTION = "npz of CoViAR or DMC-Net: scores (n, 2) objects, labels, names"


def recognises(content):
    """Tell whether ``content`` (`classify.fusion.forms.content.Content`) has this form."""
    return content.kind == ARRAYS and content.container == NPZ and are_pairs(content.value) and "names" in content.value


def read(content):
    """Read the scores of the ``content`` of a file, as a `classify.fusion.forms.table.Table`."""
    values, labels, _, notes = read_pairs(content)
    names = texts(content.value["names"], content, "names")
    if len(names) != len(values):
        raise DataError(f"{content.path} holds scores of {len(values)} videos, but {len(names)} names")
    classes, more = classes_of_folders(names, labels, values.shape[1])
    return Table(values, names, classes, labels, "logits", first_label=0, rows_are_videos=True, notes=(*notes, *more))


def classes_of_folders(names, labels, count):
    """Name the classes by the folders of their videos.

    Parameters
    ----------
    names : list of str
        Names of videos, ``class/video.avi``.
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
