"""Text, CSV, JSON and matrices that strangers made: what each reader of `idt/files` takes and refuses."""

import contextlib
import json
import os
import pickle
import re
import signal
import socket
import time
from pathlib import Path

import numpy as np
import pytest

import idt
from classify.datasets.class_files import read_class_file
from classify.datasets.hollywood2 import read_labels as read_hollywood2
from classify.datasets.kth import read_sequences
from classify.datasets.ucf101 import read_classes
from classify.datasets.video_list import read_video_list
from classify.evaluation import cost_ledger
from classify.evaluation.cost_ledger import Cost, Stage
from classify.evaluation.recipes import read_recipes
from classify.evaluation.resume import earlier_report
from classify.labels import read_labels
from classify.models.outside_vectors import read_outside_block
from classify.text_files import read_lines
from idt.batch.jobs import camera_or_path, plan, read_list
from idt.errors import DataError
from idt.files import csv_text, json_text, provenance, text
from idt.files.foreign import npy
from idt.files.hdf5 import is_hdf5
from idt.frames.people import read_boxes

SOON = 20
"""Seconds; what is refused here takes hundredths, and without a check takes for ever."""


@pytest.fixture(autouse=True)
def nothing_hangs():
    """Fail what does not answer soon."""

    def late(*_):
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(SOON)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


READERS = {
    "text": text.read_text,
    "lines": read_lines,
    "list": read_list,
    "labels": read_labels,
    "boxes": read_boxes,
    "recipes": read_recipes,
    "report": lambda path: earlier_report(path, {}),
    "json": json_text.load,
    "npy": npy.load,
    "names": lambda path: read_outside_block(path, path),
    "rows": idt.load,
    "is hdf5": is_hdf5,
    "digest": provenance.digest,
    "kth": read_sequences,
    "ucf101": read_classes,
    "video list": read_video_list,
    "classes": read_class_file,
}


@pytest.mark.parametrize("name", list(READERS))
def test_a_pipe_a_socket_and_a_device_are_refused_at_once(tmp_path, name):
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as end:
        end.bind(str(tmp_path / "socket"))
        for path in (tmp_path / "pipe", tmp_path / "socket", "/dev/zero", "/dev/null"):
            with pytest.raises((DataError, OSError), match=r"(not|be) a regular file|No such device"):
                READERS[name](Path(path))


@pytest.mark.parametrize("name", [name for name in READERS if name not in ("digest", "boxes", "list", "report")])
@pytest.mark.parametrize("path", ["a\0b", "a\ud800b"])
def test_what_is_no_name_of_a_file_is_refused(name, path):
    with pytest.raises(DataError, match="not a valid file name"):
        READERS[name](path)


# Text.


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("a,b".encode("utf-16"), "is not UTF-8 text but UTF-16"),
        (b"a\nb\ncaf\xe9", "line 3 has other bytes"),
        (b"a\n\xed\xa0\x80", "line 2 has other bytes"),
        (b"a\nb\0c", "line 2: .* NUL"),
        (b"a\n" + b"x" * (text.LONGEST + 1), "line 2: a line may hold"),
        (b"a\r" + b"x\r" * 3 + b"x" * (text.LONGEST + 1) + b"\ny", "line 5: a line may hold"),
    ],
)
def test_what_is_no_text_is_refused_by_its_line(file, data, message):
    with pytest.raises(DataError, match=message):
        text.read_text(file(data))


def test_a_text_keeps_what_it_may_hold(file):
    assert text.read_text(file("\ufeffa\r\nb\u0085".encode())) == "a\r\nb\u0085"
    longest = "x" * text.LONGEST
    assert text.read_text(file(f"{longest}\n{longest}\r{longest}".encode())).count("x") == 3 * text.LONGEST
    # A mark of Unicode that Python takes for the end of a line is part of a name.
    assert text.numbered_lines(file("a\u2028b\n\n \rc\x0bd".encode())) == [(1, "a\u2028b"), (4, "c\x0bd")]


def test_a_file_beyond_the_limit_is_refused_unread(tmp_path):
    with open(tmp_path / "large.txt", "wb") as sparse:
        sparse.truncate(1 << 40)
    with pytest.raises(DataError, match=r"large\.txt holds 1,099,511,627,776 bytes, expected at most"):
        read_labels(tmp_path / "large.txt")


# CSV.


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"a," + b"x" * 200_000, "line 1: a field may hold 65,536 characters, got 200,000"),
        (b'a,"' + b"x" * 300_000 + b'"\n', "line 1: a quoted field must end"),
        (b'a,b\n"c,d\ne,f\n' * 50_000, "line 2: a quoted field must end"),
        (b'a,b\n"c"d,e', "line 2: a quoted field must end"),
    ],
)
def test_a_field_beyond_csv_is_refused(file, data, message):
    with pytest.raises(DataError, match=message):
        read_labels(file(data))


