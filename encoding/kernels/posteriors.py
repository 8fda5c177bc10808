"""Posteriors of a tile of descriptors, between the two matrix products of the E-step.

A tile is (K, T): one row per component, one column per descriptor, so that every loop runs along the descriptors.
No loop sums across its lanes, so the width of the vector unit changes no result and reassociation is not needed.
"""

import math

import numpy as np

from idt.jit.kernel import kernel

# Contraction alone: a·b + c in one rounding. Reassociation would undo the two-part ln 2 below, and the flags that
# assume no NaN would hide the overflow that the caller looks for in the log-likelihoods.
CONTRACT = {"contract"}

LOWEST = np.float32(-87.0)  # exp of anything less is denormal in float32
LOG2_E = np.float32(1.4426950408889634)
LN2_HIGH = np.float32(0.693145751953125)  # 16 bits: times an integer of 7 bits it is exact
LN2_LOW = np.float32(1.4286067653302e-06)
# (exp(r) - 1 - r) / r² on |r| ≤ ln(2) / 2, fitted to minimise the largest relative error of exp(r), 3.1e-9.
C0, C1, C2, C3, C4 = (
    np.float32(c) for c in (0.499999934477676, 0.16666520631512, 0.04166838805113, 0.00836871689807, 0.00138145983652)
)
ONE = np.float32(1.0)
HALF = np.float32(0.5)
ZERO = np.float32(0.0)


@kernel(fastmath=CONTRACT)
def softmax(scores, flush, likelihoods, totals):
    """Turn log-scores into posteriors, in place; posteriors below ``flush`` become 0, the others stay.

    scores (K, T) float32; likelihoods (T,) float32, the log of the summed exponentials; totals (T,) float32, scratch.
    Unchecked: call expectation.expect.
    """
    n_components, n = scores.shape
    likelihoods[:] = scores[0]
    for k in range(1, n_components):
        _raise(scores[k], likelihoods)
    totals[:] = ZERO
    for k in range(n_components):
        _exponentiate(scores[k], likelihoods, totals)
    for t in range(n):
        likelihoods[t] += np.float32(math.log(totals[t]))
        totals[t] = ONE / totals[t]
    for k in range(n_components):
        _normalise(scores[k], totals, flush)


@kernel(fastmath=CONTRACT)
def keep_best(scores, ranked, carry):
    """Keep the best scores of each descriptor, and all equal to the last of these; set the other scores to −∞.

    scores (K, T) float32; ranked (best, T) float32 and carry (T,) float32, scratch. Unchecked: call expectation.expect.
    """
    ranked[:] = np.float32(-np.inf)
    for k in range(scores.shape[0]):
        carry[:] = scores[k]
        for j in range(ranked.shape[0]):
            _sink(carry, ranked[j])
    for k in range(scores.shape[0]):
        _drop_below(scores[k], ranked[-1])


@kernel(fastmath=CONTRACT)
def _raise(row, top):
    """Store the larger of ``row`` and ``top`` in ``top``, element by element; NaN stays NaN.

    row (T,) float32; top (T,) float32, updated.
    """
    for t in range(row.size):
        # np.maximum, because LLVM turns a comparison into masked stores, which are slow on AMD.
        top[t] = np.maximum(row[t], top[t])


@kernel(fastmath=CONTRACT)
def _exponentiate(row, top, totals):
    """Compute exp(row − top) in place, and add it to the totals.

    row (T,) float32, top (T,) float32 not below row; totals (T,) float32, updated.
    """
    for t in range(row.size):
        power = exponential(row[t] - top[t])
        row[t] = power
        totals[t] += power


@kernel(fastmath=CONTRACT)
def _normalise(row, factors, flush):
    """Multiply a row by factors in place; products below ``flush`` become 0.

    row (T,) float32, updated; factors (T,) float32.
    """
    for t in range(row.size):
        share = row[t] * factors[t]
        row[t] = share if share >= flush else ZERO


@kernel(fastmath=CONTRACT)
def _sink(carry, rank):
    """Do one step of a sorting network: the larger number stays in ``rank``, the smaller is carried on.

    carry (T,) float32 and rank (T,) float32, updated.
    """
    for t in range(carry.size):
        a, b = carry[t], rank[t]
        rank[t] = np.maximum(a, b)
        carry[t] = np.minimum(a, b)


@kernel(fastmath=CONTRACT)
def _drop_below(row, limits):
    """Set the numbers of a row that are below their limits to −∞.

    row (T,) float32, updated; limits (T,) float32.
    """
    for t in range(row.size):
        row[t] = row[t] if row[t] >= limits[t] else np.float32(-np.inf)


@kernel(fastmath=CONTRACT)
def exponential(x):
    """Compute exp(x) for x ≤ 0 in float32, relative error below 2e-7; exp(−87) below −87; NaN stays NaN.

    x = n·ln 2 + r with |r| ≤ ln(2) / 2, exp(x) = 2ⁿ·exp(r): a polynomial and the bits of 2ⁿ, which LLVM vectorises.
    """
    x = np.maximum(x, LOWEST)
    n = np.floor(x * LOG2_E + HALF)
    r = x - n * LN2_HIGH
    r = r - n * LN2_LOW
    power = (((C4 * r + C3) * r + C2) * r + C1) * r + C0
    power = power * r * r + r + ONE
    exponent = np.int32((np.int32(n) + np.int32(127)) << np.int32(23))
    return power * exponent.view(np.float32)
