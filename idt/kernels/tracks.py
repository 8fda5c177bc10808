"""Start tracks at the points of one scale, and move them by the flow (docs/method/extraction.md, section 6)."""

import numpy as np
from numba import float32, int32, int64

from idt.jit.kernel import inner, kernel


@inner()
def _row(slot, age, group, time_cells):
    """Return the row of the sums for the histograms of a track's next step; −1 beyond the last time cell."""
    cell = age // group
    return slot * time_cells + cell if cell < time_cells else -1


@kernel((float32[:, ::1], int64, int64, int32[:, ::1], float32[:, ::1], float32[:, :, ::1], float32[:, ::1]))
def start(new, time_cells, count, track_table, positions, points, sums):
    """Start a track at each of the points ``new`` (n, 2) float32, after the ``count`` tracks that exist.

    Arrays as in `advance`. Input: the slots in track_table[0]. Output: ages and rows in track_table, positions, points,
    and sums (N · time cells, D) float32, set to 0.
    """
    for n in range(new.shape[0]):
        at = count + n
        slot = track_table[0, at]
        track_table[1, at] = 0
        track_table[2, at] = slot * time_cells
        for c in range(2):
            positions[at, c] = new[n, c]
            points[slot, 0, c] = new[n, c]
        sums[slot * time_cells : (slot + 1) * time_cells] = 0


@kernel(
    (
        float32[:, :, ::1],
        float32[:, :, ::1],
        int64[::1],
        int64,
        int32[:, ::1],
        float32[:, ::1],
        float32[:, :, ::1],
        float32[:, :, ::1],
    ),
)
def advance(flow, flow_warp, sizes, count, track_table, positions, points, displacements):
    """Move the first ``count`` tracks one step; list the live tracks first, then the finished, then the lost ones.

    flow, flow_warp (2, h, w) float32; sizes (4,) int64: height and width of the scale, spacing of the flows' vectors in
    pixels of the scale, number of time cells. Sorted by age of the track: track_table (3, N) int32 (slot, steps made,
    row of the sums for the next step) and positions (N, 2) float32. Indexed by slot: points (N, L + 1, 2) and
    displacements (N, L, 2) float32. track_table and positions are updated. Return how many tracks go on and how many
    have finished.
    """
    height, width, spacing, time_cells = sizes[0], sizes[1], sizes[2], sizes[3]
    length = displacements.shape[1]
    group = length // time_cells
    slots, ages, rows = track_table[0], track_table[1], track_table[2]
    finished = np.empty(count, np.int32)
    lost = np.empty(count, np.int32)
    n_live, n_finished, n_lost = 0, 0, 0
    for n in range(count):
        slot, age = slots[n], ages[n]
        x, y = positions[n, 0], positions[n, 1]
        column = min(max(np.int64(np.rint(x)), 0), width - 1) // spacing
        row = min(max(np.int64(np.rint(y)), 0), height - 1) // spacing
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
            rows[n_live] = _row(slot, age + 1, group, time_cells)
            positions[n_live, 0] = x
            positions[n_live, 1] = y
            n_live += 1
    for n in range(n_finished):
        slots[n_live + n] = finished[n]
    for n in range(n_lost):
        slots[n_live + n_finished + n] = lost[n]
    return n_live, n_finished
