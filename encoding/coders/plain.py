"""Plain pooling: the mean, the largest value, or the mean of the k largest values of each column of the descriptors.

A whole video is represented by means over snippets in TSN (Wang et al., ECCV 2016) and C3D (Tran et al., ICCV 2015), by
the largest values in DOVF (Lan et al., CVPR Workshops 2017), and by means of the largest few in key-volume mining (Zhu
et al., CVPR 2016). Nothing is learnt.

Source: docs/method/encoding.md, section 19.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from encoding.coders import normalize
from encoding.coders.bilinear import CountedSum
from encoding.coders.pooling import CellCoder
from idt.checks import float_array
from idt.errors import DataError


@dataclass(frozen=True)
class Largest:
    """The largest ``values`` of each column, (m, D) float64, from the largest down; m is at most ``limit``."""

    limit: int
    values: np.ndarray

    def __add__(self, other):
        if not isinstance(other, Largest):
            return NotImplemented
        joined = np.concatenate([self.values, other.values])
        return Largest(self.limit, -np.sort(-joined, axis=0)[: self.limit])

    @property
    def mean(self):
        """Their mean, (D,) float64; zero without descriptors."""
        return self.values.sum(axis=0) / max(len(self.values), 1)


class PlainCoder(CellCoder):
    """Coder of plain pooling, which pools each column by itself.

    Parameters
    ----------
    width : int
        Columns D of a descriptor.
    """

    def __init__(self, width):
        self.width = width

    @classmethod
    def fit(cls, rows, params, *, threads=1):
        """Take the number of columns; nothing is learnt."""
        return cls(rows.shape[1])

    @classmethod
    def read(cls, read, params, width):
        """Build a coder for ``width`` columns; a file holds no arrays of this coder."""
        return cls(width)

    def arrays(self):
        """Return no arrays: nothing is learnt."""
        return {}

    def empty_sums(self, params):
        """Return the pooled values of no descriptors."""
        if params.pool == "mean":
            return CountedSum(0, np.zeros(self.width))
        return Largest(1 if params.pool == "max" else params.k, np.zeros((0, self.width)))

    def sum_codes(self, codes, params, threads=1):
        """Pool each column of some descriptors."""
        rows = float_array(codes, (None, self.width), "descriptors").astype(np.float64)
        if params.pool == "mean":
            return CountedSum(len(rows), rows.sum(axis=0))
        return self.empty_sums(params) + Largest(len(rows), rows)

    def vector(self, sums, params):
        """Return the normalised vector; zero without descriptors."""
        return normalize.normalize_block(sums.mean.astype(np.float32), power=params.power, norm=params.norm)

    def to_row(self, sums, params):
        """Return the sum, (D,) float64. Maxima are refused, because rows are also subtracted from one another."""
        if params.pool != "mean":
            raise DataError(f"pool={params.pool} keeps the largest values, which cannot be added; use pool=mean")
        return sums.values

    def from_row(self, row, n, params):
        """Return the sum over ``n`` descriptors that `to_row` made the row from."""
        return CountedSum(n, row)

    def size(self, params):
        """Return the length of a vector."""
        return self.width
