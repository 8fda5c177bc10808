"""Scores as text: CSV of ``name,class,class, …``, as `svm-predict` and `idt-fuse` write, or columns of numbers.

The first line names the classes, if it is no line of numbers; the first column names the videos, if it is called
``name`` or holds no numbers; a second column called ``label`` has the labels, as names of classes or numbers.
"""

import re

import numpy as np

from classify.fusion.forms.content import ROWS
from classify.fusion.forms.table import Table, names_and_classes
from classify.text_files import scores_text
from idt.errors import DataError
from idt.files import text

DESCRIPTION = "CSV of name,class,class, …, or columns of numbers"

NAME = ("name", "names", "video", "video_name", "videos", "filename", "file", "id", "clip")
LABEL = ("label", "labels", "gt", "true class")
"""Headings of the first and the second column."""

_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?|[-+]?(?:nan|inf|infinity)", re.IGNORECASE | re.ASCII)


def recognises(content):
    """Tell whether ``content`` (`classify.fusion.forms.content.Content`) has this form."""
    return content.kind == ROWS


def read(content):
    """Read the scores of the ``content`` of a file, as a `classify.fusion.forms.table.Table`."""
    rows = [(line, _split(fields)) for line, fields in content.value]
    if not rows:
        raise DataError(f"{content.path} holds no lines of {DESCRIPTION}")
    header = rows[0][1]
    if all(map(_is_number, header[1:])) and header[0].lower() not in NAME and not _is_numbered_header(header):
        header = []
    else:
        rows = rows[1:]
    if not rows:
        raise DataError(f"{content.path} holds no videos")
    width = len(header or rows[0][1])
    for line, fields in rows:
        if len(fields) != width:
            raise DataError(f"{content.path}, line {line}: expected {width} fields, got {len(fields)}")
    columns = list(zip(*(fields for _, fields in rows), strict=True))
    has_names = bool(header) and (header[0].lower() in NAME or _is_numbered_header(header))
    has_names = has_names or not all(map(_is_number, columns[0]))
    has_labels = has_names and width > 2 and bool(header) and header[1].lower() in LABEL
    first = has_names + has_labels
    classes = header[first:] or None
    values = np.array([[_number(field, line, content) for field in fields[first:]] for line, fields in rows])
    labels = _labels(columns[1], classes, rows, content) if has_labels else None
    return Table(
        values, list(columns[0]) if has_names else None, classes, labels, rows_are_videos=has_names or bool(header)
    )


def _split(fields):
    """Split a line into fields, which blanks or tabs may separate as `numpy.savetxt` does."""
    if len(fields) == 1 and all(map(_is_number, parts := fields[0].split())):
        return parts
    return fields


def _is_numbered_header(header):
    """Tell whether a line is a header of a text field and then the numbers of the classes, from 0 or 1."""
    numbers = [str(number) for number in range(len(header))]
    return not _is_number(header[0]) and len(header) > 2 and header[1:] in (numbers[:-1], numbers[1:])


def _is_number(field):
    return _NUMBER.fullmatch(field) is not None


def _number(field, line, content):
    if not _is_number(field):
        raise DataError(f"{content.path}, line {line}: expected a score, got {field[:40]!r}")
    return float(field)


def _labels(column, classes, rows, content):
    """Return the labels as columns of their classes if all are names of classes, else as the numbers in the file."""
    if all(label in classes for label in column):
        return np.array([classes.index(label) for label in column])
    return np.array([_number(label, line, content) for label, (line, _) in zip(column, rows, strict=True)])


def to_bytes(scores):
    """Return the bytes of a CSV of ``scores`` (`classify.fusion.scores.Scores`): name, perhaps label, then the classes.

    Scores have seven significant digits, the precision of float32.

    Raises
    ------
    DataError
        If names or classes are unknown.
    """
    names, classes = names_and_classes(scores, "CSV")
    one_each = scores.labels is not None and scores.labels.ndim == 1
    labels = [classes[label] for label in scores.labels] if one_each else None
    return text.encoded(scores_text(scores.path or "CSV", names, scores.values, classes, labels))
