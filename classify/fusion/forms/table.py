"""Matrix of scores as a form's reader finds it, not yet checked, and functions that the readers share."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from classify.text_files import listed
from idt.errors import DataError, short_repr

LARGEST = 1e300
"""Largest score, so that differences of scores stay finite."""


@dataclass(frozen=True)
class Table:
    """A matrix of scores, unchecked.

    Attributes
    ----------
    values : (n, C) or (C, n) array
    names : list of str or None
    classes : list of str or None
    labels : (n,) array, (n, C) bool or None
        Numbers as the file has them.
    kind : str
        One of `classify.fusion.scores.KINDS`.
    first_label : int or None
        The number of the first class by the form's own rule; None if it has none.
    rows_are_videos : bool
        Whether the form itself says that rows are videos.
    maybe_sorted : bool
        Whether the rows of the form may be in the sorted order of the network's list.
    notes : tuple of str
    """

    values: Any
    names: list[str] | None = None
    classes: list[str] | None = None
    labels: Any = None
    kind: str = "unknown"
    first_label: int | None = None
    rows_are_videos: bool = False
    maybe_sorted: bool = False
    notes: tuple[str, ...] = ()


def stack_rows(rows, content):
    """Stack rows of numbers into a matrix.

    Parameters
    ----------
    rows : sequence of (C,) arrays
    content : classify.fusion.forms.content.Content

    Returns
    -------
    (n, C) float64

    Raises
    ------
    DataError
        If there are no rows, one is no row of real numbers, their lengths differ, or together they are far larger than
        the file.
    """
    found, total = [], 0
    for i, row in enumerate(rows, 1):
        found.append(numbers(row, content, f"row {i}"))
        total += found[-1].size
        check_size(total, content)
    if not found:
        raise DataError(f"{content.path} holds no videos")
    lengths = sorted({row.shape for row in found})
    if len(lengths) > 1 or len(lengths[0]) != 1:
        say = " and ".join(str(shape[0]) if len(shape) == 1 else str(shape) for shape in lengths[:3])
        raise DataError(f"{content.path}: every video must have one score for each class, got {say}")
    return np.array(found, np.float64)


def numbers(value, content, what):
    """Return ``value``, a part of the ``content`` of a file, as an array of real numbers.

    Messages call it ``what``.

    Raises
    ------
    DataError
        If it is no number and no array or list of real numbers.
    """
    plain = value if isinstance(value, list | tuple) else [value]
    if plain and all(type(each) in (int, float) for each in plain):
        value = np.array(value, np.float64)
    if not isinstance(value, np.ndarray | np.generic) or value.dtype.kind not in "fiu":
        got = f"{value.dtype} of shape {value.shape}" if isinstance(value, np.ndarray) else type(value).__name__
        raise DataError(f"{content.path}: {what} must be real numbers, got {got}")
    return np.asarray(value)


def check_size(count, content, per_byte=2):
    """Refuse ``count`` numbers of a file if they are more than ``per_byte`` numbers for each byte of its ``content``.

    Raises
    ------
    DataError
        If they are more. A small pickle may repeat one row without end.
    """
    if count > per_byte * content.size + (1 << 20):
        raise DataError(f"{content.path} repeats its rows, to far more than its {content.size:,} bytes account for")


def texts(value, content, what):
    """Return ``value``, an array or list of text or of cells of text, as a list of str.

    It is a part of the ``content`` of a file, and messages call it ``what``.

    Raises
    ------
    DataError
        If one is no text.
    """
    found = []
    for each in value.ravel(order="F") if isinstance(value, np.ndarray) else value:
        # MATLAB stores the text of a cell as a row of a matrix of characters.
        if isinstance(each, np.ndarray) and each.size == 1:
            each = each.item()
        if isinstance(each, bytes):
            each = each.decode("utf-8", "replace")
        if not isinstance(each, str) or not each.strip():
            raise DataError(f"{content.path}: {what} must be text, got {short_repr(each)}")
        found.append(each.strip())
    return found


def refuse_repeated(names, path, what="videos"):
    """Refuse ``names`` of ``what`` that occur twice in the file ``path``."""
    if len(set(names)) < len(names):
        seen: set[str] = set()
        twice = dict.fromkeys(name for name in names if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise DataError(f"{path} holds {what} twice: {listed(twice)}")


def looks_like_probabilities(values):
    """Tell whether every row of ``values`` (n, C) is a distribution: none negative, and a sum of 1."""
    return bool(values.size) and values.min() >= 0 and bool(np.all(np.abs(values.sum(axis=1) - 1) < 1e-3))


def one_label_each(scores, what):
    """Return the labels of ``scores`` (`classify.fusion.scores.Scores`), one for each video.

    Messages call the file that needs them ``what``.

    Raises
    ------
    DataError
        If they are unknown, or a video may have several.
    """
    if scores.labels is None or scores.labels.ndim != 1:
        raise DataError(
            f"{what} needs one label of each video, which {scores.path or 'the scores'} do not have; give a list of"
            " the videos"
        )
    return scores.labels


def names_and_classes(scores, what):
    """Return names and classes of ``scores`` (`classify.fusion.scores.Scores`).

    Messages call the file that needs them ``what``.

    Raises
    ------
    DataError
        If one is unknown.
    """
    if scores.names is None or scores.classes is None:
        raise DataError(
            f"{what} needs names of videos and classes, which {scores.path or 'the scores'} do not have; give a list of"
            " the videos"
        )
    return scores.names, scores.classes
