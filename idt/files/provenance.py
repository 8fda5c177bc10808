"""Whether a file that exists is the one that a run would write: same format, parameters and source.

`is_current` is the one up-to-date check of all commands. Source: docs/method/files.md, section 1.
"""

import dataclasses
import hashlib
import json
import os
from pathlib import Path

from idt.errors import DataError
from idt.files import hdf5, ownership, text

REMEDY = "use another path or --overwrite"

DESCRIPTIVE = frozenset(("kind", "path", "name", "bytes", "truncation"))
"""Entries of ``source`` that give the name, the place or the damage of a source, but not its content."""


def is_current(path, *, format, version, params, source, overwrite=False):
    """Tell whether a file may stay, because the run would write the same.

    Parameters
    ----------
    path : str or Path
    format : str
    version : int or sequence of int
    params : dataclass, dict or None
        The run's options, as `idt.files.result_file.create` would record them.
    source : dict
        The source as the run would record it. All but the `DESCRIPTIVE` entries are compared.
    overwrite : bool or collection of path
        The run may replace a file of ours that was made otherwise, and one that the collection names.

    Returns
    -------
    bool
        True if the file has the same format, parameters and source digest. False if there is no such file, or another
        one that the run may replace.

    Raises
    ------
    DataError
        If another file exists that may not be replaced. The message says what was expected, what was found, and the
        remedy.

    Notes
    -----
    docs/method/files.md, section 1. A source without a digest (arrays, a camera) is never current, because nothing
    tells two of them apart.
    """
    if not os.path.lexists(path):
        return False
    difference = _difference(path, format, version, plain(params) or {}, plain(source) or {})
    if difference is not None:
        if not overwrite:
            raise DataError(f"{difference}; {ownership.remedy(path)}")
        ownership.refuse(path, overwrite)
    return difference is None


def plain(values):
    """Return ``values``, a dataclass or dict, as the dict that its JSON would come back as; None stays None."""
    if values is None:
        return None
    if dataclasses.is_dataclass(values) and not isinstance(values, type):
        values = dataclasses.asdict(values)
    return json.loads(json.dumps(values))


def digest(path):
    """Return the SHA-256 of a file's content; of a folder, of the sorted relative names and contents of its files.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    str
        64 hexadecimal digits.

    Raises
    ------
    OSError
        If something cannot be read.
    """
    path = Path(path)
    if not path.is_dir():
        return _file_hash(path).hexdigest()
    whole = hashlib.sha256()
    files = (item for item in path.rglob("*") if item.is_file())
    for name, item in sorted((item.relative_to(path).as_posix(), item) for item in files):
        # Each part has a fixed length, so no two folders run together into the same bytes.
        whole.update(hashlib.sha256(os.fsencode(name)).digest())
        whole.update(_file_hash(item).digest())
    return whole.hexdigest()


def _difference(path, format, version, wanted, source):
    """Say in one line why an existing file is not the one that the run would write; None if it is."""
    try:
        with hdf5.open_checked(path, format=format, versions=version) as file:
            found, origin = hdf5.json_attribute(file, "params") or {}, hdf5.json_attribute(file, "source") or {}
    except (DataError, OSError) as problem:
        return str(problem)
    differ = [key for key in sorted({*found, *wanted}) if found.get(key, ...) != wanted.get(key, ...)]
    if differ:
        before = _list(found, differ, "with ", "without ")
        return f"{path} was written {before}, this run asks for {_list(wanted, differ)}"
    if not source.get("digest"):
        return f"{path} exists, and a source without a digest cannot be told from another"
    for key in sorted({*origin, *source} - DESCRIPTIVE):
        if origin.get(key) != source.get(key):
            before, now = (f"{values[key]!s:.12}" if key in values else "none" for values in (origin, source))
            return f"{path} was made from a source with {key} {before}, this run's has {now}"
    return None


def _file_hash(path):
    result = hashlib.sha256()
    with text.opened(path) as file:
        while block := file.read(1 << 20):
            result.update(block)
    return result


def _list(values, keys, present="", absent="no "):
    return ", ".join(f"{present}{key}={values[key]}" if key in values else f"{absent}{key}" for key in keys)
