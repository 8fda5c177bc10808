"""Arrays of HDF5 files that others wrote, MATLAB's of version 7.3 among them, read without libhdf5.

Numbers, truth values and text, of fixed or variable length, in one piece or in chunks that are deflated or shuffled. A
shape is held against what the file can hold before memory is asked for. MATLAB keeps its matrices turned, text as
numbers and cells as references; all three are turned back.

Source: HDF5 File Format Specification 3.0, III.E (global heaps), IV.A.2.b to l; index.py for chunks of HDF5 1.10.
"""

import math
import struct
from itertools import product

import numpy as np

from idt.errors import DataError
from idt.files.foreign.hdf5_objects import SIGNATURE, STARTS, Reader
from idt.files.hdf5.filters import inflated, unshuffled
from idt.files.hdf5.headers import attribute_of
from idt.files.hdf5.index import UNDEFINED, Unsound, layout_of, places

SPACE, TYPE, LAYOUT, FILTERS, ATTRIBUTE = 1, 3, 8, 11, 12
"""Types of messages."""

INTEGER, FLOAT, TEXT, REFERENCE, ENUMERATION, VARIABLE = 0, 1, 3, 7, 8, 9
"""Classes of datatypes."""

FLOATS = {(2, 5, 10), (4, 8, 23), (8, 11, 52)}
"""Bytes of a number, bits of its exponent and of its mantissa."""

DEFLATE, SHUFFLE, CHECKSUM = 1, 2, 3
EXPANSION, SLACK = 200, 1 << 24
"""Arrays may take so many times the bytes of the file, and so many more."""

HEAPED = 16
"""Bytes of a text of variable length in its array: its length, and its place in a heap."""


def is_hdf5(data):
    """Tell whether ``data`` (bytes) is HDF5, perhaps behind a block of another program."""
    return any(data[at : at + 8] == SIGNATURE for at in STARTS)


