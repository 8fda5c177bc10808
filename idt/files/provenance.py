"""Up-to-date check of an existing file: format, parameters, source and versions.

`is_current` is the one up-to-date check of all commands. Source: docs/method/files.md, section 1.
"""

import dataclasses
import hashlib
import json
import os
from pathlib import Path

from idt.errors import DataError
from idt.files import hdf5, ownership, versions
from idt.files.source_file import open_source
from idt.files.walk import walk

REMEDY = "use another path or --overwrite"
"""End of the messages about an existing file of ours that differs."""

DESCRIPTIVE = frozenset(("kind", "path", "name", "bytes", "truncation", "decoder"))
"""Entries of ``source`` that give the name, the place or the damage of a source, but not its content.

The version of the decoder is an entry of ``made_with``, and is compared there (`made_with_of`).
"""


def is_current(path, *, format, version, params, source, overwrite=False, made_with=None):
    """Tell whether a file is up to date, so that the run need not write it.

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
    made_with : dict, optional
        As for `idt.files.result_file.create`.

    Returns
    -------
    bool
        True if the file has the same format, parameters, source digest and versions. False if there is no such file, or
        another one that the run may replace.

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
    made_with = versions.made_with(format, params, source) if made_with is None else made_with
    difference = _difference(
        path, format, version, as_json_values(params) or {}, as_json_values(source) or {}, made_with
    )
    if difference is not None:
        if not overwrite:
            raise DataError(f"{difference}; {ownership.remedy(path)}")
        ownership.check_replaceable(path, overwrite)
    return difference is None


def as_json_values(values):
    """Return ``values``, a dataclass or dict, as a dict with the types that JSON gives back; None stays None."""
    if values is None:
        return None
    if dataclasses.is_dataclass(values) and not isinstance(values, type):
        values = dataclasses.asdict(values)
    return json.loads(json.dumps(values))


def digest(path):
    """Return the SHA-256 of a file, or of the sorted relative names and contents of the files of a folder.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    str
        64 hexadecimal digits.

    Raises
    ------
    DataError
        If it is a pipe or a device, or was changed meanwhile.
    OSError
        If something cannot be read.
    """
    path = Path(path)
    if not path.is_dir():
        return _file_digest(path)
    whole = hashlib.sha256()
    files = (item for item in walk(path).files if item.is_file())
    for name, item in sorted((item.relative_to(path).as_posix(), item) for item in files):
        # Each part has a fixed length, so no two folders run together into the same bytes.
        whole.update(hashlib.sha256(os.fsencode(name)).digest())
        whole.update(bytes.fromhex(_file_digest(item)))
    return whole.hexdigest()


def made_with_of(file):
    """Read the versions that an open ``file`` of ours records; None if it has none."""
    try:
        return hdf5.json_attribute(file, "made_with")
    except DataError:
        return None


def _difference(path, format, version, params, source, made_with):
    """Return a one-line reason why an existing file is not up to date; None if it is."""
    try:
        with hdf5.open_checked(path, format=format, versions=version) as file:
            recorded = hdf5.json_attribute(file, "params") or {}
            recorded_source = hdf5.json_attribute(file, "source") or {}
            recorded_versions = made_with_of(file)
    except (DataError, OSError) as problem:
        return str(problem)
    differ = [key for key in sorted({*recorded, *params}) if recorded.get(key, ...) != params.get(key, ...)]
    if differ:
        was = _phrase(recorded, differ, "with ", "without ")
        return f"{path} was written {was}, this run asks for {_phrase(params, differ)}"
    if not source.get("digest"):
        return f"{path} exists, and a source without a digest cannot be told from another"
    for key in sorted({*recorded_source, *source} - DESCRIPTIVE):
        if recorded_source.get(key) != source.get(key):
            was, now = (f"{values[key]!s:.12}" if key in values else "none" for values in (recorded_source, source))
            return f"{path} was made from a source with {key} {was}, this run's has {now}"
    reason = versions.difference(recorded_versions, made_with)
    return reason and f"{path} {reason}"


def _file_digest(path):
    with open_source(path) as file:
        return file.digest()


def _phrase(values, keys, present="", absent="no "):
    """Return a phrase such as ``with length=15, without fps`` about the ``keys`` of ``values``, for messages."""
    return ", ".join(f"{present}{key}={values[key]}" if key in values else f"{absent}{key}" for key in keys)
