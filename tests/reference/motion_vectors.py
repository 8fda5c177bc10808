"""Points carried by a homography, one at a time."""

import numpy as np


def carried(homography, point):
    """Carry a point (x, y) by a homography."""
    x, y, w = homography @ np.array([*point, 1.0])
    return np.array([x / w, y / w])
