"""A file that is opened once, so that the bytes that are decoded are those that are hashed.

A path may refer to another file from one moment to the next. `open_source` opens a file once. Its content, its digest,
and the bytes that a library reads under `SourceFile.library_path` come from this opening. `SourceFile.check_unchanged`
refuses a file that was written to or replaced since. Pipes and devices are refused, because they may never answer or
never end, and have no digest.
"""

import contextlib
import hashlib
import os
import stat
from typing import NamedTuple

from idt.errors import DataError

BLOCK = 1 << 20
"""Bytes that are read at once."""

DESCRIPTORS = ("/proc/self/fd", "/dev/fd")
"""Folders in which a system may show the open files of a process."""

KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe, which may never end; copy its content into a file"),
    (stat.S_ISSOCK, "a socket; copy its content into a file"),
    (stat.S_ISCHR, "a device; a camera is named by its index, such as 0"),
    (stat.S_ISBLK, "a device; copy its content into a file"),
)
"""Test of a mode, and the phrase for messages, of each kind of file that is refused."""


class Identity(NamedTuple):
    """Device, inode, size and times (in nanoseconds) that identify a file and its content without reading it."""

    device: int
    inode: int
    size: int
    modified: int
    changed: int

    @classmethod
    def of(cls, status):
        """Make an identity from the ``os.stat_result`` ``status``."""
        return cls(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def open_source(path):
    """Open a regular file, once.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    SourceFile
        A context manager that closes it.

    Raises
    ------
    DataError
        If it is no regular file.
    OSError
        If it does not exist or cannot be read.
    """
    # The file is checked before it is opened, because opening a device may have effects. It is checked again when open,
    # and opened without waiting for the writer of a pipe, because the name may stand for another file by then.
    check_regular(path, os.stat(path))
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOCTTY)
    try:
        status = os.fstat(descriptor)
        check_regular(path, status)
        return SourceFile(path, descriptor, status)
    except BaseException:
        os.close(descriptor)
        raise


def check_regular(path, status):
    """Refuse ``path`` unless ``status``, its ``os.stat_result``, is that of a regular file."""
    if not stat.S_ISREG(status.st_mode):
        kind = next((phrase for is_kind, phrase in KINDS if is_kind(status.st_mode)), "no file")
        raise DataError(f"{path} must be a regular file, but it is {kind}")


class SourceFile:
    """A regular file that `open_source` has opened.

    Parameters
    ----------
    path : str or Path
        For messages.
    descriptor : int
        Closed by `close`.
    status : os.stat_result
        Of the descriptor.

    Attributes
    ----------
    identity : Identity
        Identity of the file when it was opened.
    """

    def __init__(self, path, descriptor, status):
        self.path, self.identity = path, Identity.of(status)
        self._absolute = os.path.abspath(path)
        self._descriptor = descriptor
        self._digest = ""

    @property
    def size(self):
        """Return the size in bytes when the file was opened."""
        return self.identity.size

    @property
    def library_path(self):
        """Return a path under which a library opens this very file, even if another file has taken its name.

        The path is an entry of `DESCRIPTORS`, or the file's own path on a system without these folders. An entry does
        not lie in the file's folder, so a relative path in the content leads to no other file. It begins with a slash,
        so no library takes it for a protocol.
        """
        for folder in DESCRIPTORS:
            name = f"{folder}/{self._descriptor}"
            try:
                if Identity.of(os.stat(name))[:2] == self.identity[:2]:
                    return name
            except OSError:
                continue
        return self._absolute

    def prefetch(self):
        """Ask the operating system to prefetch the whole file."""
        # Some systems and some kinds of files do not support it.
        with contextlib.suppress(AttributeError, OSError):
            os.posix_fadvise(self._descriptor, 0, 0, os.POSIX_FADV_WILLNEED)

    def head(self, size):
        """Read the first ``size`` bytes, or all if there are fewer."""
        return self.read_at(0, size)

    def read_at(self, offset, size):
        """Read ``size`` bytes from ``offset`` on, up to the size when the file was opened."""
        available = min(size, self.size - offset)
        return os.pread(self._descriptor, available, offset) if available > 0 else b""

    def read(self, most):
        """Read the whole file.

        Parameters
        ----------
        most : int
            Bytes that it may hold.

        Returns
        -------
        bytes

        Raises
        ------
        DataError
            If it holds more, or was changed.
        """
        if self.size > most:
            raise DataError(f"{self.path} has {self.size:,} bytes, expected at most {most:,}")
        data = b"".join(self._blocks())
        if not self._digest:
            self._digest = hashlib.sha256(data).hexdigest()
        self.check_unchanged()
        return data

    def digest(self):
        """Return the SHA-256 of the content, 64 hexadecimal digits.

        Raises
        ------
        DataError
            If the file was changed since it was opened.
        """
        if not self._digest:
            hashed = hashlib.sha256()
            for block in self._blocks():
                hashed.update(block)
            self._digest = hashed.hexdigest()
        self.check_unchanged()
        return self._digest

    def check_unchanged(self):
        """Refuse a file that was changed or replaced since it was opened.

        Raises
        ------
        DataError
            If the file was changed, replaced, moved, linked or removed. The time of the last change of status tells so,
            because a writer can reset the time of modification, but not this one.
        """
        if self._descriptor is None:
            return
        try:
            named = Identity.of(os.stat(self._absolute))
        except OSError:
            named = None
        if not named == self.identity == Identity.of(os.fstat(self._descriptor)):
            raise DataError(f"{self.path} was changed, moved or linked while it was read; run again once it is stable")

    def close(self):
        """Close the file, once."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def __del__(self):
        self.close()

    def _blocks(self):
        """Yield the content in order, up to the size when the file was opened."""
        at = 0
        while at < self.size and (block := os.pread(self._descriptor, min(BLOCK, self.size - at), at)):
            at += len(block)
            yield block
