"""The M-step: the mixture that fits posteriors best, with two guards against empty components and vanishing variances.

    w_k = Σγ / Σ_j Σγ,  μ_k = Σγx / Σγ,  σ_k² = max(Σγx² / Σγ − μ_k², floor)

A component that has lost its descriptors takes half of the most spread one.

Source: docs/method/encoding.md, section 5; Sánchez et al., IJCV 2013.
"""

import numpy as np

from encoding.models.expectation import Mixture

# A component is empty if its weight is below this fraction of 1/K (VLFeat draws the line there too).
EMPTY = 0.01
# The two halves of a normal distribution have their means at ±√(2/π) σ.
SPLIT = np.sqrt(2 / np.pi)


def maximise(statistics, mixture, scale, floor):
    """Compute the mixture that fits the posteriors of the statistics best: the M-step.

    Parameters
    ----------
    statistics : Statistics
    mixture : Mixture
        Mixture under which the posteriors were computed.
    scale, floor : (D,) float64
        For each column, the variance of the data, never 0, and the least variance that a component may have.

    Returns
    -------
    Mixture
        Each empty component has taken half of the most spread one.
    """
    mass, first, second = statistics.s0, statistics.s1, statistics.s2
    empty = empty_components(statistics)
    divisors = np.where(empty, 1.0, mass)[:, None]
    means = np.where(empty[:, None], mixture.means, first / divisors)
    variances = np.where(empty[:, None], floor, np.maximum(second / divisors - means**2, floor))
    weights = np.where(empty, 0.0, mass) / mass[~empty].sum()
    for k in np.flatnonzero(empty):
        _split(k, means, variances, weights, scale, floor)
    return Mixture(means, variances, weights)


def empty_components(statistics):
    """Tell from the ``statistics`` which components have lost their descriptors, (K,) bool."""
    return statistics.s0 < EMPTY * statistics.n / len(statistics.s0)


def _split(k, means, variances, weights, scale, floor):
    """Give component k half of the component with the largest summed variance, cut along its widest column.

    The two halves together have the mean and the variance of the component that was split, unless the floor raises a
    variance.
    """
    parent = np.argmax(weights * (variances / scale).sum(axis=1))
    column = np.argmax(variances[parent] / scale)
    width = np.sqrt(variances[parent, column])
    variances[parent, column] = max((1 - SPLIT**2) * width**2, floor[column])
    weights[parent] /= 2
    means[k], variances[k], weights[k] = means[parent], variances[parent], weights[parent]
    means[k, column] += SPLIT * width
    means[parent, column] -= SPLIT * width
