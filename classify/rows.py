"""Vectors that are chosen, cut and extended without being copied: read only when they are sliced.

Training needs some rows of a vectors file (those of the training videos), for a result per descriptor some of its
columns, and for fusion with other features some columns more. `Rows` is that selection, over a file as over an array.
"""

import numpy as np

from idt.errors import DataError


class Rows:
    """Some rows and columns of vectors, and columns beside them.

    Parameters
    ----------
    source : (m, d) array, or what has ``shape`` and ``dtype`` and is read by ``source[first:last, columns]``
        Such as the encodings of `encoding.store.open_vectors`.
    index : sequence of int, optional
        The rows, in order; all by default. Runs of neighbouring rows are read at once.
    columns : list of slice, optional
        The columns, in order; all by default. As from `encoding.store.block_columns`.
    extra : sequence of (m, e) array
        Appended to the right, after the columns were chosen.

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
        if len(self._index) and not (0 <= self._index.min() and self._index.max() < rows):
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
        """Rows of these rows.

        Parameters
        ----------
        index : sequence of int

        Returns
        -------
        Rows
        """
        return Rows(self._source, index=self._index[index], columns=self._columns, extra=self._extra)
