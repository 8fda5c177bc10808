"""VLAD, vectors of locally aggregated descriptors: for each centre, the sum of its descriptors' residuals.

    v_k = Σ (x − c_k) over the descriptors x whose nearest centre is c_k,

centre by centre, K · D numbers. They are computed as Σ x − n_k c_k from counts and sums, which are additive.

Source: docs/method/encoding.md, section 10; Jégou et al., CVPR 2010; Arandjelović & Zisserman, CVPR 2013
(intra-normalisation).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from encoding.coders import normalize
from encoding.coders.centres import CentresCoder
from idt.checks import float_array


@dataclass(frozen=True)
class NearestSums:
    """Counts (K,) and sums (K, D) float64 of descriptors by nearest centre; those of disjoint sets can be added."""

    counts: np.ndarray
    sums: np.ndarray

    def __add__(self, other):
        if not isinstance(other, NearestSums):
            return NotImplemented
        return NearestSums(self.counts + other.counts, self.sums + other.sums)


class VladCoder(CentresCoder):
    """Coder of VLAD, which holds the centres.

    Parameters
    ----------
    kmeans : KMeans
        Fitted.
    """

    def empty_sums(self, params):
        """Return the sums of no descriptors."""
        return NearestSums(np.zeros(len(self.kmeans.cluster_centers_)), np.zeros(self.kmeans.cluster_centers_.shape))

    def sum_codes(self, codes, params, threads=1):
        """Count and sum up descriptors by nearest centre."""
        rows = float_array(codes, (None, self.kmeans.cluster_centers_.shape[1]), "descriptors")
        nearest, k = self.kmeans.predict(rows), len(self.kmeans.cluster_centers_)
        counts = np.bincount(nearest, minlength=k).astype(np.float64)
        sums = np.column_stack([np.bincount(nearest, column, k) for column in rows.T])
        return NearestSums(counts, sums)

    def vector(self, sums, params):
        """Return the normalised vector, (K·D,) float32, which is zero without descriptors."""
        residuals = (sums.sums - sums.counts[:, None] * self.kmeans.cluster_centers_).astype(np.float32)
        return normalize.normalize_block(
            residuals.ravel(), power=params.power, run=residuals.shape[1] if params.intra else None, norm=params.norm
        )

    def to_row(self, sums, params):
        """Return the counts and the sums of residuals, (K + KD,) float64."""
        residuals = sums.sums - sums.counts[:, None] * self.kmeans.cluster_centers_
        return np.concatenate([sums.counts, residuals.ravel()])

    def from_row(self, row, n, params):
        """Return the counts and sums of descriptors that `to_row` made the row from."""
        k = len(self.kmeans.cluster_centers_)
        counts, residuals = row[:k], row[k:].reshape(k, -1)
        return NearestSums(counts, residuals + counts[:, None] * self.kmeans.cluster_centers_)

    def size(self, params):
        """Return the length of a vector."""
        return self.kmeans.cluster_centers_.size
