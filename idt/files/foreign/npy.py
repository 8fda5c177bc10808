"""Read matrices that ``numpy.save`` wrote; the header is checked before any data is read.

Only arrays of real numbers and booleans are read: no pickled objects, no records, no archives. The header is matched
with a pattern, never evaluated, and a shape that the file cannot hold is refused before memory is asked for.

Source: NEP 1, "A simple file format for NumPy arrays".
"""

import io
import math
import os
import re

import numpy as np

from idt.errors import DataError
from idt.files import text as texts

MAGIC = b"\x93NUMPY"
LONGEST = 1 << 16
"""Largest number of bytes of a header. `numpy.save` writes 118 for most matrices."""

_ENTRY = r"'(\w+)'\s*:\s*('[^']*'|True|False|\([\d,\s]*\))\s*"
_HEADER = re.compile(rf"\{{\s*(?:{_ENTRY}(?:,\s*|(?=\}})))*\}}\s*")
_TEXT = re.compile(r"'[<>|]?[US][1-9]\d{0,5}'")
_NUMBERS = re.compile(r"'([<>|=]?)([fiub]\d{1,2})'")


def load(path):
    """Read a matrix.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    ndarray
        Of floats, integers or booleans, of any number of dimensions up to 32.

    Raises
    ------
    DataError
        If it is no such file, or holds less than its header says.
    OSError
        If it does not exist or cannot be read.
    """
    with texts.open_regular(path) as file:
        descr, fortran, shape = _header(path, file)
        dtype = _dtype(path, descr)
        count, left = math.prod(shape), os.fstat(file.fileno()).st_size - file.tell()
        if count * dtype.itemsize > left:
            raise DataError(f"{path} claims to hold {dtype} of shape {shape}, but only {left} bytes follow")
        values = np.empty(count, dtype)
        view, done = memoryview(values.view(np.uint8)).cast("B") if count else memoryview(b""), 0  # type: ignore[arg-type]
        while done < len(view):
            read = file.readinto(view[done:])
            if not read:
                raise DataError(f"{path} became shorter while it was read")
            done += read
    return values.reshape(shape, order="F" if fortran else "C")


def parse(data, name, *, unpickle=None):
    """Read an array from bytes.

    Parameters
    ----------
    data : bytes
    name : str
        Name for messages.
    unpickle : callable, optional
        Returns the array in a pickle (bytes), for callers that read arrays of objects; without it these are refused.

    Returns
    -------
    ndarray
        As `load`, or of text; of objects with ``unpickle``.

    Raises
    ------
    DataError
        If it is no array, or holds another number of elements than its header says.
    """
    file = io.BytesIO(data)
    descr, fortran, shape = _header(name, file)
    if unpickle is not None and descr == "'|O'":
        found = unpickle(data[file.tell() :])
        if not isinstance(found, np.ndarray) or found.dtype != object or found.shape != shape:
            raise DataError(f"{name} must hold objects of shape {shape}, as its header says")
        return found
    dtype = np.dtype(descr.strip("'")) if _TEXT.fullmatch(descr) else _dtype(name, descr)
    count, left = math.prod(shape), len(data) - file.tell()
    if count * dtype.itemsize > left:
        raise DataError(f"{name} claims to hold {dtype} of shape {shape}, but only {left} bytes follow")
    values = np.frombuffer(data, dtype, count, file.tell()) if count else np.empty(0, dtype)
    if dtype.kind == "U" and not is_text(values):
        raise DataError(f"{name} holds text with invalid characters; fetch or make it anew")
    return values.reshape(shape, order="F" if fortran else "C")


def is_text(values):
    """Tell whether all elements of the 1-D text array ``values`` are valid characters, which NumPy never checks."""
    codes = values.view(values.dtype.str[0] + "u4")
    return bool(np.all((codes < 0xD800) | ((codes > 0xDFFF) & (codes <= 0x10FFFF))))


def _header(path, file):
    """Parse the three entries of the header."""
    head = file.read(8)
    if not head.startswith(MAGIC):
        what = ", but an archive of several matrices, as numpy.savez writes" if head.startswith(b"PK") else ""
        raise DataError(f"{path} is not a matrix saved by numpy.save{what}; pickled objects and archives are not read")
    width = {1: 2, 2: 4, 3: 4}.get(head[6] if len(head) == 8 else 0)
    length = int.from_bytes(file.read(width or 0), "little")
    if width is None or not 0 < length <= LONGEST:
        raise DataError(f"{path} has a header that numpy.save does not write; save it anew")
    text = file.read(length).decode("latin1")
    entries = dict(re.findall(_ENTRY, text)) if len(text) == length and _HEADER.fullmatch(text) else {}
    if entries.keys() != {"descr", "fortran_order", "shape"} or not entries["shape"].startswith("("):
        raise DataError(
            f"{path} must hold one matrix of numbers, got a header {text.strip()[:60]!r}; pickled objects are"
            " not read, nor are records"
        )
    sizes = re.findall(r"\d+", entries["shape"])
    if len(sizes) > 32 or any(len(size) > 14 for size in sizes):
        raise DataError(f"{path} claims a shape {entries['shape'][:60]}, more than any file can hold")
    return entries["descr"], entries["fortran_order"] == "True", tuple(map(int, sizes))


def _dtype(path, descr):
    match = _NUMBERS.fullmatch(descr)
    try:
        return np.dtype("".join(match.groups()))  # type: ignore[union-attr]
    except (AttributeError, TypeError):
        raise DataError(
            f"{path} must hold real numbers, got dtype {descr[:40]}; pickled objects are not read, nor are records"
        ) from None
