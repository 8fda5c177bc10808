"""Tracking as docs/method/extraction.md, section 6, words it: a list of tracks, each a list of what it has met."""

import numpy as np


class Track:
    def __init__(self, point):
        self.points = [np.float32(point)]
        self.displacements = []
        self.steps = []


def advance(live, flow, flow_warp, steps, length, time_cells):
    """The tracks that live on, and points, displacements and histograms of those that end."""
    height, width, _ = flow.shape
    still_live, ended = [], []
    for track, step in zip(live, steps, strict=True):
        x, y = track.points[-1]
        column = min(max(round(float(x)), 0), width - 1)
        row = min(max(round(float(y)), 0), height - 1)
        track.points.append(track.points[-1] + flow[row, column])
        track.displacements.append(flow_warp[row, column])
        track.steps.append(step)
        x, y = track.points[-1]
        if x <= 0 or y <= 0 or x >= width or y >= height:
            continue
        if len(track.displacements) == length:
            group = length // time_cells
            means = [np.mean(track.steps[c * group : (c + 1) * group], axis=0) for c in range(time_cells)]
            ended.append((np.array(track.points), np.array(track.displacements), np.array(means)))
        else:
            still_live.append(track)
    return still_live, ended
