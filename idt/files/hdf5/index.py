"""Locate the chunks of an HDF5 dataset without libhdf5.

libhdf5 believes the counts in the tables of chunks, and walks for hours through a table that claims 2^40 chunks. Here
the shape of the dataset gives their number. The checksums of the tables are not compared, because bytes to which a
damaged table leads do not unpack.

Layout: HDF5 File Format Specification 3.0, IV.A.2.i (version 4), VII.C "Fixed Array" and VII.D "Extensible Array".
"""

import math
from itertools import product
from typing import NamedTuple

UNDEFINED = 2**64 - 1
"""Address that HDF5 writes for a structure that does not exist."""

ONE, FIXED, EXTENSIBLE = 1, 3, 4
"""Kinds of tables: a single chunk, an array of fixed length, and one that grows."""

FILTERED = 2
"""Flag of a layout whose single chunk is filtered."""

PAGE = 1024
"""Largest number of entries of a page. A longer table is divided into pages."""

SIZES = bytes([32, 4, 4, 16, 10])
"""Sizes of an extensible array as HDF5 chooses them, in the order of a layout message: bits of a count, entries in the
index block, blocks in the smallest super block, entries in the smallest block, bits of a page."""

SIZES_IN_TABLE = bytes([32, 4, 16, 4, 10])
"""The same sizes in the order of the table's header: entries of the smallest block stand before blocks."""

INDEX_ENTRIES, SMALLEST, INDEX_BLOCKS, INDEX_SUPER = 4, 16, 6, 25
"""Numbers that follow from these sizes: entries in the index block and in the smallest block, and addresses of blocks
and of super blocks in the index block."""


class UnsupportedStructure(Exception):
    """A structure that our files do not use; the message names it."""


class Layout(NamedTuple):
    """The place of a dataset's data, as its header describes it.

    Attributes
    ----------
    chunks : tuple of int
        Shape of a chunk; empty for contiguous data.
    kind : int
        Kind of the table of chunks: `ONE`, `FIXED` or `EXTENSIBLE`; 0 for contiguous data.
    address : int
        Address of the table, of the single chunk, or of contiguous data.
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
    UnsupportedStructure
        If it is not as in our files.
    """
    flags, rank, width = body[2:5]
    at = 5 + rank * width
    if flags & ~FILTERED or not 2 <= rank <= 32 or not 1 <= width <= 8 or len(body) < at + 1:
        raise UnsupportedStructure("its chunks are listed as in no file of ours")
    sizes = [int.from_bytes(body[5 + i * width : 5 + (i + 1) * width], "little") for i in range(rank)]
    kind, at, size = body[at], at + 1, None
    if kind == ONE and flags & FILTERED:
        size, at = int.from_bytes(body[at : at + 8], "little"), at + 12
        if any(body[at - 4 : at]):
            raise UnsupportedStructure("a filter is left out")
    elif kind == FIXED and body[at] == SIZES[4]:
        at += 1
    elif kind == EXTENSIBLE and body[at : at + 5] == SIZES:
        at += 5
    elif kind != ONE:
        raise UnsupportedStructure("its chunks are listed as in no file of ours")
    if not all(sizes):
        raise UnsupportedStructure("its chunks are empty")
    return Layout(tuple(sizes[:-1]), kind, int.from_bytes(body[at : at + 8].ljust(8, b"\xff"), "little"), size)


