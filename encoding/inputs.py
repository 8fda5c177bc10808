"""Where descriptors come from: feature files of any kind, `Features`, or plain arrays, under the names of their videos.

A file's video name is the one recorded when it was extracted, if every file has one, each is where its path ends, and
no two are equal; otherwise each file's path relative to the folder common to all, without suffix. The first holds
whichever part of a set is given; the second is for files that were renamed, or extracted one by one.
"""

import glob
import hashlib
import json
import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np

from idt import hdf5, layout, store
from idt.arrays import describe, float_array
from idt.errors import DataError
from idt.features import Features

# Rows read at once. Part of what the last bits of a vector depend on, so a constant: sums of sums are rounded.
ROWS = 32768

ARRAYS = "descriptors"
"""The one block of plain arrays."""

SEGMENT = ("start", "end", "float32")
"""Parameters of an extraction that do not change what a descriptor means."""

SUFFIXES = (".gz", ".txt", ".bin", ".h5", ".hdf5")


class Header(NamedTuple):
    """What a feature file says of itself: the video's ``name`` and the ``params``; None where it does not."""

    name: str | None
    params: dict | None


@dataclass(frozen=True)
class Inputs:
    """Videos to sample or to encode, checked to be of one kind.

    Attributes
    ----------
    items : list
        Paths of feature files, `Features`, or (n, d) arrays.
    names : list of str
        Of the videos, all different.
    sizes : dict of str to int
        Columns of each block, in the order of a row.
    params : dict or None
        Parameters that all features were extracted with, but for the segment; None for rows that others wrote and for
        arrays.
    """

    items: list
    names: list
    sizes: dict
    params: dict | None

    @classmethod
    def of(cls, items, names=None, *, descriptors=layout.DESCRIPTORS):
        """Check items.

        Parameters
        ----------
        items : iterable of str, Path, Features or (n, d) arrays
            All of one kind.
        names : iterable of str, optional
            By default `names_of` files, and the position of anything else.
        descriptors : tuple of str
            Blocks to take; plain arrays are one block, whatever is asked for.

        Returns
        -------
        Inputs

        Raises
        ------
        DataError
            If there is nothing, kinds or parameters are mixed, names repeat, or a file is none of ours.
        """
        if isinstance(items, str | Path | Features) or not isinstance(items, Iterable):
            raise DataError(
                f"videos must be a list of feature files, Features or (n, d) arrays, got {describe(items):.80}"
            )
        items = list(items)
        kinds = {_kind(item, i) for i, item in enumerate(items)}
        if len(kinds) != 1:
            wanted = "videos must be feature files, Features or (n, d) arrays, all of one kind"
            raise DataError(f"{wanted}, got {' and '.join(sorted(kinds)) or 'none'}")
        kind = kinds.pop()
        if names is None:
            names = names_of(items) if kind == "files" else [str(i) for i in range(len(items))]
        names = [str(name) for name in names]
        again = [name for name, count in Counter(names).items() if count > 1]
        if again or len(names) != len(items):
            raise DataError(
                f"every video must have a name of its own, got {len(names)} names for {len(items)}"
                + (f", {again[0]!r} twice" if again else "")
            )
        if kind == "arrays":
            widths = sorted({item.shape[1] for item in items})
            if len(widths) > 1:
                raise DataError(f"arrays must have equally many columns, got {widths[0]} and {widths[-1]}")
            return cls(items, names, {ARRAYS: widths[0]}, None)
        if ARRAYS in descriptors:
            raise DataError(f"the codebook was fitted on plain arrays, got {kind}; encode arrays with it")
        if kind == "files":
            params = _common([header(path).params for path in items], items, names)
            fields = {name: params[name] for name in ("length", "cells", "time_cells")} if params else {}
            widths = layout.block_sizes(**fields)
            return cls(items, names, {name: widths[name] for name in descriptors}, params)
        sizes = {name: items[0].need(name).shape[1] for name in descriptors}
        return cls(items, names, sizes, _common([comparable(item.params) for item in items], items, names))

    def __len__(self):
        return len(self.items)


def rows_of(item, name, sizes):
    """Descriptors of one video, some rows at a time.

    Parameters
    ----------
    item : str, Path, Features or (n, d) array
    name : str
    sizes : dict of str to int
        As of `Inputs`.

    Yields
    ------
    (n, d) float32
        The blocks side by side; all but the last have `ROWS` rows.

    Raises
    ------
    DataError
        If a file is damaged, or descriptors are not finite or of other sizes.
    """
    label = label_of(item, name)
    try:
        for part in _parts(item, sizes):
            blocks = [float_array(values, (None, sizes[block]), f"{block} of {label}") for block, values in part]
            yield blocks[0] if len(blocks) == 1 else np.concatenate(blocks, axis=1)
    except DataError as problem:
        raise (problem if label in str(problem) else DataError(f"{label}: {problem}")) from None


def label_of(item, name):
    """What messages call a video: a file by its path, anything else by its name."""
    return str(item) if isinstance(item, str | Path) else f"video {name}"


