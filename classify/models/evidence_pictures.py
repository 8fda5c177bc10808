"""Evidence drawn over the frames of its video, and written down as CSV."""

from typing import NamedTuple

import numpy as np

from classify.models.explain import explain
from classify.text_files import write_text
from idt.errors import DataError
from idt.files import csv_text
from idt.params.extraction import ExtractionParams
from idt.workers.run_options import RunOptions

TRACK_HEADER = ("track", "frame", "x", "y", "scale", "adds")
CELL_HEADER = ("x0", "x1", "y0", "y1", "first_frame", "last_frame", "tracks", "loss")
"""Columns of the two kinds of CSV. A table of tracks has one further column for each descriptor."""


class Picture(NamedTuple):
    """One drawn frame: its ``index`` and the ``image`` (H, W, 3) uint8, BGR."""

    index: int  # type: ignore[assignment]  # hides tuple.index, which no caller needs
    image: np.ndarray


def evidence_picture(evidence, video=None, *, frame=None, zoom=None, run=RunOptions()):
    """Draw the evidence over one frame of its video.

    Parameters
    ----------
    evidence : Evidence
        As from `classify.models.explain.explain`.
    video : path, array or iterable, optional
        The frames, as for `idt.extract`; by default the video file that the features name.
    frame : int, optional
        Number of the frame. By default the frame in which the tracks of some region have the largest sum of evidence;
        for ``without`` the middle frame of the cell with the largest loss.
    zoom : int, optional
        Pixels of the picture, along each side, for one pixel of the frame.
    run : RunOptions
        How the video is read.

    Returns
    -------
    Picture

    Raises
    ------
    DataError
        If the video has no such frame, cannot be read, or the features record no points or no video.
    OSError
        If the video cannot be read.
    """
    drawing = _Drawing(evidence)
    wanted = drawing.strongest if frame is None else frame
    for index, gray in _frames(evidence, video, run):
        # A video without tracks has no strongest frame, so its first frame is drawn.
        if index == wanted or (frame is None and not len(evidence.features)):
            return Picture(index, drawing.image(index, gray, zoom))
    raise DataError(f"the video has no frame {wanted}; name another one with frame")


def evidence_pictures(evidence, video=None, *, zoom=None, run=RunOptions()):
    """Draw the evidence over every frame of its video.

    Parameters
    ----------
    evidence, video, zoom, run
        As for `evidence_picture`.

    Yields
    ------
    Picture

    Raises
    ------
    DataError, OSError
        As `evidence_picture`.
    """
    drawing = _Drawing(evidence)
    for index, gray in _frames(evidence, video, run):
        yield Picture(index, drawing.image(index, gray, zoom))


def evidence_stills(video, features, model, codebook, classes, *, run=RunOptions()):
    """Draw the evidence for several classes in one video, as small colour pictures of one frame each.

    Parameters
    ----------
    video : str or Path
        The frames.
    features : str or Path
        Feature file of the video.
    model, codebook
        As for `classify.models.explain.explain`.
    classes : sequence of str
    run : RunOptions
        How the video is read.

    Returns
    -------
    list of (int, bytes)
        For each class, the number of the frame in which the tracks of some region have the largest sum of evidence, and
        its picture, a JPEG file. Empty if the video has no tracks or cannot be read, or the encoding has no shares.
    """
    from idt.show import stills

    try:
        found = [explain(features, model, codebook, class_name=name, run=run) for name in classes]
        if not found or not len(found[0].features):
            return []
        drawings = [_Drawing(evidence) for evidence in found]
        shown = [drawing.for_stills() for drawing in drawings]
        params = found[0].features.params or ExtractionParams()
        reading = {"max_pixels": run.max_pixels, "decoder": run.decoder}
        images = stills.evidence_stills(video, shown, params, drawings[0].size, **reading)
    except (DataError, OSError):
        return []
    return list(zip([one.frame for one in shown], images, strict=True))


