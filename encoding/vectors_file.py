"""Vectors files: one encoded vector per video, to and from HDF5, row by row.

Format ``idt-vectors``, version 2 (docs/method/files.md, section 5): ``names`` (m,) text and ``encodings``
(m, d) float32, in chunks of some rows and columns, without gzip, which cannot compress Fisher vectors.
Root attributes besides those of all our files: ``layout``, the JSON list that says which columns belong to which
descriptor and pyramid cell; ``codebook``, the digest of the codebook; ``empty``, the JSON list of the videos without
tracks, whose vectors are zero.
"""

from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from encoding.vector_layout import check_layout
from idt.checks import float_array
from idt.errors import DataError
from idt.files import hdf5, result_file

VECTORS_FORMAT = "idt-vectors"
VECTORS_VERSION = 2

CHUNK_BYTES = 1 << 18
"""Short vectors share a chunk up to this size."""

CHUNK_ROWS, CHUNK_COLUMNS = 8, 2048
"""Shape of a chunk of longer vectors: training reads some columns of all vectors at a time."""

READ_BYTES = 1 << 26
"""Bytes that `iter_rows` reads at once by default."""


@dataclass(frozen=True)
class Vectors:
    """The content of a vectors file.

    Attributes
    ----------
    names : list of str
        Video names, all different.
    encodings : (m, d) float32
        An array from `load_vectors`; from `open_vectors` a dataset, which is read when it is sliced, such as
        ``encodings[10:20]``.
    layout : list of dict
        As from `encoding.vector_layout.check_layout`.
    codebook : str
        Digest of the codebook.
    empty : list of str
        Videos without tracks.
    params, source : dict or None
        Provenance that the file records.
    """

    names: list[str]
    encodings: Any
    layout: list[dict]
    codebook: str
    empty: list[str]
    params: dict | None = None
    source: dict | None = None


