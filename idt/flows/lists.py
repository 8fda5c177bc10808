"""Lists of videos with flow files, as TSN and MMAction2 read them: ``folder frames label`` on every line.

The class of a video is the folder that it lies in. Its label is the index of its class among the sorted names of all
classes. The lists hold all videos of an output folder, also those of earlier runs.

Source: docs/method/flow.md, section 2.
"""

import os
from pathlib import Path

from idt.errors import DataError
from idt.files import atomic, outputs, ownership
from idt.files import text as texts
from idt.flows import record

FLOW, RGB, CLASSES = "flow_list.txt", "rgb_list.txt", "classes.txt"


def write(folder, *, overwrite=False):
    """Write the lists of a folder.

    Parameters
    ----------
    folder : str or Path
    overwrite : bool or collection of path
        Files that somebody else made are replaced only if this collection names them.

    Returns
    -------
    list of Path
        The lists that were written; none if a video lies in no folder, which would be its class.

    Raises
    ------
    DataError
        If a name holds a blank, at which the lists are split, or a list is somebody else's.
    """
    place = Path(folder) / record.FOLDER
    records = {_name(path, place): record.read(path) for path in record.find(folder)}
    known = {name: found for name, found in sorted(records.items()) if found.complete}
    classes = sorted({name.rpartition("/")[0] for name in known})
    if not classes or "" in classes:
        return []
    spaced = [name for name in known if name.split() != [name]]
    if spaced:
        raise DataError(f"{spaced[0]!r} holds a blank, at which lists of videos are split; rename it")
    lines_of = {CLASSES: classes, FLOW: _lines({name: found.flows for name, found in known.items()}, classes)}
    images = {name: found.images for name, found in known.items() if found.images}
    if images:
        lines_of[RGB] = _lines(images, classes)
    elif _is_ours(Path(folder) / RGB, classes):
        os.unlink(Path(folder) / RGB)
    paths = []
    for name, lines in lines_of.items():
        path = Path(folder) / name
        permits = [path] if _is_ours(path, classes) else overwrite
        with atomic.replacing(path, overwrite=permits) as file:
            file.write("".join(f"{line}\n" for line in lines).encode())
        paths.append(path)
    return paths


def check(folder, inputs, *, overwrite=False):
    """Refuse lists in a ``folder`` that are ``inputs`` of the run, or files of others that ``overwrite`` does not name.

    Raises
    ------
    DataError
        If there is one.
    """
    paths = [Path(folder) / name for name in (FLOW, RGB, CLASSES)]
    outputs.check(paths, inputs, unmarked=True)
    place = Path(folder) / record.FOLDER
    names = {_name(path, place) for path in record.find(folder)}
    for path in paths:
        if os.path.lexists(path) and not _is_ours(path, {name.rpartition("/")[0] for name in names}):
            ownership.check_replaceable(path, overwrite)


def _lines(counts, classes):
    return [f"{name} {count} {classes.index(name.rpartition('/')[0])}" for name, count in counts.items()]


def _name(path, place):
    return path.relative_to(place).with_suffix("").as_posix()


def _is_ours(path, classes):
    """Tell whether a list names only videos with a record, or only their classes."""
    if os.path.islink(path) or not os.path.isfile(path):
        return False
    try:
        words = [line.split() for _, line in texts.numbered_lines(path)]
    except DataError:
        return False
    if path.name == CLASSES:
        return all(" ".join(line) in classes for line in words)
    return all(len(line) == 3 and record.path_of(path.parent, line[0]).is_file() for line in words)
