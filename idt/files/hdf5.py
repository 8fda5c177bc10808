"""HDF5 files of ours, read as a stranger may have made or damaged them.

Every file carries the root attributes ``format``, ``version``, ``tool``, ``params`` (JSON) and ``source`` (JSON).
`open_checked`, `attribute`, `dataset` and `read` follow no link out of the file, load no filter plug-in, unpickle
nothing, and refuse a shape that the file cannot hold. `idt.files.result_file` writes such files,
`idt.files.provenance` says whether one is up to date. Source: docs/method/files.md, section 1.
"""

import contextlib
import errno
import os
from typing import Any

import h5py
import numpy as np

from idt.errors import DataError
from idt.files import json_text, text
from idt.files.hdf5_guard import WatchedFile

SIGNATURE = b"\x89HDF\r\n\x1a\n"

FILTERS = (h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_SHUFFLE, h5py.h5z.FILTER_FLETCHER32)
"""Filters of the HDF5 library itself; any other would be loaded as a plug-in, which is code."""

EXPANSION = 1100
"""Deflate packs at most 1032 bytes into one, so a dataset larger than this times its file is a forgery ..."""

SLACK = 1 << 20
"""... but for small ones, which may be unwritten and read as fill values."""

STREAM = 1024
"""Deflate adds a little to what it cannot pack. A chunk on the disk that is larger still would unpack to far more than
a chunk holds, and HDF5 would unpack it all."""


def is_hdf5(path):
    """Tell whether the file ``path`` begins as HDF5 does.

    Raises
    ------
    DataError
        If ``path`` is a folder or a device.
    OSError
        If it does not exist or cannot be read.
    """
    with text.opened(path) as file:
        return file.read(len(SIGNATURE)) == SIGNATURE


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
    h5py.File
        To be closed by the caller; take its contents through `dataset`, `read`, `attribute` and `json_attribute`.

    Raises
    ------
    DataError
        If it is not HDF5, is damaged, or has another format or version.
    OSError
        If it does not exist or cannot be read.
    """
    versions = (versions,) if isinstance(versions, int) else tuple(versions)
    if not is_hdf5(path):
        raise DataError(f"{path} is not an HDF5 file, expected format {format}")
    file = open_watched(path)
    try:
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


def open_watched(path):
    """Open any HDF5 file for reading, through `idt.files.hdf5_guard.WatchedFile`.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    h5py.File

    Raises
    ------
    DataError
        If it is damaged.
    OSError
        If it does not exist or cannot be read.
    """
    access = h5py.h5p.create(h5py.h5p.FILE_ACCESS)
    access.set_fclose_degree(h5py.h5f.CLOSE_STRONG)
    watched = WatchedFile(path)
    try:
        # HDF5's own driver would lock the file; one under its final name is complete and never written again.
        access.set_fileobj_driver(h5py.h5fd.fileobj_driver, watched)
        with damaged(path):
            return h5py.File(h5py.h5f.open(os.fsencode(path), h5py.h5f.ACC_RDONLY, fapl=access))
    except BaseException:
        watched.close()
        raise


@contextlib.contextmanager
def damaged(path):
    """Turn what h5py raises on a damaged file, ``path``, into a `DataError`; real trouble with the disk passes."""
    try:
        yield
    except (OSError, RuntimeError, KeyError, TypeError, ValueError) as problem:
        real = isinstance(problem, OSError) and problem.errno in (errno.EIO, errno.EACCES, errno.EPERM, errno.ENOMEM)
        if real or isinstance(problem, DataError):
            raise
        reason = (str(problem.args[0] if problem.args else problem).splitlines() or [""])[0]
        raise DataError(f"{path} is damaged and cannot be read ({reason}); make it anew") from None


def attribute(item, name, kind, default=...):
    """A root or dataset attribute of a given kind.

    Parameters
    ----------
    item : h5py.File, h5py.Group or h5py.Dataset
    name : str
    kind : type
        ``str``, ``int`` or ``float``.
    default : object, optional
        What an absent attribute means; without it, an absent one is refused.

    Raises
    ------
    DataError
        If it is absent, or of another kind.
    """
    path = item.file.filename
    with damaged(path):
        value = item.attrs.get(name)
    if value is None:
        if default is ...:
            raise DataError(f"{path} has no attribute {name!r}, so it is not one of our files")
        return default
    kinds: Any = {str: str, int: np.integer, float: (np.floating, np.integer)}[kind]
    if not isinstance(value, kinds):
        raise DataError(f"{path}: attribute {name!r} must be {kind.__name__}, got {type(value).__name__}")
    return kind(value)


def json_attribute(file, name, kind=dict):
    """Read the dict, list or None that a root attribute holds as JSON.

    Parameters
    ----------
    file : h5py.File
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
    """Tell whether ``file`` holds ``name``, without following links out of it."""
    return _find(file, name) is not None