def arrays_of(data, name):
    """Read all arrays of up to two dimensions.

    Parameters
    ----------
    data : bytes
        For which `is_hdf5` holds.
    name : str
        What messages call the file.

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
    except (Unsound, struct.error, ValueError, IndexError, OverflowError) as problem:
        if isinstance(problem, DataError):
            raise
        raise DataError(f"{name} is no HDF5 that can be read ({problem}); make or save it anew") from None


class _Arrays:
    """The arrays of a file."""

    def __init__(self, data):
        self._file = Reader(data)
        self._left = EXPANSION * len(data) + SLACK
        self._heaps: dict[int, dict[int, bytes]] = {}

    def read(self):
        found, matlab = {}, False
        for each in self._file.objects():
            kind = _matlab_class(each.messages)
            matlab |= kind is not None
            value = self._value(each, kind, deep=True)
            if value is not None and value.ndim <= 2:
                found[each.path] = value
        return found, matlab

    def _value(self, each, kind, deep):
        """The array of an object as its program means it; None if it is not read."""
        parts = dict(each.messages)
        if not {SPACE, TYPE, LAYOUT} <= parts.keys():
            return None
        shape, item = _shape(parts[SPACE]), _Type(parts[TYPE])
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
        """The arrays that references lead to."""
        self._take(8 * values.size)
        found = np.empty(values.shape, object)
        for at in np.ndindex(values.shape):
            each = self._file.object(int(values[at]))
            found[at] = self._value(each, _matlab_class(each.messages), deep=False)
            if found[at] is None:
                raise Unsound("a cell holds what is not read")
        return found

    def _take(self, size):
        self._left -= size
        if self._left < 0:
            raise Unsound("an array claims to be larger than the file can hold")

    def _array(self, shape, item, layout, filters):
        """The elements of a dataset."""
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
            data = self._chunked(shape, item.size, layout, _filters(filters))
        else:
            raise Unsound(f"an array has a layout of version {version}, which is not read")
        if len(data) != count * item.size:
            raise Unsound("an array has another size than its shape")
        if item.kind == VARIABLE:
            return self._texts(data, count).reshape(shape)
        return np.frombuffer(data, item.dtype).reshape(shape)

    def _chunked(self, shape, size, layout, filters):
        """The bytes of an array in chunks."""
        if layout[0] == 4:
            plan = layout_of(layout)
            chunks, unit = plan.chunks, size * math.prod(plan.chunks)
            there = {
                corner: (at, length, 0) for corner, (at, length) in places(self._file.read, plan, shape, unit).items()
            }
        else:
            rank = layout[2] - 1
            (tree,) = struct.unpack_from("<Q", layout, 3)
            chunks = tuple(struct.unpack_from(f"<{rank}I", layout, 11))
            there = {}
            for key, address in self._file.leaves(tree, 1, 16 + 8 * rank) if tree != UNDEFINED else ():
                length, mask = struct.unpack_from("<II", key)
                there[struct.unpack_from(f"<{rank}Q", key, 8)] = address, length, mask
        if len(chunks) != len(shape) or not all(chunks):
            raise Unsound("chunks are of another shape than their array")
        unit = size * math.prod(chunks)
        self._take(unit)
        found = np.zeros((*shape, size), np.uint8)
        for corner in product(*(range(0, n, step) for n, step in zip(shape, chunks, strict=True))):
            if corner not in there:
                continue
            address, length, mask = there[corner]
            data = self._file.take(length, address)
            for i in reversed(range(len(filters))):
                if not mask >> i & 1:
                    data = _undone(data, filters[i], unit, size)
            if len(data) != unit:
                raise Unsound("a chunk has another size than its shape")
            part = found[tuple(slice(at, at + step) for at, step in zip(corner, chunks, strict=True))]
            part[...] = np.frombuffer(data, np.uint8).reshape(*chunks, size)[tuple(slice(n) for n in part.shape)]
        return found.tobytes()

    def _texts(self, data, count):
        """Texts of variable length."""
        found = np.empty(count, object)
        for i in range(count):
            length, address, index = struct.unpack_from("<IQI", data, HEAPED * i)
            text = b""
            if length:
                if address not in self._heaps:
                    self._heaps[address] = self._heap(address)
                text = self._heaps[address].get(index, b"")
                if len(text) < length:
                    raise Unsound("a text lies outside its heap")
                self._take(length)
            found[i] = text[:length].decode("utf-8", "replace")
        return found

    def _heap(self, address):
        """The objects of a global heap by index."""
        (size,) = struct.unpack_from("<Q", self._file.take(16, address, b"GCOL"), 8)
        if size > self._file.size:
            raise Unsound("a heap is larger than the file")
        data, at, found = self._file.take(size, address), 16, {}
        while at + 16 <= len(data):
            index, _, _, length = struct.unpack_from("<HHIQ", data, at)
            if not index:
                break
            found[index] = data[at + 16 : at + 16 + length]
            at += 16 + length + -length % 8
        return found


class _Type:
    """A datatype: its class, None if it is not read, the bytes of an element in the file, and the dtype of them."""

    def __init__(self, body):
        bits, self.size = int.from_bytes(body[1:4], "little"), struct.unpack_from("<I", body, 4)[0]
        self.kind: int | None = body[0] & 15
        self.dtype: np.dtype = np.dtype("u1")
        order = ">" if bits & 1 else "<"
        if self.kind == ENUMERATION:
            # Of h5py's truth values; the type of its numbers follows.
            inner = _Type(body[8:].ljust(24, b"\0"))
            self.kind, self.dtype = (inner.kind if inner.kind == INTEGER else None), inner.dtype
        elif self.kind == INTEGER and self.size in (1, 2, 4, 8):
            self.dtype = np.dtype(f"{order}{'i' if bits & 8 else 'u'}{self.size}")
        elif self.kind == FLOAT and (self.size, body[13], body[15]) in FLOATS:
            self.dtype = np.dtype(f"{order}f{self.size}")
        elif self.kind == TEXT and 0 < self.size < 1 << 20:
            self.dtype = np.dtype(f"S{self.size}")
        elif self.kind == REFERENCE and self.size == 8 and not bits & 15:
            self.dtype = np.dtype("<u8")
        elif self.kind == VARIABLE and bits & 15 == 1 and self.size == HEAPED:
            self.dtype = np.dtype(object)
        else:
            self.kind = None


def _shape(body):
    """The sizes of a dataspace; None if it has none."""
    version, rank = body[0], body[1]
    if version not in (1, 2) or rank > 32:
        raise Unsound("an array has no shape")
    if version == 2 and body[3] == 2:
        return None
    return struct.unpack_from(f"<{rank}Q", body.ljust(8 + 8 * rank, b"\0"), 8 if version == 1 else 4)


def _filters(body):
    """The filters of a dataset, in the order in which they were applied."""
    if body is None:
        return []
    version, count = body[:2]
    at, found = (8 if version == 1 else 2), []
    for _ in range(count):
        (code,) = struct.unpack_from("<H", body, at)
        named = version == 1 or code >= 256
        length = struct.unpack_from("<H", body, at + 2)[0] if named else 0
        _, values = struct.unpack_from("<HH", body, at + 2 + 2 * named)
        at += 6 + 2 * named + (length + -length % 8 if version == 1 else length) + 4 * values
        at += 4 * (values % 2) if version == 1 else 0
        found.append(code)
    if not {*found} <= {DEFLATE, SHUFFLE, CHECKSUM}:
        raise Unsound(f"an array is behind a filter that is not read, of {found}; save it with gzip or without")
    return found


def _undone(data, code, unit, size):
    """The bytes of a chunk before a filter was applied."""
    if code == DEFLATE:
        return inflated(data, unit)
    if code == CHECKSUM:
        return data[:-4]
    return unshuffled(data, size) if len(data) == unit else data


def _matlab_class(found):
    """What MATLAB calls the class of an object; None if it is not MATLAB's."""
    for kind, body in found:
        if kind == ATTRIBUTE:
            try:
                name, value = attribute_of(body)
            except Unsound:
                continue
            if name == "MATLAB_class":
                return value.data.rstrip(b"\0").decode("latin1")
    return None
