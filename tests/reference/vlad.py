"""VLAD by its definition, descriptor by descriptor, in float64."""

import numpy as np


def vlad(rows, centres):
    """Summed differences from the nearest centre, (K, D)."""
    out = np.zeros(np.shape(centres))
    for x in np.asarray(rows, float):
        distances = [((x - c) ** 2).sum() for c in np.asarray(centres, float)]
        k = int(np.argmin(distances))
        out[k] += x - centres[k]
    return out


def normalised(vector, *, power, intra, norm="l2"):
    """Power, then every centre by itself, then the whole."""
    vector = np.sign(vector) * np.abs(vector) ** power
    if intra:
        lengths = np.linalg.norm(vector, axis=1, keepdims=True)
        vector = vector / np.where(lengths > 0, lengths, 1)
    vector = vector.ravel()
    return vector if norm == "none" or not vector.any() else vector / np.linalg.norm(vector)
