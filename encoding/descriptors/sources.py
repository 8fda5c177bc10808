"""Descriptors of videos: from feature files of any kind, from `Features`, or from plain arrays."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from encoding.descriptors.feature_files import PROJECTED, comparable, header, names_of
from encoding.descriptors.tracks import Tracks
from encoding.descriptors.videos import Video
from idt import layout
from idt.checks import describe, float_array
from idt.errors import DataError
from idt.features import feature_file
from idt.features.features import Features
from idt.files import hdf5, provenance

# Rows read at once. Part of what the last bits of a vector depend on, so a constant: sums of sums are rounded.
ROWS = 32768

ARRAYS = "descriptors"
"""The one block of plain arrays."""


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
        arrays. With ``"projected"`` if they are stored along the axes of a codebook (`idt.features.projection`).
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
            By default `encoding.descriptors.feature_files.names_of` files, and the position of anything else.
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
            return cls(items, names, _sizes(params, descriptors), params)
        if items[0].projected is None:
            sizes = {name: items[0].need(name).shape[1] for name in descriptors}
        else:
            sizes = _sizes(_params_of(items[0]), descriptors)
        return cls(items, names, sizes, _common([_params_of(item) for item in items], items, names))

    def __len__(self):
        return len(self.items)

    @property
    def projected(self):
        """Which projection the features are stored along, as `idt.features.projection.identity`; None if along none."""
        return (self.params or {}).get(PROJECTED)


def rows_of(item, name, sizes, *, steps=None):
    """Descriptors of one video, some rows at a time.

    Parameters
    ----------
    item : str, Path, Features, Video or (n, d) array
    name : str
    sizes : dict of str to int
        As of `Inputs`.
    steps : frozenset of int, optional
        Take only tracks of these frame steps.

    Yields
    ------
    (n, d) float32
        The blocks side by side.

    Raises
    ------
    DataError
        If a file is damaged, or descriptors are not finite or of other sizes.
    """
    for rows, _ in parts_of(item, name, sizes, steps=steps):
        yield rows


def parts_of(item, name, sizes, *, columns=(), steps=None, projected=False):
    """Descriptors of one video and what is known of their tracks, some rows at a time.

    Parameters
    ----------
    item, name, sizes, steps
        As `rows_of`.
    columns : sequence of str
        What to know of the tracks: ``"frame"``, ``"scale"``, ``"position"``, ``"skip"``. In-memory features are put
        into the order of the ending frames, if these are asked for.
    projected : bool
        The descriptors are stored along the axes of a codebook (`Inputs.projected`), and ``sizes`` are the numbers of
        coordinates of its blocks.

    Yields
    ------
    rows : (n, d) float32
    tracks : Tracks
        Without anything of plain arrays.

    Raises
    ------
    DataError
        As `rows_of`, and if plain arrays are asked for positions or frame steps, which they do not have.
    """
    label = label_of(item, name)
    try:
        for part, tracks in _parts(item, sizes, columns, steps, projected):
            blocks = [float_array(values, (None, sizes[block]), f"{block} of {label}") for block, values in part]
            yield blocks[0] if len(blocks) == 1 else np.concatenate(blocks, axis=1), tracks
    except DataError as problem:
        raise (problem if label in str(problem) else DataError(f"{label}: {problem}")) from None


def label_of(item, name):
    """Return what messages call the video ``item``: a file by its path, anything else by its ``name``."""
    return str(item) if isinstance(item, str | Path) else f"video {name}"


def columns_of(sizes):
    """Find the columns of each block in the rows of `rows_of` from the ``sizes`` of the blocks.

    Returns
    -------
    dict of str to slice
    """
    ends = np.cumsum([0, *sizes.values()]).tolist()
    return {name: slice(*ends[i : i + 2]) for i, name in enumerate(sizes)}


def differences(one, other):
    """Describe how two results of `comparable`, ``one`` and ``other``, differ, each in words."""
    if one is None or other is None:
        return tuple("no recorded parameters" if it is None else "recorded parameters" for it in (one, other))
    differ = [name for name in {**one, **other} if one.get(name) != other.get(name)]
    return tuple(", ".join(f"{name}={it.get(name)}" for name in differ) for it in (one, other))


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
        found[name] = provenance.digest(path)
        if update is not None:
            update()
    return found


def combined(digests):
    """Combine ``digests``, which are under their names, into one in their order."""
    return hashlib.sha256(json.dumps(list(digests.items())).encode()).hexdigest()


def _kind(item, position):
    if isinstance(item, str | Path):
        return "files"
    if isinstance(item, Features):
        return "Features"
    if isinstance(item, np.ndarray) and item.ndim == 2:
        return "arrays"
    raise DataError(f"video {position} must be a feature file, Features or an (n, d) array, got {describe(item)}")


def _parts(item, sizes, columns, steps, projected):
    """Blocks of rows: (name, values) of every block, and the tracks."""
    if isinstance(item, np.ndarray):
        if steps is not None or "position" in columns:
            raise DataError("plain arrays have neither positions nor frame steps; encode features")
        for first in range(0, len(item) or 1, ROWS):
            yield [(name, item[first : first + ROWS]) for name in sizes], Tracks()
        return
    for part in _features(item, (feature_file.PROJECTED,) if projected else tuple(sizes), columns, steps):
        tracks = Tracks()
        if columns:
            skip = np.ones(len(part), np.uint8) if part.skip is None else part.skip
            known = {"skip": skip, "length": _track_length(part.params)}
            tracks = Tracks(**{name: part.need(name) for name in columns if name != "skip"}, **known)
        blocks = part.need(feature_file.PROJECTED).blocks if projected else {name: part.need(name) for name in sizes}
        if blocks.keys() != sizes.keys():
            raise DataError(f"the blocks must be {', '.join(sizes)}, got {', '.join(blocks)}")
        yield [(name, blocks[name]) for name in sizes], tracks


def _features(item, descriptors, columns, steps):
    """Features of the columns asked for, some rows at a time; only tracks of the frame steps."""
    if isinstance(item, Features):
        if "frame" in columns and (np.diff(item.need("frame")) < 0).any():
            item = item.take(np.argsort(item.need("frame"), kind="stable"))
        parts = (item.take(slice(first, first + ROWS)) for first in range(0, len(item) or 1, ROWS))
    else:
        # Rows that others wrote have no frame steps: they are all of one.
        known = isinstance(item, Video) or hdf5.is_hdf5(item)
        with_skip = ("skip",) if (steps is not None or columns) and known else ()
        wanted = dict.fromkeys((*descriptors, *(name for name in columns if name != "skip"), *with_skip))
        if isinstance(item, Video):
            parts = item.blocks(ROWS, tuple(wanted))
        else:
            parts = feature_file.iter_rows(item, block=ROWS, columns=tuple(wanted))
    for part in parts:
        if steps is None:
            yield part
        elif part.skip is not None:
            yield part.take(np.isin(part.skip, sorted(steps)))
        else:
            yield part if 1 in steps else part.take(slice(0, 0))


def _track_length(params):
    """Steps of a track, L; that of the release for rows that others wrote."""
    return params["length"] if params else layout.block_sizes()["trajectory"] // 2


def _sizes(params, descriptors):
    """Columns of each descriptor of an extraction."""
    fields = {name: params[name] for name in ("length", "cells", "time_cells")} if params else {}
    widths = layout.block_sizes(**fields)
    return {name: widths[name] for name in descriptors}


def _params_of(features):
    """`comparable` parameters of features in memory."""
    projected = {} if features.projected is None else {PROJECTED: features.projected.codebook}
    return None if features.params is None else comparable({**features.params, **projected})


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
