"""Means of the slices of a long video that stay in their file and are read some at a time.

An hour at 25 frames a second has 18,000 slices of 5 frames. With 64 components their means take two gigabytes.
"""

from collections import OrderedDict

import numpy as np

from idt.errors import DataError
from idt.files import hdf5
from idt.files.provenance import REMEDY
from idt.files.source_file import open_source

BLOCK = 1 << 23
"""Bytes that are read at once."""

KEPT = 4
"""Largest number of blocks in memory at once. It suffices, because a window that moves on needs one or two blocks."""


class StoredMeans:
    """Rows of the dataset ``means`` of a file of slices.

    Parameters
    ----------
    path : str or Path
    shape : (int, int)
    dtype : dtype
        float32 or float16.
    format, version
        Format and version of the file.

    Attributes
    ----------
    shape, dtype

    Raises
    ------
    OSError
        If the file cannot be read.
    """

    def __init__(self, path, shape, dtype, *, format, version):
        self.shape, self.dtype = shape, np.dtype(dtype)
        self._path, self._format = path, {"format": format, "versions": version}
        self._rows_per_block = max(1, BLOCK // max(1, shape[1] * self.dtype.itemsize))
        self._blocks: OrderedDict[int, np.ndarray] = OrderedDict()
        with open_source(path) as file:
            self._identity = file.identity

    def __len__(self):
        return self.shape[0]

    def __getitem__(self, row):
        """Read one row, (m,) array; refused if the file was changed, is damaged, or holds numbers that are not finite.

        Parameters
        ----------
        row : int
        """
        if not 0 <= row < len(self):
            raise IndexError(row)
        number, place = divmod(row, self._rows_per_block)
        if number not in self._blocks:
            self._blocks[number] = self._read(number * self._rows_per_block)
            if len(self._blocks) > KEPT:
                self._blocks.popitem(last=False)
        return self._blocks[number][place]

    def __array__(self, dtype=None, copy=None):
        rows = np.array([self[row] for row in range(len(self))]).reshape(self.shape)
        return rows if dtype is None else rows.astype(dtype)

    def _read(self, first):
        with open_source(self._path) as file:
            if file.identity != self._identity:
                raise DataError(f"{self._path} was changed since it was opened; run again once it is stable")
            with hdf5.open_checked(self._path, **self._format) as opened, hdf5.damage_as_data_error(self._path):
                found = hdf5.dataset(opened, "means", shape=self.shape, dtype=self.dtype)
                rows = found[first : min(first + self._rows_per_block, len(self))]
        if not np.isfinite(rows).all():
            raise DataError(f"{self._path}: means must be finite; {REMEDY}")
        return rows
