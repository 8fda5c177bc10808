"""Rows and columns selected from a vectors file or an array, and read only when they are sliced.

Training needs the rows of the training videos. A result per descriptor needs some of the columns, and fusion appends
columns of other features. `Rows` is such a selection. The functions below multiply rows by blocks, so that memory does
not grow with the columns.
"""

import functools
import threading
from contextlib import contextmanager

import numpy as np
from threadpoolctl import ThreadpoolController

from idt.checks import describe
from idt.errors import DataError

MEMORY = 1 << 29
"""Bytes that reading and multiplying may take: two blocks, a third one being read, and the check of its numbers."""

PANEL = 4096
"""Number of columns converted to float64 at a time."""

_alone = threading.RLock()
_controller = functools.cache(ThreadpoolController)


class Rows:
    """A selection of rows and columns, with further columns appended.

    Parameters
    ----------
    source : (m, d) array
        Or an object with ``shape`` and ``dtype`` that is read by ``source[first:last, columns]``, such as the encodings
        of `encoding.vectors_file.open_vectors`.
    index : sequence of int, optional
        Rows in the order wanted; all by default. Neighbouring rows are read at once.
    columns : list of slice, optional
        Columns in the order wanted, as from `encoding.vector_layout.block_columns`; all by default.
    extra : sequence of (m, e) array
        Arrays to append to the right of the selected columns.

    Attributes
    ----------
    shape : tuple of int
    dtype : dtype
        float32, or float64 if any of the arrays is.

    Raises
    ------
    DataError
        If an extra array has another number of rows than the source, or a row is out of range.
    """

    def __init__(self, source, *, index=None, columns=None, extra=()):
        rows = source.shape[0]
        self._source = source
        self._columns = [slice(0, source.shape[1])] if columns is None else list(columns)
        self._extra = list(extra)
        for block in self._extra:
            if block.shape[0] != rows:
                raise DataError(f"extra blocks must have a row for each of the {rows} vectors, got {block.shape[0]}")
        self._index = np.arange(rows) if index is None else np.asarray(index, np.intp).reshape(-1)
        if len(self._index) and not (self._index.min() >= 0 and self._index.max() < rows):
            raise DataError(f"rows must lie in 0 … {rows - 1}, got {self._index.min()} … {self._index.max()}")
        width = sum(part.stop - part.start for part in self._columns) + sum(block.shape[1] for block in self._extra)
        self.shape = (len(self._index), width)
        doubles = any(np.dtype(block.dtype) == np.float64 for block in (source, *self._extra))
        self.dtype = np.dtype(np.float64 if doubles else np.float32)

    def __len__(self):
        return self.shape[0]

    def __getitem__(self, part):
        """Read a slice of the rows: (k, width) of ``dtype``."""
        index = self._index[part]
        out = np.empty((len(index), self.shape[1]), self.dtype)
        breaks = np.flatnonzero(np.diff(index) != 1) + 1
        for first, last in zip([0, *breaks], [*breaks, len(index)], strict=True):
            if first == last:
                continue
            run = slice(index[first], index[last - 1] + 1)
            pieces = [self._source[run, columns] for columns in self._columns]
            column = 0
            for piece in (*pieces, *(block[run] for block in self._extra)):
                out[first:last, column : column + piece.shape[1]] = piece
                column += piece.shape[1]
        return out

    def take(self, index):
        """Select some of these rows.

        Parameters
        ----------
        index : sequence of int

        Returns
        -------
        Rows
        """
        return Rows(self._source, index=self._index[index], columns=self._columns, extra=self._extra)

    def cut(self, part):
        """Select some of the columns.

        Parameters
        ----------
        part : slice
            First and last column, exclusive, within the width.

        Returns
        -------
        Rows
        """
        columns, extra, first = [], [], 0
        for piece in (*self._columns, *self._extra):
            ours = isinstance(piece, slice)
            width = piece.stop - piece.start if ours else piece.shape[1]
            begin, end = max(part.start - first, 0), min(part.stop - first, width)
            first += width
            if begin < end and ours:
                columns.append(slice(piece.start + begin, piece.start + end))
            elif begin < end:
                extra.append(piece[:, begin:end])
        return Rows(self._source, index=self._index, columns=columns, extra=extra)


