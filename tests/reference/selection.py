"""The tests of docs/method/extraction.md, section 8, track by track, in Python's own floats."""

import itertools
import math
import statistics


def lengths(vectors):
    return [math.hypot(x, y) for x, y in vectors]


def summarise(points, displacements, *, camera=True):
    """Mean, deviation, length, trajectory and fate ("kept", "camera" or "dropped") of one track."""
    points = [tuple(map(float, p)) for p in points]
    displacements = [tuple(map(float, d)) for d in displacements]
    xs, ys = zip(*points, strict=True)
    mean = statistics.fmean(xs), statistics.fmean(ys)
    std = statistics.pstdev(xs), statistics.pstdev(ys)
    steps = lengths((x2 - x1, y2 - y1) for (x1, y1), (x2, y2) in itertools.pairwise(points))
    own = lengths(displacements)
    total = sum(own)
    trajectory = [c / total if total else 0.0 for d in displacements for c in d]

    static = std[0] < math.sqrt(3) and std[1] < math.sqrt(3)
    erratic = std[0] > 50 or std[1] > 50
    jump = max(steps) > 20 and max(steps) > 0.7 * sum(steps)
    if static or erratic or jump:
        fate = "dropped"
    elif camera and max(own) <= 1:
        fate = "camera"
    else:
        fate = "kept"
    return mean, std, sum(steps), trajectory, fate
