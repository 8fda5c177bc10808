"""Nearest descriptors within a window.

docs/method/extraction.md, section 4.2. The earlier keypoints are sorted by y, so that each keypoint is compared only
with keypoints near it.
"""

import numpy as np
from numba import float32, float64, int64

from idt.jit.kernel import inner, kernel

REASSOCIATION = {"contract", "reassoc"}
"""Sums of squares may be added in any order, or they would not be vectorised. Equal descriptors still tie exactly."""


@kernel(
    (float32[:, ::1], float32[:, ::1], float32[:, ::1], float32[:, ::1], int64[::1], int64[::1], float64, int64[::1]),
)
def find_nearest(points, descriptors, previous_points, previous_descriptors, order, first, radius, nearest):
    """Find the nearest descriptor among the earlier keypoints within the window, −1 if there is none.

    points (n, 2), descriptors (n, d), previous_points (m, 2) sorted by y, previous_descriptors (m, d) float32, not
    sorted; order (m,) int64, the index of the descriptor of each previous point; first (n,) int64, the previous point
    at which each window begins; nearest (n,) int64 out. Unchecked: call surf.nearest_in_window.
    """
    for i in range(points.shape[0]):
        x, y = np.float64(points[i, 0]), np.float64(points[i, 1])
        best, least = -1, np.float32(np.inf)
        for k in range(first[i], order.size):
            if not previous_points[k, 1] - y < radius:
                break
            if abs(previous_points[k, 0] - x) < radius:
                j = order[k]
                distance = _squared_distance(descriptors[i], previous_descriptors[j])
                if distance < least or (distance == least and j < best):
                    best, least = j, distance
        nearest[i] = best


@inner(fastmath=REASSOCIATION)
def _squared_distance(a, b):
    """Return the squared Euclidean distance of two vectors; a, b (d,) float32."""
    total = np.float32(0)
    for i in range(a.size):
        difference = a[i] - b[i]
        total += difference * difference
    return total
