"""Rows in the layout of the authors' release: text of 436 columns and binary float32 rows of 466 numbers.

Method: docs/method/extraction.md, section 9.3.

======  =========================================================================================================
text    the release's own: ten numbers about the track, then the five descriptors, separated by tabs; often gzipped
binary  the same as little-endian float32, with the 15 raw points of the track before the trajectory descriptor
======  =========================================================================================================

Both have the layout of the default parameters; they hold neither parameters nor the camera's motion. Numbers are read
as float32. Text has the release's decimals where these determine the float32, else nine significant digits: no loss.
"""

import contextlib
import io
import os
import zlib
from pathlib import Path

import numpy as np

from idt.errors import DataError
from idt.features.features import Features
from idt.features.release import text as release_text
from idt.files import atomic, text
from idt.params import layout

SIZES = layout.block_sizes()
TEXT_NUMBERS = layout.row_length(SIZES)  # numbers of a row of text
POINTS = SIZES["trajectory"] // 2  # points of a track in a binary row
BINARY_NUMBERS = TEXT_NUMBERS + 2 * POINTS  # numbers of a binary row
ROW_BYTES = 4 * BINARY_NUMBERS  # bytes of a binary row

TEXT = f"text of {TEXT_NUMBERS} columns"
BINARY = f"float32 rows of {BINARY_NUMBERS} numbers"

BLOCK = 1024
"""Rows that are read or written at once."""

INFO = {"frame": 1, "mean": 2, "std": 2, "length": 1, "scale": 1, "position": 3}
"""How many numbers of a row each column about the track takes, in the order of a row."""

_HOG = layout.block_columns(SIZES)["hog"].start
DECIMALS = np.repeat([0, 6, 7], [1, _HOG - 1, TEXT_NUMBERS - _HOG])
"""Decimals of each column in the release's text."""


def form_of(path):
    """Tell by its content which of the two forms ``path`` has. An empty file is `BINARY` if its suffix is ``.bin``.

    Returns
    -------
    str
        `TEXT` or `BINARY`. Any other binary file counts as `BINARY`, too, and is refused when it is read.

    Raises
    ------
    OSError
        If the file cannot be read.
    """
    with text.open_regular(path) as file:
        head = file.read(4096)
    if not head:
        return BINARY if Path(path).suffix == ".bin" else TEXT
    return TEXT if release_text.is_text(head) else BINARY


def read_blocks(path, *, rows=BLOCK):
    """Read a file of either form block by block.

    Parameters
    ----------
    path : str or Path
    rows : int
        Rows at once.

    Yields
    ------
    Features
        At least one, which may be empty. Without camera, size and parameters; text is without points.

    Raises
    ------
    DataError
        If a line or row is not of the form, with its number.
    OSError
        If the file cannot be read.
    """
    form = form_of(path)
    tables = release_text.read_tables(path, TEXT_NUMBERS, rows=rows) if form == TEXT else _binary_tables(path, rows)
    source, first, is_empty = {"kind": form, "name": Path(path).name}, 1, True
    for table in tables:
        yield _features(table, form, source, path, first)
        first, is_empty = first + len(table), False
    if is_empty:
        numbers = TEXT_NUMBERS if form == TEXT else BINARY_NUMBERS
        yield _features(np.empty((0, numbers), np.float32), form, source, path, 1)


def read_text(path):
    """Read tab-separated text of 436 columns, compressed or not (`idt.files.unpack`), in UTF-8 or UTF-16.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    Features
        Without points and camera.

    Raises
    ------
    DataError
        If the file is not text, or a line has another number of columns or a column is not a number: with its line.
    """
    return _read(path, TEXT)


def read_binary(path):
    """Read binary float32 rows of 466 numbers.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    Features
        With 15 points a track, without camera.

    Raises
    ------
    DataError
        If the size is not a whole number of rows, or a row holds NaN or infinity.
    """
    return _read(path, BINARY)


def write_text(features, path, *, overwrite=False):
    """Write tab-separated text of 436 columns; gzipped where ``path`` ends in ``.gz``.

    Parameters
    ----------
    features : Features
        In the release's layout; points, camera and parameters are left out.
    path : str or Path
    overwrite : bool or collection of path
        As for `idt.files.atomic.replacing`.

    Raises
    ------
    DataError
        If the layout is not that of the default parameters, or the time positions are not known yet.
    OSError
        If the file cannot be written.
    """
    _write(features, path, TEXT, overwrite)


def write_binary(features, path, *, overwrite=False):
    """Write binary float32 rows of 466 numbers.

    Parameters
    ----------
    features : Features
        In the release's layout, with points; the last of 16 points is left out, as are camera and parameters.
    path : str or Path
    overwrite : bool or collection of path
        As for `idt.files.atomic.replacing`.

    Raises
    ------
    DataError
        If the layout is not that of the default parameters, or points or time positions are absent.
    OSError
        If the file cannot be written.
    """
    _write(features, path, BINARY, overwrite)


