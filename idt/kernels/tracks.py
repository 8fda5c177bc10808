"""Moving the points of one scale by the flow (spec 6)."""

import numpy as np

from idt.kernels import kernel


@kernel(
    "(float32[:,:,::1], float32[:,:,::1], int32[::1], int32[::1], float32[:,::1], float32[:,:,::1], float32[:,:,::1])",
)
def advance(flow, flow_warp, slots, ages, positions, points, displacements):
    """Move every track one step, and list those that go on, then those that finished, then the lost.

    flow, flow_warp (2, H, W) float32; by age of the track: slots (n,) int32, where it is stored, a slot for each,
    ages (n,) int32, steps made so far, and positions (n, 2) float32; by slot: points (N, L + 1, 2) and displacements
    (N, L, 2) float32. Returns how many go on and how many finished; their ages and positions are those after the step.
    """
    _, height, width = flow.shape
    length = displacements.shape[1]
    finished = np.empty(slots.shape[0], np.int32)
    lost = np.empty(slots.shape[0], np.int32)
    n_live, n_finished, n_lost = 0, 0, 0
    for n in range(slots.shape[0]):
        slot, age = slots[n], ages[n]
        x, y = positions[n, 0], positions[n, 1]
        column = min(max(np.int64(np.rint(x)), 0), width - 1)
        row = min(max(np.int64(np.rint(y)), 0), height - 1)
        x += flow[0, row, column]
        y += flow[1, row, column]
        points[slot, age + 1, 0] = x
        points[slot, age + 1, 1] = y
        displacements[slot, age, 0] = flow_warp[0, row, column]
        displacements[slot, age, 1] = flow_warp[1, row, column]
        if not (x > 0 and y > 0 and x < width and y < height):
            lost[n_lost] = slot
            n_lost += 1
        elif age + 1 == length:
            finished[n_finished] = slot
            n_finished += 1
        else:
            slots[n_live] = slot
            ages[n_live] = age + 1
            positions[n_live, 0] = x
            positions[n_live, 1] = y
            n_live += 1
    for n in range(n_finished):
        slots[n_live + n] = finished[n]
    for n in range(n_lost):
        slots[n_live + n_finished + n] = lost[n]
    return n_live, n_finished
