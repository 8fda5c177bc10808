"""Displacements as gray levels, as the tools of two-stream networks store them.

q = 0 below −b, 255 above b, else 255 · (v + b) / (2b), rounded half to even; b is the bound in pixels. No motion is
128, because 127.5 is rounded to even. Back, v = q · 2b / 255 − b.

Source: docs/method/flow.md, section 1.
"""

import numpy as np


def quantise(values, bound):
    """Store displacements as gray levels.

    Parameters
    ----------
    values : array of float
        In pixels.
    bound : float
        Pixels that the outermost gray levels stand for.

    Returns
    -------
    array of uint8
        Of the same shape.

    Examples
    --------
    >>> import numpy as np
    >>> quantise(np.array([-25.0, -20.0, 0.0, 10.0, 25.0]), 20)
    array([  0,   0, 128, 191, 255], dtype=uint8)
    """
    scaled = 255 * (np.asarray(values, np.float64) + bound) / (2 * bound)
    return np.clip(np.rint(scaled), 0, 255).astype(np.uint8)


def restore(levels, bound):
    """Return the float32 displacements in pixels of gray ``levels`` that were stored with a ``bound``."""
    return (np.asarray(levels, np.float32) * np.float32(2 * bound / 255) - np.float32(bound)).astype(np.float32)
