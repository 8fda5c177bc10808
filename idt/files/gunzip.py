"""Gzip that strangers wrote: unpacked as it is read, and never to far more than it holds.

Deflate packs a thousand bytes into one, so a file of some megabytes may unpack to gigabytes of nothing. Text of numbers
packs to a third or a tenth. Several packed pieces (members) one after the other are one file, as for ``gzip`` itself.
"""

import io
import zlib

from idt.errors import DataError

MAGIC = b"\x1f\x8b"
"""How a gzipped file begins."""

EXPANSION = 200
"""Bytes that a packed one may stand for, ..."""

SLACK = 1 << 24
"""... but for so many, which any file may unpack to."""

EMPTY = 1000
"""Members without content; one follows from closing a file that nothing was written to."""

_READ = 1 << 16


class Gunzip(io.RawIOBase):
    """The content of a gzipped file, for reading.

    Parameters
    ----------
    file : binary file
        Positioned at its beginning. It is not closed.
    name : str
        What messages call it.

    Raises
    ------
    DataError
        From reading: if the file is damaged, cut short, or unpacks to more than `EXPANSION` times its size.
    """

    def __init__(self, file, name):
        super().__init__()
        self._file, self._name = file, name
        self._stream = zlib.decompressobj(31)
        self._packed = b""
        self._taken = self._given = self._in_member = self._empty = 0
        self._begun = False

    def readable(self):
        """Return True."""
        return True

    def readinto(self, buffer):
        """Unpack into ``buffer``; the number of bytes, 0 at the end."""
        while len(buffer):
            data = self._unpack(len(buffer))
            if data is None:
                return 0
            if data:
                self._given += len(data)
                self._in_member += len(data)
                if self._given > EXPANSION * self._taken + SLACK:
                    raise DataError(
                        f"{self._name} unpacks to more than {EXPANSION} times its size, so it is no table of numbers"
                    )
                buffer[: len(data)] = data
                return len(data)
        return 0

    def _unpack(self, most):
        """Unpack what comes next, perhaps nothing; None at the end."""
        if self._stream.eof:
            self._end_member()
        if not self._packed:
            self._packed = self._file.read(_READ)
            self._taken += len(self._packed)
            if not self._packed:
                if self._begun:
                    raise self._damaged("it ends in the middle")
                return None
        if not self._begun:
            # Zeros may fill the last block of a tape.
            self._packed = self._packed.lstrip(b"\0") if self._given or self._empty else self._packed
            if not self._packed:
                return b""
            self._begun = True
        try:
            data = self._stream.decompress(self._packed, most)
        except zlib.error as problem:
            raise self._damaged(str(problem)) from None
        self._packed = self._stream.unused_data if self._stream.eof else self._stream.unconsumed_tail
        return data

    def _end_member(self):
        self._empty += not self._in_member
        if self._empty > EMPTY:
            raise DataError(f"{self._name} holds more than {EMPTY} packed pieces without content; make it anew")
        self._stream, self._in_member, self._begun = zlib.decompressobj(31), 0, False

    def _damaged(self, reason):
        return DataError(f"{self._name} is not a whole gzip file ({reason}); fetch or make it anew")
