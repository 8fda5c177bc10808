"""Check the outputs of a run against its inputs; every command does so before any work.

An output that is an input, under any name, is refused. So is an output among the inputs, because the next run would
read it. ``overwrite`` does not permit that, even if it names the file. `idt.files.ownership` decides which files may be
replaced. Source: docs/method/files.md, section 1.3.
"""

import fnmatch
import glob
import os
import re
import unicodedata
from pathlib import Path

from idt.errors import DataError
from idt.files import ownership
from idt.files.walk import file_key, matching, walk


def check(outputs, inputs=(), *, beside=(), suffixes=(), overwrite=False, unmarked=False):
    """Refuse outputs that would overwrite an input, each other, or a foreign file.

    Parameters
    ----------
    outputs : iterable of path
        Files that the run will write.
    inputs : iterable of str, Path or other
        Files that it reads, folders, patterns such as ``"frames/*.png"`` or ``"img_%05d.jpg"``, lists ``@FILE``.
        Anything that is not the name of a file, such as the index of a camera, passes.
    beside : iterable of path
        Files that the run writes beside its outputs. Those of an earlier run are replaced without ``overwrite``.
    suffixes : collection of str
        Suffixes of the files that are read from a folder. Without suffixes, every existing file of the folder is an
        input, but an output that does not exist yet may lie in it.
    overwrite : bool or collection of path
        As for `idt.files.ownership.check_replaceable`.
    unmarked : bool
        The outputs have a form that carries no mark of its maker. Whether an existing file may be replaced is decided
        when its new content is known (`idt.files.atomic.replacing`).

    Raises
    ------
    DataError
        If an output is an input or lies among the inputs, two outputs are one file, or a file that exists may not be
        replaced.
    OSError
        If it cannot be determined whether an output exists.
    """
    outputs, beside = [Path(path) for path in outputs], [Path(path) for path in beside]
    ownership.check_overwrite(overwrite)
    inputs = [os.fspath(given) for given in inputs if isinstance(given, str | os.PathLike)]
    _refuse_equal([*outputs, *beside])
    _refuse_inputs([*outputs, *beside], inputs, suffixes)
    for path in outputs:
        # Without ``overwrite`` the up-to-date check decides about an existing HDF5 file.
        if not unmarked and os.path.lexists(path) and (overwrite or not _is_hdf5(path)):
            ownership.check_replaceable(path, overwrite)
    for path in beside:
        ownership.check_replaceable(path, overwrite or True)


def _is_hdf5(path):
    from idt.files import hdf5

    try:
        return hdf5.is_hdf5(path)
    except (DataError, OSError):
        return False


def _refuse_equal(outputs):
    """Refuse two outputs that are one file, also where the file system ignores case."""
    taken: dict[str, Path] = {}
    folders: dict[str, tuple[str, bool]] = {}
    for path in outputs:
        folder = os.path.dirname(os.path.abspath(path))
        if folder not in folders:
            folders[folder] = os.path.realpath(folder), ignores_case(folder)
        real_folder, no_case = folders[folder]
        name = unicodedata.normalize("NFC", path.name).casefold() if no_case else path.name
        other = taken.setdefault(os.path.join(real_folder, name), path)
        if other is not path:
            raise DataError(f"{path} and {other} are one file here, and both would be written; rename one")


def ignores_case(folder):
    """Tell whether the file system of a ``folder``, which need not exist yet, ignores case."""
    at = os.path.abspath(folder)
    while not os.path.isdir(at) and at != os.path.dirname(at):
        at = os.path.dirname(at)
    # It suffices to look for one existing folder under its name with upper and lower case exchanged.
    while at != os.path.dirname(at):
        above, name = os.path.split(at)
        if name.swapcase() != name:
            try:
                return os.path.samefile(at, os.path.join(above, name.swapcase()))
            except OSError:
                return False
        at = above
    return False


def _refuse_inputs(outputs, inputs, suffixes):
    """Refuse an output that is an input, or that an input folder or pattern would include in the next run."""
    existing: dict[object, Path] = {}
    by_suffix: dict[str, list[tuple[Path, str]]] = {}
    for path in outputs:
        by_suffix.setdefault(path.suffix.lower(), []).append((path, ownership.entry_path(path)))
        key = file_key(path)
        if key is not None:
            existing[key] = path
    for given in inputs:
        if existing:
            for file in _files_of(given, suffixes):
                path = existing.get(file_key(file))
                if path is not None:
                    raise DataError(f"{path} is an input of this run and would be lost; use another path")
        includes = _inclusion_test(given, suffixes)
        for path, place in _candidates(by_suffix, given, suffixes) if includes else ():
            if includes(place):
                raise DataError(f"{path} lies in {given}, where the next run would read it; use another path")


def _candidates(by_suffix, given, suffixes):
    """Return the outputs that have a suffix of an input's files; only these need the exact test."""
    own = os.path.splitext(given)[1].lower()
    if os.path.isdir(given):
        wanted = suffixes
    elif glob.has_magic(own):
        wanted = by_suffix
    else:
        wanted = [own]
    return [output for suffix in wanted for output in by_suffix.get(suffix, ())]


def _files_of(given, suffixes):
    """Return the existing files that a word of the command line names."""
    if os.path.isdir(given):
        below = walk(given, follow=True).files
        yield from (path for path in below if not suffixes or path.suffix.lower() in suffixes)
    elif os.path.lexists(given):
        yield given
    elif given.startswith("@"):
        yield given[1:]
    elif (pattern := _pattern_of(given)) is not None:
        yield from matching(pattern)


def _pattern_of(given):
    """Return the `glob` pattern in a word; None if it is not a pattern."""
    number = re.search(r"%0?\d*d", os.path.basename(given))
    if number:
        at = len(os.path.dirname(given)) + (os.sep in given)
        head, tail = given[: at + number.start()], given[at + number.end() :]
        return f"{glob.escape(head)}[0-9]*{glob.escape(tail)}"
    return given if glob.has_magic(given) else None


def _inclusion_test(given, suffixes):
    """Return a predicate: whether an input would include a path if it existed. None if it is no folder or pattern."""
    if os.path.isdir(given):
        folder = os.path.join(os.path.realpath(given), "")
        return lambda place: place.startswith(folder) and os.path.splitext(place)[1].lower() in suffixes
    pattern = None if os.path.lexists(given) or given.startswith("@") else _pattern_of(given)
    if pattern is None:
        return None
    folder, name = os.path.split(os.path.abspath(pattern))
    if glob.has_magic(folder):
        whole = os.path.join(folder, name)
        return lambda place: fnmatch.fnmatchcase(place, whole)
    folder = os.path.realpath(folder)
    return lambda place: os.path.dirname(place) == folder and fnmatch.fnmatchcase(os.path.basename(place), name)
