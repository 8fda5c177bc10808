"""Feature files: `Features` to and from HDF5.

Format ``idt-features``, version 1, as in docs/method/files.md, section 2:
``tracks/…`` and ``descriptors/…`` hold one row per track, ``camera/…`` one per frame. Histograms are stored in fixed
point, round(1024 · x) as uint16, which is what their attribute ``scale_factor`` says; all else as it is.

Version 2 are the two forms that take less of the disk (`forms`). A compact file (``"compact"`` in the parameters) has
``tracks/start`` (n, 2) int32 and ``tracks/steps`` (n, L, 2) int16 of ``scale_factor`` 1/64 in place of
``tracks/points``, and ``descriptors/trajectory`` as float16. A projected one (``"projected"`` in the parameters, which
names the codebook) has ``tracks/frame``, ``scale``, ``position`` and ``skip`` and, for every block of the codebook,
``projected/NAME`` (n, D) float16, whose names and D the root attribute ``projected`` lists as JSON; it has no camera.

`load` and `iter_rows` take the authors' own forms as well (`rows`). `Writer` appends while a video streams (`writer`).
"""

import dataclasses
import math
from typing import Any

import numpy as np

from idt import layout
from idt.errors import DataError
from idt.features import release_rows
from idt.features.camera import Camera
from idt.features.columns import COLUMNS
from idt.features.features import Features
from idt.features.projection import Projection
from idt.features.storage_forms import (
    FORMAT,
    PLACES,
    STORAGE,
    VERSIONS,
    Form,
    extraction_params,
    row_shapes,
    stored_params,
)
from idt.features.writer import CHUNK, Writer
from idt.files import hdf5
from idt.params import ExtractionParams

__all__ = [
    "FORMAT",
    "STORAGE",
    "VERSIONS",
    "Projection",
    "Writer",
    "extraction_params",
    "header",
    "iter_rows",
    "load",
    "rounded",
    "save",
    "stored_params",
    "truncation",
]

PROJECTED = "projected"
"""What `iter_rows` calls the blocks of a projected file."""


def save(features, path, *, float32=False, compact=False, project=None, overwrite=False):
    """Write a feature file at once.

    Parameters
    ----------
    features : Features
        Its ``source`` is recorded; without one, it says that the features came from arrays.
    path : str or Path
    float32 : bool
        Store histograms as float32 instead of fixed point; those of rows that others wrote are in any case.
    compact : bool
        Store points as differences in 1/64 pixel and the trajectory descriptor as float16.
    project : str or Path, optional
        Store descriptors along the axes of this codebook, and little else of the tracks.
    overwrite : bool
        Replace a file that exists.

    Raises
    ------
    DataError
        As `Writer`, and if the codebook is none.
    OSError
        If the disk is full or ``path`` cannot be written.
    """
    with Writer(
        path,
        params=features.params,
        source=features.source or {"kind": "arrays"},
        width=features.width,
        height=features.height,
        fps=features.fps,
        first_frame=0 if features.camera is None else features.camera.first_frame,
        float32=float32,
        compact=compact,
        projection=None if project is None else Projection.load(project),
        overwrite=overwrite,
    ) as writer:
        writer.append(features)
        # Times that are unknown stay so: ``frames`` of a chunk of a stream are not those of its video.
        writer.finish(features.frames, fill=False)


def load(path):
    """Read features: a feature file, or the release's text or binary rows.

    Parameters
    ----------
    path : str or Path
        HDF5, text of 436 columns (gzipped or not) or float32 rows of 466 numbers, recognised by content.

    Returns
    -------
    Features
        Histograms as float32. Of a projected file, `Features.projected` in place of the descriptors.

    Raises
    ------
    DataError
        If the file is of none of these kinds, damaged, or of another version.
    OSError
        If it does not exist or cannot be read.
    """
    if not hdf5.is_hdf5(path):
        return Features.concatenate(release_rows.blocks(path))
    with hdf5.open_checked(path, format=FORMAT, versions=VERSIONS) as file:
        content = _Content(file)
        return dataclasses.replace(content.read(0, content.count, content.columns), camera=content.camera())


def header(path):
    """Read all of a feature file but its rows.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    Features
        Of no rows, with the columns, the camera and the metadata of the file.

    Raises
    ------
    DataError
        As `load`, and if the file is not ours.
    OSError
        If it does not exist or cannot be read.
    """
    with hdf5.open_checked(path, format=FORMAT, versions=VERSIONS) as file:
        content = _Content(file)
        return dataclasses.replace(content.read(0, 0, content.columns), camera=content.camera())


def iter_rows(path, *, block=4 * CHUNK, columns=None):
    """Read features some rows at a time, whatever the length of the file.

    Parameters
    ----------
    path : str or Path
        Of any kind that `load` takes.
    block : int
        Rows at once.
    columns : sequence of str, optional
        Those to read, such as ``("hog", "position")``; the others are None. All by default. ``"projected"`` are all
        blocks of a projected file.

    Yields
    ------
    Features
        Without camera. At least one, which may be empty.

    Raises
    ------
    DataError
        As `load`, and if a column is unknown or absent.
    OSError
        If the file does not exist or cannot be read.
    """
    unknown = sorted(set(columns or ()) - {*COLUMNS, PROJECTED})
    if unknown or block < 1:
        raise DataError(f"columns must be among {', '.join(COLUMNS)} and block at least 1, got {unknown} and {block}")
    if not hdf5.is_hdf5(path):
        for part in release_rows.blocks(path, block=block):
            wanted = part.columns() if columns is None else {name: part.need(name) for name in columns}
            yield dataclasses.replace(part, **{**dict.fromkeys(COLUMNS), **wanted})
        return
    with hdf5.open_checked(path, format=FORMAT, versions=VERSIONS) as file:
        content = _Content(file)
        for first in range(0, content.count or 1, block):
            yield content.read(first, first + block, content.columns if columns is None else columns)


