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
"""First bytes of a compressed file, by its compression."""

EXPANSION = 200
"""Largest number of bytes that each byte of a compressed file may unpack to, on average over the file."""

SLACK = 1 << 24
"""Bytes that a file may unpack to in addition to `EXPANSION` times its size, so that no small file is refused."""

EMPTY = 1000
"""Largest number of streams without content. A compressor that is closed without a write leaves one such stream."""

MEMORY = 1 << 27
"""Largest number of bytes of memory for unpacking xz, twice the need of ``xz -9``. gzip and bzip2 need less than
8 MB."""

_READ = 1 << 16
"""Compressed bytes that are read at once."""


def compression_of(head):
    """Return the compression of a file by ``head``, its first bytes: a key of `MAGIC`, or None."""
    return next((name for name, magic in MAGIC.items() if head.startswith(magic)), None)


def unpacked(file, name):
    """Open a compressed file for reading its content.

    Parameters
    ----------
    file : io.RawIOBase
        Compressed or not, positioned at its beginning. It is not closed.
    name : str or Path
        Name for messages.

    Returns
    -------
    io.BufferedReader
    """
    compression = compression_of(file.read(max(map(len, MAGIC.values()))))
    file.seek(0)
    content = file if compression is None else Unpacked(file, name, compression)
    return io.BufferedReader(content, io.DEFAULT_BUFFER_SIZE << 3)


class Unpacked(io.RawIOBase):
    """Reader of the content of a compressed file.

    Parameters
    ----------
    file : binary file
        Positioned at its beginning. It is not closed.
    name : str or Path
        Name for messages.
    compression : str
        A key of `MAGIC`.

    Raises
    ------
    DataError
        When it is read: if the file is damaged, cut short, takes more memory than `MEMORY`, or unpacks to more than
        `EXPANSION` times its size.
    """

    def __init__(self, file, name, compression):
        super().__init__()
        self._file, self._name, self._compression = file, name, compression
        # The decompressor of the present stream, and compressed bytes that it has not been given yet.
        self._stream: Any = None
        self._pending = b""
        # Compressed bytes read; bytes unpacked, in all and from the present stream; streams without content.
        self._bytes_read = self._bytes_unpacked = self._bytes_of_stream = self._empty_streams = 0

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
                self._bytes_unpacked += len(data)
                self._bytes_of_stream += len(data)
                if self._bytes_unpacked > EXPANSION * self._bytes_read + SLACK:
                    raise DataError(
                        f"{self._name} unpacks to more than {EXPANSION} times its size, so it is no table of numbers"
                    )
                buffer[: len(data)] = data
                return len(data)
        return 0

    def _unpack(self, most):
        """Return the next decompressed bytes, perhaps none; None at the end."""
        if self._stream is not None and self._stream.eof:
            self._end_stream()
        if not self._pending and (self._stream is None or self._stream.needs_input):
            self._pending = self._file.read(_READ)
            self._bytes_read += len(self._pending)
            if not self._pending:
                if self._stream is not None:
                    raise self._damaged("it ends in the middle")
                return None
        if self._stream is None:
            # Zeros may follow a stream: they fill the last block of a tape, and pad xz.
            if self._bytes_unpacked or self._empty_streams:
                self._pending = self._pending.lstrip(b"\0")
            if not self._pending:
                return b""
            self._stream = _decompressor(self._compression, self._name)
        pending, self._pending = self._pending, b""
        try:
            return self._stream.decompress(pending, most)
        except Exception as problem:  # each library has errors of its own
            if "limit" in str(problem):
                raise DataError(f"{self._name} takes more than {MEMORY >> 20} MB to unpack; pack it anew") from None
            raise self._damaged(str(problem)) from None

    def _end_stream(self):
        self._empty_streams += not self._bytes_of_stream
        if self._empty_streams > EMPTY:
            raise DataError(f"{self._name} holds more than {EMPTY} packed pieces without content; make it anew")
        self._pending = self._stream.unused_data
        self._stream, self._bytes_of_stream = None, 0

    def _damaged(self, reason):
        return DataError(f"{self._name} is not a whole {self._compression} file ({reason}); fetch or make it anew")


class _GzipDecompressor:
    """zlib with the interface of `bz2.BZ2Decompressor`, which keeps input that it could not decompress yet."""

    def __init__(self):
        self._stream, self._unconsumed = zlib.decompressobj(31), b""

    @property
    def eof(self):
        return self._stream.eof

    @property
    def needs_input(self):
        return not (self._unconsumed or self._stream.eof)

    @property
    def unused_data(self):
        return self._stream.unused_data

    def decompress(self, packed, most):
        data = self._stream.decompress(self._unconsumed + packed, most)
        self._unconsumed = self._stream.unconsumed_tail
        return data


def _decompressor(compression, name):
    """Make the decompressor of one stream. Python can be built without bz2 and lzma."""
    try:
        if compression == "bzip2":
            import bz2

            return bz2.BZ2Decompressor()
        if compression == "xz":
            import lzma

            return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=MEMORY)
    except ImportError:
        raise DataError(
            f"{name} is packed by {compression}, which this Python cannot unpack; unpack it first"
        ) from None
    return _GzipDecompressor()
