"""HDF5 files that would hang, crash or fill the memory, or give wrong numbers: refused in one line."""

import ast
import resource
import struct
import time
import zlib
from pathlib import Path

import h5py
import numpy as np
import pytest

from classify.models import model_file
from classify.svm.linear import LinearSVM
from encoding.vectors_file import VectorsWriter, load_vectors
from idt.errors import DataError
from idt.features import feature_file
from idt.files import hdf5, provenance
from tests.fuzz.hdf5_structure import blocks_of, messages_of, summed
from tests.hdf5_files import fixed, opened, set_text
from tests.hostile import hdf5_earlier
from tests.samples import random_features

ROOT = Path(__file__).resolve().parent.parent.parent
LAYOUT = hdf5_earlier.LAYOUT
MEMORY = 100 << 20
"""Bytes that refusing a small file may take."""


@pytest.fixture(scope="module")
def intact(tmp_path_factory):
    """A folder with a vectors file, a model and features."""
    folder = tmp_path_factory.mktemp("intact")
    written = {"layout": LAYOUT, "codebook": "0" * 64, "params": None, "source": {"digest": "0"}}
    with VectorsWriter(folder / "v.h5", **written) as writer:
        for name in "abc":
            writer.append(name, np.ones(12, np.float32))
    machine = LinearSVM().fit(np.random.default_rng(0).normal(size=(9, 12)).astype(np.float32), [*"abc"] * 3)
    model_file.save_model(folder / "m.h5", machine, layout=LAYOUT, codebook="0" * 64, source={"digest": "0"})
    feature_file.save(random_features(3, frames=18), folder / "f.h5")
    return folder


def refusal(read, *arguments):
    """The line with which a file is refused, quickly and in little memory."""
    began, before = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(DataError) as caught:
        read(*arguments)
    assert time.process_time() - began < 2
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 < MEMORY
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value)


def copied(intact, name, tmp_path):
    (tmp_path / name).write_bytes((intact / name).read_bytes())
    return tmp_path / name


# Text of variable length.


@pytest.mark.parametrize(
    "forge", [hdf5_earlier.endless_heap, hdf5_earlier.one_text_many_times, hdf5_earlier.many_heads]
)
def test_text_of_variable_length_is_refused_unread_with_the_remedy(tmp_path, forge):
    path = forge(tmp_path / "v.h5")
    assert "make it anew with this release" in refusal(load_vectors, path)
    assert hdf5.is_ours(path)


def test_names_of_variable_length_in_a_new_file_are_refused_unread(intact, tmp_path):
    path = copied(intact, "v.h5", tmp_path)
    with opened(path) as file:
        del file["names"]
        file.create_dataset("names", data=["a", "b", "c"], dtype=h5py.string_dtype())
    assert "names must be text of shape (n,), got values of variable length" in refusal(load_vectors, path)


@pytest.mark.parametrize("name", ["format", "params", "source", "layout", "codebook", "empty"])
def test_an_attribute_of_variable_length_is_refused_unread(intact, tmp_path, name):
    path = copied(intact, "v.h5", tmp_path)
    with opened(path) as file:
        file.attrs[name] = "null"
    assert "variable length" in refusal(load_vectors, path)


def test_a_file_of_an_earlier_release_is_not_up_to_date_and_says_how_to_go_on(tmp_path):
    path = hdf5_earlier.vectors(tmp_path / "v.h5")
    wanted = {"format": "idt-vectors", "version": 2, "params": None, "source": {"digest": "0"}}
    line = refusal(lambda: provenance.is_current(path, **wanted))
    assert "earlier release" in line
    assert line.endswith("use another path or --overwrite")
    assert not provenance.is_current(path, **wanted, overwrite=True)


# What lies behind a name.


