"""Scores of TSN, tsn-pytorch and TSM: npz of ``scores``, an object array (n, 2), and ``labels``.

``scores[i, 0]`` is float32 (frames, crops, C) before a softmax; the mean over frames and crops labels the video.
``scores[i, 1]`` is the label, from 0. There are no names. TSN's rows are in the order of its list. tsn-pytorch averages
the crops, (frames, 1, C), and writes the rows in the sorted order of its list. Source: TSN's tools/eval_net.py and
tsn-pytorch's test_models.py.
"""

import io

import numpy as np

from classify.fusion.forms.content import ARRAYS, NPZ
from classify.fusion.forms.table import Table, check_size, numbers, one_label_each, stack_rows
from idt.errors import DataError
from idt.files.foreign import npz
from idt.files.foreign import pickle_writer as pickles

DESCRIPTION = "npz of TSN, tsn-pytorch or TSM: scores (n, 2) objects, labels"


def recognises(content):
    """Tell whether ``content`` (`classify.fusion.forms.content.Content`) has this form."""
    return (
        content.kind == ARRAYS
        and content.container == NPZ
        and are_pairs(content.value)
        and "names" not in content.value
    )


def are_pairs(arrays):
    """Tell whether ``arrays`` (dict) hold pairs of scores and labels."""
    scores = arrays.get("scores")
    return scores is not None and scores.dtype == object and scores.ndim == 2 and scores.shape[1] >= 2


def read(content):
    """Read the scores of the ``content`` of a file, as a `classify.fusion.forms.table.Table`."""
    values, labels, shape, notes = read_pairs(content)
    # tsn-pytorch writes this shape; the labels show whether it sorted the rows.
    maybe_sorted = len(shape) == 2 and shape[0] > 1 == shape[1]
    return Table(
        values,
        labels=labels,
        kind="logits",
        first_label=0,
        rows_are_videos=True,
        maybe_sorted=maybe_sorted,
        notes=notes,
    )


def read_pairs(content):
    """Read pairs of scores and labels.

    Parameters
    ----------
    content : classify.fusion.forms.content.Content
        Content with arrays for which `are_pairs` is true.

    Returns
    -------
    values : (n, C) float64
        Means over all axes but the last.
    labels : (n,) float64
        Labels beside the scores.
    shape : tuple of int
        Lengths of the averaged axes, of a video with the most scores.
    notes : tuple of str

    Raises
    ------
    DataError
        If a video has no scores, or labels beside the scores and those in ``labels`` differ.
    """
    pairs, labels = content.value["scores"], content.value.get("labels")
    rows, shapes, total = [], set(), 0
    for scores, *_ in pairs:
        scores = numbers(scores, content, "scores")
        if not scores.size or not scores.ndim:
            raise DataError(f"{content.path}: every video must have scores, got none for one")
        total += scores.size
        check_size(total, content)
        shapes.add(scores.shape[:-1])
        rows.append(scores.reshape(-1, scores.shape[-1]).mean(axis=0, dtype=np.float64))
    values = stack_rows(rows, content)
    beside = np.array([_label(label, content) for _, label, *_ in pairs], np.float64)
    if labels is not None and not np.array_equal(numbers(labels, content, "labels").ravel(), beside):
        raise DataError(f"{content.path}: labels are not those beside the scores; save one of the two")
    largest = max(shapes, key=np.prod)
    notes = (f"scores are means over {_averaged_parts(shapes)}",) if np.prod(largest) > 1 else ()
    return values, beside, largest, notes


def _label(label, content):
    found = numbers(label, content, "a label")
    if found.size != 1:
        raise DataError(f"{content.path}: a video must have one label, got {found.size}")
    return found.item()


def _averaged_parts(shapes):
    if len(shapes) == 1:
        (shape,) = shapes
        return " × ".join(map(str, shape)) + (" frames and crops" if len(shape) == 2 else " parts")
    return "all parts of each video, which differ in number"


def to_bytes(scores):
    """Return the bytes of an npz of ``scores`` (`classify.fusion.scores.Scores`), which must have labels.

    Every video has one frame and one crop, (1, 1, C) float32.

    Raises
    ------
    DataError
        If the scores have no labels, or a video may have several.
    """
    labels = one_label_each(scores, "npz of TSN")
    rows = [
        [pickles.array(row.astype(np.float32)[None, None]), pickles.integer(int(label))]
        for row, label in zip(scores.values, labels, strict=True)
    ]
    plain = io.BytesIO()
    np.save(plain, labels.astype("<i8"), allow_pickle=False)
    return npz.packed({"scores": pickles.npy(rows), "labels": plain.getvalue()})
