"""Record of one video's flow files: their source, parameters, versions, numbers and digests.

``.flow/NAME.json`` below the output folder is written before the files take their names, so that a later run recognises
them as ours. It is written again when they are complete. Source: docs/method/flow.md, section 4.
"""

import json
import os
from pathlib import Path
from typing import Any, NamedTuple

from idt.errors import DataError
from idt.files import atomic, json_text, provenance, versions
from idt.files import text as texts
from idt.files.marks import TOOL
from idt.files.walk import walk

FORMAT, VERSION = "idt-flow", 1

FOLDER = ".flow"


class Record(NamedTuple):
    """Provenance and content of the flow files of a video.

    Attributes
    ----------
    params, source, made_with : dict
        As in feature files.
    flows, images : int
        Numbers of flows and of frames that are written.
    size : tuple of int
        Width and height of the frames, in pixels.
    units : dict of str to str
        SHA-256 of each folder or file, by its path below the output folder; empty before they are written.
    complete : bool
        Whether all files have their final names.
    """

    params: dict[str, Any]
    source: dict[str, Any]
    made_with: dict[str, str]
    flows: int
    images: int
    size: tuple[int, int]
    units: dict[str, str]
    complete: bool


def path_of(folder, name):
    """Return where the record of the video ``name`` lies below an output ``folder``."""
    return Path(folder) / FOLDER / f"{name}.json"


def find(folder):
    """List the records of flow files below an output ``folder``, sorted; none if there is no such folder."""
    place = Path(folder) / FOLDER
    return sorted(path for path in walk(place).files if path.suffix == ".json") if place.is_dir() else []


def made_with(params, source):
    """Return the versions that flow files of ``params`` from a ``source`` depend on, as in feature files."""
    return versions.made_with("idt-features", params, source)


def read(path):
    """Read a record.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    Record or None
        None if there is no such file.

    Raises
    ------
    DataError
        If the file is no record.
    """
    if not os.path.lexists(path):
        return None
    what = "a record of flow files"
    content = json_text.loads(texts.read_text(path, what=what), str(path), what=what)
    kinds = {"params": dict, "source": dict, "made_with": dict, "flows": int, "images": int, "units": dict}
    fits = isinstance(content, dict) and content.get("format") == FORMAT and content.get("version") == VERSION
    if not fits or not all(isinstance(content.get(name), kind) for name, kind in kinds.items()):
        raise DataError(f"{path} is no record of flow files of this version; use another folder, or remove it")
    size = content.get("size")
    if not (isinstance(size, list) and len(size) == 2 and all(isinstance(side, int) for side in size)):
        raise DataError(f"{path} is no record of flow files of this version; use another folder, or remove it")
    found = {name: content[name] for name in kinds}
    return Record(**found, size=(size[0], size[1]), complete=content.get("complete") is True)


def write(path, record):
    """Write a ``record`` to a ``path``, over an earlier one of ours.

    Raises
    ------
    DataError
        If the path is somebody else's file.
    OSError
        If it cannot be written.
    """
    content = {"tool": TOOL, "format": FORMAT, "version": VERSION, **record._asdict()}
    with atomic.replacing(path, overwrite=True) as file:
        file.write(json.dumps(content, indent=1).encode() + b"\n")


def is_current(path, wanted, *, overwrite=False):
    """Tell whether flow files are complete and made as this run would make them.

    Parameters
    ----------
    path : str or Path
        Of the record.
    wanted : Record
        Its parameters, source and versions count.
    overwrite : bool or collection of path
        If true, return False for files that differ, so that they are made again, instead of refusing them.

    Returns
    -------
    bool

    Raises
    ------
    DataError
        If they were made with other parameters, source or versions, and ``overwrite`` does not permit to replace them.
    """
    found = read(path)
    if found is None or not found.complete:
        return False
    if found.source.get("digest") != wanted.source.get("digest") or not wanted.source.get("digest"):
        difference = "was made from another video"
    elif found.params != provenance.as_json_values(wanted.params):
        names = sorted(name for name in {*found.params, *wanted.params} if _differ(name, found, wanted))
        recorded = ", ".join(f"{name}={found.params.get(name)}" for name in names)
        asked = ", ".join(f"{name}={wanted.params.get(name)}" for name in names)
        difference = f"was made with {recorded}, this run asks for {asked}"
    else:
        difference = versions.difference(found.made_with, wanted.made_with) or ""
    if difference and not overwrite:
        raise DataError(f"{path}: the flow {difference}; use another folder or --overwrite")
    return not difference


def _differ(name, found, wanted):
    return found.params.get(name) != provenance.as_json_values(wanted.params).get(name)