@pytest.mark.parametrize(
    "kind",
    [h5py.ref_dtype, h5py.regionref_dtype, h5py.vlen_dtype("i4"), np.dtype([("a", "f4"), ("b", h5py.string_dtype())]),
     np.dtype(("f4", (12,))), h5py.enum_dtype({"a": 1}), np.dtype("V48"), np.dtype("c16")],
)  # fmt: skip
def test_a_dataset_of_any_other_class_is_refused_unread(intact, tmp_path, kind):
    path = copied(intact, "v.h5", tmp_path)
    with opened(path) as file:
        del file["encodings"]
        file.create_dataset("encodings", (3, 12), kind)
    assert "encodings must be float32" in refusal(load_vectors, path)


@pytest.mark.parametrize(
    "value",
    [np.arange(5), np.zeros((3, 0)), h5py.Empty("f4"), np.float64(1), fixed(["a", "b"]), np.bytes_(b"\xff\xfe")],
)
def test_an_attribute_that_is_no_text_is_refused(intact, tmp_path, value):
    path = copied(intact, "v.h5", tmp_path)
    with opened(path) as file:
        file.attrs["codebook"] = value
    assert "'codebook' must be str" in refusal(load_vectors, path)


@pytest.mark.parametrize("value", [True, np.array([(1, 2.0)], [("a", "i4"), ("b", "f8")]), np.void(b"opaque"), 1j])
def test_an_attribute_of_a_class_that_we_do_not_write_is_refused_even_if_nobody_asks_for_it(intact, tmp_path, value):
    path = copied(intact, "v.h5", tmp_path)
    with opened(path) as file:
        file.attrs["extra"] = value
    assert "an attribute holds" in refusal(load_vectors, path)


def test_a_type_that_lies_elsewhere_in_the_file_is_refused(intact, tmp_path):
    path = copied(intact, "v.h5", tmp_path)
    with opened(path) as file:
        file["type"] = np.dtype("f4")
        del file["encodings"]
        file.create_dataset("encodings", (3, 12), file["type"])
    assert "shares a message" in refusal(load_vectors, path)


def test_an_object_in_the_form_of_old_hdf5_is_refused(intact, tmp_path):
    path = copied(intact, "v.h5", tmp_path)
    with h5py.File(path, "r+", libver="earliest") as file:
        del file["encodings"]
        file["encodings"] = np.ones((3, 12), "f4")
    assert "another version of HDF5" in refusal(load_vectors, path)


def test_numbers_that_are_gathered_from_other_files_are_refused(intact, tmp_path):
    path = copied(intact, "v.h5", tmp_path)
    layout = h5py.VirtualLayout((3, 12), "f4")
    layout[...] = h5py.VirtualSource("/etc/passwd", "x", (3, 12))
    with opened(path) as file:
        del file["encodings"]
        file.create_virtual_dataset("encodings", layout)
    assert "outside the file" in refusal(load_vectors, path)


def test_a_group_of_so_many_links_that_they_lie_in_a_heap_is_refused(intact, tmp_path):
    path = copied(intact, "v.h5", tmp_path)
    with opened(path) as file:
        for i in range(30):
            file.create_group(f"g{i}")
    assert "links lie in a heap" in refusal(load_vectors, path)


@pytest.mark.parametrize("size", [2**20, 2**31, 2**40, 2**62])
@pytest.mark.parametrize("chunks", [(1, 12), (2**16, 12), None])
def test_rows_that_the_file_cannot_hold_are_refused(intact, tmp_path, size, chunks):
    path = copied(intact, "v.h5", tmp_path)
    with opened(path) as file:
        del file["encodings"], file["names"]
        options = {"maxshape": (None, 12), "compression": "gzip"} if chunks else {}
        # Where HDF5 itself refuses, nothing is there to be read.
        for name, row in (("names", ()), ("encodings", (12,))):
            packed = {"chunks": chunks[: len(row) + 1], **options, "maxshape": (None, *row)} if chunks else {}
            try:
                file.create_dataset(name, (size, *row), "S1" if name == "names" else "f4", **packed)
            except (OSError, ValueError):
                return
    assert "more than the file can hold" in refusal(load_vectors, path)


