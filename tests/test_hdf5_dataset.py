"""`idt.files.hdf5.dataset` and `hdf5_index`: what libhdf5 wrote is read without it, and nothing else."""

import zlib

import h5py
import numpy as np
import pytest

from idt.errors import DataError
from idt.files import hdf5, result_file
from tests.hdf5_files import fixed, opened

PACKED = {"compression": "gzip", "shuffle": True}


def both(path, values, rows=slice(None), **options):
    """The rows of a dataset as we read them, and as libhdf5 does."""
    with opened(path, "w") as file:
        made = file.create_dataset("a", data=values, **options)
        expected = made[rows]
    with hdf5.open_guarded(path) as file:
        return hdf5.dataset(file, "a", shape=(None,) * values.ndim, dtype=values.dtype.newbyteorder("="))[
            rows
        ], expected


# A table of chunks has one entry, an array, an array in pages of 1024, or blocks that grow.
@pytest.mark.parametrize("count", [1, 2, 4, 5, 20, 36, 70, 500, 1024, 1025, 3000])
@pytest.mark.parametrize("grows", [False, True])
@pytest.mark.parametrize("options", [PACKED, {}])
def test_the_chunks_of_every_table_are_found(tmp_path, count, grows, options):
    values = np.arange(count, dtype="u2")
    found, expected = both(tmp_path / "f.h5", values, chunks=(1,), maxshape=(None,) if grows else None, **options)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(("first", "last"), [(0, 0), (0, 7), (3, 4), (3, 50), (40, 99), (98, 99), (50, 20)])
@pytest.mark.parametrize("dtype", ["u1", "<i2", ">i2", "<f4", ">f8", "f2"])
def test_any_rows_of_any_numbers_are_read(tmp_path, first, last, dtype):
    values = np.random.default_rng(0).integers(0, 99, (99, 5, 3)).astype(dtype)
    found, expected = both(
        tmp_path / "f.h5", values, slice(first, last), chunks=(10, 2, 3), maxshape=(None, 5, 3), **PACKED
    )
    np.testing.assert_array_equal(found, expected)
    assert found.dtype.isnative


@pytest.mark.parametrize("options", [{}, {"chunks": (4,)}, {"chunks": (4,), "shuffle": True}])
def test_numbers_that_are_not_packed_are_read(tmp_path, options):
    found, expected = both(tmp_path / "f.h5", np.arange(10.0), slice(3, 9), **options)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("options", [{}, {"chunks": (4,)}, {"chunks": (10,), "maxshape": (None,), **PACKED}])
def test_numbers_that_were_never_written_are_the_fill_value(tmp_path, options):
    with opened(tmp_path / "f.h5", "w") as file:
        made = file.create_dataset("a", (10,), "f4", fillvalue=7, **options)
        if "compression" not in options:
            made.id.flush()
    with hdf5.open_guarded(tmp_path / "f.h5") as file:
        np.testing.assert_array_equal(hdf5.read(file, "a", shape=(10,), dtype=np.float32), np.full(10, 7))


def test_text_is_read_with_all_its_letters(tmp_path):
    with opened(tmp_path / "f.h5", "w") as file:
        file.create_dataset("a", data=fixed(["läuft", "", "winkt ♥"]), chunks=(2,), **PACKED)
    with hdf5.open_guarded(tmp_path / "f.h5") as file:
        assert hdf5.read(file, "a", shape=(None,), dtype=str) == ["läuft", "", "winkt ♥"]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (zlib.compress(bytes(39)), "unpacks to another size"),
        (zlib.compress(bytes(41)), "unpacks to another size"),
        (zlib.compress(b""), "unpacks to another size"),
        (zlib.compress(bytes(40))[:-1], "unpacks to another size"),
        (zlib.compress(bytes(40))[:-4] + b"abcd", "incorrect data check"),
        (b"no zlib", "incorrect header check"),
        (zlib.compress(bytes(5_000_000)), "more than the file can hold"),
    ],
)
def test_a_chunk_that_unpacks_to_anything_else_is_refused(tmp_path, data, words):
    with opened(tmp_path / "f.h5", "w") as file:
        file.create_dataset("a", (10,), "f4", chunks=(10,), **PACKED).id.write_direct_chunk((0,), data)
    with hdf5.open_guarded(tmp_path / "f.h5") as file, pytest.raises(DataError, match=words):
        hdf5.read(file, "a", shape=(10,), dtype=np.float32)


