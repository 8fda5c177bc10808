"""The content of a score file, whatever made it, as plain values and arrays."""

import re
from dataclasses import dataclass
from typing import Any

from idt.errors import DataError
from idt.files import csv_text, json_text
from idt.files import text as texts
from idt.files.foreign import hdf5, mat5, npy, npz, torch_files
from idt.files.foreign.archives import Archive, is_archive

LARGEST = 1 << 31
"""Most bytes of a score file. All frames and crops of UCF101's test videos take 0.4 GB."""

_PICKLE = re.compile(rb"\x80[\x02-\x05]|\((?:d|l)(?:p\d+)?\n|[\]}]q|c\w[\w.]*\n")
"""First bytes of pickles: from protocol 2 on the protocol's number, before that a dict, a list or a name."""

ARRAY, ARRAYS, OBJECT, ROWS = "array", "arrays", "object", "rows"
"""Kinds of content: an array; arrays by name; values of a pickle, a torch file or JSON; rows of text."""

NPY, NPZ, MAT, HDF5, PICKLE, TORCH, JSON, CSV = "npy", "npz", "MAT", "HDF5", "pickle", "torch", "JSON", "CSV"
"""Names of containers."""


@dataclass(frozen=True)
class Content:
    """Content of a file.

    Attributes
    ----------
    path : str
    kind : str
        One of `ARRAY`, `ARRAYS`, `OBJECT` and `ROWS`.
    container : str
        One of `NPY`, `NPZ`, ….
    value : object
        As the kind says: an array, a dict of arrays, plain values, or a list of (line number, fields).
    size : int
        Bytes of the file, and of what it unpacks to.
    """

    path: str
    kind: str
    container: str
    value: Any
    size: int


def open_content(path):
    """Read a file by its content, not by its name.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    Content

    Raises
    ------
    DataError
        If it is of no known kind, is damaged, or holds objects of a type that is refused.
    OSError
        If it does not exist or cannot be read.
    """
    name = str(path)
    data = texts.read_bytes(path, most=LARGEST)
    if is_archive(data):
        archive = Archive(data, name)
        if torch_files.is_torch_archive(archive):
            return Content(name, OBJECT, TORCH, torch_files.load(data, name), len(data))
        found = npz.arrays_of(archive, name, len(data))
        return Content(name, ARRAYS, NPZ, found, len(data) + archive.unpacked)
    if hdf5.is_hdf5(data):
        found, matlab = hdf5.arrays_of(data, name)
        return Content(name, ARRAYS, MAT if matlab else HDF5, found, _size(data, found))
    if data.startswith(npy.MAGIC):
        return Content(name, ARRAY, NPY, npz.array_of(data, name), len(data))
    if mat5.is_mat5(data):
        found = mat5.variables(data, name)
        return Content(name, ARRAYS, MAT, found, _size(data, found))
    if _PICKLE.match(data):
        container = TORCH if data.startswith(torch_files.LEGACY) else PICKLE
        return Content(name, OBJECT, container, torch_files.load(data, name), len(data))
    if data[:64].lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"["):
        return Content(name, OBJECT, JSON, json_text.load(path), len(data))
    if not data:
        raise DataError(f"{name} is empty, expected scores")
    if b"\0" in data[:4096]:
        raise DataError(f"{name} is of no known kind, expected one of MAT, npz, npy, pickle, torch, HDF5, JSON or CSV")
    return Content(name, ROWS, CSV, csv_text.read_rows(path, "name,class,class, …"), len(data))


def _size(data, found):
    """Count the bytes of a file and of its arrays."""
    return len(data) + sum(array.nbytes for array in found.values())
