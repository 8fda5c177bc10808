"""List the files below a folder, visiting each folder once, so that links in circles end on any version of Python.

Python's own walks may follow links, and then go around a circle forty times or forever. Here device and inode identify
a folder. Files that macOS and Windows leave beside others are skipped (`is_junk`).
"""

import glob
import os
from pathlib import Path
from typing import NamedTuple

JUNK = frozenset(("__MACOSX", ".DS_Store", "Thumbs.db"))
"""Files and folders that macOS and Windows, and the archives that they make, leave beside others."""


class Repeat(NamedTuple):
    """A second path to a folder: a link to it, or a second mount.

    Attributes
    ----------
    path : Path
    visited : Path
        The name under which the folder was visited.
    is_loop : bool
        The link lies in the folder that it points to.
    """

    path: Path
    visited: Path
    is_loop: bool


class Found(NamedTuple):
    """Files, folders, repeated folders and junk below a folder, each list sorted by name.

    Attributes
    ----------
    files : list of Path
        All entries that are not folders.
    folders : list of Path
    repeats : list of Repeat
    junk : list of Path
        Junk (`is_junk`), not entered.
    """

    files: list[Path]
    folders: list[Path]
    repeats: list[Repeat]
    junk: list[Path]


def is_junk(name):
    """Tell whether another operating system left the file or folder ``name``, such as ``._clip.avi`` of macOS."""
    return name.startswith("._") or name in JUNK


def walk(root, *, follow=False, keep=None):
    """List the files and folders below a folder.

    Parameters
    ----------
    root : str or Path
    follow : bool
        Enter links to folders, too, but after all real folders. So a folder below the root is listed under its real
        path, not under that of a link to it.
    keep : callable, optional
        Takes the name of a file and tells whether it is listed. A tree of frames has millions of files that are not
        needed.

    Returns
    -------
    Found
        Pipes, devices and links to nothing are among the files; `idt.files.source_file.open_source` refuses them. The
        content of a folder without permission is left out.
    """
    root = Path(root)
    files, folders, repeats, junk = [], [], [], []
    # The folders above the root count as visited, because a link to one of them would include the root's neighbours.
    ancestors = Path(os.path.realpath(root)).parents
    visited = {file_key(parent): parent for parent in ancestors if follow}
    pending: list[Path] = [root]
    links: list[Path] = []
    while pending or links:
        folder = (pending or links).pop()
        try:
            with os.scandir(folder) as scan:
                entries = sorted(scan, key=lambda entry: entry.name, reverse=True)
        except OSError:
            continue
        key = file_key(folder)
        if key in visited:
            is_loop = visited[key] in (*folder.parents, *ancestors)
            repeats.append(Repeat(folder, visited[key], is_loop))
            continue
        visited[key] = folder
        folders.append(folder)
        for entry in entries:
            path = folder / entry.name
            if is_junk(entry.name):
                junk.append(path)
            elif not _is_folder(entry):
                if keep is None or keep(entry.name):
                    files.append(path)
            elif not entry.is_symlink():
                pending.append(path)
            elif follow:
                # The lists are stacks, and entries come in reverse order, so the first link by name is entered first.
                links.append(path)
    return Found(sorted(files), sorted(folders), sorted(repeats), sorted(junk))


def matching(pattern):
    """Expand a pattern as `glob.glob` does, ``**`` included, but enter no folder twice.

    Parameters
    ----------
    pattern : str

    Returns
    -------
    list of str
        Sorted. ``**`` enters links to folders, as `walk` does with ``follow``, but no hidden folders. Junk (`is_junk`)
        is left out, unless the pattern names it.
    """
    pattern = escape_existing(pattern)
    before, any_depth, after = _split(pattern)
    if not any_depth:
        named = set(Path(pattern).parts)
        return sorted(path for path in glob.glob(pattern) if not any(map(is_junk, {*Path(path).parts} - named)))
    found = set()
    for base in [""] if not before else glob.glob(before):
        if not os.path.isdir(base or os.curdir):
            continue
        inside = walk(base or os.curdir, follow=True)
        for folder in inside.folders:
            place = os.path.relpath(folder, base or os.curdir)
            if any(step.startswith(".") and step != os.curdir for step in Path(place).parts):
                continue
            place = base if place == os.curdir else os.path.join(base, place)
            rest = after or "*"
            found.update(matching(os.path.join(glob.escape(place), rest) if place else rest))
    return sorted(found)


def fixed_folder(pattern):
    """Return the folder that a ``pattern`` names before its first wildcard."""
    steps = Path(pattern).parts
    ends = range(len(steps))
    wild = (at for at in ends if glob.has_magic(steps[at]) and not os.path.lexists(os.path.join(*steps[: at + 1])))
    first = next(wild, len(steps) - 1)
    return os.path.join(*steps[:first]) if first else os.curdir


def escape_existing(pattern):
    """Escape the leading parts of a ``pattern`` that exist as written, such as a folder ``takes[1]``."""
    steps = pattern.split("/")
    escaped = list(steps)
    for i, step in enumerate(steps):
        if glob.has_magic(step):
            if not os.path.lexists("/".join(steps[: i + 1])):
                break
            escaped[i] = glob.escape(step)
    return "/".join(escaped)


def file_key(path):
    """Return a key that all paths to the file or folder ``path`` share; None if it does not exist."""
    try:
        status = os.stat(path)
    except (OSError, ValueError):
        return None
    # Some file systems have no inodes, and give all files the number 0.
    return (status.st_dev, status.st_ino) if status.st_ino else os.path.realpath(path)


def _is_folder(entry):
    try:
        return entry.is_dir()
    except OSError:
        return False


def _split(pattern):
    """Split a pattern at its first ``**``: the part before it, whether there is one, and the part after it."""
    steps = pattern.split("/")
    if "**" not in steps:
        return pattern, False, ""
    at = steps.index("**")
    while at + 1 < len(steps) and steps[at + 1] == "**":
        del steps[at + 1]
    before = "/".join(steps[:at])
    if at and not before:
        before = "/"
    return before, True, "/".join(steps[at + 1 :])
