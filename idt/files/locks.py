"""Locks that separate runs; the operating system frees them when the process ends, even if it is killed.

A run that writes into a folder or a file holds `flock` on a hidden lock file: ``.idt.lock`` in the folder,
``.NAME.lock`` beside the file. A second run waits for it, and then finds the results of the first. Runs that write many
files of a folder share the folder's lock and hold an exclusive lock on each file. The last holder removes the lock file
before it frees the lock; the next run takes over a lock file that a killed run left. On a file system without locks, or
in a folder that cannot be written, runs go on without locks (docs/method/files.md, section 1.4).
"""

import contextlib
import errno
import functools
import hashlib
import os
import threading
import time
from pathlib import Path

from idt.files import lock_file

LONGEST = 100
"""Largest number of bytes of a file name. A longer name is replaced by its digest in the names of its lock file and its
part file."""

SOON = 0.2
"""Seconds before a wait is announced, because a run that joins or leaves a shared folder locks it for a moment."""

_held: dict[Path, list] = {}
"""Lock files that this process holds → [number of blocks that hold it, its descriptor or None]."""

_wanted: dict[Path, int | None] = {}
"""Locks that a thread is about to take, and the descriptor of each as soon as it is open."""

_guard = threading.Lock()


def hidden_stem(name):
    """Return the middle part of the names of a lock file and part file: ``name``, or its digest if it is long."""
    raw = os.fsencode(name)
    return name if len(raw) <= LONGEST else hashlib.sha256(raw).hexdigest()[:32]


@contextlib.contextmanager
def held(*, files=(), folders=(), say=None, wait=True):
    """Lock files and folders against other runs within a block; wait for runs that hold them.

    Folders that are missing are made, and removed again if nothing was written into them. A lock that this process
    holds already stays held.

    Parameters
    ----------
    files, folders : iterable of path
    say : callable, optional
        Called before a wait, with one line that names the holder.
    wait : bool
        False raises BlockingIOError instead of waiting.

    Raises
    ------
    DataError
        If a stranger's file has the name of a lock file.
    OSError
        If a folder cannot be made.
    """
    wanted = {_resolved(folder) / ".idt.lock": folder for folder in map(Path, folders)}
    for path in map(Path, files):
        wanted[_resolved(path.parent) / f".{hidden_stem(path.name)}.lock"] = path
    take = functools.partial(_take, say=_once(say), wait=wait)
    with contextlib.ExitStack() as stack:
        # All runs take locks in the same order, so that no two wait for each other.
        for lock in sorted(wanted):
            stack.enter_context(_hold(lock, wanted[lock], take))
        yield


@contextlib.contextmanager
def shared(folder, say=None):
    """Share a folder with other runs within a block, and keep out runs that need it alone.

    Parameters
    ----------
    folder : path
    say
        As for `held`.

    Yields
    ------
    bool
        Whether another run shares it already.

    Raises
    ------
    DataError, OSError
        As `held`.
    """
    others, folder = [False], Path(folder)
    with _hold(_resolved(folder) / ".idt.lock", folder, functools.partial(_share, say=_once(say), others=others)):
        yield others[-1]


def sweep(folder, names):
    """Remove the lock files that dead processes left beside the files ``names`` of a ``folder``."""
    for name in names:
        lock_file.remove_free(Path(folder) / f".{hidden_stem(name)}.lock")


def remove_own_locks():
    """Remove the lock files of this process, which is about to end in the middle of its work."""
    for path, (_, descriptor) in list(_held.items()):
        with contextlib.suppress(OSError):
            # Leave the lock file in place if another run shares the lock.
            if descriptor is not None and lock_file.take(descriptor) is not False:
                os.unlink(path)
    for path, descriptor in list(_wanted.items()):
        with contextlib.suppress(OSError):
            # Leave the lock file in place if another run holds the lock.
            if descriptor is None:
                lock_file.remove_free(path)
            elif lock_file.take(descriptor) and lock_file.is_open_file(path, descriptor):
                os.unlink(path)


