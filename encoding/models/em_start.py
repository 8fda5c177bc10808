"""The start of EM: k-means on a seeded subset of the descriptors, whose clusters become the components.

Source: docs/method/encoding.md, section 5; Arthur & Vassilvitskii 2007 (first centres, by scikit-learn).
"""

import numpy as np
from sklearn.cluster import kmeans_plusplus

from encoding.models.expectation import Mixture, expect
from encoding.models.maximisation import maximise
from idt.workers.blas import one_blas_thread

# Rows per component in the subset for k-means, and passes of k-means. Few suffice, because EM refines the mixture.
ROWS_PER_COMPONENT = 64
PASSES = 10


def starting_mixture(rows, n_components, scale, floor, *, seed, threads=1):
    """Compute a mixture to start EM from.

    Parameters
    ----------
    rows : (n, D) float32
        At least as many as components.
    n_components : int
    scale, floor : (D,) float64
        As for `encoding.models.maximisation.maximise`.
    seed : int
        Chooses the subset and the first centres.
    threads : int
        The result does not depend on it.

    Returns
    -------
    Mixture
    """
    rng = np.random.default_rng(seed)
    subset = rng.choice(len(rows), min(len(rows), ROWS_PER_COMPONENT * n_components), replace=False)
    rows = rows[np.sort(subset)]
    with one_blas_thread():
        means, _ = kmeans_plusplus(rows, n_components, random_state=seed)
    means = means.astype(np.float64)
    # With equal spheres the likeliest component is the nearest centre. Their size only keeps the scores in range.
    spheres = np.full_like(means, scale.mean())
    equal = np.full(n_components, 1 / n_components)
    for _ in range(PASSES):
        statistics = expect(rows, Mixture(means, spheres, equal), best=1, threads=threads).statistics
        occupied = statistics.s0 > 0
        means[occupied] = statistics.s1[occupied] / statistics.s0[occupied, None]
    return maximise(statistics, Mixture(means, spheres, equal), scale, floor)
