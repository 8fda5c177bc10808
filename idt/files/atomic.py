"""Files that appear whole or not at all.

A file is written beside its target under a hidden name, ``.{name}.{host}-{pid}.part``, and takes the target's name
when it is complete and on the disk. A run that is killed leaves such a part file at most. The next run that writes the
same target removes it, and `sweep` those of a whole folder.
"""

import contextlib
import errno
import io
import os
import platform
import re
import stat
import time
from pathlib import Path

from idt.errors import DataError

FULL = {
    errno.ENOSPC: "no space left",
    errno.EDQUOT: "the disk quota is used up",
    errno.EFBIG: "the largest file size allowed is reached",
}
"""Errors of a disk that holds no more, and how we say so."""

ABANDONED = 24 * 3600.0
"""Seconds after which a part file that nobody wrote to is taken for one of a dead process of another machine. Should
that live, it finds its file gone when it is complete, and says so."""

_open_parts: set[Path] = set()


class Part(io.RawIOBase):
    """The file under its temporary name, open for reading and writing in binary.

    Attributes
    ----------
    quiet : bool
        Keep the first failure to write in ``failure`` and ignore all further writes, instead of raising it: for a
        writer such as HDF5 that cannot let go of a file which it cannot write.
    ignores : bool
        Whether writes are ignored.
    failure : BaseException or None
        What the first write that failed would have raised.
    """

    def __init__(self, target, path, kept):
        super().__init__()
        self._target, self._kept = target, kept
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o666)
        self._at = self._end = 0
        self.quiet = self.ignores = False
        self.failure: BaseException | None = None

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
        """Read what is there at the current position into ``buffer``; the number of bytes read."""
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
        """Return True: HDF5 reads back what it wrote."""
        return True

    def writable(self):
        """Return True."""
        return True

    def seekable(self):
        """Return True."""
        return True

    def sync(self):
        """Wait until the disk has it."""
        self._attempt(lambda: os.fsync(self._descriptor))

    def close(self):
        """Close the descriptor, once."""
        if not self.closed:
            os.close(self._descriptor)
        super().close()

    def _attempt(self, write):
        if self.ignores:
            return
        try:
            write()
        except BaseException as problem:  # an interrupt, too, must not unwind through HDF5
            self.failure = problem
            if isinstance(problem, OSError):
                reason = FULL.get(problem.errno or 0) or problem.strerror
                self.failure = _os_error(problem.errno, f"{reason} while writing {self._target}; {self._kept}")
            if not self.quiet:
                raise self.failure from None
            self.ignores = True


@contextlib.contextmanager
def replacing(path, *, overwrite=False):
    """Write a file that takes its name only when the block ends without an exception.

    Parameters
    ----------
    path : str or Path
        The target. Its folder must exist.
    overwrite : bool
        Replace a file that exists. Until the new one is complete the old one stays.

    Yields
    ------
    Part
        Open for writing; closed, flushed to the disk and renamed at the end of the block, removed on any exception.

    Raises
    ------
    DataError
        If ``path`` exists and ``overwrite`` is false, at the beginning or at the end of the block, if it is no regular
        file, or if this process is writing it already.
    OSError
        If the folder is missing or not writable, or the disk is full, in one line that names ``path``.

    Notes
    -----
    docs/method/files.md, section 1: a killed run leaves nothing that looks finished.
    """
    path = Path(path)
    _refuse_existing(path, overwrite)
    kept = "the earlier file of that name is as it was" if path.exists() else "nothing was left under that name"
    # The folder is resolved, so that two spellings of one target meet in one part file.
    hidden = path.parent.resolve() / f".{path.name}.{platform.node()}-{os.getpid()}.part"
    if hidden in _open_parts:
        raise DataError(f"{path} is already being written by this process")
    _open_parts.add(hidden)
    try:
        sweep(hidden.parent, [path.name])
        part = Part(path, hidden, kept)
    except OSError as problem:
        _open_parts.discard(hidden)
        reason = FULL.get(problem.errno or 0) or problem.strerror
        raise _os_error(problem.errno, f"cannot write {path}: {reason}; its folder is {hidden.parent}") from None
    try:
        yield part
        part.sync()
        if part.failure is not None:
            raise part.failure from None
        part.close()
        # Again: another process may have finished the same file meanwhile.
        _refuse_existing(path, overwrite)
        os.replace(hidden, path)
    except BaseException:
        part.close()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(hidden)
        raise
    finally:
        _open_parts.discard(hidden)


def refuse_input(path, *inputs):
    """Refuse an output that is one of its own inputs, which not even ``overwrite`` may destroy.

    Parameters
    ----------
    path : str or Path
    *inputs : str, Path or other
        Anything that is not the name of a file, such as the index of a camera, passes.

    Raises
    ------
    DataError
        If ``path`` is one of the inputs, under whatever name.
    """
    for given in inputs:
        if not isinstance(given, str | os.PathLike) or not os.path.exists(given) or not os.path.exists(path):
            continue
        if os.path.samefile(path, given):
            raise DataError(f"{path} is an input of this run and would be lost; use another path")


def sweep(folder, names):
    """Remove the part files of some targets that dead processes left in a folder.

    Parameters
    ----------
    folder : str or Path
        Nothing happens if there is none.
    names : collection of str
        Of the targets.

    Notes
    -----
    On this machine a process is known to be dead; for one of another machine see `ABANDONED`.
    """
    folder = Path(folder).resolve()
    try:
        with os.scandir(folder) as entries:
            found = [match for entry in entries if (match := re.fullmatch(r"\.(.+)-([0-9]+)\.part", entry.name))]
    except (FileNotFoundError, NotADirectoryError):
        return
    here = f".{platform.node()}"
    for match in found:
        path, owner = folder / match[0], match[1]
        with contextlib.suppress(FileNotFoundError):
            if owner.removesuffix(here) in names and owner.endswith(here):
                dead = path not in _open_parts and not _lives(int(match[2]))
            else:
                ours = any(owner.startswith(f"{name}.") for name in names)
                dead = ours and time.time() - path.stat().st_mtime > ABANDONED
            if dead:
                os.unlink(path)


def abandon():
    """Remove the part files of this process, which is about to end in the middle of its work."""
    for path in list(_open_parts):
        with contextlib.suppress(OSError):
            os.unlink(path)


def _refuse_existing(path, overwrite):
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        return
    except OSError as problem:
        raise _os_error(problem.errno, f"cannot write {path}: {problem.strerror}") from None
    if not stat.S_ISREG(mode):
        # Renaming over a device such as /dev/null would replace the device.
        raise DataError(f"{path} is not a regular file, so it cannot be replaced; use another path")
    if not overwrite:
        raise DataError(f"{path} exists; use another path or --overwrite")


def _lives(process):
    if process == os.getpid():
        # Our own number, but no part of ours: a predecessor had it, as in a container that was restarted.
        return False
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def _os_error(number, message):
    """An `OSError` of the kind that ``number`` stands for, whose text is ``message`` alone."""
    problem = type(OSError(number, ""))(message)
    problem.errno = number
    return problem
