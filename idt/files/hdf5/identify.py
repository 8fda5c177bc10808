"""Identify an HDF5 file without libhdf5: whether it is ours, whether an earlier release wrote it, and its format.

Source: docs/method/files.md, section 1.
"""

from idt.errors import DataError
from idt.files import text
from idt.files.hdf5.guard import GuardedFile
from idt.files.hdf5.headers import TEXT, VARIABLE_LENGTH

SIGNATURE = b"\x89HDF\r\n\x1a\n"

ROOT_ATTRIBUTES = ("format", "version", "tool", "params", "source")
"""The root attributes of every file of ours."""

TEXT_GROUP = "text"
"""The group of the texts that are too long for an attribute."""


def is_hdf5(path):
    """Tell whether the file ``path`` begins as HDF5 does.

    Raises
    ------
    DataError
        If ``path`` is a folder or a device.
    OSError
        If it does not exist or cannot be read.
    """
    with text.open_regular(path) as file:
        return file.read(len(SIGNATURE)) == SIGNATURE


def is_ours(path):
    """Tell whether a file is HDF5 that this or an earlier release wrote, whatever its format.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    bool
        False also for a file that is damaged, absent or cannot be read.
    """
    try:
        if not is_hdf5(path):
            return False
        with GuardedFile(path) as guard:
            root = guard.root()
            if is_of_earlier_release(guard):
                return True
            stored_format = root.attributes.get("format")
            # A text that is too long for an attribute lies in the group.
            names = {*root.attributes, *(guard.find(TEXT_GROUP) or root).links}
            is_text = stored_format is not None and stored_format.kind == TEXT
            return set(ROOT_ATTRIBUTES) <= names and is_text and stored_format.data.startswith(b"idt-")
    except (DataError, OSError):
        return False


def is_of_earlier_release(guard):
    """Tell whether an earlier release wrote the open ``guard`` (`idt.files.hdf5.guard.GuardedFile`)."""
    root = guard.root()
    if root.heap is not None and "format" not in root.attributes:
        return guard.names_in_heap(root.heap, ROOT_ATTRIBUTES)
    return set(ROOT_ATTRIBUTES) <= {*root.attributes} and root.attributes["format"].kind == VARIABLE_LENGTH


def format_of(path):
    """Return the name of the format of an HDF5 file of ours.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    str or None
        None for any other file, for one that is damaged, and for one that an earlier release wrote.

    Raises
    ------
    DataError
        If it is a folder or a device.
    OSError
        If it does not exist or cannot be read.
    """
    if not is_hdf5(path):
        return None
    with GuardedFile(path) as guard:
        try:
            value = guard.root().attributes.get("format")
        except DataError:
            return None
    return None if value is None or value.kind != TEXT else value.data.rstrip(b"\0").decode(errors="replace")
