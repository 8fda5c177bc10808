"""Evidence for a class: the number that each track of a video, or each space-time cell, adds to the class's score.

`evidence_pictures` draws it. Source: docs/method/encoding.md, section 17.
"""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from classify.models.model_file import Model, load_model
from classify.models.video_features import extract_alone, plan
from classify.svm.linear import LinearSVM
from encoding.codebook import Codebook
from encoding.descriptors.inputs import Inputs
from encoding.encode import encode_video, layout_of
from encoding.evidence.cells import GRID, GRID_BOUNDS, LENGTH, LENGTH_BOUNDS
from encoding.evidence.shares import track_shares
from encoding.evidence.tracks_read import read_tracks
from encoding.evidence.without import cell_losses, cells_of
from encoding.params import FITTING, EncodingParams
from idt.errors import DataError, did_you_mean
from idt.features import feature_file
from idt.features.features import Features
from idt.files import hdf5, scratch
from idt.params.extraction import ExtractionParams
from idt.workers.run_options import RunOptions

METHODS = ("share", "without")
"""Methods of explaining a score: ``share``, the number that each track adds, or ``without``, the score's loss without
each cell.
"""

CELLS = (*GRID, LENGTH)
"""Columns, rows and frames of the cells of ``without``."""


@dataclass(frozen=True)
class Evidence:
    """Evidence for a class of one video.

    Attributes
    ----------
    features : Features
        Tracks with the frame steps of the codebook, sorted by ending frame.
    class_name : str
    versus : str or None
        Class whose score is subtracted, for "why this and not that".
    by : str
        One of `METHODS`.
    score, bias : float
        Score and bias of the class, minus the score and bias of ``versus``.
    values : (n,) float64
        The number that each track adds; their sum is score − bias. For ``without``, the loss of the cell in which the
        track lies.
    blocks : dict of str to (n,) float64
        Numbers that each track adds by descriptor; empty for ``without``.
    cells : (m, 3) int64
        Column, row and time slice of each cell that has tracks; no rows for ``share``.
    losses : (m,) float64
        The score's loss without each cell.
    grid : (int, int, int)
        Columns, rows and frames of the cells.
    """

    features: Features
    class_name: str
    versus: str | None
    by: str
    score: float
    bias: float
    values: np.ndarray
    blocks: dict
    cells: np.ndarray
    losses: np.ndarray
    grid: tuple[int, int, int]

    @property
    def title(self):
        """The classes and the score in a few words."""
        named = self.class_name if self.versus is None else f"{self.class_name} and not {self.versus}"
        return f"{named}: score {self.score:+.3f}, bias {self.bias:+.3f}"