class VectorsWriter:
    """Writer of a vectors file, one vector at a time; a context manager.

    The file takes its name when the block ends without an exception; otherwise nothing is left of it. The writer keeps
    one chunk of vectors and all names in memory.

    Parameters
    ----------
    path : str or Path
    layout : list of dict
        As for `encoding.vector_layout.check_layout`; its sizes add up to the length d of a vector.
    codebook : str
        Digest of the codebook.
    params : dataclass, dict or None
        The options that the vectors depend on.
    source : dict or None
        Provenance of the vectors, with its ``"digest"``.
    overwrite : bool or collection of path
        As for `idt.files.atomic.replacing`.

    Raises
    ------
    DataError
        If ``path`` exists and may not be replaced, or `encoding.vector_layout.check_layout` refuses ``layout``.
    OSError
        If the disk is full or ``path`` cannot be written; nothing is left then.

    Examples
    --------
    >>> with VectorsWriter("vectors.h5", layout=layout, codebook=digest, params=None, source=None) as writer:
    ...     writer.append("walk/ann", vector)  # doctest: +SKIP
    """

    def __init__(self, path, *, layout, codebook, params, source, overwrite=False):
        self._layout = check_layout(layout)
        self._size = self._layout[-1]["first"] + self._layout[-1]["size"]
        self._codebook = codebook
        self._source, self._missing = source, []
        self._creation = result_file.create(
            path, format=VECTORS_FORMAT, version=VECTORS_VERSION, params=params, source=source, overwrite=overwrite
        )
        rows = max(CHUNK_ROWS, CHUNK_BYTES // (4 * self._size))
        self._buffer = np.empty((rows, self._size), np.float32)
        self._names: dict[str, bool] = {}
        self._written = 0
        self._file: Any = None

    def __enter__(self):
        self._file = self._creation.__enter__()
        chunks = (len(self._buffer), min(self._size, CHUNK_COLUMNS))
        self._dataset = result_file.growing_array(
            self._file, "encodings", shape=(self._size,), chunks=chunks, dtype="float32"
        )
        return self

    def __exit__(self, *problem):
        if problem[0] is None:
            try:
                self._finish()
            except BaseException as error:
                self._creation.__exit__(type(error), error, error.__traceback__)
                raise
        return self._creation.__exit__(*problem)

    def append(self, name, vector, *, empty=False):
        """Append the vector of a video.

        Parameters
        ----------
        name : str
            The video's name.
        vector : (d,) float32
        empty : bool
            Whether the video has no tracks; its vector must then be zero.

        Raises
        ------
        DataError
            If the name was appended before, or the vector has another length, is not finite, or is not zero though the
            video is empty.
        OSError
            If the disk is full.
        """
        if not isinstance(name, str) or not name or "\0" in name:
            raise DataError(f"a video name must be text without NUL and not empty, got {name!r:.80}")
        if name in self._names:
            raise DataError(f"{name} is encoded twice; video names must differ")
        vector = float_array(vector, (self._size,), f"the vector of {name}")
        if empty and vector.any():
            raise DataError(f"the vector of {name} must be zero, because the video has no tracks")
        self._buffer[len(self._names) - self._written] = vector
        self._names[name] = empty
        if len(self._names) - self._written == len(self._buffer):
            self._flush()

    def record_missing(self, names):
        """Record in the source that videos could not be encoded: the file is not up to date while one is missing.

        Parameters
        ----------
        names : iterable of str
        """
        self._missing = sorted(names)

    def _flush(self):
        count = len(self._names) - self._written
        self._dataset.resize(self._written + count, axis=0)
        self._dataset[self._written :] = self._buffer[:count]
        self._written += count
        self._file.check_disk()

    def _finish(self):
        if self._written < len(self._names):
            self._flush()
        result_file.write_text(self._file, "names", list(self._names))
        result_file.set_json(self._file, "layout", self._layout)
        result_file.set_attribute(self._file, "codebook", self._codebook)
        if self._missing:
            result_file.set_json(self._file, "source", {**self._source, "missing": self._missing})
        result_file.set_json(self._file, "empty", [name for name, empty in self._names.items() if empty])


@contextmanager
def open_vectors(path):
    """Open a vectors file whose vectors are read as they are needed.

    Parameters
    ----------
    path : str or Path

    Yields
    ------
    Vectors
        Its ``encodings`` can be sliced until the block ends.

    Raises
    ------
    DataError
        If the file is of another format or version, damaged, or contradicts itself. `load_vectors` and `iter_rows` also
        refuse numbers that are not finite.
    OSError
        If it does not exist or cannot be read.
    """
    with hdf5.open_checked(path, format=VECTORS_FORMAT, versions=VECTORS_VERSION) as file:
        names = hdf5.read(file, "names", shape=(None,), dtype=str)
        stored = hdf5.dataset(file, "encodings", shape=(len(names), None), dtype=np.float32)
        if len(set(names)) < len(names):
            raise DataError(f"{path} names a video twice; encode it anew")
        yield Vectors(
            names=names,
            encodings=stored,
            layout=check_layout(hdf5.json_attribute(file, "layout", list), stored.shape[1], name=f"{path}: layout"),
            codebook=hdf5.attribute(file, "codebook", str),
            empty=_read_empty(file, names),
            params=hdf5.json_attribute(file, "params"),
            source=hdf5.json_attribute(file, "source"),
        )


def load_vectors(path):
    """Read a vectors file as a whole.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    Vectors

    Raises
    ------
    DataError
        As `open_vectors`, and if a number is not finite.
    OSError
        If the file does not exist or cannot be read.
    """
    with open_vectors(path) as vectors:
        return replace(vectors, encodings=_checked_finite(path, vectors.encodings[:]))


def iter_rows(path, *, rows=None):
    """Yield the vectors of a file, some rows at a time.

    Parameters
    ----------
    path : str or Path
    rows : int, optional
        Number of rows to read at once; by default as many as 64 MB hold.

    Yields
    ------
    names : list of str
    encodings : (k, d) float32

    Raises
    ------
    DataError
        As `open_vectors`, if a number is not finite, and if ``rows`` is below 1.
    OSError
        If the file does not exist or cannot be read.
    """
    if rows is not None and rows < 1:
        raise DataError(f"rows must be at least 1, got {rows}")
    with open_vectors(path) as vectors:
        count = rows or max(1, READ_BYTES // (4 * vectors.encodings.shape[1]))
        for first in range(0, len(vectors.names), count):
            yield vectors.names[first : first + count], _checked_finite(path, vectors.encodings[first : first + count])


def _read_empty(file, names):
    """Read the names of the videos without tracks, which must be among the ``names``."""
    empty = hdf5.json_attribute(file, "empty", list)
    known = set(names)
    if not all(isinstance(name, str) and name in known for name in empty):
        raise DataError(f"{file.filename}: attribute 'empty' must list videos of the file, got {empty!r:.80}")
    return empty


def _checked_finite(path, values):
    return float_array(values, (None, None), f"{path}: encodings")