def _resolved(folder):
    """Return the true path of a folder, which need not exist yet; refuse a path that is no folder.

    A dangling link is refused, too, so that no folder is made at its target.
    """
    if os.path.lexists(folder) and not os.path.isdir(folder):
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder))
    return Path(os.path.realpath(folder))


@contextlib.contextmanager
def _hold(lock, target, take):
    """Hold one lock file within a block; ``take(descriptor, target)`` takes its lock, which protects ``target``."""
    new_folders: list[Path] = []
    with _guard:
        is_held = lock in _held
        if is_held:
            _held[lock][0] += 1
    if not is_held:
        # `_guard` is not held while waiting, because two processes might wait for each other.
        try:
            _held[lock] = [1, _open_and_take(lock, target, take, new_folders)]
        finally:
            _wanted.pop(lock, None)
    try:
        yield
    finally:
        with _guard:
            _held[lock][0] -= 1
            if not _held[lock][0]:
                _release(lock, _held.pop(lock)[1])
        for folder in new_folders:
            with contextlib.suppress(OSError):
                os.rmdir(folder)


def _open_and_take(lock, target, take, new_folders):
    """Return the descriptor of a lock file after taking its lock; None if no lock file can be opened there.

    Folders that had to be made are appended to ``new_folders``.
    """
    while True:
        new_folders.extend(_make_folder(lock.parent))
        _wanted[lock] = None
        try:
            descriptor = lock_file.open_lock(lock)
        except FileNotFoundError:  # its folder was removed meanwhile by the run that had made it
            continue
        if descriptor is None:
            return None
        _wanted[lock] = descriptor
        try:
            take(descriptor, target)
            if lock_file.is_open_file(lock, descriptor):
                return descriptor
        except BaseException:
            _wanted.pop(lock, None)
            os.close(descriptor)
            raise
        # The former holder has removed this lock file; the name is free, or stands for a newer lock file.
        _wanted[lock] = None
        os.close(descriptor)


def _take(descriptor, target, *, say, wait):
    """Take a lock exclusively."""
    if lock_file.take(descriptor) is False:
        if not wait:
            raise BlockingIOError(errno.EWOULDBLOCK, os.strerror(errno.EWOULDBLOCK), str(target))
        say(_announcement(descriptor, target))
        lock_file.take(descriptor, wait=True)
    lock_file.sign(descriptor)


def _share(descriptor, target, *, say, others):
    """Take a shared lock; append to ``others`` whether other runs share it already."""
    until = time.monotonic() + SOON
    while True:
        if lock_file.take(descriptor) is not False:
            lock_file.sign(descriptor)
            others.append(False)
            lock_file.take(descriptor, wait=True, shared=True)
            return
        if lock_file.take(descriptor, shared=True):
            others.append(True)
            return
        if time.monotonic() < until:
            time.sleep(SOON / 20)
            continue
        say(_announcement(descriptor, target))
        lock_file.take(descriptor, wait=True, shared=True)


def _announcement(descriptor, target):
    return f"waiting for {lock_file.holder_of(descriptor)}, which writes {target}"


def _once(say):
    """Return a function that calls ``say`` once only, because a run waits again if a lock file was replaced."""
    lines: list[str] = []

    def first(line):
        if say is not None and not lines:
            lines.append(line)
            say(line)

    return first


def _make_folder(folder):
    """Create a folder; return the folders that were missing, deepest first."""
    missing, at = [], folder
    while not os.path.lexists(at):
        missing.append(at)
        at = at.parent
    folder.mkdir(parents=True, exist_ok=True)
    return missing


def _release(lock, descriptor):
    if descriptor is None:
        return
    # The lock file is removed while its lock is held: a waiting run sees that the name is gone, and makes a new file.
    # The file stays if other runs share the lock.
    with contextlib.suppress(OSError):
        if lock_file.take(descriptor) is not False and lock_file.is_open_file(lock, descriptor):
            os.unlink(lock)
    os.close(descriptor)
