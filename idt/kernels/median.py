"""Median of 5×5 pixels (spec 3), by sorting networks on eight pixels at once.

Two windows one above the other share four rows. Their columns of four are sorted once for the five windows that each
column belongs to, then merged in pairs, each for two windows. Of the 20 shared numbers only the middle six can be the
median of either window; the five numbers of its own row decide which.

Source: Batcher, "Sorting networks and their applications", AFIPS 1968 (odd-even merging).
"""

import numpy as np
from numba import njit

from idt.kernels import INNER, kernel
from idt.kernels.simd import LANES, exchange, greater, load, smaller, store

MARGIN = 8
"""Numbers to the left and right of a row, of which a window reads 2."""
RING = 8
"""Rows kept, a power of 2: two windows need 6."""


@njit(**INNER, inline="always")
def _keep_row(planes, first, y, height, width, rows, start):
    """Copy the row at y, or the one at the border next to it, continued by its first and last numbers.

    The plane begins at ``first``.
    """
    at = first + min(max(y, 0), height - 1) * width
    out = start + MARGIN
    for x in range(width):
        rows[out + x] = planes[at + x]
    for k in range(1, MARGIN + 1):
        rows[out - k] = planes[at]
        rows[out + width - 1 + k] = planes[at + width - 1]


@njit(**INNER, inline="always")
def _sort_columns(rows, first, second, third, fourth, columns):
    """Sort the four numbers of every column; the places of four rows, columns (4 · pitch,) out."""
    pitch = columns.size // 4
    for x in range(0, pitch, LANES):
        a, b = exchange(load(rows, first + x), load(rows, second + x))
        c, d = exchange(load(rows, third + x), load(rows, fourth + x))
        a, c = exchange(a, c)
        b, d = exchange(b, d)
        b, c = exchange(b, c)
        store(columns, x, a)
        store(columns, pitch + x, b)
        store(columns, 2 * pitch + x, c)
        store(columns, 3 * pitch + x, d)


@njit(**INNER, inline="always")
def _merge_neighbours(columns, pairs):
    """Merge every sorted column with the one to its right; columns (4 · pitch,), pairs (8 · pitch,) out."""
    pitch = columns.size // 4
    for x in range(0, pitch - LANES, LANES):
        a0, b0 = exchange(load(columns, x), load(columns, x + 1))
        a1, b1 = exchange(load(columns, pitch + x), load(columns, pitch + x + 1))
        a2, b2 = exchange(load(columns, 2 * pitch + x), load(columns, 2 * pitch + x + 1))
        a3, b3 = exchange(load(columns, 3 * pitch + x), load(columns, 3 * pitch + x + 1))
        b0, a2 = exchange(b0, a2)
        b1, a3 = exchange(b1, a3)
        a1, b0 = exchange(a1, b0)
        b1, a2 = exchange(b1, a2)
        a3, b2 = exchange(a3, b2)
        store(pairs, x, a0)
        store(pairs, pitch + x, a1)
        store(pairs, 2 * pitch + x, b0)
        store(pairs, 3 * pitch + x, b1)
        store(pairs, 4 * pitch + x, a2)
        store(pairs, 5 * pitch + x, a3)
        store(pairs, 6 * pitch + x, b2)
        store(pairs, 7 * pitch + x, b3)


