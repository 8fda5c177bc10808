"""Moving the points of one scale by the flow, and gathering what describes them (spec 6 and 7).

A track stays in its slot of the arrays for as long as it lives; ``slots`` lists those in use, by age.
"""

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def advance(flow, flow_warp, slots, ages, points, displacements):
    """Move every track one step; its next point is written behind the others, a lost track gets the age −1.

    flow, flow_warp (H, W, 2) float32; slots (n,) int32; ages (N,) int32, steps made so far; points (N, L + 1, 2) and
    displacements (N, L, 2) float32.
    """
    height, width, _ = flow.shape
    for slot in slots:
        age = ages[slot]
        x = points[slot, age, 0]
        y = points[slot, age, 1]
        column = min(max(np.int64(np.rint(x)), 0), width - 1)
        row = min(max(np.int64(np.rint(y)), 0), height - 1)
        x += flow[row, column, 0]
        y += flow[row, column, 1]
        points[slot, age + 1, 0] = x
        points[slot, age + 1, 1] = y
        displacements[slot, age, 0] = flow_warp[row, column, 0]
        displacements[slot, age, 1] = flow_warp[row, column, 1]
        inside = x > 0 and y > 0 and x < width and y < height
        ages[slot] = age + 1 if inside else -1


@njit(cache=True, nogil=True)
def accumulate(steps, slots, ages, group, sums):
    """Add each track's histograms of a step to the time cell the step belongs to; leftover steps are unused.

    steps (n, D) float32; slots (n,) int32; ages (N,) int32, steps made before this one; group, steps per time cell;
    sums (N, cells, D) float32.
    """
    for n in range(slots.shape[0]):
        slot = slots[n]
        cell = ages[slot] // group
        if cell < sums.shape[1]:
            for k in range(steps.shape[1]):
                sums[slot, cell, k] += steps[n, k]