def chunk_places(read, layout, shape, chunk_bytes):
    """Find every chunk that was written.

    Parameters
    ----------
    read : callable
        ``read(size, address)`` returns ``size`` bytes of the file, or fewer at its end.
    layout : Layout
    shape : tuple of int
        Of the dataset.
    chunk_bytes : int
        Bytes of a chunk that is not filtered.

    Returns
    -------
    dict of tuple to (int, int)
        Index of the first element of each chunk → its address and its number of bytes on the disk.

    Raises
    ------
    UnsupportedStructure
        If the table is not as in our files.
    """
    steps = [range(0, size, step) for size, step in zip(shape, layout.chunks, strict=True)]
    corners = product(*steps)
    if layout.address == UNDEFINED:
        return {}
    if layout.kind == ONE:
        return {next(corners): (layout.address, chunk_bytes if layout.size is None else layout.size)}
    count = math.prod(map(len, steps))
    table = _fixed if layout.kind == FIXED else _extensible
    found = {}
    for corner, entry in zip(corners, table(read, layout.address, count), strict=True):
        if entry is None or (address := int.from_bytes(entry[:8], "little")) == UNDEFINED:
            continue
        if any(entry[-4:]) and len(entry) > 8:
            raise UnsupportedStructure("a filter is left out")
        found[corner] = address, int.from_bytes(entry[8:-4], "little") if len(entry) > 8 else chunk_bytes
    return found


def _fixed(read, address, count):
    """Return the entries of a fixed array, a list of bytes; an entry of a page that was never written is None."""
    head = _checked_block(read, address, b"FAHD", 24)
    width, bits, total, block = head[6], head[7], int.from_bytes(head[8:16], "little"), _address(head, 16)
    if not 8 <= width <= 20 or bits != SIZES[4] or total != count:
        raise UnsupportedStructure("the table of its chunks is of another shape")
    pages = -(-count // PAGE) if count > PAGE else 0
    bitmap = -(-pages // 8)
    data = _checked_block(read, block, b"FADB", 14 + bitmap)
    return _entries(read, block + 14 + bitmap, count, width, data[14:], 0)


def _extensible(read, address, count):
    """Return the entries of an extensible array, as `_fixed` does."""
    head = _checked_block(read, address, b"EAHD", 68)
    width, index = head[6], _address(head, 60)
    if not 8 <= width <= 20 or bytes(head[7:12]) != SIZES_IN_TABLE:
        raise UnsupportedStructure("the table of its chunks is of another shape")
    first = 14 + INDEX_ENTRIES * width
    data = _checked_block(read, index, b"EAIB", first + 8 * (INDEX_BLOCKS + INDEX_SUPER))
    found = [data[at : at + width] for at in range(14, first, width)]
    blocks = [_address(data, first + 8 * i) for i in range(INDEX_BLOCKS)]
    # Super block i has 2^(i // 2) blocks of equal size. The index block itself lists the blocks of the first four.
    for i in range(INDEX_SUPER + 4):
        block_count, block_size, bitmaps, page_bytes = 1 << i // 2, SMALLEST << (i + 1) // 2, b"", 0
        if len(found) >= count:
            break
        if i < 4:
            addresses, blocks = blocks[:block_count], blocks[block_count:]
        elif (place := _address(data, first + 8 * (INDEX_BLOCKS + i - 4))) == UNDEFINED:
            addresses = [UNDEFINED] * block_count
        else:
            page_bytes = -(-(block_size // PAGE) // 8) if block_size > PAGE else 0
            start = 18 + block_count * page_bytes
            block = _checked_block(read, place, b"EASB", start + 8 * block_count)
            bitmaps, addresses = block[18:start], [_address(block, start + 8 * j) for j in range(block_count)]
        for j, place in enumerate(addresses):
            if len(found) >= count:
                break
            if place == UNDEFINED:
                found += [None] * block_size
                continue
            _checked_block(read, place, b"EADB", 18)
            found += _entries(read, place + 18, block_size, width, bitmaps, j * (block_size // PAGE))
    return found[:count]


def _entries(read, address, count, width, bitmap, first):
    """Return the entries of a block. Bits of ``bitmap`` from ``first`` on tell which of its pages, if any, exist."""
    if count <= PAGE:
        data = read(count * width, address)
        if len(data) < count * width:
            raise UnsupportedStructure("the table of its chunks exceeds the file")
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


def _checked_block(read, address, signature, size):
    data = read(size, address)
    if len(data) < size or data[:4] != signature:
        raise UnsupportedStructure("the table of its chunks has a wrong signature")
    return data


def _address(data, at):
    return int.from_bytes(data[at : at + 8], "little")
