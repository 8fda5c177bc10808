"""`convert` and `idt.features.release`: the forms that others wrote, in and out."""

import gzip
import struct

import h5py
import numpy as np
import pytest

from idt import DataError, ExtractionParams, load
from idt.features import feature_file
from idt.features.convert import convert, read_binary, read_text, write_binary, write_text
from idt.features.release import rows as release_rows
from tests import golden
from tests.reference import convert as reference
from tests.samples import assert_same_features, random_features

ROW = 466 * 4


def text_row(**changed):
    """A valid line of 436 columns: 15, then zeros; ``c3="x"`` changes the third."""
    fields = ["15"] + ["0.000000"] * 435
    for column, value in changed.items():
        fields[int(column[1:]) - 1] = value
    return "\t".join(fields) + "\t\n"


def unpacked(path):
    return gzip.decompress(path.read_bytes())


# Text.


def test_the_file_of_the_authors_is_read_column_by_column():
    features = read_text(golden.authors())
    assert len(features) == 2001
    # The first line of the published file.
    assert features.frame[0] == 15
    np.testing.assert_array_equal(features.mean[0], np.float32([61.100849, 29.099087]))
    np.testing.assert_array_equal(features.std[0], np.float32([4.769538, 2.993338]))
    assert features.length[0] == np.float32(38.848591)
    assert features.scale[0] == 1
    np.testing.assert_array_equal(features.position[0], np.float32([0.381880, 0.242492, 0.020833]))
    np.testing.assert_array_equal(features.trajectory[0, :2], np.float32([-0.017498, -0.005364]))
    np.testing.assert_array_equal(features.hog[0, :2], np.float32([0.0867729, 0.0851668]))
    assert (features.points, features.camera, features.params, features.width) == (None, None, None, None)


@pytest.mark.slow
def test_every_number_of_the_authors_is_the_nearest_float32():
    expected = reference.text_rows(unpacked(golden.authors()).decode())
    np.testing.assert_array_equal(read_text(golden.authors()).to_numpy(), expected)


def test_text_of_the_authors_is_written_as_they_wrote_it(tmp_path):
    write_text(read_text(golden.authors()), tmp_path / "f.txt")
    assert (tmp_path / "f.txt").read_bytes() == unpacked(golden.authors())


@pytest.mark.slow
def test_text_to_hdf5_and_back_is_the_same_text(tmp_path):
    count, notes = convert(golden.authors(), tmp_path / "f.h5")
    assert count == 2001
    assert notes == [f"text of 436 columns holds no points and no camera: absent in {tmp_path / 'f.h5'}"]
    assert convert(tmp_path / "f.h5", tmp_path / "f.txt.gz") == (2001, [])
    assert unpacked(tmp_path / "f.txt.gz") == unpacked(golden.authors())


def test_numbers_keep_the_decimals_of_the_release_where_these_determine_them(tmp_path):
    features = random_features(1)
    features.mean[0] = [61.100849, 1 / 3]
    features.hog[0, :3] = [0.0867729, 1e-9, 0.25]
    write_text(features, tmp_path / "f.txt")
    fields = (tmp_path / "f.txt").read_text().split("\t")
    assert len(fields) == 437
    assert fields[436] == "\n"
    assert fields[0] == str(features.frame[0])
    assert fields[1:3] == ["61.100849", "0.333333343"]
    assert fields[40:43] == ["0.0867729", "9.99999972e-10", "0.2500000"]


def test_the_text_of_any_float32_is_read_back_as_it(tmp_path):
    features = random_features(200)
    bits = np.random.default_rng(1).integers(0, 2**32, (200, 96), dtype=np.uint32).view(np.float32)
    features.hog = np.where(np.isfinite(bits), bits, np.float32(0))
    write_text(features, tmp_path / "f.txt.gz")
    again = read_text(tmp_path / "f.txt.gz")
    np.testing.assert_array_equal(again.to_numpy().view(np.uint32), features.to_numpy().view(np.uint32))
    for i in (0, 199):
        np.testing.assert_array_equal(again.to_numpy()[i], reference.numbers(features, i, points=0))


