"""Find the objects of HDF5 files of other programs without libhdf5, because libhdf5 trusts what the file says.

Files of HDF5 1.0 to 1.14 are read as far as arrays need it: superblocks of version 0 to 3, object headers of version 1
and 2, groups whose names lie in symbol tables (B-trees and local heaps) or in links. Every address is visited once, so
that no circle is walked twice.

Source: HDF5 File Format Specification 3.0, II, III.A, III.B, III.D and IV.A. Left out: groups whose links lie in a
fractal heap, which `h5py` makes only of many links with ``libver="latest"``; links out of the file.
"""

import struct
from collections import deque
from typing import NamedTuple

from idt.files.hdf5.headers import SHARED, link_of, messages
from idt.files.hdf5.index import UNDEFINED, UnsupportedStructure

SIGNATURE = b"\x89HDF\r\n\x1a\n"

STARTS = (0, 512, 1024, 2048)
"""Offsets at which a superblock may lie. MATLAB puts 512 bytes of its own before it."""

MOST = 10_000
"""Largest number of objects of a file."""

SHORTEST, SLACK = 4, 100_000
"""At most n / SHORTEST + SLACK messages and tree entries are read of a file of n bytes, because each takes at least
SHORTEST bytes. Without this limit, overlapping entries could be read endlessly."""

BLOCK, NAME = 1 << 20, 1 << 12
"""Largest sizes in bytes of a block of a header, and of a name."""

LINK, CONTINUATION, SYMBOLS, LINK_INFO = 6, 16, 17, 2
"""Types of messages."""


class Object(NamedTuple):
    """An object of the file: its ``path``, and the ``messages`` (type, body) of its header."""

    path: str
    messages: list


