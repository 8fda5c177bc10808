"""Encoding of videos: one vector for each, made block by block from its descriptors and a codebook.

Each block is projected (`encoding.models.pca`), summed up as the encoding does (`encoding.coders.fisher`, `bovw`,
`vlad`, `stacked`) in every cell of the pyramid (`encoding.coders.pooling`) and normalised
(`encoding.coders.normalize`). A vector has the blocks side by side. The vector of a video without tracks is
zero. A video is read once, some rows at a time.

`encoding.encode_files` writes a vectors file; `encoding.encoders` offers the encodings as scikit-learn transformers.

Source: docs/method/encoding.md, sections 4, 6 and 7; Wang & Schmid 2013.
"""

from typing import NamedTuple

import numpy as np

from encoding.coders.pooling import sum_by_slice_and_cell
from encoding.coders.registry import encodes_groups, track_columns_of
from encoding.coders.sparse_codes import whole_slices
from encoding.descriptors.inputs import columns_of
from encoding.params import MOST_VECTOR_NUMBERS
from idt.checks import float_array
from idt.errors import DataError, with_name
from idt.params.bounds import JOBS, THREADS
from idt.workers.in_order import in_order


class Encoded(NamedTuple):
    """The ``vector`` (d,) float32 of a video with ``n_tracks`` tracks; zero if there are none."""

    vector: np.ndarray
    n_tracks: int


def encode_video(source, codebook, params, threads=1, projected=False):
    """Encode one video.

    Parameters
    ----------
    source : Source
        As from `encoding.descriptors.sources.source_of`.
    codebook : Codebook
        It must fit the descriptors (`Codebook.check_fits`).
    params : BlockParams
        As from `Codebook.params_with`.
    threads : int
        The result does not depend on it.
    projected : bool
        Whether the descriptors are stored along the codebook's axes
        (`encoding.descriptors.inputs.Inputs.projection_digest`).

    Returns
    -------
    Encoded

    Raises
    ------
    DataError
        If descriptors are not finite, a file is damaged, the encoding needs data that the source does not have, such
        as positions of plain arrays, or the vector is not finite. The message names the video or its file.
    """
    return encode_with(source, [codebook], params, threads, projected)[0]


def encode_with(source, codebooks, params, threads=1, projected=False):
    """Encode one video with each of several codebooks, reading it once.

    Parameters
    ----------
    source, params, threads, projected
        As `encode_video`.
    codebooks : sequence of Codebook
        Codebooks of the same blocks, such as those of the splits of a data set.

    Returns
    -------
    list of Encoded
        One for each codebook.

    Raises
    ------
    DataError
        As `encode_video`.
    """
    pools = [[block.coder.pool(params) for block in codebook.blocks] for codebook in codebooks]
    n = 0
    try:
        # NumPy's warnings are off, because a vector that overflows is refused below.
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            for found, tracks in projected_batches(source, codebooks, params, projected=projected):
                n += len(found[0][0])
                for codebook_pools, coordinates in zip(pools, found, strict=True):
                    for pool, rows in zip(codebook_pools, coordinates, strict=True):
                        pool.add(rows, tracks, threads)
            vectors = [np.concatenate([pool.vector() for pool in codebook_pools]) for codebook_pools in pools]
        return [Encoded(float_array(vector, (None,), "the vector"), n) for vector in vectors]
    except DataError as problem:
        raise DataError(with_name(source.label, str(problem))) from None


def slices_of_video(source, codebook, params, *, length=15, grid=(1, 1), threads=1, projected=False):
    """Sum up one video by time slice and cell; the vector of any window is made of these sums.

    `encoding.slices` sums up by slice alone, without cells, and writes the sums to files.

    Parameters
    ----------
    source, codebook, params, threads, projected
        As `encode_video`. Stacked Fisher vectors have no such sums.
    length : int
        Frames of a slice. A track always belongs to the slice of its middle frame.
    grid : (int, int)
        Columns and rows of cells.

    Returns
    -------
    list of encoding.coders.pooling.SliceCellSums
        One for each block of the codebook; `window_vector` makes vectors of them.

    Raises
    ------
    DataError
        As `encode_video`, and if the source is a plain array or the encoding stacked.
    """
    if params.encoding == "stacked":
        raise DataError("stacked Fisher vectors are no sums over tracks; slice plain ones")
    if not source.has_tracks:
        raise DataError("plain arrays have no frames to slice; encode features")
    asked = ("frame", "skip") if grid == (1, 1) else ("frame", "skip", "position")
    parts = [
        (found[0], tracks)
        for found, tracks in projected_batches(source, [codebook], params, asked, projected=projected)
    ]
    return [
        sum_by_slice_and_cell(
            block.coder,
            params,
            ((coordinates[i], tracks) for coordinates, tracks in parts),
            length=length,
            grid=grid,
            threads=threads,
        )
        for i, block in enumerate(codebook.blocks)
    ]


