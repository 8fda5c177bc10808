"""The χ² kernel of several channels as docs/method/encoding.md, section 15, words it, one pair of rows and one column
at a time.
"""

import math


def distance(x, y):
    """Σ (x − y)² / (x + y), 0/0 = 0; signed numbers as their positive and negative halves."""
    total = 0.0
    for one, other in zip(x, y, strict=True):
        for a, b in ((max(one, 0.0), max(other, 0.0)), (max(-one, 0.0), max(-other, 0.0))):
            if a + b > 0:
                total += (a - b) ** 2 / (a + b)
    return total


def scale(rows):
    """Mean distance of all pairs of different rows."""
    pairs = [distance(x, y) for i, x in enumerate(rows) for y in rows[:i]]
    return sum(pairs) / len(pairs)


def kernel(left, right, channels, scales):
    """exp(−Σ_c D_c / A_c) of each pair."""
    return [
        [
            math.exp(-sum(distance(x[a:b], y[a:b]) / scale for (a, b), scale in zip(channels, scales, strict=True)))
            for y in right
        ]
        for x in left
    ]
