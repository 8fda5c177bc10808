"""Sampling as docs/method/extraction.md, section 5, words it: every cell of the grid in turn."""

import math

import numpy as np

SOBEL = np.outer([1, 2, 1], [-1, 0, 1])


def neighbourhoods(image):
    """The 3×3 surroundings of every pixel, (H, W, 3, 3), reflected about the border pixels."""
    return np.lib.stride_tricks.sliding_window_view(np.pad(image, 1, mode="reflect"), (3, 3))


def smaller_eigenvalue(gray):
    """Of the structure tensor over 3×3 pixels, up to a constant factor, (H, W)."""
    around = neighbourhoods(gray.astype(np.float64))
    dx = (around * SOBEL).sum((2, 3))
    dy = (around * SOBEL.T).sum((2, 3))
    xx, xy, yy = (neighbourhoods(product).sum((2, 3)) for product in (dx * dx, dx * dy, dy * dy))
    tensors = np.stack([np.stack([xx, xy], axis=2), np.stack([xy, yy], axis=2)], axis=3)
    return np.linalg.eigvalsh(tensors)[:, :, 0]


def sample(gray, live, *, stride=5, quality=0.001):
    """New points (x, y), row by row."""
    height, width = gray.shape
    eigenvalue = smaller_eigenvalue(gray)
    points = []
    for i in range(height // stride):
        for j in range(width // stride):
            x, y = stride * j + stride // 2, stride * i + stride // 2
            occupied = any(math.floor(px / stride) == j and math.floor(py / stride) == i for px, py in live)
            if eigenvalue[y, x] > quality * eigenvalue.max() and not occupied:
                points.append((x, y))
    return points
