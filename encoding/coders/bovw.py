"""Bags of visual words: how often the words of a codebook occur among the descriptors of a video, or how strongly.

A descriptor's code has one number for each of K words (the centres of k-means): `hard_codes` are 1 for the nearest,
`soft_codes` share 1 among a few near ones, `encoding.coders.sparse_codes` makes sparse codes. The codes of a video are
summed up, or the largest code of each word is taken, and the result is normalised. Sparse codes have signs, which a χ²
kernel does not take. So each word has two columns, the positive parts first, 2K columns in all.

Soft weights are proportional to exp(−d² / (2 (w·r)²)) of the distances d, where r² is the mean squared distance of the
fitted descriptors from their centres and w is the option ``width``.

Source: docs/method/encoding.md, section 9; Wang et al., IJCV 2013; van Gemert et al., PAMI 2010; Liu et al., ICCV
2011 (only the nearest few).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from encoding.coders import normalize
from encoding.coders.centres import CentresCoder
from encoding.coders.sparse_codes import Dictionary, groups_of
from idt.errors import DataError


@dataclass(frozen=True)
class PooledCodes:
    """Codes of ``n`` descriptors pooled to ``values`` (m,) float64: their sum, or the largest if ``largest``."""

    n: int
    values: np.ndarray
    largest: bool

    def __add__(self, other):
        if not isinstance(other, PooledCodes):
            return NotImplemented
        combine = np.maximum if self.largest else np.add
        return PooledCodes(self.n + other.n, combine(self.values, other.values), self.largest)


def hard_codes(rows, kmeans):
    """Compute codes by vector quantisation.

    Parameters
    ----------
    rows : (n, D) float32
    kmeans : KMeans

    Returns
    -------
    (n, K) csr_array of float32
        1 for the nearest word.
    """
    n = len(rows)
    shape = (n, len(kmeans.cluster_centers_))
    return sparse.csr_array((np.ones(n, np.float32), kmeans.predict(rows), np.arange(n + 1)), shape)


def soft_codes(rows, kmeans, *, nearest=5, width=0.5):
    """Compute codes by soft assignment to the nearest words.

    Parameters
    ----------
    rows : (n, D) float32
    kmeans : KMeans
    nearest : int
        Words that each descriptor is shared among.
    width : float
        Width of the Gaussian weight. Its unit is the root mean square distance of the fitted descriptors from their
        words.

    Returns
    -------
    (n, K) csr_array of float32
        Each row sums to one.
    """
    n, k = len(rows), len(kmeans.cluster_centers_)
    nearest = min(nearest, k)
    # If the distortion is 0 every fitted descriptor is a word, and the nearest word takes all weight.
    sharpness = 1 / max(width**2 * kmeans.distortion_, np.finfo(np.float32).tiny)
    distances, words = kmeans.nearest(rows, nearest)
    squared = distances.astype(np.float64) ** 2
    weights = np.exp((squared[:, :1] - squared) / 2 * sharpness)
    weights /= weights.sum(axis=1, keepdims=True)
    codes = sparse.csr_array(
        (weights.astype(np.float32).ravel(), words.ravel(), np.arange(0, n * nearest + 1, nearest)), (n, k)
    )
    codes.sort_indices()
    return codes


class BovwCoder(CentresCoder):
    """Coder of bags of visual words, which holds the words.

    Parameters
    ----------
    kmeans : KMeans
        Fitted.
    """

    def __init__(self, kmeans):
        super().__init__(kmeans)
        self._dictionary: Dictionary | None = None

    def empty_sums(self, params):
        """Return the pooled codes of no descriptors."""
        return PooledCodes(0, np.zeros(self.size(params)), params.pooling == "max")

    def code(self, rows, params, tracks):
        """Compute the codes of projected descriptors, (n, K) or for ``somp`` (n, 2K) csr_array."""
        if params.coding == "vq":
            return hard_codes(rows, self.kmeans)
        if params.coding == "soft":
            return soft_codes(rows, self.kmeans, nearest=params.nearest, width=params.width)
        self._dictionary = self._dictionary or Dictionary(self.kmeans.cluster_centers_)
        codes = self._dictionary.codes(rows, groups_of(tracks, len(rows)), atoms=params.atoms)
        return sparse.hstack([codes.maximum(0), (-codes).maximum(0)], format="csr")

    def sum_codes(self, codes, params, threads=1):
        """Pool the codes of descriptors: their sum, or the largest code of each word."""
        if params.pooling == "max":
            values = codes.max(axis=0).toarray().ravel() if codes.shape[0] else np.zeros(codes.shape[1])
        else:
            values = np.bincount(codes.indices, codes.data, codes.shape[1])
        return PooledCodes(codes.shape[0], values.astype(np.float64), params.pooling == "max")

    def vector(self, sums, params):
        """Return the normalised vector, which is zero without descriptors."""
        return normalize.normalize_block(sums.values.astype(np.float32), norm=params.norm)

    def to_row(self, sums, params):
        """Return summed codes, (m,) float64. Maxima are refused, because rows are also subtracted from one another."""
        if sums.largest:
            raise DataError("pooling=max keeps the largest code of each word, which cannot be added; use pooling=sum")
        return sums.values

    def from_row(self, row, n, params):
        """Return the pooled codes that `to_row` made the row from."""
        return PooledCodes(n, row, False)

    def size(self, params):
        """Return the length of a vector: K, or 2K for ``somp``."""
        return len(self.kmeans.cluster_centers_) * (2 if params.coding == "somp" else 1)
