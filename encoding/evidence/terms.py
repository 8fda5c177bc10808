"""An encoding's vector before normalisation, g = Σ_t g_t, as a sum of one term for each track.

A track has as many terms as the vector has numbers, so they are never stored: `summed` gives Σ_t g_t, and
`dotted` gives Σ_d c_d g_{t,d} of each track for given coefficients c. With γ the posteriors of a Fisher vector, A and B
the coefficients of first and second order, `dotted` gives for track t

    Σ_k γ_t(k) · [ (A_k / σ_k) · (x_t − μ_k) + B_k · (((x_t − μ_k) / σ_k)² − 1) ],

two matrix products (n, D)(D, K) and a weighted sum. All is float64, because coefficients are large where terms cancel.

Source: docs/method/encoding.md, section 17.
"""

import numpy as np

from encoding.coders.bovw import BovwCoder
from encoding.coders.fisher import FisherCoder
from encoding.coders.vlad import VladCoder
from encoding.models.expectation import posteriors
from idt.errors import DataError

ROWS = 2048
"""Tracks whose posteriors are in memory at once."""


class FisherTerms:
    """Terms of a Fisher vector, without the factor 1/T.

    Parameters
    ----------
    coder : FisherCoder
    params : EncodingParams
    """

    def __init__(self, coder, params):
        self._mixture, self._params = coder.gmm.mixture(), params
        means, variances, weights = self._mixture
        # Centred rows have small squares, so that less is lost where terms cancel.
        self._centre = weights @ means / weights.sum()
        self._offsets = means - self._centre
        self._sigma = np.sqrt(variances)
        self._root = np.sqrt(weights)[:, None]

    def summed(self, rows):
        """Return Σ_t g_t of ``rows`` (n, D) float32, (m,) float64."""
        offsets, sigma = self._offsets, self._sigma
        s0, s1, s2 = np.zeros(len(offsets)), np.zeros_like(offsets), np.zeros_like(offsets)
        for gamma, x in self._batches(rows):
            s0 += gamma.sum(axis=0)
            s1 += gamma.T @ x
            s2 += gamma.T @ x**2
        mass = s0[:, None]
        first = (s1 - mass * offsets) / sigma / self._root
        second = ((s2 - offsets * (2 * s1 - mass * offsets)) / sigma**2 - mass) / (np.sqrt(2) * self._root)
        zero = (s0 - len(rows) * self._mixture.weights) / self._root[:, 0]
        parts = [zero[:-1]] if self._params.zero_order else []
        return np.concatenate([*parts, first.ravel(), second.ravel()])

    def dotted(self, rows, coefficients):
        """Return Σ_d c_d g_{t,d} of each of ``rows`` (n, D) for ``coefficients`` c (m,), (n,) float64."""
        k, d = self._offsets.shape
        offsets, sigma = self._offsets, self._sigma
        zero = np.zeros(k)
        if self._params.zero_order:
            zero[:-1] = coefficients[: k - 1] / self._root[:-1, 0]
            coefficients = coefficients[k - 1 :]
        first, second = coefficients.reshape(2, k, d) / self._root
        first, second = first / sigma, second / (np.sqrt(2) * sigma**2)
        constant = zero + (offsets * (second * offsets - first) - second * sigma**2).sum(axis=1)
        linear = first - 2 * second * offsets
        out = [
            np.einsum("tk,tk->t", gamma, x @ linear.T + x**2 @ second.T + constant) for gamma, x in self._batches(rows)
        ]
        return np.concatenate([np.zeros(0), *out]) - zero @ self._mixture.weights

    def _batches(self, rows):
        """Yield posteriors (n, K) and centred rows (n, D), both float64."""
        for start in range(0, len(rows), ROWS):
            batch = rows[start : start + ROWS]
            gamma = posteriors(batch, self._mixture, best=self._params.best)
            yield gamma.astype(np.float64), batch - self._centre


class VladTerms:
    """Terms of VLAD: a descriptor's difference from its nearest centre.

    Parameters
    ----------
    coder : VladCoder
    params : VladParams
    """

    def __init__(self, coder, params):
        self._kmeans = coder.kmeans
        self._centres = coder.kmeans.cluster_centers_.astype(np.float64)

    def summed(self, rows):
        """Return Σ_t g_t of ``rows`` (n, D) float32, (m,) float64."""
        nearest, out = self._kmeans.predict(rows), np.zeros_like(self._centres)
        np.add.at(out, nearest, rows - self._centres[nearest])
        return out.ravel()

    def dotted(self, rows, coefficients):
        """Return Σ_d c_d g_{t,d} of each of ``rows`` (n, D) for ``coefficients`` c (m,), (n,) float64."""
        nearest = self._kmeans.predict(rows)
        chosen = coefficients.reshape(self._centres.shape)[nearest]
        return np.einsum("td,td->t", chosen, rows - self._centres[nearest])


class BovwTerms:
    """Terms of a bag of words: a descriptor's code.

    Parameters
    ----------
    coder : BovwCoder
    params : BovwParams
    """

    def __init__(self, coder, params):
        if params.coding == "somp" or params.pooling == "max":
            kind = "sparse codes of groups (somp)" if params.coding == "somp" else "the largest code of each word"
            raise DataError(f"{kind} are no sums over tracks, so no track has a share; use --by without")
        self._coder, self._params = coder, params

    def summed(self, rows):
        """Return Σ_t g_t of ``rows`` (n, D) float32, (m,) float64."""
        codes = self._coder.code(rows, self._params, None)
        return np.bincount(codes.indices, codes.data, codes.shape[1])

    def dotted(self, rows, coefficients):
        """Return Σ_d c_d g_{t,d} of each of ``rows`` (n, D) for ``coefficients`` c (m,), (n,) float64."""
        return self._coder.code(rows, self._params, None).astype(np.float64) @ coefficients


def terms_of(coder, params):
    """Return the terms of an encoding.

    Parameters
    ----------
    coder : Coder
    params : BlockParams

    Returns
    -------
    FisherTerms, VladTerms or BovwTerms

    Raises
    ------
    DataError
        If it has no terms here: the vectors are no sums over tracks, or shares are not offered for them.
    """
    kinds = {FisherCoder: FisherTerms, VladCoder: VladTerms, BovwCoder: BovwTerms}
    if type(coder) not in kinds:
        what = {"stacked": "stacked Fisher vectors", "bilinear": "bilinear vectors", "plain": "pooled columns"}
        raise DataError(f"{what[params.encoding]} are not divided into shares of tracks; use --by without")
    return kinds[type(coder)](coder, params)
