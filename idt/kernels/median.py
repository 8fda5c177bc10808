"""Median of 5×5 pixels (docs/method/extraction.md, section 3.5), by sorting networks on eight pixels at once.

Two windows one above the other share four rows. The four numbers of a column in these rows are sorted once for all
windows that contain the column. Pairs of neighbouring columns are then merged, once for all windows that contain the
pair. A window has 20 shared numbers and the five of its own row, so its median is the sixth smallest of these five and
the middle six of the shared ones.

Source: Batcher, "Sorting networks and their applications", AFIPS 1968 (odd-even merging).
"""

import numpy as np

from idt.jit.float8 import LANES, maximum, minimum, sorting_network
from idt.jit.float8_memory import copy, load, load_rows, store, store_rows
from idt.jit.kernel import inner, kernel

MARGIN = 8
"""Numbers of padding at either end of a row; a window reads 2 of them."""
RING = 8
"""Rows that are kept: a power of 2, so that the row of an index needs no division; two windows need 6."""


@inner()
def _keep_row(planes, first, y, height, width, rows, start):
    """Copy row y of the plane that begins at ``first``, or the nearest row, padded with its first and last numbers."""
    at = first + min(max(y, 0), height - 1) * width
    out = start + MARGIN
    copy(planes, at, rows, out, width)
    for k in range(1, MARGIN + 1):
        rows[out - k] = planes[at]
        rows[out + width - 1 + k] = planes[at + width - 1]


# A comparator is a pair of places: the smaller number goes to the first place, the greater to the second.
_sort_four = sorting_network(((0, 1), (2, 3), (0, 2), (1, 3), (1, 2)), (0, 1, 2, 3))
_sort_five = sorting_network(((0, 1), (3, 4), (2, 4), (2, 3), (1, 4), (0, 3), (0, 2), (1, 3), (1, 2)), (0, 1, 2, 3, 4))
# Input: two sorted fours at the places 0 … 3 and 4 … 7.
_merge_fours = sorting_network(
    ((0, 4), (1, 5), (2, 6), (3, 7), (4, 2), (5, 3), (1, 4), (5, 2), (3, 6)), (0, 1, 4, 5, 2, 3, 6, 7)
)
# Input: two sorted eights at the places 0 … 7 and 8 … 15 and a sorted four at 16 … 19. The first eight and the four are
# merged, then both with the other eight. Comparators that do not affect the middle six of the twenty are left out.
_find_middle = sorting_network(
    (
        (0, 16), (4, 16), (2, 18), (6, 18), (2, 4), (6, 16), (1, 17), (5, 17), (3, 19), (7, 19), (3, 5), (7, 17),
        (1, 2), (3, 4), (5, 6), (7, 16), (17, 18),
        (0, 8), (16, 8), (4, 12), (4, 16), (12, 8), (2, 10), (18, 10), (6, 14), (6, 18), (6, 16), (18, 12),
        (1, 9), (17, 9), (5, 13), (5, 17), (13, 9), (3, 11), (19, 11), (7, 15), (7, 19), (7, 17), (19, 13),
        (7, 16), (17, 18), (19, 12),
    ),
    (7, 16, 17, 18, 19, 12),
)  # fmt: skip


@inner()
def _sort_columns(rows, first, second, third, fourth, columns):
    """Sort the four numbers of every column; the rows begin at first … fourth; columns (4 · pitch,) out."""
    pitch = columns.size // 4
    for x in range(0, pitch, LANES):
        four = load(rows, first + x), load(rows, second + x), load(rows, third + x), load(rows, fourth + x)
        store_rows(columns, x, pitch, _sort_four(four))


@inner()
def _merge_neighbours(columns, pairs):
    """Merge every sorted column with the one to its right; columns (4 · pitch,), pairs (8 · pitch,) out."""
    pitch = columns.size // 4
    for x in range(0, pitch - LANES, LANES):
        both = load_rows(columns, x, pitch, 4) + load_rows(columns, x + 1, pitch, 4)
        store_rows(pairs, x, pitch, _merge_fours(both))


@inner()
def _find_median(rows, at, six):
    """Find the median: the sixth smallest of six sorted numbers and the five of a window's own row around ``at``."""
    lowest, lower, low, high, higher, highest = six
    a, b, c, d, e = _sort_five(load_rows(rows, at - 2, 1, 5))
    # For each k, take the k smallest of the five and the 6 − k smallest of the six. The greatest of them is never below
    # the sixth smallest of all, and equals it for one k. Therefore the least of these greatest numbers is the median.
    median = minimum(minimum(highest, maximum(higher, a)), maximum(high, b))
    return minimum(minimum(median, maximum(low, c)), minimum(maximum(lower, d), maximum(lowest, e)))


@kernel()
def median(planes, height, width, out):
    """Compute the median of the 5×5 pixels around each pixel; the border is repeated.

    planes, out (n · H · W,) float32, one plane after the other.
    """
    whole = -(-width // LANES) * LANES
    pitch = whole + 2 * MARGIN
    rows, columns = np.empty(RING * pitch, np.float32), np.empty(4 * pitch, np.float32)
    pairs, two = np.empty(8 * pitch, np.float32), np.empty(2 * whole, np.float32)
    for first in range(0, out.size, height * width):
        for y in range(-2, 2):
            _keep_row(planes, first, y, height, width, rows, (y & (RING - 1)) * pitch)
        for y in range(0, height, 2):
            for new in range(y + 2, y + 4):
                _keep_row(planes, first, new, height, width, rows, (new & (RING - 1)) * pitch)
            _sort_columns(
                rows, ((y - 1) & (RING - 1)) * pitch, (y & (RING - 1)) * pitch, ((y + 1) & (RING - 1)) * pitch,
                ((y + 2) & (RING - 1)) * pitch, columns,
            )  # fmt: skip
            _merge_neighbours(columns, pairs)
            above, below = ((y - 2) & (RING - 1)) * pitch + MARGIN, ((y + 3) & (RING - 1)) * pitch + MARGIN
            for x in range(0, width, LANES):
                # Columns x − 2 … x + 2.
                left = MARGIN + x - 2
                twenty = load_rows(pairs, left, pitch, 8) + load_rows(pairs, left + 2, pitch, 8)
                six = _find_middle(twenty + load_rows(columns, left + 4, pitch, 4))
                store(two, x, _find_median(rows, above + x, six))
                store(two, whole + x, _find_median(rows, below + x, six))
            at = first + y * width
            copy(two, 0, out, at, width)
            if y + 1 < height:
                copy(two, whole, out, at + width, width)
