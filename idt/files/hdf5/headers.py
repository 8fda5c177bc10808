"""Parse object headers of an HDF5 file without libhdf5, and refuse structures that our files do not use.

libhdf5 believes many structures that carry no checksum (symbol tables, version-1 B-trees, local and global heaps), and
crashes or loops on some that are forged. `parse` reads an object header alone and refuses whatever would make libhdf5
read such a structure, before libhdf5 opens the object. libhdf5 itself verifies the checksum of every header that it
opens.

Layout of the messages: HDF5 File Format Specification 3.0, IV.A. Left out: every message that our files do not hold.
"""

import struct
from typing import NamedTuple

from idt.files.hdf5.index import UNDEFINED, Layout, UnsupportedStructure, layout_of

LARGEST = 1 << 20
"""Largest number of bytes of one block of an object header. Ours have a few thousand."""

BLOCKS = 64
"""Largest number of blocks of one object header."""

MOST = 1000
"""Largest number of attributes or links of one object."""

INTEGER, FLOAT, TEXT, VARIABLE_LENGTH = 0, 1, 3, 9
"""Classes of datatypes."""

CLASSES = {
    INTEGER: "integers", FLOAT: "floating-point numbers", 2: "times", TEXT: "text", 4: "bit fields", 5: "opaque bytes",
    6: "compounds", 7: "references", 8: "enumerations", VARIABLE_LENGTH: "values of variable length", 10: "arrays",
}  # fmt: skip
"""Names of the classes in our error messages."""

DATASPACE, LINK_INFO, DATATYPE, LINK, EXTERNAL, LAYOUT, ATTRIBUTE, CONTINUATION, ATTRIBUTE_INFO = (
    1, 2, 3, 6, 7, 8, 12, 16, 21
)  # fmt: skip
"""Types of messages."""

SINGLE = {
    DATASPACE: "dataspace", LINK_INFO: "link info", DATATYPE: "datatype", 5: "fill value", LAYOUT: "layout",
    11: "filters", ATTRIBUTE_INFO: "attributes",
}  # fmt: skip
"""Types of messages that an object has at most once, with their names in our error messages."""

OTHERS = {0, LINK, 10, ATTRIBUTE, CONTINUATION, 18, 22}
"""The other messages that are allowed; 0 is nothing, 10 group info, 18 a time, 22 a count of references."""

SHARED = 2
"""Flag of a message whose content lies in another object."""

CONTIGUOUS, CHUNKED, VIRTUAL = 1, 2, 3
"""Classes of layouts."""


class Value(NamedTuple):
    """An attribute: class, bit field and size of its datatype, rank of its dataspace, and its bytes."""

    kind: int
    bits: int
    size: int
    rank: int
    data: bytes


class Header(NamedTuple):
    """The parsed header of an object.

    Attributes
    ----------
    attributes : dict of str to Value
    links : dict of str to int or None
        Addresses of the objects in a group; None for a link that is no hard link.
    kind : int or None
        Class of a dataset's datatype; None if the object is no dataset.
    heap : int or None
        Address of the heap that holds attributes, if they do not lie in the header.
    layout : idt.files.hdf5.index.Layout or None
        Place of a dataset's data.
    """

    attributes: dict
    links: dict
    kind: int | None
    heap: int | None
    layout: Layout | None


def parse(read, address):
    """Parse the header of an object.

    Parameters
    ----------
    read : callable
        ``read(size, address)`` returns ``size`` bytes of the file, or fewer at its end.
    address : int

    Returns
    -------
    Header

    Raises
    ------
    UnsupportedStructure
        If it holds what our files do not.
    """
    header = Header({}, {}, None, None, None)
    single = set()
    for kind, flags, body in messages(read, address):
        if flags & SHARED:
            raise UnsupportedStructure("its header shares a message with another object")
        if kind in SINGLE:
            if kind in single:
                raise UnsupportedStructure(f"its header holds two messages of {SINGLE[kind]}")
            single.add(kind)
        elif kind == EXTERNAL:
            raise UnsupportedStructure("it is stored outside the file")
        elif kind not in OTHERS:
            raise UnsupportedStructure(f"its header holds a message of type {kind}")
        if kind == LINK:
            _add(header.links, "links", *link_of(body))
        elif kind == ATTRIBUTE:
            _add(header.attributes, "attributes", *attribute_of(body))
        elif kind == DATATYPE:
            header = header._replace(kind=body[0] & 15)
        elif kind == LAYOUT:
            header = header._replace(layout=_layout(body))
        elif kind == LINK_INFO and _address(body, 2 + 8 * (body[1] & 1)) != UNDEFINED:
            raise UnsupportedStructure("its links lie in a heap")
        elif kind == ATTRIBUTE_INFO and (heap := _address(body, 2 + 2 * (body[1] & 1))) != UNDEFINED:
            header = header._replace(heap=heap)
    if header.kind is not None and not {DATASPACE, LAYOUT} <= single:
        raise UnsupportedStructure("its header lacks a dataspace or a layout")
    return header if LAYOUT in single else header._replace(kind=None)


