"""The start of EM: k-means on a seeded subset of the descriptors, whose clusters become the components.

Source: docs/method/encoding.md, section 5; Arthur & Vassilvitskii 2007 (first centres).
"""

import numpy as np

from encoding.kernels import distances as kernel
from encoding.models.expectation import Mixture, expect
from encoding.models.maximisation import maximum

# Rows per component in the subset that k-means sees, and its passes: EM does the rest.
ROWS = 64
PASSES = 10


def first_mixture(rows, n_components, scale, floor, *, seed, threads=1):
    """Compute a mixture to start EM from.

    Parameters
    ----------
    rows : (n, D) float32
        At least as many as components.
    n_components : int
    scale, floor : (D,) float64
        As for `encoding.models.maximisation.maximum`.
    seed : int
        Chooses the subset and the first centres.
    threads : int
        The result does not depend on it.

    Returns
    -------
    Mixture
    """
    rng = np.random.default_rng(seed)
    subset = rng.choice(len(rows), min(len(rows), ROWS * n_components), replace=False)
    rows = rows[np.sort(subset)]
    means = _spread_centres(rows, n_components, rng)
    # Equal spheres: the likeliest component is the nearest centre. Their size only keeps the scores in range.
    spheres = np.full_like(means, scale.mean())
    equal = np.full(n_components, 1 / n_components)
    for _ in range(PASSES):
        statistics = expect(rows, Mixture(means, spheres, equal), best=1, threads=threads).statistics
        found = statistics.s0 > 0
        means[found] = statistics.s1[found] / statistics.s0[found, None]
    return maximum(statistics, Mixture(means, spheres, equal), scale, floor)


def _spread_centres(rows, n_components, rng):
    """First centres by greedy k-means++ (Arthur & Vassilvitskii 2007, section 5), (K, D) float64.

    Each is a row drawn by its squared distance from the nearest centre so far: the one of a few drawn that brings all
    rows closest to a centre. Where fewer rows differ than centres are asked for, some centres coincide.
    """
    n = len(rows)
    columns = np.ascontiguousarray(rows.T)
    n_drawn = 2 + int(np.log(n_components))
    chosen = [int(rng.integers(n))]
    nearest = np.empty(n, np.float32)
    kernel.nearer(columns, rows[chosen[0]], np.full(n, np.inf, np.float32), nearest)
    trials = np.empty((n_drawn, n), np.float32)
    while len(chosen) < n_components:
        bounds = np.cumsum(nearest, dtype=np.float64)
        if bounds[-1] == 0:  # All rows are centres already: any will do.
            bounds = np.arange(1.0, n + 1)
        drawn = np.minimum(np.searchsorted(bounds, rng.random(n_drawn) * bounds[-1], side="right"), n - 1)
        for row, trial in zip(drawn, trials, strict=True):
            kernel.nearer(columns, rows[row], nearest, trial)
        best = trials.sum(axis=1, dtype=np.float64).argmin()
        chosen.append(int(drawn[best]))
        nearest = trials[best].copy()
    return rows[chosen].astype(np.float64)
