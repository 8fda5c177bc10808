"""Checks of arrays that a caller passes in: dtype, shape, finiteness, contiguity."""

import numpy as np

from idt.errors import DataError, short_repr
from idt.params.bounds import SEED


def type_and_shape(value):
    """Describe ``value`` for an error message, in one line: ``float64 of shape (240, 320, 3)``."""
    if isinstance(value, np.ndarray):
        return f"{value.dtype} of shape {value.shape}"
    return f"{type(value).__name__} {short_repr(value)}"


def gray_image(value, name="gray"):
    """Return ``value`` as a C-contiguous (H, W) uint8 image; refuse anything else, calling it ``name``.

    A non-contiguous image is copied. An image of another dtype or with channels is refused, because its conversion
    would lose information.

    Raises
    ------
    DataError
        If ``value`` is not a non-empty 2-D uint8 array.
    """
    if not (isinstance(value, np.ndarray) and value.ndim == 2 and value.dtype == np.uint8 and value.size):
        raise DataError(f"{name} must be a 2-D uint8 image, got {type_and_shape(value)}")
    return np.ascontiguousarray(value)


def float_array(value, shape, name, dtype=np.float32):
    """Return ``value`` as a C-contiguous finite array of ``dtype``; refuse anything else, calling it ``name``.

    A None in ``shape`` stands for any length.

    Raises
    ------
    DataError
        If the shape differs, the dtype is not real, or a number is not finite.
    """
    array = np.asarray(value)
    fits = len(shape) == array.ndim
    for want, have in zip(shape, array.shape, strict=False):
        fits = fits and want in (None, have)
    if not fits or array.dtype.kind not in "fiu":
        wanted = "(" + ", ".join("n" if want is None else str(want) for want in shape) + ")"
        raise DataError(f"{name} must be real numbers of shape {wanted}, got {type_and_shape(array)}")
    if array.dtype == dtype:
        array = np.ascontiguousarray(array)
    else:
        # A number beyond float32 becomes infinite and is refused below, so NumPy need not warn of it.
        with np.errstate(over="ignore", invalid="ignore"):
            array = np.ascontiguousarray(array, dtype)
    # `count_nonzero` is faster than `all` on small arrays.
    bad = array.size - np.count_nonzero(np.isfinite(array))
    if bad:
        raise DataError(f"{name} must be finite, got {bad} NaN or infinite numbers")
    return array


def checked_range(values, least, most, name):
    """Return the array ``values`` if all are finite and from ``least`` to ``most``; else refuse them as ``name``.

    Raises
    ------
    DataError
        If a number lies outside or is NaN.
    """
    if values.size and not (values.min() >= least and values.max() <= most):  # false for NaN
        raise DataError(
            f"{name} must be finite, from {least:g} to {most:g}, got {values.min():.4g} to {values.max():.4g}"
        )
    return values


def checked_points(value, name):
    """Return ``value`` if it is a C-contiguous (n, 2) float32 array; refuse anything else, calling it ``name``.

    Finiteness is not checked, because the check would take longer than the work on a few points.

    Raises
    ------
    DataError
        If it is no such array.
    """
    fits = isinstance(value, np.ndarray) and value.dtype == np.float32 and value.shape == (len(value), 2)
    if not (fits and value.flags.c_contiguous):
        raise DataError(f"{name} must be contiguous float32 of shape (n, 2), got {type_and_shape(value)}")
    return value


def positive_integer(value, name):
    """Return ``value`` if it is an integer of at least 1; refuse anything else, calling it ``name``.

    Raises
    ------
    DataError
        If it is anything else.
    """
    if not isinstance(value, int | np.integer) or isinstance(value, bool) or value < 1:
        raise DataError(f"{name} must be an integer of at least 1, got {short_repr(value)}")
    return int(value)


def checked_seed(value, name="random_state", *, most=SEED.high):
    """Return ``value`` if it is an integer up to ``most`` that can seed a random generator; else refuse it.

    Messages call it ``name``.

    Raises
    ------
    DataError
        If it is anything else. None is refused, too, because a call without a seed would not be repeatable.
    """
    if not isinstance(value, int | np.integer) or isinstance(value, bool) or not 0 <= value <= most:
        raise DataError(
            f"{name} must be an integer from 0 to {most}, got {short_repr(value)}; equal calls give equal numbers"
            " only with a fixed seed"
        )
    return int(value)
