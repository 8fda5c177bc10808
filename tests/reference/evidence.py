"""Evidence by its definitions: each track's own vector written down, and each cell left out of the rows."""

import numpy as np

from tests.reference import bovw, fisher, vlad


def fisher_terms(rows, block, *, orders=("first", "second"), best=None):
    """The Fisher vector of each track by itself, divided by the number of tracks, (n, m)."""
    return np.array(
        [
            fisher.fisher_vector(
                row[None], block["means"], block["variances"], block["weights"], orders=orders, best=best
            )
            for row in rows
        ]
    ) / len(rows)


def vlad_terms(rows, block):
    """The VLAD of each track by itself, (n, m)."""
    return np.array([vlad.vlad(row[None], block["centres"]).ravel() for row in rows])


def hard_terms(rows, block):
    """The word of each track, (n, K)."""
    return bovw.hard_codes(rows, block["centres"])


def shares(terms, vector, weights):
    """a_t = Σ_d w_d v_d g_td / g_d, number by number; ``vector`` is the normalised one."""
    raw = terms.sum(axis=0)
    out = np.zeros(len(terms))
    for t, own in enumerate(terms):
        for d in np.flatnonzero(raw):
            out[t] += weights[d] * vector[d] * own[d] / raw[d]
    return out


def losses(vector_of, position, middle, weights, *, grid, length):
    """Score less that of the other tracks, for each (column, row, slice) with tracks; ``vector_of(mask)`` encodes."""
    everything = np.ones(len(position), bool)
    cells: dict = {}
    for t, (x, y) in enumerate(np.asarray(position)[:, :2]):
        cell = (int(x * grid[0]), int(y * grid[1]), int(middle[t] // length))
        cells.setdefault(cell, everything.copy())[t] = False
    whole = weights @ vector_of(everything)
    return {cell: whole - weights @ vector_of(kept) for cell, kept in cells.items()}
