"""The histograms of docs/method/extraction.md, section 7, a patch, a cell and a pixel at a time, in float64."""

import math

import numpy as np

BINS = 8


def reflected(i, size):
    """Index of a pixel beyond the border, by reflection about the border pixel; the pixel itself inside."""
    if size == 1:
        return 0
    return -i if i < 0 else 2 * (size - 1) - i if i >= size else i


def gradient(image, x, y):
    height, width = image.shape
    dx = float(image[y, reflected(x + 1, width)]) - float(image[y, reflected(x - 1, width)])
    dy = float(image[reflected(y + 1, height), x]) - float(image[reflected(y - 1, height), x])
    return dx, dy


def share(histogram, dx, dy):
    """Add a vector's length to the two bins next to its direction; bin k is centred at k · 45°."""
    position = math.degrees(math.atan2(dy, dx)) % 360 / 45
    lower = math.floor(position)
    length = math.hypot(dx, dy)
    histogram[lower % BINS] += (lower + 1 - position) * length
    histogram[(lower + 1) % BINS] += (position - lower) * length


def cell(gray, flow, left, top, side):
    """Four histograms of the square of this side: HOG, HOF, MBHx and MBHy."""
    hog, hof, mbhx, mbhy = np.zeros(BINS), np.zeros(BINS + 1), np.zeros(BINS), np.zeros(BINS)
    for y in range(top, top + side):
        for x in range(left, left + side):
            share(hog, *gradient(gray, x, y))
            u, v = flow[y, x]
            # In float32, as the flow itself: 0.4 is not the same number in float64.
            if np.sqrt(u * u + v * v) <= np.float32(0.4):
                hof[BINS] += 1
            else:
                share(hof, float(u), float(v))
            share(mbhx, *gradient(flow[:, :, 0], x, y))
            share(mbhy, *gradient(flow[:, :, 1], x, y))
    return hog, hof, mbhx, mbhy


def describe(gray, flow, points, *, patch=32, cells=2, local_norm="rootl1"):
    height, width = gray.shape
    side = patch // cells
    rows = []
    for px, py in points:
        left = min(max(round(float(px)) - patch // 2, 0), width - patch)
        top = min(max(round(float(py)) - patch // 2, 0), height - patch)
        found = [cell(gray, flow, left + i * side, top + j * side, side) for i in range(cells) for j in range(cells)]
        blocks = []
        for block in zip(*found, strict=True):
            vector = np.concatenate(block) + 0.05
            if local_norm == "rootl1":
                vector = np.sqrt(vector / vector.sum())
            elif local_norm == "l2":
                vector = vector / np.sqrt((vector**2).sum())
            blocks.append(vector)
        rows.append(np.concatenate(blocks))
    return np.array(rows)
