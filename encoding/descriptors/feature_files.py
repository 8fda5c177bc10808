"""Feature files: their names, headers and parameters.

A file's video name is the name that the extraction recorded, if every file has recorded one, each path ends in it, and
no two are equal. Otherwise it is the file's path relative to the folder common to all, without suffix. Recorded names
come first, because they do not depend on which files are given. Paths serve files that were renamed or extracted one by
one.
"""

import os
from pathlib import Path
from typing import NamedTuple

from idt.errors import DataError
from idt.features import feature_file
from idt.features.content_digest import ATTRIBUTE
from idt.features.reader import track_count
from idt.files import hdf5
from idt.files.walk import file_key, matching, walk
from idt.params import layout
from idt.params.extraction import ExtractionParams

SEGMENT = ("start", "end")
"""Parameters of an extraction that do not change what a descriptor means."""

PROJECTED = "projected"
"""The parameter with the digest of the codebook along whose axes descriptors are stored."""

NETWORK = "network"
"""The parameter with the provenance of blocks of networks."""

OUR_SUFFIXES = (".h5", ".hdf5")
SUFFIXES = (".gz", ".bz2", ".xz", ".txt", ".features", ".bin", *OUR_SUFFIXES)


class Header(NamedTuple):
    """Header of a feature file; a value that is not recorded is None.

    Attributes
    ----------
    name : str or None
        Name of the video.
    params : dict or None
        As from `comparison_params`.
    rows : int or None
        Number of tracks.
    content : str or None
        Digest of what the file holds (`idt.features.content_digest`).
    """

    name: str | None = None
    params: dict | None = None
    rows: int | None = None
    content: str | None = None


def header(path):
    """Read the header of a feature file.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    Header
        All fields are None for rows that another program wrote.

    Raises
    ------
    DataError
        If its content or suffix is HDF5's, but it is no feature file.
    OSError
        If it does not exist or cannot be read.
    """
    if not hdf5.is_hdf5(path):
        if str(path).endswith(OUR_SUFFIXES):
            what = "no HDF5 file, whatever its name says" if os.path.getsize(path) else "empty (0 bytes)"
            raise DataError(f"{path} is {what}: no feature file; move it away, or extract its video again")
        return Header()
    with hdf5.open_checked(path, format=feature_file.FORMAT, versions=feature_file.VERSIONS) as file:
        name = (hdf5.json_attribute(file, "source") or {}).get("name")
        count, content = track_count(file), hdf5.attribute(file, ATTRIBUTE, str, None)
        try:
            params = comparison_params(hdf5.json_attribute(file, "params"))
        except DataError as problem:
            raise DataError(f"{path}: {problem}") from None
        return Header(name if isinstance(name, str) else None, params, count, content)


def comparison_params(params):
    """Return those extraction ``params`` that descriptors must share to be compared; None if none are recorded."""
    if params is None:
        return None
    found = feature_file.extraction_params(feature_file.stored_params(params))
    special = {name: params[name] for name in (PROJECTED, NETWORK) if name in params}
    return {**{name: value for name, value in found.items() if name not in SEGMENT}, **special}


def extraction_of(params, name):
    """Return the extraction parameters that make features of new videos comparable to given ones.

    Parameters
    ----------
    params : dict
        Extraction parameters as from `comparison_params`.
    name : str or Path
        Name of the codebook in messages.

    Returns
    -------
    ExtractionParams

    Raises
    ------
    DataError
        If the features have blocks of networks, which are made with feature files only.
    """
    if NETWORK in params:
        raise DataError(
            f"{name} was fitted on features with maps of networks, which videos alone do not give; extract them"
            " with idt-extract --maps, then encode the features"
        )
    return ExtractionParams.from_options(**params)


def sizes_of(params, descriptors):
    """Return the number of columns of each descriptor of an extraction.

    Parameters
    ----------
    params : dict or None
        As from `comparison_params`. None for rows that another program wrote; their sizes are those of the authors'
        release.
    descriptors : sequence of str

    Returns
    -------
    dict of str to int
    """
    fields = {name: params[name] for name in ("length", "cells", "time_cells")} if params else {}
    widths = {**layout.block_sizes(**fields), **((params or {}).get(NETWORK) or {}).get("blocks", {})}
    missing = [name for name in descriptors if name not in widths]
    if missing:
        there = [name for name in widths if name not in layout.DESCRIPTORS]
        raise DataError(
            f"these features have no block {missing[0]}; "
            + (f"networks gave {', '.join(there)}" if there else "idt-extract --maps makes blocks of networks")
        )
    return {name: widths[name] for name in descriptors}


def find(given):
    """Find the feature files that the words of a command line match.

    Parameters
    ----------
    given : list of str
        Files, folders (all ``.h5`` below; our vectors, codebooks and models among them are passed over), patterns.

    Returns
    -------
    list of Path
        In the order given; the files of a folder or pattern by name.

    Raises
    ------
    DataError
        If a word matches nothing, or a file is given twice.
    """
    files: dict[str, Path] = {}
    names: dict[object, Path] = {}
    for word in given:
        paths = matching(word) if not os.path.lexists(word) else [word]
        found = [path for expanded in paths for path in _expand(Path(expanded))]
        if not found:
            raise DataError(
                f"{word} " + ("is a folder without feature files (.h5)" if os.path.isdir(word) else "does not exist")
            )
        for path in found:
            if files.setdefault(os.path.abspath(path), path) is not path:
                raise DataError(f"{path} is given twice")
            key = file_key(path)
            if key is not None and names.setdefault(key, path) is not path:
                raise DataError(f"{path} is given twice: {names[key]} is another name of it; name it once")
    return list(files.values())


def names_of(files):
    """Name the videos of feature files, as the head of this module says.

    Parameters
    ----------
    files : list of str or Path

    Returns
    -------
    list of str
        All different.

    Raises
    ------
    DataError
        If two files have one name.
    """
    stems = [_stem(os.path.abspath(path)) for path in files]
    recorded = [header(path).name for path in files]
    if len(set(recorded)) == len(files) and all(
        name and f"/{stem}".endswith(f"/{name}") for stem, name in zip(stems, recorded, strict=True)
    ):
        return recorded
    root = os.path.commonpath([os.path.dirname(stem) for stem in stems])
    names: dict[str, str] = {}
    for path, stem in zip(files, stems, strict=True):
        name = Path(os.path.relpath(stem, root)).as_posix()
        if name in names:
            raise DataError(f"{path} and {names[name]} have one name, {name!r}; move one to another folder")
        names[name] = path
    return list(names)


def _expand(path):
    """Return the file, or the feature files of a folder."""
    if not path.is_dir():
        return [path]
    files = (found for found in walk(path, follow=True).files if found.suffix == ".h5" and found.is_file())
    return [found for found in files if not _is_a_result(found)]


def _is_a_result(path):
    """Tell whether a file is one of ours, but no feature file."""
    form = hdf5.format_of(path) or ""
    return form.startswith("idt-") and form != feature_file.FORMAT


def _stem(path):
    """Return a path without the suffixes of feature files."""
    for suffix in SUFFIXES:
        path = path.removesuffix(suffix)
    return path
