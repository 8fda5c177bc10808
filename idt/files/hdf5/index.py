"""Locate the chunks of an HDF5 dataset without libhdf5.

libhdf5 believes the counts in these tables, and walks for hours through one that claims 2^40 chunks. Here the shape of
the dataset says how many there are. The tables' own checksums are not compared: a chunk that a damaged table leads to
does not unpack.

Layout: HDF5 File Format Specification 3.0, IV.A.2.i (version 4), VII.C "Fixed Array" and VII.D "Extensible Array".
"""

import math
from itertools import product
from typing import NamedTuple

UNDEFINED = 2**64 - 1
"""The address of what is not there."""

ONE, FIXED, EXTENSIBLE = 1, 3, 4
"""Kinds of tables: a single chunk, an array of fixed length, and one that grows."""

FILTERED = 2
"""Flag of a layout whose single chunk is filtered."""

PAGE = 1024
"""Entries of a page; a table of more is kept in pages."""

FORM = bytes([32, 4, 4, 16, 10])
"""Sizes of an extensible array as HDF5 chooses them: bits of a count, entries in its index block, blocks in the
smallest super block, entries in the smallest block, bits of a page."""

INDEX_ENTRIES, SMALLEST, INDEX_BLOCKS, INDEX_SUPER = 4, 16, 6, 25
"""Derived sizes: entries, entries in the smallest block, blocks and super blocks of the index block."""


class ForeignStructure(Exception):
    """A structure that our files do not use; the message names it."""


class Layout(NamedTuple):
    """The chunk index of a dataset, as its header describes it.

    Attributes
    ----------
    chunks : tuple of int
        Shape of a chunk.
    kind : int
    address : int
        Of the table, or of the single chunk.
    size : int or None
        Bytes of the single chunk, if it is filtered.
    """

    chunks: tuple
    kind: int
    address: int
    size: int | None


def layout_of(body):
    """Read the layout of a dataset in chunks.

    Parameters
    ----------
    body : bytes
        A layout message of version 4 and class 2.

    Raises
    ------
    ForeignStructure
        If it is not as in our files.
    """
    flags, rank, width = body[2:5]
    at = 5 + rank * width
    if flags & ~FILTERED or not 2 <= rank <= 32 or not 1 <= width <= 8 or len(body) < at + 1:
        raise ForeignStructure("its chunks are listed as in no file of ours")
    sizes = [int.from_bytes(body[5 + i * width : 5 + (i + 1) * width], "little") for i in range(rank)]
    kind, at, size = body[at], at + 1, None
    if kind == ONE and flags & FILTERED:
        size, at = int.from_bytes(body[at : at + 8], "little"), at + 12
        if any(body[at - 4 : at]):
            raise ForeignStructure("a filter is left out")
    elif kind == FIXED and body[at] == FORM[4]:
        at += 1
    elif kind == EXTENSIBLE and body[at : at + 5] == FORM:
        at += 5
    elif kind != ONE:
        raise ForeignStructure("its chunks are listed as in no file of ours")
    if not all(sizes):
        raise ForeignStructure("its chunks are empty")
    return Layout(tuple(sizes[:-1]), kind, int.from_bytes(body[at : at + 8].ljust(8, b"\xff"), "little"), size)


def places(read, layout, shape, unit):
    """Find every chunk that was written.

    Parameters
    ----------
    read : callable
        ``read(size, address)`` returns ``size`` bytes of the file, or fewer at its end.
    layout : Layout
    shape : tuple of int
        Of the dataset.
    unit : int
        Bytes of a chunk that is not filtered.

    Returns
    -------
    dict of tuple to (int, int)
        The first element of each chunk → its address and its bytes on the disk.

    Raises
    ------
    ForeignStructure
        If the table is not as in our files.
    """
    steps = [range(0, size, step) for size, step in zip(shape, layout.chunks, strict=True)]
    corners = product(*steps)
    if layout.address == UNDEFINED:
        return {}
    if layout.kind == ONE:
        return {next(corners): (layout.address, unit if layout.size is None else layout.size)}
    count = math.prod(map(len, steps))
    table = _fixed if layout.kind == FIXED else _extensible
    found = {}
    for corner, entry in zip(corners, table(read, layout.address, count), strict=True):
        if entry is None or (address := int.from_bytes(entry[:8], "little")) == UNDEFINED:
            continue
        if any(entry[-4:]) and len(entry) > 8:
            raise ForeignStructure("a filter is left out")
        found[corner] = address, int.from_bytes(entry[8:-4], "little") if len(entry) > 8 else unit
    return found


