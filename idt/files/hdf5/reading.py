"""Read HDF5 files of ours, which a stranger may have made or damaged.

Every file carries the root attributes ``format``, ``version``, ``tool``, ``params`` (JSON) and ``source`` (JSON).
`open_checked`, `attribute`, `dataset` and `read` follow no link out of the file, load no filter plug-in, unpickle
nothing, read no text of variable length, and refuse a shape that the file cannot hold. libhdf5 opens no object whose
header `idt.files.hdf5.guard` has not parsed before. `idt.files.result_file` writes our files, and
`idt.files.provenance` checks whether a file is up to date. Source: docs/method/files.md, section 1.
"""

import contextlib
import errno
import os

import h5py
import numpy as np

from idt.errors import DataError
from idt.files import json_text
from idt.files.hdf5.dataset import StoredDataset
from idt.files.hdf5.guard import GuardedFile
from idt.files.hdf5.headers import CLASSES, FLOAT, INTEGER, TEXT, VARIABLE_LENGTH
from idt.files.hdf5.identify import TEXT_GROUP, is_hdf5, is_of_earlier_release

UNDAMAGED = (errno.EIO, errno.EACCES, errno.EPERM, errno.ENOMEM)
"""Errors of the operating system that say nothing about the content of a file."""


class CheckedFile(h5py.File):
    """An open `h5py.File`; its attribute ``guard`` is the `GuardedFile` that it reads from.

    Parameters
    ----------
    file_id : h5py.h5f.FileID
    guard : idt.files.hdf5.guard.GuardedFile
    """

    def __init__(self, file_id, guard):
        super().__init__(file_id)
        self.guard = guard


def open_checked(path, *, format, versions):
    """Open a file of ours for reading.

    Parameters
    ----------
    path : str or Path
    format : str
    versions : int or sequence of int
        The versions that the caller can read.

    Returns
    -------
    CheckedFile
        To be closed by the caller; take its contents through `dataset`, `read`, `attribute` and `json_attribute`.

    Raises
    ------
    DataError
        If it is not HDF5, is damaged, was written by an earlier release, or has another format or version.
    OSError
        If it does not exist or cannot be read.
    """
    versions = (versions,) if isinstance(versions, int) else tuple(versions)
    if not is_hdf5(path):
        raise DataError(f"{path} is not an HDF5 file, expected format {format}")
    file = open_guarded(path)
    try:
        if is_of_earlier_release(file.guard):
            raise DataError(
                f"{path} holds text of variable length, as an earlier release wrote it, which is not read;"
                " make it anew with this release"
            )
        found = attribute(file, "format", str)
        if found != format:
            raise DataError(f"{path} has format {found!r}, expected {format!r}")
        found = attribute(file, "version", int)
        if found not in versions:
            known = " or ".join(str(version) for version in versions)
            raise DataError(f"{path} has version {found} of {format}, expected {known}; make it anew with this release")
    except BaseException:
        file.close()
        raise
    return file


def open_guarded(path):
    """Open an HDF5 file for reading, through `idt.files.hdf5.guard.GuardedFile`.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    CheckedFile

    Raises
    ------
    DataError
        If it is damaged, or HDF5 of another kind than our files.
    OSError
        If it does not exist or cannot be read.
    """
    access = h5py.h5p.create(h5py.h5p.FILE_ACCESS)
    access.set_fclose_degree(h5py.h5f.CLOSE_STRONG)
    guard = GuardedFile(path)
    try:
        guard.root()
        # HDF5's own driver would lock the file, which is not needed: under its final name a file is never changed.
        access.set_fileobj_driver(h5py.h5fd.fileobj_driver, guard)
        with damage_as_data_error(path):
            return CheckedFile(h5py.h5f.open(os.fsencode(path), h5py.h5f.ACC_RDONLY, fapl=access), guard)
    except BaseException:
        guard.close()
        raise


@contextlib.contextmanager
def damage_as_data_error(path):
    """Turn h5py's errors on a damaged file ``path`` into `DataError`; errors of the disk pass unchanged."""
    try:
        yield
    except (OSError, RuntimeError, KeyError, TypeError, ValueError) as problem:
        if isinstance(problem, DataError) or (isinstance(problem, OSError) and problem.errno in UNDAMAGED):
            raise
        reason = (str(problem.args[0] if problem.args else problem).splitlines() or [""])[0]
        raise DataError(f"{path} is damaged and cannot be read ({reason}); make it anew") from None


