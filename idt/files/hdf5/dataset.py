"""Read and unpack the numbers and texts of an HDF5 dataset without libhdf5.

libhdf5 does not check how many bytes a chunk unpacks to: it fills a short one with uninitialised memory. It crashes on
a chunk of less than four bytes with a Fletcher32 filter. Chunks are therefore located (`idt.files.hdf5.index`) and
inflated here, and their size is checked. Two of HDF5's filters are supported: shuffle, and deflate, whose streams end
in a checksum (RFC 1950, Adler-32).
"""

import math
from itertools import product
from typing import Any

import h5py
import numpy as np

from idt.errors import DataError
from idt.files.hdf5.filters import inflated, unshuffled
from idt.files.hdf5.index import UNDEFINED, UnsupportedStructure, chunk_places

SHUFFLE, DEFLATE = FILTERS = (h5py.h5z.FILTER_SHUFFLE, h5py.h5z.FILTER_DEFLATE)
"""The filters that are supported, in the order in which our files apply them. libhdf5 would load a filter that is not
its own as a plug-in, which is code."""

EXPANSION = 1100
"""Deflate packs at most 1032 bytes into one, so a dataset larger than this times its file is a forgery."""

SLACK = 1 << 20
"""Bytes that a dataset may have beyond that limit, because a small one may be unwritten and read as fill values."""

DEFLATE_SLACK = 1024
"""Bytes, besides a 64th of its size, by which deflate may enlarge a chunk that it cannot compress. A chunk that is
larger on the disk is refused, because it would unpack to more than a chunk holds."""

CHUNK_COUNT_SLACK = 64
"""Largest number of chunks in addition to one for each eight bytes of the file. A table of chunks takes at least eight
bytes for each, but a dataset without written chunks has no table."""