def columns_of(sizes):
    """Columns of each block in the rows of `rows_of`.

    Returns
    -------
    dict of str to slice
    """
    ends = np.cumsum([0, *sizes.values()]).tolist()
    return {name: slice(*ends[i : i + 2]) for i, name in enumerate(sizes)}


def header(path):
    """What a feature file says of itself.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    Header
        With neither name nor parameters for rows that others wrote.

    Raises
    ------
    DataError
        If it is HDF5 but no feature file.
    OSError
        If it does not exist or cannot be read.
    """
    if not hdf5.is_hdf5(path):
        return Header(None, None)
    with hdf5.open_checked(path, format=store.FORMAT, versions=store.VERSION) as file:
        name = (hdf5.json_attribute(file, "source") or {}).get("name")
        try:
            return Header(name if isinstance(name, str) else None, comparable(hdf5.json_attribute(file, "params")))
        except DataError as problem:
            raise DataError(f"{path}: {problem}") from None


def comparable(params):
    """The parameters of an extraction that descriptors must share to be compared; None if they are not recorded."""
    if params is None:
        return None
    return {name: value for name, value in store.stored_params(params).items() if name not in SEGMENT}


def differences(one, other):
    """How two results of `comparable` differ, each in words."""
    if one is None or other is None:
        return tuple("no recorded parameters" if it is None else "recorded parameters" for it in (one, other))
    differ = [name for name in one if one[name] != other.get(name)]
    return tuple(", ".join(f"{name}={it.get(name)}" for name in differ) for it in (one, other))


def find(given):
    """Feature files that the words of a command line stand for.

    Parameters
    ----------
    given : list of str
        Files, folders (all ``.h5`` below; our vectors, codebooks and models among them are passed over), patterns.

    Returns
    -------
    list of Path
        In the order given; those of a folder or pattern by name.

    Raises
    ------
    DataError
        If one stands for nothing, or a file is given twice.
    """
    files: dict[str, Path] = {}
    for word in given:
        paths = sorted(glob.glob(word, recursive=True)) if not os.path.lexists(word) else [word]
        found = [path for expanded in paths for path in _expand(Path(expanded))]
        if not found:
            raise DataError(
                f"{word} " + ("is a folder without feature files (.h5)" if os.path.isdir(word) else "does not exist")
            )
        for path in found:
            if files.setdefault(os.path.abspath(path), path) is not path:
                raise DataError(f"{path} is given twice")
    return list(files.values())


def names_of(files):
    """Names of the videos behind feature files; see the head of this module.

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


def digests(files, names, *, update=None):
    """SHA-256 of the content of every file, under the name of its video.

    Parameters
    ----------
    files : list of str or Path
    names : list of str
    update : callable, optional
        Called after each file.

    Returns
    -------
    dict of str to str
        In the order of the files; `combined` makes one of them or of some.
    """
    found = {}
    for path, name in zip(files, names, strict=True):
        found[name] = hdf5.digest(path)
        if update is not None:
            update()
    return found


def combined(digests):
    """One digest of several under their names, in their order."""
    return hashlib.sha256(json.dumps(list(digests.items())).encode()).hexdigest()


def _kind(item, position):
    if isinstance(item, str | Path):
        return "files"
    if isinstance(item, Features):
        return "Features"
    if isinstance(item, np.ndarray) and item.ndim == 2:
        return "arrays"
    raise DataError(f"video {position} must be a feature file, Features or an (n, d) array, got {describe(item)}")


def _parts(item, sizes):
    """Blocks of rows, each as (name, values) of every descriptor."""
    if isinstance(item, str | Path):
        for part in store.iter_rows(item, block=ROWS, columns=tuple(sizes)):
            yield [(name, part.need(name)) for name in sizes]
        return
    for first in range(0, len(item) or 1, ROWS):
        rows = slice(first, first + ROWS)
        if isinstance(item, Features):
            yield [(name, item.need(name)[rows]) for name in sizes]
        else:
            yield [(name, item[rows]) for name in sizes]


def _common(params, items, names):
    """The parameters that all share."""
    for i, these in enumerate(params):
        if these != params[0]:
            one, other = differences(params[0], these)
            first, second = (label_of(items[j], names[j]) for j in (0, i))
            raise DataError(
                f"features must be of one set of parameters, got {first} with {one} and {second} with {other}; "
                "extract them alike or encode them apart"
            )
    return params[0]


def _expand(path):
    """The file, or the feature files of a folder."""
    if not path.is_dir():
        return [path]
    return sorted(found for found in path.rglob("*.h5") if found.is_file() and not _is_a_result(found))


def _is_a_result(path):
    """Whether a file is one of ours, but not of features."""
    if not hdf5.is_hdf5(path):
        return False
    with hdf5.damaged(path), h5py.File(path, "r", locking=False) as file:
        form = hdf5.attribute(file, "format", str, "")
    return form.startswith("idt-") and form != store.FORMAT


def _stem(path):
    """A path without the suffixes of feature files."""
    for suffix in SUFFIXES:
        path = path.removesuffix(suffix)
    return path
