"""Pickles of strangers: the values that Python's own reader finds, and nothing else; nothing in one is called."""

import collections
import os
import pickle
import struct
import sys

import numpy as np
import pytest

from idt.errors import DataError
from idt.files.foreign import pickle_writer, torch_files
from tests.scores.files import TORCH, objects

VALUES = {
    "plain": [
        None,
        True,
        False,
        0,
        -1,
        255,
        65_535,
        2**31 - 1,
        -(2**31),
        2**70,
        -(2**40),
        1.5,
        -0.0,
        "",
        "é",
        b"",
        b"\xff",
    ],
    "nested": {"a": [1, (2, 3, 4, 5), (), (1,), (1, 2), (1, 2, 3)], "b": {"c": {}, "d": []}},
    "long": {"text": "x" * 70_000, "bytes": b"y" * 70_000, "many": list(range(5_000))},
    "shared": (lambda each: [each, each, {"again": each}])(["same"]),
    "ordered": collections.OrderedDict(b=1, a=2),
}


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("name", VALUES)
def test_values_are_those_of_pythons_own_reader(name, protocol):
    assert torch_files.load(pickle.dumps(VALUES[name], protocol), "x.pkl") == VALUES[name]


def test_a_bytearray_of_protocol_5_is_bytes():
    assert torch_files.load(pickle.dumps(bytearray(b"abc"), 5), "x.pkl") == b"abc"


ARRAYS = [
    np.arange(6, dtype=np.float32).reshape(2, 3),
    np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    np.arange(4, dtype=">i2"),
    np.array([True, False]),
    np.float16([1.5, -2]),
    np.empty((0, 3)),
    np.array(2.5),
    np.array(["a", "bcd"]),
    np.array([b"a", b"bc"]),
    np.array([1, "two", None, [3.0]], object),
    np.arange(24).reshape(2, 3, 4)[:, ::2],
]


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("values", ARRAYS, ids=lambda values: f"{values.dtype}{values.shape}")
def test_arrays_are_those_that_were_pickled(values, protocol):
    """The second array shares its dtype with the first, which the memo tells."""
    number = values.flat[0] if values.size else 0
    first, second, last = torch_files.load(pickle.dumps([values, values.copy(), number], protocol), "x.pkl")
    for found in (first, second):
        assert found.dtype == values.dtype
        np.testing.assert_array_equal(found, values)
    assert last == number


@pytest.mark.parametrize("name", ["t.pkl", "t4.pkl", "t.pt", "tl.pt"])
def test_tensors_of_torch_are_read_without_torch(name):
    """Views, transposed ones, half and brain floats, scalars and empty ones: plain pickles, zip and legacy files."""
    assert "torch" not in sys.modules
    found = torch_files.load((TORCH / name).read_bytes(), name)
    with np.load(TORCH / "ref.npz") as reference:
        assert set(reference.files) == set(found) - {"l"}
        for key in reference.files:
            np.testing.assert_array_equal(np.asarray(found[key], np.float32), reference[key], err_msg=key)
    np.testing.assert_array_equal(found["l"][1][0], [4, 5, 6, 7])


def test_what_we_write_pythons_own_reader_reads():
    rows = objects([[np.ones((1, 2), np.float32), 3], [np.zeros((1, 2), np.float32), 70_000]])
    written = [[pickle_writer.array(each), pickle_writer.integer(label)] for each, label in rows]
    found = pickle.loads(pickle_writer.pickled(pickle_writer.array(written)))
    assert found.shape == (2, 2)
    np.testing.assert_array_equal(found[0, 0], rows[0, 0])
    assert found[1, 1] == 70_000
    entry = {"a": pickle_writer.text("é"), "b": pickle_writer.integer(-5)}
    assert pickle.loads(pickle_writer.pickled(pickle_writer.mapping(entry))) == {"a": "é", "b": -5}


def test_our_tensors_are_byte_by_byte_those_that_torch_read_back():
    """``out.pkl`` was written by hand, too, and torch 1.13 read it."""
    tensor = pickle_writer.tensor(np.array([0.1, 0.2, 0.7], np.float32))
    storage = tensor[tensor.index(b"c_codecs") : tensor.index(b"\x86R")]
    assert storage in (TORCH / "out.pkl").read_bytes()


# What is refused.