def rounded(features, columns):
    """Some columns with the numbers that a file would give back, for those who go without one.

    Parameters
    ----------
    features : Features
        Of an extraction.
    columns : sequence of str
        ``"skip"`` may be absent: all are 1 then.

    Returns
    -------
    Features
        Histograms in fixed point and back; the other columns as they are.

    Raises
    ------
    DataError
        If a column is absent, or a histogram does not fit fixed point.
    """
    columns = [name for name in columns if name != "skip" or features.skip is not None]
    shapes = {name: features.need(name).shape[1:] for name in columns}
    form = Form(stored_params(features.params), shapes)
    values = {name: form.rounded(name, getattr(features, name)) for name in columns}
    return Features(**values, params=features.params, source=features.source)


def truncation(path):
    """How much was missing of the video that a feature file was made from.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    str or None
        One line; None if nothing was known to be missing.

    Raises
    ------
    DataError
        If it is no feature file of this version.
    OSError
        If it does not exist or cannot be read.
    """
    with hdf5.open_checked(path, format=FORMAT, versions=VERSIONS) as file:
        return (hdf5.json_attribute(file, "source") or {}).get("truncation")


class _Content:
    """The datasets of an open feature file, checked, and its metadata."""

    def __init__(self, file):
        self._file = file
        said = hdf5.json_attribute(file, "params")
        flags = {name: (said or {}).get(name) is True for name in ("float32", "compact")}
        try:
            stored = stored_params(said, **flags)
        except DataError as problem:
            raise DataError(f"{file.filename}: {problem}") from None
        self._metadata = {
            "params": stored and ExtractionParams.from_options(**extraction_params(stored)),
            "source": hdf5.json_attribute(file, "source"),
            "fps": hdf5.attribute(file, "fps", float, math.nan),
            **{name: hdf5.attribute(file, name, int, None) for name in ("width", "height", "frames")},
        }
        points = (None, 2) if stored is not None or hdf5.has(file, PLACES["points"]) else None
        shapes = row_shapes(stored, points)
        if hdf5.has(file, PLACES["skip"]):
            shapes["skip"] = ()
        self.count = len(hdf5.dataset(file, PLACES["frame"], shape=(None,), dtype=np.int32))
        codebook = (said or {}).get(PROJECTED)
        self._form = Form(stored, shapes, codebook=codebook, widths=None if codebook is None else _widths(file))
        self.columns = [*self._form.columns, *([PROJECTED] if self._form.widths else [])]
        self._datasets = {
            name: hdf5.dataset(file, field.place, shape=(self.count, *field.shape), dtype=field.dtype)
            for name, field in self._form.fields.items()
        }
        for name, field in self._form.fields.items():
            scale = None if field.scale is None else hdf5.attribute(self._datasets[name], "scale_factor", float)
            if scale != field.scale:
                raise DataError(f"{file.filename}: scale_factor of {name} must be {field.scale}, got {scale}")

    def read(self, first, last, names):
        """Rows ``first`` to ``last`` of some columns."""

        def rows(field):
            with hdf5.damaged(self._file.filename):
                return self._datasets[field][first:last]

        missing = [name for name in names if name not in self.columns]
        if missing and missing != ["skip"] and self._form.widths:
            raise DataError(
                f"{self._file.filename} has no {missing[0]}: its descriptors are projected by a codebook, for encoding"
                " with it; extract it from the video"
            )
        values: dict[str, Any] = {name: self._form.decode(name, rows) for name in names if name in self.columns}
        features = Features(**values, **self._metadata)
        for name in names:
            if name != "skip":
                features.need(name)
        return features

    def camera(self):
        """The camera's motion, or None."""
        if not hdf5.has(self._file, "camera"):
            return None
        homography = hdf5.read(self._file, "camera/homography", shape=(None, 3, 3), dtype=np.float64)
        counts = {
            name: hdf5.read(self._file, f"camera/{name}", shape=(len(homography),), dtype=np.int32)
            for name in ("matches", "inliers")
        }
        first = hdf5.attribute(self._file["camera/homography"], "first_frame", int)
        return Camera(homography=homography, first_frame=first, **counts)


def _widths(file):
    """Coordinates of each block of a projected file: dict of str to int."""
    widths = hdf5.json_attribute(file, PROJECTED) or {}
    names = {*layout.DESCRIPTORS, "joint"}
    if not widths or not all(name in names and type(width) is int and width > 0 for name, width in widths.items()):
        raise DataError(f"{file.filename}: attribute {PROJECTED!r} must be the width of each block, got {widths!s:.60}")
    return widths