def explain(video, model, codebook, *, class_name=None, versus=None, by="share", cells=CELLS, run=RunOptions()):
    """Compute the evidence for a class in one video, by track or by cell.

    Parameters
    ----------
    video : str, Path or Features
        A video, which is extracted; a feature file; or features in memory.
    model : Model, str or Path
        As from `svm-train`, trained on vectors of this codebook without outside blocks.
    codebook : Codebook, str or Path
    class_name : str, optional
        The class to explain; by default the class of the highest score.
    versus : str, optional
        Another class, whose score is subtracted.
    by : {"share", "without"}
        The number that each track adds to the score, or the score's loss without each space-time cell. Machines with
        the χ² kernel, stacked vectors, sparse codes and max pooling allow only the second.
    cells : (int, int, int)
        Columns, rows and frames of the cells of ``without``.
    run : RunOptions
        Threads, and how a video is read.

    Returns
    -------
    Evidence

    Raises
    ------
    DataError
        If model, codebook and features do not fit each other, a class is unknown, or the encoding has no shares.
    OSError
        If a file cannot be read.

    Notes
    -----
    docs/method/encoding.md, section 17.
    """
    if by not in METHODS:
        raise DataError(f"by must be one of {', '.join(METHODS)}, got {by!r}")
    shown = "the codebook" if isinstance(codebook, Codebook) else str(codebook)
    model = model if isinstance(model, Model) else load_model(model)
    book = codebook if isinstance(codebook, Codebook) else Codebook.load(codebook)
    params = book.params_with(**{key: value for key, value in (model.encoding or {}).items() if key not in FITTING})
    _check(model, book, params, shown)
    classifier, names = model.classifier, model.classifier.classes_.tolist()
    if by == "share" and not isinstance(classifier, LinearSVM):
        raise DataError("a machine with the χ² kernel has no weights, so no track has a share; use --by without")
    for name in (class_name, versus):
        if name is not None and name not in names:
            raise DataError(f"the model has no class {name!r}, only {', '.join(names):.200}{did_you_mean(name, names)}")
    features = _features(video, book, shown, run)
    inputs = Inputs.of([features], descriptors=tuple(book.sizes))
    book.check_fits(inputs)
    projected = inputs.projection_digest is not None
    tracks = read_tracks(inputs.sources[0], book, params, projected=projected)
    vector = encode_video(inputs.sources[0], book, params, run.threads, projected).vector
    scores = classifier.scores(vector[None])[0]
    chosen = names[int(scores.argmax())] if class_name is None else class_name
    if chosen == versus:
        raise DataError(f"a class is compared with another one, got {chosen!r} twice; name two classes")
    sign = np.array([float(name == chosen) - float(name == versus) for name in names])
    found = {"score": float(scores @ sign), "bias": float(_both(classifier.intercept_) @ sign)}
    if by == "share":
        weights = sign @ _both(classifier.coef_)
        shares = track_shares(tracks, book, params, weights, threads=run.threads)
        blocks = dict(zip(shares.blocks, shares.values.T, strict=True))
        none = np.zeros((0, 3), np.int64), np.zeros(0)
        return Evidence(
            features,
            chosen,
            versus,
            by,
            **found,
            values=shares.values.sum(axis=1),
            blocks=blocks,
            cells=none[0],
            losses=none[1],
            grid=tuple(cells),
        )
    GRID_BOUNDS.check("columns", cells[0])
    GRID_BOUNDS.check("rows", cells[1])
    LENGTH_BOUNDS.check("length", cells[2])
    size = {"grid": tuple(cells[:2]), "length": cells[2]}
    with run.progress("cell", len(cells_of(tracks.columns, **size)[0])) as update:
        lost = cell_losses(
            tracks,
            book,
            params,
            lambda rows: classifier.scores(rows) @ sign,
            **size,
            threads=run.threads,
            update=update,
        )
    return Evidence(
        features,
        chosen,
        versus,
        by,
        **found,
        values=lost.values[lost.cell_of],
        blocks={},
        cells=lost.cells,
        losses=lost.values,
        grid=tuple(cells),
    )


def _both(rows):
    """Return weights or biases with a row for each class, also if one machine tells two classes apart."""
    return np.concatenate([-rows, rows]) if len(rows) == 1 else rows


def _check(model, book, params, shown):
    """Refuse a model that weighs anything but vectors of this codebook."""
    layout = layout_of(book, params)
    beside = [part["block"] for part in model.layout[len(layout) :]]
    if beside and model.codebook == book.digest:
        raise DataError(
            f"the model also weighs {', '.join(beside)}, to which no track adds; explain one that was trained without"
        )
    model.check(codebook=book.digest, layout=layout, name=f"vectors of {shown}")


def _features(video, book, shown, run):
    """Return the tracks of a video with the frame steps of the codebook, sorted by ending frame."""
    if not isinstance(video, Features):
        if os.path.isfile(video) and hdf5.is_hdf5(video):
            video = feature_file.load(video)
        else:
            video = _extracted(video, book, shown, run)
    keep = np.ones(len(video), bool)
    skips = EncodingParams(only_skips=book.params["only_skips"]).skips
    if skips is not None and video.skip is not None:
        keep = np.isin(video.skip, list(skips))
    order = np.argsort(video.need("frame"), kind="stable")
    return video[order[keep[order]]]


def _extracted(video, book, shown, run):
    """Extract the features of a video with the parameters that the codebook records."""
    if book.features is None:
        raise DataError(
            f"{shown} was fitted on features without recorded parameters, so videos cannot be extracted alike;"
            " explain a feature file"
        )
    with scratch.folder() as folder:
        tasks = plan([str(video)], Path(folder) / "features", ExtractionParams.from_options(**book.features))
        if len(tasks) != 1:
            raise DataError(f"{video} stands for {len(tasks)} videos; explain one at a time")
        outcome = extract_alone(tasks[0], run)
        if outcome.error is not None:
            raise DataError(outcome.error)
        return feature_file.load(tasks[0].output)
