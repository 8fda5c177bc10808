import os

import h5py
import numpy as np
import pytest

import idt
from benchmarks.clips import SHIPPED
from encoding import EncodingParams, fit_codebook
from encoding.descriptors import sources
from encoding.descriptors.feature_files import header
from encoding.descriptors.inputs import Inputs, columns_of, combine_digests, digests
from encoding.descriptors.sources import FileSource, VideoSource, source_of
from idt.batch.extract_one import extract_job
from idt.batch.jobs import plan
from idt.errors import DataError
from idt.features.release import rows as release_rows
from idt.params import layout
from idt.params.extraction import ExtractionParams
from tests.samples import random_features

SIZES = layout.block_sizes()


def write(path, **options):
    idt.save(random_features(5, **options), path)
    return path


def rows_of(item, sizes):
    """Descriptors of a video, some rows at a time."""
    return (rows for rows, _ in source_of(item, "a").batches(sizes))


def digests_of(files, names):
    return digests(Inputs.of(files, names).sources)


def test_all_three_kinds_of_files_give_the_same_rows(tmp_path):
    features = random_features(12, foreign="binary")
    idt.save(features, tmp_path / "a.h5")
    release_rows.write_text(features, tmp_path / "a.txt.gz")
    release_rows.write_binary(features, tmp_path / "a.bin")
    expected = features.to_numpy()[:, layout.INFO_COLUMNS :]
    for path in ("a.h5", "a.txt.gz", "a.bin"):
        np.testing.assert_array_equal(np.concatenate([*rows_of(tmp_path / path, SIZES)]), expected)
    np.testing.assert_array_equal(np.concatenate([*rows_of(features, SIZES)]), expected)
    some = {name: SIZES[name] for name in ("hog", "mbhy")}
    found = np.concatenate([*rows_of(tmp_path / "a.txt.gz", some)])
    np.testing.assert_array_equal(found[:, columns_of(some)["hog"]], features.hog)
    np.testing.assert_array_equal(found[:, columns_of(some)["mbhy"]], features.mbhy)


def test_rows_come_in_pieces_of_one_size(monkeypatch, tmp_path):
    monkeypatch.setattr(sources, "BATCH_ROWS", 7)
    features = random_features(20)
    idt.save(features, tmp_path / "a.h5")
    for item in (tmp_path / "a.h5", features, np.zeros((20, 426), np.float32)):
        sizes = {"descriptors": 426} if isinstance(item, np.ndarray) else SIZES
        assert [len(part) for part in rows_of(item, sizes)] == [7, 7, 6]
    assert [part.shape for part in rows_of(features[0:0], SIZES)] == [(0, 426)]


def test_the_stretch_of_a_video_is_no_difference_of_parameters(tmp_path):
    files = [
        write(tmp_path / f"{start}.h5", params=ExtractionParams(start=start, end=start + 30)) for start in (0, 100)
    ]
    assert Inputs.of(files).params == header(write(tmp_path / "whole.h5")).params


def test_the_digest_is_of_names_contents_and_order(tmp_path):
    files = [write(tmp_path / "a.h5"), write(tmp_path / "b.h5", seed=1)]
    found = digests_of(files, "ab")
    assert found["a"] != found["b"]
    assert combine_digests(found) == combine_digests(digests_of(files, "ab"))
    others = [digests_of(files, "ac"), digests_of(files[::-1], "ab"), digests_of(files[::-1], "ba")]
    assert len({combine_digests(other) for other in [found, *others]}) == 4


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
        list(rows_of(path, SIZES))


def test_a_video_is_a_source_like_its_feature_file(tmp_path):
    (job,) = plan([str(SHIPPED / "disc.avi")], f"{tmp_path}/")
    extract_job(job, ExtractionParams())
    video = VideoSource(job, ExtractionParams())
    stored = source_of(job.output, job.name)
    assert (video.name, video.label, video.kind, video.has_tracks) == ("disc", "video disc", "videos", True)
    assert video.params() == stored.params()
    assert Inputs.of([video]).sizes == Inputs.of([job.output]).sizes == SIZES
    assert Inputs.of([video], ["other"]).names == ["other"]
    asked = {"columns": ("frame", "position", "skip"), "skips": frozenset({1})}
    for (rows, tracks), (expected, known) in zip(
        video.batches(SIZES, **asked), stored.batches(SIZES, **asked), strict=True
    ):
        np.testing.assert_array_equal(rows, expected)
        for name, column in known.columns().items():
            np.testing.assert_array_equal(getattr(tracks, name), column)
        assert tracks.length == known.length == 15
    assert digests([video])["disc"] != digests([stored])["disc"]


def test_a_source_stays_what_it_is():
    source = source_of(np.zeros((3, 4)), "a")
    assert source_of(source, "b") is source
    assert source.with_name("b").name == "b"
    assert Inputs.of([source]).sources == [source]


def test_what_lies_in_memory_has_no_digest():
    for item in (random_features(3), np.zeros((3, 4))):
        with pytest.raises(DataError, match="video a lies in memory, so its content has no digest; store it in"):
            source_of(item, "a").digest()


def test_blocks_that_are_not_those_of_the_axes_are_refused(tmp_path):
    fit_codebook([random_features(60, seed=i) for i in (1, 2)], params=EncodingParams(k=2, sample=100)).save(
        tmp_path / "c.h5"
    )
    idt.save(random_features(3), tmp_path / "a.h5", project=tmp_path / "c.h5")
    with pytest.raises(DataError, match=r"a.h5: the blocks must be hog, got trajectory, hog, hof, mbhx, mbhy"):
        list(source_of(tmp_path / "a.h5", "a").batches({"hog": 48}, projected=True))


def test_the_system_is_asked_for_the_whole_file_before_its_rows(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(os, "posix_fadvise", lambda *arguments: asked.append(arguments[1:]), raising=False)
    source = FileSource(write(tmp_path / "f.h5"), "f")
    next(source.batches({"hog": 96}))
    assert [arguments[:2] for arguments in asked] == [(0, 0)]
    monkeypatch.delattr(os, "posix_fadvise")
    next(source.batches({"hog": 96}))
