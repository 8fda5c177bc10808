"""Messages for a caller's mistake: one line, of limited length, with the nearest known option."""

import pickle

import numpy as np
import pytest

import idt
from encoding.params import EncodingParams
from idt.checks import type_and_shape
from idt.cli import extract
from idt.errors import LONGEST_MESSAGE, DataError, did_you_mean, one_line, short_repr, unknown_option
from tests.commands import refused, run_command


class Frame:
    """Something whose repr has several lines, as that of a table."""

    def __repr__(self):
        return "   a  b\n0  1  2\n1  3  4\n\n[2 rows x 2 columns]"


class Broken:
    """Something that cannot be shown."""

    def __repr__(self):
        raise RuntimeError("no repr")


STRANGE = [
    np.arange(6).reshape(3, 2),
    np.zeros((200, 300)),
    Frame(),
    Broken(),
    "two\nlines",
    {"a": Frame()},
    b"\0" * 999,
]


def test_lines_are_joined_and_a_long_text_loses_its_middle():
    assert one_line("a\n   b\r\n\n c", 60) == "a b  c"
    assert one_line("two  spaces.avi", 60) == "two  spaces.avi"
    assert one_line("0123456789" * 10, 20) == "012345678901 … 56789"
    assert len(one_line("x" * 99, 20)) == 20
    assert one_line("x" * 20, 20) == "x" * 20


def test_a_message_is_one_line_whatever_it_shows():
    message = str(DataError(f"frames must be paths, got {Frame()}"))
    assert message == "frames must be paths, got    a  b 0  1  2 1  3  4  [2 rows x 2 columns]"
    assert len(str(DataError("x" * 9999))) == LONGEST_MESSAGE


def test_an_error_survives_the_way_between_processes():
    error = pickle.loads(pickle.dumps(DataError("one\ntwo")))
    assert (type(error), str(error)) == (DataError, "one two")
    assert str(DataError()) == ""


def test_what_has_no_repr_is_named_by_its_type():
    assert short_repr(Broken()) == "<Broken>"
    assert type_and_shape(Broken()) == "Broken <Broken>"
    assert short_repr("a" * 100) == "'" + "a" * 37 + " … " + "a" * 18 + "'"


@pytest.mark.parametrize("value", STRANGE, ids=lambda value: type(value).__name__)
def test_strange_arguments_are_refused_in_one_line(value):
    calls = [
        lambda: idt.extract(value),
        lambda: idt.extract([value]),
        lambda: idt.extract([np.zeros((64, 64), np.uint8)], preset=value),
        lambda: idt.extract([np.zeros((64, 64), np.uint8)], threads=value),
        *(lambda name=name: idt.ExtractionParams(**{name: value}) for name in vars(idt.ExtractionParams())),
    ]
    for call in calls:
        with pytest.raises((DataError, OSError)) as raised:
            call()
        assert "\n" not in str(raised.value)
        assert len(str(raised.value)) < 300


def test_an_unknown_option_names_the_nearest_or_all():
    assert unknown_option("lenght", ["length", "stride"]) == "unknown option lenght; did you mean length?"
    assert unknown_option("colour", ["length", "stride"]) == "unknown option colour; known are length, stride"
    assert did_you_mean("colour", ["length"]) == ""


def test_parameters_name_the_nearest_option():
    with pytest.raises(DataError, match=r"^unknown option strid; did you mean stride\?$"):
        idt.ExtractionParams.from_options(strid=3)
    with pytest.raises(DataError, match=r"^unknown option whitten; did you mean whiten\?$"):
        EncodingParams.from_options(whitten=True)


@pytest.mark.parametrize(
    ("words", "pattern"),
    [
        (["--lenght", "5"], r"unrecognized arguments: --lenght 5; did you mean --length\?; see"),
        (["--lenght=5"], r"unrecognized arguments: --lenght=5; did you mean --length\?; see"),
        (["--colours"], r"unrecognized arguments: --colours; see idt-extract --help$"),
    ],
)
def test_commands_name_the_nearest_option(monkeypatch, capsys, words, pattern):
    result = run_command(monkeypatch, capsys, extract, "idt-extract", "a.avi", "-o", "a.h5", *words, status=2)
    assert refused(result, pattern)
