import dataclasses
import shutil
from pathlib import Path

import pytest

import idt
from encoding.descriptors.feature_files import find, header, names_of
from idt.errors import DataError
from tests.hdf5_files import opened, set_text
from tests.samples import random_features


def write(path, *, name=None, n=5, **options):
    features = random_features(n, **options)
    if name is not None:
        features = dataclasses.replace(features, source={**features.source, "name": name})
    path.parent.mkdir(parents=True, exist_ok=True)
    idt.save(features, path)
    return path


def test_files_are_named_by_their_path_relative_to_the_others(tmp_path):
    files = [write(tmp_path / name) for name in ("walk/ann.h5", "walk/bob.h5", "hop/ann.h5")]
    assert names_of(files) == ["walk/ann", "walk/bob", "hop/ann"]
    assert names_of(files[:2]) == ["ann", "bob"]
    assert names_of([tmp_path / "walk" / "ann.h5"]) == ["ann"]


def test_files_where_their_extraction_put_them_keep_the_recorded_name(tmp_path):
    files = [write(tmp_path / f"{name}.h5", name=name) for name in ("walk/ann", "walk/bob", "hop/ann")]
    for part in (files, files[:2], files[2:]):
        assert names_of(part) == [path.relative_to(tmp_path).with_suffix("").as_posix() for path in part]
    # One that was renamed: all go by their paths.
    moved = Path(shutil.copy(files[1], tmp_path / "walk" / "eve.h5"))
    assert names_of([files[0], moved]) == ["ann", "eve"]
    # Extracted one by one, all have the name of the file alone, which does not tell them apart.
    alone = [write(tmp_path / "alone" / f"{part}.h5", name="ann") for part in ("walk/ann", "hop/ann")]
    assert names_of(alone) == ["walk/ann", "hop/ann"]


def test_suffixes_of_all_kinds_of_files_are_left_away(tmp_path):
    for name in ("a.txt.gz", "b.v2.bin", "c.txt"):
        (tmp_path / name).write_bytes(b"")
    assert names_of([tmp_path / name for name in ("a.txt.gz", "b.v2.bin", "c.txt")]) == ["a", "b.v2", "c"]


def test_a_folder_stands_for_its_feature_files_and_not_for_our_other_results(tmp_path):
    files = [write(tmp_path / name) for name in ("b.h5", "a/c.h5")]
    with opened(tmp_path / "vectors.h5", "w") as file:
        set_text(file, "format", "idt-vectors")
    (tmp_path / "notes.txt").write_text("no features")
    assert find([str(tmp_path)]) == [files[1], files[0]]
    assert find([str(tmp_path / "*.h5")]) == [files[0], tmp_path / "vectors.h5"]
    assert find([str(tmp_path / "a"), str(files[0])]) == [files[1], files[0]]


def test_what_stands_for_no_file_is_refused(tmp_path):
    write(tmp_path / "a.h5")
    (tmp_path / "empty").mkdir()
    for words, message in (
        (["empty"], "empty is a folder without feature files"),
        (["nothing.h5"], "nothing.h5 does not exist"),
        (["*.bin"], r"\*.bin does not exist"),
        (["a.h5", "a.*"], "a.h5 is given twice"),
    ):
        with pytest.raises(DataError, match=message):
            find([str(tmp_path / word) for word in words])
    (tmp_path / "a.txt").write_text("")
    with pytest.raises(DataError, match=r"a.txt and .*a.h5 have one name, 'a'"):
        names_of([tmp_path / "a.h5", tmp_path / "a.txt"])
    with opened(tmp_path / "other.h5", "w") as file:
        set_text(file, "format", "netcdf")
    with pytest.raises(DataError, match=r"other.h5 has format 'netcdf', expected 'idt-features'"):
        header(tmp_path / "other.h5")
