"""Dumps of MMAction2: a list with an entry for each video, in the order of the annotation file.

- Version 1.2: a dict of ``pred_score``, (C,) or for each clip (clips, C), and ``gt_label``, the label from 0 or a flag
  for each class; scores are probabilities, or logits if the network is configured so.
- Versions 1.0 and 1.1: the same, as ``pred_scores`` and ``gt_labels``, each a dict with the tensor as ``item``.
- Versions 0.x and mmaction: an array, (C,) or for each crop (crops, C), without labels.

Scores of a network with several heads are a dict of tensors, whose mean is taken. Source: tools/test.py at the tag of
each version.
"""

import numpy as np

from classify.fusion.forms import slowfast
from classify.fusion.forms.content import OBJECT
from classify.fusion.forms.table import Table, check_size, looks_like_probabilities, numbers, stack_rows
from idt.errors import DataError
from idt.files.foreign import pickle_writer as pickles

DESCRIPTION = "dump of MMAction2: a list of dicts with pred_score or pred_scores, or of arrays"

SCORES, LABELS = ("pred_score", "pred_scores"), ("gt_label", "gt_labels")
"""Keys of an entry for its scores and its labels, by version."""

NAMES = ("video_id", "filename", "frame_dir")
"""Keys of an entry that may hold the name of its video."""


def recognises(content):
    """Tell whether ``content`` (`classify.fusion.forms.content.Content`) has this form."""
    value = content.value
    if content.kind != OBJECT or not isinstance(value, list) or not value:
        return False
    if isinstance(value[0], dict):
        return any(key in value[0] for key in SCORES)
    if isinstance(value[0], np.ndarray):
        return not slowfast.recognises(content) and all(
            isinstance(each, np.ndarray) and each.ndim == value[0].ndim in (1, 2) for each in value
        )
    return isinstance(value[0], list)


def read(content):
    """Read the scores of the ``content`` of a file, as a `classify.fusion.forms.table.Table`."""
    if not isinstance(content.value[0], dict):
        rows, notes = _averaged([("", [each]) for each in content.value], content)
        return _table(stack_rows(rows, content), None, None, notes)
    entries = content.value
    if not all(isinstance(entry, dict) and any(key in entry for key in SCORES) for entry in entries):
        raise DataError(f"{content.path}: every video must have pred_score or pred_scores")
    rows, notes = _averaged([_heads(_first_of(entry, SCORES)) for entry in entries], content)
    values = stack_rows(rows, content)
    counts = {entry["num_classes"] for entry in entries if type(entry.get("num_classes")) is int}
    if counts - {values.shape[1]}:
        raise DataError(
            f"{content.path} holds {values.shape[1]} scores a video, but its num_classes says {max(counts)}"
        )
    return _table(values, _labels(entries, values.shape[1], content), _names(entries), notes)


def _table(values, labels, names, notes):
    kind = "probabilities" if looks_like_probabilities(values) else "logits"
    return Table(values, names, labels=labels, kind=kind, first_label=0, rows_are_videos=True, notes=notes)


def _first_of(entry, keys):
    """Return the value of the first of some keys that an entry has."""
    return next((entry[key] for key in keys if key in entry), None)


def _heads(scores):
    """Return the names of the heads of a network, and their scores."""
    if isinstance(scores, dict):
        return ", ".join(scores), list(scores.values())
    return "", [scores]


def _averaged(videos, content):
    """Average the scores of each video over clips and heads; return the means and notes on them."""
    rows, clips, heads, total = [], 1, "", 0
    for names, parts in videos:
        means = []
        for part in parts:
            part = numbers(part, content, "scores")
            if not part.size or part.ndim not in (1, 2):
                raise DataError(f"{content.path}: scores of a video must be (C,) or (clips, C), got {part.shape}")
            total += part.size
            check_size(total, content)
            clips = max(clips, len(part) if part.ndim == 2 else 1)
            means.append(part.mean(axis=0, dtype=np.float64) if part.ndim == 2 else part.astype(np.float64))
        if not means or len({mean.shape for mean in means}) > 1:
            raise DataError(f"{content.path}: all heads of a video must have the same number of scores")
        heads = names if len(means) > 1 else heads
        rows.append(np.mean(means, axis=0))
    notes = [f"scores are means over {clips} clips or crops"] if clips > 1 else []
    return rows, (*notes, *([f"scores are means over the heads {heads}"] if heads else []))


def _labels(entries, count, content):
    """Return labels, or flags; None if an entry has none."""
    found = []
    for entry in entries:
        label = _first_of(entry, LABELS)
        label = label.get("item") if isinstance(label, dict) else label
        if label is None:
            return None
        found.append(numbers(label, content, "labels").ravel())
    if all(label.size == 1 for label in found):
        return np.concatenate(found)
    if all(label.size == count and np.isin(label, (0, 1)).all() for label in found):
        return np.array(found, bool)
    raise DataError(f"{content.path}: every video must have one label, or a flag for each of {count} classes")


def _names(entries):
    """Return the names if all entries have one; else None."""
    for key in NAMES:
        found = [entry.get(key) for entry in entries]
        if all(isinstance(name, str) and name for name in found) and len(set(found)) == len(found):
            return found
    return None


def to_bytes(scores):
    """Return the bytes of a dump, as MMAction2 1.2 writes it, of ``scores`` (`classify.fusion.scores.Scores`).

    Raises
    ------
    DataError
        If the scores have no labels, which MMAction2's report_accuracy.py reads.
    """
    if scores.labels is None:
        raise DataError(
            f"a dump of MMAction2 needs labels, which {scores.path or 'the scores'} do not have; give a list"
        )
    values, count = scores.values.astype(np.float32), scores.values.shape[1]
    names = scores.names or [None] * len(values)
    entries = [
        pickles.mapping(
            {
                **({} if name is None else {"video_id": pickles.text(name)}),
                "num_classes": pickles.integer(count),
                "gt_label": pickles.tensor(np.atleast_1d(label).astype("<i8")),
                "pred_score": pickles.tensor(row),
                "pred_label": pickles.tensor(np.array([row.argmax()], "<i8")),
            }
        )
        for name, row, label in zip(names, values, scores.labels, strict=True)
    ]
    return pickles.pickled(pickles.sequence(entries, end=b"e"))
