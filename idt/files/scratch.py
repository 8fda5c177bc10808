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
"""Beginning of the names of our temporary folders."""

_descriptors: dict[str, int] = {}
"""Descriptor, which holds the lock, of each temporary folder of this process."""


@contextlib.contextmanager
def folder(place=None):
    """Make a temporary folder, removed at the end of the block or, after a crash, by the next run.

    Parameters
    ----------
    place : str or Path, optional
        Folder in which it is made; by default the system's folder for temporary files.

    Yields
    ------
    str
        Its path. Only this user may look into it.
    """
    sweep(place)
    path = _make_locked(place)
    try:
        yield path
    finally:
        _remove(path)


def sweep(place=None):
    """Remove our temporary folders that dead processes of this user left; ``place`` is as for `folder`."""
    place = tempfile.gettempdir() if place is None else place
    with contextlib.suppress(OSError), os.scandir(place) as entries:
        found = [entry.path for entry in entries if entry.name.startswith(PREFIX)]
        for path in found:
            if path in _descriptors:
                continue
            with contextlib.suppress(OSError):
                descriptor = _open_folder(path)
                try:
                    # Only folders of this user, because /tmp is shared by all.
                    if os.fstat(descriptor).st_uid == os.getuid():
                        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                        shutil.rmtree(path, ignore_errors=True)
                finally:
                    os.close(descriptor)


def remove_own_folders():
    """Remove the temporary folders of this process, which is about to end in the middle of its work."""
    for path in list(_descriptors):
        _remove(path)


def _make_locked(place):
    """Make a new temporary folder, lock it and return its path."""
    while True:
        path = tempfile.mkdtemp(prefix=PREFIX, dir=place)
        try:
            descriptor = _open_folder(path)
        except FileNotFoundError:  # another run took it for an abandoned one
            continue
        except BaseException:  # such as the exception of a signal handler
            shutil.rmtree(path, ignore_errors=True)
            raise
        # An error is harmless: on a file system without locks, no run removes the folders of other runs.
        with contextlib.suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        # Another run may have removed the folder before it was locked; then the path is free or names another one.
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.stat(path), os.fstat(descriptor)):
                _descriptors[path] = descriptor
                return path
        os.close(descriptor)


def _open_folder(path):
    return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)


def _remove(path):
    descriptor = _descriptors.get(path)
    if descriptor is not None:
        # The folder is forgotten last: if a signal ends this process before, `remove_own_folders` removes the rest.
        shutil.rmtree(path, ignore_errors=True)
        _descriptors.pop(path, None)
        os.close(descriptor)
