"""Sources of the descriptors of one video: a feature file, `Features`, a plain array, or the video itself.

`source_of` makes a source from a path, features or an array; `Inputs` (`encoding.descriptors.inputs`) holds sources of
one kind. A source gives its descriptors with `Source.batches`, some rows at a time. `VideoSource` extracts the video
while its batches are read. Its vectors equal those of `idt-extract` and a later encoding to the last bit, because it
rounds histograms as a feature file does and has batches of the same size.
"""

import functools
import hashlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar, Protocol

import numpy as np

from encoding.descriptors.feature_files import NETWORK, PROJECTED, comparison_params, header, sizes_of
from encoding.descriptors.rechunk import rechunk
from encoding.descriptors.track_columns import TrackColumns
from idt.checks import checked_range, float_array, type_and_shape
from idt.errors import DataError, with_name
from idt.features import feature_file
from idt.features.features import Features
from idt.files import hdf5
from idt.files.source_file import Identity, open_source
from idt.params.extraction import ExtractionParams
from idt.workers.run_options import RunOptions

# Rows read at once. It is a constant because the last bits of a vector depend on it: sums of sums are rounded.
BATCH_ROWS = 32768

LARGEST_DESCRIPTOR = 1e15
"""Largest magnitude of a descriptor, usually a few units. The squares of projections of larger ones could overflow."""

ARRAY_BLOCK = "descriptors"
"""The one block of plain arrays."""


class Source(Protocol):
    """The descriptors of one video, wherever they come from.

    Attributes
    ----------
    name : str
        The video's name.
    kind : str
        Name of the kind in messages.
    has_tracks : bool
        Whether frames, positions and frame steps of the tracks are known.
    """

    name: str
    kind: ClassVar[str]
    has_tracks: ClassVar[bool] = True

    @property
    def label(self) -> str:
        """Name of the video in messages."""
        return f"video {self.name}"

    def with_name(self, name):
        """Return the source under another name."""
        return self if name == self.name else replace(self, name=name)  # type: ignore[type-var]  # all are dataclasses

    def params(self) -> dict | None:
        """Return the parameters that descriptors must share to be compared, as `feature_files.comparison_params`."""

    def sizes(self, descriptors: tuple[str, ...]) -> dict[str, int]:
        """Return the columns of each block, in the order of a row."""
        return sizes_of(self.params(), descriptors)

    def count(self, skips=None) -> int:
        """Count the rows that `batches` yields for these ``skips``."""

    def digest(self) -> str:
        """Return the SHA-256 of the content."""
        raise DataError(f"{self.label} lies in memory, so its content has no digest; store it in a feature file")

    def batches(self, sizes, *, columns=(), skips=None, projected=False):
        """Yield the descriptors and the columns of their tracks, `BATCH_ROWS` rows at a time.

        Parameters
        ----------
        sizes : dict of str to int
            Columns of each block that is wanted, as of `Inputs`.
        columns : sequence of str
            Columns of the tracks to read: ``"frame"``, ``"scale"``, ``"position"``, ``"skip"``. In-memory features are
            put into the order of the ending frames if ``"frame"`` is among them.
        skips : frozenset of int, optional
            Take only tracks of these frame steps.
        projected : bool
            Whether the descriptors are stored along the axes of a codebook (`Inputs.projection_digest`). Then ``sizes``
            are the numbers of coordinates of the codebook's blocks.

        Yields
        ------
        rows : (n, d) float32
            The blocks side by side.
        tracks : TrackColumns
            All columns are None for plain arrays.

        Raises
        ------
        DataError
            If a file is damaged, descriptors are not finite, beyond `LARGEST_DESCRIPTOR` or of other sizes, or a plain
            array is asked for positions or frame steps, which it does not have.
        """
        try:
            for blocks, tracks in self._blocks(sizes, columns, skips, projected):
                checked = [
                    checked_range(
                        float_array(values, (None, sizes[name]), f"{name} of {self.label}"),
                        -LARGEST_DESCRIPTOR,
                        LARGEST_DESCRIPTOR,
                        f"{name} of {self.label}",
                    )
                    for name, values in blocks.items()
                ]
                yield checked[0] if len(checked) == 1 else np.concatenate(checked, axis=1), tracks
        except DataError as problem:
            raise DataError(with_name(self.label, str(problem))) from None

    def _blocks(self, sizes, columns, skips, projected) -> Iterator[tuple[dict, TrackColumns]]:
        """Yield blocks of rows by name, not checked, and the columns of their tracks."""


