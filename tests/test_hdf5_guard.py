"""`idt.files.hdf5.guard` and `headers`: headers that would lead libhdf5 astray are refused."""

import os
import struct

import h5py
import numpy as np
import pytest

from idt.errors import DataError
from idt.files import hdf5, result_file
from idt.files.hdf5.guard import GuardedFile
from idt.files.hdf5.headers import FLOAT, INTEGER, TEXT, VARIABLE_LENGTH, parse
from idt.files.hdf5.index import UnsupportedStructure
from tests.hdf5_files import opened, set_text


def write(path):
    with result_file.create(path, format="idt-test", version=7, params=None, source={"digest": "é"}) as file:
        result_file.write_array(file, "a/b", np.arange(6.0).reshape(2, 3))
        result_file.set_attribute(file["a/b"], "scale", 0.25)
    return path


def message(kind, body, flags=0):
    return struct.pack("<BHB", kind, len(body), flags) + body


def header_of(*messages, version=2, flags=2, extra=b""):
    """Parse a header at address 8 of a file that holds it and ``extra`` bytes behind it."""
    body = b"".join(messages)
    data = bytes(8) + b"OHDR" + bytes([version, flags]) + struct.pack("<I", len(body)) + body + bytes(4) + extra
    return parse(lambda size, address: data[address : address + size], 8)


def test_the_header_of_the_root_group_is_what_was_written(tmp_path):
    with GuardedFile(write(tmp_path / "f.h5")) as guard:
        root, found = guard.root(), guard.find("a/b")
    assert [*root.attributes] == ["format", "version", "tool", "params", "source", "made_with"]
    assert (root.attributes["format"].kind, root.attributes["format"].data) == (TEXT, b"idt-test")
    assert (root.attributes["version"].kind, root.attributes["version"].data) == (INTEGER, (7).to_bytes(8, "little"))
    assert ([*root.links], root.kind, root.heap) == (["a"], None, None)
    assert (found.kind, found.attributes["scale"].kind) == (FLOAT, FLOAT)


def test_what_is_not_there_is_not_found_and_links_are_not_followed(tmp_path):
    with opened(write(tmp_path / "f.h5")) as file:
        file["soft"] = h5py.SoftLink("/a")
        file["outside"] = h5py.ExternalLink("g.h5", "/a")
    with GuardedFile(tmp_path / "f.h5") as guard:
        assert [guard.find(name) for name in ("b", "a/c", "a/b/c", "soft", "soft/b", "outside")] == [None] * 6
        assert guard.find("a/b").kind == FLOAT


def test_a_file_is_read_as_any_file_is(tmp_path):
    path = tmp_path / "f"
    path.write_bytes(bytes(range(100)))
    with GuardedFile(path) as file:
        assert file.seek(10) == file.tell() == 10
        assert file.read(5) == bytes(range(10, 15))
        assert (file.seek(-3, os.SEEK_END), file.read()) == (97, bytes(range(97, 100)))
        assert (file.readable(), file.seekable()) == (True, True)
    with pytest.raises(FileNotFoundError):
        GuardedFile(tmp_path / "absent")


GROUP = message(2, b"\0\0" + b"\xff" * 16)
SPACE = message(1, b"\2\1\0\1" + (3).to_bytes(8, "little"))
NUMBERS = message(3, bytes.fromhex("100800000400000000002000"))
HERE = message(8, b"\4\1" + bytes(16))