def test_csv_is_read_as_people_write_it(file):
    data = b'\xef\xbb\xbfName , Label\r\n\r\n a , walk\r"b, c" , "say ""hi"""\n \n"d\r\ne",\t run\n'
    assert csv_text.read_rows(file(data), "name,label") == [
        (1, ["Name", "Label"]),
        (3, ["a", "walk"]),
        (4, ["b, c", 'say "hi"']),
        (6, ["d\r\ne", "run"]),
    ]
    assert read_labels(file(data)) == {"a": "walk", "b, c": 'say "hi"', "d\r\ne": "run"}
    assert csv_text.read_rows(file(b""), "x") == []
    assert csv_text.read_rows(file(b'a,\n,\n""\n'), "x") == [(1, ["a", ""]), (2, ["", ""]), (3, [""])]


def test_millions_of_blank_lines_are_passed_over(file):
    assert csv_text.read_rows(file(b"\n \r\n" * 2_000_000 + b"a,b"), "x") == [(4_000_001, ["a", "b"])]


# JSON.


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[" * 100_000, "deep"),
        ("[" * 41 + "]" * 41, "more than 40 deep"),
        ('{"a":' * 50 + "1" + "}" * 50, "more than 40 deep"),
        ("9" * 5000, "a number of 5000 digits"),
        ("1." + "9" * 5000, "beyond the numbers"),
        ("1e999", "1e999 is beyond the numbers"),
        ("[NaN]", "NaN is no number"),
        ("-Infinity", "-Infinity is no number"),
        ('{"a": 1, "b": {"c": 1, "c": 2}}', "the key 'c' occurs twice"),
        ('"\\ud800"', "half a character"),
        ('{"\\uDFFF": 1}', "half a character"),
        ('["\ud800"]', "half a character"),
        ("", "Expecting value"),
        ("{", "Expecting property name"),
        ("1 2", "Extra data"),
    ],
)
def test_json_beyond_the_limits_is_refused_in_one_line(content, message):
    with pytest.raises(DataError, match=rf"^f\.json must be JSON, got .*{message}") as raised:
        json_text.loads(content, "f.json")
    assert "\n" not in str(raised.value)
    assert len(str(raised.value)) < 300


def test_json_within_the_limits_is_read():
    value = {"a": [1, -2.5, True, None, "\U0001f600é"], "b": {"c": []}}
    assert json_text.loads(json.dumps(value), "f") == value
    assert json_text.loads(json.dumps([value] * 1000), "f") == [value] * 1000
    assert json_text.loads("[" * 40 + "]" * 40, "f")


# Matrices.


def _npy(shape, descr="'<f4'", *, rest=b"", version=1):
    header = f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}".encode()
    return b"\x93NUMPY" + bytes([version, 0]) + len(header).to_bytes(2 if version == 1 else 4, "little") + header + rest


@pytest.mark.parametrize("dtype", ["<f4", ">f8", "<i2", "|u1", "|b1", "<f2"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_a_matrix_is_read_as_numpy_reads_it(tmp_path, dtype, order):
    values = np.asarray(np.arange(12).reshape(3, 4) % 2, dtype, order=order)
    np.save(tmp_path / "m.npy", values)
    found = npy.load(tmp_path / "m.npy")
    assert found.dtype == values.dtype
    np.testing.assert_array_equal(found, values)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"PK\x03\x04x", "not a matrix saved by numpy.save, but an archive"),
        (b"", "not a matrix saved by numpy.save"),
        (b"\x93NUMPY", "a header that numpy.save does not write"),
        (b"\x93NUMPY\x09\x00" + bytes(90), "a header that numpy.save does not write"),
        (_npy(f"({2**70},)"), "more than any file can hold"),
        (_npy("(1000000, 1000000)"), "but only 0 bytes follow"),
        (_npy("(3,)", rest=bytes(11)), "but only 11 bytes follow"),
        (_npy("(-1,)"), "must hold one matrix"),
        (_npy("(" + "1, " * 40 + ")", rest=bytes(4)), "more than any file can hold"),
        (_npy("(2,)", "'|O'", rest=pickle.dumps([1, 2])), "pickled objects are not read"),
        (_npy("(2,)", "'<U4'", rest=bytes(32)), "must hold real numbers"),
        (_npy("(2,)", "'<c8'", rest=bytes(16)), "must hold real numbers"),
        (_npy("(2,)", "'<f3'", rest=bytes(16)), "must hold real numbers"),
        (_npy("(2,)", "[('a', '<f4')]", rest=bytes(8)), "must hold one matrix"),
        (_npy("__import__('os').abort()"), "must hold one matrix"),
        (_npy("(" * 9000), "must hold one matrix"),
        (_npy("(2,)", version=2)[:11] + b"\xff" + bytes(50), "a header that numpy.save does not write"),
        (pickle.dumps(print), "not a matrix"),
    ],
)
def test_a_matrix_that_is_none_is_refused_by_its_header(file, data, message):
    path = file(data, "m.npy")
    with pytest.raises(DataError, match=message):
        npy.load(path)
    with pytest.raises(DataError, match=r"m\.npy"):
        read_outside_block(path, file(b"a\nb\n", "names.txt"))


