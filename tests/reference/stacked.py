"""The second layer of stacked Fisher vectors, sub-volume by sub-volume, in float64."""

import numpy as np

from tests.reference import fisher


def volumes(middle, position, size):
    """Rows of every sub-volume of one size, which is (width, height, frames): lists of indices."""
    width, height, frames = size
    half = frames // 2
    first, last = int(min(middle) // half), int(max(middle) // half)
    for t in range(first, max(last, first + 1)):
        for x in range(2 * width - 1):
            for y in range(2 * height - 1):
                yield [
                    i
                    for i in range(len(middle))
                    if t * half <= middle[i] < t * half + frames
                    and x / (2 * width) <= position[i][0] < (x + 2) / (2 * width)
                    and y / (2 * height) <= position[i][1] < (y + 2) / (2 * height)
                ]


def normalised(vector, power=0.5):
    """Signed power, L2."""
    vector = np.sign(vector) * np.abs(vector) ** power
    return vector / (np.linalg.norm(vector) or 1)


def second_layer(rows, middle, position, block, *, sizes, least, power=0.5):
    """The vector of one block from projected descriptors; ``block`` is a dict of arrays as in a file."""
    first = (block["means"], block["variances"], block["weights"])
    second = (block["second_means"], block["second_variances"], block["second_weights"])
    reduced = []
    for size in sizes:
        for chosen in volumes(middle, position, size):
            if len(chosen) >= least:
                vector = normalised(fisher.fisher_vector(rows[chosen], *first, orders=("first", "second")), power)
                projected = block["volume_projection"].astype(float) @ vector
                reduced.append(block["volume_components"].astype(float) @ (projected - block["volume_mean"]))
    return normalised(fisher.fisher_vector(np.array(reduced), *second, orders=("first", "second")), power)
