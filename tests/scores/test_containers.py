"""Containers of strangers hold what SciPy, h5py and NumPy find in them; what is damaged or forged is refused."""

import io
import struct
import zipfile
import zlib

import h5py
import numpy as np
import pytest
from scipy.io import loadmat, savemat

from idt.errors import DataError
from idt.files.foreign import hdf5, mat5, npz
from idt.files.foreign.archives import Archive
from tests.scores.files import LABELS, NAMES, SCORES, actionvlad, mat73, objects, tsn

RNG = np.random.default_rng(5)

# MAT files of version 5.

VARIABLES = {
    "double": RNG.normal(size=(4, 3)),
    "single": np.float32([[1, 2]]),
    "whole": np.arange(6.0).reshape(2, 3),
    "large": np.arange(300.0)[:, None] * 1000,
    **{f"i{size}": np.array([[1, -2]], f"i{size}") for size in (1, 2, 4, 8)},
    **{f"u{size}": np.array([[1, 200]], f"u{size}") for size in (1, 2, 4, 8)},
    "empty": np.empty((0, 3)),
    "cube": RNG.random((2, 3, 4)),
    "text": "some text é",
    "rows": np.array(["abc", "de "]),
    "cell": objects([["one", np.ones((2, 2))], ["", np.empty((0, 0))]]),
    "nested": objects([[objects([["inner"]])]]),
    "left_out": {"field": 1},
}


@pytest.mark.parametrize("packed", [False, True])
def test_variables_are_those_that_scipy_reads(packed, tmp_path):
    savemat(tmp_path / "x.mat", VARIABLES, do_compression=packed)
    found = mat5.variables((tmp_path / "x.mat").read_bytes(), "x.mat")
    reference = loadmat(tmp_path / "x.mat", chars_as_strings=True)
    assert found.keys() == VARIABLES.keys() - {"left_out"}
    for name, values in found.items():
        _equal(values, reference[name])


def _equal(found, wanted):
    if wanted.dtype == object:
        assert found.shape == wanted.shape
        for each, other in zip(found.ravel(), wanted.ravel(), strict=True):
            _equal(each, other)
    elif wanted.dtype.kind == "U":
        # SciPy drops the blanks that fill a row.
        assert [text.rstrip() for text in found.tolist()] == [text.rstrip() for text in wanted.tolist() or [""]]
    else:
        np.testing.assert_array_equal(found, wanted.astype(found.dtype))


def element(kind, data):
    """An element of a MAT file."""
    return struct.pack("<II", kind, len(data)) + data + b"\0" * (-len(data) % 8)


def matrix(shape, data, *, kind=6, stored=9, name=b"x", flags=0):
    """A matrix of a MAT file."""
    parts = [element(6, struct.pack("<II", kind | flags, 0)), element(5, struct.pack(f"<{len(shape)}i", *shape))]
    return element(14, b"".join([*parts, element(1, name), element(stored, data) if stored else data]))


HEAD = b"MATLAB 5.0 MAT-file".ljust(124) + b"\x00\x01IM"


def cells(depth):
    """Cells within cells."""
    inner = matrix((1, 1), struct.pack("<d", 1))
    for _ in range(depth):
        inner = matrix((1, 1), inner, kind=1, stored=0)
    return inner


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (matrix((2**30, 2**30), b""), "another number of elements"),
        (matrix((2, 2), bytes(24)), "another number of elements"),
        (matrix((-1, 2), b""), "no shape"),
        (matrix((1, 1), bytes(8), stored=99), "another number of elements"),
        (matrix((1, 1), bytes(8), flags=0x800), "complex"),
        (matrix((1, 2**30), b"", kind=1, stored=0), "holds 0 variables"),
        (matrix((1, 5), b"ab", kind=4, stored=1), "has 2 characters"),
        (element(14, b""), "lacks its description"),
        (element(9, bytes(8)), "is no variable"),
        (element(14, bytes(8))[:12], "cut short"),
        (b"\x01", "cut short"),
        (element(15, b"no stream"), "incorrect header check"),
        (struct.pack("<II", 15, 8) + zlib.compress(b"")[:8], "cut short|is empty"),
        (cells(9), "within cells"),
    ],
)
def test_a_mat_file_that_claims_what_is_not_there_is_refused(data, message):
    with pytest.raises(DataError, match=f"x.mat is no whole MAT file .*{message}"):
        mat5.variables(HEAD + data, "x.mat")