class TrackSource(Source, Protocol):
    """Descriptors of tracks."""

    def chunks(self, columns: tuple[str, ...]) -> Iterator[Features]:
        """Yield features with these columns, `BATCH_ROWS` rows at a time; at least once, perhaps without a row."""

    def count(self, skips=None):
        """Count the tracks, of these frame steps (``skips``) if any are given, by reading them."""
        columns = ("scale",) if skips is None else ("scale", "skip")
        return sum(len(_with_skips(part, skips)) for part in self.chunks(columns))

    def _blocks(self, sizes, columns, skips, projected):
        wanted = [*((feature_file.PROJECTED,) if projected else sizes), *columns]
        if skips is not None or columns:
            wanted.append("skip")
        for part in self.chunks(tuple(dict.fromkeys(wanted))):
            part = _with_skips(part, skips)
            blocks = part.need(feature_file.PROJECTED).blocks if projected else {it: part.need(it) for it in sizes}
            if blocks.keys() != sizes.keys():
                raise DataError(f"the blocks must be {', '.join(sizes)}, got {', '.join(blocks)}")
            yield {name: blocks[name] for name in sizes}, TrackColumns.of(part, columns)


@dataclass(frozen=True)
class FileSource(TrackSource):
    """A feature file of ours, or the rows of another program.

    Attributes
    ----------
    path : str or Path
    name : str
    identity : Identity or None
        Identity of the file whose header was read last; another file is refused when its descriptors are read.
    """

    path: str | Path
    name: str
    identity: Identity | None = field(default=None, compare=False, repr=False)
    kind = "files"

    @property
    def label(self):
        """The path."""
        return str(self.path)

    @functools.cached_property
    def header(self):
        """Header of the file; the file's identity is remembered."""
        with open_source(self.path) as file:
            self._refuse_another(file)
            object.__setattr__(self, "identity", file.identity)
            found = header(self.path)
            file.check_unchanged()
        return found

    def params(self):
        """Return the extraction parameters that the file records; None if it records none."""
        return self.header.params

    def count(self, skips=None):
        """Count the tracks.

        The header holds the number of all tracks. If only some ``skips`` are asked for, or the file has no such header,
        the tracks are read and counted.
        """
        known = self.header.rows if skips is None else None
        return super().count(skips) if known is None else known

    def digest(self):
        """Return the digest of the content that the file records, or the SHA-256 of a file that records none."""
        if self.header.content is not None:
            return self.header.content
        with open_source(self.path) as file:
            self._refuse_another(file)
            return file.digest()

    def chunks(self, columns):
        """Read the columns; a file that is changed meanwhile is refused."""
        if "skip" in columns and not hdf5.is_hdf5(self.path):
            # Rows of other programs have no column of frame steps, because all have step 1.
            columns = tuple(name for name in columns if name != "skip")
        with open_source(self.path) as file:
            self._refuse_another(file)
            # Datasets are read one after the other, but their chunks lie interleaved on the disk.
            file.prefetch()
            yield from feature_file.iter_rows(self.path, rows=BATCH_ROWS, columns=columns)
            file.check_unchanged()

    def _refuse_another(self, file):
        """Refuse a file other than the one whose header was read."""
        if self.identity not in (None, file.identity):
            raise DataError(f"{self.path} was changed since its header was read; run again once it is stable")


@dataclass(frozen=True, eq=False)
class FeaturesSource(TrackSource):
    """Features in memory."""

    features: Features
    name: str
    kind = "Features"

    def params(self):
        """Return the extraction parameters that the features carry; None for rows of another program."""
        params, projected = self.features.params, self.features.projected
        if params is None:
            return None
        more: dict[str, Any] = {} if projected is None else {PROJECTED: projected.codebook}
        if self.features.network is not None:
            more[NETWORK] = self.features.network.description
        return comparison_params({**asdict(params), **more})

    def sizes(self, descriptors):
        """Return the widths of the arrays; for projected descriptors, their widths before the projection."""
        if self.features.projected is not None:
            return sizes_of(self.params(), descriptors)
        return {name: self.features.need(name).shape[1] for name in descriptors}

    def chunks(self, columns):
        """Cut the features, sorted by ending frame if ``columns`` have the frame."""
        features = self.features
        if "frame" in columns and (np.diff(features.need("frame")) < 0).any():
            features = features[np.argsort(features.need("frame"), kind="stable")]
        return (features[first : first + BATCH_ROWS] for first in range(0, len(features) or 1, BATCH_ROWS))


