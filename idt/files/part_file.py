"""A part file: a file under its temporary name, locked while its writer lives."""

import contextlib
import errno
import io
import os

from idt.files import lock_file

DISK_FULL = {
    errno.ENOSPC: "no space left",
    errno.EDQUOT: "the disk quota is used up",
    errno.EFBIG: "the largest file size allowed is reached",
}
"""Errors of a disk that takes no more data, with the words of our messages."""


class PartFile(io.RawIOBase):
    """A file under its temporary name, open for reading and writing in binary.

    Parameters
    ----------
    target : Path
        The final name, for messages.
    path : Path
        The temporary name.
    target_state : str
        Phrase for the message of a failure that says what is left under the final name.
    old_status : os.stat_result, optional
        `os.stat` of the file that this one replaces. If it is given, other users cannot read the new file before it has
        the mode of the old one.

    Attributes
    ----------
    path : Path
        The temporary name.
    quiet : bool
        If a write fails, keep the error in ``failure`` and ignore all further writes, instead of raising it. HDF5 needs
        this, because it cannot close a file that it cannot write.
    ignores_writes : bool
    failure : BaseException or None
        Exception of the first write that failed.
    """

    def __init__(self, target, path, target_state, old_status=None):
        super().__init__()
        self._target, self._target_state, self.path = target, target_state, path
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        self._descriptor = os.open(path, flags, 0o666 if old_status is None else 0o600)
        self._at = self._end = 0
        self.quiet = self.ignores_writes = False
        self.failure: BaseException | None = None

    def lock(self):
        """Lock the file, which marks it as in use; return False if another run removed it first."""
        return lock_file.take(self._descriptor) is not False and self.is_in_place()

    def is_in_place(self):
        """Tell whether the temporary name still refers to this file."""
        return lock_file.is_open_file(self.path, self._descriptor)

    def keep_rights(self, old_status):
        """Copy mode, owner and group from ``old_status``, the `os.stat` of the file that is replaced."""
        mode, new_status = old_status.st_mode & 0o777, os.fstat(self._descriptor)
        if (new_status.st_uid, new_status.st_gid) != (old_status.st_uid, old_status.st_gid):
            try:
                os.fchown(self._descriptor, old_status.st_uid, old_status.st_gid)
            except OSError:
                with contextlib.suppress(OSError):
                    os.fchown(self._descriptor, -1, old_status.st_gid)
            if os.fstat(self._descriptor).st_gid != old_status.st_gid:
                # If the group cannot be kept, the new group gets only the rights that everybody has.
                mode = mode & ~0o070 | (mode & 0o007) << 3
        with contextlib.suppress(OSError):
            os.fchmod(self._descriptor, mode)

    def has_content_of(self, path):
        """Tell whether the file ``path`` holds the same bytes."""
        with open(path, "rb") as file:
            size = os.fstat(self._descriptor).st_size
            if os.fstat(file.fileno()).st_size != size:
                return False
            at = 0
            while at < size:
                block = file.read(1 << 20)
                if not block or os.pread(self._descriptor, len(block), at) != block:
                    return False
                at += len(block)
        return True

    def write(self, data):
        """Write all of ``data`` (bytes-like) at the current position.

        Raises
        ------
        OSError
            With one line that names the target, if the disk takes no more.
        """
        data = memoryview(data).cast("B")

        def put():
            done = 0
            while done < len(data):
                done += os.pwrite(self._descriptor, data[done:], self._at + done)

        self._attempt(put)
        self._at += len(data)
        self._end = max(self._end, self._at)
        return len(data)

    def truncate(self, size=None):
        """Cut or extend the file to ``size`` bytes, by default to the current position."""
        size = self._at if size is None else size
        self._attempt(lambda: os.ftruncate(self._descriptor, size))
        self._end = size
        return size

    def readinto(self, buffer):
        """Read into ``buffer`` from the current position; return the number of bytes."""
        read = os.preadv(self._descriptor, [buffer], self._at)
        self._at += read
        return read

    def seek(self, offset, whence=os.SEEK_SET):
        """Move the current position, as for any file."""
        self._at = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._end}[whence] + offset
        return self._at

    def tell(self):
        """Return the current position in bytes."""
        return self._at

    def readable(self):
        """Return True, because HDF5 reads parts of the file while it writes it."""
        return True

    def writable(self):
        """Return True."""
        return True

    def seekable(self):
        """Return True."""
        return True

    def sync(self):
        """Wait until the data is on the disk."""
        self._attempt(lambda: os.fsync(self._descriptor))

    def discard(self):
        """Close the file, and remove its temporary name if that still refers to it."""
        if self.is_in_place():
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self.path)
        self.close()

    def close(self):
        """Close the descriptor, once."""
        if not self.closed:
            os.close(self._descriptor)
            self._descriptor = -1
        super().close()

    def _attempt(self, write):
        if self.ignores_writes:
            return
        try:
            write()
        except BaseException as problem:  # an interrupt, too, must not unwind through HDF5
            self.failure = problem
            if isinstance(problem, OSError):
                reason = DISK_FULL.get(problem.errno or 0) or problem.strerror
                self.failure = os_error(problem.errno, f"{reason} while writing {self._target}; {self._target_state}")
            if not self.quiet:
                raise self.failure from None
            self.ignores_writes = True


def os_error(number, message):
    """Make an `OSError` of the class for ``number`` whose text is ``message`` alone."""
    problem = type(OSError(number, ""))(message)
    problem.errno = number
    return problem
