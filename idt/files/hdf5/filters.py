"""Undo two HDF5 filters: deflate, whose streams end in a checksum (RFC 1950, Adler-32), and shuffle."""

import zlib

import numpy as np

from idt.files.hdf5.index import UnsupportedStructure


def inflated(data, size):
    """Return the content of a zlib stream, whose checksum zlib verifies.

    Parameters
    ----------
    data : bytes
    size : int
        Bytes that it must have.

    Raises
    ------
    UnsupportedStructure
        If it is damaged or has another size.
    """
    stream = zlib.decompressobj()
    try:
        found = stream.decompress(data, size + 1)
        if len(found) == size and not stream.eof:
            found += stream.decompress(stream.unconsumed_tail, 1)
    except zlib.error as problem:
        raise UnsupportedStructure(str(problem)) from None
    if len(found) != size or not stream.eof:
        raise UnsupportedStructure("a chunk unpacks to another size")
    return found


def unshuffled(data, itemsize):
    """Return the bytes of numbers of ``itemsize`` bytes, stored as byte planes in ``data``, lowest bytes first."""
    return np.frombuffer(data, np.uint8).reshape(itemsize, -1).T.tobytes()
