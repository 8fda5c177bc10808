"""Moving the points of one scale by the flow (spec 6)."""

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def advance(flow, flow_warp, ages, points, displacements):
    """Move every track one step; its next point is written where it is, a lost track gets the age −1.

    flow, flow_warp (H, W, 2) float32; ages (n,) int32, steps made so far; points (n, L + 1, 2) and
    displacements (n, L, 2) float32.
    """
    height, width, _ = flow.shape
    for n in range(ages.shape[0]):
        age = ages[n]
        x = points[n, age, 0]
        y = points[n, age, 1]
        column = min(max(np.int64(np.rint(x)), 0), width - 1)
        row = min(max(np.int64(np.rint(y)), 0), height - 1)
        x += flow[row, column, 0]
        y += flow[row, column, 1]
        points[n, age + 1, 0] = x
        points[n, age + 1, 1] = y
        displacements[n, age, 0] = flow_warp[row, column, 0]
        displacements[n, age, 1] = flow_warp[row, column, 1]
        inside = x > 0 and y > 0 and x < width and y < height
        ages[n] = age + 1 if inside else -1


@njit(cache=True, nogil=True)
def accumulate(steps, ages, group, sums):
    """Add each track's histograms of a step to the time cell the step belongs to; leftover steps are unused.

    steps (n, D) float32; ages (n,) int32, steps made before this one; group, steps per time cell; sums (n, cells, D).
    """
    for n in range(ages.shape[0]):
        cell = ages[n] // group
        if cell < sums.shape[1]:
            for k in range(steps.shape[1]):
                sums[n, cell, k] += steps[n, k]
