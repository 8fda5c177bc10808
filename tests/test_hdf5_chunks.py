"""`idt.files.hdf5.chunks`: shuffled chunks, deflated plane by plane, which HDF5 reads as its own."""

import zlib

import h5py
import numpy as np
import pytest

from idt.files.hdf5 import chunks as hdf5_chunks


def shuffled(values):
    """HDF5's shuffle filter: all first bytes of the little-endian numbers, then all second ones, and so on."""
    rows = [number.tobytes() for number in values.astype(values.dtype.newbyteorder("<")).ravel()]
    return b"".join(bytes(row[i] for row in rows) for i in range(values.itemsize))


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int32", "float32"])
@pytest.mark.parametrize("shape", [(1,), (7, 3), (64, 96)])
def test_a_chunk_is_the_zlib_stream_of_its_shuffled_bytes(dtype, shape):
    values = np.random.default_rng(0).integers(0, 200, shape).astype(dtype)
    packed = hdf5_chunks.deflate(values, hdf5_chunks.PLANES[values.itemsize])
    assert zlib.decompress(packed) == shuffled(values)


def test_a_plane_of_which_nothing_would_be_saved_is_stored_as_it_is():
    random = np.random.default_rng(0)
    even, few = (
        random.integers(0, 256, (1024, 96)).astype(np.uint8),
        random.integers(0, 16, (1024, 96)).astype(np.uint8),
    )
    for values, planes, as_it_is in ((even, (hdf5_chunks.ENTROPY,), True), (few, (hdf5_chunks.ENTROPY,), False)):
        packed = hdf5_chunks.deflate(values, planes)
        assert zlib.decompress(packed) == values.tobytes()
        # In stored blocks the bytes stand uncoded.
        assert (values.tobytes()[:1000] in packed) == as_it_is


@pytest.mark.parametrize("n", [1, 63, 64, 65, 200])
@pytest.mark.parametrize("inner", [(16, 2), (16, 1), (4, 1)])
def test_hdf5_reads_what_was_written_whatever_the_chunks(tmp_path, n, inner):
    values = np.random.default_rng(n).normal(size=(n, 16, 2)).astype(np.float32)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        dataset = hdf5_chunks.create(file, "a", shape=(16, 2), chunks=(64, *inner), dtype=np.float32)
        for first in range(0, n, 64):
            hdf5_chunks.write(dataset, first, values[first : first + 64])
    with h5py.File(tmp_path / "a.h5") as file:
        np.testing.assert_array_equal(file["a"], values)
        assert (file["a"].compression, file["a"].shuffle) == ("gzip", True)


def test_hdf5_may_append_to_what_was_written(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        dataset = hdf5_chunks.create(file, "a", shape=(), chunks=(8,), dtype=np.uint16)
        hdf5_chunks.write(dataset, 0, np.arange(5, dtype=np.uint16))
        dataset.resize(20, axis=0)
        dataset[5:] = np.arange(5, 20)
        np.testing.assert_array_equal(dataset, np.arange(20))


def test_a_chunk_that_was_never_written_reads_as_the_fill_value(tmp_path):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        dataset = hdf5_chunks.create(file, "a", shape=(2,), chunks=(4, 1), dtype=np.float32, fill=np.nan)
        dataset.resize(3, axis=0)
        hdf5_chunks.write_chunk(dataset, (0, 1), np.ones((3, 2), np.float32))
        np.testing.assert_array_equal(dataset, [[np.nan, 1]] * 3)


def test_zeros_beyond_the_last_row_cost_next_to_nothing(tmp_path):
    noise = np.random.default_rng(0).random((1, 96), dtype=np.float32)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        dataset = hdf5_chunks.create(file, "a", shape=(96,), chunks=(1024, 96), dtype=np.float32)
        hdf5_chunks.write(dataset, 0, noise)
        assert dataset.id.get_storage_size() < 4 * noise.nbytes
