import h5py
import numpy as np
import pytest

import idt
from encoding.descriptors import sources
from encoding.descriptors.feature_files import header
from encoding.descriptors.sources import Inputs, columns_of, combined, digests, rows_of
from idt import layout
from idt.errors import DataError
from idt.features import release_rows
from idt.params import ExtractionParams
from tests.samples import random_features

SIZES = layout.block_sizes()


def write(path, **options):
    idt.save(random_features(5, **options), path)
    return path


def test_all_three_kinds_of_files_give_the_same_rows(tmp_path):
    features = random_features(12, foreign="binary")
    idt.save(features, tmp_path / "a.h5")
    release_rows.write_text(features, tmp_path / "a.txt.gz")
    release_rows.write_binary(features, tmp_path / "a.bin")
    expected = features.to_numpy()[:, layout.INFO_COLUMNS :]
    for path in ("a.h5", "a.txt.gz", "a.bin"):
        np.testing.assert_array_equal(np.concatenate([*rows_of(tmp_path / path, "a", SIZES)]), expected)
    np.testing.assert_array_equal(np.concatenate([*rows_of(features, "a", SIZES)]), expected)
    some = {name: SIZES[name] for name in ("hog", "mbhy")}
    found = np.concatenate([*rows_of(tmp_path / "a.txt.gz", "a", some)])
    np.testing.assert_array_equal(found[:, columns_of(some)["hog"]], features.hog)
    np.testing.assert_array_equal(found[:, columns_of(some)["mbhy"]], features.mbhy)


def test_rows_come_in_pieces_of_one_size(monkeypatch, tmp_path):
    monkeypatch.setattr(sources, "ROWS", 7)
    features = random_features(20)
    idt.save(features, tmp_path / "a.h5")
    for item in (tmp_path / "a.h5", features, np.zeros((20, 426), np.float32)):
        sizes = {"descriptors": 426} if isinstance(item, np.ndarray) else SIZES
        assert [len(part) for part in rows_of(item, "a", sizes)] == [7, 7, 6]
    assert [part.shape for part in rows_of(features.take(slice(0, 0)), "a", SIZES)] == [(0, 426)]


def test_the_stretch_of_a_video_is_no_difference_of_parameters(tmp_path):
    files = [
        write(tmp_path / f"{start}.h5", params=ExtractionParams(start=start, end=start + 30)) for start in (0, 100)
    ]
    assert Inputs.of(files).params == header(write(tmp_path / "whole.h5")).params


def test_the_digest_is_of_names_contents_and_order(tmp_path):
    files = [write(tmp_path / "a.h5"), write(tmp_path / "b.h5", seed=1)]
    found = digests(files, ["a", "b"])
    assert found["a"] != found["b"]
    assert combined(found) == combined(digests(files, ["a", "b"]))
    others = [digests(files, ["a", "c"]), digests(files[::-1], ["a", "b"]), digests(files[::-1], ["b", "a"])]
    assert len({combined(other) for other in [found, *others]}) == 4


def test_mixed_parameters_are_refused_with_files_and_parameters(tmp_path):
    one = write(tmp_path / "one.h5")
    other = write(tmp_path / "other.h5", params=ExtractionParams(stride=7, camera=False))
    with pytest.raises(
        DataError, match=r"one.h5 with stride=5, camera=True and .*other.h5 with stride=7, camera=False; extract"
    ):
        Inputs.of([one, one.with_name("other.h5")])
    release_rows.write_text(random_features(3, foreign="text"), tmp_path / "theirs.txt")
    with pytest.raises(DataError, match=r"other.h5 with recorded parameters and .*theirs.txt with no recorded"):
        Inputs.of([other, tmp_path / "theirs.txt"])


def test_what_is_no_list_of_videos_is_refused(tmp_path):
    features, array = random_features(3), np.zeros((3, 4), np.float32)
    for wrong, message in (
        ([], "all of one kind, got none"),
        ([array, features], "got Features and arrays"),
        ([array, np.zeros((3, 5))], "equally many columns, got 4 and 5"),
        ([np.zeros(3)], r"video 0 must be a feature file.*float64 of shape \(3,\)"),
        ("features.h5", "must be a list"),
        (features, "must be a list"),
        (None, "must be a list"),
    ):
        with pytest.raises(DataError, match=message):
            Inputs.of(wrong)
    with pytest.raises(DataError, match="name of its own, got 2 names for 2, 'a' twice"):
        Inputs.of([array, array], ["a", "a"])
    with pytest.raises(DataError, match="got 1 names for 2"):
        Inputs.of([array, array], ["a"])


def test_descriptors_that_are_not_finite_are_refused_with_their_file(tmp_path):
    path = write(tmp_path / "a.h5")
    with h5py.File(path, "r+") as file:
        file["descriptors/trajectory"][2, 3] = np.nan
    with pytest.raises(DataError, match=r"trajectory of .*a.h5 must be finite, got 1 NaN"):
        list(rows_of(path, "a", SIZES))
