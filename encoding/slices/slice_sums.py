"""Additive sums of the slices of one video, slice by slice, in bounded memory.

Source: docs/method/untrimmed.md, section 1; docs/method/encoding.md, section 13.
"""

import operator
from typing import NamedTuple

import numpy as np

from encoding.coders.pooling import CellCoder
from encoding.encode import projected_batches
from encoding.slices.cut import ASSIGN, LENGTH, Cut
from idt.errors import DataError, with_name

MOST_SKIP = 16
"""Largest frame step of a track that is assigned by its middle.

Tracks are read in the order of their last frames. The middle of a track lies before its last frame by half the length
of a track times its frame step, and slices stay open for so long.
"""


class SliceSums(NamedTuple):
    """Sums of one slice.

    Attributes
    ----------
    number : int
        Slice i has the frames from i · length.
    tracks : int
        Number of tracks.
    sums : (m,) float64
        `encoding.coders.pooling.CellCoder.to_row` of each block, side by side.
    """

    number: int
    tracks: int
    sums: np.ndarray


def slice_sums(source, codebook, params, *, cut=Cut(), threads=1, projected=False):
    """Sum up the tracks of each slice of a video.

    Parameters
    ----------
    source : Source
        As from `encoding.descriptors.sources.source_of`.
    codebook : Codebook
    params : BlockParams
        As from `Codebook.params_with`; the pyramid is not used.
    cut : Cut
    threads : int
        The result does not depend on it.
    projected : bool
        As for `encoding.encode.encode_video`.

    Yields
    ------
    SliceSums
        By rising number; slices without tracks are left out.

    Raises
    ------
    DataError
        If the encoding has no sums (stacked Fisher vectors, pooled largest values), the source has no frames,
        descriptors are not finite, or a track that is assigned by its middle has a frame step above `MOST_SKIP`.

    Notes
    -----
    docs/method/untrimmed.md, section 1.
    """
    LENGTH.check("slices", cut.length)
    if cut.assign not in ASSIGN:
        raise DataError(f"assign must be one of {', '.join(ASSIGN)}, got {cut.assign!r}")
    check_sums(codebook, params)
    if not source.has_tracks:
        raise DataError("plain arrays have no frames to slice; encode features")
    try:
        yield from _by_slice(source, codebook, params, cut, threads, projected)
    except DataError as problem:
        raise DataError(with_name(source.label, str(problem))) from None


def check_sums(codebook, params):
    """Refuse an encoding whose vectors are not made from sums.

    Parameters
    ----------
    codebook : Codebook
    params : BlockParams

    Raises
    ------
    DataError
        If they are stacked Fisher vectors or pooled largest values.
    """
    if params.encoding == "stacked" or not all(isinstance(block.coder, CellCoder) for block in codebook.blocks):
        raise DataError("stacked Fisher vectors are no sums over tracks; slice plain ones")
    for block in codebook.blocks:
        # Called for its refusal of largest values only.
        block.coder.to_row(block.coder.empty_sums(params), params)


def _by_slice(source, codebook, params, cut, threads, projected):
    """Yield the sums of each slice once no later track can belong to it."""
    open_slices: dict[int, list] = {}
    parts = projected_batches(source, [codebook], params, ("frame", "skip"), projected=projected)
    for found, tracks in parts:
        if not len(tracks.frame):
            continue
        if cut.assign == "middle" and tracks.skip.max() > MOST_SKIP:
            raise DataError(
                f"tracks that are assigned by their middle have frame steps of at most {MOST_SKIP},"
                f" got {tracks.skip.max()}; assign them by their end"
            )
        frames = tracks.frame if cut.assign == "end" else tracks.middle_frames()
        numbers = np.floor(frames / cut.length).astype(np.int64)
        if numbers.min() < 0:
            raise DataError("a track lies before the first frame, so the features are not of a whole video")
        codes = [block.coder.code(rows, params, tracks) for block, rows in zip(codebook.blocks, found[0], strict=True)]
        for number in np.unique(numbers).tolist():
            chosen = np.flatnonzero(numbers == number)
            sums = [
                block.coder.sum_codes(code[chosen], params, threads)
                for block, code in zip(codebook.blocks, codes, strict=True)
            ]
            before = open_slices.get(number)
            count = len(chosen) + (before[0] if before else 0)
            open_slices[number] = [count, sums if before is None else list(map(operator.add, before[1], sums))]
        # Later tracks may still belong to a slice that ends after the last frame read, less ``late``.
        late = 0 if cut.assign == "end" else MOST_SKIP * tracks.length / 2
        done = int((int(tracks.frame[-1]) - late) // cut.length)
        for number in sorted(number for number in open_slices if number < done):
            yield _closed(number, open_slices.pop(number), codebook, params)
    for number in sorted(open_slices):
        yield _closed(number, open_slices[number], codebook, params)


def _closed(number, found, codebook, params):
    """Return the `SliceSums` of a slice from its number of tracks and the sums of its blocks."""
    count, sums = found
    rows = [block.coder.to_row(part, params) for block, part in zip(codebook.blocks, sums, strict=True)]
    return SliceSums(number, count, np.concatenate(rows))