def check_sizes(found, form):
    """Refuse descriptors that are not of the release's layout.

    Parameters
    ----------
    found : dict of str to int
        Columns of each descriptor.
    form : str
        `TEXT` or `BINARY`, for the message.

    Raises
    ------
    DataError
        If a descriptor has another number of columns than with the default parameters.
    """
    if found != SIZES:
        differ = ", ".join(f"{name} of {found[name]}" for name in SIZES if found[name] != SIZES[name])
        raise DataError(f"{form} holds the layout of the default parameters only, got {differ}; make an .h5 file")


@contextlib.contextmanager
def open_writer(path, form, *, overwrite=False):
    """Open a file of either form for writing block by block; it gets its name when it is complete.

    Parameters
    ----------
    path : str or Path
    form : str
        `TEXT` or `BINARY`.
    overwrite : bool or collection of path
        As for `idt.files.atomic.replacing`.

    Yields
    ------
    callable
        To be called with `Features`, block by block.
    """
    with atomic.replacing(path, overwrite=overwrite, unmarked=True) as part:
        compressor = zlib.compressobj(6, zlib.DEFLATED, 31) if form == TEXT and Path(path).suffix == ".gz" else None

        def put(features):
            table = _table(features, form)
            binary = form == BINARY
            data = table.astype("<f4", copy=False).tobytes() if binary else release_text.format_lines(table, DECIMALS)
            part.write(data if compressor is None else compressor.compress(data))

        yield put
        if compressor is not None:
            part.write(compressor.flush())


def _read(path, form):
    found = form_of(path)
    if found != form:
        raise DataError(f"{path} must be {form}, got {'text' if found == TEXT else 'binary data'}")
    return Features.concatenate(read_blocks(path))


def _write(features, path, form, overwrite):
    with open_writer(path, form, overwrite=overwrite) as put:
        for first in range(0, len(features) or 1, BLOCK):
            put(features[first : first + BLOCK])


def _binary_tables(path, rows):
    """Yield tables of at most ``rows`` rows, in order."""
    first = 1
    with text.open_regular(path) as raw, io.BufferedReader(raw) as file:
        size = os.fstat(raw.fileno()).st_size
        if size % ROW_BYTES:
            raise DataError(
                f"{path} is neither HDF5 nor text, and not {BINARY}: expected a multiple of {ROW_BYTES} bytes,"
                f" got {size}"
            )
        while data := file.read(rows * ROW_BYTES):
            if len(data) % ROW_BYTES:
                raise DataError(f"{path} became shorter while it was read")
            table = np.frombuffer(data, "<f4").astype(np.float32).reshape(-1, BINARY_NUMBERS)
            release_text.refuse_infinite(table, range(first, first + len(table)), f"{path}: row")
            yield table
            first += len(table)


def _features(table, form, source, path, first):
    """Make features of a table of rows."""
    columns, start = {}, 0
    points = {} if form == TEXT else {"points": 2 * POINTS}
    for name, size in {**INFO, **points, **SIZES}.items():
        columns[name] = table[:, start] if size == 1 else table[:, start : start + size]
        start += size
    with np.errstate(invalid="ignore"):
        frames = columns["frame"].astype(np.int32)
    if not np.array_equal(frames, columns["frame"]):
        row = int(np.flatnonzero(frames != columns["frame"])[0])
        raise DataError(
            f"{path}: track {first + row} must begin with the index of a frame, got {columns['frame'][row]};"
            f" is this {form}?"
        )
    columns["frame"] = frames
    if "points" in columns:
        columns["points"] = columns["points"].reshape(-1, POINTS, 2)
    return Features(**columns, source=source)


def _table(features, form):
    """Make a table of rows, (n, 436 or 466) float32, of features."""
    check_sizes({name: features.need(name).shape[1] for name in layout.DESCRIPTORS}, form)
    if np.isnan(features.need("position")).any():
        raise DataError(
            f"{form} needs time positions, which are not known before the end of a stream; keep the .h5 file"
        )
    parts = [features.to_numpy()]
    if not np.array_equal(parts[0][:, 0], features.frame):
        raise DataError(f"{form} holds frame indices up to {2**24}, got {features.frame.max()}; keep the .h5 file")
    if form == BINARY:
        start = layout.INFO_COLUMNS
        points = features.need("points")[:, :POINTS].reshape(-1, 2 * POINTS)
        parts = [parts[0][:, :start], points, parts[0][:, start:]]
    return np.concatenate(parts, axis=1)
