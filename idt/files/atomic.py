"""Write files that appear under their names only when they are complete.

A part file is written beside its target under a hidden, random name, ``.{name}.{token}.part``, and renamed when it is
complete and on the disk. Meanwhile the writer holds the lock of the part file; the operating system frees the lock when
the process ends. A killed run leaves a part file at most. The next run that writes the same target removes it; `sweep`
removes the part files of given targets whose locks are free, whatever machine made them.

If the target is a symbolic link, the link is replaced and its file stays. The new file gets the mode of the old one,
and its owner and group where the system permits that.
"""

import contextlib
import errno
import os
import re
import secrets
import stat
from pathlib import Path

from idt.errors import DataError
from idt.files import lock_file, locks, ownership
from idt.files.part_file import DISK_FULL, PartFile, os_error

__all__ = ["DISK_FULL", "PartFile", "remove", "remove_own_parts", "replacing", "sweep"]

STALE = 24 * 3600.0
"""Seconds without a write after which a part file that nobody can lock counts as abandoned. Such files lie on a file
system without locks, or come from our earlier releases. If the writer still lives, it finds the file gone and raises an
error. The time of the last write and the present time both come from the clock of the file system."""

TRIES = 100
"""Largest number of random names that are tried for a part file."""

PART_NAME = re.compile(r"\.(.+)\.[0-9a-f]{16}\.part", re.DOTALL)
EARLIER_PART_NAME = re.compile(r"\.(.+)-[0-9]+\.part", re.DOTALL)
"""Name of a part file of our earlier releases: the target's name, a dot, the machine's name, the process number."""

_open_parts: dict[str, Path | None] = {}
"""Part files of this process by the resolved path of their target; None before its name is chosen."""


@contextlib.contextmanager
def replacing(path, *, overwrite=False, unmarked=False):
    """Open a file for writing that gets its name only when the block ends without an exception.

    Parameters
    ----------
    path : str or Path
        The target. Its folder must exist.
    overwrite : bool or collection of path
        Replace a file of ours that exists, and one that the collection names
        (`idt.files.ownership.check_replaceable`). The old file stays until the new one is complete.
    unmarked : bool
        Files of this format carry no mark that this program wrote them. If the existing file already holds the same
        bytes, it stays, as if it had been replaced. Another file is refused at the end of the block, unless the
        collection names it.

    Yields
    ------
    PartFile
        Open for writing; closed, flushed to the disk and renamed at the end of the block, removed on any exception.

    Raises
    ------
    DataError
        If ``path`` exists and may not be replaced, at the beginning or at the end of the block, if it is no regular
        file, or if this process is writing it already.
    OSError
        If the folder is missing or not writable, the disk is full, or somebody removed the part file before its end.
        The message is one line that names ``path``.

    Notes
    -----
    docs/method/files.md, section 1: a killed run leaves nothing that looks finished.
    """
    path = Path(path)
    ownership.check_replaceable(path, overwrite, unmarked=unmarked)
    old_status = _stat(path)
    target_state = "nothing was left under that name"
    if old_status is not None:
        target_state = "the earlier file of that name is as it was"
    # All spellings of one target have the same key.
    key = ownership.entry_path(path)
    if key in _open_parts:
        raise DataError(f"{path} is already being written by this process")
    folder = Path(key).parent
    _open_parts[key] = None
    try:
        sweep(folder, [path.name])
        part = _new_part(path, folder, target_state, old_status, key)
    except OSError as problem:
        del _open_parts[key]
        reason = DISK_FULL.get(problem.errno or 0) or problem.strerror
        raise os_error(problem.errno, f"cannot write {path}: {reason}; its folder is {folder}") from None
    except BaseException:
        del _open_parts[key]
        raise
    try:
        yield part
        part.sync()
        if part.failure is not None:
            raise part.failure from None
        if not part.is_in_place():
            text = f"cannot write {path}: its part file was removed or replaced meanwhile; {target_state}; run it again"
            raise os_error(errno.ENOENT, text)
        if not (unmarked and _is_identical(part, path, overwrite)):
            _publish(part, path, overwrite)
    finally:
        part.discard()
        del _open_parts[key]


