"""Decide whether an existing file may be replaced.

Without ``overwrite`` no file is replaced. With it, a file of ours is replaced, which is recognised by its content: it
is our HDF5, or has a mark or head of `idt.files.marks`. A file of unknown origin is replaced only if the caller names
it. A device or folder is never replaced. Source: docs/method/files.md, section 1.3.
"""

import os
import shlex
import stat
from collections.abc import Collection
from pathlib import Path

from idt.errors import DataError, short_repr
from idt.files import marks

DEVICE_FOLDERS = ("/dev", "/proc", "/sys")
"""Folders whose entries are devices and processes. Only ``/dev/shm`` holds files."""

NOT_OURS = "is not one of this program's files"

PLOTS = {"confusion.png": "report.json", "comparison.png": "comparison.csv"}
"""Pictures of a report, each with the file that a report has beside it. A plot of an earlier release, which carries no
mark, counts as ours if that file exists and is ours."""


def check_replaceable(path, overwrite=False, *, unmarked=False):
    """Refuse an output path whose file must stay.

    Parameters
    ----------
    path : str or Path
    overwrite : bool or collection of path
        Whether a file of ours may be replaced. A collection that is not empty permits that, too, and names files that
        are replaced even if they are not ours.
    unmarked : bool
        The output has a form that carries no mark of its maker. With ``overwrite``, any regular file passes, because
        the caller compares its content with that of the output (`idt.files.atomic.replacing`).

    Raises
    ------
    DataError
        If the file must stay: what it is, and the remedy.
    OSError
        If it cannot be determined whether ``path`` exists.
    """
    path = Path(path)
    check_overwrite(overwrite)
    if _is_device_entry(path):
        raise DataError(f"{path} is not a regular file but a device or a stream; use another path")
    try:
        found = os.lstat(path)
    except FileNotFoundError:
        return
    except OSError as problem:
        raise type(problem)(f"cannot write {path}: {problem.strerror}") from None
    dangling = False
    try:
        found = os.stat(path)
    except OSError:
        dangling = stat.S_ISLNK(found.st_mode)
    if not dangling and not stat.S_ISREG(found.st_mode):
        # Renaming over a device such as /dev/null would replace the device.
        raise DataError(f"{path} is not a regular file, so it cannot be replaced; use another path")
    if not overwrite:
        raise DataError(f"{path} exists{'' if is_ours(path) else ' and ' + NOT_OURS}; {remedy(path)}")
    if not (is_named(path, overwrite) or unmarked or (not dangling and is_ours(path))):
        raise DataError(f"{path} {NOT_OURS}, so it is not replaced; {remedy(path)}")


def remedy(path):
    """Return the end of a message that ``path`` is taken: another path, or the option that replaces this file."""
    if os.path.exists(path) and not os.path.isfile(path):
        return "use another path"
    if is_ours(path):
        return "use another path or --overwrite"
    return f"use another path, or --force {shlex.quote(str(path))} to lose it"


def check_overwrite(overwrite):
    """Refuse an ``overwrite`` that is neither a boolean nor a collection of paths."""
    if not isinstance(overwrite, bool | Collection) or isinstance(overwrite, str | bytes):
        raise DataError(f"overwrite must be True, False or a list of the files to replace, got {short_repr(overwrite)}")


def is_named(path, overwrite):
    """Tell whether ``overwrite`` names the file ``path``, with any spelling of its folder."""
    if isinstance(overwrite, bool):
        return False
    return any(entry_path(path) == entry_path(given) or _same_entry(path, given) for given in overwrite)


def entry_path(path):
    """Return the absolute name of ``path`` with the links in its folder followed, but not ``path`` itself."""
    folder, name = os.path.split(os.path.abspath(path))
    return os.path.join(os.path.realpath(folder), name)


def is_ours(path):
    """Tell by its content whether this program wrote the regular file ``path``.

    An empty file counts as ours, because there is nothing in it to lose. A file that cannot be read is not ours.
    """
    from idt.files import hdf5

    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        found = os.fstat(descriptor)
        if not stat.S_ISREG(found.st_mode):
            return False
        # A run that was killed may leave an empty file.
        if found.st_size == 0 or marks.is_marked(descriptor):
            return True
        companion = PLOTS.get(os.path.basename(path))
        if companion is not None and marks.is_earlier_plot(descriptor):
            return is_ours(os.path.join(os.path.dirname(path), companion))
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return hdf5.is_ours(path)


def _same_entry(path, given):
    """Tell whether two spellings name one entry of one folder, because the file system ignores case."""
    (folder, name), (other, given_name) = (os.path.split(os.path.abspath(one)) for one in (path, given))
    try:
        alike = name.casefold() == given_name.casefold() and os.path.samefile(folder, other)
        return alike and os.path.samefile(path, given)
    except OSError:
        return False


def _is_device_entry(path):
    """Tell whether a path is, or links to, a device or process entry such as ``/dev/stdout``."""
    for place in (entry_path(path), os.path.realpath(path)):
        inside = any(place == home or place.startswith(f"{home}/") for home in DEVICE_FOLDERS)
        if inside and not place.startswith("/dev/shm/"):
            return True
    return False
