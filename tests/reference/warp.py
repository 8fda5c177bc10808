"""The warp of docs/method/extraction.md, section 4.6, through OpenCV's remap with fixed-point maps: whole pixels, and
the index of a 32×32 table.
"""

import cv2
import numpy as np


def warp(gray, previous, homography):
    height, width = gray.shape
    y, x = np.mgrid[:height, :width].astype(np.float64)
    to_x, to_y, to_w = (h[0] * x + h[1] * y + h[2] for h in np.asarray(homography, np.float64))
    with np.errstate(divide="ignore", invalid="ignore"):
        to_x, to_y = to_x / to_w, to_y / to_w
    copied = ~((to_x > 5) & (to_y > 5) & (to_x < width - 6) & (to_y < height - 6))
    steps_x = np.rint(np.where(copied, 0, to_x) * 32).astype(np.int64)
    steps_y = np.rint(np.where(copied, 0, to_y) * 32).astype(np.int64)
    whole = np.stack([steps_x // 32, steps_y // 32], axis=2).astype(np.int16)
    table = (steps_y % 32 * 32 + steps_x % 32).astype(np.uint16)
    return np.where(copied, previous, cv2.remap(gray, whole, table, cv2.INTER_LINEAR))