# Chunks.


@pytest.mark.parametrize("data", [b"\1\2\3", zlib.compress(b""), zlib.compress(bytes(47)), zlib.compress(bytes(10**7))])
def test_a_chunk_that_is_not_one_is_refused_and_not_filled_up_from_memory(intact, tmp_path, data):
    path = copied(intact, "v.h5", tmp_path)
    with opened(path) as file:
        del file["encodings"]
        made = file.create_dataset("encodings", (3, 12), "f4", chunks=(1, 12), maxshape=(None, 12), compression="gzip")
        for row in range(3):
            made.id.write_direct_chunk((row, 0), data)
    refusal(load_vectors, path)


def test_a_chunk_too_short_for_its_checksum_is_refused(intact, tmp_path):
    path = copied(intact, "v.h5", tmp_path)
    with opened(path) as file:
        del file["encodings"]
        made = file.create_dataset("encodings", (3, 12), "f4", chunks=(3, 12), fletcher32=True)
        made.id.write_direct_chunk((0, 0), b"\1\2\3")
    assert "a filter that is not supported" in refusal(load_vectors, path)


def edited(path, change):
    """Change the bytes of a file, and make its checksums right again."""
    data = bytearray(path.read_bytes())
    blocks = blocks_of(bytes(data))
    change(data, blocks)
    path.write_bytes(summed(data, blocks))
    return path


@pytest.mark.parametrize("count", [2**31, 2**40, 2**64 - 1])
def test_a_table_that_claims_endless_chunks_is_not_walked_through(intact, tmp_path, count):
    path = copied(intact, "v.h5", tmp_path)

    def claim(data, blocks):
        for first, _ in blocks:
            if data[first : first + 4] == b"EAHD":
                data[first + 44 : first + 52] = count.to_bytes(8, "little")

    # The shape says how many chunks there are, so the claim counts for nothing.
    assert load_vectors(edited(path, claim)).names == ["a", "b", "c"]


@pytest.mark.parametrize("target", [0, 48, 2**40, 2**63, 2**64 - 8])
def test_an_address_that_leads_astray_is_refused(intact, tmp_path, target):
    path = copied(intact, "v.h5", tmp_path)

    def lead(data, blocks):
        for first, end in blocks:
            if data[first : first + 4] == b"EAHD":
                data[end - 8 : end] = target.to_bytes(8, "little")

    assert "table of its chunks" in refusal(load_vectors, edited(path, lead))


@pytest.mark.parametrize("address", [0, 48, 2**40, 2**63, 2**64 - 8])
def test_a_root_group_that_is_elsewhere_is_refused(intact, tmp_path, address):
    path = copied(intact, "v.h5", tmp_path)

    def move(data, blocks):
        data[36:44] = address.to_bytes(8, "little")

    if address == 48:
        load_vectors(edited(path, move))
        return
    refusal(load_vectors, edited(path, move))


# Headers.


def test_blocks_of_a_header_that_lead_in_a_circle_are_refused(intact, tmp_path):
    path = copied(intact, "v.h5", tmp_path)

    def circle(data, blocks):
        for first, end in blocks:
            if data[first : first + 4] != b"OHDR":
                continue
            for head, _, body, size in messages_of(data, first, end):
                if size >= 16:
                    data[head] = 16
                    data[body : body + 16] = struct.pack("<QQ", first, end - first)
                    break

    assert "leads back to itself" in refusal(load_vectors, edited(path, circle))


@pytest.mark.parametrize("kind", [7, 15, 17, 19, 23, 24, 99])
def test_a_message_that_our_files_do_not_hold_is_refused(intact, tmp_path, kind):
    path = copied(intact, "v.h5", tmp_path)

    def replace(data, blocks):
        head = messages_of(data, *blocks[1])[-1][0]
        data[head] = kind

    refusal(load_vectors, edited(path, replace))