def test_gzipped_text_is_the_same_every_time(tmp_path):
    for name in ("a.txt.gz", "b.txt.gz"):
        write_text(random_features(3), tmp_path / name)
    assert (tmp_path / "a.txt.gz").read_bytes() == (tmp_path / "b.txt.gz").read_bytes()


def test_blanks_and_empty_lines_do_not_matter(tmp_path):
    plain, spaced = text_row(), "\r\n" + text_row().replace("\t", "  ") + "\n\n" + text_row().rstrip()
    (tmp_path / "a.txt").write_text(plain + plain)
    (tmp_path / "b.txt").write_text(spaced)
    assert_same_features(read_text(tmp_path / "a.txt"), read_text(tmp_path / "b.txt"))


@pytest.mark.parametrize("block", [1, 7, 10, 1024])
def test_blocks_do_not_change_what_is_read(tmp_path, block):
    features = random_features(10)
    write_text(features, tmp_path / "f.txt")
    write_binary(features, tmp_path / "f.bin")
    for path in ("f.txt", "f.bin"):
        parts = list(release_rows.read_blocks(tmp_path / path, rows=block))
        np.testing.assert_array_equal(np.concatenate([part.to_numpy() for part in parts]), features.to_numpy())
        assert max(len(part) for part in parts) <= block


# Binary rows.


def test_a_binary_row_is_what_the_specification_says(tmp_path):
    features = random_features(3)
    write_binary(features, tmp_path / "f.bin")
    written = reference.binary_rows((tmp_path / "f.bin").read_bytes())
    assert written == [reference.numbers(features, i, points=15) for i in range(3)]


def test_binary_rows_are_read_column_by_column(tmp_path):
    (tmp_path / "f.bin").write_bytes(struct.pack("<466f", *range(466)))
    features = read_binary(tmp_path / "f.bin")
    assert features.frame.tolist() == [0]
    assert features.mean.tolist() == [[1, 2]]
    assert features.scale.tolist() == [6]
    assert features.position.tolist() == [[7, 8, 9]]
    np.testing.assert_array_equal(features.points[0].ravel(), range(10, 40))
    np.testing.assert_array_equal(features.trajectory[0], range(40, 70))
    np.testing.assert_array_equal(features.hog[0], range(70, 166))
    np.testing.assert_array_equal(features.hof[0], range(166, 274))
    np.testing.assert_array_equal(features.mbhx[0], range(274, 370))
    np.testing.assert_array_equal(features.mbhy[0], range(370, 466))
    assert features.camera is None


def test_binary_to_hdf5_and_back_gives_the_same_bytes(tmp_path):
    write_binary(random_features(1500), tmp_path / "f.bin")
    assert convert(tmp_path / "f.bin", tmp_path / "f.h5")[0] == 1500
    assert load(tmp_path / "f.h5").points.shape == (1500, 15, 2)
    assert convert(tmp_path / "f.h5", tmp_path / "g.bin") == (1500, [])
    assert (tmp_path / "f.bin").read_bytes() == (tmp_path / "g.bin").read_bytes()


# Conversion.


def test_what_a_form_cannot_hold_is_said(tmp_path):
    features = random_features(5)
    feature_file.save(features, tmp_path / "f.h5", float32=True)
    assert convert(tmp_path / "f.h5", tmp_path / "f.txt") == (
        5,
        [
            "text of 436 columns cannot hold the parameters: left out",
            "text of 436 columns cannot hold the camera's motion: left out",
            "text of 436 columns cannot hold the points: left out",
        ],
    )
    assert convert(tmp_path / "f.h5", tmp_path / "f.bin")[1][-1] == (
        "float32 rows of 466 numbers cannot hold the last point of each track: left out"
    )
    assert convert(tmp_path / "f.bin", tmp_path / "g.features.gz") == (5, ["points were left out"])
    np.testing.assert_array_equal(load(tmp_path / "f.bin").points, features.points[:, :15])
    np.testing.assert_array_equal(load(tmp_path / "g.features.gz").to_numpy(), features.to_numpy())


