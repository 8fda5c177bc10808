"""Principal components by the singular value decomposition of the centred data, in float64."""

import numpy as np


def principal_components(rows, n_components):
    """Mean, directions (rows; largest loading positive) and variances."""
    mean = rows.mean(axis=0, dtype=float)
    _, singular, directions = np.linalg.svd(rows - mean, full_matrices=False)
    directions = directions[:n_components]
    for direction in directions:
        if direction[np.argmax(abs(direction))] < 0:
            direction *= -1
    return mean, directions, singular[:n_components] ** 2 / (len(rows) - 1)
