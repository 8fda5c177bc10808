"""Find the free cells of the sampling grid (docs/method/extraction.md, section 5)."""

import numpy as np
from numba import boolean, float32, int64

from idt.jit.kernel import kernel


@kernel((boolean[:, ::1], float32[:, ::1], int64, float32[:, ::1]))
def free_centres(textured, live, stride, points):
    """Write the centres of the textured cells that hold no live track, row by row; return how many there are.

    textured (rows, columns) bool, overwritten; live (n, 2) float32; points (rows · columns, 2) float32.
    """
    rows, columns = textured.shape
    for n in range(live.shape[0]):
        x, y = live[n, 0], live[n, 1]
        if 0 <= x < columns * stride and 0 <= y < rows * stride:
            textured[np.int64(y) // stride, np.int64(x) // stride] = False
    count = 0
    for row in range(rows):
        for column in range(columns):
            if textured[row, column]:
                points[count, 0] = column * stride + stride // 2
                points[count, 1] = row * stride + stride // 2
                count += 1
    return count