def remove(path, overwrite=False):
    """Remove a file that an earlier run wrote beside its outputs, if it exists.

    Parameters
    ----------
    path : str or Path
    overwrite : bool or collection of path
        A collection names files that are removed even if they are not ours. A file of ours is removed in any case.

    Raises
    ------
    DataError
        If the file is not ours and the collection does not name it.
    OSError
        If it cannot be removed.
    """
    ownership.check_replaceable(path, overwrite or True)
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)


def sweep(folder, names):
    """Remove the part files and lock files that dead processes left for some targets of a folder.

    Parameters
    ----------
    folder : str or Path
        If it does not exist, nothing happens.
    names : collection of str
        Names of the targets.

    Notes
    -----
    A part file whose lock is free has no living writer. `STALE` applies to part files that nobody can lock.
    """
    folder = Path(os.path.realpath(folder))
    wanted = {locks.hidden_stem(name) for name in names}
    try:
        with os.scandir(folder) as entries:
            found = [entry.name for entry in entries if entry.name.startswith(".") and entry.name.endswith(".part")]
    except (FileNotFoundError, NotADirectoryError):
        return
    locks.sweep(folder, names)
    open_now = set(_open_parts.values())
    for name in found:
        current, earlier = PART_NAME.fullmatch(name), EARLIER_PART_NAME.fullmatch(name)
        path = folder / name
        if current and current[1] in wanted and path not in open_now:
            _sweep_unlocked(path)
        elif earlier and any(earlier[1].startswith(f"{target}.") for target in names):
            _sweep_old(path)


def remove_own_parts():
    """Remove the part files and lock files of this process, which is about to end in the middle of its work."""
    for path in list(_open_parts.values()):
        if path is not None:
            with contextlib.suppress(OSError):
                os.unlink(path)
    locks.remove_own_locks()


def _stat(path):
    """Return the result of `os.stat`, or None if the file does not exist."""
    try:
        return os.stat(path)
    except OSError:
        return None


def _new_part(path, folder, target_state, old_status, key):
    """Make the part file of a target and lock it."""
    for _ in range(TRIES):
        hidden = folder / f".{locks.hidden_stem(path.name)}.{secrets.token_hex(8)}.part"
        # Recorded before it exists, so that a process that is ended at this moment removes it.
        _open_parts[key] = hidden
        try:
            part = PartFile(path, hidden, target_state, old_status)
        except FileExistsError:
            continue
        if part.lock():
            if old_status is not None:
                part.keep_rights(old_status)
            return part
        # Another run took the file for an abandoned one before it was locked, and removes it.
        part.discard()
    raise os_error(errno.EEXIST, "no name for its part file is free")


def _is_identical(part, path, overwrite):
    """Tell whether the existing unmarked file holds the same bytes; refuse to replace it if it holds other bytes."""
    if not os.path.lexists(path) or ownership.is_named(path, overwrite):
        return False
    ownership.check_replaceable(path, overwrite, unmarked=True)
    if part.has_content_of(path):
        return True
    ownership.check_replaceable(path, overwrite)
    return False


def _publish(part, path, overwrite):
    """Give a part file the name of its target."""
    # Checked again, because another process may have finished the same file meanwhile.
    ownership.check_replaceable(path, overwrite)
    if not os.path.lexists(path):
        try:
            # Unlike a rename, a link never replaces a file that appears in this moment.
            os.link(part.path, path)
        except FileExistsError:
            ownership.check_replaceable(path, overwrite)
        except OSError:
            pass  # a file system without hard links
        else:
            return
    os.replace(part.path, path)


def _sweep_unlocked(path):
    """Remove a part file if nobody holds its lock."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return  # gone, or another user's
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return
        free = lock_file.take(descriptor)
        if free is None:
            _sweep_old(path)
        elif free and lock_file.is_open_file(path, descriptor):
            os.unlink(path)
    except OSError:
        pass  # a file that cannot be removed stays
    finally:
        os.close(descriptor)


def _sweep_old(path):
    """Remove a part file that nobody has written to for long, by the clock of its file system."""
    with contextlib.suppress(OSError):
        found = os.lstat(path)
        if stat.S_ISREG(found.st_mode) and _file_system_time(path.parent) - found.st_mtime > STALE:
            os.unlink(path)


def _file_system_time(folder):
    """Return the present time by the clock of a folder's file system, read from the time stamp of a new file."""
    path = folder / f".{secrets.token_hex(8)}.clock"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        os.unlink(path)
        return os.fstat(descriptor).st_mtime
    finally:
        os.close(descriptor)
