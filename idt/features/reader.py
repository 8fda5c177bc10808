"""`Reader`: an open feature file whose structure is checked, read by rows and columns."""

import math
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np

from idt.checks import checked_range
from idt.errors import DataError
from idt.features.camera import Camera
from idt.features.column_codecs import PLACES
from idt.features.column_storage import ColumnStorage, extraction_params, row_shapes, stored_params
from idt.features.features import Features
from idt.features.network_blocks import NetworkBlocks, is_of_snippets
from idt.features.storage import FORMAT, VERSIONS, Storage
from idt.files import hdf5
from idt.files.provenance import made_with_of
from idt.params import layout
from idt.params.extraction import ExtractionParams

PROJECTED = "projected"
"""Name under which `Reader.read` gives all blocks of a projected file."""


@dataclass(frozen=True)
class Reader:
    """The checked datasets of an open feature file, and its metadata.

    Attributes
    ----------
    file : idt.files.hdf5.CheckedFile
    storage : ColumnStorage
    datasets : dict of str to idt.files.hdf5.dataset.StoredDataset
        By field of `storage`.
    count : int
        Rows.
    recorded : dict or None
        Parameters as the file records them.
    metadata : dict of str to object
        Fields of `Features` besides columns and camera.
    maxima : dict of str to ndarray
        Divisors of the channels of each divided network block.
    """

    file: Any
    storage: ColumnStorage
    datasets: dict[str, Any]
    count: int
    recorded: dict[str, Any] | None
    metadata: dict[str, Any]
    maxima: dict[str, Any]

    @property
    def columns(self):
        """Return the names that `read` accepts."""
        return [*self.storage.columns, *([PROJECTED] if self.storage.widths else []), *self.storage.blocks]

    def read(self, first, last, names):
        """Read a range of rows.

        Parameters
        ----------
        first, last : int
            First row, and the row after the last one.
        names : sequence of str
            Names of the columns. ``"skip"`` may be absent from the file.

        Returns
        -------
        Features

        Raises
        ------
        DataError
            If a column is absent, or the stored bytes are damaged.
        """

        def rows(field):
            return self.datasets[field][first:last]

        columns = self.columns
        missing = [name for name in names if name not in columns]
        if missing and missing != ["skip"] and self.storage.widths:
            raise DataError(
                f"{self.file.filename} has no {missing[0]}: its descriptors are projected by a codebook, for encoding"
                " with it; extract it from the video"
            )
        if missing and missing != ["skip"] and is_of_snippets(self.storage.network):
            there = ", ".join(self.storage.blocks)
            raise DataError(f"{self.file.filename} has no {missing[0]}: it holds snippets of a network, {there}")
        blocks = [name for name in self.storage.blocks if name in names]
        values: dict[str, Any] = {
            name: self.storage.decode(name, rows) for name in names if name in columns and name not in blocks
        }
        if blocks:
            made = {name: self.storage.decode_block(name, rows, self.maxima) for name in blocks}
            values["network"] = NetworkBlocks(self.storage.network or {}, made)
        features = Features(**values, **self.metadata)
        for name in names:
            if name != "skip":
                features.need(name)
        return features

    def camera(self):
        """Read the camera's motion; None if the file has none."""
        if not hdf5.has(self.file, "camera"):
            return None
        homography = hdf5.read(self.file, "camera/homography", shape=(None, 3, 3), dtype=np.float64)
        counts = {
            name: hdf5.read(self.file, f"camera/{name}", shape=(len(homography),), dtype=np.int32)
            for name in ("matches", "inliers")
        }
        first = hdf5.attribute(self.file, "first_frame", int, of="camera/homography")
        return Camera(homography=homography, first_frame=first, **counts)


@contextmanager
def open_features(path):
    """Open a feature file.

    Parameters
    ----------
    path : str or Path

    Yields
    ------
    Reader
        To be read until the block ends.

    Raises
    ------
    DataError
        If the file is not ours, damaged, of another version, or contradicts itself.
    OSError
        If it does not exist or cannot be read.
    """
    with hdf5.open_checked(path, format=FORMAT, versions=VERSIONS) as file:
        yield _checked_reader(file)


def track_count(file):
    """Return the number of tracks of an open feature ``file``, read from a dataset's header."""
    return len(hdf5.dataset(file, PLACES["frame"], shape=(None,), dtype=np.int32))


def _checked_reader(file):
    """Return the reader of an open file after checking its datasets against its parameters."""
    recorded = hdf5.json_attribute(file, "params")
    flags = {name: (recorded or {}).get(name) is True for name in ("float32", "compact")}
    try:
        stored = stored_params(recorded, Storage(**flags, network=(recorded or {}).get("network")))
    except DataError as problem:
        raise DataError(f"{file.filename}: {problem}") from None
    metadata = {
        "params": stored and ExtractionParams.from_options(**extraction_params(stored)),
        "source": hdf5.json_attribute(file, "source"),
        "made_with": made_with_of(file) or {},
        "fps": hdf5.attribute(file, "fps", float, math.nan),
        **{name: hdf5.attribute(file, name, int, None) for name in ("width", "height", "frames")},
    }
    points = (None, 2) if stored is not None or hdf5.has(file, PLACES["points"]) else None
    shapes = row_shapes(stored, points)
    if hdf5.has(file, PLACES["skip"]):
        shapes["skip"] = ()
    count = track_count(file)
    codebook = (recorded or {}).get(PROJECTED)
    storage = ColumnStorage(stored, shapes, codebook=codebook, widths=None if codebook is None else _widths(file))
    datasets = {
        name: hdf5.dataset(file, field.place, shape=(count, *field.shape), dtype=field.dtype)
        for name, field in storage.fields.items()
    }
    for name, field in storage.fields.items():
        scale = None if field.scale is None else hdf5.attribute(file, "scale_factor", float, of=field.place)
        if scale != field.scale:
            raise DataError(f"{file.filename}: scale_factor of {name} must be {field.scale}, got {scale}")
    maxima = {}
    for name in (storage.network or {}).get("divided", ()):
        found = hdf5.read(file, f"maxima/{name}", shape=storage.fields[f"network/{name}"].shape, dtype=np.float32)
        maxima[name] = checked_range(found, np.finfo(np.float32).tiny, np.inf, f"{file.filename}: maxima/{name}")
    return Reader(file, storage, datasets, count, recorded, metadata, maxima)


def _widths(file):
    """Return the number of coordinates of each block of a projected file: dict of str to int."""
    widths = hdf5.json_attribute(file, PROJECTED) or {}
    names = {*layout.DESCRIPTORS, "joint"}
    if not widths or not all(name in names and type(width) is int and width > 0 for name, width in widths.items()):
        raise DataError(f"{file.filename}: attribute {PROJECTED!r} must be the width of each block, got {widths!s:.60}")
    return widths
