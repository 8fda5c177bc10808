"""Labels of frames from scores of frames, by dynamic programming.

`decode_frames` maximises Σ_t S[t, y_t] − λ · (number of changes of y). `decode_segments` rewards every segment by the
logarithm of the probability of its length, too.

Source: docs/method/untrimmed.md, section 6.
"""

import numpy as np

from classify.kernels.alignment import decode, decode_lengths
from idt.checks import float_array
from idt.errors import DataError

LARGEST_PENALTY = 1e12
"""Largest penalty. No score is as large, so a higher one would change nothing."""


def decode_frames(scores, penalty):
    """Find the best sequence of classes where each change costs a penalty.

    Parameters
    ----------
    scores : (T, C) float
        One row a frame or a window.
    penalty : float
        λ ≥ 0; with 0 each row has its best class.

    Returns
    -------
    classes : (T,) int64
    objective : float

    Raises
    ------
    DataError
        If there are no rows, a score is not finite, or the penalty is out of bounds.

    Notes
    -----
    docs/method/untrimmed.md, section 6. Among sequences with equal objective the one without a change wins, then the
    one of the first class.
    """
    scores = _checked(scores, penalty)
    best, origin = np.empty(scores.shape[1]), np.empty(scores.shape, np.int32)
    decode(scores, float(penalty), best, origin)
    classes = np.empty(len(scores), np.int64)
    classes[-1] = np.argmax(best)
    for t in range(len(scores) - 1, 0, -1):
        classes[t - 1] = origin[t, classes[t]]
    return classes, float(best.max())


def decode_segments(scores, length_rewards, penalty=0.0):
    """Find the best segments where each is rewarded by its length.

    Parameters
    ----------
    scores : (T, C) float
    length_rewards : (L + 1, C) float
        Reward of a segment by length and class, such as the logarithm of its probability; row 0 plays no part, −inf
        forbids a length. Segments longer than L rows are not made.
    penalty : float
        Cost of each change, as `decode_frames`.

    Returns
    -------
    classes : (T,) int64
    objective : float

    Raises
    ------
    DataError
        As `decode_frames`, and if no allowed lengths add up to T.

    Notes
    -----
    docs/method/untrimmed.md, section 6. Two segments in a row are of different classes.
    """
    scores = _checked(scores, penalty)
    rewards = np.ascontiguousarray(length_rewards, np.float64)
    if rewards.ndim != 2 or rewards.shape[1] != scores.shape[1] or len(rewards) < 2 or not (rewards < np.inf).all():
        raise DataError(f"lengths must be (L + 1, {scores.shape[1]}) rewards below infinity, got {rewards.shape}")
    sums = np.zeros((len(scores) + 1, scores.shape[1]))
    np.cumsum(scores, axis=0, out=sums[1:])
    best, origin, since = np.zeros(sums.shape), np.zeros(sums.shape, np.int32), np.zeros(sums.shape, np.int32)
    decode_lengths(sums, rewards, float(penalty), best, origin, since)
    t, label = len(scores), int(np.argmax(best[-1]))
    if not np.isfinite(best[-1, label]):
        raise DataError(f"no allowed lengths of segments add up to {t} rows")
    classes = np.empty(t, np.int64)
    while t:
        start = since[t, label]
        classes[start:t] = label
        t, label = start, origin[t, label]
    return classes, float(best[-1].max())


def _checked(scores, penalty):
    scores = float_array(scores, (None, None), "scores", np.float64)
    if not scores.size:
        raise DataError(f"scores must have rows and classes, got {scores.shape}")
    if not 0 <= penalty <= LARGEST_PENALTY:
        raise DataError(f"penalty must be from 0 to {LARGEST_PENALTY:g}, got {penalty}")
    return scores