class Payload:
    """A value whose pickle calls a function."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


@pytest.fixture
def armed(tmp_path, monkeypatch):
    """A folder in which nothing may appear."""
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    assert not list(tmp_path.iterdir())


def test_the_fixture_that_runs_a_command_is_refused_by_the_name_of_the_command(armed):
    with pytest.raises(DataError, match=r"bad\.pkl asks for posix\.system, which no score file needs"):
        torch_files.load((TORCH / "bad.pkl").read_bytes(), "bad.pkl")


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("function", [os.mkdir, eval, __import__, getattr, open, pickle.loads, np.load, bytearray])
def test_any_other_name_is_refused(armed, function, protocol):
    data = pickle.dumps([Payload(function, "made")], protocol)
    with pytest.raises(DataError, match=f"asks for .*{function.__name__}, which no score file needs"):
        torch_files.load(data, "x.pkl")


def test_a_foreign_name_within_a_tensor_is_refused(armed):
    tensor = pickle_writer.tensor(np.zeros(2, np.float32))
    for old, new in ((b"collections\nOrderedDict", b"posix\nsystem"), (b"ctorch\nFloatStorage", b"cposix\nsystem")):
        assert old in tensor
        shift = len(new) - len(old)
        data = tensor.replace(old, new)
        if old.startswith(b"ctorch"):
            # The text around it is as much shorter.
            at = data.index(b"X", data.index(b"encode\n"))
            size = struct.unpack_from("<I", data, at + 1)[0]
            data = data[: at + 1] + struct.pack("<I", size + shift) + data[at + 5 :]
        with pytest.raises(DataError, match=r"posix\.system"):
            torch_files.load(pickle_writer.pickled(data), "x.pkl")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "ends too early"),
        (b"\x80\x04]", "ends too early"),
        (b".", "pop from empty list"),
        (b"(.", "pop from empty list"),
        (b"0.", "pop from empty list"),
        (b"h\x05.", "5"),
        (b"\x80\x02X\xff\xff\xff\xff.", "ends too early"),
        (b"\x8e" + b"\xff" * 8 + b".", "ends too early"),
        (b"\x95" + b"\xff" * 8 + b"N.", None),
        (b"r\xff\xff\xff\xff.", "list index out of range"),
        (b"Nr\xff\xff\xff\xff.", None),
        (b"Na.", "list index out of range"),
        (b"NNa.", "appended to what is no list"),
        (b"}K\x01K\x02s.", "key 1, expected keys that are text"),
        (b"](K\x01s.", "the stack is empty"),
        (b"\x8b\xff\xff\xff\x7f.", "ends too early"),
        (b"\x8a\xff" + b"\x01" * 255 + b".", "too many digits"),
        (b"I" + b"9" * 5000 + b"\n.", "a line does not end|too many digits"),
        (b"L" + b"9" * 100 + b"L\n.", "too many digits"),
        (b"X\x01\x00\x00\x00\xff.", "utf-8"),
        (b"(i__main__\nx\n.", "instruction b'i'"),
        (b"\x82\x01.", r"instruction b'\\x82'"),
        (b"\x8f.", r"instruction b'\\x8f'"),
        (b"NQ.", "kept elsewhere"),
        (b"S'\\y'\n.", "escape that is none"),
        (b"S'\\'\n.", "escape that is none"),
        (b"Sabc\n.", "without quotes"),
        (b"c_codecs\nencode\nNR.", "called that is no function"),
        (b"cnumpy\nndarray\n)R.", "called that is no function"),
        (b"NNb.", "state is given"),
        (b"cnumpy\ndtype\n(X\x02\x00\x00\x00V9K\x00K\x01tR.", "expected numbers, text or objects"),
        (b"c_codecs\nencode\n(X\x01\x00\x00\x00aX\x04\x00\x00\x00zlibtR.", "encoded as 'zlib'"),
    ],
)  # fmt: skip
def test_what_is_no_pickle_of_plain_values_is_refused_in_one_line(data, message):
    if message is None:
        assert torch_files.load(data, "x.pkl") is None
        return
    with pytest.raises(DataError, match=message) as caught:
        torch_files.load(data, "x.pkl")
    assert "x.pkl" in str(caught.value)


def state_of(values, **changed):
    """A pickle of an array whose state was changed."""
    _, (_, _, _), state = values.__reduce__()
    state = dict(zip(("version", "shape", "dtype", "fortran", "data"), state, strict=True)) | changed
    head = b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR"
    return head + pickle.dumps(tuple(state.values()), 2)[2:-1] + b"b."


@pytest.mark.parametrize(
    "changed",
    [
        {"shape": (2**40,)}, {"shape": (4,)}, {"shape": (-3,)}, {"shape": (2,)}, {"shape": 3}, {"shape": ("3",)},
        {"shape": (1,) * 33}, {"shape": (0, 2**62)}, {"data": b""}, {"data": [1.0, 2.0, 3.0]}, {"data": None},
        {"dtype": None},
    ],
    ids=str,
)  # fmt: skip
def test_an_array_holds_what_its_shape_says(changed):
    values = np.arange(3.0)
    np.testing.assert_array_equal(torch_files.load(state_of(values), "x"), values)
    with pytest.raises(DataError, match="an array"):
        torch_files.load(state_of(values, **changed), "x.pkl")


def test_an_array_of_text_holds_characters():
    """NumPy would end with an error of the interpreter when one is looked at."""
    with pytest.raises(DataError, match="invalid characters"):
        torch_files.load(state_of(np.array(["a"]), data=b"\xff" * 4), "x.pkl")


def test_an_array_of_objects_is_no_bytes():
    """NumPy would take the bytes for addresses of objects."""
    with pytest.raises(DataError, match="does not hold 1 values"):
        torch_files.load(state_of(np.array([None], object), data=b"\x01" * 8), "x.pkl")


def tensor_of(offset=0, shape=(2,), strides=(1,), size=4):
    """A pickle of a tensor with a view of a storage of some elements."""
    whole = pickle_writer.tensor(np.arange(size, dtype=np.float32))
    stored = whole[whole.index(b"(") + 1 : whole.index(b"\x85R") + 2]
    view = [
        stored,
        pickle_writer.integer(offset),
        *(pickle_writer.sequence(map(pickle_writer.integer, each)) for each in (shape, strides)),
        b"\x89",
        b"N",
    ]
    return pickle_writer.pickled(b"ctorch._utils\n_rebuild_tensor_v2\n" + pickle_writer.sequence(view) + b"R")


def test_a_view_of_a_storage_is_read_with_its_offset_and_strides():
    np.testing.assert_array_equal(torch_files.load(tensor_of(1, (2,), (2,)), "x"), [1, 3])
    np.testing.assert_array_equal(torch_files.load(tensor_of(0, (2, 2), (1, 2)), "x"), [[0, 2], [1, 3]])
    np.testing.assert_array_equal(torch_files.load(tensor_of(1, (3,), (0,)), "x"), [1, 1, 1])


@pytest.mark.parametrize(
    "view",
    [
        {"offset": 3}, {"offset": 4, "shape": (1,)}, {"offset": -1}, {"strides": (4,)}, {"strides": (-1,)},
        {"shape": (5,)}, {"shape": (5,), "strides": (0,)}, {"shape": (2**30,), "strides": (0,)},
        {"shape": (2, 2)}, {"shape": (2**20, 2**20), "strides": (0, 0)}, {"shape": (-1,)},
    ],
    ids=str,
)  # fmt: skip
def test_a_tensor_that_reaches_beyond_its_storage_is_refused(view):
    with pytest.raises(DataError, match=r"tensor|an array has no shape"):
        torch_files.load(tensor_of(**view), "x.pkl")


def test_a_storage_that_is_shorter_than_it_says_is_refused():
    for name in ("legacy.pt", "zip.pt", "t.pt", "tl.pt"):
        data = (TORCH / name).read_bytes()
        for cut in (len(data) // 3, len(data) // 2, len(data) - 1):
            with pytest.raises(DataError, match=name):
                torch_files.load(data[:cut], name)


def test_values_that_repeat_without_end_are_refused():
    """A text of 60 MB, encoded again and again; each time the pickle grows by a dozen bytes."""
    data = b"c_codecs\nencode\nq\x00](X" + struct.pack("<I", 1 << 20) + b"x" * (1 << 20) + b"q\x01"
    data += b"h\x00h\x01X\x06\x00\x00\x00latin1\x86R" * 400 + b"e."
    with pytest.raises(DataError, match="far more memory"):
        torch_files.load(data, "x.pkl")


@pytest.mark.slow
def test_lists_within_lists_end_no_stack():
    deep = torch_files.load(b"]" * 100_000 + b"a" * 99_999 + b".", "x.pkl")
    assert isinstance(deep, list)
    while deep:
        deep = deep[0]
    # Nor do messages that show them.
    nested = b"]" * 100_000 + b"a" * 99_999
    for call in (b"cnumpy\ndtype\n(%b\x89\x88tR.", b"c_codecs\nencode\n(X\x01\x00\x00\x00a%btR.", b"}(%bNu."):
        with pytest.raises(DataError, match=r"x\.pkl"):
            torch_files.load(call % nested, "x.pkl")
