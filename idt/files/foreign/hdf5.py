"""Read arrays of HDF5 files of other programs, MATLAB 7.3 among them, without libhdf5.

Supported are numbers, booleans and text of fixed or variable length, contiguous or in chunks that are deflated or
shuffled. A shape that the file is too small for is refused before memory is allocated. MATLAB stores matrices
transposed, text as numbers and cells as references; all three are converted back.

Source: HDF5 File Format Specification 3.0, III.E (global heaps), IV.A.2.b to l; index.py for chunks of HDF5 1.10.
"""

import math
import struct
from itertools import product

import numpy as np

from idt.errors import DataError
from idt.files.foreign.hdf5_objects import SIGNATURE, STARTS, Reader
from idt.files.foreign.hdf5_types import (
    CHECKSUM,
    DEFLATE,
    FILTERS,
    HEAPED,
    LAYOUT,
    REFERENCE,
    SPACE,
    TYPE,
    VARIABLE,
    ElementType,
    filters_of,
    matlab_class,
    shape_of,
)
from idt.files.hdf5.dataset import CHUNKS, STREAM
from idt.files.hdf5.filters import inflated, unshuffled
from idt.files.hdf5.index import UNDEFINED, ForeignStructure, layout_of, places

EXPANSION, SLACK = 200, 1 << 24
"""Arrays may take at most EXPANSION times the size of the file plus SLACK bytes."""


def is_hdf5(data):
    """Tell whether ``data`` (bytes) is HDF5, perhaps after the user block of another program."""
    return any(data[at : at + 8] == SIGNATURE for at in STARTS)


def arrays_of(data, name):
    """Read all arrays of up to two dimensions.

    Parameters
    ----------
    data : bytes
        For which `is_hdf5` holds.
    name : str
        Name of the file for messages.

    Returns
    -------
    arrays : dict of str to ndarray
        By path within the file, such as ``"stream0/logits"``. Of numbers or text; of objects for a cell of MATLAB, each
        of them an array.
    matlab : bool
        Whether MATLAB wrote it.

    Raises
    ------
    DataError
        If it is damaged, or asks for more memory than it can account for. Arrays of other values are left out.
    """
    try:
        return _Arrays(data).read()
    except (ForeignStructure, struct.error, ValueError, IndexError, OverflowError) as problem:
        if isinstance(problem, DataError):
            raise
        raise DataError(f"{name} is no HDF5 that can be read ({problem}); make or save it anew") from None


