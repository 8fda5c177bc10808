"""Results of the ActivityNet and Kinetics challenges: JSON of ``{"results": {id: [{"label", "score"}, …]}, …}``.

The challenge's checker also requires ``version`` and ``external_data``. A class that a video does not list gets the
score 0, and a note says so. If a score is negative, 0 would not be the lowest, so every class must be listed.
Detections, which have a ``segment``, are no scores of videos.
"""

import json

import numpy as np

from classify.fusion.forms.content import OBJECT
from classify.fusion.forms.table import Table, check_size, names_and_classes
from idt.errors import DataError, short_repr
from idt.files.marks import TOOL

DESCRIPTION = "JSON of ActivityNet or Kinetics: results of label and score"

VERSION = "VERSION 1.3"

MOST_SCORES_PER_BYTE = 16
"""Most cells of the matrix for each byte of a file. They outnumber the listed scores, because a file may list only five
of seven hundred classes for each video."""


def recognises(content):
    """Tell whether ``content`` (`classify.fusion.forms.content.Content`) has this form."""
    return content.kind == OBJECT and isinstance(content.value, dict) and isinstance(content.value.get("results"), dict)


def read(content):
    """Read the scores of the ``content`` of a file, as a `classify.fusion.forms.table.Table`."""
    results = content.value["results"]
    found = {name: _of_video(name, entries, content) for name, entries in results.items()}
    classes = sorted({label for scores in found.values() for label in scores})
    check_size(len(found) * len(classes), content, MOST_SCORES_PER_BYTE)
    place = {label: column for column, label in enumerate(classes)}
    values = np.zeros((len(found), len(classes)))
    for row, scores in zip(values, found.values(), strict=True):
        row[[place[label] for label in scores]] = list(scores.values())
    absent = values.size - sum(map(len, found.values()))
    if absent and values.min() < 0:
        raise DataError(f"{content.path} lists too few classes: {absent} scores are missing, and others are negative")
    notes = (f"{absent} scores that are not listed count as 0",) if absent else ()
    return Table(values, list(found), classes, rows_are_videos=True, notes=notes)


def _of_video(name, entries, content):
    """Read the scores of a video by class."""
    if not isinstance(entries, list) or not entries:
        raise DataError(f"{content.path}: {name} must have a list of results, got {short_repr(entries)}")
    found: dict[str, float] = {}
    for entry in entries:
        if not isinstance(entry, dict):
            raise DataError(f"{content.path}: {name} must have results with label and score, got {short_repr(entry)}")
        if "segment" in entry:
            raise DataError(
                f"{content.path} holds detections with segments of untrimmed videos, expected scores of videos"
            )
        label, score = entry.get("label"), entry.get("score")
        if not isinstance(label, str) or type(score) not in (int, float):
            raise DataError(f"{content.path}: {name} must have results with label and score, got {short_repr(entry)}")
        if label in found:
            raise DataError(f"{content.path}: {name} has two scores for {label}")
        found[label] = float(score)  # type: ignore[arg-type]
    return found


def to_bytes(scores):
    """Return the bytes of the JSON of ``scores`` (`classify.fusion.scores.Scores`), every class of every video listed.

    Scores have seven significant digits. Labels are no part of the form.

    Raises
    ------
    DataError
        If names or classes are unknown.
    """
    names, classes = names_and_classes(scores, "JSON")
    results = {
        name: [
            {"label": label, "score": float(f"{score:.7g}")}
            for label, score in sorted(zip(classes, row.tolist(), strict=True), key=lambda each: -each[1])
        ]
        for name, row in zip(names, scores.values, strict=True)
    }
    external = {"used": False, "details": TOOL}
    whole = {"version": VERSION, "results": results, "external_data": external}
    return (json.dumps(whole, ensure_ascii=True, allow_nan=False, indent=0) + "\n").encode()
