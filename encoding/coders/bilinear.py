"""Bilinear encoding: the mean of x xᵀ over the descriptors x. It records which of their columns are large together.

    B = 1/n Σ x xᵀ,   v = (B_ij, i ≤ j)

The steps that normalise v are, in this order: the signed square root, the factor √2 for all numbers off the diagonal,
and L2. B is symmetric, so that its upper triangle suffices. Because of the factor √2, the scalar product of two vectors
equals the scalar product of the two whole matrices, normalised in the same way.

A tensor sketch takes the place of v where D (D + 1)/2 numbers are too many. Columns i and j have buckets h(i) and g(j)
of k and signs s(i) and t(j), all drawn at random. B_ij s(i) t(j) is added to bucket h(i) + g(j) modulo k. The sketch is
the circular convolution of two count sketches, which is computed by FFT. The product of the sketches of A and B has the
expectation ⟨A, B⟩ and a mean square error of at most 8/k · |A|² |B|².

Source: docs/method/encoding.md, section 18; Diba, Sharma and Van Gool, CVPR 2017; Pham and Pagh, KDD 2013.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import fft, sparse

from encoding.coders import normalize
from encoding.coders.pooling import CellCoder
from idt.checks import float_array
from idt.errors import DataError
from idt.workers.blas import product

BATCH = 256
"""Descriptors whose count sketches lie in memory at once."""


@dataclass(frozen=True)
class CountedSum:
    """The sum ``values`` (m,) float64 over ``n`` descriptors; the sums of disjoint sets can be added."""

    n: int
    values: np.ndarray

    def __add__(self, other):
        if not isinstance(other, CountedSum):
            return NotImplemented
        return CountedSum(self.n + other.n, self.values + other.values)

    @property
    def mean(self):
        """The mean, (m,) float64; zero without descriptors."""
        return self.values / max(self.n, 1)


class TensorSketch:
    """Two hash functions of columns: their buckets and their signs.

    Parameters
    ----------
    buckets : (2, D) float32
        Whole numbers from 0 to k − 1.
    signs : (2, D) float32
        1 or −1.
    k : int
        Numbers of a sketch.
    """

    def __init__(self, buckets, signs, k):
        self.buckets, self.signs, self.k = buckets, signs, k
        width = buckets.shape[1]
        self._counts = [
            sparse.csr_array(
                (signs[side].astype(np.float64), (np.arange(width), buckets[side].astype(np.int64))), (width, k)
            )
            for side in range(2)
        ]

    @classmethod
    def drawn(cls, width, k, seed):
        """Draw the functions of ``width`` columns with a ``seed``."""
        random = np.random.default_rng(seed)
        buckets = random.integers(0, k, (2, width)).astype(np.float32)
        return cls(buckets, random.choice([-1, 1], (2, width)).astype(np.float32), k)

    def summed(self, rows):
        """Sum up the sketches of x xᵀ over ``rows`` (n, D) float64, (k,) float64."""
        total = np.zeros(self.k // 2 + 1, np.complex128)
        for first in range(0, len(rows), BATCH):
            batch = rows[first : first + BATCH]
            one, other = (fft.rfft(batch @ counts, axis=1) for counts in self._counts)
            total += (one * other).sum(axis=0)
        return fft.irfft(total, self.k)


class BilinearCoder(CellCoder):
    """Coder of bilinear vectors: means of x xᵀ.

    Parameters
    ----------
    width : int
        Columns D of a descriptor.
    sketch : TensorSketch, optional
        Without a sketch, the whole upper triangle is kept.
    """

    def __init__(self, width, sketch=None):
        self.width, self.sketch = width, sketch

    @classmethod
    def fit(cls, rows, params, *, threads=1):
        """Draw the sketch, which depends only on the number of columns of the descriptors."""
        width = rows.shape[1]
        return cls(width, TensorSketch.drawn(width, params.k, params.seed) if params.sketch else None)

    @classmethod
    def read(cls, read, params, width):
        """Build a coder from the arrays of a file; ``read(name, *shape)`` returns one array."""
        if not params["sketch"]:
            return cls(width)
        buckets, signs = read("buckets", 2, width), read("signs", 2, width)
        valid = (buckets == np.floor(buckets)).all() and (buckets >= 0).all() and (buckets < params["k"]).all()
        if not valid or not (np.abs(signs) == 1).all():
            raise DataError(f"buckets must be whole numbers below k={params['k']} and signs 1 or -1")
        return cls(width, TensorSketch(buckets, signs, params["k"]))

    def arrays(self):
        """Return the drawn arrays under the names that they have in a file."""
        return {} if self.sketch is None else {"buckets": self.sketch.buckets, "signs": self.sketch.signs}

    def empty_sums(self, params):
        """Return the sum over no descriptors."""
        return CountedSum(0, np.zeros(self.size(params)))

    def sum_codes(self, codes, params, threads=1):
        """Sum up the upper triangles of x xᵀ, row by row, or the sketches of the descriptors."""
        rows = float_array(codes, (None, self.width), "descriptors").astype(np.float64)
        if self.sketch is not None:
            return CountedSum(len(rows), self.sketch.summed(rows))
        return CountedSum(len(rows), product(rows.T, rows)[np.triu_indices(self.width)])

    def vector(self, sums, params):
        """Return the normalised vector; zero without descriptors."""
        vector = normalize.signed_power(sums.mean.astype(np.float32), exponent=params.power)
        if self.sketch is None:
            row, column = np.triu_indices(self.width)
            vector = np.where(row == column, vector, np.float32(np.sqrt(2)) * vector)
        return normalize.normalize_block(vector, norm=params.norm)

    def to_row(self, sums, params):
        """Return the sum, (m,) float64."""
        return sums.values

    def from_row(self, row, n, params):
        """Return the sum over ``n`` descriptors that `to_row` made the row from."""
        return CountedSum(n, row)

    def size(self, params):
        """Return the length of a vector: k with a sketch, else D (D + 1)/2."""
        return self.width * (self.width + 1) // 2 if self.sketch is None else self.sketch.k
