"""Matrix products of float32 factors whose last bits depend on nothing but the factors: see the kernel of that name."""

import numpy as np

from encoding.kernels.product import PANEL, ROWS, multiply, pack


def padded(n, step):
    """Return the least multiple of ``step`` not below ``n``."""
    return -(-n // step) * step


def packed(b):
    """Pack a second factor ``b`` (d, n) once for many products: (p, d, 16) float32 with 16p ≥ n."""
    panels = np.empty((padded(b.shape[1], PANEL) // PANEL, len(b), PANEL), np.float32)
    pack(np.ascontiguousarray(b, np.float32), panels)
    return panels


def product(a, panels, n):
    """The product a · b for a second factor of n columns, packed by `packed`.

    Parameters
    ----------
    a : (m, d) float32
    panels : (p, d, 16) float32
    n : int

    Returns
    -------
    (m, n) float32
        A view of a slightly larger array.
    """
    rows = np.zeros((padded(len(a), ROWS), a.shape[1]), np.float32)
    rows[: len(a)] = a
    out = np.empty((len(rows), len(panels) * PANEL), np.float32)
    multiply(rows, panels, out)
    return out[: len(a), :n]
