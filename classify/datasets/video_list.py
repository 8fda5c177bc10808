"""Lists of videos: the annotation files that networks are trained from, with their labels numbered from 0.

`classify.datasets.list_lines` reads the lines, `classify.datasets.class_files` the names of classes, and
`classify.datasets.list_labels` finds whether labels begin at 0 or at 1. Several lists of one set are read together,
because one list may not show that, or not the names of all classes.

Source: docs/method/protocols.md, section 2.12.
"""

import os
from dataclasses import dataclass, replace
from pathlib import Path

from classify.datasets.class_files import read_class_file
from classify.datasets.hmdb import PATTERN, TEST, TRAIN, UNUSED, read_lists
from classify.datasets.list_labels import folder_of, number_labels
from classify.datasets.list_lines import read_annotation_file
from idt.errors import DataError
from idt.files.text import read_text


@dataclass(frozen=True)
class VideoList:
    """Videos in the order of a list.

    Attributes
    ----------
    path : str
    form : str
        Form of the lines, one of `classify.params.LIST_FORMS`.
    names : list of str
        Videos as the file names them; of Kinetics, ``id_start_end`` with the seconds as six digits each, as its
        clips are usually called.
    labels : list of int or None
        From 0; None where the file has no labels, or a video has several.
    label_sets : list of tuple of int or None
        Labels of each video, from 0, in a list whose videos may have several.
    classes : list of str or None
        Names of the classes by label, where a class file or the list itself tells them.
    frames : list of int or None
        Frames of each video.
    offsets : list of int or None
        First frame of each stretch, from 0.
    times : list of (float, float) or None
        Start and end of each clip, seconds.
    ids : list of str or None
        Videos that the clips were cut from.
    lines : list of int
        Line of each video in the file, from 1.
    notes : tuple of str
        Decisions of the reader that a user must know, such as labels that begin at 1.
    """

    path: str
    form: str
    names: list[str]
    labels: list[int] | None = None
    label_sets: list[tuple[int, ...]] | None = None
    classes: list[str] | None = None
    frames: list[int] | None = None
    offsets: list[int] | None = None
    times: list[tuple[float, float]] | None = None
    ids: list[str] | None = None
    lines: list[int] | None = None
    notes: tuple[str, ...] = ()


def read_video_list(
    path, *, classes=None, form=None, first_label=None, n_classes=None, split=1, side="test", numbering_list=None
):
    """Read a list of videos.

    Parameters
    ----------
    path : str or Path
        Annotation file, or the folder of the official lists of UCF101 or HMDB51.
    classes : str, Path or list of str, optional
        Class file, or the classes by label. By default the list itself or a ``classInd.txt`` beside it gives
        them.
    form : str, optional
        One of `classify.params.LIST_FORMS`; found from the content by default.
    first_label : {0, 1}, optional
        Number of the first class in the file; found from the content by default.
    n_classes : int, optional
        Number of classes, if it is known without their names.
    split : int
        Number of the split, if ``path`` is a folder of official lists.
    side : {"test", "train"}
        Side of the split, if ``path`` is a folder of official lists.
    numbering_list : str or Path, optional
        List of all videos, whose line numbers, from 1, name the videos: ActionVLAD's ``AllVideos.txt``.

    Returns
    -------
    VideoList

    Raises
    ------
    DataError
        If a line is malformed, a video occurs twice, or it is not clear where labels begin or which form the lines
        have.
    OSError
        If a file cannot be read.
    """
    if os.path.isdir(path):
        return _from_folder(Path(path), split, side)
    (found,) = read_video_lists([path], classes=classes, form=form, first_label=first_label, n_classes=n_classes)
    return found if numbering_list is None else _replace_numbers(found, numbering_list)


