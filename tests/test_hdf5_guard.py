"""`idt.files.hdf5_guard`: broken heaps of text are refused before HDF5 walks through them for ever."""

import os
import struct

import h5py
import numpy as np
import pytest

from idt.errors import DataError
from idt.files import hdf5
from idt.files.hdf5_guard import HEADER, SMALLEST, WatchedFile


def heap(*objects, size=SMALLEST, free=None):
    """A heap of objects (index, length), with what is free behind them."""
    data = bytearray(b"GCOL\x01\0\0\0" + size.to_bytes(8, "little"))
    for index, length in objects:
        data += struct.pack("<HHIQ", index, 1, 0, length) + bytes(-(-min(length, 99) // 8) * 8)
    data += struct.pack("<HHIQ", 0, 0, 0, size - len(data) if free is None else free)
    return bytes(data.ljust(size, b"\0"))


def read(path, first=0, size=-1):
    with WatchedFile(path) as file:
        file.seek(first)
        return file.read(size)


def test_a_sound_heap_is_read_wherever_it_lies(tmp_path):
    path = tmp_path / "f"
    path.write_bytes(bytes(179) + heap((1, 5), (2, 16)) + bytes(50))
    assert read(path) == path.read_bytes()
    assert read(path, 100, 200) == path.read_bytes()[100:300]
    with WatchedFile(path) as file:
        assert (file.readable(), file.seekable(), file.seek(-3, os.SEEK_END), file.tell()) == (
            True, True, path.stat().st_size - 3, path.stat().st_size - 3,
        )  # fmt: skip


@pytest.mark.parametrize(
    "broken",
    [
        heap(free=0),
        heap((1, 5), free=0),
        heap((1, 2**64 - 16)),
        heap((1, 2**64 - 24)),
        heap((1, 5000)),
        heap(free=2**63),
        heap((1, 5), free=SMALLEST),
    ],
)
@pytest.mark.parametrize("cut", [0, 1, 3, 4, HEADER])
def test_a_heap_that_leads_nowhere_is_refused_however_it_is_read(tmp_path, broken, cut):
    path = tmp_path / "f"
    path.write_bytes(bytes(64) + broken)

    def in_pieces():
        return [read(path, 64, cut), read(path, 64 + cut)]

    with pytest.raises(DataError, match=r"f is damaged.*a heap of text is broken"):
        in_pieces()
    assert read(path, 0, 64) == bytes(64)


def test_numbers_that_look_like_a_heap_are_numbers(tmp_path):
    for data in (b"GCOL\x01", b"GCOL\x01" + bytes(5000), b"GCOL\x01\0\0\0" + b"\xff" * 5000, b"GCOL\x02" * 1000):
        (tmp_path / "f").write_bytes(data)
        assert read(tmp_path / "f") == data


def test_hdf5_itself_would_walk_for_ever_and_is_not_let(tmp_path):
    path = tmp_path / "f.h5"
    with h5py.File(path, "w", libver=("v110", "v110")) as file:
        file.attrs["text"] = "x"
        file["numbers"] = np.arange(1000)
    data = bytearray(path.read_bytes())
    start = data.index(b"GCOL")
    data[start + HEADER : start + SMALLEST] = bytes(SMALLEST - HEADER)
    path.write_bytes(data)
    with hdf5.open_watched(path) as file:
        np.testing.assert_array_equal(hdf5.read(file, "numbers", shape=(None,), dtype=np.int64), np.arange(1000))
        with pytest.raises(DataError, match="damaged"):
            hdf5.attribute(file, "text", str)
    with pytest.raises(FileNotFoundError):
        hdf5.open_watched(tmp_path / "absent.h5")
