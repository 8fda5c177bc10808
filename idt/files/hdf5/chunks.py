"""Write shuffled and deflated chunks of an HDF5 dataset; each byte plane is deflated in the way that suits it.

HDF5's shuffle filter turns the bytes of a chunk's numbers into planes: all lowest bytes, then all second ones, and so
on. Its gzip filter then searches every plane for repetitions, but most planes have none. Here each plane is deflated
with the strategy that suits it. The pieces are joined into one ordinary zlib stream, which any HDF5 library reads
through its own two filters. zlib releases the interpreter lock meanwhile.

Deflate: RFC 1951; the joint of two pieces is zlib's full flush. The stream around it: RFC 1950.
"""

import zlib

import h5py
import numpy as np

# Level and strategy of zlib.
STORED = (0, zlib.Z_DEFAULT_STRATEGY)
ENTROPY = (1, zlib.Z_HUFFMAN_ONLY)
RUNS = (1, zlib.Z_RLE)
REPEATS = (1, zlib.Z_DEFAULT_STRATEGY)

PLANES = {
    1: (RUNS,),
    # Histograms in fixed point: the low byte has a distribution but no order, the high one is mostly zero.
    2: (ENTROPY, RUNS),
    # float32: two bytes of the mantissa, which are noise; its rest, which neighbouring points share; the exponent.
    4: (STORED, STORED, REPEATS, RUNS),
}
"""How each plane of a whole chunk is deflated, lowest byte first, by the size of a number."""


def new_file(path):
    """Create a file for writing that must not exist yet.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    h5py.File

    Raises
    ------
    OSError
        If it exists already, or cannot be made.
    """
    return h5py.File(path, "x")


def create(group, name, *, shape, chunks, dtype, fill=0):
    """Make an empty dataset that grows along its first axis and takes chunks from `write`.

    Parameters
    ----------
    group : h5py.Group
    name : str
    shape : tuple of int
        Of one row, that is without the first axis.
    chunks : tuple of int
        Rows of a chunk, then its size along the axes of ``shape``, which must be multiples of it.
    dtype : dtype
        Of 1, 2 or 4 bytes.
    fill : number
        Value of elements in chunks that were never written.

    Returns
    -------
    h5py.Dataset
        Declared as shuffled and deflated in HDF5, so that a writer without `write` can append to it.
    """
    return group.create_dataset(
        name,
        shape=(0, *shape),
        maxshape=(None, *shape),
        chunks=chunks,
        # Little-endian on any machine, so that plane i holds byte i of the numbers.
        dtype=np.dtype(dtype).newbyteorder("<"),
        shuffle=True,
        compression="gzip",
        compression_opts=1,
        fillvalue=fill,
    )


def write(dataset, first, rows):
    """Write a range of rows, chunk by chunk.

    Parameters
    ----------
    dataset : h5py.Dataset
        As from `create`; grown as needed.
    first : int
        First row: a multiple of the rows of a chunk.
    rows : ndarray
        Of the dataset's dtype. Only the last chunk of the dataset may be incomplete.
    """
    if len(dataset) < first + len(rows):
        dataset.resize(first + len(rows), axis=0)
    height, *inner = dataset.chunks
    for row in range(0, len(rows), height):
        for corner in np.ndindex(*(size // step for size, step in zip(rows.shape[1:], inner, strict=True))):
            write_chunk(dataset, (first + row, *(i * step for i, step in zip(corner, inner, strict=True))), rows, row)


def write_chunk(dataset, offset, rows, row=0):
    """Write one chunk of ``dataset`` at ``offset`` from ``rows``, beginning at ``row``; missing rows become zero."""
    height, *inner = dataset.chunks
    columns = tuple(slice(start, start + step) for start, step in zip(offset[1:], inner, strict=True))
    part = rows[(slice(row, row + height), *columns)]
    planes = PLANES[rows.itemsize]
    if part.size == len(part):
        # A column with one number a row, such as frame, scale or time: neighbouring rows often have the same number.
        planes = (RUNS,) * rows.itemsize
    if len(part) < height:
        # HDF5 keeps whole chunks; as runs, the zeros beyond the last row cost next to nothing.
        part = np.concatenate([part, np.zeros((height - len(part), *inner), rows.dtype)])
        planes = (RUNS,) * rows.itemsize
    dataset.id.write_direct_chunk(offset, deflate(part, planes))


def deflate(values, planes):
    """Shuffle and deflate an array of 1-, 2- or 4-byte numbers.

    Parameters
    ----------
    values : ndarray
    planes : sequence of (int, int)
        Level and strategy of zlib for each plane, lowest byte first.

    Returns
    -------
    bytes
        A zlib stream of the planes, as HDF5's shuffle and deflate filters would read it.
    """
    numbers = np.ascontiguousarray(values).reshape(-1).view(f"u{values.itemsize}")
    shuffled = np.empty((values.itemsize, numbers.size), np.uint8)
    pieces = [b"\x78\x01"]  # deflate with a 32 KB window, no dictionary, fastest
    for i, (level, strategy) in enumerate(planes):
        np.right_shift(numbers, 8 * i, out=shuffled[i], casting="unsafe")
        stream = zlib.compressobj(level, zlib.DEFLATED, -15, 9, strategy)
        pieces.append(stream.compress(shuffled[i]))
        pieces.append(stream.flush(zlib.Z_FINISH if i == values.itemsize - 1 else zlib.Z_FULL_FLUSH))
    pieces.append(zlib.adler32(shuffled.data).to_bytes(4, "big"))
    return b"".join(pieces)
