"""Fisher vectors by the formulas of docs/method/encoding.md, section 6, term by term, in float64."""

import numpy as np

from tests.reference import gmm


def fisher_vector(rows, means, variances, weights, *, orders, best=None):
    """(g without its last,) u, v: sums over descriptors as written."""
    n, (n_components, n_features) = len(rows), np.shape(means)
    gamma, _ = gmm.posteriors(rows, means, variances, weights)
    if best is not None:
        for row in gamma:
            row[np.argsort(row)[: n_components - best]] = 0
            row /= row.sum()
    g = np.zeros(n_components)
    u, v = np.zeros((2, n_components, n_features))
    for k in range(n_components):
        sigma, w = np.sqrt(np.asarray(variances[k], float)), float(weights[k])
        for t in range(n):
            z = (rows[t].astype(float) - means[k]) / sigma
            g[k] += (gamma[t, k] - w) / (n * np.sqrt(w))
            u[k] += gamma[t, k] * z / (n * np.sqrt(w))
            v[k] += gamma[t, k] * (z**2 - 1) / (n * np.sqrt(2 * w))
    parts = {"zero": g[:-1], "first": u.ravel(), "second": v.ravel()}
    return np.concatenate([parts[order] for order in ("zero", "first", "second") if order in orders])
