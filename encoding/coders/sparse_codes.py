"""Simultaneous orthogonal matching pursuit: sparse codes with one shared support per group of tracks.

The atoms a are the words of a codebook, each divided by its length. For a group of descriptors x with residuals r = x,

1. the atom with the largest Σ |⟨r, a⟩| over the group joins the support,
2. the codes are the least-squares coefficients of the x on the support, r = x − Σ c·a,

until the support is full or the residuals are zero. A group is the tracks of one frame step and scale that end in the
same slice of L frames. A descriptor without a track is a group of its own, for which this is orthogonal matching
pursuit.

The residuals themselves are not computed. With the Gram matrix G of the atoms, ⟨r, a_j⟩ = ⟨x, a_j⟩ − Σ c_i G_ij over
the support. The coefficients come from a Cholesky factor of G on the support, which grows by a row with each atom
(Rubinstein et al. 2008, "Batch OMP").

Source: docs/method/encoding.md, section 9; Tropp, Gilbert & Strauss, Signal Processing 2006.
"""

import numpy as np
from scipy import sparse
from scipy.linalg import solve_triangular

from encoding.descriptors.track_columns import TrackColumns
from idt.checks import float_array
from idt.errors import DataError
from idt.workers.blas import one_blas_thread, product

# Share of a group's energy below which its residuals count as zero: the rounding of float32.
EXPLAINED = 1e-10
# An atom counts as a combination of the atoms of the support if its component orthogonal to them has a squared length
# below this.
DEPENDENT = 1e-6


class Dictionary:
    """Atoms of unit length.

    Parameters
    ----------
    words : (K, D) float32
        A word of zeros is never chosen.
    """

    def __init__(self, words):
        words = float_array(words, (None, None), "words")
        lengths = np.linalg.norm(words.astype(np.float64), axis=1)
        self.atoms = (words / np.where(lengths > 0, lengths, 1)[:, None]).astype(np.float32)
        self._gram = product(self.atoms, self.atoms.T)

    def codes(self, rows, groups, *, atoms=10):
        """Compute the sparse codes of descriptors.

        Parameters
        ----------
        rows : (n, D) float32
        groups : list of (m,) int
            Rows of each group; every row is in one group.
        atoms : int
            Largest number of atoms of a support.

        Returns
        -------
        (n, K) csr_array of float32

        Raises
        ------
        DataError
            If descriptors are not finite or of another width.
        """
        rows = float_array(rows, (None, self.atoms.shape[1]), "descriptors")
        with one_blas_thread():
            found = [self._group_codes(rows[group], atoms) for group in groups]
        places = [np.repeat(group, len(support)) for group, (support, _) in zip(groups, found, strict=True)]
        words = [np.tile(support, len(group)) for group, (support, _) in zip(groups, found, strict=True)]
        values = [codes.ravel() for _, codes in found]
        none = np.empty(0, np.int64)
        return sparse.csr_array(
            (
                np.concatenate([none, *values]).astype(np.float32),
                (np.concatenate([none, *places]), np.concatenate([none, *words])),
            ),
            (len(rows), len(self.atoms)),
        )

    def _group_codes(self, rows, most):
        """Compute the support (s,) int and the codes (n, s) float64 of one group."""
        start = rows @ self.atoms.T
        energy = np.einsum("ij,ij->", rows, rows, dtype=np.float64)
        support: list[int] = []
        codes, left, correlations = np.empty((len(rows), 0)), energy, start
        factor = np.zeros((most, most))
        # y solves L y = the correlations on the support, so |x|² − |y|² is the energy of the residuals.
        solved = np.empty((len(rows), most))
        while len(support) < most and left > EXPLAINED * energy:
            s = len(support)
            strength = np.abs(correlations).sum(axis=0, dtype=np.float64)
            strength[support] = -1
            atom = int(strength.argmax())
            if strength[atom] <= 0:
                break
            products = self._gram[support, atom].astype(np.float64)
            row = solve_triangular(factor[:s, :s], products, lower=True) if s else products
            orthogonal = float(self._gram[atom, atom]) - float((row * row).sum())
            if orthogonal < DEPENDENT:
                break
            factor[s, :s], factor[s, s] = row, np.sqrt(orthogonal)
            solved[:, s] = (start[:, atom] - (solved[:, :s] * row).sum(axis=1)) / factor[s, s]
            left -= float((solved[:, s] ** 2).sum())
            support.append(atom)
            codes = solve_triangular(factor[: s + 1, : s + 1], solved[:, : s + 1].T, lower=True, trans="T").T
            if len(support) < most:
                correlations = start - codes.astype(np.float32) @ self._gram[support]
        return np.array(support, np.int64), codes


def groups_of(tracks, n):
    """Group tracks of one frame step and scale that end in the same slice of L frames.

    Parameters
    ----------
    tracks : TrackColumns or None
        None for plain arrays.
    n : int
        Number of descriptors.

    Returns
    -------
    list of (m,) int
        Rows of each group. Without tracks each descriptor is a group.
    """
    if tracks is None or tracks.frame is None:
        return [np.array([i]) for i in range(n)]
    keys = np.column_stack([tracks.frame // tracks.length, tracks.skip, tracks.scale])
    _, owner = np.unique(keys, axis=0, return_inverse=True)
    owner = owner.ravel()
    order = np.argsort(owner, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(owner[order])) + 1) if n else []


def whole_slices(parts, label):
    """Regroup consecutive parts of a video so that none ends within a slice of L frames.

    Parameters
    ----------
    parts : iterable of (rows, TrackColumns)
        In the order of the tracks' ending frames.
    label : str
        Name of the video in messages.

    Yields
    ------
    (rows, TrackColumns)

    Raises
    ------
    DataError
        If the tracks are in another order.
    """
    held: list = []
    last = -1
    for rows, tracks in parts:
        number = tracks.frame // tracks.length
        if len(number) and (number[0] < last or (np.diff(number) < 0).any()):
            raise DataError(f"tracks of {label} must be in the order of their ending frames for groups of them to form")
        if not len(number):
            continue
        if number[0] > last and held:
            yield _joined(held)
            held = []
        last = int(number[-1])
        cut = int(np.searchsorted(number, last))
        if cut:
            yield _joined([*held, (rows[:cut], tracks.take(slice(0, cut)))])
            held = []
        held.append((rows[cut:], tracks.take(slice(cut, None))))
    if held:
        yield _joined(held)


def _joined(parts):
    """Join batches, one after the other."""
    if len(parts) == 1:
        return parts[0]
    return np.concatenate([rows for rows, _ in parts]), TrackColumns.joined([tracks for _, tracks in parts])