def as_rows(X):
    """Convert the X of a caller to rows.

    Parameters
    ----------
    X : Rows, DataFrame or array-like (n, d)

    Returns
    -------
    Rows or (n, d) float32 or float64
        `Rows` and float32 unchanged, other real numbers as float64.

    Raises
    ------
    DataError
        If X is sparse, complex, not a matrix, or has no rows or no columns.
    """
    if isinstance(X, Rows):
        return X
    if hasattr(X, "toarray"):
        raise DataError("X must be a dense matrix, got a sparse one; sparse input is not supported, use X.toarray()")
    X = np.asarray(X)
    if X.dtype.kind == "c":
        raise DataError(f"X must be real numbers, got {describe(X)}. Complex data not supported")
    if X.dtype != np.float32:
        try:
            X = X.astype(np.float64, copy=False)
        except ValueError:
            raise DataError(f"X must be real numbers, got {describe(X)}") from None
    if X.ndim != 2:
        raise DataError(
            f"X must be rows of shape (n, d), got {describe(X)}. Reshape your data: X.reshape(1, -1) if it is one row"
        )
    for size, what in zip(X.shape, ("sample", "feature"), strict=True):
        if not size:
            raise DataError(f"X has 0 {what}(s) (shape={X.shape}) while a minimum of 1 is required.")
    return X


def parts(rows, memory=MEMORY):
    """Cut rows into blocks, four of which fit into ``memory`` bytes.

    Parameters
    ----------
    rows : (n, d) array or Rows
    memory : int

    Returns
    -------
    list of slice
    """
    step = max(1, memory // (4 * rows.shape[1] * rows.dtype.itemsize))
    return [slice(first, min(first + step, rows.shape[0])) for first in range(0, rows.shape[0], step)]


def check_finite(block, start):
    """Refuse numbers that are not finite.

    Parameters
    ----------
    block : (k, d) float32 or float64
    start : int
        Index of its first row, for the message.

    Raises
    ------
    DataError
        With their number and the first row that holds one.
    """
    wrong = ~np.isfinite(block)
    if wrong.any():
        row = start + int(wrong.any(axis=1).argmax())
        raise DataError(f"X must be finite, got {np.count_nonzero(wrong)} NaN or infinite numbers, first in row {row}")


def products(left, right):
    """Compute ``left @ right.T`` in float64 by panels of columns, so that no float64 copy of all columns is made.

    Parameters
    ----------
    left : (n, d) float32 or float64
    right : (m, d) float32 or float64

    Returns
    -------
    (n, m) float64
    """
    out = np.zeros((len(left), len(right)))
    for first in range(0, left.shape[1], PANEL):
        panel = left[:, first : first + PANEL].astype(np.float64)
        out += panel @ (panel if right is left else right[:, first : first + PANEL].astype(np.float64)).T
    return out


def combine(factors, rows):
    """Compute ``factors @ rows`` in float64 by blocks of rows and panels of columns.

    Parameters
    ----------
    factors : (k, n) float64
    rows : (n, d) float32 or float64, or Rows

    Returns
    -------
    (k, d) float64
    """
    out = np.zeros((len(factors), rows.shape[1]))
    for part in parts(rows):
        block = rows[part]
        for first in range(0, rows.shape[1], PANEL):
            columns = slice(first, first + PANEL)
            out[:, columns] += factors[:, part] @ block[:, columns].astype(np.float64)
    return out


def gram(rows, *, memory=MEMORY):
    """Compute the inner products of all pairs of rows.

    Parameters
    ----------
    rows : (n, d) float32 or float64, or Rows
    memory : int
        Bytes besides the result. More bytes mean fewer passes over a file.

    Returns
    -------
    (n, n) float64
        A symmetric matrix. It is float64, because in float32 it would not be positive definite enough for hard classes.

    Raises
    ------
    DataError
        If a number is not finite.
    """
    n = rows.shape[0]
    out = np.empty((n, n))
    pieces = parts(rows, memory)
    for i, piece in enumerate(pieces):
        left = rows[piece]
        for other in pieces[i:]:
            right = left if other == piece else rows[other]
            if i == 0:  # the first sweep sees every row
                check_finite(right, other.start)
            corner = products(left, right)
            out[piece, other] = corner
            out[other, piece] = corner.T
    return out


@contextmanager
def one_thread():
    """Limit matrix products to one thread within the block, so that their last bits do not depend on the cores.

    The limit holds for the whole process, so only one block runs at a time.
    """
    with _alone, _controller().limit(limits=1, user_api="blas"):
        yield