class StoredDataset:
    """A dataset of an open file, indexed like an array: ``stored[10:20]``, ``stored[...]``.

    Parameters
    ----------
    guard : idt.files.hdf5.guard.GuardedFile
        The open file.
    header : idt.files.hdf5.headers.Header
        Of the dataset.
    dataset : h5py.Dataset
    path : str or Path
        Name of the file for messages.
    name : str
        Name of the dataset for messages.

    Attributes
    ----------
    shape : tuple of int
    dtype : dtype
        In the machine's byte order.

    Raises
    ------
    DataError
        If it is stored outside the file, has a filter that is not supported, or claims more than the file can hold.
    """

    def __init__(self, guard, header, dataset, *, path, name):
        self._path, self._read, self._name, self._size = path, guard.pread, name, guard.size
        creation = dataset.id.get_create_plist()
        self._filters = [creation.get_filter(i)[0] for i in range(creation.get_nfilters())]
        if creation.get_external_count() or self._filters != [code for code in FILTERS if code in self._filters]:
            raise DataError(f"{path}: {name} is stored outside the file or with a filter that is not supported")
        self.shape, self._file_dtype = dataset.shape, dataset.dtype
        self.dtype = self._file_dtype.newbyteorder("=")
        self._fill = dataset.fillvalue
        self._layout = header.layout
        self._chunk_places: dict[tuple, tuple[int, int]] | None = None
        self._cached_rows: tuple[int, Any] = (-1, None)
        item, chunks = self._file_dtype.itemsize, self._layout.chunks
        if chunks and (len(chunks) != len(self.shape) or dataset.maxshape[1:] != self.shape[1:]):
            self._refuse("its chunks are of another shape")
        # 0 for contiguous data, which has no chunks.
        self._chunk_bytes = item * math.prod(chunks or (0,))
        count = math.prod(-(-n // step) for n, step in zip(self.shape, chunks, strict=True)) if chunks else 0
        limit = (EXPANSION if chunks else 1) * self._size + SLACK
        if max(item * math.prod(self.shape), self._chunk_bytes) > limit or count > self._size // 8 + CHUNK_COUNT_SLACK:
            self._refuse_size()

    def __len__(self):
        return self.shape[0]

    def __getitem__(self, part):
        if isinstance(part, tuple):
            if len(part) == len(self._layout.chunks) == 2 and isinstance(part[1], slice):
                return self._columns(*self._range(part[0], 0), *self._range(part[1], 1))
            return self[part[0]][(slice(None), *part[1:])]
        first, last = self._range(slice(None) if part is Ellipsis else part, 0)
        chunks = self._layout.chunks
        if not chunks:
            return self._contiguous(first, last)
        found = np.empty((last - first, *self.shape[1:]), self.dtype)
        for start in range(first - first % chunks[0], last, chunks[0]):
            low, high = max(first, start), min(last, start + chunks[0])
            found[low - first : high - first] = self._rows(start)[low - start : high - start]
        return found

    def _range(self, part, axis):
        """Return the first index and the exclusive last index of a slice along an axis."""
        first, last, step = part.indices(self.shape[axis])
        if step != 1:
            raise DataError(f"{self._name} is read in one direction and without gaps, got {part}")
        return first, max(first, last)

    def _columns(self, first, last, begin, end):
        """Return some columns of some rows of a matrix; only the chunks that hold them are unpacked."""
        height, width = self._layout.chunks
        found = np.full((last - first, end - begin), self._fill, self.dtype)
        for row in range(first - first % height, last, height):
            for column in range(begin - begin % width, end, width):
                if (row, column) in self._located():
                    low, high = max(first, row), min(last, row + height)
                    left, right = max(begin, column), min(end, column + width)
                    there = self._chunk((row, column))[low - row : high - row, left - column : right - column]
                    found[low - first : high - first, left - begin : right - begin] = there
        return found

    def _contiguous(self, first, last):
        """Return rows of a contiguous dataset."""
        row, address = math.prod(self.shape[1:]) * self._file_dtype.itemsize, self._layout.address
        if address == UNDEFINED:
            return np.full((last - first, *self.shape[1:]), self._fill, self.dtype)
        data = self._take(address + first * row, (last - first) * row)
        return self._native(np.frombuffer(data, self._file_dtype)).reshape(last - first, *self.shape[1:])

    def _rows(self, start):
        """Return the rows of the chunks that begin at row ``start``; the result is cached until the next call."""
        if self._cached_rows[0] != start:
            chunks = self._layout.chunks
            rows = np.full((chunks[0], *self.shape[1:]), self._fill, self.dtype)
            inner = (range(0, n, step) for n, step in zip(self.shape[1:], chunks[1:], strict=True))
            for corner in product((start,), *inner):
                if corner in self._located():
                    part = tuple(slice(at, at + n) for at, n in zip(corner[1:], chunks[1:], strict=True))
                    there = rows[(slice(None), *part)]
                    # Elements of a chunk beyond the edge are dropped.
                    there[...] = self._chunk(corner)[tuple(slice(n) for n in there.shape)]
            self._cached_rows = start, rows
        return self._cached_rows[1]

    def _located(self):
        """Return address and size of every chunk; refuse sizes that no chunk of this dataset has."""
        if self._chunk_places is None:
            try:
                found = chunk_places(self._read, self._layout, self.shape, self._chunk_bytes)
            except UnsupportedStructure as problem:
                self._refuse(str(problem))
            least = most = self._chunk_bytes
            if DEFLATE in self._filters:
                least, most = 1, most + most // 64 + DEFLATE_SLACK
            if not all(least <= size <= most for _, size in found.values()):
                self._refuse_size()
            self._chunk_places = found
        return self._chunk_places

    def _chunk(self, corner):
        """Return a whole chunk, unpacked."""
        data = self._take(*self._located()[corner])
        count = math.prod(self._layout.chunks)
        if DEFLATE in self._filters:
            try:
                data = inflated(data, count * self._file_dtype.itemsize)
            except UnsupportedStructure as problem:
                self._refuse(str(problem))
        if SHUFFLE in self._filters:
            data = unshuffled(data, self._file_dtype.itemsize)
        return self._native(np.frombuffer(data, self._file_dtype)).reshape(self._layout.chunks)

    def _native(self, values):
        return values.astype(self.dtype, copy=False)

    def _take(self, place, length):
        data = self._read(length, place)
        if len(data) < length:
            self._refuse("the file is cut short")
        return data

    def _refuse(self, reason):
        raise DataError(f"{self._path} is damaged and cannot be read ({self._name}: {reason}); make it anew")

    def _refuse_size(self):
        raise DataError(
            f"{self._path}: {self._name} claims to be {self._file_dtype} of shape {self.shape},"
            " more than the file can hold"
        )  # fmt: skip