def read_video_lists(paths, *, classes=None, form=None, first_label=None, n_classes=None):
    """Read lists of one data set, such as those of its training and test videos.

    Parameters
    ----------
    paths : list of str or Path
    classes, form, first_label, n_classes
        As for `read_video_list`.

    Returns
    -------
    list of VideoList
        They share their classes.

    Raises
    ------
    DataError, OSError
        As `read_video_list`.
    """
    if first_label not in (None, 0, 1):
        raise DataError(f"first_label must be 0 or 1, got {first_label!r}")
    notes: list[str] = []
    names = _given_classes(classes, paths, notes)
    if names is not None:
        if n_classes not in (None, len(names)):
            raise DataError(f"{n_classes} classes are expected, but {len(names)} are named")
        n_classes = len(names)
    for path in paths:
        if any(Path(path).match(PATTERN.replace("[123]", str(number))) for number in (1, 2, 3)):
            raise DataError(
                f"{path} is the list of one class of HMDB51, whose numbers are no labels; name the folder that holds"
                " the lists of all classes"
            )
    lists = [(str(path), read_annotation_file(path, form, n_classes)) for path in paths]
    try:
        numbers, names = number_labels(lists, names, n_classes, first_label, notes)
    except DataError as problem:
        # The mistake may be in the file of the classes.
        origin = f"; the classes are those of {classes}" if isinstance(classes, str | os.PathLike) else ""
        raise DataError(f"{problem}{origin}") from None
    return [_video_list(path, lines, numbers, names, tuple(notes)) for path, lines in lists]


def _given_classes(classes, paths, notes):
    """Return the classes that were given or lie beside the lists; None if there are none."""
    if classes is None:
        beside = Path(paths[0]).parent / "classInd.txt"
        if not beside.is_file():
            return None
        notes.append(f"the classes are those of {beside}")
        return read_class_file(beside)
    return read_class_file(classes) if isinstance(classes, str | os.PathLike) else list(classes)


def _video_list(path, lines, numbers, names, notes):
    """Make one list with numbered labels."""
    sets = [tuple(sorted(numbers[label] for label in labels)) for labels in lines.labels]
    if not any(sets) and names is not None:
        # UCF101's lists of test videos have no labels: their folders are the classes.
        known = {name: number for number, name in enumerate(names)}
        folders = [folder_of(name) for name in lines.names]
        if all(folder in known for folder in folders):
            sets = [(known[folder],) for folder in folders]
            notes = (*notes, "the labels are the folders of the videos")
    several = any(len(labels) > 1 for labels in sets)
    single = not several and all(sets)
    return VideoList(
        path=path,
        form=lines.form,
        names=lines.names,
        labels=[number for (number,) in sets] if single else None,
        label_sets=sets if several else None,
        classes=names,
        frames=lines.frames or None,
        offsets=lines.offsets or None,
        times=lines.times or None,
        ids=lines.ids or None,
        lines=lines.places,
        notes=notes,
    )


def _from_folder(folder, split, side):
    """Read the official lists of UCF101 or of HMDB51."""
    if side not in ("train", "test"):
        raise DataError(f"side must be train or test, got {side!r}")
    official = folder / f"{side}list{split:02}.txt"
    if official.is_file():
        return read_video_list(official)
    if not any(folder.glob(f"*_test_split{split}.txt")):
        raise DataError(
            f"{folder} holds no official lists of split {split}: neither {official.name} nor *_test_split{split}.txt"
        )
    lists = read_lists(folder, split, (UNUSED, TRAIN, TEST))
    chosen = lists.train if side == "train" else lists.test
    classes = sorted({*lists.train.values(), *lists.test.values()})
    numbers = {name: number for number, name in enumerate(classes)}
    labels = [numbers[label] for label in chosen.values()]
    return VideoList(str(folder), "path label", list(chosen), labels, classes=classes)


def _replace_numbers(found, numbering_list):
    """Replace each name ``class/number`` by the line of ``numbering_list`` with that number."""
    all_videos = read_text(numbering_list, what="a list of all videos").splitlines()
    names = []
    for place, name in zip(found.lines or [], found.names, strict=True):
        folder, _, number = name.rpartition("/")
        known = number.isascii() and number.isdigit() and 0 < int(number) <= len(all_videos)
        video = all_videos[int(number) - 1] if known else ""
        if not video or folder not in ("", folder_of(video)):
            raise DataError(
                f"{found.path}, line {place}: expected CLASS/NUMBER of one of the {len(all_videos)} videos of"
                f" {numbering_list}, got {name}"
            )
        names.append(video.strip())
    return replace(found, names=names, notes=(*found.notes, f"names are those of {numbering_list}"))
