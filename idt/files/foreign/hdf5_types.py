"""Parse the header of an HDF5 dataset: element type, shape, filters, and MATLAB's class.

Source: HDF5 File Format Specification 3.0, IV.A.2.b, d and l.
"""

import struct

import numpy as np

from idt.files.hdf5.headers import attribute_of
from idt.files.hdf5.index import UnsupportedStructure

SPACE, TYPE, LAYOUT, FILTERS, ATTRIBUTE = 1, 3, 8, 11, 12
"""Types of messages."""

INTEGER, FLOAT, TEXT, REFERENCE, ENUMERATION, VARIABLE_LENGTH = 0, 1, 3, 7, 8, 9
"""Classes of datatypes."""

FLOATS = {(2, 5, 10), (4, 8, 23), (8, 11, 52)}
"""Bytes of a number, bits of its exponent (byte 13 of the message) and of its mantissa (byte 15)."""

DEFLATE, SHUFFLE, CHECKSUM = 1, 2, 3
"""Identifiers of filters."""

HEAPED = 16
"""Bytes that an array holds for a text of variable length: its length, and the place of its characters in a heap."""


class ElementType:
    """Type of the elements of a dataset.

    Parameters
    ----------
    body : bytes
        Body of the datatype message.

    Attributes
    ----------
    kind : int or None
        Class of the datatype; None if it is not supported.
    size : int
        Bytes of an element in the file.
    dtype : dtype
        Of the elements.
    """

    def __init__(self, body):
        bits, self.size = int.from_bytes(body[1:4], "little"), struct.unpack_from("<I", body, 4)[0]
        self.kind: int | None = body[0] & 15
        self.dtype: np.dtype = np.dtype("u1")
        order = ">" if bits & 1 else "<"
        if self.kind == ENUMERATION:
            # h5py stores truth values as an enumeration. The type of its numbers follows in the message.
            inner = ElementType(body[8:].ljust(24, b"\0"))
            self.kind, self.dtype = (inner.kind if inner.kind == INTEGER else None), inner.dtype
        elif self.kind == INTEGER and self.size in (1, 2, 4, 8):
            self.dtype = np.dtype(f"{order}{'i' if bits & 8 else 'u'}{self.size}")
        elif self.kind == FLOAT and (self.size, body[13], body[15]) in FLOATS:
            self.dtype = np.dtype(f"{order}f{self.size}")
        elif self.kind == TEXT and 0 < self.size < 1 << 20:
            self.dtype = np.dtype(f"S{self.size}")
        elif self.kind == REFERENCE and self.size == 8 and not bits & 15:
            self.dtype = np.dtype("<u8")
        elif self.kind == VARIABLE_LENGTH and bits & 15 == 1 and self.size == HEAPED:
            self.dtype = np.dtype(object)
        else:
            self.kind = None


def shape_of(body):
    """Return the sizes in the dataspace message ``body``; None if it has none."""
    version, rank = body[0], body[1]
    if version not in (1, 2) or rank > 32:
        raise UnsupportedStructure("an array has no shape")
    if version == 2 and body[3] == 2:
        return None
    return struct.unpack_from(f"<{rank}Q", body.ljust(8 + 8 * rank, b"\0"), 8 if version == 1 else 4)


def filters_of(body):
    """Return the filters that the message ``body`` lists, in the order in which they were applied.

    If ``body`` is None, the list is empty.
    """
    if body is None:
        return []
    version, count = body[:2]
    at, found = (8 if version == 1 else 2), []
    for _ in range(count):
        (code,) = struct.unpack_from("<H", body, at)
        # Version 1 pads the name and the values to multiples of eight bytes.
        has_name = version == 1 or code >= 256
        length = struct.unpack_from("<H", body, at + 2)[0] if has_name else 0
        _, values = struct.unpack_from("<HH", body, at + 2 + 2 * has_name)
        at += 6 + 2 * has_name + (length + -length % 8 if version == 1 else length) + 4 * values
        at += 4 * (values % 2) if version == 1 else 0
        found.append(code)
    if not {*found} <= {DEFLATE, SHUFFLE, CHECKSUM}:
        raise UnsupportedStructure(f"an array has an unsupported filter, {found}; save it with gzip or without")
    return found


def matlab_class(messages):
    """Return MATLAB's class of an object with these header ``messages``; None if MATLAB did not write it."""
    for kind, body in messages:
        if kind == ATTRIBUTE:
            try:
                name, value = attribute_of(body)
            except UnsupportedStructure:
                continue
            if name == "MATLAB_class":
                return value.data.rstrip(b"\0").decode("latin1")
    return None
