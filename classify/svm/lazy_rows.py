"""Rows and columns selected from a vectors file or an array, and read only when they are needed.

Training needs the rows of the training videos. A result per descriptor needs some of the columns, and fusion appends
columns of other features. `LazyRows` is such a selection. It is read by panels of columns, so that a file is read once
and memory does not grow with the number of columns.
"""

import numpy as np
from sklearn.utils import check_array

from idt.errors import DataError
from idt.workers.read_ahead import read_ahead

PANEL_BYTES = 1 << 27
"""Bytes of a panel of columns in float64. Three panels are in memory: one being read, one read ahead, one in use."""

MOST_RUNS = 64
"""Largest number of runs of neighbouring rows that are read run by run. For more, all rows between are read."""


class LazyRows:
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
    on_columns : callable or None
        Called by `panels` with the number of columns after each panel is used.

    Raises
    ------
    DataError
        If an extra array has another number of rows than the source, or a row is out of range.
    """

    on_columns = None

    def __init__(self, source, *, index=None, columns=None, extra=()):
        count = source.shape[0]
        for block in extra:
            if block.shape[0] != count:
                raise DataError(f"extra blocks must have a row for each of the {count} vectors, got {block.shape[0]}")
        columns = [slice(0, source.shape[1])] if columns is None else columns
        self._pieces = [(source, part) for part in columns] + [(block, slice(0, block.shape[1])) for block in extra]
        self._index = np.arange(count) if index is None else np.asarray(index, np.intp).reshape(-1)
        if len(self._index) and not (self._index.min() >= 0 and self._index.max() < count):
            raise DataError(f"rows must lie in 0 … {count - 1}, got {self._index.min()} … {self._index.max()}")
        self.shape = (len(self._index), sum(part.stop - part.start for _, part in self._pieces))
        doubles = any(np.dtype(piece.dtype) == np.float64 for piece, _ in self._pieces)
        self.dtype = np.dtype(np.float64 if doubles else np.float32)

    def __len__(self):
        return self.shape[0]

    def take(self, index):
        """Select some of these rows.

        Parameters
        ----------
        index : sequence of int

        Returns
        -------
        LazyRows
        """
        chosen = object.__new__(LazyRows)
        chosen._pieces, chosen._index, chosen.dtype = self._pieces, self._index[index], self.dtype
        chosen.shape = (len(chosen._index), self.shape[1])
        return chosen

    def read(self, first=0, last=None):
        """Read a range of the columns.

        Parameters
        ----------
        first, last : int
            First and last column, exclusive; all columns by default.

        Returns
        -------
        (n, last - first) array
            Of ``dtype``.
        """
        last = self.shape[1] if last is None else last
        out = np.empty((self.shape[0], last - first), self.dtype)
        before = 0
        for source, part in self._pieces:
            begin, end = max(first - before, 0), min(last - before, part.stop - part.start)
            if begin < end:
                columns = slice(part.start + begin, part.start + end)
                self._copy(source, columns, out[:, before + begin - first : before + end - first])
            before += part.stop - part.start
        return out

    def _copy(self, source, columns, out):
        """Copy the rows of some columns of one source."""
        breaks = np.flatnonzero(np.diff(self._index) != 1) + 1
        if len(breaks) >= MOST_RUNS:
            lowest = self._index.min()
            out[:] = source[slice(lowest, self._index.max() + 1), columns][self._index - lowest]
            return
        for start, stop in zip([0, *breaks], [*breaks, len(self._index)], strict=True):
            if start < stop:
                out[start:stop] = source[slice(self._index[start], self._index[stop - 1] + 1), columns]


def as_rows(X):
    """Convert X to `LazyRows`.

    Parameters
    ----------
    X : LazyRows, DataFrame or array-like (n, d)

    Returns
    -------
    LazyRows
        float32 unchanged, other real numbers as float64. Numbers that are not finite are found by `panels`.

    Raises
    ------
    DataError
        If X is complex, not a matrix, or has no rows or no columns.
    TypeError
        If X is sparse, or holds other things than numbers.
    """
    if isinstance(X, LazyRows):
        return X
    try:
        return LazyRows(check_array(X, dtype=(np.float64, np.float32), ensure_all_finite=False))
    except ValueError as problem:
        raise DataError(" ".join(str(problem).split())) from None


def panels(rows, columns=None):
    """Read rows by panels of columns, one panel ahead.

    Parameters
    ----------
    rows : LazyRows
    columns : (int, int), optional
        First and last column, exclusive; all by default.

    Yields
    ------
    columns : slice
    panel : (n, k) float64

    Raises
    ------
    DataError
        If a number is not finite.
    """
    begin, end = columns or (0, rows.shape[1])
    width = max(1, PANEL_BYTES // (8 * max(1, rows.shape[0])))

    def read():
        for first in range(begin, end, width):
            last = min(first + width, end)
            panel = rows.read(first, last).astype(np.float64, copy=False)
            _check_finite(panel)
            yield slice(first, last), panel

    for part, panel in read_ahead(read(), 1 if end - begin > width else 0):
        yield part, panel
        if rows.on_columns is not None:
            rows.on_columns(part.stop - part.start)


def _check_finite(panel):
    """Refuse numbers that are not finite, with their count and the first row that holds one."""
    wrong = ~np.isfinite(panel)
    if wrong.any():
        row = int(wrong.any(axis=1).argmax())
        raise DataError(f"X must be finite, got {np.count_nonzero(wrong)} NaN or infinite numbers, first in row {row}")
