"""Dynamic time warping and Viterbi decoding, by the definitions."""

import itertools

import numpy as np


def accumulated(costs, *, subsequence=False, inside=lambda i, j: True):
    """Return D of a matrix of costs, cell by cell; infinite outside a band."""
    n, m = costs.shape
    total = np.full((n, m), np.inf)
    for i, j in itertools.product(range(n), range(m)):
        if not inside(i, j):
            continue
        before = [total[i - a, j - b] for a, b in ((1, 1), (1, 0), (0, 1)) if i >= a and j >= b]
        if i == 0 and (j == 0 or subsequence):
            before.append(0.0)
        total[i, j] = costs[i, j] + min(before)
    return total


def best_labels(scores, penalty):
    """Return the largest objective of all sequences of classes."""
    return max(
        objective(scores, labels, penalty) for labels in itertools.product(range(scores.shape[1]), repeat=len(scores))
    )


def objective(scores, labels, penalty):
    """Return the sum of scores less a penalty for each change."""
    changes = sum(a != b for a, b in itertools.pairwise(labels))
    return sum(scores[t, label] for t, label in enumerate(labels)) - penalty * changes


def best_segments(scores, rewards, penalty):
    """Return the largest objective of all sequences of classes whose runs are rewarded by length."""
    best = -np.inf
    for labels in itertools.product(range(scores.shape[1]), repeat=len(scores)):
        lengths = [(label, len(list(run))) for label, run in itertools.groupby(labels)]
        if all(length < len(rewards) for _, length in lengths):
            total = objective(scores, labels, penalty) + sum(rewards[length, label] for label, length in lengths)
            best = max(best, total)
    return best
