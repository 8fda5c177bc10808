"""Files in the form of an earlier release, whose text has variable length, made to do harm."""

import json

import h5py
import numpy as np

LAYOUT = [{"block": "hog", "cell": "whole", "first": 0, "size": 12}]


def vectors(path, *, names=("a", "b", "c"), **attributes):
    """Write a vectors file of the earlier form; more attributes at will."""
    with h5py.File(path, "w", libver=("v110", "v110")) as file:
        texts = {"format": "idt-vectors", "tool": "t", "params": "null", "source": '{"digest": "0"}'}
        file.attrs.update({"version": 1, **texts, "layout": json.dumps(LAYOUT), "codebook": "0" * 64, "empty": "[]"})
        file.attrs.update(attributes)
        file.create_dataset("names", (len(names),), h5py.string_dtype(), data=list(names))
        file.create_dataset("encodings", data=np.ones((len(names), 12), "f4"), chunks=(1, 12))
    return path


def endless_heap(path):
    """A heap of text whose free space has size 0: libhdf5 walks through it for ever."""
    vectors(path)
    data = bytearray(path.read_bytes())
    start = data.index(b"GCOL")
    data[start + 16 : start + 4096] = bytes(4080)
    path.write_bytes(data)
    return path


def one_text_many_times(path, *, count=70_000, size=70_000):
    """A megabyte whose names are one long text, referred to again and again: gigabytes when they are read."""
    vectors(path, names=["x" * size, *[""] * (count - 1)])
    with h5py.File(path) as file:
        at = file["names"].id.get_offset()
    data = bytearray(path.read_bytes())
    data[at : at + 16 * count] = data[at : at + 16] * count
    path.write_bytes(data)
    return path


def many_heads(path, *, count=40_000):
    """Numbers that are heads of heaps, each within the one before: to look at each of them takes long."""
    heads = b"".join(b"GCOL\x01\0\0\0" + (4_000_000 - 64 - 32 * i).to_bytes(8, "little") for i in range(count))
    vectors(path)
    with h5py.File(path, "r+", libver=("v110", "v110")) as file:
        numbers = np.frombuffer(heads.ljust(3_999_996, b"\0"), "<f4").reshape(3, -1)
        del file["encodings"]
        file["encodings"] = numbers
        file.attrs["layout"] = json.dumps([{**LAYOUT[0], "size": numbers.shape[1]}])
    return path
