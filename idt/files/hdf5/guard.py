"""File object that validates the structures of an HDF5 file before libhdf5 reads them.

libhdf5 reads from a `GuardedFile`, which also finds objects by name: from the superblock through the object
headers (`idt.files.hdf5.headers`), so that libhdf5 opens no object whose header was not parsed here before. libhdf5 and
this class read through one descriptor, so both see the same file.

Superblock and heaps of attributes: HDF5 File Format Specification 3.0, II.A and III.G.
"""

import io
import os
import struct

from idt.errors import DataError
from idt.files.hdf5 import headers
from idt.files.hdf5.index import UNDEFINED, UnsupportedStructure

SUPERBLOCK = 48
"""Bytes of a superblock of version 2 or 3."""

HEAP = 146
"""Bytes of the head of a heap of attributes."""

CHILDREN = 64
"""Largest number of blocks of a heap of attributes that are searched for names."""


class GuardedFile(io.RawIOBase):
    """A file opened for reading through h5py's driver for Python file objects.

    Parameters
    ----------
    path : str or Path

    Raises
    ------
    OSError
        If it cannot be opened.
    """

    def __init__(self, path):
        super().__init__()
        self._path = path
        self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self.size = os.fstat(self._descriptor).st_size
        self._at = 0
        self._root: int | None = None
        self._headers: dict[int, headers.Header] = {}

    def readinto(self, buffer):
        """Read into ``buffer`` from the current position; return the number of bytes."""
        # An address beyond 2^63 would raise an exception in Python that HDF5 cannot pass on.
        read = os.preadv(self._descriptor, [buffer], self._at) if self._at < self.size else 0
        self._at += read
        return read

    def seek(self, offset, whence=os.SEEK_SET):
        """Move the current position."""
        self._at = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self.size}[whence] + offset
        return self._at

    def tell(self):
        """Return the current position."""
        return self._at

    def readable(self):
        """Return True."""
        return True

    def seekable(self):
        """Return True."""
        return True

    def close(self):
        """Close the descriptor, once."""
        if not self.closed:
            os.close(self._descriptor)
        super().close()

    def root(self):
        """Return the header of the root group.

        Returns
        -------
        idt.files.hdf5.headers.Header

        Raises
        ------
        DataError
            If the superblock or the header is not as in our files.
        """
        if self._root is None:
            self._root = self._superblock()
        return self.header(self._root, "the root group")

    def _superblock(self):
        """Return the address of the root group."""
        block = self.pread(SUPERBLOCK, 0)
        if len(block) < SUPERBLOCK:
            self._refuse("the file is cut short")
        version, *sizes = block[8:11]
        base, extension, end, root = struct.unpack_from("<QQQQ", block, 12)
        if version not in (2, 3) or sizes != [8, 8] or base or extension != UNDEFINED:
            raise DataError(f"{self._path} is HDF5 of another kind than ours (superblock of version {version})")
        if end > self.size:
            self._refuse(f"it has {self.size} bytes of {end}")
        return root

    def find(self, name):
        """Find an object by its name, following hard links only.

        Parameters
        ----------
        name : str
            Path within the file, such as ``"tracks/mean"``; ``""`` is the root group.

        Returns
        -------
        idt.files.hdf5.headers.Header or None
            None if there is none.

        Raises
        ------
        DataError
            If its header is not as in our files.
        """
        found = self.root()
        for step in name.split("/") if name else ():
            address = found.links.get(step)
            if address is None:
                return None
            found = self.header(address, name)
        return found

    def header(self, address, name):
        """Return the parsed header of the object at ``address``, called ``name`` in messages; it is cached."""
        if address not in self._headers:
            try:
                self._headers[address] = headers.parse(self.pread, address)
            except UnsupportedStructure as problem:
                self._refuse(f"{name}: {problem}")
        return self._headers[address]

    def names_in_heap(self, address, names):
        """Tell whether a heap contains the names of some attributes, by searching its bytes.

        Parameters
        ----------
        address : int
            Of the heap, from a header.
        names : iterable of str

        Returns
        -------
        bool
        """
        head = self.pread(HEAP, address)
        if len(head) < HEAP or head[:4] != b"FRHP":
            return False
        width, smallest = struct.unpack_from("<HQ", head, 110)
        bits, _, root, rows = struct.unpack_from("<HHQH", head, 128)
        blocks = [root]
        if rows:
            node = self.pread(5 + 8 + -(-bits // 8) + 8 * min(width * rows, CHILDREN), root)
            blocks = [int.from_bytes(node[at : at + 8], "little") for at in range(13 + -(-bits // 8), len(node), 8)]
        data = b"".join(
            self.pread(max(512, min(smallest, 1 << 16)) * 8, block) for block in blocks if block < self.size
        )
        return all(b"\0" + name.encode() + b"\0" in data for name in names)

    def pread(self, size, address):
        """Return ``size`` bytes at ``address``, or fewer at the end of the file."""
        return os.pread(self._descriptor, size, address) if address < self.size else b""

    def _refuse(self, reason):
        raise DataError(f"{self._path} is damaged and cannot be read ({reason}); make it anew")