class _Arrays:
    """Reader of the arrays of a file."""

    def __init__(self, data):
        self._file = Reader(data)
        self._left = EXPANSION * len(data) + SLACK
        self._heaps: dict[int, dict[int, bytes]] = {}

    def read(self):
        found, matlab = {}, False
        for each in self._file.objects():
            kind = matlab_class(each.messages)
            matlab |= kind is not None
            value = self._value(each, kind, deep=True)
            if value is not None and value.ndim <= 2:
                found[each.path] = value
        return found, matlab

    def _value(self, each, kind, deep):
        """Return the array of an object, without MATLAB's transposition; None if it cannot be read."""
        parts = dict(each.messages)
        if not {SPACE, TYPE, LAYOUT} <= parts.keys():
            return None
        shape, item = shape_of(parts[SPACE]), ElementType(parts[TYPE])
        if shape is None or item.kind is None or (item.kind == REFERENCE and not (deep and kind == "cell")):
            return None
        values = self._array(shape, item, parts[LAYOUT], parts.get(FILTERS))
        if kind is None:
            return values
        values = values.T
        if kind == "char" and values.dtype.kind == "u" and values.ndim == 2:
            return np.array(["".join(map(chr, row)) for row in values.tolist()] or [""])
        if kind == "cell" and item.kind == REFERENCE:
            return self._cell(values)
        return values

    def _cell(self, values):
        """Return the arrays that references point to."""
        self._take(8 * values.size)
        found = np.empty(values.shape, object)
        for at in np.ndindex(values.shape):
            each = self._file.object(int(values[at]))
            found[at] = self._value(each, matlab_class(each.messages), deep=False)
            if found[at] is None:
                raise ForeignStructure("a cell holds objects that are not supported")
        return found

    def _take(self, size):
        self._left -= size
        if self._left < 0:
            raise ForeignStructure("an array claims to be larger than the file can hold")

    def _array(self, shape, item, layout, filters):
        """Return the elements of a dataset."""
        count = math.prod(shape)
        self._take(count * max(item.size, item.dtype.itemsize))
        version, where = layout[:2]
        if version in (3, 4) and where == 0:
            (size,) = struct.unpack_from("<H", layout, 2)
            data = layout[4 : 4 + size]
        elif version in (3, 4) and where == 1:
            address = struct.unpack_from("<Q", layout, 2)[0]
            data = bytes(count * item.size)
            if address != UNDEFINED:
                data = self._file.take(count * item.size, address)
        elif version in (3, 4) and where == 2:
            data = self._chunked(shape, item.size, layout, filters_of(filters))
        else:
            raise ForeignStructure(f"an array has a layout of version {version}, which is not read")
        if len(data) != count * item.size:
            raise ForeignStructure("an array has another size than its shape")
        if item.kind == VARIABLE:
            return self._texts(data, count).reshape(shape)
        return np.frombuffer(data, item.dtype).reshape(shape)

    def _chunked(self, shape, size, layout, filters):
        """Return the bytes of a chunked dataset."""
        if layout[0] == 4:
            plan = layout_of(layout)
            chunks, unit = plan.chunks, size * math.prod(plan.chunks)
            self._check_chunks(shape, chunks)
            there = {
                corner: (at, length, 0) for corner, (at, length) in places(self._file.read, plan, shape, unit).items()
            }
        else:
            rank = layout[2] - 1
            (tree,) = struct.unpack_from("<Q", layout, 3)
            chunks = tuple(struct.unpack_from(f"<{rank}I", layout, 11))
            self._check_chunks(shape, chunks)
            there = {}
            for key, address in self._file.leaves(tree, 1, 16 + 8 * rank) if tree != UNDEFINED else ():
                length, mask = struct.unpack_from("<II", key)
                there[struct.unpack_from(f"<{rank}Q", key, 8)] = address, length, mask
        unit = size * math.prod(chunks)
        self._take(unit)
        found = np.zeros((*shape, size), np.uint8)
        for corner in product(*(range(0, n, step) for n, step in zip(shape, chunks, strict=True))):
            if corner not in there:
                continue
            address, length, mask = there[corner]
            if length > unit + unit // 64 + STREAM:
                raise ForeignStructure("a chunk is larger than what it holds")
            data = self._file.take(length, address)
            for i in reversed(range(len(filters))):
                if not mask >> i & 1:
                    data = _undone(data, filters[i], unit, size)
            if len(data) != unit:
                raise ForeignStructure("a chunk has another size than its shape")
            part = found[tuple(slice(at, at + step) for at, step in zip(corner, chunks, strict=True))]
            part[...] = np.frombuffer(data, np.uint8).reshape(*chunks, size)[tuple(slice(n) for n in part.shape)]
        return found.tobytes()

    def _check_chunks(self, shape, chunks):
        if len(chunks) != len(shape) or not all(chunks):
            raise ForeignStructure("chunks are of another shape than their array")
        count = math.prod(-(-n // step) for n, step in zip(shape, chunks, strict=True))
        if count > self._file.size // 8 + CHUNKS:
            raise ForeignStructure("an array has more chunks than the file can hold")

    def _texts(self, data, count):
        """Return strings of variable length."""
        found = np.empty(count, object)
        for i in range(count):
            length, address, index = struct.unpack_from("<IQI", data, HEAPED * i)
            text = b""
            if length:
                if address not in self._heaps:
                    self._heaps[address] = self._heap(address)
                text = self._heaps[address].get(index, b"")
                if len(text) < length:
                    raise ForeignStructure("a text lies outside its heap")
                self._take(length)
            found[i] = text[:length].decode("utf-8", "replace")
        return found

    def _heap(self, address):
        """Return the objects of a global heap by index."""
        (size,) = struct.unpack_from("<Q", self._file.take(16, address, b"GCOL"), 8)
        if size > self._file.size:
            raise ForeignStructure("a heap is larger than the file")
        # Heaps may lie over one another.
        self._take(size)
        data, at, found = self._file.take(size, address), 16, {}
        while at + 16 <= len(data):
            index, _, _, length = struct.unpack_from("<HHIQ", data, at)
            if not index:
                break
            found[index] = data[at + 16 : at + 16 + length]
            at += 16 + length + -length % 8
        return found


def _undone(data, code, unit, size):
    """Undo a filter on the bytes of a chunk."""
    if code == DEFLATE:
        return inflated(data, unit)
    if code == CHECKSUM:
        return data[:-4]
    return unshuffled(data, size) if len(data) == unit else data
