"""Numbers of whole tracks (spec 8)."""

import numpy as np

from idt.kernels import kernel


@kernel("(float32[:,:,::1], float32[:,::1], float32[:,::1])")
def moments(points, mean, std):
    """Mean and population standard deviation of each track's positions: points (n, P, 2), mean and std (n, 2)."""
    n_points = np.float32(points.shape[1])
    for n in range(points.shape[0]):
        for c in range(2):
            total = np.float32(0)
            for k in range(points.shape[1]):
                total += points[n, k, c]
            centre = total / n_points
            total = np.float32(0)
            for k in range(points.shape[1]):
                away = points[n, k, c] - centre
                total += away * away
            mean[n, c] = centre
            std[n, c] = np.sqrt(total / n_points)


@kernel("(float32[:,:,::1], float32[::1], float32[::1])")
def lengths(vectors, total, longest):
    """Sum of the lengths of each track's vectors, and the largest of them: vectors (n, L, 2), the others (n,)."""
    for n in range(vectors.shape[0]):
        total[n] = np.float32(0)
        longest[n] = np.float32(0)
        for k in range(vectors.shape[1]):
            x, y = vectors[n, k, 0], vectors[n, k, 1]
            length = np.sqrt(x * x + y * y)
            total[n] += length
            longest[n] = max(longest[n], length)
