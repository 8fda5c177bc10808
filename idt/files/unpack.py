"""Decompress gzip, bzip2 and xz of strangers while reading, with a limit on the size of the content.

All three can compress a thousand bytes into one, so a file of some megabytes may expand to gigabytes. Text of numbers
shrinks to a third or a tenth. Several streams one after the other form one file, as for ``gzip``, ``bzip2`` and ``xz``
themselves; zeros may follow a stream.
"""

import io
import zlib
from typing import Any

from idt.errors import DataError

MAGIC = {"gzip": b"\x1f\x8b", "bzip2": b"BZh", "xz": b"\xfd7zXZ\0"}
"""How a packed file begins, by its form."""

EXPANSION = 200
"""Most bytes that each byte of a packed file may unpack to, on average over the file."""

SLACK = 1 << 24
"""Bytes that a file may unpack to beyond that limit, so that a small file is never refused."""

EMPTY = 1000
"""Largest number of streams without content; closing a file without writing to it leaves one."""

MEMORY = 1 << 27
"""Bytes that unpacking xz may take: twice what ``xz -9`` asks for. The others take less than 8 MB."""

_READ = 1 << 16


def compression_of(head):
    """Return the compression of a file by ``head``, its first bytes: a key of `MAGIC`, or None."""
    return next((form for form, magic in MAGIC.items() if head.startswith(magic)), None)


def unpacked(file, name):
    """Open a compressed file for reading its content.

    Parameters
    ----------
    file : io.RawIOBase
        Packed or not, positioned at its beginning. It is not closed.
    name : str or Path
        Name for messages.

    Returns
    -------
    io.BufferedReader
    """
    form = compression_of(file.read(max(map(len, MAGIC.values()))))
    file.seek(0)
    return io.BufferedReader(file if form is None else Unpacked(file, name, form), io.DEFAULT_BUFFER_SIZE << 3)


class Unpacked(io.RawIOBase):
    """Reader of the content of a compressed file.

    Parameters
    ----------
    file : binary file
        Positioned at its beginning. It is not closed.
    name : str or Path
        Name for messages.
    form : str
        A key of `MAGIC`.

    Raises
    ------
    DataError
        From reading: if the file is damaged, cut short, takes more than `MEMORY`, or unpacks to more than `EXPANSION`
        times its size.
    """

    def __init__(self, file, name, form):
        super().__init__()
        self._file, self._name, self._form = file, name, form
        self._piece: Any = None
        self._packed = b""
        self._taken = self._given = self._in_piece = self._empty = 0

    def readable(self):
        """Return True."""
        return True

    def readinto(self, buffer):
        """Decompress into ``buffer``; return the number of bytes, 0 at the end."""
        while len(buffer):
            data = self._unpack(len(buffer))
            if data is None:
                return 0
            if data:
                self._given += len(data)
                self._in_piece += len(data)
                if self._given > EXPANSION * self._taken + SLACK:
                    raise DataError(
                        f"{self._name} unpacks to more than {EXPANSION} times its size, so it is no table of numbers"
                    )
                buffer[: len(data)] = data
                return len(data)
        return 0

    def _unpack(self, most):
        """Return the next decompressed bytes, perhaps none; None at the end."""
        if self._piece is not None and self._piece.eof:
            self._end_piece()
        if not self._packed and (self._piece is None or self._piece.needs_input):
            self._packed = self._file.read(_READ)
            self._taken += len(self._packed)
            if not self._packed:
                if self._piece is not None:
                    raise self._damaged("it ends in the middle")
                return None
        if self._piece is None:
            # Zeros may fill the last block of a tape, and stand behind xz.
            self._packed = self._packed.lstrip(b"\0") if self._given or self._empty else self._packed
            if not self._packed:
                return b""
            self._piece = _begin(self._form, self._name)
        packed, self._packed = self._packed, b""
        try:
            return self._piece.decompress(packed, most)
        except Exception as problem:  # each form has errors of its own
            if "limit" in str(problem):
                raise DataError(f"{self._name} takes more than {MEMORY >> 20} MB to unpack; pack it anew") from None
            raise self._damaged(str(problem)) from None

    def _end_piece(self):
        self._empty += not self._in_piece
        if self._empty > EMPTY:
            raise DataError(f"{self._name} holds more than {EMPTY} packed pieces without content; make it anew")
        self._packed = self._piece.unused_data
        self._piece, self._in_piece = None, 0

    def _damaged(self, reason):
        return DataError(f"{self._name} is not a whole {self._form} file ({reason}); fetch or make it anew")


class _Gzip:
    """zlib with the interface of `bz2.BZ2Decompressor`, which keeps input that it could not decompress yet."""

    def __init__(self):
        self._stream, self._left = zlib.decompressobj(31), b""

    @property
    def eof(self):
        return self._stream.eof

    @property
    def needs_input(self):
        return not (self._left or self._stream.eof)

    @property
    def unused_data(self):
        return self._stream.unused_data

    def decompress(self, packed, most):
        data = self._stream.decompress(self._left + packed, most)
        self._left = self._stream.unconsumed_tail
        return data


def _begin(form, name):
    """Make the decompressor of one stream. Python can be built without two of the libraries."""
    try:
        if form == "bzip2":
            import bz2

            return bz2.BZ2Decompressor()
        if form == "xz":
            import lzma

            return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=MEMORY)
    except ImportError:
        raise DataError(f"{name} is packed by {form}, which this Python cannot unpack; unpack it first") from None
    return _Gzip()