@dataclass(frozen=True, eq=False)
class ArraySource(Source):
    """A plain array (n, d) of descriptors of any kind, without tracks."""

    array: np.ndarray
    name: str
    kind = "arrays"
    has_tracks = False

    def params(self):
        """Return None, because arrays have no extraction parameters."""

    def sizes(self, descriptors):
        """Return the width of the array: its columns are one block, whatever ``descriptors`` says."""
        return {ARRAY_BLOCK: self.array.shape[1]}

    def count(self, skips=None):
        """Return the length of the array."""
        return len(self.array)

    def _blocks(self, sizes, columns, skips, projected):
        if skips is not None or "position" in columns:
            raise DataError("plain arrays have neither positions nor frame steps; encode features")
        for first in range(0, len(self.array) or 1, BATCH_ROWS):
            yield dict.fromkeys(sizes, self.array[first : first + BATCH_ROWS]), TrackColumns()


@dataclass(frozen=True)
class VideoSource(TrackSource):
    """A video whose features are extracted and not stored.

    Parameters
    ----------
    job : idt.batch.jobs.Job
        With the name that `idt-extract` gives the video.
    extraction : ExtractionParams
    boxes : str or None
        As for `idt.batch.extract_one.extract_job`.
    run : RunOptions
        Threads, decoder, the most pixels of a frame, and patience.
    content : str or None
        Expected `digest` of the content; a video with another digest is refused when it is extracted.
    """

    job: Any
    extraction: ExtractionParams
    boxes: str | None = None
    run: RunOptions = field(default_factory=RunOptions)
    content: str | None = None
    name: str = field(init=False)
    kind = "videos"

    def __post_init__(self):
        object.__setattr__(self, "name", self.job.name)

    def with_name(self, name):
        """Return the source under another name."""
        return replace(self, job=self.job._replace(name=name))

    def params(self):
        """Return the parameters that the features are extracted with."""
        return comparison_params(asdict(self.extraction))

    def digest(self):
        """Return the digest of the video, and of its human boxes if there are any, that a feature file records."""
        from idt.batch.extract_one import source_of_job

        return content_of(source_of_job(self.job, self.extraction, boxes=self.boxes, run=self.run))

    def chunks(self, columns):
        """Extract the video and yield its features."""
        from idt.batch.extract_one import extract_chunks

        check = None if self.content is None else self._refuse_changed
        options: dict[str, Any] = {"columns": columns, "boxes": self.boxes, "run": self.run, "check": check}
        return rechunk(extract_chunks(self.job, self.extraction, **options), BATCH_ROWS)

    def _refuse_changed(self, source):
        """Refuse a video whose content no longer has the expected digest."""
        if content_of(source) != self.content:
            raise DataError(f"{self.job.source} was changed since its digest was taken; run again once it is stable")


def content_of(source):
    """Combine the digests of a ``source``, as `idt.extractor.source_of` gives it, into one."""
    if "boxes_digest" not in source:
        return source["digest"]
    return hashlib.sha256(f"{source['digest']}{source['boxes_digest']}".encode()).hexdigest()


def source_of(item, name):
    """Return the source of the descriptors of a video.

    Parameters
    ----------
    item : str, Path, Features, (n, d) array, or Source
        A path leads to a feature file.
    name : str
        The video's name; a source has one already.

    Returns
    -------
    Source

    Raises
    ------
    DataError
        If it is none of these.
    """
    if isinstance(item, str | Path):
        return FileSource(item, name)
    if isinstance(item, Features):
        return FeaturesSource(item, name)
    if isinstance(item, np.ndarray) and item.ndim == 2:
        return ArraySource(item, name)
    if isinstance(item, FileSource | FeaturesSource | ArraySource | VideoSource):
        return item
    raise DataError(f"video {name} must be a feature file, Features or an (n, d) array, got {type_and_shape(item)}")


def _with_skips(part, skips):
    """Select the tracks of some frame steps; features without frame steps have step 1 throughout."""
    if skips is None:
        return part
    if part.skip is None:
        return part if 1 in skips else part[0:0]
    return part[np.isin(part.skip, sorted(skips))]