def test_numbers_beyond_float32_are_refused_without_a_warning(file, tmp_path):
    np.save(tmp_path / "m.npy", np.array([[1e300, 1.0]]))
    with pytest.raises(DataError, match="must be finite, got 1 NaN or infinite"):
        read_outside_block(tmp_path / "m.npy", file(b"a\n"))


# The readers of lists.


@pytest.mark.parametrize(
    ("reader", "data", "message"),
    [
        (read_boxes, b"9" * 5000 + b" 1 2 3 4 0.5", "line 1: the frame must have at most 9 digits, got 5000"),
        (read_boxes, b"0 " + b"9" * 5000 + b" 2 3 4 0.5", "line 1: expected finite numbers"),
        (read_boxes, b"0 1 1 1e300 1e300 0.5", "line 1: expected numbers of at most 1e\\+09"),
        (read_boxes, b"0 x\x1b[2J", "line 1: expected numbers"),
        (read_boxes, "٣ 1 2 3 4 0.5".encode(), None),
        (read_classes, b"9" * 5000 + b" Class", "line 1: expected 1 and a class"),
        (read_sequences, b"person01_boxing_d1\tframes\t1-" + b"9" * 5000, "expected personPP"),
        (read_recipes, b"[a]\nk = " + b"9" * 5000, "k: expected"),
        (read_recipes, b"[a]\nk = 1\n[a]\n", "no file of recipes"),
        (read_recipes, b"[DEFAULT]\na = %(a)s\n[x]\nk = %(a)s", r"\[x\]"),
        (read_recipes, b"x" * (1 << 21), "holds 2,097,152 bytes, expected at most 1,048,576"),
    ],
)
def test_numbers_of_thousands_of_digits_are_refused(file, reader, data, message):
    if message is None:
        assert list(reader(file(data)).frames) == [3]
        return
    with pytest.raises(DataError, match=message) as raised:
        reader(file(data))
    assert str(raised.value).isprintable()
    assert len(str(raised.value)) <= 1000


def test_a_long_number_is_no_camera(tmp_path):
    assert camera_or_path("0") == 0
    assert camera_or_path("9" * 5000) == "9" * 5000
    assert camera_or_path("99999999999") == "99999999999"


def test_a_pattern_of_brackets_is_refused_at_once(file):
    with pytest.raises(DataError, match="at most 4096 characters, got 100000"):
        plan([f"@{file(b'[' * 100_000)}"], "out/")


def test_a_malformed_line_of_a_set_is_shown_short(file, tmp_path):
    for side in ("train",):
        file(b"x" * 500_000, f"AnswerPhone_{side}.txt")
    with pytest.raises(DataError, match="expected a clip") as raised:
        read_hollywood2(tmp_path, "train")
    assert len(str(raised.value)) <= 1000


@pytest.mark.parametrize(
    "content",
    ["[" * 5000, "null", "[]", '{"s": 3}', '{"s": {"key": 1}}', '{"s": {"key": "K", "seconds": "x", "memory": 1}}',
     '{"s": {"key": "K", "seconds": NaN, "memory": 1}}', '{"s": {"key": "K"}}'],
)  # fmt: skip
def test_a_ledger_that_is_none_is_forgotten(tmp_path, content):
    stage = Stage("s", tmp_path, {"a": 1})
    (tmp_path / "cost.json").write_text(content.replace("K", cost_ledger._key(stage.made_of)))
    assert cost_ledger.recorded(stage) == Cost()


@pytest.mark.parametrize("content", ["[" * 5000, '{"settings": 1}', "[]", "9" * 5000, "", '{"settings": {"a": NaN}}'])
def test_a_report_that_is_none_is_refused_or_replaced(tmp_path, content):
    path = tmp_path / "report.json"
    path.write_text(content)
    with pytest.raises(DataError, match=re.escape(str(path))):
        earlier_report(path, {"a": 2})
    # To overwrite it, it must be one of ours at least.
    with contextlib.suppress(DataError):
        assert earlier_report(path, {"a": 2}, overwrite=True) is None


def test_a_file_that_holds_something_is_told(file, tmp_path):
    assert text.holds(file(b"abc"), b"abc")
    assert not text.holds(file(b"abc"), b"abd")
    assert not text.holds(file(b"abcd"), b"abc")
    assert not text.holds(tmp_path / "none", b"")
    assert not text.holds(tmp_path, b"")


def test_checks_cost_little(file):
    """A list of 200,000 labels is read in about the time that it takes to split it."""
    data = "".join(f"walk/v_walk_g{i:06}_c01,walk\n" for i in range(100_000))
    path = file(data.encode())
    began = time.perf_counter()
    assert len(read_labels(path)) == 100_000
    assert time.perf_counter() - began < SOON
