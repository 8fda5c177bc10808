"""Write our HDF5 files, complete or not at all, with format, version and provenance as root attributes.

`create` opens a file under a temporary name; `idt.files.hdf5` reads it. Only `set_attribute`, `set_json`, `write_text`,
`write_array` and `growing_array` write its contents, so that every text has a fixed length and every number a checksum.
The header of an object has the checksum of its attributes. The zlib streams of a dataset have checksums, too, even
where they do not compress. Source: docs/method/files.md, section 1.
"""

import contextlib
import json

import h5py
import numpy as np

from idt.errors import DataError, short_repr
from idt.files import atomic, versions
from idt.files.hdf5.identify import TEXT_GROUP
from idt.files.marks import TOOL
from idt.files.provenance import as_json_values

INLINE = 1 << 15
"""Bytes of the longest text that is an attribute: HDF5 keeps attributes of 64 KB and more without a checksum."""

CHUNK = 1 << 20
"""Largest number of bytes of a chunk of numbers."""

TEXT_CHUNK = 1 << 16
"""Largest number of bytes of a chunk of text, which is read as a whole."""


class ResultFile(h5py.File):
    """An `h5py.File` that raises an error of the disk only after HDF5 has closed the file.

    If HDF5 cannot write a file, it cannot close it either. At the end of the process it then reports the error again,
    or it crashes. Therefore a failed write is hidden from HDF5, and `check_disk` or `create` raises the first failure.

    Parameters
    ----------
    part : idt.files.part_file.PartFile
    """

    def __init__(self, part):
        part.quiet = True
        self._part = part
        access = h5py.h5p.create(h5py.h5p.FILE_ACCESS)
        access.set_fclose_degree(h5py.h5f.CLOSE_STRONG)
        # The format of HDF5 1.10: all of its structures carry checksums.
        access.set_libver_bounds(h5py.h5f.LIBVER_V110, h5py.h5f.LIBVER_V110)
        access.set_fileobj_driver(h5py.h5fd.fileobj_driver, part)
        creation = h5py.h5p.create(h5py.h5p.FILE_CREATE)
        creation.set_obj_track_times(False)
        # All attributes of the root group lie in its header, none in a heap.
        creation.set_attr_phase_change(1000, 0)
        super().__init__(h5py.h5f.create(b"part", h5py.h5f.ACC_TRUNC, fcpl=creation, fapl=access))

    def check_disk(self):
        """Raise the first error of the disk, if there was one. A long run calls this after each chunk."""
        if self._part.failure is not None:
            raise self._part.failure from None

    def discard(self):
        """Close the file without writing what is in memory."""
        self._part.ignores_writes = True
        # Errors are ignored: HDF5 may read back data that a failed write has lost, and the file is removed anyway.
        with contextlib.suppress(Exception):
            self.close()


@contextlib.contextmanager
def create(path, *, format, version, params, source, overwrite=False, made_with=None):
    """Write a file of ours, complete or not at all.

    Parameters
    ----------
    path : str or Path
    format : str
        Such as ``"idt-features"``.
    version : int
    params : dataclass, dict or None
        The options that the numbers depend on.
    source : dict or None
        Source of the numbers: its ``"digest"``, other entries that the numbers depend on, and the entries
        `idt.files.provenance.DESCRIPTIVE`, on which they do not depend.
    overwrite : bool or collection of path
        As for `idt.files.atomic.replacing`.
    made_with : dict, optional
        Versions of the software that computed the numbers, for numbers that are copied from another file. By default
        the versions of this run (`idt.files.versions`).

    Yields
    ------
    ResultFile
        An open `h5py.File` with its root attributes; it takes the name ``path`` when the block ends without an
        exception.

    Raises
    ------
    DataError
        If ``path`` exists and may not be replaced.
    OSError
        If the disk is full or ``path`` cannot be written, in one line; nothing is left then.
    """
    with atomic.replacing(path, overwrite=overwrite) as part:
        file = ResultFile(part)
        try:
            set_attribute(file, "format", format)
            set_attribute(file, "version", version)
            set_attribute(file, "tool", TOOL)
            set_json(file, "params", params)
            set_json(file, "source", source)
            set_json(file, "made_with", versions.made_with(format, params, source) if made_with is None else made_with)
            yield file
            file.close()
            file.check_disk()
        except BaseException:
            file.discard()
            file.check_disk()
            raise


