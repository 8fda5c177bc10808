"""Codes of visual words by their definitions, descriptor by descriptor, in float64."""

import math

import numpy as np


def distances(x, words):
    """Squared distances of a descriptor from all words."""
    return np.array([((np.asarray(x, float) - word) ** 2).sum() for word in np.asarray(words, float)])


def hard_codes(rows, words):
    """1 for the nearest word."""
    codes = np.zeros((len(rows), len(words)))
    for i, x in enumerate(rows):
        codes[i, distances(x, words).argmin()] = 1
    return codes


def soft_codes(rows, words, *, nearest, width, distortion):
    """Gaussian weights of the nearest words, summing to one."""
    codes = np.zeros((len(rows), len(words)))
    for i, x in enumerate(rows):
        squared = distances(x, words)
        for k in np.argsort(squared)[:nearest]:
            codes[i, k] = math.exp(-squared[k] / (2 * width**2 * distortion))
        codes[i] /= codes[i].sum()
    return codes


def somp_codes(rows, words, *, atoms):
    """Sparse codes of one group: the next atom by summed correlation, then least squares on the support."""
    rows, words = np.asarray(rows, float), np.asarray(words, float)
    unit = words / np.linalg.norm(words, axis=1, keepdims=True)
    support, residual = [], rows.copy()
    codes = np.zeros((len(rows), len(words)))
    for _ in range(atoms):
        strength = [-1 if k in support else np.abs(residual @ unit[k]).sum() for k in range(len(unit))]
        support.append(int(np.argmax(strength)))
        solved = np.linalg.lstsq(unit[support].T, rows.T, rcond=None)[0].T
        residual = rows - solved @ unit[support]
    codes[:, support] = solved
    return codes


def pooled(codes, *, pooling, norm):
    """Sum or maximum over the descriptors, then the norm."""
    vector = codes.sum(axis=0) if pooling == "sum" else codes.max(axis=0)
    if norm == "l2":
        return vector / np.linalg.norm(vector)
    if norm in ("l1", "rootl1"):
        vector = vector / np.abs(vector).sum()
    return np.sqrt(vector) if norm == "rootl1" else vector
