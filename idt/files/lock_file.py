"""Open, identify, take, sign and remove one lock file.

`idt.files.locks` keeps two runs apart by such files.
"""

import contextlib
import errno
import fcntl
import os
import platform
import re
import stat
import sys

from idt.errors import DataError

UNSUPPORTED = frozenset((errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS))
"""Errors of a file system that has no locks."""

HEAD = b"lock of improved-dense-trajectories, "
"""First bytes of a lock file, by which it is distinguished from a stranger's file of the same name."""


def open_lock(lock):
    """Open a lock file, or create it.

    Parameters
    ----------
    lock : Path

    Returns
    -------
    int or None
        Its descriptor; None if no lock file can be opened or created there.

    Raises
    ------
    DataError
        If a stranger's file has its name.
    FileNotFoundError
        If its folder is missing.
    """
    flags = os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | flags, 0o666)
    except FileNotFoundError:
        raise
    except OSError as problem:
        if problem.errno in (errno.ELOOP, errno.EISDIR, errno.ENXIO):
            raise _foreign_file(lock) from None
        # A lock file of another user can be opened for reading, which suffices to wait for its lock. If even that
        # fails, as on a full or read-only disk, the run goes on and finds out by itself whether it can write.
        try:
            descriptor = os.open(lock, os.O_RDONLY | flags)
        except OSError:
            return None
    if not _is_lock(descriptor):
        os.close(descriptor)
        raise _foreign_file(lock)
    return descriptor


def _is_lock(descriptor):
    """Tell whether an open file is a lock file of ours. An empty one is: its holder was killed before signing."""
    return stat.S_ISREG(os.fstat(descriptor).st_mode) and HEAD.startswith(os.pread(descriptor, len(HEAD), 0))


def _foreign_file(lock):
    """Return the error about a stranger's file that has the name of a lock file."""
    return DataError(f"{lock} is no lock file of ours, but has the name of one; move it away")


def take(descriptor, *, wait=False, shared=False):
    """Lock an open file; a shared lock of this process on it becomes exclusive, or the reverse.

    Parameters
    ----------
    descriptor : int
    wait : bool
        Wait until no other process holds it.
    shared : bool
        Others may share it.

    Returns
    -------
    bool or None
        Whether we have it; None where the file system has no locks.
    """
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    except OSError as problem:
        if problem.errno in UNSUPPORTED:
            return None
        raise
    return True


def is_open_file(path, descriptor):
    """Tell whether the name ``path`` still refers to the file that is open as ``descriptor``."""
    try:
        return os.path.samestat(os.lstat(path), os.fstat(descriptor))
    except OSError:
        return False


def sign(descriptor):
    """Write the holder's process and machine into the open lock file ``descriptor``; waiting runs print it."""
    text = f"{os.getpid()} {os.path.basename(sys.argv[0])} {platform.node()}\n".encode("utf-8", "replace")
    with contextlib.suppress(OSError):
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, HEAD + text, 0)


def holder_of(descriptor):
    """Return a phrase for the holder of the lock file that is open as ``descriptor``, as far as it is recorded."""
    text = os.pread(descriptor, 400, 0).removeprefix(HEAD).decode("utf-8", "replace")
    found = re.fullmatch(r"([0-9]{1,12}) (\S{0,60}) (\S{0,100})\n", text)
    if found is None or not text.strip().isprintable():
        return "another run"
    return f"process {found[1]} ({found[2]}) on {found[3]}"


def remove_free(lock):
    """Remove the lock file ``lock`` if it is ours and nobody holds it."""
    try:
        descriptor = os.open(lock, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return  # there is none, or it is another user's
    try:
        if _is_lock(descriptor) and take(descriptor) and is_open_file(lock, descriptor):
            os.unlink(lock)
    except OSError:
        pass  # a file that cannot be removed stays
    finally:
        os.close(descriptor)
