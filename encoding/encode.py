"""Encoded vectors of videos: one vector each, block by block, from their descriptors and a codebook.

Of each block: project (`encoding.models.pca`), sum up as the encoding does (`encoding.coders.fisher`, `bovw`, `vlad`,
`stacked`) in every cell of the pyramid (`encoding.coders.pooling`), normalise (`encoding.coders.normalize`); then the
blocks side by side. A video is read once, some rows at a time, and one without tracks has the zero vector.
`encode_files` writes a vectors file; `encoding.encoders` has the same as scikit-learn transformers.

Source: docs/method/encoding.md, sections 4, 6 and 7; Wang & Schmid 2013.
"""

import contextlib
from typing import Any, NamedTuple

import numpy as np

from encoding.coders.pooling import slices_of
from encoding.coders.registry import columns_asked, in_groups
from encoding.coders.sparse_codes import whole_slices
from encoding.descriptors.inputs import Inputs, columns_of, combined, digests
from encoding.params import VECTOR
from encoding.vectors_file import VectorsWriter
from idt.errors import DataError
from idt.params.bounds import JOBS, THREADS
from idt.workers.in_order import in_order
from idt.workers.run_options import RunOptions


class Encoded(NamedTuple):
    """The ``vector`` (d,) float32 of a video with ``tracks`` tracks; zero if there are none."""

    vector: np.ndarray
    tracks: int


class Summary(NamedTuple):
    """What `encode_files` wrote: ``videos`` vectors of ``columns`` numbers; the ``empty`` videos have no tracks."""

    videos: int
    columns: int
    empty: list


class Wanted(NamedTuple):
    """A vectors file to be made.

    Attributes
    ----------
    output : str or Path
    codebook : Codebook
    source : dict
        What the file records of its making.
    names : collection of str
        Its videos.
    """

    output: Any
    codebook: Any
    source: dict
    names: Any


def encode_video(source, codebook, params, threads=1, projected=False):
    """Encode one video.

    Parameters
    ----------
    source : Source
        As from `encoding.descriptors.sources.source_of`.
    codebook : Codebook
        That fits the descriptors (`Codebook.check_fits`).
    params : BlockParams
        As from `Codebook.params_with`.
    threads : int
        The result does not depend on it.
    projected : bool
        The descriptors are stored along the codebook's axes (`encoding.descriptors.inputs.Inputs.projected`).

    Returns
    -------
    Encoded

    Raises
    ------
    DataError
        If descriptors are not finite, a file is damaged, or the encoding needs what the descriptors do not tell, such
        as positions of plain arrays.
    """
    return encode_with(source, [codebook], params, threads, projected)[0]