@pytest.mark.slow
def test_a_mat_file_that_unpacks_to_far_more_is_refused():
    packed = zlib.compress(bytes(200_000_000), 9)
    with pytest.raises(DataError, match="unpacks to far more"):
        mat5.variables(HEAD + struct.pack("<II", 15, len(packed)) + packed, "x.mat")


# HDF5 of others.


def many(path, libver=None):
    """A file of arrays in all ways in which h5py stores them."""
    with h5py.File(path, "w", libver=libver) as file:
        file["one/logits"] = RNG.random((30, 7)).astype("f4")
        packed = {"compression": "gzip", "shuffle": True, "fletcher32": True}
        file.create_dataset("packed", data=RNG.random((50, 11)), chunks=(16, 4), **packed)
        file.create_dataset("grows", data=np.arange(300.0).reshape(-1, 2), chunks=(8, 2), maxshape=(None, 2))
        file["names"] = [f"é{i}" for i in range(30)]
        file["fixed"] = np.array([b"abc", b"de"])
        if libver is None:
            file["truth"], file["half"], file["large"] = (
                np.array([True, False]),
                np.ones(3, "f2"),
                np.arange(5, dtype=">i8"),
            )
            file["scalar"], file["empty"] = 3.5, np.empty((0, 4))
            for i in range(20):
                file[f"group/number {i}"] = np.full((2, 2), i)
            file["left out"], file["cube"] = np.zeros(3, "c8"), np.zeros((2, 2, 2))
            file["link"], file["way/out"] = h5py.SoftLink("/packed"), h5py.ExternalLink("other.h5", "/x")
            file.attrs["note"], file["half"].attrs["unit"] = "of h5py", "m"
            file.create_dataset("unwritten", shape=(3, 3), chunks=(2, 2), dtype="f4")


@pytest.mark.parametrize("libver", [None, ("v108", "v108"), ("v110", "v110")], ids=str)
def test_arrays_are_those_that_h5py_reads(libver, tmp_path):
    many(tmp_path / "x.h5", libver)
    found, matlab = hdf5.arrays_of((tmp_path / "x.h5").read_bytes(), "x.h5")
    assert not matlab
    with h5py.File(tmp_path / "x.h5") as file:
        wanted: dict = {}
        file.visititems(lambda name, item: wanted.update({name: item}) if isinstance(item, h5py.Dataset) else None)
        assert found.keys() == wanted.keys() - {"left out", "cube"}
        for name, values in found.items():
            reference = wanted[name].asstr()[()] if name == "names" else wanted[name][()]
            np.testing.assert_array_equal(values, reference, err_msg=name)


def test_a_mat_file_of_version_7_3_is_turned_back(tmp_path):
    found, matlab = hdf5.arrays_of(mat73(tmp_path / "x.mat").read_bytes(), "x.mat")
    assert matlab
    np.testing.assert_array_equal(found["scores_idt"], SCORES)
    np.testing.assert_array_equal(found["gt_idt"].ravel(), LABELS + 1)
    assert [str(name.item()) for name in found["vn_idt"].ravel()] == NAMES


def changed(data, old, new, count=1):
    """Bytes of a file with some replaced, which must be there."""
    assert old in data
    return data.replace(old, new, count)


def test_hdf5_that_claims_what_is_not_there_is_refused(tmp_path):
    data = actionvlad(tmp_path / "x.h5", np.ones((7, 5))).read_bytes()
    sizes = struct.pack("<QQ", 7, 5)
    for forged in (
        changed(data, sizes, struct.pack("<QQ", 7, 2**40), 2),
        changed(data, sizes, struct.pack("<QQ", 2**61, 5), 2),
        changed(data, sizes, struct.pack("<QQ", 7, 6), 2),
        data[:1000],
        data[:100],
        changed(data, b"TREE", b"EERT"),
        changed(data, b"HEAP", b"PAEH"),
        changed(data, b"SNOD", b"DONS"),
        changed(data, b"\x89HDF\r\n\x1a\n\x00", b"\x89HDF\r\n\x1a\n\x09"),
    ):
        with pytest.raises(DataError, match=r"x\.h5 is no HDF5 that can be read"):
            hdf5.arrays_of(forged, "x.h5")