@njit(**INNER, inline="always")
def _middle_six(pairs, columns, x):
    """The middle six of the 20 numbers in the columns x − 2 … x + 2: two sorted pairs and a sorted column.

    An odd-even merge of eight and four, then with the other eight, without the comparators that decide nothing.
    """
    pitch = columns.size // 4
    a0, a1, a2, a3 = (
        load(pairs, x - 2),
        load(pairs, pitch + x - 2),
        load(pairs, 2 * pitch + x - 2),
        load(pairs, 3 * pitch + x - 2),
    )
    a4, a5, a6, a7 = (
        load(pairs, 4 * pitch + x - 2),
        load(pairs, 5 * pitch + x - 2),
        load(pairs, 6 * pitch + x - 2),
        load(pairs, 7 * pitch + x - 2),
    )
    b0, b1, b2, b3 = load(pairs, x), load(pairs, pitch + x), load(pairs, 2 * pitch + x), load(pairs, 3 * pitch + x)
    b4, b5, b6 = load(pairs, 4 * pitch + x), load(pairs, 5 * pitch + x), load(pairs, 6 * pitch + x)
    b7 = load(pairs, 7 * pitch + x)
    c0, c1, c2, c3 = (
        load(columns, x + 2),
        load(columns, pitch + x + 2),
        load(columns, 2 * pitch + x + 2),
        load(columns, 3 * pitch + x + 2),
    )
    a0, c0 = exchange(a0, c0)
    a4, c0 = exchange(a4, c0)
    a2, c2 = exchange(a2, c2)
    a6, c2 = exchange(a6, c2)
    a2, a4 = exchange(a2, a4)
    a6, c0 = exchange(a6, c0)
    a1, c1 = exchange(a1, c1)
    a5, c1 = exchange(a5, c1)
    a3, c3 = exchange(a3, c3)
    a7, c3 = exchange(a7, c3)
    a3, a5 = exchange(a3, a5)
    a7, c1 = exchange(a7, c1)
    a1, a2 = exchange(a1, a2)
    a3, a4 = exchange(a3, a4)
    a5, a6 = exchange(a5, a6)
    a7, c0 = exchange(a7, c0)
    c1, c2 = exchange(c1, c2)
    b0 = greater(a0, b0)
    c0, b0 = exchange(c0, b0)
    a4, b4 = exchange(a4, b4)
    c0 = greater(a4, c0)
    b4 = smaller(b4, b0)
    b2 = greater(a2, b2)
    c2 = smaller(c2, b2)
    a6 = smaller(a6, b6)
    a6, c2 = exchange(a6, c2)
    c0 = greater(a6, c0)
    c2, b4 = exchange(c2, b4)
    b1 = greater(a1, b1)
    c1, b1 = exchange(c1, b1)
    a5, b5 = exchange(a5, b5)
    c1 = greater(a5, c1)
    b5 = smaller(b5, b1)
    b3 = greater(a3, b3)
    c3 = smaller(c3, b3)
    a7 = smaller(a7, b7)
    a7, c3 = exchange(a7, c3)
    a7, c1 = exchange(a7, c1)
    c3 = smaller(c3, b5)
    a7, c0 = exchange(a7, c0)
    c1, c2 = exchange(c1, c2)
    c3, b4 = exchange(c3, b4)
    return a7, c0, c1, c2, c3, b4


@njit(**INNER, inline="always")
def _find_median(rows, at, lowest, lower, low, high, higher, highest):
    """The sixth of six sorted numbers and the five of a window's own row around ``at``."""
    a, b = exchange(load(rows, at - 2), load(rows, at - 1))
    d, e = exchange(load(rows, at + 1), load(rows, at + 2))
    c, e = exchange(load(rows, at), e)
    c, d = exchange(c, d)
    b, e = exchange(b, e)
    a, d = exchange(a, d)
    a, c = exchange(a, c)
    b, d = exchange(b, d)
    b, c = exchange(b, c)
    # k of the five and 6 − k of the six are the six smallest of all for one k: there the greater of both is the median.
    median = smaller(smaller(highest, greater(higher, a)), greater(high, b))
    return smaller(smaller(median, greater(low, c)), smaller(greater(lower, d), greater(lowest, e)))


@kernel()
def median(planes, height, width, out):
    """The median of the 5×5 pixels around each; beyond the image its border is repeated.

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
                a, b, c, d, e, f = _middle_six(pairs, columns, MARGIN + x)
                store(two, x, _find_median(rows, above + x, a, b, c, d, e, f))
                store(two, whole + x, _find_median(rows, below + x, a, b, c, d, e, f))
            at = first + y * width
            for x in range(width):
                out[at + x] = two[x]
            if y + 1 < height:
                for x in range(width):
                    out[at + width + x] = two[whole + x]