@pytest.mark.parametrize(
    ("messages", "words"),
    [
        ([message(17, bytes(16))], "message of type 17"),  # a symbol table
        ([message(15, bytes(16))], "message of type 15"),
        ([message(7, bytes(16)), SPACE, NUMBERS, HERE], "outside the file"),
        ([message(2, b"\0\0" + bytes(16))], "links lie in a heap"),
        ([message(2, b"\0\1" + b"\xff" * 8 + bytes(16))], "links lie in a heap"),
        ([GROUP, GROUP], "two messages of link info"),
        ([SPACE, message(3, bytes(12), flags=2), HERE], "shares a message"),
        ([SPACE, NUMBERS, message(8, b"\4\3" + bytes(20))], "outside the file"),
        ([SPACE, NUMBERS, message(8, b"\3\2" + bytes(20))], "layout is of another version"),
        ([SPACE, NUMBERS, message(8, b"\4\4" + bytes(20))], "layout is of another version"),
        ([NUMBERS, HERE], "lacks a dataspace"),
        ([message(6, b"\1\0\1a" + bytes(8))] * 2, "two of one name"),
        ([message(12, b"\3\1" + bytes(40))], "shares its type"),
        ([message(12, b"\2\0" + bytes(40))], "another version of HDF5"),
        ([message(12, b"\3\0\2\0\4\0\4\0\0a\0" + bytes(8))], "no type or no size"),
        ([message(12, b"\3\0\2\0\x08\0\4\0\0a\0" + b"\x16\0\0\0\1\0\0\0" + b"\2\0\0\0")], "holds compounds"),
        (
            [message(12, b"\3\0\2\0\x0c\0\4\0\0a\0" + b"\x19\0\0\0\x10\0\0\0\x19\0\0\0" + b"\2\0\0\0")],
            "variable length",
        ),
        ([struct.pack("<BHB", 0, 99, 0)], "exceeds its header"),
        ([message(16, struct.pack("<QQ", 8, 40))], "leads back to itself"),
        ([message(16, struct.pack("<QQ", 0, 8))], "a block of its header has a wrong signature"),
        ([message(16, struct.pack("<QQ", 0, 1 << 21))], "block of 2097152 bytes"),
        ([message(16, struct.pack("<QQ", 2**63, 100))], "exceeds the file"),
    ],
)
def test_a_header_that_our_files_do_not_have_is_refused(messages, words):
    with pytest.raises(UnsupportedStructure, match=words):
        header_of(*messages)


def test_a_header_of_hdf5_before_1_8_is_refused():
    with pytest.raises(UnsupportedStructure, match="another version of HDF5"):
        header_of(GROUP, version=1)


def test_blocks_that_lead_to_each_other_end(tmp_path):
    body = message(16, struct.pack("<QQ", 8 + 10 + 20 + 4, 8 + 20))
    block = b"OCHK" + message(16, struct.pack("<QQ", 8 + 10 + 20 + 4, 8 + 20)) + bytes(4)
    with pytest.raises(UnsupportedStructure, match="leads back to itself"):
        header_of(body, extra=block)


def test_too_many_attributes_are_refused():
    each = [message(6, b"\1\0\2" + i.to_bytes(2, "little") + b"\1" * 8) for i in range(1001)]
    with pytest.raises(UnsupportedStructure, match="too many links"):
        header_of(*each)


def test_text_of_variable_length_is_seen_but_not_read(tmp_path):
    with opened(write(tmp_path / "f.h5")) as file:
        file.attrs["note"] = "of a user"
    with hdf5.open_checked(tmp_path / "f.h5", format="idt-test", versions=7) as file:
        assert file.guard.root().attributes["note"].kind == VARIABLE_LENGTH
        with pytest.raises(DataError, match="'note' must be str, got values of variable length"):
            hdf5.attribute(file, "note", str)


@pytest.mark.parametrize("version", [0, 1, 4])
def test_a_superblock_of_another_version_is_refused(tmp_path, version):
    path = write(tmp_path / "f.h5")
    data = bytearray(path.read_bytes())
    data[8] = version
    path.write_bytes(data)
    with pytest.raises(DataError, match=f"HDF5 of another kind than ours .superblock of version {version}"):
        hdf5.open_guarded(path)


def test_what_a_file_is_can_be_told_without_opening_it(tmp_path):
    path = write(tmp_path / "f.h5")
    assert (hdf5.is_ours(path), hdf5.format_of(path)) == (True, "idt-test")
    with opened(tmp_path / "g.h5", "w") as file:
        set_text(file, "format", "idt-test")
    with h5py.File(tmp_path / "h.h5", "w") as file:
        file.attrs["format"] = "idt-test"
    (tmp_path / "i.h5").write_text("notes")
    (tmp_path / "j.h5").write_bytes(path.read_bytes()[:100])
    for name in "ghijk":
        assert not hdf5.is_ours(tmp_path / f"{name}.h5")
    assert [hdf5.format_of(tmp_path / f"{name}.h5") for name in "ghij"] == ["idt-test", None, None, None]


def test_a_file_whose_format_lies_among_the_long_texts_is_not_ours(tmp_path):
    path = tmp_path / "f.h5"
    with h5py.File(path, "w", libver=("v110", "v110")) as file:
        for name in ("version", "tool", "params", "source"):
            file.attrs.create(name, np.bytes_(b"x"))
        file.create_dataset("text/format", data=np.array([b"idt-test"]))
    assert (hdf5.is_ours(path), hdf5.format_of(path)) == (False, None)