def encode_with(source, codebooks, params, threads=1, projected=False):
    """Encode one video with each of several codebooks, reading it once.

    Parameters
    ----------
    source, params, threads, projected
        As `encode_video`.
    codebooks : sequence of Codebook
        Of the same blocks, such as those of the splits of a data set.

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
    for found, tracks in _parts(source, codebooks, params, projected=projected):
        n += len(found[0][0])
        for of_codebook, coordinates in zip(pools, found, strict=True):
            for pool, rows in zip(of_codebook, coordinates, strict=True):
                pool.add(rows, tracks, threads)
    return [Encoded(np.concatenate([pool.vector() for pool in of_codebook]), n) for of_codebook in pools]


def slices_of_video(source, codebook, params, *, length=15, grid=(1, 1), threads=1, projected=False):
    """Additive sums of one video by time slice and cell, from which the vector of any window is made.

    Parameters
    ----------
    source, codebook, params, threads, projected
        As `encode_video`. Stacked Fisher vectors have no such sums.
    length : int
        Frames of a slice. A track belongs to the slice of its middle frame.
    grid : (int, int)
        Columns and rows of cells.

    Returns
    -------
    list of encoding.coders.pooling.Slices
        One for each block of the codebook; `window_vector` makes vectors of them.

    Raises
    ------
    DataError
        As `encode_video`, and if plain arrays or stacked vectors are asked for slices.
    """
    if params.encoding == "stacked":
        raise DataError("stacked Fisher vectors are no sums over tracks; slice plain ones")
    if not source.has_tracks:
        raise DataError("plain arrays have no frames to slice; encode features")
    asked = ("frame", "skip") if grid == (1, 1) else ("frame", "skip", "position")
    parts = [(found[0], tracks) for found, tracks in _parts(source, [codebook], params, asked, projected=projected)]
    return [
        slices_of(
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
    """The vector of a window of a video.

    Parameters
    ----------
    sliced : list of Slices
        As from `slices_of_video`.
    codebook, params
        The same.
    **window
        ``slices``, ``columns`` and ``rows``, as `encoding.coders.pooling.Slices.total`; all by default.

    Returns
    -------
    (m,) float32
        As a video of just these tracks would have, without a pyramid.
    """
    return np.concatenate(
        [
            block.coder.vector(part.total(block.coder, params, **window), params)
            for block, part in zip(codebook.blocks, sliced, strict=True)
        ]
    )


def layout_of(codebook, params):
    """Which columns of a vector belong to which block and cell.

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
        If a vector would be too large (`encoding.params.VECTOR`).
    """
    parts, first = [], 0
    for block in codebook.blocks:
        for cell, size in block.coder.parts(params):
            parts.append({"block": block.name, "cell": cell, "first": first, "size": size})
            first += size
    if first > VECTOR:
        raise DataError(
            f"pyramid={params.pyramid} makes a vector of {first} numbers with this codebook, expected at most {VECTOR},"
            " for it lies in memory as a whole; use a smaller pyramid"
        )
    return parts


def width_of(layout):
    """Count the numbers of a vector of this ``layout``."""
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
    projected = inputs.projected is not None
    tasks = ((source, codebook, params, threads, projected) for source in inputs.sources)
    yield from in_order(encode_video, tasks, jobs)


def encode_files(files, names, codebook, output, *, params=None, source=None, run=RunOptions()):
    """Encode feature files into a vectors file.

    Parameters
    ----------
    files : list of str or Path
    names : list of str or None
        Of the videos; None for `encoding.descriptors.feature_files.names_of`.
    codebook : Codebook
    output : str or Path
        It appears when it is complete; read it with `encoding.vectors_file.load_vectors`.
    params : BlockParams, optional
        The encoding's defaults by default.
    source : dict, optional
        What the file records of its making; by default a digest of the files and that of the codebook.
    run : RunOptions
        Processes, threads, whether ``output`` may be replaced, and a progress that counts videos.

    Returns
    -------
    Summary

    Raises
    ------
    DataError
        As `encode`, and if ``output`` exists and may not be replaced.
    OSError
        If a file cannot be read or the output not be written.
    """
    params = params or codebook.params_with()
    inputs = Inputs.of(files, names, descriptors=tuple(codebook.sizes))
    if source is None:
        source = {"digest": combined(digests(inputs.sources)), "codebook": codebook.digest}
    return encode_sets(inputs, [Wanted(output, codebook, source, inputs.names)], params, run=run)[0]


def encode_sets(inputs, wanted, params, *, run=RunOptions()):
    """Encode videos into several vectors files, such as those of the splits of a data set, reading each video once.

    Parameters
    ----------
    inputs : Inputs
    wanted : sequence of Wanted
    params : BlockParams
        Of all files.
    run : RunOptions
        As for `encode_files`.

    Returns
    -------
    list of Summary
        One for each file. A file holds its videos in the order of the inputs.

    Raises
    ------
    DataError, OSError
        As `encode_files`.
    """
    for each in wanted:
        each.codebook.params_with(**params.fitting())
        each.codebook.check_fits(inputs)
    names = [frozenset(each.names) for each in wanted]
    members = [[i for i, of_file in enumerate(names) if name in of_file] for name in inputs.names]
    projected = inputs.projected is not None
    tasks = (
        (source, [wanted[i].codebook for i in chosen], params, run.threads, projected)
        for source, chosen in zip(inputs.sources, members, strict=True)
    )
    layouts = [layout_of(each.codebook, params) for each in wanted]
    empty: list[list[str]] = [[] for _ in wanted]
    with contextlib.ExitStack() as stack:
        update = stack.enter_context(run.progress("video", len(inputs)))
        writers = [
            stack.enter_context(
                VectorsWriter(
                    each.output,
                    layout=layout,
                    codebook=each.codebook.digest,
                    params=params,
                    source=each.source,
                    overwrite=run.overwrite,
                )
            )
            for each, layout in zip(wanted, layouts, strict=True)
        ]
        found = in_order(encode_with, tasks, run.jobs)
        for name, chosen, encoded in zip(inputs.names, members, found, strict=True):
            for i, (vector, tracks) in zip(chosen, encoded, strict=True):
                writers[i].append(name, vector, empty=not tracks)
                if not tracks:
                    empty[i].append(name)
            update()
    return [
        Summary(len(each.names), width_of(layout), without)
        for each, layout, without in zip(wanted, layouts, empty, strict=True)
    ]


def _parts(source, codebooks, params, more=(), *, projected=False):
    """Yield, for each codebook and block, the descriptors as its coder takes them, and the tracks.

    The rows are cut as the encoding wants them.
    """
    sizes = codebooks[0].widths if projected else codebooks[0].sizes
    asked = tuple(dict.fromkeys((*columns_asked(params), *more)))
    parts = source.parts(sizes, columns=asked, steps=params.steps, projected=projected)
    if in_groups(params) and source.has_tracks:
        parts = whole_slices(parts, source.label)
    columns = columns_of(sizes)

    def coordinates(block, rows):
        at = [columns[name] for name in ((block.name,) if projected else block.sizes)]
        part = rows[:, at[0].start : at[-1].stop]
        return part if projected else block.project(part)

    for rows, tracks in parts:
        yield [[coordinates(block, rows) for block in codebook.blocks] for codebook in codebooks], tracks
