"""Read arrays of HDF5 files of other programs, MATLAB 7.3 among them, without libhdf5.

Supported are numbers, booleans and text of fixed or variable length, contiguous or in chunks that are deflated or
shuffled. A shape that the file is too small for is refused before memory is allocated. MATLAB stores matrices
transposed, text as numbers and cells as references; all three are converted back.

Source: HDF5 File Format Specification 3.0, III.E (global heaps), IV.A.2.b to l; `idt.files.hdf5.index` for chunks of
HDF5 1.10.
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
    VARIABLE_LENGTH,
    ElementType,
    filters_of,
    matlab_class,
    shape_of,
)
from idt.files.hdf5.dataset import CHUNK_COUNT_SLACK, DEFLATE_SLACK
from idt.files.hdf5.filters import inflated, unshuffled
from idt.files.hdf5.index import UNDEFINED, UnsupportedStructure, chunk_places, layout_of

EXPANSION, SLACK = 200, 1 << 24
"""Arrays may take at most EXPANSION times the size of the file plus SLACK bytes."""

COMPACT, CONTIGUOUS, CHUNKED = 0, 1, 2
"""Classes of layouts: data in the header, in one piece, in chunks."""


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
        Arrays of numbers or text by path within the file, such as ``"stream0/logits"``. A cell of MATLAB is an array of
        objects, each of them an array. Datasets of other types are left out.
    matlab : bool
        Whether MATLAB wrote it.

    Raises
    ------
    DataError
        If it is damaged, or its arrays would take more memory than the limit.
    """
    try:
        return _Arrays(data).read()
    except (UnsupportedStructure, struct.error, ValueError, IndexError, OverflowError) as problem:
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
        for item in self._file.objects():
            class_name = matlab_class(item.messages)
            matlab |= class_name is not None
            value = self._value(item, class_name, cells=True)
            if value is not None and value.ndim <= 2:
                found[item.path] = value
        return found, matlab

    def _value(self, item, class_name, cells):
        """Return the array of an object, without MATLAB's transposition; None if its type is not supported.

        Cells are supported if ``cells`` is true.
        """
        parts = dict(item.messages)
        if not {SPACE, TYPE, LAYOUT} <= parts.keys():
            return None
        shape, element = shape_of(parts[SPACE]), ElementType(parts[TYPE])
        is_reference = element.kind == REFERENCE
        if shape is None or element.kind is None or (is_reference and not (cells and class_name == "cell")):
            return None
        values = self._array(shape, element, parts[LAYOUT], parts.get(FILTERS))
        if class_name is None:
            return values
        values = values.T
        if class_name == "char" and values.dtype.kind == "u" and values.ndim == 2:
            return np.array(["".join(map(chr, row)) for row in values.tolist()] or [""])
        if class_name == "cell" and is_reference:
            return self._cell(values)
        return values

    def _cell(self, values):
        """Return the arrays that references point to."""
        self._allow(8 * values.size)
        found = np.empty(values.shape, object)
        for at in np.ndindex(values.shape):
            item = self._file.object(int(values[at]))
            found[at] = self._value(item, matlab_class(item.messages), cells=False)
            if found[at] is None:
                raise UnsupportedStructure("a cell holds objects that are not supported")
        return found

    def _allow(self, size):
        """Count ``size`` bytes of memory, and refuse the file if its limit is reached."""
        self._left -= size
        if self._left < 0:
            raise UnsupportedStructure("an array claims to be larger than the file can hold")

    def _array(self, shape, element, layout, filters):
        """Return the elements of a dataset."""
        count = math.prod(shape)
        self._allow(count * max(element.size, element.dtype.itemsize))
        version, layout_class = layout[:2]
        if version in (3, 4) and layout_class == COMPACT:
            (size,) = struct.unpack_from("<H", layout, 2)
            data = layout[4 : 4 + size]
        elif version in (3, 4) and layout_class == CONTIGUOUS:
            address = struct.unpack_from("<Q", layout, 2)[0]
            data = bytes(count * element.size)
            if address != UNDEFINED:
                data = self._file.take(count * element.size, address)
        elif version in (3, 4) and layout_class == CHUNKED:
            data = self._chunked(shape, element.size, layout, filters_of(filters))
        else:
            raise UnsupportedStructure(f"an array has a layout of version {version}, which is not read")
        if len(data) != count * element.size:
            raise UnsupportedStructure("an array has another size than its shape")
        if element.kind == VARIABLE_LENGTH:
            return self._texts(data, count).reshape(shape)
        return np.frombuffer(data, element.dtype).reshape(shape)

    def _chunked(self, shape, size, layout, filters):
        """Return the bytes of a chunked dataset."""
        if layout[0] == 4:
            index = layout_of(layout)
            chunks, chunk_bytes = index.chunks, size * math.prod(index.chunks)
            self._check_chunks(shape, chunks)
            locations = {
                corner: (at, length, 0)
                for corner, (at, length) in chunk_places(self._file.read, index, shape, chunk_bytes).items()
            }
        else:
            rank = layout[2] - 1
            (tree,) = struct.unpack_from("<Q", layout, 3)
            chunks = tuple(struct.unpack_from(f"<{rank}I", layout, 11))
            self._check_chunks(shape, chunks)
            locations = {}
            for key, address in self._file.leaves(tree, 1, 16 + 8 * rank) if tree != UNDEFINED else ():
                length, mask = struct.unpack_from("<II", key)
                locations[struct.unpack_from(f"<{rank}Q", key, 8)] = address, length, mask
        chunk_bytes = size * math.prod(chunks)
        self._allow(chunk_bytes)
        found = np.zeros((*shape, size), np.uint8)
        for corner in product(*(range(0, n, step) for n, step in zip(shape, chunks, strict=True))):
            if corner not in locations:
                continue
            address, length, mask = locations[corner]
            if length > chunk_bytes + chunk_bytes // 64 + DEFLATE_SLACK:
                raise UnsupportedStructure("a chunk takes more bytes in the file than its content needs")
            data = self._file.take(length, address)
            for i in reversed(range(len(filters))):
                if not mask >> i & 1:
                    data = _unfiltered(data, filters[i], chunk_bytes, size)
            if len(data) != chunk_bytes:
                raise UnsupportedStructure("a chunk has another size than its shape")
            part = found[tuple(slice(at, at + step) for at, step in zip(corner, chunks, strict=True))]
            part[...] = np.frombuffer(data, np.uint8).reshape(*chunks, size)[tuple(slice(n) for n in part.shape)]
        return found.tobytes()

    def _check_chunks(self, shape, chunks):
        if len(chunks) != len(shape) or not all(chunks):
            raise UnsupportedStructure("chunks are of another shape than their array")
        count = math.prod(-(-n // step) for n, step in zip(shape, chunks, strict=True))
        if count > self._file.size // 8 + CHUNK_COUNT_SLACK:
            raise UnsupportedStructure("an array has more chunks than the file can hold")

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
                    raise UnsupportedStructure("a text lies outside its heap")
                self._allow(length)
            found[i] = text[:length].decode("utf-8", "replace")
        return found

    def _heap(self, address):
        """Return the objects of a global heap by index."""
        (size,) = struct.unpack_from("<Q", self._file.take(16, address, b"GCOL"), 8)
        if size > self._file.size:
            raise UnsupportedStructure("a heap is larger than the file")
        # Each heap counts, because overlapping heaps may be larger together than the file.
        self._allow(size)
        data, at, found = self._file.take(size, address), 16, {}
        while at + 16 <= len(data):
            index, _, _, length = struct.unpack_from("<HHIQ", data, at)
            if not index:
                break
            found[index] = data[at + 16 : at + 16 + length]
            at += 16 + length + -length % 8
        return found


def _unfiltered(data, code, chunk_bytes, size):
    """Undo a filter on the bytes of a chunk."""
    if code == DEFLATE:
        return inflated(data, chunk_bytes)
    if code == CHECKSUM:
        return data[:-4]
    return unshuffled(data, size) if len(data) == chunk_bytes else data
