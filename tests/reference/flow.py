"""The flow between two frames from their expansions, pixel by pixel as docs/method/extraction.md, section 3, words
it.
"""

import math

import numpy as np

from tests.reference.expansion import gaussian, resize

OUTERMOST_FIRST = (0.14, 0.14, 0.4472, 0.4472, 0.4472)
WINDOW_REACH = 5
WINDOW_SIGMA = 1.5


def axis_damping(i, size):
    """Damping along one axis of the pixel that is i-th from one end and (size − 1 − i)-th from the other."""
    damping = 1.0
    for from_end in (i, size - 1 - i):
        if from_end < len(OUTERMOST_FIRST):
            damping *= OUTERMOST_FIRST[from_end]
    return damping


def quadratic(first, second, x, y, u, v):
    """b1, b2, a11, a22 and a12 of one pixel: expansions in the order x, y, x², y², xy; flow (u, v)."""
    _, height, width = first.shape
    to_x, to_y = x + u, y + v
    left, top = math.floor(to_x), math.floor(to_y)
    own = first[:, y, x]
    if left in range(width - 1) and top in range(height - 1):
        s, t = to_x - left, to_y - top
        other = (1 - t) * ((1 - s) * second[:, top, left] + s * second[:, top, left + 1])
        other = other + t * ((1 - s) * second[:, top + 1, left] + s * second[:, top + 1, left + 1])
        a11, a22 = (own[2] + other[2]) / 2, (own[3] + other[3]) / 2
        a12 = (own[4] + other[4]) / 4
        b1, b2 = (own[0] - other[0]) / 2, (own[1] - other[1]) / 2
    else:
        a11, a22, a12 = own[2], own[3], own[4] / 2
        b1, b2 = own[0] / 2, own[1] / 2
    return b1 + a11 * u + a12 * v, b2 + a12 * u + a22 * v, a11, a22, a12


def iterate(first, second, flow):
    """The next flow (2, H, W), from expansions (5, H, W) and the current flow (2, H, W)."""
    _, height, width = flow.shape
    products = np.empty((5, height, width))
    for y in range(height):
        for x in range(width):
            damping = axis_damping(x, width) * axis_damping(y, height)
            numbers = quadratic(first, second, x, y, float(flow[0, y, x]), float(flow[1, y, x]))
            b1, b2, a11, a22, a12 = (damping * float(number) for number in numbers)
            products[:, y, x] = (
                a11 * a11 + a12 * a12,
                (a11 + a22) * a12,
                a22 * a22 + a12 * a12,
                a11 * b1 + a12 * b2,
                a12 * b1 + a22 * b2,
            )
    reach = WINDOW_REACH
    window = np.outer(gaussian(reach, WINDOW_SIGMA), gaussian(reach, WINDOW_SIGMA))
    continued = np.pad(products, ((0, 0), (reach, reach), (reach, reach)), mode="edge")
    out = np.empty((2, height, width))
    for y in range(height):
        for x in range(width):
            around = continued[:, y : y + 2 * reach + 1, x : x + 2 * reach + 1]
            g11, g12, g22, h1, h2 = ((window * product).sum() for product in around)
            determinant = g11 * g22 - g12 * g12 + 1e-3
            out[:, y, x] = (g22 * h1 - g12 * h2) / determinant, (g11 * h2 - g12 * h1) / determinant
    return out


def median(field):
    """Each component (2, H, W) replaced by the median of its 5×5 surroundings, the border continued."""
    continued = np.pad(field, ((0, 0), (2, 2), (2, 2)), mode="edge")
    return np.median(np.lib.stride_tricks.sliding_window_view(continued, (5, 5), axis=(1, 2)), axis=(3, 4))


def between(first, second):
    """Fields (2, H, W), finest first, from the expansions (5, H, W) of both frames at every scale, finest first."""
    fields = []
    for one, other in zip(first[::-1], second[::-1], strict=True):
        size = one.shape[1:]
        field = np.stack([resize(c, size) for c in fields[-1]]) * math.sqrt(2) if fields else np.zeros((2, *size))
        for _ in range(2):
            field = iterate(one, other, field)
        fields.append(median(field))
    return fields[::-1]
