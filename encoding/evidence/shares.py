"""Shares of tracks: the number that each track adds to a linear score.

The vector g = Σ_t g_t of a block and pyramid cell is normalised to v. A score is w·v + b. Column d of v is divided
among the tracks in proportion to their terms, so that track t adds

    a_t = Σ_d w_d v_d g_{t,d} / g_d,

where columns with g_d = 0 add nothing. Then Σ_t a_t over all blocks and cells is the score without its bias, whatever
the normalisation is. Columns whose terms cancel give large shares of both signs, so a picture shows sums over
neighbourhoods. Gradient × input is not offered: v does not change when g is scaled, and therefore the sum of
gradient × input is zero.

Source: docs/method/encoding.md, section 17.
"""

from typing import NamedTuple

import numpy as np

from encoding.coders.pyramid import Pyramid
from encoding.encode import layout_of, width_of
from encoding.evidence.terms import terms_of
from encoding.evidence.tracks_read import pyramid_parts
from idt.checks import float_array, type_and_shape
from idt.errors import DataError


class Shares(NamedTuple):
    """Numbers that tracks add to a score.

    Attributes
    ----------
    values : (n, b) float64
        Share of each track and block.
    blocks : list of str
    total : float
        w·v, the score without its bias. ``values`` sum to it.
    """

    values: np.ndarray
    blocks: list[str]
    total: float


def track_shares(tracks, codebook, params, weights, *, threads=1):
    """Divide a linear score among the tracks of the video.

    Parameters
    ----------
    tracks : ProjectedTracks
        As from `encoding.evidence.tracks_read.read_tracks`.
    codebook : Codebook
    params : BlockParams
        As from `Codebook.params_with`.
    weights : (d,) float
        One weight for each column of a vector: the weights of a class, or their difference from another class's.
    threads : int
        The result does not depend on it.

    Returns
    -------
    Shares

    Raises
    ------
    DataError
        If the encoding has no shares (`encoding.evidence.terms.terms_of`), or ``weights`` are not finite
        or of another length.

    Notes
    -----
    docs/method/encoding.md, section 17.
    """
    weights = np.asarray(float_array(weights, (None,), "weights"), np.float64)
    columns = width_of(layout_of(codebook, params))
    if len(weights) != columns:
        raise DataError(
            f"weights must be {columns} numbers, one for each column of a vector, got {type_and_shape(weights)}"
        )
    parts, cells = pyramid_parts(tracks, params), len(Pyramid.parse(params.pyramid).names())
    values, total, first = np.zeros((len(tracks), len(codebook.blocks))), 0.0, 0
    for number, (block, rows) in enumerate(zip(codebook.blocks, tracks.rows, strict=True)):
        terms, size = terms_of(block.coder, params), block.coder.size(params)
        for cell in range(cells):
            chosen = np.sort(np.concatenate([np.zeros(0, np.int64), *(p.rows for p in parts if cell in p.cells)]))
            cell_weights = weights[first : first + size]
            first += size
            if not len(chosen):
                continue
            inside = rows[chosen]
            codes = block.coder.code(inside, params, None)
            vector = block.coder.vector(block.coder.sum_codes(codes, params, threads), params).astype(np.float64)
            raw = terms.summed(inside)
            total += float(cell_weights @ vector)
            coefficients = np.divide(cell_weights * vector, raw, out=np.zeros(size), where=raw != 0)
            values[chosen, number] += terms.dotted(inside, coefficients)
    return Shares(values, [block.name for block in codebook.blocks], total)
