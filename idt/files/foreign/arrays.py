"""NumPy arrays in pickles: the names that such pickles use, and our replacement for each.

A dtype is made from its type string, such as ``f4``, and its byte order alone. The rest of its state, which NumPy would
trust, is not used. An array is refused unless it has exactly the bytes or the list items that its shape needs.

Source: what `numpy.ndarray.__reduce__` writes. The module ``numpy._core`` is named ``numpy.core`` in NumPy before 2.
"""

import math
import re
from typing import Literal

import numpy as np

from idt.errors import DataError, short_repr
from idt.files.foreign import npy
from idt.files.foreign.pickle_types import Unbuilt

DTYPE = re.compile(r"[|<>=]?(?:f[248]|[iu][1248]|b1|O8?|[US][1-9]\d{0,5})")
"""Dtypes that are read: real numbers, truth values, text, and objects, which are values of the pickle."""

DIMENSIONS = 32
"""Largest number of dimensions of an array."""


def checked_shape(shape, itemsize=1):
    """Check a ``shape`` from a file; return its number of elements, which have ``itemsize`` bytes each.

    Raises
    ------
    ValueError
        If it is no shape, or has more than 2^62 bytes.
    """
    if not isinstance(shape, tuple) or len(shape) > DIMENSIONS:
        raise ValueError("an array has no shape")
    if not all(type(size) is int and 0 <= size < 1 << 62 for size in shape):
        raise ValueError("an array has no shape")
    count = math.prod(shape)
    # A size of zero does not help: NumPy multiplies the other sizes, and their product must not overflow.
    if math.prod(size or 1 for size in shape) * itemsize >= 1 << 62:
        raise ValueError("an array is larger than any file")
    return count


def array_of(machine, data, dtype, shape, fortran):
    """Make an array.

    Parameters
    ----------
    machine : idt.files.foreign.pickles.Machine
    data : bytes, str or list
        Bytes of the numbers; a str in pickles of Python 2; a list for arrays of objects.
    dtype : dtype or Unbuilt
    shape : tuple of int
    fortran : bool

    Returns
    -------
    ndarray
        An array of numbers is read-only.

    Raises
    ------
    ValueError
        If ``data`` has another length than the shape needs, or ``dtype`` is no dtype.
    """
    dtype = getattr(dtype, "dtype", dtype)
    if not isinstance(dtype, np.dtype):
        raise ValueError("an array has no dtype")
    count = checked_shape(shape, dtype.itemsize)
    order: Literal["F", "C"] = "F" if fortran else "C"
    if dtype.hasobject:
        if not isinstance(data, list) or len(data) != count:
            raise ValueError(f"an array of shape {shape} does not hold {count} values")
        machine.budget.take(8 * count)
        found = np.empty(count, object)
        for i, value in enumerate(data):
            found[i] = value
        return found.reshape(shape, order=order)
    if isinstance(data, str):
        data = data.encode("latin1")
    if not isinstance(data, bytes) or len(data) != count * dtype.itemsize:
        raise ValueError(f"an array of shape {shape} does not hold {count} numbers")
    machine.budget.take(len(data))
    if not count:
        return np.empty(shape, dtype)
    values = np.frombuffer(data, dtype)
    if dtype.kind == "U" and not npy.is_text(values):
        raise ValueError("an array of text holds invalid characters")
    return values.reshape(shape, order=order)


class UnbuiltDtype(Unbuilt):
    """A dtype whose byte order follows in the pickle.

    Parameters
    ----------
    dtype : dtype
    """

    def __init__(self, dtype):
        super().__init__(self._with_order)
        self.dtype = dtype

    def _with_order(self, machine, state):
        # The state is version, byte order, base dtype, names, fields, and sizes.
        order = state[1]
        if not isinstance(order, str) or order not in "<>=|" or state[2] is not None or state[4] is not None:
            raise ValueError("a dtype has fields")
        return self.dtype.newbyteorder(order)


def _dtype(machine, text, *_):
    if not isinstance(text, str) or not DTYPE.fullmatch(text):
        raise DataError(f"{machine.name} holds an array of {short_repr(text)}, expected numbers, text or objects")
    return UnbuiltDtype(np.dtype(text))


def _reconstruct(machine, *_):
    def build(machine, state):
        _, shape, dtype, fortran, data = state
        return array_of(machine, data, dtype, shape, bool(fortran))

    return Unbuilt(build)


def _scalar(machine, dtype, data=None):
    return array_of(machine, data, dtype, (), False)[()]


def _from_buffer(machine, data, dtype, shape, order):
    return array_of(machine, data, dtype, shape, order == "F")


def _encode(machine, text, encoding):
    """Return the bytes that protocol 2 writes as text."""
    if not isinstance(text, str) or encoding != "latin1":
        raise ValueError(f"text is encoded as {short_repr(encoding)}")
    machine.budget.take(len(text))
    return text.encode("latin1")


def _empty_bytes(machine):
    """Return empty bytes, which pickles of protocol 2 write as a call without arguments."""
    return b""


def _ordered_dict(machine, pairs=()):
    """Make an ordered dict, from pairs in Python 2."""
    if pairs != () and not (isinstance(pairs, list) and all(isinstance(pair, list) for pair in pairs)):
        raise ValueError("an ordered dict is not made of pairs")
    machine.push({})
    machine.set_items([each for key, value in pairs for each in (key, value)])
    return machine.pop()


CALLS = {
    ("_codecs", "encode"): _encode,
    ("builtins", "bytes"): _empty_bytes,
    ("__builtin__", "bytes"): _empty_bytes,
    ("collections", "OrderedDict"): _ordered_dict,
    ("numpy", "dtype"): _dtype,
    # Only handed to _reconstruct.
    ("numpy", "ndarray"): None,
    **{
        (f"{core}.{module}", name): call
        for core in ("numpy.core", "numpy._core")
        for module, name, call in (
            ("multiarray", "_reconstruct", _reconstruct),
            ("multiarray", "scalar", _scalar),
            ("numeric", "_frombuffer", _from_buffer),
        )
    },
}
"""Module and name → the function that is called in its place, or None if the name is never called."""
