"""Matrices that strangers saved with ``numpy.save``: the header is looked at before anything is read.

Only arrays of real numbers and booleans are read: no pickled objects, no records, no archives. numpy reads the header,
of some hundred bytes at most, as literals that it never evaluates; a shape that the file cannot hold is refused before
memory is asked for.

Source: NEP 1, "A simple file format for NumPy arrays".
"""

import math
import os

import numpy as np

from idt.errors import DataError, one_line
from idt.files import text as texts

LONGEST = 1 << 10
"""Characters of a header; one of a matrix has 118."""

_READERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}
"""By version; a third one is for names of columns."""


def load(path):
    """Read a matrix.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    ndarray
        Of floats, integers or booleans, of any number of dimensions up to 32.

    Raises
    ------
    DataError
        If it is no such file, or holds less than its header says.
    OSError
        If it does not exist or cannot be read.
    """
    with texts.opened(path) as file:
        shape, fortran, dtype = _header(path, file)
        if dtype.kind not in "fiub":
            raise DataError(f"{path} must hold real numbers, got dtype {dtype}; pickled objects are not read")
        count, left = math.prod(shape), os.fstat(file.fileno()).st_size - file.tell()
        if not 0 <= count * dtype.itemsize <= left or min(shape, default=0) < 0 or len(shape) > 32:
            raise DataError(f"{path} claims to hold {dtype} of shape {shape!s:.60}, of which {left} bytes are there")
        values = np.fromfile(file, dtype, count)
        if len(values) < count:
            raise DataError(f"{path} became shorter while it was read")
    return values.reshape(shape, order="F" if fortran else "C")


def _header(path, file):
    """The shape, whether the first index runs fastest, and the dtype."""
    if file.read(2) == b"PK":
        raise DataError(f"{path} is not a matrix saved by numpy.save, but an archive of several; save it alone")
    file.seek(0)
    try:
        return _READERS[np.lib.format.read_magic(file)](file, max_header_size=LONGEST)
    except Exception as problem:  # whatever Python's parser makes of it
        reason = one_line(str(problem) or type(problem).__name__, 120)
        raise DataError(f"{path} is not a matrix saved by numpy.save ({reason}); save it anew") from None
