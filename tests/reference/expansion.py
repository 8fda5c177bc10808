"""The polynomial expansion of docs/method/extraction.md, section 3.1, as it is defined: at every pixel a weighted
least-squares fit, solved as such.
"""

import numpy as np

REACH = 7
SIGMA = 1.5


def gaussian(reach, sigma):
    """Weights at −reach … reach, which sum to 1."""
    weights = np.array([np.exp(-(k**2) / (2 * sigma**2)) for k in range(-reach, reach + 1)])
    return weights / weights.sum()


def fit(image, row, column):
    """Coefficients of x, y, x², y² and xy around one pixel of an image continued by its border pixels, (5,)."""
    height, width = image.shape
    offsets = [(x, y) for y in range(-REACH, REACH + 1) for x in range(-REACH, REACH + 1)]
    basis = np.array([(1, x, y, x * x, y * y, x * y) for x, y in offsets], np.float64)
    g = gaussian(REACH, SIGMA)
    weights = np.array([g[x + REACH] * g[y + REACH] for x, y in offsets])
    around = [image[min(max(row + y, 0), height - 1), min(max(column + x, 0), width - 1)] for x, y in offsets]
    normal = basis.T @ (weights[:, None] * basis)
    return np.linalg.solve(normal, basis.T @ (weights * np.array(around, np.float64)))[1:]


def expand(image, *, step=1):
    """`fit` at every pixel, or every ``step``-th in x and in y, (5, H, W)."""
    height, width = image.shape
    rows = [[fit(image, i, j) for j in range(0, width, step)] for i in range(0, height, step)]
    return np.moveaxis(np.array(rows), 2, 0)


def smooth(gray, factor, size):
    """The full frame blurred for the scale of this factor and resized to ``size`` (height, width)."""
    sigma = (factor - 1) / 2
    taps = max(3, round(5 * sigma) | 1)
    # σ = 0 at the first scale: [1 2 1] / 4.
    kernel = gaussian(taps // 2, sigma) if sigma > 0 else np.array([1, 2, 1]) / 4
    image = gray.astype(np.float64)
    for axis in range(2):
        padded = np.pad(image, [(taps // 2,) * 2 if a == axis else (0, 0) for a in range(2)], mode="reflect")
        image = sum(
            weight * np.take(padded, range(k, k + image.shape[axis]), axis=axis) for k, weight in enumerate(kernel)
        )
    return resize(image, size)


def resize(image, size):
    """Bilinear resizing with pixel centres at half coordinates, continued by the border pixels."""
    for axis in range(2):
        n = image.shape[axis]
        at = np.clip((np.arange(size[axis]) + 0.5) * n / size[axis] - 0.5, 0, n - 1)
        below = np.minimum(np.floor(at).astype(int), max(n - 2, 0))
        above = np.minimum(below + 1, n - 1)
        share = np.expand_dims(at - below, 1 - axis)
        image = np.take(image, below, axis=axis) * (1 - share) + np.take(image, above, axis=axis) * share
    return image