def set_attribute(item, name, value):
    """Set an attribute, replacing one of the same name.

    Parameters
    ----------
    item : ResultFile or h5py.Dataset
    name : str
    value : int, float or str
        A text that is longer than `INLINE` becomes the dataset ``text/NAME`` of the file.

    Raises
    ------
    DataError
        If it is text that UTF-8 cannot write, or holds NUL.
    """
    if name in item.attrs:
        del item.attrs[name]
    if isinstance(item, h5py.Group) and f"{TEXT_GROUP}/{name}" in item:
        del item[f"{TEXT_GROUP}/{name}"]
    if not isinstance(value, str):
        item.attrs.create(name, value, dtype="<f8" if isinstance(value, float) else "<i8")
        return
    data = _encoded(value, name)
    if len(data) > INLINE:
        write_text(item, f"{TEXT_GROUP}/{name}", [value])
        return
    item.attrs.create(name, np.bytes_(data), dtype=h5py.string_dtype("utf-8", max(1, len(data))))


def set_json(file, name, values):
    """Write ``values``, a dataclass, dict, list or None, as JSON into the root attribute ``name`` of ``file``."""
    set_attribute(file, name, json.dumps(as_json_values(values), sort_keys=not isinstance(values, list)))


def write_text(file, name, texts):
    """Write a dataset of fixed-length text.

    Parameters
    ----------
    file : ResultFile
    name : str
    texts : sequence of str

    Raises
    ------
    DataError
        If one is text that UTF-8 cannot write, or holds NUL.
    """
    data = [_encoded(text, name) for text in texts]
    size = max(1, *map(len, data)) if data else 1
    chunks = {"chunks": (min(len(data), max(1, TEXT_CHUNK // size)),), **_PACKED} if data else {}
    kind = h5py.string_dtype("utf-8", size)
    _with_groups(file, name).create_dataset(name, shape=(len(data),), dtype=kind, data=np.array(data, kind), **chunks)


def write_array(file, name, values, *, packed=False):
    """Write a dataset of numbers.

    Parameters
    ----------
    file : ResultFile
    name : str
    values : ndarray
        Little-endian in the file, on any machine.
    packed : bool
        Shuffle and deflate it.
    """
    values = np.asarray(values)
    values = values.astype(values.dtype.newbyteorder("<"), copy=False)
    chunks = {"chunks": _chunks(values), **(_PACKED if packed else _STORED)} if values.size else {}
    _with_groups(file, name).create_dataset(name, data=values, **chunks)


def growing_array(file, name, *, shape, chunks, dtype, packed=False):
    """Make an empty dataset of numbers that can grow along its first axis.

    Parameters
    ----------
    file : ResultFile
    name : str
    shape : tuple of int
        Of one row, that is without the first axis.
    chunks : tuple of int
        Rows of a chunk, then its size along the axes of ``shape``.
    dtype : dtype
    packed : bool
        Shuffle and deflate it.

    Returns
    -------
    h5py.Dataset
    """
    return _with_groups(file, name).create_dataset(
        name,
        shape=(0, *shape),
        maxshape=(None, *shape),
        chunks=chunks,
        dtype=np.dtype(dtype).newbyteorder("<"),
        **(_PACKED if packed else _STORED),
    )


# Level 0 does not compress; the zlib stream is there for its checksum.
_STORED = {"compression": "gzip", "compression_opts": 0}
_PACKED = {"shuffle": True, "compression": "gzip", "compression_opts": 1}


def _with_groups(file, name):
    """Make the groups on the path to the dataset ``name`` of a file, and return the file."""
    if "/" in name:
        file.require_group(name.rpartition("/")[0])
    return file


def _chunks(values):
    """Return the shape of a chunk: the whole array, or equal parts of at most `CHUNK` bytes."""
    shape = list(values.shape)
    for axis in range(len(shape)):
        row_bytes = int(np.prod(shape[axis + 1 :])) * values.itemsize
        if shape[axis] * row_bytes > CHUNK:
            parts = -(-shape[axis] // max(1, CHUNK // row_bytes))
            shape[axis] = -(-shape[axis] // parts)
    return tuple(shape)


def _encoded(text, name):
    """Return the bytes of a ``text`` for ``name``."""
    if "\0" in text:
        raise DataError(f"{name} must be text without NUL, got {short_repr(text)}")
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise DataError(f"{name} must be text that UTF-8 can write, got {short_repr(text)}") from None
