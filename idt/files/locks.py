"""Locks that keep two runs apart; the system frees them with the process that holds them, however that ends.

A run that writes into a folder or a file holds `flock` on a hidden, otherwise unimportant file: ``.idt.lock`` in the
folder, ``.NAME.lock`` beside the file. A second run waits for it, and then finds the work of the first. The lock file
is removed by its holder while it holds it; one that a killed run left is taken over by the next. On a file system
without locks, or in a folder that cannot be written, runs go on without one (docs/method/files.md, section 1.4).
"""

import contextlib
import errno
import fcntl
import hashlib
import os
import platform
import re
import stat
import sys
import threading
from pathlib import Path

from idt.errors import DataError

UNSUPPORTED = frozenset((errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS))
"""Errors of a file system that has no locks."""

LONGEST = 100
"""Bytes of a file's name that may stand in the name of a hidden file beside it; of a longer one its digest does."""

HEAD = b"lock of improved-dense-trajectories, "
"""The beginning of a lock file, by which a stranger's file of that name is told apart."""

_held: dict[Path, list] = {}
_wanted: dict[Path, int | None] = {}
"""Locks that a thread is about to take, and the descriptor of each as soon as it is open."""

_guard = threading.Lock()


def stem(name):
    """Return what stands for the file ``name`` in the name of a hidden file: the name, or its digest if it is long."""
    raw = os.fsencode(name)
    return name if len(raw) <= LONGEST else hashlib.sha256(raw).hexdigest()[:32]


def take(descriptor, *, wait=False):
    """Take the lock of an open file.

    Parameters
    ----------
    descriptor : int
    wait : bool
        Wait until nobody else has it.

    Returns
    -------
    bool or None
        Whether we have it; None where the file system has no locks.
    """
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        return False
    except OSError as problem:
        if problem.errno in UNSUPPORTED:
            return None
        raise
    return True


def is_open_file(path, descriptor):
    """Tell whether the name ``path`` still means the file that is open as ``descriptor``."""
    try:
        return os.path.samestat(os.lstat(path), os.fstat(descriptor))
    except OSError:
        return False


@contextlib.contextmanager
def held(*, files=(), folders=(), say=None):
    """Keep other runs out of files and folders within a block; wait for those that are in it.

    Folders that are missing are made, and removed again if nothing was written into them. A lock that this process
    holds already is held on.

    Parameters
    ----------
    files, folders : iterable of path
    say : callable, optional
        Called with one line before a wait: for whom.

    Raises
    ------
    DataError
        If a stranger's file has the name of a lock file.
    OSError
        If a folder cannot be made.
    """
    wanted = {_resolved(folder) / ".idt.lock": folder for folder in map(Path, folders)}
    for path in map(Path, files):
        wanted[_resolved(path.parent) / f".{stem(path.name)}.lock"] = path
    with contextlib.ExitStack() as stack:
        # In one order, so that no two runs wait for each other.
        for lock in sorted(wanted):
            stack.enter_context(_one(lock, wanted[lock], say))
        yield


def sweep(folder, names):
    """Remove the lock files beside the files ``names`` of a ``folder`` that dead processes left."""
    for name in names:
        _remove_free(Path(folder) / f".{stem(name)}.lock")


def abandon():
    """Remove the lock files of this process, which is about to end in the middle of its work."""
    for path in list(_held):
        with contextlib.suppress(OSError):
            os.unlink(path)
    for path, descriptor in list(_wanted.items()):
        with contextlib.suppress(OSError):
            # Another run's stays: it holds it.
            if descriptor is None:
                _remove_free(path)
            elif take(descriptor) and is_open_file(path, descriptor):
                os.unlink(path)


def _resolved(folder):
    """The true name of a folder; a link to nothing is not followed, or a folder would be made where it points."""
    if os.path.lexists(folder) and not os.path.isdir(folder):
        raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(folder))
    return Path(os.path.realpath(folder))


