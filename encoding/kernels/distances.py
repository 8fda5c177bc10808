"""Squared distances of many points from one, for the first centres of k-means."""

import numpy as np

from idt.jit.kernel import kernel


@kernel()
def nearer(columns, centre, nearest, out):
    """The squared distance of every point from ``centre``, where that is less than ``nearest``.

    columns (D, n) float32, one point in each column; centre (D,), nearest (n,) float32; out (n,) float32.
    Unchecked: call gmm.DiagonalGMM.fit.
    """
    out[:] = np.float32(0)
    for i in range(columns.shape[0]):
        _add_square(columns[i], centre[i], out)
    for t in range(out.size):
        out[t] = np.minimum(out[t], nearest[t])


@kernel()
def _add_square(column, number, out):
    """Add (column − number)² to out.

    column (n,) float32, number float32; out (n,) float32.
    """
    for t in range(out.size):
        offset = column[t] - number
        out[t] += offset * offset
