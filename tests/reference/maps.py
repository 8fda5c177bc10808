"""The slow rival of pooling along tracks: all maps of a video kept, two passes, loops over everything."""

import math

import numpy as np


def pooled(maps, points, frames, size, *, norm, power=1.0):
    """Descriptors of tracks, from the maps (h, w, C) of every frame, with cells by the ratio of sizes."""
    height, width = size
    maps = [np.asarray(one, np.float64) for one in maps]
    if norm == "st":
        largest = np.zeros(maps[0].shape[2])
        for one in maps:
            for channel in range(one.shape[2]):
                largest[channel] = max(largest[channel], np.abs(one[:, :, channel]).max())
        maps = [one / (largest + 2.2e-16) for one in maps]
    if norm == "channel":
        maps = [one / (np.abs(one).max(axis=2, keepdims=True) + 2.2e-16) for one in maps]
    found = []
    for track, end in zip(points, frames, strict=True):
        length = len(track) - 1
        total = 0.0
        for p in range(length):
            one = maps[end - length + p]
            x, y = (float(value) for value in track[p])
            column = min(max(math.floor(x * one.shape[1] / width + 0.5), 0), one.shape[1] - 1)
            row = min(max(math.floor(y * one.shape[0] / height + 0.5), 0), one.shape[0] - 1)
            total = total + one[row, column]
        found.append(np.sign(total) * np.abs(total) ** power)
    return np.array(found)
