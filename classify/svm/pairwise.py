"""Sums over columns, for all pairs of rows: inner products and χ² distances.

The matrix is cut into tiles of fixed size. Each tile is computed by one thread with one BLAS thread, so that the number
of threads changes no bit of the result.
"""

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from classify.svm.lazy_rows import panels
from idt.workers.blas import one_blas_thread

TILE = 1024
"""Rows of a tile."""


def pairwise(rows, count, function, *, columns=None, threads=1):
    """Sum a function of pairs of rows over panels of columns.

    Parameters
    ----------
    rows : LazyRows
    count : int
        Number m of rows on the right side of a pair: the first m rows.
    function : callable
        Takes two blocks of rows, (a, k) and (b, k) float64, and returns (a, b) float64. It is symmetric and additive
        over the columns.
    columns : (int, int), optional
        First and last column, exclusive; all by default.
    threads : int

    Returns
    -------
    (n, m) float64
        The first m rows are a symmetric matrix.

    Raises
    ------
    DataError
        If a number is not finite.
    """
    total = rows.shape[0]
    out = np.zeros((total, count))
    tiles = [slice(first, min(first + TILE, count)) for first in range(0, count, TILE)]
    below = [slice(first, min(first + TILE, total)) for first in range(count, total, TILE)]
    pairs = [(one, other) for one in [*tiles, *below] for other in tiles if one.start >= other.start]
    with one_blas_thread(), ThreadPoolExecutor(threads) as pool:
        for _, panel in panels(rows, columns):

            def add(pair, panel=panel):
                one, other = pair
                out[one, other] += function(panel[one], panel[other])

            for _ in pool.map(add, pairs):
                pass
    for one, other in pairs:
        if one.start < count and one != other:
            out[other, one] = out[one, other].T
    return out


def inner_products(left, right):
    """Return the inner products of the rows of ``left``, (a, k), and ``right``, (b, k)."""
    return left @ right.T