def test_an_imported_file_says_where_it_comes_from_and_is_then_up_to_date(tmp_path):
    source, target = tmp_path / "f.txt", tmp_path / "f.h5"
    write_text(random_features(5), source)
    convert(source, target)
    with h5py.File(target) as file:
        assert file.attrs["params"] == b"null"
        assert file["descriptors/hog"].dtype == np.float32
    recorded = load(target).source
    assert (recorded["kind"], recorded["name"], recorded["bytes"]) == (
        "text of 436 columns",
        "f.txt",
        source.stat().st_size,
    )
    before = target.stat().st_mtime_ns
    assert convert(source, target) == (5, [f"{target} is up to date"])
    assert target.stat().st_mtime_ns == before
    write_text(random_features(6), source, overwrite=[source])
    with pytest.raises(DataError, match="was made from a source with digest"):
        convert(source, target)
    assert convert(source, target, overwrite=True)[0] == 6


@pytest.mark.parametrize("name", ["f.txt", "f.txt.gz", "f.bin"])
def test_no_tracks_are_a_complete_file_in_every_form(tmp_path, name):
    feature_file.save(random_features(0), tmp_path / "f.h5")
    assert convert(tmp_path / "f.h5", tmp_path / name)[0] == 0
    assert convert(tmp_path / name, tmp_path / "g.h5")[0] == 0
    assert len(load(tmp_path / name)) == len(load(tmp_path / "g.h5")) == 0
    assert load(tmp_path / "g.h5").hog.shape == (0, 96)


# Refusals.


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "message"),
    [
        (text_row() + "15\t0.5\n", "line 2 must have 436 columns, got 2"),
        (text_row() + "\n" + text_row().rstrip() + "\t0.1\n", "line 3 must have 436 columns, got 437"),
        ("15 0.5\n" * 3, "line 1 must have 436 columns, got 2"),
        (text_row() * 3 + text_row(c41="0,5"), "line 4, column 41 must be a number, got 0,5"),
        (text_row(c41="0x1"), "line 1, column 41 must be a number, got 0x1"),
        (text_row() + text_row(c2="nan"), "line 2, column 2 must be a finite float32, got nan"),
        (text_row(c2="1e39"), "line 1, column 2 must be a finite float32, got inf"),
        (text_row() + text_row(c1="15.5"), r"track 2 must begin with the index of a frame, got 15\.5"),
        (text_row(c1="3e9"), "track 1 must begin with the index of a frame"),
        (text_row() * 1100 + "x\n", "line 1101 must have 436 columns, got 1"),
        ("1" * 10**5, "line 1 must not be longer than 27904 bytes"),
    ],
)
def test_lines_that_are_not_of_the_form_are_refused_with_their_number(tmp_path, text, message):
    for path in (tmp_path / "f.txt", tmp_path / "f.txt.gz"):
        path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
        with pytest.raises(DataError, match=message):
            read_text(path)
        with pytest.raises(DataError, match=message):
            convert(path, tmp_path / "f.h5")
    assert not (tmp_path / "f.h5").exists()


def test_a_damaged_gzip_file_is_refused(tmp_path):
    whole = bytearray(gzip.compress(text_row().encode() * 200))
    (tmp_path / "cut.gz").write_bytes(whole[:-20])
    whole[-8] ^= 1
    (tmp_path / "sum.gz").write_bytes(whole)
    (tmp_path / "bytes.gz").write_bytes(whole[:12] + bytes(40))
    for name in ("cut.gz", "sum.gz", "bytes.gz"):
        with pytest.raises(DataError, match=f"{name} is not a whole gzip file"):
            load(tmp_path / name)


def test_binary_data_of_the_wrong_size_is_refused(tmp_path):
    (tmp_path / "f.bin").write_bytes(bytes(2 * ROW + 4))
    for read in (read_binary, load):
        with pytest.raises(
            DataError, match=r"float32 rows of 466 numbers: expected a multiple of 1864 bytes, got 3732"
        ):
            read(tmp_path / "f.bin")


