"""Normalisation of encoded vectors: powers and norms, row by row.

The standard recipe is `signed_power` and then `l2`, for each block by itself. A row of zeros (a video without tracks)
stays zero in all of them. Norms are summed in float64: a vector has up to a hundred thousand numbers.

Source: docs/method/encoding.md, section 7; Perronnin et al. 2010 (power), Arandjelović & Zisserman 2012 (RootL1), 2013
(intra).
"""

import numpy as np

from idt.checks import float_array, type_and_shape
from idt.errors import DataError


def signed_power(vectors, *, exponent=0.5):
    """Compute sign(v)·|v|^exponent of every number; 0.5 is the signed square root.

    Parameters
    ----------
    vectors : (n, m) or (m,) float32
    exponent : float
        In (0, 1]; 1 changes nothing.

    Returns
    -------
    float32 of the same shape

    Raises
    ------
    DataError
        If the numbers are not finite or the exponent is out of range.
    """
    vectors = _checked(vectors)
    if not 0 < exponent <= 1:
        raise DataError(f"exponent must be above 0 and at most 1, got {exponent!r}")
    size = np.abs(vectors)
    size = np.sqrt(size) if exponent == 0.5 else size ** np.float32(exponent)
    return np.copysign(size, vectors)


def l2(vectors):
    """Divide every row by its Euclidean length.

    Parameters
    ----------
    vectors : (n, m) or (m,) float32

    Returns
    -------
    float32 of the same shape
        Zero rows stay zero.

    Raises
    ------
    DataError
        If the numbers are not finite.
    """
    vectors = _checked(vectors)
    return _divided(vectors, np.sqrt(_sums_of_squares(vectors)))


def l1(vectors):
    """Divide every row by the sum of its absolute values.

    Parameters
    ----------
    vectors : (n, m) or (m,) float32

    Returns
    -------
    float32 of the same shape
        Zero rows stay zero.

    Raises
    ------
    DataError
        If the numbers are not finite.
    """
    vectors = _checked(vectors)
    return _divided(vectors, np.abs(vectors).sum(axis=-1, dtype=np.float64))


def root_l1(vectors):
    """Apply `l1`, then the signed square root: inner products of such rows are the Hellinger kernel.

    Parameters
    ----------
    vectors : (n, m) or (m,) float32

    Returns
    -------
    float32 of the same shape
        Zero rows stay zero.

    Raises
    ------
    DataError
        If the numbers are not finite.
    """
    return signed_power(l1(vectors))


def intra(vectors, *, size, start=0):
    """Divide every run of ``size`` numbers by its own Euclidean length, so that all components count alike.

    Parameters
    ----------
    vectors : (n, m) or (m,) float32
    size : int
        Length of a run: D for a Fisher vector (each u_k and each v_k) or VLAD.
    start : int
        Column of the first run; columns before it stay as they are. It is K − 1 for a Fisher vector with zero order.

    Returns
    -------
    float32 of the same shape
        Zero runs stay zero.

    Raises
    ------
    DataError
        If the numbers are not finite, or no whole number of runs fits.
    """
    vectors = _checked(vectors)
    columns = vectors.shape[-1]
    if size < 1 or not 0 <= start <= columns or (columns - start) % size:
        raise DataError(f"rows of {columns} numbers from column {start} hold no whole runs of size={size}")
    out = vectors.copy()
    runs = out[..., start:].reshape(*vectors.shape[:-1], -1, size)
    out[..., start:] = l2(runs.reshape(-1, size)).reshape(out[..., start:].shape)
    return out


def normalize_block(vector, *, power=1.0, run=None, start=0, norm="l2"):
    """Normalise one block: power, intra-normalisation, norm.

    Parameters
    ----------
    vector : (m,) float32
    power : float
        Exponent of `signed_power`.
    run, start : int, optional
        Size and start of `intra`; by default there is no intra-normalisation.
    norm : str
        ``"l2"``, ``"l1"``, ``"rootl1"`` or ``"none"``.

    Returns
    -------
    (m,) float32
        A zero vector stays zero.

    Raises
    ------
    DataError
        If the numbers are not finite, or the norm is unknown.

    Notes
    -----
    docs/method/encoding.md, section 7.
    """
    if norm not in NORMS:
        raise DataError(f"norm must be one of {', '.join(NORMS)}, got {norm!r}")
    vector = signed_power(vector, exponent=power)
    if run is not None:
        vector = intra(vector, size=run, start=start)
    return NORMS[norm](vector)


def _checked(vectors):
    """Return the vectors as finite float32 rows, or refuse them."""
    shape = np.shape(vectors)
    if len(shape) not in (1, 2):
        raise DataError(f"vectors must be rows (n, m) or one row (m,), got {type_and_shape(np.asarray(vectors))}")
    return float_array(vectors, (None,) * len(shape), "vectors")


def _sums_of_squares(vectors):
    """Compute the sum of squares of every row in float64, without a float64 copy of them all."""
    return np.einsum("...i,...i->...", vectors, vectors, dtype=np.float64)


def _divided(vectors, divisors):
    """Divide rows by their divisors; rows with divisor 0 are zero and stay so."""
    divisors = np.where(divisors > 0, divisors, 1.0)[..., None]
    # Divide in float64, number by number, because the inverse of a very small length overflows float32.
    return np.divide(vectors, divisors, out=np.empty_like(vectors), dtype=np.float64, casting="same_kind")


NORMS = {"l2": l2, "l1": l1, "rootl1": root_l1, "none": _checked}
