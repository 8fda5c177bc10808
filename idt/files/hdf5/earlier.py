"""Reading HDF5 files of an earlier release, whose text has variable length.

Only for a process that may die and has limits on memory and time (`idt.batch.renew`): libhdf5 reads such text from
global heaps, which it believes. Nothing outside the file is read here either.
"""

import contextlib
import os

import h5py
import numpy as np

from idt.errors import DataError
from idt.files import json_text
from idt.files.hdf5 import kind, reading
from idt.files.hdf5.stored import EXPANSION, FILTERS, SLACK

DEPTH = 4
"""Groups on the way to a dataset at most."""

MOST = 1000
"""Datasets at most."""


@contextlib.contextmanager
def opened(path):
    """Open a file of an earlier release.

    Parameters
    ----------
    path : str or Path

    Yields
    ------
    h5py.File

    Raises
    ------
    DataError
        If it is none, or is damaged, also while the block reads from it.
    OSError
        If it does not exist or cannot be read.
    """
    if not kind.is_of_earlier_release(path):
        raise DataError(f"{path} is no file of an earlier release, so there is nothing to rewrite")
    with reading.damaged(path), h5py.File(path, locking=False) as file:
        yield file


def attributes(item):
    """Yield name and value of every attribute.

    Parameters
    ----------
    item : h5py.File or h5py.Dataset

    Yields
    ------
    name : str
    value : int, float or str

    Raises
    ------
    DataError
        If one is of another kind.
    """
    for name in sorted(item.attrs):
        value = item.attrs[name]
        if isinstance(value, np.integer | np.floating):
            value = value.item()
        if not isinstance(value, int | float | str):
            raise DataError(f"{item.file.filename}: attribute {name!r} is neither text nor a number; make it anew")
        yield name, value


def datasets(file):
    """Yield name and dataset of all that a file holds, through hard links only, sorted by name.

    Parameters
    ----------
    file : h5py.File

    Yields
    ------
    name : str
    dataset : h5py.Dataset
        Stored in the file, behind HDF5's own filters, and no larger than the file can hold.

    Raises
    ------
    DataError
        If there are too many, or one is not stored as in our files.
    """
    left, count = [("", file)], 0
    while left:
        where, group = left.pop()
        for step in sorted(group, reverse=True):
            name, count = f"{where}{step}", count + 1
            link = group.get(step, getlink=True)
            if count > MOST or name.count("/") > DEPTH or not isinstance(link, h5py.HardLink):
                raise DataError(f"{file.filename} is damaged: it holds more than our files do; make it anew")
            if isinstance(item := group[step], h5py.Group):
                left.append((f"{name}/", item))
            elif isinstance(item, h5py.Dataset):
                text = h5py.check_string_dtype(item.dtype)
                if item.dtype.kind not in "fiu" and text is None:
                    raise DataError(f"{file.filename}: {name} is neither numbers nor text; make it anew")
                _check(item, name)
                yield name, item


def _check(dataset, name):
    path, plan = dataset.file.filename, dataset.id.get_create_plist()
    filters = [plan.get_filter(i)[0] for i in range(plan.get_nfilters())]
    if dataset.is_virtual or dataset.external or not set(filters) <= set(FILTERS):
        raise DataError(f"{path}: {name} is stored outside the file or behind a foreign filter, which is not read")
    if dataset.nbytes > EXPANSION * os.path.getsize(path) + SLACK:
        raise DataError(f"{path}: {name} claims to be of shape {dataset.shape}, more than the file can hold")


def text_of(dataset):
    """Return the text of a ``dataset`` as a list; None if it holds numbers."""
    if h5py.check_string_dtype(dataset.dtype) is None:
        return None
    return dataset.asstr()[...].tolist()


def is_deflated(dataset):
    """Tell whether the chunks of a ``dataset`` are deflated."""
    plan = dataset.id.get_create_plist()
    return any(plan.get_filter(i)[0] == h5py.h5z.FILTER_DEFLATE for i in range(plan.get_nfilters()))


def copy_chunks(dataset, file, name):
    """Copy a dataset of deflated chunks as they are.

    Parameters
    ----------
    dataset : h5py.Dataset
    file : idt.files.result_file.ResultFile
    name : str
    """
    if "/" in name:
        file.require_group(name.rpartition("/")[0])
    plan = dataset.id.get_create_plist()
    made = h5py.h5d.create(file.id, name.encode(), dataset.id.get_type(), dataset.id.get_space(), dcpl=plan)
    chunks = []
    dataset.id.chunk_iter(lambda chunk: chunks.append(chunk.chunk_offset))
    for offset in chunks:
        mask, data = dataset.id.read_direct_chunk(offset)
        made.write_direct_chunk(offset, data, mask)


def stacked(file, group, text, shape):
    """Return the datasets of a group as one array.

    Parameters
    ----------
    file : h5py.File
    group : str
    text : str
        Their names in order, a JSON list.
    shape : tuple of int
        Of each.

    Returns
    -------
    ndarray
        Float64, the datasets along its first axis.
    """
    names = json_text.loads(text, f"{file.filename}: attribute 'blocks'")
    found = [file[f"{group}/{name}"] for name in names]
    if any(item.shape != shape for item in found):
        raise DataError(f"{file.filename} is damaged: its blocks are not of one shape; make it anew")
    return np.array([item[...] for item in found], np.float64).reshape(-1, *shape)
