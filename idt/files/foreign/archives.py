"""Zip archives that `numpy.savez` and torch write, unpacked within limits.

Only members that are stored or deflated are read. An archive may unpack to `EXPANSION` times its size plus `SLACK`.
"""

import io
import zipfile
import zlib

from idt.errors import DataError

MAGIC = b"PK\x03\x04"
"""First bytes of a zip archive."""

EXPANSION, SLACK = 200, 1 << 24
"""Limits of unpacking: EXPANSION times the size of the archive plus SLACK bytes. Arrays of scores shrink to a half or a
tenth."""

MEMBERS = 100_000
"""Largest number of members of an archive. A torch file has one for each tensor."""

DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, RuntimeError, LookupError, OverflowError)
"""Exceptions that `zipfile` raises on an archive that is damaged, encrypted or of another kind."""


def is_archive(data):
    """Tell whether ``data`` (bytes) begins as a zip archive does."""
    return data[:4] == MAGIC


class Archive:
    """A zip archive in memory.

    Parameters
    ----------
    data : bytes
    name : str
        Name for messages.

    Attributes
    ----------
    names : tuple of str
        Of the members, in the order of the archive.
    unpacked : int
        Bytes that were read so far.

    Raises
    ------
    DataError
        If it is damaged, or two members have one name.
    """

    def __init__(self, data, name):
        self.unpacked = 0
        self._name, self._left = name, EXPANSION * len(data) + SLACK
        if data.count(b"PK\x01\x02") > MEMBERS:
            raise self._damaged(f"it has more than {MEMBERS:,} members")
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data))
            self._infos = {info.filename: info for info in self._zip.infolist()}
        except (*DAMAGE, NotImplementedError) as problem:
            raise self._damaged(problem) from None
        if len(self._infos) < len(self._zip.infolist()):
            raise self._damaged("two members have one name")
        self.names = tuple(self._infos)

    def read(self, member):
        """Unpack a member.

        Raises
        ------
        DataError
            If there is no such member, it is damaged, or the members unpack to more than the limit.
        """
        info = self._infos.get(member)
        if info is None:
            raise DataError(f"{self._name} has no part {member!r:.60}; it is not whole")
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise DataError(f"{self._name} has an unsupported compression, expected stored or deflated members")
        if info.file_size > self._left:
            raise DataError(f"{self._name} unpacks to far more than it holds, so it is no file of scores")
        try:
            with self._zip.open(info) as file:
                data = file.read(info.file_size + 1)
        except DAMAGE as problem:
            raise self._damaged(problem) from None
        if len(data) != info.file_size:
            raise self._damaged("a member has another size")
        self._left -= len(data)
        self.unpacked += len(data)
        return data

    def _damaged(self, reason):
        return DataError(f"{self._name} is no whole zip archive ({reason}); fetch or make it anew")