def test_one_forged_file_does_not_spoil_the_next(intact, tmp_path):
    # A read beyond 2^63 was an error that stayed in the process, and every later file was refused for it.
    path = copied(intact, "v.h5", tmp_path)
    for address in (2**63, 2**64 - 8):
        place = address.to_bytes(8, "little")
        edited(path, lambda data, blocks, place=place: data.__setitem__(slice(36, 44), place))
        refusal(load_vectors, path)
        assert len(load_vectors(intact / "v.h5").names) == 3


# Numbers.


def test_one_flipped_bit_of_a_model_is_noticed(intact, tmp_path):
    with h5py.File(intact / "m.h5") as file:
        chunk = file["weights"].id.get_chunk_info(0)
    data = (intact / "m.h5").read_bytes()
    for at in range(chunk.byte_offset, chunk.byte_offset + chunk.size, 7):
        flipped = bytearray(data)
        flipped[at] ^= 1 << at % 8
        (tmp_path / "m.h5").write_bytes(flipped)
        assert "damaged" in refusal(model_file.load_model, tmp_path / "m.h5")


def test_every_text_has_a_fixed_length_and_every_number_a_checksum(intact):
    for name in ("v.h5", "m.h5", "f.h5"):
        with h5py.File(intact / name) as file:
            items = [file]
            file.visititems(lambda _, item, items=items: items.append(item))
            for item in items:
                assert all(h5py.check_string_dtype(value.dtype) is None or value.dtype.kind == "S"
                           for value in map(item.attrs.get, item.attrs) if hasattr(value, "dtype"))  # fmt: skip
                if isinstance(item, h5py.Dataset) and item.size:
                    assert item.compression == "gzip"
                    assert item.dtype.kind in "fiuS"
        assert not any(word in (intact / name).read_bytes() for word in (b"GCOL", b"FRHP", b"TREE", b"SNOD"))


def test_a_text_of_any_length_keeps_its_checksum(tmp_path):
    source = {"digest": "0", **{f"video {i}": "a" * 64 for i in range(2000)}}
    feature_file.save(random_features(1, frames=16), tmp_path / "a.h5")
    with feature_file.Writer(tmp_path / "f.h5", params=None, source=source) as writer:
        writer.finish()
    assert feature_file.header(tmp_path / "f.h5").source == source
    data = bytearray((tmp_path / "f.h5").read_bytes())
    with h5py.File(tmp_path / "f.h5") as file:
        chunk = file["text/source"].id.get_chunk_info(0)
    data[chunk.byte_offset + chunk.size // 2] ^= 4
    (tmp_path / "f.h5").write_bytes(data)
    assert "damaged" in refusal(feature_file.header, tmp_path / "f.h5")


# What is ours.


def test_a_file_of_ours_is_known_whatever_else_is_in_it(intact, tmp_path):
    assert all(hdf5.is_ours(intact / name) for name in ("v.h5", "m.h5", "f.h5"))
    for path in sorted((ROOT / "tests" / "data" / "earlier").glob("*.h5")):
        assert hdf5.is_ours(path), path
    with opened(tmp_path / "theirs.h5", "w") as file:
        file.attrs["version"] = 1
        for name in ("tool", "params", "source"):
            set_text(file, name, "x")
        set_text(file, "format", "netcdf")
    assert not hdf5.is_ours(tmp_path / "theirs.h5")
    assert not hdf5.is_ours(tmp_path)
    assert not hdf5.is_ours(tmp_path / "absent.h5")


# One room.


def test_no_module_outside_of_the_room_of_files_calls_h5py():
    for package in ("idt", "encoding", "classify"):
        for path in (ROOT / package).rglob("*.py"):
            if path.is_relative_to(ROOT / "idt" / "files"):
                continue
            tree = ast.parse(path.read_text(encoding="utf-8"))
            modules = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
            modules |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
            assert not any((name or "").split(".")[0] == "h5py" for name in modules), path