def dataset(file, name, *, shape, dtype):
    """A dataset that is what it should be, unread.

    Parameters
    ----------
    file : h5py.File
    name : str
        Path within the file, such as ``"tracks/mean"``.
    shape : tuple
        ``None`` stands for any length.
    dtype : dtype or tuple of dtype
        What is allowed; ``str`` for text.

    Returns
    -------
    h5py.Dataset

    Raises
    ------
    DataError
        If it is absent, of another shape or dtype, stored outside the file, behind a filter that is not HDF5's own,
        or larger than the file can hold.
    """
    path = file.filename
    found = _find(file, name)
    if not isinstance(found, h5py.Dataset):
        raise DataError(f"{path} has no dataset {name!r}")
    with damaged(path):
        have = found.dtype
        text = h5py.check_string_dtype(have) is not None
        allowed = dtype if isinstance(dtype, tuple) else (dtype,)
        fits = any(text if want is str else not text and have.newbyteorder("=") == np.dtype(want) for want in allowed)
        sizes = found.shape
        if not fits or sizes is None or not _has_shape(sizes, shape):
            wanted = " or ".join("text" if want is str else str(np.dtype(want)) for want in allowed)
            raise DataError(f"{path}: {name} must be {wanted} of shape {_say(shape)}, got {have} of shape {sizes}")
        plan = found.id.get_create_plist()
        filters = [plan.get_filter(i)[0] for i in range(plan.get_nfilters())]
        if found.is_virtual or found.external or any(code not in FILTERS for code in filters):
            raise DataError(f"{path}: {name} is stored outside the file or behind a foreign filter, which is not read")
        # What is not in chunks is not packed.
        limit = (EXPANSION if found.chunks else 1) * os.path.getsize(path) + SLACK
        chunk = have.itemsize * int(np.prod(found.chunks or (0,), dtype=object))
        whole = have.itemsize * int(np.prod(sizes, dtype=object))
        if max(whole, chunk) > limit or _largest_chunk(found) > chunk + chunk // 64 + STREAM:
            raise DataError(f"{path}: {name} claims to be {have} of shape {sizes}, more than the file can hold")
    return found


def read(file, name, *, shape, dtype):
    """Read the dataset ``name`` of ``file``, whose ``shape`` and ``dtype`` `dataset` checks.

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
    with damaged(file.filename):
        if h5py.check_string_dtype(found.dtype) is not None:
            return found.asstr()[...].tolist()
        values = found[...]
    return values.astype(values.dtype.newbyteorder("="), copy=False)


def _find(file, name):
    """The object of a name, through hard links only: soft and external links are never followed."""
    item = file
    with damaged(file.filename):
        for step in name.split("/"):
            if not isinstance(item, h5py.Group) or not isinstance(item.get(step, getlink=True), h5py.HardLink):
                return None
            item = item[step]
    return item


def _largest_chunk(dataset):
    """Bytes on the disk of the largest chunk; 0 where there are none."""
    largest = 0

    def look(chunk):
        nonlocal largest
        largest = max(largest, chunk.size)

    # Absent from an h5py that was built with an HDF5 before 1.12.3.
    if dataset.chunks and dataset.size and hasattr(dataset.id, "chunk_iter"):
        dataset.id.chunk_iter(look)
    return largest


def _has_shape(have, want):
    return len(have) == len(want) and all(w in (None, h) for h, w in zip(have, want, strict=True))


def _say(shape):
    sizes = ", ".join("n" if size is None else str(size) for size in shape)
    return f"({sizes},)" if len(shape) == 1 else f"({sizes})"