@pytest.mark.parametrize("mask", [1, 2, 3])
@pytest.mark.parametrize("grows", [None, (None,)])
def test_a_chunk_that_leaves_a_filter_out_is_refused(tmp_path, mask, grows):
    with opened(tmp_path / "f.h5", "w") as file:
        made = file.create_dataset("a", (10,), "f4", chunks=(10,), maxshape=grows, **PACKED)
        made.id.write_direct_chunk((0,), bytes(40), mask)
    with hdf5.open_guarded(tmp_path / "f.h5") as file, pytest.raises(DataError, match="a filter is left out"):
        hdf5.read(file, "a", shape=(10,), dtype=np.float32)


@pytest.mark.parametrize("options", [{"fletcher32": True}, {"compression": "lzf"}, {"scaleoffset": 2}])
def test_other_filters_are_refused(tmp_path, options):
    with pytest.raises(DataError, match="a filter that is not supported"):
        both(tmp_path / "f.h5", np.arange(10), chunks=(5,), **options)


@pytest.mark.parametrize("maxshape", [(None, None), (5, None), (5, 99)])
def test_tables_that_our_files_do_not_have_are_refused(tmp_path, maxshape):
    with pytest.raises(DataError, match="damaged and cannot be read"):
        both(tmp_path / "f.h5", np.ones((5, 4)), chunks=(1, 2), maxshape=maxshape, **PACKED)


def test_many_chunks_that_a_small_file_cannot_hold_are_refused(tmp_path):
    with opened(tmp_path / "f.h5", "w") as file:
        file.create_dataset("a", (2_000_000,), "u1", chunks=(1,), maxshape=(None,))
    with hdf5.open_guarded(tmp_path / "f.h5") as file, pytest.raises(DataError, match="more than the file can hold"):
        hdf5.dataset(file, "a", shape=(None,), dtype=np.uint8)


def test_rows_are_read_in_order_only(tmp_path):
    with pytest.raises(DataError, match="in one direction and without gaps"):
        both(tmp_path / "f.h5", np.arange(10), slice(None, None, 2))
    assert h5py.is_hdf5(tmp_path / "f.h5")


def test_columns_are_read_from_the_chunks_that_hold_them(tmp_path, monkeypatch):
    values = np.arange(20 * 50, dtype=np.float32).reshape(20, 50)
    with result_file.create(tmp_path / "f.h5", format="idt-test", version=1, params={}, source={}) as file:
        grown = result_file.growing_array(file, "x", shape=(50,), chunks=(8, 16), dtype="float32")
        grown.resize(20, axis=0)
        grown[:] = values
    with hdf5.open_checked(tmp_path / "f.h5", format="idt-test", versions=1) as file:
        stored = hdf5.dataset(file, "x", shape=(None, None), dtype=np.float32)
        for rows, columns in ((slice(None), slice(None)), (slice(3, 17), slice(15, 33)), (slice(8, 8), slice(0, 50))):
            np.testing.assert_array_equal(stored[rows, columns], values[rows, columns])
        unpacked = []
        chunk = stored._chunk
        monkeypatch.setattr(stored, "_chunk", lambda corner: unpacked.append(corner) or chunk(corner))
        np.testing.assert_array_equal(stored[0:9, 16:32], values[0:9, 16:32])
        assert unpacked == [(0, 16), (8, 16)]
        with pytest.raises(DataError, match="in one direction and without gaps"):
            stored[:, ::2]
