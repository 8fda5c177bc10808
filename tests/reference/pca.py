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


def whitened(rows, n_components, *, least):
    """Coordinates along the directions in units of their deviation, of ``least`` of the first one's if that is more."""
    mean, directions, variances = principal_components(rows, n_components)
    out = np.zeros((len(rows), n_components))
    for i, (direction, variance) in enumerate(zip(directions, variances, strict=True)):
        for row in range(len(rows)):
            out[row, i] = (rows[row] - mean) @ direction / max(np.sqrt(variance), least * np.sqrt(variances[0]))
    return out
