"""Sources of a fusion: a classifier each, whose scores lie in one file or, stream by stream, in several.

A source is written ``cnn=iframe.npz*2+mv.npz+residual.npz``: a name, and files that are added with weights. ``{split}``
in the name of a file is replaced by the split.
"""

import os
import re
from dataclasses import dataclass, replace
from pathlib import Path

from classify.fusion.scores import Scores
from classify.params import NORMS
from idt.errors import DataError, short_repr
from idt.params.bounds import Bounds

SPLIT = "{split}"

WEIGHT = Bounds(0.0, 1e6, "only the ratios of weights count, and no recipe has one above this")
"""Bounds of the weights of sources and streams."""

_NAME = re.compile(r"[^\s=,+*/{}]+")
_WEIGHTED = re.compile(r"(.+)\*\s*([0-9.eE+-]+)", re.DOTALL)


@dataclass(frozen=True)
class Stream:
    """One file of scores of a source.

    Attributes
    ----------
    scores : str, Scores or dict of str to Scores
        Its path, which may hold ``{split}``, or the scores themselves; a dict has the scores of each split.
    weight : float
        Weight of the file in the sum, before normalisation.
    """

    scores: str | Scores | dict[str, Scores]
    weight: float = 1.0

    @property
    def title(self):
        """Name of the stream in messages."""
        if isinstance(self.scores, str):
            return self.scores
        scores = self.scores if isinstance(self.scores, Scores) else next(iter(self.scores.values()))
        return scores.path or "scores"

    def for_split(self, split):
        """Return the stream of a ``split``."""
        if isinstance(self.scores, Scores):
            return self
        return replace(
            self, scores=path_for_split(self.scores, split) if isinstance(self.scores, str) else self.scores[split]
        )


@dataclass(frozen=True)
class Source:
    """A classifier whose scores are fused with those of others.

    Attributes
    ----------
    name : str
    streams : tuple of Stream
        Files whose scores are added with their weights, before normalisation.
    norm : str
        One of `classify.params.NORMS`.
    form : str or None
        Form of the files; found from their content by default.
    order : str or None
        List that names the rows of files which name no videos.
    classes : str or None
        File that names the columns.
    numbering_list : str or None
        List of all videos, if ``order`` holds numbers of its lines, as ActionVLAD's lists do.
    """

    name: str
    streams: tuple[Stream, ...]
    norm: str = "auto"
    form: str | None = None
    order: str | None = None
    classes: str | None = None
    numbering_list: str | None = None

    def __post_init__(self):
        if self.norm not in NORMS:
            raise DataError(f"norm of {self.name} must be one of {', '.join(NORMS)}, got {short_repr(self.norm)}")
        for stream in self.streams:
            WEIGHT.check(f"weight of {stream.title}", stream.weight)
        if not self.streams or not any(stream.weight for stream in self.streams):
            raise DataError(f"{self.name} needs a file with a weight above 0")

    def for_split(self, split):
        """Return the source of a ``split``, whose name takes the place of ``{split}``."""
        streams = tuple(stream.for_split(split) for stream in self.streams)
        lists = {name: path_for_split(getattr(self, name), split) for name in ("order", "classes", "numbering_list")}
        return replace(self, streams=streams, **lists)

    @property
    def paths(self):
        """Files that are read, some of which may hold ``{split}``."""
        own = [stream.scores for stream in self.streams if isinstance(stream.scores, str)]
        return [*own, *(path for path in (self.order, self.classes, self.numbering_list) if path is not None)]


def path_for_split(path, split):
    """Return ``path`` with the name of a ``split`` for ``{split}``; None stays None."""
    return None if path is None else path.replace(SPLIT, str(split))


def parse_source(text, split="1"):
    """Read a source as it is written on a command line.

    Parameters
    ----------
    text : str
        ``[NAME=]FILE[*WEIGHT][+FILE[*WEIGHT]…]``. The name is by default that of the first file.
    split : str
        One of the splits; its files are looked for, because the name of a file may hold ``+`` or ``*`` itself.

    Returns
    -------
    Source

    Raises
    ------
    DataError
        If a file or a weight is missing, or a weight is out of bounds.
    """
    name, equals, rest = text.partition("=")
    if not equals or not _NAME.fullmatch(name) or _exists(text, split):
        name, rest = "", text
    streams = tuple(_stream(part, split) for part in _parts(rest, split))
    return Source(name or default_name(streams[0].title), streams)


def default_name(path):
    """Return the default name of a source: the stem of ``path`` without ``{split}`` and its separator."""
    stem = Path(path).stem.replace(SPLIT, "")
    return re.sub(r"[\s=,+*/{}]+", "-", re.sub(r"[-_.]?split$", "", stem)).strip("-_.") or "source"


def _parts(text, split):
    """Split a source into its files, each with its weight; a + in the name of a file that exists separates nothing."""
    pieces, found = text.split("+"), []
    while pieces:
        for count in range(len(pieces), 1, -1):
            if _exists(_path_of("+".join(pieces[:count]), split), split):
                break
        else:
            count = 1
        found.append("+".join(pieces[:count]))
        del pieces[:count]
    return found


def _path_of(part, split):
    """Return the path in ``FILE*WEIGHT``."""
    match = _WEIGHTED.fullmatch(part)
    return part if match is None or _exists(part, split) else match[1]


def _stream(part, split):
    """Make a stream of its text ``FILE*WEIGHT``."""
    part = part.strip()
    path = _path_of(part, split)
    if not path:
        raise DataError("expected [NAME=]FILE[*WEIGHT][+FILE…], got a source without a file")
    if path == part:
        return Stream(part)
    factor = part[len(path) :].lstrip("*").strip()
    try:
        weight = float(factor)
    except ValueError:
        raise DataError(f"weight of {path} must be a number, got {short_repr(factor)}") from None
    return Stream(path.strip(), WEIGHT.check(f"weight of {path.strip()}", weight))


def _exists(path, split):
    return os.path.lexists(path_for_split(path, split))
