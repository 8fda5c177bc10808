"""Diagonal Gaussian mixtures by their definition, one descriptor and one component at a time, in float64."""

import math

import numpy as np


def log_density(x, mean, variance):
    """log N(x; mean, diag variance)."""
    return sum(
        -0.5 * math.log(2 * math.pi * v) - (a - m) ** 2 / (2 * v) for a, m, v in zip(x, mean, variance, strict=True)
    )


def posteriors(rows, means, variances, weights, flush=1e-6):
    """γ_t(k), those below ``flush`` set to 0, and log p(x_t)."""
    gamma = np.zeros((len(rows), len(means)))
    likelihoods = np.zeros(len(rows))
    for t, x in enumerate(np.asarray(rows, float)):
        logs = [math.log(w) + log_density(x, m, v) for m, v, w in zip(means, variances, weights, strict=True)]
        top = max(logs)
        likelihoods[t] = top + math.log(sum(math.exp(value - top) for value in logs))
        gamma[t] = [math.exp(value - likelihoods[t]) for value in logs]
    gamma[gamma < flush] = 0
    return gamma, likelihoods


def em_step(rows, means, variances, weights, floor):
    """One iteration: means, variances (two passes: distances from the new means) and weights."""
    gamma, _ = posteriors(rows, means, variances, weights)
    new_means, new_variances = np.zeros(np.shape(means)), np.zeros(np.shape(means))
    for k in range(len(means)):
        mass = gamma[:, k].sum()
        new_means[k] = sum(g * x for g, x in zip(gamma[:, k], rows.astype(float), strict=True)) / mass
        squares = sum(g * (x - new_means[k]) ** 2 for g, x in zip(gamma[:, k], rows.astype(float), strict=True))
        new_variances[k] = np.maximum(squares / mass, floor)
    return new_means, new_variances, gamma.sum(axis=0) / gamma.sum()
