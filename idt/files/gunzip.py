"""Gzip that strangers wrote: unpacked as it is read, and never to far more than it holds.

Deflate packs a thousand bytes into one, so a file of some megabytes may unpack to gigabytes of nothing. Text of numbers
packs to a third or a tenth. Several packed pieces (members) one after the other are one file, as for ``gzip`` itself.
"""

import gzip
import io
import zlib

from idt.errors import DataError

MAGIC = b"\x1f\x8b"
"""How a gzipped file begins."""

EXPANSION = 200
"""Bytes that a packed one may stand for, ..."""

SLACK = 1 << 24
"""... but for so many, which any file may unpack to."""

SILENT = 1 << 20
"""Packed bytes in a row that may give nothing: Python unpacks all pieces without content before it returns."""


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
        self._name, self._packed, self._given = name, _Packed(file, name), 0
        # It reads and does nothing else.
        self._unpacked = gzip.GzipFile(fileobj=self._packed, mode="rb")  # type: ignore[call-overload]

    def readable(self):
        """Return True."""
        return True

    def readinto(self, buffer):
        """Unpack into ``buffer``; the number of bytes, 0 at the end."""
        try:
            data = self._unpacked.read1(len(buffer))
        except (EOFError, OSError, zlib.error) as problem:
            raise DataError(f"{self._name} is not a whole gzip file ({problem}); fetch or make it anew") from None
        self._packed.silent = 0
        self._given += len(data)
        if self._given > EXPANSION * self._packed.taken + SLACK:
            raise DataError(
                f"{self._name} unpacks to more than {EXPANSION} times its size, so it is no table of numbers"
            )
        buffer[: len(data)] = data
        return len(data)


class _Packed:
    """What `gzip` reads from: a file, and how many bytes were taken of it, in all and since it last gave something."""

    def __init__(self, file, name):
        self._file, self._name = file, name
        self.taken = self.silent = 0

    def read(self, size):
        """Read at most ``size`` bytes."""
        data = self._file.read(size)
        self.taken += len(data)
        self.silent += len(data)
        if self.silent > SILENT:
            raise DataError(f"{self._name} holds {SILENT >> 20} MB in a row that unpack to nothing; make it anew")
        return data
