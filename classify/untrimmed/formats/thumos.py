"""Files of THUMOS'14: the official lists of true segments, and submissions.

A list is a text ``CLASS_test.txt`` or ``CLASS_val.txt`` of lines ``video  start  end`` in seconds. A submission has
lines ``video start end class score`` with the number of the class in ``detclasslist.txt``.

Source: docs/method/untrimmed.md, section 7.
"""

import re
from pathlib import Path

from classify.text_files import read_lines, write_text
from classify.untrimmed.segments import Segments
from idt.errors import DataError

CLASSES = "detclasslist.txt"

_LIST = re.compile(r"(?P<label>\w+)_(test|val)\.txt")


def read_lists(folder, *, instants=False):
    """Read the official lists of a folder.

    Parameters
    ----------
    folder : str or Path
        Folder of one subset, such as ``annotation_test``.
    instants : bool
        Keep segments of no length.

    Returns
    -------
    Segments
        Class by class in alphabetical order, with the segments of the label ``Ambiguous``.

    Raises
    ------
    DataError
        If the folder holds no such list, or a line is no segment.
    OSError
        If a file cannot be read.
    """
    rows = []
    for path in sorted(Path(folder).iterdir()):
        if match := _LIST.fullmatch(path.name):
            rows += [(match["label"], *_fields(path, line, 3)) for line in read_lines(path)]
    if not rows:
        raise DataError(f"{folder} holds no list of THUMOS'14, expected files such as Diving_test.txt")
    labels, videos, starts, ends = zip(*rows, strict=True)
    return Segments.of(videos, labels, list(zip(starts, ends, strict=True)), instants=instants)


def read_submission(path, classes):
    """Read a submission.

    Parameters
    ----------
    path : str or Path
    classes : str or Path
        The official ``detclasslist.txt``: lines ``number class``.

    Returns
    -------
    Segments
        In the order of the file, which the official evaluation sorts by the video's name.

    Raises
    ------
    DataError
        If a line is no scored segment or names an unknown class.
    OSError
        If a file cannot be read.
    """
    names = _classes_by_number(classes)
    rows = [_fields(path, line, 5) for line in read_lines(path)]
    for row in rows:
        if f"{row[3]:g}" not in names:
            raise DataError(f"{path}: {row[0]} has the class {row[3]:g}, expected one of {classes}")
    return Segments.of(
        [row[0] for row in rows],
        [names[f"{row[3]:g}"] for row in rows],
        [row[1:3] for row in rows],
        [row[4] for row in rows],
    )


def write_submission(path, segments, classes, *, overwrite=False):
    """Write a submission, times to a tenth of a second as the organisers ask.

    Parameters
    ----------
    path : str or Path
    segments : Segments
    classes : str or Path
        As `read_submission`.
    overwrite : bool or collection of path
        As for `classify.text_files.write_text`.

    Raises
    ------
    DataError
        If a class has no number, or ``path`` exists and may not be replaced.
    OSError
        If a file cannot be read or written.
    """
    numbers = {name: number for number, name in _classes_by_number(classes).items()}
    lines = []
    for video, label, (start, end), score in zip(
        segments.videos, segments.labels, segments.spans, segments.scores, strict=True
    ):
        if label not in numbers:
            raise DataError(f"the class {label!r} has no number in {classes}")
        lines.append(f"{video} {start:.1f} {end:.1f} {numbers[label]} {score:.5g}\n")
    write_text(path, "".join(lines), overwrite=overwrite, unmarked=True)


def _classes_by_number(path):
    pairs = [line.split() for line in read_lines(path)]
    if not pairs or any(len(pair) != 2 for pair in pairs):
        raise DataError(f"{path} must have lines of a number and a class")
    return dict(pairs)


def _fields(path, line, count):
    """Split a line into the name of a video and numbers."""
    name, *numbers = line.split()
    try:
        values = [float(number) for number in numbers]
    except ValueError:
        values = []
    if len(values) != count - 1:
        raise DataError(f"{path}: expected a video and {count - 1} numbers on a line, got {line[:60]!r}")
    return (name, *values)