class Reader:
    """An HDF5 file in memory.

    Parameters
    ----------
    data : bytes

    Attributes
    ----------
    size : int
        Bytes of the file.

    Raises
    ------
    UnsupportedStructure
        If it is no HDF5 file of a supported version.
    """

    def __init__(self, data):
        start = next((at for at in STARTS if data[at : at + 8] == SIGNATURE), None)
        if start is None:
            raise UnsupportedStructure("it has no superblock")
        self._data, self.size = data, len(data)
        self._left = len(data) // SHORTEST + SLACK
        version = data[start + 8]
        # Offsets in the superblock. Two bytes at `sizes` give the sizes of an address and of a length; the addresses
        # begin at `at`.
        sizes, at = (13, 24 + 4 * (version == 1)) if version < 2 else (9, 12)
        if version > 3 or data[start + sizes : start + sizes + 2] != b"\x08\x08":
            raise UnsupportedStructure(f"its superblock has version {version}, or addresses of another size")
        self._base, *_, root = struct.unpack_from("<QQQQ", data, start + at)
        if version < 2:
            # The root's entry of a symbol table follows: the offset of its name, then its address.
            root = struct.unpack_from("<Q", data, start + at + 40)[0]
        self._root = root

    def read(self, size, address):
        """Return ``size`` bytes at ``address``, or fewer at the end of the file."""
        at = self._base + address
        return self._data[at : at + size] if at < self.size else b""

    def take(self, size, address, signature=b""):
        """Return ``size`` bytes at ``address``, which begin with a ``signature``.

        Raises
        ------
        UnsupportedStructure
            If the file ends before, or the bytes begin otherwise.
        """
        found = self.read(size, address)
        if len(found) < size or not found.startswith(signature):
            raise UnsupportedStructure(f"there is no {signature.decode() or 'data'} of {size} bytes at {address}")
        return found

    def _count(self, number):
        """Add ``number`` to the count of messages and entries that were read, and refuse too many."""
        self._left -= number
        if self._left < 0:
            raise UnsupportedStructure("its structures overlap")

    def objects(self, skipped=("#refs#", "#subsystem#")):
        """Yield every object that is not a group.

        Parameters
        ----------
        skipped : collection of str
            Names of groups that are not entered; by default those in which MATLAB keeps its own data.

        Yields
        ------
        Object
        """
        pending, visited = deque([("", self._root)]), {self._root}
        while pending:
            path, address = pending.popleft()
            found = self.object(address, path)
            links = self._links(found.messages)
            if links is None:
                yield found
                continue
            for name, target in links:
                if target is not None and target not in visited and name not in skipped:
                    visited.add(target)
                    pending.append((f"{path}/{name}" if path else name, target))
            if len(visited) > MOST:
                raise UnsupportedStructure(f"it has more than {MOST} objects")

    def object(self, address, path=""):
        """Return the `Object` at ``address`` with this ``path``."""
        if self.read(4, address) == b"OHDR":
            found = [(kind, body) for kind, flags, body in messages(self.read, address) if not flags & SHARED]
        else:
            found = list(self._version_1_messages(address))
        self._count(len(found))
        return Object(path, found)

    def _version_1_messages(self, address):
        """Return type and body of each message of a version 1 header."""
        version, _, count, _, size = struct.unpack("<BBHII", self.take(12, address))
        if version != 1:
            raise UnsupportedStructure("its header is of no known version")
        blocks, seen = [(address + 16, size)], {address + 16}
        while blocks:
            place, size = blocks.pop(0)
            if size > BLOCK:
                raise UnsupportedStructure(f"its header has a block of {size:,} bytes, more than {BLOCK:,}")
            block, at = self.take(size, place), 0
            while at + 8 <= len(block) and count:
                kind, length, flags = struct.unpack_from("<HHB", block, at)
                body, at, count = block[at + 8 : at + 8 + length], at + 8 + length, count - 1
                if len(body) < length:
                    raise UnsupportedStructure("a message exceeds its header")
                if kind == CONTINUATION:
                    place, size = struct.unpack_from("<QQ", body.ljust(16, b"\0"))
                    if place in seen or len(seen) > 1000:
                        raise UnsupportedStructure("its header leads back to itself")
                    seen.add(place)
                    blocks.append((place, size))
                elif not flags & SHARED:
                    yield kind, body.ljust(24, b"\0")

    def _links(self, object_messages):
        """Return names and addresses of the members of a group; None if the object is not a group."""
        links, is_group = [], False
        for kind, body in object_messages:
            if kind == LINK:
                links.append(link_of(body))
            elif kind == LINK_INFO and struct.unpack_from("<Q", body, 2 + 8 * (body[1] & 1))[0] != UNDEFINED:
                raise UnsupportedStructure(
                    "a group keeps its links in a heap, which is not read; save the file without libver"
                )
            elif kind == SYMBOLS:
                links += self._symbols(*struct.unpack_from("<QQ", body))
            is_group |= kind in (LINK, LINK_INFO, SYMBOLS)
        return links if is_group else None

    def _symbols(self, tree, heap):
        """Return names and addresses in a symbol table."""
        size, _, place = struct.unpack_from("<QQQ", self.take(32, heap, b"HEAP"), 8)
        names = self.take(size, place) if size <= self.size else b""
        for _, leaf in self.leaves(tree, 0, 8):
            head = self.take(8, leaf, b"SNOD")
            (count,) = struct.unpack_from("<H", head, 6)
            self._count(count)
            entries = self.take(40 * count, leaf + 8)
            for at in range(0, len(entries), 40):
                offset, address = struct.unpack_from("<QQ", entries, at)
                cache_type = struct.unpack_from("<I", entries, at + 16)[0]
                end = names.find(b"\0", offset, offset + NAME)
                if end < 0:
                    raise UnsupportedStructure("a name lies outside its heap")
                # Cache type 2 is a soft link, which has no address.
                yield names[offset:end].decode("utf-8", "replace"), None if cache_type == 2 else address

    def leaves(self, address, kind, key_size):
        """List the leaves of a B-tree of version 1.

        Parameters
        ----------
        address : int
        kind : int
            0 for groups, 1 for chunks.
        key_size : int

        Returns
        -------
        list of (bytes, int)
            Key and address of each.

        Raises
        ------
        UnsupportedStructure
            If a node is damaged or visited twice.
        """
        found, pending, visited = [], deque([(address, None)]), {address}
        while pending:
            node, parent_level = pending.popleft()
            head = self.take(24, node, b"TREE")
            level, count = head[5], struct.unpack_from("<H", head, 6)[0]
            if head[4] != kind or (parent_level is not None and level != parent_level - 1):
                raise UnsupportedStructure("a tree has a wrong signature")
            self._count(count + 1)
            entries = self.take(count * (key_size + 8), node + 24)
            for at in range(0, len(entries), key_size + 8):
                key, (child,) = entries[at : at + key_size], struct.unpack_from("<Q", entries, at + key_size)
                if not level:
                    found.append((key, child))
                elif child in visited:
                    raise UnsupportedStructure("a tree leads back to itself")
                else:
                    visited.add(child)
                    pending.append((child, level))
        return found
