"""Temporary folders that are removed at the end of a run, or by the next run.

A folder is locked (flock) while the process that made it lives; the operating system frees the lock however the process
ends. The next run removes folders with a free lock, which killed runs have left.
"""

import contextlib
import fcntl
import os
import shutil
import tempfile

PREFIX = "idt-scratch-"
"""How the names of our temporary folders begin."""

_open: dict[str, int] = {}


@contextlib.contextmanager
def folder(place=None):
    """Make a temporary folder, removed at the end of the block or, after a crash, by the next run.

    Parameters
    ----------
    place : str or Path, optional
        The folder that it is made in; that of the system's temporary files if not given.

    Yields
    ------
    str
        Its path. Only this user may look into it.
    """
    sweep(place)
    path = _made(place)
    try:
        yield path
    finally:
        _remove(path)


def sweep(place=None):
    """Remove the temporary folders of ours that dead processes of this user have left in ``place``, as for `folder`."""
    place = tempfile.gettempdir() if place is None else place
    with contextlib.suppress(OSError), os.scandir(place) as entries:
        found = [entry.path for entry in entries if entry.name.startswith(PREFIX)]
        for path in found:
            if path in _open:
                continue
            with contextlib.suppress(OSError):
                descriptor = _opened(path)
                try:
                    # Only folders of this user, because /tmp is shared by all.
                    if os.fstat(descriptor).st_uid == os.getuid():
                        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                        shutil.rmtree(path, ignore_errors=True)
                finally:
                    os.close(descriptor)


def remove_own_folders():
    """Remove the temporary folders of this process, which is about to end in the middle of its work."""
    for path in list(_open):
        _remove(path)


def _made(place):
    """Make a new locked folder."""
    while True:
        path = tempfile.mkdtemp(prefix=PREFIX, dir=place)
        try:
            descriptor = _opened(path)
        except FileNotFoundError:  # swept
            continue
        except BaseException:  # a signal
            shutil.rmtree(path, ignore_errors=True)
            raise
        # An error is harmless: on a file system without locks, no run removes the folders of other runs.
        with contextlib.suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        # Another run may have found it before it was locked.
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.stat(path), os.fstat(descriptor)):
                _open[path] = descriptor
                return path
        os.close(descriptor)


def _opened(path):
    return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)


def _remove(path):
    descriptor = _open.get(path)
    if descriptor is not None:
        # Known until it is gone: a signal may end this process in the middle, and `remove_own_folders` finishes then.
        shutil.rmtree(path, ignore_errors=True)
        _open.pop(path, None)
        os.close(descriptor)
