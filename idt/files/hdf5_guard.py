"""Reading HDF5 through a file that looks at what HDF5 is about to believe.

HDF5 checks most of its tables by checksum, but not the heaps that hold text of any length: it walks through one from
object to object by the sizes that it finds there. In a damaged or forged heap these lead nowhere, and HDF5 walks for
ever, inside one call that nothing interrupts. So every heap that is read is walked here first.

Layout of a heap: HDF5 File Format Specification 3.0, III.E "Global Heap". Left out: everything that HDF5 checks itself.
"""

import io
import os
import re
import struct

from idt.errors import DataError

SIGNATURE = re.compile(rb"GCOL\x01")
LENGTH = 5
HEADER = 16
"""Bytes before the first object, and before the data of an object."""
SMALLEST = 4096
"""HDF5 takes no smaller heap."""


class WatchedFile(io.RawIOBase):
    """A file opened for reading, for HDF5's driver of Python files.

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
        self._size = os.fstat(self._descriptor).st_size
        self._at = 0

    def readinto(self, buffer):
        """Read at the current position; refuse heaps that begin in what is read."""
        read = os.preadv(self._descriptor, [buffer], self._at)
        for found in SIGNATURE.finditer(memoryview(buffer)[:read]):
            self._check(self._at + found.start())
        # HDF5 may read the head of a heap in two pieces.
        edge = max(0, self._at - LENGTH + 1)
        for found in SIGNATURE.finditer(os.pread(self._descriptor, self._at - edge + LENGTH - 1, edge)):
            self._check(edge + found.start())
        self._at += read
        return read

    def seek(self, offset, whence=os.SEEK_SET):
        """Move the current position."""
        self._at = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence] + offset
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

    def _check(self, start):
        """Walk through a heap as HDF5 will."""
        head = os.pread(self._descriptor, HEADER, start)
        size = int.from_bytes(head[8:], "little")
        if len(head) < HEADER or not SMALLEST <= size <= self._size - start:
            # Not a heap, but numbers that look like its signature; were it one, HDF5 would refuse its size.
            return
        heap = os.pread(self._descriptor, size, start)
        at = HEADER
        while at + HEADER <= size:
            index, _, _, length = struct.unpack_from("<HHIQ", heap, at)
            # Object 0 is what is free, and its length is of all of it.
            step = HEADER + -(-length // 8) * 8 if index else length
            if not 0 < step <= size - at:
                raise DataError(f"{self._path} is damaged and cannot be read (a heap of text is broken); make it anew")
            at += step