def messages(read, address):
    """Yield type, flags and body of each message of the header at ``address``, in all of its blocks.

    ``read`` is as for `parse`.

    Raises
    ------
    UnsupportedStructure
        If the header is not of version 2, or leads out of the file or back to itself.
    """
    start = read(512, address)
    if start[:5] != b"OHDR\x02":
        raise UnsupportedStructure("its header is of another version of HDF5")
    flags = start[5]
    # If the header has times (flag 32) and limits of attributes (flag 16), they precede the size of the first block.
    at = 6 + 16 * bool(flags & 32) + 4 * bool(flags & 16)
    width = 1 << (flags & 3)
    size = int.from_bytes(start[at : at + width], "little")
    at += width
    blocks = [start[at : at + size] if at + size <= len(start) else _block(read, size, address + at)]
    head = 6 if flags & 4 else 4
    seen = {address}
    for block in blocks:
        at = 0
        # If less than the head of a message is left at the end of a block, it is a gap.
        while at + head <= len(block):
            kind, length, flags = struct.unpack_from("<BHB", block, at)
            at += head
            body = block[at : at + length]
            if len(body) < length:
                raise UnsupportedStructure("a message exceeds its header")
            at += length
            if kind == CONTINUATION:
                place, size = struct.unpack_from("<QQ", body.ljust(16, b"\0"))
                if place in seen or len(seen) > BLOCKS or size < 8:
                    raise UnsupportedStructure("its header leads back to itself, or has too many blocks")
                seen.add(place)
                found = _block(read, size, place)
                if found[:4] != b"OCHK":
                    raise UnsupportedStructure("a block of its header has a wrong signature")
                blocks.append(found[4:-4])
            # A body that is too short is continued with zeros here; libhdf5 refuses it when it opens the object.
            yield kind, flags, body.ljust(24, b"\0")


def _block(read, size, address):
    if size > LARGEST:
        raise UnsupportedStructure(f"its header has a block of {size} bytes")
    found = read(size, address)
    if len(found) < size:
        raise UnsupportedStructure("its header exceeds the file")
    return found


def _add(found, what, name, value):
    """Add one of the links or attributes (``what``) of an object, or refuse the object."""
    if name in found or len(found) == MOST:
        raise UnsupportedStructure(f"it has too many {what}, or two of one name")
    found[name] = value


def _address(body, at):
    return int.from_bytes(body[at : at + 8].ljust(8, b"\0"), "little")


def link_of(body):
    """Return name and address of the link message ``body``; the address is None unless it is a hard link."""
    flags, at, soft = body[1], 2, False
    if flags & 8:
        soft, at = bool(body[at]), at + 1
    at += 8 * bool(flags & 4) + bool(flags & 16)
    width = 1 << (flags & 3)
    size = int.from_bytes(body[at : at + width], "little")
    at += width
    name = body[at : at + size]
    return _text(name), None if soft else _address(body, at + size)


def attribute_of(body):
    """Return name and `Value` of the attribute message ``body``."""
    version, shared, name_size, type_size, space_size = struct.unpack_from("<BBHHH", body)
    if version not in (1, 3) or (version == 3 and shared):
        raise UnsupportedStructure("an attribute is of another version of HDF5, or shares its type")
    # Version 1 pads every part to a multiple of eight bytes; version 3 names the encoding of the name.
    step, at = (8, 8) if version == 1 else (1, 9)
    parts = []
    for size in (name_size, type_size, space_size):
        parts.append(body[at : at + size])
        at += -(-size // step) * step
    name, kind, space = parts
    if len(kind) < 8 or len(space) < 4:
        raise UnsupportedStructure("an attribute has no type or no size")
    # 255 stands for a dataspace without elements, whose value is not read.
    rank = space[1] if space[0] == 1 or space[3] < 2 else 255
    value = Value(kind[0] & 15, int.from_bytes(kind[1:4], "little"), int.from_bytes(kind[4:8], "little"), rank, b"")
    plain = value.kind in (INTEGER, FLOAT, TEXT) or (
        value.kind == VARIABLE_LENGTH and kind[8:9] and kind[8] & 15 <= TEXT
    )
    if not plain:
        raise UnsupportedStructure(f"an attribute holds {CLASSES.get(value.kind, 'values of an unknown class')}")
    return _text(name), value._replace(data=body[at : at + value.size] if rank == 0 else b"")


def _text(name):
    return bytes(name).rstrip(b"\0").decode("utf-8", "surrogateescape")


def _layout(body):
    """Return the layout of a dataset; its `chunks` are empty if the dataset is contiguous."""
    version, layout_class = body[0], body[1]
    if layout_class == VIRTUAL:
        raise UnsupportedStructure("it is stored outside the file")
    if layout_class == CONTIGUOUS and version in (3, 4):
        return Layout((), 0, _address(body, 2), None)
    if layout_class != CHUNKED or version != 4:
        raise UnsupportedStructure("its layout is of another version of HDF5")
    return layout_of(body)