def _fixed(read, address, count):
    """Return the entries of a fixed array: list of bytes, or None for a page that was never written."""
    head = _taken(read, address, b"FAHD", 24)
    width, bits, total, block = head[6], head[7], int.from_bytes(head[8:16], "little"), _number(head, 16)
    if not 8 <= width <= 20 or bits != FORM[4] or total != count:
        raise ForeignStructure("the table of its chunks is of another shape")
    pages = -(-count // PAGE) if count > PAGE else 0
    bitmap = -(-pages // 8)
    data = _taken(read, block, b"FADB", 14 + bitmap)
    return _entries(read, block + 14 + bitmap, count, width, data[14:], 0)


def _extensible(read, address, count):
    """Return the entries of an extensible array, as `_fixed` does."""
    head = _taken(read, address, b"EAHD", 68)
    width, index = head[6], _number(head, 60)
    if not 8 <= width <= 20 or bytes(head[7:12]) != bytes([32, 4, 16, 4, 10]):
        raise ForeignStructure("the table of its chunks is of another shape")
    first = 14 + INDEX_ENTRIES * width
    data = _taken(read, index, b"EAIB", first + 8 * (INDEX_BLOCKS + INDEX_SUPER))
    found = [data[at : at + width] for at in range(14, first, width)]
    blocks = [_number(data, first + 8 * i) for i in range(INDEX_BLOCKS)]
    for i in range(INDEX_SUPER + 4):
        each, size, bitmaps, page_bytes = 1 << i // 2, SMALLEST << (i + 1) // 2, b"", 0
        if len(found) >= count:
            break
        if i < 4:
            here, blocks = blocks[:each], blocks[each:]
        elif (place := _number(data, first + 8 * (INDEX_BLOCKS + i - 4))) == UNDEFINED:
            here = [UNDEFINED] * each
        else:
            page_bytes = -(-(size // PAGE) // 8) if size > PAGE else 0
            start = 18 + each * page_bytes
            block = _taken(read, place, b"EASB", start + 8 * each)
            bitmaps, here = block[18:start], [_number(block, start + 8 * j) for j in range(each)]
        for j, place in enumerate(here):
            if len(found) >= count:
                break
            if place == UNDEFINED:
                found += [None] * size
                continue
            _taken(read, place, b"EADB", 18)
            found += _entries(read, place + 18, size, width, bitmaps, j * (size // PAGE))
    return found[:count]


def _entries(read, address, count, width, bitmap, first):
    """Return the entries of a block, in pages if there are many; ``bitmap`` tells from bit ``first`` on which exist."""
    if count <= PAGE:
        data = read(count * width, address)
        if len(data) < count * width:
            raise ForeignStructure("the table of its chunks exceeds the file")
        return [data[at : at + width] for at in range(0, count * width, width)]
    found = []
    for i in range(-(-count // PAGE)):
        size, bit = min(PAGE, count - i * PAGE), first + i
        if bitmap[bit // 8] & 128 >> bit % 8:
            # A checksum follows the head of the block and every page.
            found += _entries(read, address + 4 + i * (PAGE * width + 4), size, width, b"", 0)
        else:
            found += [None] * size
    return found


def _taken(read, address, signature, size):
    data = read(size, address)
    if len(data) < size or data[:4] != signature:
        raise ForeignStructure("the table of its chunks has a wrong signature")
    return data


def _number(data, at):
    return int.from_bytes(data[at : at + 8], "little")
