"""Feature files: `Features` to and from HDF5.

Format ``idt-features``, version 1, as the specification lays it out ("The files between the stages", "Features"):
``tracks/…`` and ``descriptors/…`` hold one row per track, ``camera/…`` one per frame. Histograms are stored in fixed
point, round(1024 · x) as uint16, which is what their attribute ``scale_factor`` says; all else as it is.

`load` and `iter_rows` take the authors' own forms as well (`rows`). `Writer` appends while a video streams (`writer`).
"""

import dataclasses
import math
from typing import Any

import numpy as np

from idt import hdf5, layout, rows
from idt.errors import DataError
from idt.features import COLUMNS, Camera, Features
from idt.writer import CHUNK, FORMAT, PLACES, VERSION, Writer, row_shapes, stored_params

__all__ = ["FORMAT", "VERSION", "Writer", "iter_rows", "load", "save", "stored_params", "truncation"]


def save(features, path, *, float32=False, overwrite=False):
    """Write a feature file at once.

    Parameters
    ----------
    features : Features
        Its ``source`` is recorded; without one, it says that the features came from arrays.
    path : str or Path
    float32 : bool
        Store histograms as float32 instead of fixed point; those of rows that others wrote are in any case.
    overwrite : bool
        Replace a file that exists.

    Raises
    ------
    DataError
        As `Writer`.
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
        Histograms as float32.

    Raises
    ------
    DataError
        If the file is of none of these kinds, damaged, or of another version.
    OSError
        If it does not exist or cannot be read.
    """
    if not hdf5.is_hdf5(path):
        return Features.concatenate(rows.blocks(path))
    with hdf5.open_checked(path, format=FORMAT, versions=VERSION) as file:
        content = _Content(file)
        return dataclasses.replace(content.read(0, content.count, content.datasets), camera=content.camera())


def iter_rows(path, *, block=4 * CHUNK, columns=None):
    """Read features some rows at a time, whatever the length of the file.

    Parameters
    ----------
    path : str or Path
        Of any kind that `load` takes.
    block : int
        Rows at once.
    columns : sequence of str, optional
        Those to read, such as ``("hog", "position")``; the others are None. All by default.

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
    unknown = sorted(set(columns or ()) - set(COLUMNS))
    if unknown or block < 1:
        raise DataError(f"columns must be among {', '.join(COLUMNS)} and block at least 1, got {unknown} and {block}")
    if not hdf5.is_hdf5(path):
        for part in rows.blocks(path, block=block):
            wanted = part.columns() if columns is None else {name: part.need(name) for name in columns}
            yield dataclasses.replace(part, **{**dict.fromkeys(COLUMNS), **wanted})
        return
    with hdf5.open_checked(path, format=FORMAT, versions=VERSION) as file:
        content = _Content(file)
        for first in range(0, content.count or 1, block):
            yield content.read(first, first + block, content.datasets if columns is None else columns)


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
    with hdf5.open_checked(path, format=FORMAT, versions=VERSION) as file:
        return (hdf5.json_attribute(file, "source") or {}).get("truncation")


class _Content:
    """The datasets of an open feature file, checked, and its metadata."""

    def __init__(self, file):
        self._file = file
        try:
            params = stored_params(hdf5.json_attribute(file, "params"))
        except DataError as problem:
            raise DataError(f"{file.filename}: {problem}") from None
        self._metadata = {
            "params": params and {name: value for name, value in params.items() if name != "float32"},
            "source": hdf5.json_attribute(file, "source"),
            "fps": hdf5.attribute(file, "fps", float, math.nan),
            **{name: hdf5.attribute(file, name, int, None) for name in ("width", "height", "frames")},
        }
        points = (None, 2) if params is not None or hdf5.has(file, PLACES["points"]) else None
        shapes = row_shapes(params, points)
        if hdf5.has(file, PLACES["skip"]):
            shapes["skip"] = ()
        self.count = len(hdf5.dataset(file, PLACES["frame"], shape=(None,), dtype=np.int32))
        self.datasets = {}
        for name, shape in shapes.items():
            dtypes = (np.uint16, np.float32) if name in layout.HISTOGRAMS else COLUMNS[name][0]
            self.datasets[name] = hdf5.dataset(file, PLACES[name], shape=(self.count, *shape), dtype=dtypes)

    def read(self, first, last, names):
        """Rows ``first`` to ``last`` of some columns."""
        values: dict[str, Any] = {name: self._decoded(name, first, last) for name in names if name in self.datasets}
        features = Features(**values, **self._metadata)
        for name in names:
            if name != "skip":
                features.need(name)
        return features

    def _decoded(self, name, first, last):
        dataset = self.datasets[name]
        with hdf5.damaged(self._file.filename):
            values = dataset[first:last]
        if values.dtype.kind == "u" and name in layout.HISTOGRAMS:
            scale = hdf5.attribute(dataset, "scale_factor", float)
            if not 0 < scale < math.inf:
                raise DataError(f"{self._file.filename}: scale_factor of {name} must be positive, got {scale}")
            return values * np.float32(scale)
        return values

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