def attribute(file, name, kind, default=..., *, of=""):
    """Read an attribute of a given type.

    Parameters
    ----------
    file : CheckedFile
    name : str
    kind : type
        ``str``, ``int`` or ``float``.
    default : object, optional
        Value of an absent attribute; without a default, an absent attribute is refused.
    of : str
        Name of the dataset whose attribute is read. The caller has checked with `dataset` that it exists. By default
        the root group's attribute is read.

    Raises
    ------
    DataError
        If it is absent, or of another kind.
    """
    path = file.filename
    value = file.guard.find(of).attributes.get(name)
    if value is None:
        if kind is str and not of and has(file, f"{TEXT_GROUP}/{name}"):
            return read(file, f"{TEXT_GROUP}/{name}", shape=(1,), dtype=str)[0]
        if default is ...:
            raise DataError(f"{path} has no attribute {name!r}, so it is not one of our files")
        return default
    found = _decoded(value)
    if not isinstance(found, (int, float) if kind is float else kind):
        wrong = CLASSES[value.kind] if value.kind == VARIABLE_LENGTH or value.rank else type(found).__name__
        raise DataError(f"{path}: attribute {name!r} must be {kind.__name__}, got {wrong}")
    return kind(found)


def _decoded(value):
    """Return the number or text in an `idt.files.hdf5.headers.Value`; None if it is neither or not a scalar."""
    if value.rank or len(value.data) < value.size:
        return None
    order = ">" if value.bits & 1 else "<"
    if value.kind == TEXT:
        with contextlib.suppress(UnicodeDecodeError):
            return value.data.rstrip(b"\0").decode()
    if value.kind == INTEGER and value.size <= 8:
        return int.from_bytes(value.data, "big" if value.bits & 1 else "little", signed=bool(value.bits & 8))
    if value.kind == FLOAT and value.size in (2, 4, 8):
        return float(np.frombuffer(value.data, f"{order}f{value.size}")[0])
    return None


def json_attribute(file, name, kind=dict):
    """Read a root attribute that holds a dict, a list or None as JSON.

    Parameters
    ----------
    file : CheckedFile
    name : str
    kind : type
        ``dict``, which admits null, or ``list``.

    Raises
    ------
    DataError
        If it is absent or holds something else.
    """
    stored = attribute(file, name, str)
    wanted = "object or null" if kind is dict else "list"
    value = json_text.loads(stored, f"{file.filename}: attribute {name!r}", what=f"a JSON {wanted}")
    if not (isinstance(value, kind) or (value is None and kind is dict)):
        raise DataError(f"{file.filename}: attribute {name!r} must be a JSON {wanted}, got {stored[:60]!r}")
    return value


def has(file, name):
    """Tell whether ``file`` holds ``name``; links out of the file are not followed."""
    return file.guard.find(name) is not None


def dataset(file, name, *, shape, dtype):
    """Return a dataset after checking its shape and dtype, without reading it.

    Parameters
    ----------
    file : CheckedFile
    name : str
        Path within the file, such as ``"tracks/mean"``.
    shape : tuple
        ``None`` stands for any length.
    dtype : dtype or tuple of dtype
        Allowed dtypes; ``str`` for text.

    Returns
    -------
    idt.files.hdf5.dataset.StoredDataset

    Raises
    ------
    DataError
        If it is absent, of another shape or dtype, stored outside the file or with an unsupported filter, or larger
        than the file can hold.
    """
    path = file.filename
    header = file.guard.find(name)
    if header is None or header.kind is None:
        raise DataError(f"{path} has no dataset {name!r}")
    allowed = dtype if isinstance(dtype, tuple) else (dtype,)
    wanted = " or ".join("text" if want is str else str(np.dtype(want)) for want in allowed)
    if header.kind not in (INTEGER, FLOAT, TEXT):
        kind = CLASSES.get(header.kind, "values of an unknown class")
        raise DataError(
            f"{path}: {name} must be {wanted} of shape {_shape_text(shape)}, got {kind}, which are not read"
        )
    with damage_as_data_error(path):
        found = h5py.Dataset(h5py.h5d.open(file.id, name.encode()))
        have = found.dtype
        text = header.kind == TEXT
        fits = any(text if want is str else not text and have.newbyteorder("=") == np.dtype(want) for want in allowed)
        sizes = found.shape
        if not fits or sizes is None or not _has_shape(sizes, shape):
            raise DataError(
                f"{path}: {name} must be {wanted} of shape {_shape_text(shape)}, got {have} of shape {sizes}"
            )
        return StoredDataset(file.guard, header, found, path=path, name=name)


def read(file, name, *, shape, dtype):
    """Read the dataset ``name`` of ``file`` after checking its ``shape`` and ``dtype`` (`dataset`).

    Returns
    -------
    ndarray or list of str
        In the machine's byte order; a list where the dataset is text.

    Raises
    ------
    DataError
        As `dataset`, and if the stored bytes are damaged.
    """
    found = dataset(file, name, shape=shape, dtype=dtype)
    with damage_as_data_error(file.filename):
        values = found[...]
        return np.char.decode(values, "utf-8").tolist() if values.dtype.kind == "S" else values


def _has_shape(have, want):
    return len(have) == len(want) and all(w in (None, h) for h, w in zip(have, want, strict=True))


def _shape_text(shape):
    sizes = ", ".join("n" if size is None else str(size) for size in shape)
    return f"({sizes},)" if len(shape) == 1 else f"({sizes})"