def test_binary_rows_that_are_not_finite_are_refused_with_their_number(tmp_path):
    values = np.zeros((1300, 466), "<f4")
    values[1200, 4] = np.nan
    values.tofile(tmp_path / "f.bin")
    with pytest.raises(DataError, match=r"row 1201, column 5 must be a finite float32, got nan"):
        read_binary(tmp_path / "f.bin")


def test_one_form_is_not_read_as_the_other(tmp_path):
    (tmp_path / "f.txt").write_text(text_row())
    (tmp_path / "f.bin").write_bytes(bytes(ROW))
    with pytest.raises(DataError, match="must be float32 rows of 466 numbers, got text"):
        read_binary(tmp_path / "f.txt")
    with pytest.raises(DataError, match="must be text of 436 columns, got binary data"):
        read_text(tmp_path / "f.bin")


def test_a_missing_file_is_an_error_of_the_disk(tmp_path):
    for act in (load, read_text, read_binary, lambda path: convert(path, tmp_path / "f.h5")):
        with pytest.raises(FileNotFoundError):
            act(tmp_path / "none.txt")


def test_a_target_of_unknown_form_is_refused(tmp_path):
    (tmp_path / "f.txt").write_text(text_row())
    for name in ("f.csv", "f", "f.gz", "f.h5.gz", "f.bin.gz"):
        with pytest.raises(DataError, match=r"must end in one of \.h5, \.hdf5, \.bin, \.txt"):
            convert(tmp_path / "f.txt", tmp_path / name)


def test_hdf5_is_not_converted_to_hdf5(tmp_path):
    feature_file.save(random_features(1), tmp_path / "f.h5")
    with pytest.raises(DataError, match="is HDF5 already"):
        convert(tmp_path / "f.h5", tmp_path / "g.h5")


def test_what_the_forms_need_is_refused_with_the_reason(tmp_path):
    write_text(random_features(3), tmp_path / "f.txt")
    for source in ("f.txt", "g.h5"):
        if source == "g.h5":
            convert(tmp_path / "f.txt", tmp_path / source)
        with pytest.raises(DataError, match="no points: text of 436 columns does not hold it"):
            convert(tmp_path / source, tmp_path / "f.bin")
    feature_file.save(random_features(3, params=ExtractionParams(length=10)), tmp_path / "l.h5")
    with pytest.raises(DataError, match="layout of the default parameters only, got trajectory of 20; make an"):
        convert(tmp_path / "l.h5", tmp_path / "l.txt")
    feature_file.save(random_features(3, timed=False), tmp_path / "t.h5")
    with pytest.raises(DataError, match="needs time positions"):
        convert(tmp_path / "t.h5", tmp_path / "t.bin")
    features = random_features(1, timed=True)
    features.frame[0] = 2**24 + 1
    with pytest.raises(DataError, match="frame indices up to 16777216"):
        write_binary(features, tmp_path / "f.bin")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["f.txt", "g.h5", "l.h5", "t.h5"]


def test_an_existing_target_is_refused(tmp_path):
    write_text(random_features(3), tmp_path / "f.txt")
    for name in ("f.bin", "g.bin"):
        write_binary(random_features(3), tmp_path / name)
    for target in ("f.txt", "g.bin"):
        with pytest.raises(DataError, match=r"exists and is not one of .*; use another path, or --force"):
            convert(tmp_path / "f.bin", tmp_path / target)
    (tmp_path / "f.h5").write_text("my notes")
    for overwrite in (False, True):
        with pytest.raises(DataError, match=r"f.h5 .*is not one of .*--force"):
            convert(tmp_path / "f.bin", tmp_path / "f.h5", overwrite=overwrite)
    assert convert(tmp_path / "f.bin", tmp_path / "f.h5", overwrite=[tmp_path / "f.h5"])[0] == 3
