"""Score files in the forms of others, so that their tools take our scores.

Source: docs/method/files.md, section 7.4.
"""

import hashlib
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np

from classify.fusion import score_file
from classify.fusion.forms import activitynet, csv_table, mat, mmaction2, tsn
from classify.fusion.order import in_order_of
from idt.errors import DataError, did_you_mean
from idt.files import atomic
from idt.files.provenance import is_current

WRITERS: dict[str, ModuleType] = {
    score_file.FORM: score_file,
    "mmaction2": mmaction2,
    "tsn": tsn,
    "activitynet": activitynet,
    "mat": mat,
    "csv": csv_table,
}
"""Form → module."""

SUFFIXES = {
    ".h5": score_file.FORM,
    ".hdf5": score_file.FORM,
    ".pkl": "mmaction2",
    ".npz": "tsn",
    ".json": "activitynet",
    ".mat": "mat",
    ".csv": "csv",
}
"""Suffix → default form of a file with this suffix."""

CONVERSIONS = ("margins", "l2", "probability")
"""Conversions: unchanged scores, the scores of each video divided by their L2 norm, or probabilities."""


def form_of(path, form=None):
    """Return the form in which a file is written.

    Parameters
    ----------
    path : str or Path
    form : str, optional
        One of `WRITERS`; by default the form of the suffix.

    Raises
    ------
    DataError
        If it is unknown.
    """
    if form is None:
        form = SUFFIXES.get(Path(path).suffix.lower())
        if form is None:
            raise DataError(
                f"{path} must end in {', '.join(SUFFIXES)}, or its form must be named: {', '.join(WRITERS)}"
            )
    if form not in WRITERS:
        hint = did_you_mean(form, WRITERS) or f"; known are {', '.join(WRITERS)}"
        raise DataError(f"no scores are written in the form {form!r:.40}{hint}")
    return form


def write_scores(path, scores, *, form=None, values_as=None, video_list=None, overwrite=False):
    """Write scores of videos.

    Parameters
    ----------
    path : str or Path
    scores : Scores
    form : str, optional
        One of `WRITERS`; by default that of the suffix.
    values_as : {"margins", "l2", "probability"}, optional
        Unchanged by default. Probabilities of logits are their softmax; margins have none unless the classifier was
        calibrated (``svm-train --probability``).
    video_list : classify.datasets.video_list.VideoList, optional
        Videos in the order that the file is to have, with their labels; its classes give the order of the columns.
    overwrite : bool or collection of path
        As for `idt.files.atomic.replacing`. Only our HDF5 files record who made them. Any other file is replaced only
        if the collection names it, or its content stays the same.

    Raises
    ------
    DataError
        If the form needs what the scores do not have, a video of the list has no scores, labels differ, or ``path``
        exists and may not be replaced.
    OSError
        If the file cannot be written.
    """
    form = form_of(path, form)
    scores = convert_scores(scores, values_as)
    if video_list is not None:
        scores = in_order_of(scores, video_list)
    if form == score_file.FORM:
        source = {"kind": "scores", "digest": _digest(scores)}
        wanted = {"format": score_file.SCORES_FORMAT, "version": score_file.SCORES_VERSION, "params": None}
        if not is_current(path, **wanted, source=source, overwrite=overwrite):
            score_file.save(path, scores, source=source, overwrite=overwrite)
        return
    data = WRITERS[form].to_bytes(scores)
    with atomic.replacing(path, overwrite=overwrite, unmarked=True) as part:
        part.write(data)


def convert_scores(scores, values_as):
    """Convert scores for writing.

    Parameters
    ----------
    scores : Scores
    values_as : {"margins", "l2", "probability"} or None

    Returns
    -------
    Scores

    Raises
    ------
    DataError
        If the scores cannot be converted.
    """
    name, values = scores.path or "the scores", scores.values
    if values_as is None or (values_as == "probability" and scores.kind == "probabilities"):
        return scores
    if values_as == "l2":
        return replace(scores, values=values / np.sqrt((values**2).sum(axis=1, keepdims=True)), kind="unknown")
    if values_as == "margins":
        if scores.kind == "probabilities":
            raise DataError(f"{name} holds probabilities, of which margins cannot be made")
        return scores
    if values_as != "probability":
        raise DataError(f"scores are written as one of {', '.join(CONVERSIONS)}, got {values_as!r:.40}")
    if scores.kind != "logits":
        raise DataError(
            f"{name} holds {scores.kind if scores.kind != 'unknown' else 'scores of an unknown kind'}, of which"
            " probabilities cannot be made; train with svm-train --probability and predict with --probabilities"
        )
    powers = np.exp(values - values.max(axis=1, keepdims=True))
    return replace(scores, values=powers / powers.sum(axis=1, keepdims=True), kind="probabilities")


def _digest(scores):
    """Compute the digest of scores with their names, classes, labels, kind and split."""
    digest = hashlib.sha256(np.ascontiguousarray(scores.values, "<f8").tobytes())
    labels = None if scores.labels is None else scores.labels.tolist()
    digest.update(repr((scores.names, scores.classes, labels, scores.kind, scores.split)).encode())
    return digest.hexdigest()
