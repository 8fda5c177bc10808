"""Rows as text, packed by gzip, bzip2 or xz, with a byte order mark, or in UTF-16: what is read and what is refused."""

import bz2
import gzip
import lzma

import pytest

import idt
from encoding.descriptors.feature_files import names_of
from idt.errors import DataError
from idt.features.convert import write_text
from idt.features.release import rows as release_rows
from idt.files import unpack
from tests.samples import random_features

FORMS = {"gzip": gzip, "bzip2": bz2, "xz": lzma}

PADDING = {"gzip": bytes(512), "bzip2": bytes(512), "xz": bytes(512)}


def packed(data, form="gzip"):
    """Packed without a time, so that the tests have the same names in every process."""
    return gzip.compress(data, mtime=0) if form == "gzip" else FORMS[form].compress(data)


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    """Some rows of the release as text."""
    path = tmp_path_factory.mktemp("rows") / "rows.txt"
    write_text(random_features(7), path)
    return path.read_bytes()


@pytest.fixture
def same(file, rows):
    """Whether a file reads as the rows do."""
    plain = idt.load(file(rows, "plain.txt"))

    def same(data, name="f.txt"):
        found = idt.load(file(data, name))
        return all(found.columns()[key].tobytes() == values.tobytes() for key, values in plain.columns().items())

    return same


def test_a_byte_order_mark_and_utf_16_are_read(same, rows):
    text = rows.decode()
    assert same(text.encode("utf-8-sig"))
    assert same(text.encode("utf-16"))
    assert same(b"\xff\xfe" + text.encode("utf-16-le"))
    assert same(b"\xfe\xff" + text.encode("utf-16-be"))
    # As a spreadsheet of Windows saves it.
    assert same(text.replace("\n", "\r\n").encode("utf-16"))
    for form in FORMS:
        assert same(packed(text.encode("utf-16"), form))
        assert same(packed(text.encode("utf-8-sig"), form))


@pytest.mark.parametrize("form", FORMS)
def test_packed_rows_are_read_whatever_their_suffix(same, rows, form):
    for name in ("f.txt", "f.txt.gz", "f"):
        assert same(packed(rows, form), name)


@pytest.mark.parametrize("form", FORMS)
def test_pieces_and_padding_are_one_file(same, rows, form):
    lines = rows.splitlines(keepends=True)
    assert same(b"".join(packed(piece, form) for piece in [b"", *lines, b"\n"]) + PADDING[form])


@pytest.mark.parametrize(("suffix", "form"), [("gz", "gzip"), ("bz2", "bzip2"), ("xz", "xz")])
def test_the_suffixes_of_packed_rows_are_no_part_of_a_video_s_name(file, rows, suffix, form, command, tmp_path):
    files = [file(packed(rows, form), f"{name}.{suffix}") for name in ("a.txt", "b.features")]
    assert names_of(files) == ["a", "b"]
    command("idt-convert", files[0], "-o", tmp_path / "a.h5")
    assert len(idt.load(tmp_path / "a.h5")) == 7


def test_no_rows_in_any_coat_are_no_rows(file):
    for data in (b"\xef\xbb\xbf", "\n".encode("utf-16"), b"\xff\xfe", *(packed(b"", form) for form in FORMS)):
        assert len(idt.load(file(data))) == 0


@pytest.mark.parametrize("blank", [b"\n", b" \t \r\n", b" " * 20_000 + b"\n"])
def test_blank_lines_without_end_are_refused(file, rows, blank):
    many = blank * (40_000_000 // len(blank))
    for data in (gzip.compress(many, 1), gzip.compress(rows + many, 1), many[:4_000_000]):
        with pytest.raises(DataError, match=r"too many blank ones|more than 200 times its size"):
            idt.load(file(data, "blank.gz"))


@pytest.mark.parametrize("form", FORMS)
def test_a_bomb_is_refused_while_it_unpacks(file, rows, form):
    data = packed(b"1" * 60_000_000, form)
    given = []
    with open(file(data, "bomb"), "rb") as raw:
        unpacked = unpack.Unpacked(raw, "bomb", form)
        parts = iter(lambda: unpacked.read(1 << 16), b"")
        with pytest.raises(DataError, match="more than 200 times its size"):
            given.extend(map(len, parts))
    assert sum(given) <= unpack.EXPANSION * len(data) + unpack.SLACK
    # Of what is packed like text of numbers nothing is held back.
    assert sum(map(len, release_rows.read_blocks(file(packed(rows * 30, form), "rows")))) == 210


def test_xz_that_would_take_the_memory_to_unpack_is_refused(file, rows):
    hungry = [{"id": lzma.FILTER_LZMA2, "dict_size": 2 * unpack.MEMORY}]
    data = lzma.compress(rows, filters=hungry)
    # The head says it, before a byte is unpacked; xz -9 is read.
    with pytest.raises(DataError, match="takes more than 128 MB to unpack"):
        idt.load(file(data))
    assert len(idt.load(file(lzma.compress(rows, preset=9)))) == 7


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (packed(b"") * (unpack.EMPTY + 2), "packed pieces without content"),
        (packed(b"x" * 5000)[:-9], "ends in the middle"),
        (packed(b"1")[:5], "ends in the middle"),
        (packed(b"1") + b"garbage", "not a whole gzip file"),
        (packed(bytes(range(65, 90)))[:-5] + b"12345", "incorrect"),
        (b"\x1f\x8b", "ends in the middle"),
        (b"\x1f\x8b\x08\xff" + b"x" * 100_000, "not a whole gzip file"),
        (packed(b"1\t" * 40_000), "line 1 must not be longer than"),
        (packed(b"", "bzip2") * (unpack.EMPTY + 2), "packed pieces without content"),
        (packed(b"x" * 5000, "bzip2")[:-3], "ends in the middle"),
        (b"BZh9" + b"x" * 100, "not a whole bzip2 file"),
        (packed(b"1", "bzip2") + b"garbage", "not a whole bzip2 file"),
        (packed(b"x" * 5000, "xz")[:-3], "ends in the middle"),
        (b"\xfd7zXZ\0" + b"x" * 100, "not a whole xz file"),
        (packed(b"1\t" * 40_000, "xz"), "line 1 must not be longer than"),
        (("1\t" * 3000).encode("utf-16") + b"\0", "not whole UTF-16 text: truncated data"),
        (("1\t" * 3000).encode("utf-16") + b"\0\xd8\n\0", "not whole UTF-16 text: illegal"),
        ("1\t".encode("utf-16") + b"\0", "neither HDF5 nor text"),
        ("1\t2\n".encode("utf-16"), "line 1 must have 436 columns, got 2"),
    ],
)
def test_what_is_damaged_is_refused(file, data, message):
    with pytest.raises(DataError, match=message):
        idt.load(file(data, "f.gz"))
