"""Bilinear encoding, its tensor sketch and plain pooling by their definitions, number by number, in float64."""

import numpy as np


def bilinear(rows):
    """Upper triangle of the mean of x xᵀ, row by row; off the diagonal times √2 after the signed square root, L2."""
    rows = np.asarray(rows, float)
    width, found = rows.shape[1], []
    for i in range(width):
        for j in range(i, width):
            mean = sum(x[i] * x[j] for x in rows) / len(rows)
            found.append(np.sign(mean) * np.sqrt(abs(mean)) * (1 if i == j else np.sqrt(2)))
    return np.array(found) / np.linalg.norm(found)


def sketch(rows, buckets, signs, k):
    """Mean over the rows: x_i x_j with its sign falls into the bucket of i plus that of j, modulo k."""
    found = np.zeros(k)
    for x in np.asarray(rows, float):
        for i, first in enumerate(x):
            for j, second in enumerate(x):
                bucket = int(buckets[0][i] + buckets[1][j]) % k
                found[bucket] += signs[0][i] * signs[1][j] * first * second
    return found / len(rows)


def pooled(rows, how, k=None):
    """Mean, maximum, or mean of the k largest of each column."""
    columns = [sorted(column, reverse=True) for column in np.asarray(rows, float).T]
    if how == "mean":
        return np.array([sum(column) / len(column) for column in columns])
    count = 1 if how == "max" else k
    return np.array([sum(column[:count]) / len(column[:count]) for column in columns])
