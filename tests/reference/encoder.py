"""The vector of a video as docs/method/encoding.md says it, block by block, in float64; from the numbers of a codebook
alone.
"""

import numpy as np

from tests.reference import fisher


def encode(rows_of_blocks, blocks, *, orders=("first", "second"), best=None, power=0.5, intra=False, norm="l2"):
    """Project, Fisher vector, power, intra, norm, for every block; ``blocks`` are dicts of arrays as in a file."""
    parts = []
    for rows, block in zip(rows_of_blocks, blocks, strict=True):
        k, d = block["means"].shape
        if not len(rows):
            parts.append(np.zeros(2 * k * d + (k - 1) * ("zero" in orders)))
            continue
        projected = (rows.astype(float) - block["mean"]) @ block["projection"].astype(float).T
        vector = fisher.fisher_vector(
            projected, block["means"], block["variances"], block["weights"], orders=orders, best=best
        )
        vector = np.sign(vector) * np.abs(vector) ** power
        if intra:
            first = (k - 1) if "zero" in orders else 0
            for start in range(first, len(vector), d):
                vector[start : start + d] /= np.linalg.norm(vector[start : start + d])
        if norm != "none":
            vector = vector / np.linalg.norm(vector, {"l2": 2, "l1": 1}[norm])
        parts.append(vector)
    return np.concatenate(parts)