@contextlib.contextmanager
def _one(lock, target, say):
    made: list[Path] = []
    with _guard:
        is_mine = lock in _held
        if is_mine:
            _held[lock][0] += 1
    if not is_mine:
        # Other threads go on meanwhile, or two processes might wait for each other's.
        try:
            _held[lock] = [1, _locked(lock, target, say, made)]
        finally:
            _wanted.pop(lock, None)
    try:
        yield
    finally:
        with _guard:
            _held[lock][0] -= 1
            if not _held[lock][0]:
                _release(lock, _held.pop(lock)[1])
        for folder in made:
            with contextlib.suppress(OSError):
                os.rmdir(folder)


def _locked(lock, target, say, made):
    """The descriptor of a lock file that is ours now; None where there can be none."""
    told = False
    while True:
        made.extend(_make(lock.parent))
        _wanted[lock] = None
        try:
            descriptor = _open(lock)
        except FileNotFoundError:  # its folder was removed meanwhile by the run that had made it
            continue
        if descriptor is None:
            return None
        _wanted[lock] = descriptor
        try:
            got = take(descriptor)
            if got is False and not told and say is not None:
                say(f"waiting for {_holder(descriptor)}, which writes {target}")
                told = True
            if (got is None or got or take(descriptor, wait=True)) and is_open_file(lock, descriptor):
                _sign(lock, descriptor)
                return descriptor
        except BaseException:
            _wanted.pop(lock, None)
            os.close(descriptor)
            raise
        # Its holder removed it when it was done: the next one is another file.
        _wanted[lock] = None
        os.close(descriptor)


def _make(folder):
    """Make a folder; those that were missing, the deepest first."""
    missing, at = [], folder
    while not os.path.lexists(at):
        missing.append(at)
        at = at.parent
    folder.mkdir(parents=True, exist_ok=True)
    return missing


def _open(lock):
    """The descriptor of a lock file; None where none can be made."""
    flags = os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
    try:
        descriptor = os.open(lock, os.O_RDWR | os.O_CREAT | flags, 0o666)
    except FileNotFoundError:
        raise
    except OSError as problem:
        if problem.errno in (errno.ELOOP, errno.EISDIR, errno.ENXIO):
            raise _in_the_way(lock) from None
        # Another user's may be read, and that is enough to wait for it. Where nothing can be read nor made, on a full
        # disk or one that is read-only, the run will find out by itself whether it can write.
        try:
            descriptor = os.open(lock, os.O_RDONLY | flags)
        except OSError:
            return None
    if not _is_lock(descriptor):
        os.close(descriptor)
        raise _in_the_way(lock)
    return descriptor


def _remove_free(lock):
    """Remove a lock file of ours that nobody holds."""
    try:
        descriptor = os.open(lock, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return  # there is none, or it is another user's
    try:
        if _is_lock(descriptor) and take(descriptor) and is_open_file(lock, descriptor):
            os.unlink(lock)
    except OSError:
        pass  # what cannot be removed stays
    finally:
        os.close(descriptor)


def _is_lock(descriptor):
    """Whether an open file is a lock file of ours. It is empty if its holder was killed before it signed."""
    return stat.S_ISREG(os.fstat(descriptor).st_mode) and HEAD.startswith(os.pread(descriptor, len(HEAD), 0))


def _in_the_way(lock):
    return DataError(f"{lock} is no lock file of ours, but has the name of one; move it away")


def _sign(lock, descriptor):
    """Write down who holds a lock; whoever waits says so."""
    text = f"{os.getpid()} {os.path.basename(sys.argv[0])} {platform.node()}\n".encode("utf-8", "replace")
    with contextlib.suppress(OSError):
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, HEAD + text, 0)


def _holder(descriptor):
    """Who holds a lock, in words, as far as it is written down."""
    text = os.pread(descriptor, 400, 0).removeprefix(HEAD).decode("utf-8", "replace")
    found = re.fullmatch(r"([0-9]{1,12}) (\S{0,60}) (\S{0,100})\n", text)
    if found is None or not text.strip().isprintable():
        return "another run"
    return f"process {found[1]} ({found[2]}) on {found[3]}"


def _release(lock, descriptor):
    if descriptor is None:
        return
    # Held on while the name goes: whoever waits for it sees that it is gone, and makes another.
    if is_open_file(lock, descriptor):
        with contextlib.suppress(OSError):
            os.unlink(lock)
    os.close(descriptor)