def test_chunks_that_no_file_can_hold_are_not_looked_for(tmp_path):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file.create_dataset("x", shape=(10_000, 1_000), chunks=(1, 1), dtype="u1")
    with pytest.raises(DataError, match="more chunks than the file can hold"):
        hdf5.arrays_of((tmp_path / "x.h5").read_bytes(), "x.h5")


def test_a_group_that_holds_itself_is_walked_once(tmp_path):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        group = file.create_group("a/b")
        group["up"], group["values"] = file["a"], np.arange(3)
    found, _ = hdf5.arrays_of((tmp_path / "x.h5").read_bytes(), "x.h5")
    assert [*found] == ["a/b/values"]


@pytest.mark.parametrize("keyword", [{"compression": "lzf"}, {"scaleoffset": 3}])
def test_a_filter_that_is_not_read_is_said(tmp_path, keyword):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file.create_dataset("x", data=np.arange(100.0).reshape(10, 10), **keyword)
    with pytest.raises(DataError, match="has an unsupported filter"):
        hdf5.arrays_of((tmp_path / "x.h5").read_bytes(), "x.h5")


# Archives of arrays.


def test_arrays_of_an_archive_are_those_that_numpy_reads(tmp_path):
    path = tsn(tmp_path / "x.npz", names=np.array(NAMES), more=np.asfortranarray(SCORES), nothing=np.empty((0, 2)))
    data = path.read_bytes()
    found = npz.arrays_of(Archive(data, "x.npz"), "x.npz", len(data))
    with np.load(path, allow_pickle=True) as reference:
        assert set(found) == set(reference.files)
        for name in {*found} - {"scores"}:
            np.testing.assert_array_equal(found[name], reference[name])
        for (one, label), (other, wanted) in zip(found["scores"], reference["scores"], strict=True):
            np.testing.assert_array_equal(one, other)
            assert label == wanted


def archive(**members):
    """A zip archive, deflated."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in members.items():
            made.writestr(f"{name}.npy", content)
    return data.getvalue()


def npy(header, content=b""):
    """An npy file with any header."""
    header = header.encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + content


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (archive(x=npy("{'descr': '<f8', 'fortran_order': False, 'shape': (99999999,)}")), "claims to hold"),
        (archive(x=npy("{'descr': '|V8', 'fortran_order': False, 'shape': (1,)}", bytes(8))), "must hold real numbers"),
        (archive(x=npy("__import__('os').mkdir('made')")), "got a header"),
        (archive(x=npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,)}", b"cposix\nmkdir\n.")), "posix.mkdir"),
        (archive(x=npy("{'descr': '|O', 'fortran_order': False, 'shape': (1,)}", b"N.")), "as its header says"),
        (archive(x=npy("{'descr': '<U1', 'fortran_order': False, 'shape': (1,)}", b"\xff" * 4)), "invalid char"),
        (archive(x=npy("{'descr': '>U1', 'fortran_order': False, 'shape': (1,)}", b"\0\0\xd8\0")), "invalid char"),
        (archive(x=b"text"), "not a matrix saved by numpy"),
        (archive(x=bytes(300_000_000)), "unpacks to far more"),
        (archive(x=b"a")[:-30], "no whole zip archive"),
        (b"PK\x03\x04", "no whole zip archive"),
    ],
    ids=range(11),
)
def test_an_archive_that_holds_anything_else_is_refused(data, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError, match=message):
        npz.arrays_of(Archive(data, "x.npz"), "x.npz", len(data))
    assert not list(tmp_path.iterdir())


def test_members_packed_otherwise_or_of_one_name_are_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "x.npz", "w", zipfile.ZIP_LZMA) as made:
        made.writestr("x.npy", b"")
    with pytest.raises(DataError, match="expected stored or deflated members"):
        Archive((tmp_path / "x.npz").read_bytes(), "x.npz").read("x.npy")
    twice = archive(x=b"1", y=b"2").replace(b"y.npy", b"x.npy")
    with pytest.raises(DataError, match="two members have one name"):
        Archive(twice, "y.npz")
