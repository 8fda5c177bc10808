"""Videos to sample or to encode, checked to be of one kind and extracted alike."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from encoding.descriptors.feature_files import PROJECTED, names_of
from encoding.descriptors.sources import ARRAY_BLOCK, FileSource, Source, source_of
from idt.checks import type_and_shape
from idt.errors import DataError
from idt.features.features import Features
from idt.params import layout


@dataclass(frozen=True)
class Inputs:
    """Sources of descriptors that are of one kind.

    Attributes
    ----------
    sources : list of Source
    sizes : dict of str to int
        Columns of each block, in the order of a row.
    params : dict or None
        Parameters that all features were extracted with, but for the segment; None for rows of other programs and for
        arrays. There is an entry ``"projected"`` if features are stored along the axes of a codebook
        (`idt.features.projection`).
    """

    sources: list[Source]
    sizes: dict
    params: dict | None

    @classmethod
    def of(cls, videos, names=None, *, descriptors=layout.DESCRIPTORS):
        """Make inputs of videos, which must be of one kind.

        Parameters
        ----------
        videos : iterable of str, Path, Features, (n, d) arrays or Source
            All of one kind.
        names : iterable of str, optional
            Names of the videos. By default files have those of `encoding.descriptors.feature_files.names_of`, and
            other videos have their position in the list.
        descriptors : tuple of str
            Blocks to take; plain arrays are one block, whatever ``descriptors`` says.

        Returns
        -------
        Inputs

        Raises
        ------
        DataError
            If there is no video, kinds or parameters are mixed, names repeat, or a file is no feature file.
        """
        if isinstance(videos, str | Path | Features) or not isinstance(videos, Iterable):
            raise DataError(
                f"videos must be a list of feature files, Features or (n, d) arrays, got {type_and_shape(videos):.80}"
            )
        sources = _named([source_of(video, str(i)) for i, video in enumerate(videos)], names)
        kind = sources[0].kind
        if ARRAY_BLOCK in descriptors and kind != "arrays":
            raise DataError(f"the codebook was fitted on plain arrays, got {kind}; encode arrays with it")
        params = _shared_params(sources)
        sizes = sources[0].sizes(descriptors)
        if kind == "arrays":
            widths = sorted({source.sizes(descriptors)[ARRAY_BLOCK] for source in sources})
            if len(widths) > 1:
                raise DataError(f"arrays must have equally many columns, got {widths[0]} and {widths[-1]}")
        return cls(sources, sizes, params)

    def __len__(self):
        return len(self.sources)

    @property
    def names(self):
        """Names of the videos, all different: list of str."""
        return [source.name for source in self.sources]

    @property
    def projection_digest(self):
        """Digest (`idt.features.projection.identity`) of the projection that stored features have, or None."""
        return (self.params or {}).get(PROJECTED)


def columns_of(sizes):
    """Find the columns of each block in the rows of `Source.batches`, from the ``sizes`` of the blocks.

    Returns
    -------
    dict of str to slice
    """
    ends = np.cumsum([0, *sizes.values()]).tolist()
    return {name: slice(*ends[i : i + 2]) for i, name in enumerate(sizes)}


def differences(one, other):
    """Describe how ``one`` and ``other``, from `feature_files.comparison_params`, differ: one text for each."""
    if one is None or other is None:
        return tuple("no recorded parameters" if it is None else "recorded parameters" for it in (one, other))
    differ = [name for name in {**one, **other} if one.get(name) != other.get(name)]
    return tuple(", ".join(f"{name}={it.get(name)}" for name in differ) for it in (one, other))


def digests(sources, *, update=None):
    """Compute the SHA-256 of the content of every source.

    Parameters
    ----------
    sources : list of Source
        Feature files or videos.
    update : callable, optional
        Called after each source.

    Returns
    -------
    dict of str to str
        By name, in the order of the sources; `combine_digests` combines all or some of them into one digest.

    Raises
    ------
    DataError
        If a source lies in memory.
    OSError
        If a file cannot be read.
    """
    found = {}
    for source in sources:
        found[source.name] = source.digest()
        if update is not None:
            update()
    return found


def combine_digests(digests):
    """Combine ``digests``, a dict by name, into one digest, which depends on the order of the dict."""
    return hashlib.sha256(json.dumps(list(digests.items())).encode()).hexdigest()


def _named(sources, names):
    """Return the sources, which must be of one kind, with ``names``, which must all differ."""
    kinds = sorted({source.kind for source in sources})
    if len(kinds) != 1:
        wanted = "videos must be feature files, Features or (n, d) arrays, all of one kind"
        raise DataError(f"{wanted}, got {' and '.join(kinds) or 'none'}")
    if names is None:
        paths = [source.path for source in sources if isinstance(source, FileSource)]
        names = names_of(paths) if paths else [source.name for source in sources]
    names = [str(name) for name in names]
    repeated = [name for name, count in Counter(names).items() if count > 1]
    if repeated or len(names) != len(sources):
        raise DataError(
            f"every video must have a name of its own, got {len(names)} names for {len(sources)}"
            + (f", {repeated[0]!r} twice" if repeated else "")
        )
    return [source.with_name(name) for source, name in zip(sources, names, strict=True)]


def _shared_params(sources):
    """Return the parameters that all sources share, or refuse them."""
    first, *others = [source.params() for source in sources]
    for source, params in zip(sources[1:], others, strict=True):
        if params != first:
            one, other = differences(first, params)
            raise DataError(
                f"features must be of one set of parameters, got {sources[0].label} with {one} and {source.label} with"
                f" {other}; extract them alike or encode them apart"
            )
    return first