def window_vector(sliced, codebook, params, **window):
    """Make the vector of a window of a video.

    Parameters
    ----------
    sliced : list of SliceCellSums
        As from `slices_of_video`.
    codebook, params
        As for `slices_of_video`.
    **window
        ``slices``, ``columns`` and ``rows``, as `encoding.coders.pooling.SliceCellSums.total`; all by default.

    Returns
    -------
    (m,) float32
        It equals the vector of a video that has only the tracks of the window, without a pyramid.
    """
    return np.concatenate(
        [
            block.coder.vector(part.total(block.coder, params, **window), params)
            for block, part in zip(codebook.blocks, sliced, strict=True)
        ]
    )


def layout_of(codebook, params):
    """Return the layout of a vector: the columns of each block and cell.

    Parameters
    ----------
    codebook : Codebook
    params : BlockParams

    Returns
    -------
    list of dict
        As `encoding.vector_layout.check_layout` describes.

    Raises
    ------
    DataError
        If a vector would be too large (`encoding.params.MOST_VECTOR_NUMBERS`).
    """
    parts, first = [], 0
    for block in codebook.blocks:
        for cell, size in block.coder.cells(params):
            parts.append({"block": block.name, "cell": cell, "first": first, "size": size})
            first += size
    if first > MOST_VECTOR_NUMBERS:
        raise DataError(
            f"pyramid={params.pyramid} makes a vector of {first} numbers with this codebook, expected at most"
            f" {MOST_VECTOR_NUMBERS}, for it lies in memory as a whole; use a smaller pyramid"
        )
    return parts


def width_of(layout):
    """Return the length of a vector of this ``layout``."""
    return layout[-1]["first"] + layout[-1]["size"]


def encode(inputs, codebook, params, *, jobs=1, threads=1):
    """Encode videos, one after the other.

    Parameters
    ----------
    inputs : Inputs
    codebook : Codebook
    params : BlockParams
        As from `Codebook.params_with`.
    jobs : int
        Videos at once, in processes.
    threads : int
        Threads for each.

    Yields
    ------
    Encoded
        In the order of the inputs; independent of ``jobs`` and ``threads``.

    Raises
    ------
    DataError
        If the codebook does not fit the descriptors or the parameters, or as `encode_video`.
    """
    JOBS.check("jobs", jobs)
    THREADS.check("threads", threads)
    codebook.params_with(**params.fitting())
    codebook.check_fits(inputs)
    projected = inputs.projection_digest is not None
    tasks = ((source, codebook, params, threads, projected) for source in inputs.sources)
    yield from in_order(encode_video, tasks, jobs)


def projected_batches(source, codebooks, params, more=(), *, projected=False):
    """Yield the descriptors of a video, projected by the PCA of each block and codebook, some rows at a time.

    Sparse codes encode all tracks that end within the same L frames together. A batch then never splits such L frames.

    Parameters
    ----------
    source, codebooks, params, projected
        As `encode_with`.
    more : sequence of str
        Columns of the tracks to read besides those that the encoding needs
        (`encoding.descriptors.track_columns.COLUMNS`).

    Yields
    ------
    rows : list of list of (n, D) float32
        Projected descriptors of each codebook and block.
    tracks : TrackColumns

    Raises
    ------
    DataError
        As `encode_video`.
    """
    sizes = codebooks[0].widths if projected else codebooks[0].sizes
    asked = tuple(dict.fromkeys((*track_columns_of(params), *more)))
    parts = source.batches(sizes, columns=asked, skips=params.skips, projected=projected)
    if encodes_groups(params) and source.has_tracks:
        parts = whole_slices(parts, source.label)
    columns = columns_of(sizes)

    def coordinates(block, rows):
        spans = [columns[name] for name in ((block.name,) if projected else block.sizes)]
        part = rows[:, spans[0].start : spans[-1].stop]
        part = part if projected else block.project(part)
        # Refuse NaN here, because the distances from NaN to all words compare alike and any word would be taken.
        return float_array(part, (None, None), f"{block.name} of {source.label}, along its axes,")

    for rows, tracks in parts:
        yield [[coordinates(block, rows) for block in codebook.blocks] for codebook in codebooks], tracks