def write_evidence(path, evidence, *, overwrite=False):
    """Write evidence as CSV: a line for each track with the number that it adds, or a line for each cell.

    Parameters
    ----------
    path : str or Path
    evidence : Evidence
    overwrite : bool or collection of path
        As for `classify.text_files.write_text`.

    Raises
    ------
    DataError
        If ``path`` exists and may not be replaced.
    OSError
        If it cannot be written.
    """
    features, lines = evidence.features, []
    if evidence.by == "share":
        header = (*TRACK_HEADER, *evidence.blocks)
        numbers = np.column_stack([evidence.values, *evidence.blocks.values()])
        sides = [1.0 if side is None else float(side) for side in (features.width, features.height)]
        for i, row in enumerate(numbers):
            x, y = features.position[i, :2] * sides
            place = (f"{x:.1f}", f"{y:.1f}", f"{features.scale[i]:.4g}")
            lines.append((i, int(features.frame[i]), *place, *(f"{value:.9g}" for value in row)))
    else:
        header = CELL_HEADER
        columns, rows, length = evidence.grid
        counts = _tracks_by_cell(evidence)
        for (x, y, t), count, loss in zip(evidence.cells.tolist(), counts, evidence.losses, strict=True):
            edges = (x / columns, (x + 1) / columns, y / rows, (y + 1) / rows)
            lines.append((*(f"{edge:.4f}" for edge in edges), t * length, (t + 1) * length - 1, count, f"{loss:.9g}"))
    write_text(path, csv_text.dumps([header, *lines]), overwrite=overwrite, unmarked=True)


def _tracks_by_cell(evidence):
    """Count the tracks of each cell."""
    from encoding.evidence.without import cells_of

    _, cell_of = cells_of(_tracks(evidence.features), evidence.grid[:2], evidence.grid[2])
    return np.bincount(cell_of, minlength=len(evidence.cells)).tolist()


def _tracks(features):
    from encoding.descriptors.track_columns import TrackColumns

    return TrackColumns.of(features, ("frame", "position", "skip"))


def _frames(evidence, video, run):
    """Yield the numbers and pixels of the frames of a video, read as it was read when its tracks were extracted."""
    from idt.frames.video import open_video

    features = evidence.features
    if video is None:
        video = (features.source or {}).get("path")
        if video is None:
            raise DataError("the features do not tell which video they are of; name it")
    params = features.params or ExtractionParams()
    with open_video(video, params=params, max_pixels=run.max_pixels, decoder=run.decoder) as opened:
        for frame in opened:
            yield frame.index, frame.gray


class _Drawing:
    """Drawing of the evidence of one video: its tracks, and the scale of colours that all pictures share."""

    def __init__(self, evidence):
        from idt.show.evidence import ValuedTracks, scale_of

        features = evidence.features
        skip = np.ones(len(features), np.int64) if features.skip is None else features.skip.astype(np.int64)
        self._evidence = evidence
        self._size = (features.width or 0, features.height or 0)
        self._tracks = ValuedTracks(features.need("points"), features.frame.astype(np.int64), skip, evidence.values)
        self.size = self._size if all(self._size) else self._size_from_points()
        self._scale, self.strongest = scale_of(self._tracks, self.size)
        if evidence.by == "without" and len(evidence.losses):
            largest = float(np.abs(evidence.losses).max()) or 1.0
            self._scale = self._scale._replace(map=largest, track=largest)
            slice_of_best = int(evidence.cells[np.argmax(evidence.losses), 2])
            self.strongest = slice_of_best * evidence.grid[2] + evidence.grid[2] // 2

    def for_stills(self):
        """Return the tracks, their scale and the strongest frame, for `idt.show.stills`."""
        from idt.show.stills import FrameEvidence

        return FrameEvidence(self.strongest, self._tracks, self._scale)

    def image(self, index, gray, zoom):
        from idt.show.canvas import SMALLEST_SIDE
        from idt.show.evidence import draw_evidence

        evidence, cells = self._evidence, None
        zoom = zoom or max(1, round(SMALLEST_SIDE / min(gray.shape)))
        tracks = self._tracks
        if all(self._size):
            tracks = tracks._replace(points=tracks.points * (np.array(gray.shape[::-1]) / self._size))
        if evidence.by == "without":
            columns, rows, length = evidence.grid
            cells = np.zeros((rows, columns))
            now = evidence.cells[:, 2] == index // length
            cells[evidence.cells[now, 1], evidence.cells[now, 0]] = evidence.losses[now]
        caption = f"frame {index}  {'loss without each cell; ' if cells is not None else ''}{evidence.title}"
        return draw_evidence(gray, index, tracks, scale=self._scale, zoom=zoom, caption=caption, cells=cells)

    def _size_from_points(self):
        """Estimate the size of the frames from the points of the tracks, for features that do not record it."""
        points = self._tracks.points
        return tuple(int(side) + 1 for side in points.reshape(-1, 2).max(axis=0)) if points.size else (1, 1)
