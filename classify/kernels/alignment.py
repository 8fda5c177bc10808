"""Dynamic time warping and Viterbi decoding, cell by cell.

Each cell of a table of moves holds one byte: the move by which the best path reaches the cell.
"""

import numpy as np

from idt.jit.kernel import kernel

BOTH, ROW, COLUMN, START = 0, 1, 2, 3
"""Moves of a warping path: diagonal, from the row before, from the column before, or a start here."""

INFINITE = np.inf


@kernel()
def accumulate(costs, row, moves, first, slope, band, subsequence, single):
    """Accumulate the costs of some rows along the best warping paths.

    costs (r, m) float64, of rows ``first`` to first + r; row (m,) float64, the costs of the best paths to each column
    of the row before, overwritten with those to the last row; moves (r, m) uint8. Cells with |i · slope − j| > band are
    outside. With ``subsequence`` a path may begin in every column of row 0; with ``single`` it has exactly one cell in
    each row.
    """
    m = row.size
    for r in range(costs.shape[0]):
        i = first + r
        corner = row[0]
        left = INFINITE
        for j in range(m):
            above = row[j]
            best, move = INFINITE, START
            if i == 0 and (j == 0 or subsequence):
                best = 0.0
            elif i > 0:
                if j > 0:
                    best, move = corner, BOTH
                if above < best:
                    best, move = above, ROW
            if not single and j > 0 and left < best:
                best, move = left, COLUMN
            corner = above
            if abs(i * slope - j) > band:
                best = INFINITE
            left = best + costs[r, j]
            row[j] = left
            moves[r, j] = move


@kernel()
def decode(scores, penalty, best, origin):
    """Find the best labels of frames where each change costs a penalty.

    scores (T, C) float64; best (C,) float64, the totals of the best labels that end in each class; origin (T, C) int32,
    the class of the frame before. Among equal totals, staying in a class wins over a change, and the first class wins
    over others.
    """
    n_classes = best.size
    for c in range(n_classes):
        best[c] = scores[0, c]
        origin[0, c] = c
    for t in range(1, scores.shape[0]):
        top = 0
        for c in range(1, n_classes):
            if best[c] > best[top]:
                top = c
        jump = best[top] - penalty
        for c in range(n_classes):
            origin[t, c] = c
            if jump > best[c]:
                best[c] = jump
                origin[t, c] = top
            best[c] += scores[t, c]


@kernel()
def decode_lengths(sums, lengths, penalty, best, origin, since):
    """Find the best segments where each segment is rewarded by its length.

    sums (T + 1, C) float64, cumulated scores; lengths (L + 1, C) float64, the reward of a segment of a length, -inf
    for lengths that are not allowed; best (T + 1, C) float64 with best[0] = 0, the best totals of segments that end
    with class c before frame t; origin (T + 1, C) int32, the class of the segment before the last segment; since
    (T + 1, C) int32, the first frame of the last segment.
    """
    n_classes = best.shape[1]
    for t in range(1, best.shape[0]):
        for c in range(n_classes):
            best[t, c] = -INFINITE
        for length in range(1, min(t, lengths.shape[0] - 1) + 1):
            start = t - length
            top, second = 0, -1
            for c in range(1, n_classes):
                if best[start, c] > best[start, top]:
                    top, second = c, top
                elif second < 0 or best[start, c] > best[start, second]:
                    second = c
            for c in range(n_classes):
                before = top
                if start > 0 and top == c:
                    before = second
                if before < 0:
                    continue
                total = best[start, before] + sums[t, c] - sums[start, c] + lengths[length, c]
                if start > 0:
                    total -= penalty
                if total > best[t, c]:
                    best[t, c] = total
                    origin[t, c] = before
                    since[t, c] = start
