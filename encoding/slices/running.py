"""Slices of a video that is still running, one after the other, in constant memory.

Source: docs/method/untrimmed.md, section 10.
"""

from itertools import count

import numpy as np

from encoding.descriptors.sources import FeaturesSource
from encoding.slices.cut import Cut
from encoding.slices.slice_sums import SliceSums, check_sums, slice_sums
from encoding.slices.windows import widths_of
from idt.errors import DataError


def running_slices(chunks, codebook, params, *, name, cut=Cut(), threads=1):
    """Sum up the slices of a video as its frames pass.

    Parameters
    ----------
    chunks : iterable of (Features, int)
        Tracks that ended since the previous chunk, and the number of frames that have passed; as from `idt.stream`.
    codebook : Codebook
    params : BlockParams
    name : str
        The video, for messages.
    cut : Cut
        It must assign tracks by their end. If it assigned them by their middle, later tracks would change slices that
        were already yielded.
    threads : int
        The result does not depend on it.

    Yields
    ------
    SliceSums
        Each slice as soon as its last frame has passed. A slice without tracks has zero sums.

    Raises
    ------
    DataError
        If the cut is by the middle, or as `encoding.slices.slice_sums.slice_sums`.
    """
    if cut.assign != "end":
        raise DataError("a running video is sliced by the ends of tracks; drop --assign middle")
    check_sums(codebook, params)
    width, numbers = sum(widths_of(codebook, params)), count()
    waiting: dict[int, SliceSums] = {}
    number, frames = next(numbers), 0
    for chunk, frames in chunks:
        for each in slice_sums(FeaturesSource(chunk, name), codebook, params, cut=cut, threads=threads):
            before = waiting.get(each.number)
            waiting[each.number] = each if before is None else _joined(before, each)
        while (number + 1) * cut.length <= frames:
            yield waiting.pop(number, SliceSums(number, 0, np.zeros(width)))
            number = next(numbers)
    if number * cut.length < frames:
        yield waiting.pop(number, SliceSums(number, 0, np.zeros(width)))


def _joined(one, other):
    return SliceSums(one.number, one.tracks + other.tracks, one.sums + other.sums)
