"""`idt.features.feature_file`: feature files, appended while a video streams."""

import errno
import itertools
import json
import os
import signal
import subprocess
import sys
import tracemalloc

import h5py
import numpy as np
import pytest

import idt
from idt import DataError, ExtractionParams, Features, load
from idt.features import feature_file
from idt.features.release import rows as release_rows
from tests import golden
from tests.hdf5_files import opened, set_text
from tests.samples import (
    assert_same_contents,
    assert_same_features,
    golden_features,
    random_camera,
    random_features,
)
from tests.up_to_date import state_of

# Budget of docs/method/files.md, section 2.1, at the default settings.
BYTES_PER_TRACK = 650
# What a file costs that holds nothing: 8.4 KB measured, 12.7 KB with the camera's motion, HDF5's own tables mostly.
EMPTY_FILE = 15_000
# Half a step of 1/1024, and the rounding of float32.
FIXED_POINT = 0.5 / 1024 + 1e-7

TIME = 2


def write_in_parts(path, features, cuts, *, frames=60, first_frame=0, **options):
    """Append ``features`` in parts that begin at ``cuts``; the camera's motion arrives as evenly."""
    settings = {"params": features.params, "source": features.source}
    video = feature_file.VideoInfo(features.width, features.height, features.fps, first_frame)
    with feature_file.Writer(path, video=video, **{**settings, **options}) as writer:
        edges = [0, *cuts, len(features)]
        camera_edges = np.linspace(0, frames, len(edges)).astype(int)
        for i, (first, last) in enumerate(itertools.pairwise(edges)):
            part = features[first:last]
            if features.camera is not None:
                a, b = camera_edges[i : i + 2]
                part.camera = idt.Camera(
                    features.camera.homography[a:b], features.camera.matches[a:b], features.camera.inliers[a:b], int(a)
                )
            writer.append(part)
        writer.finish(frames)


# The file of docs/method/files.md, section 2.1.


def test_a_file_has_the_datasets_of_the_specification(target):
    feature_file.save(random_features(10), target)
    with h5py.File(target) as file:
        found = {}
        file.visititems(
            lambda name, item: found.update({name: (item.shape, str(item.dtype))}) if hasattr(item, "shape") else None
        )
        assert found == {
            "tracks/frame": ((10,), "int32"),
            "tracks/scale": ((10,), "float32"),
            "tracks/mean": ((10, 2), "float32"),
            "tracks/std": ((10, 2), "float32"),
            "tracks/length": ((10,), "float32"),
            "tracks/position": ((10, 3), "float32"),
            "tracks/points": ((10, 16, 2), "float32"),
            "descriptors/trajectory": ((10, 30), "float32"),
            "descriptors/hog": ((10, 96), "uint16"),
            "descriptors/hof": ((10, 108), "uint16"),
            "descriptors/mbhx": ((10, 96), "uint16"),
            "descriptors/mbhy": ((10, 96), "uint16"),
            "camera/homography": ((60, 3, 3), "float64"),
            "camera/matches": ((60,), "int32"),
            "camera/inliers": ((60,), "int32"),
        }
        assert file["descriptors/hog"].attrs["scale_factor"] == 1 / 1024
        assert "scale_factor" not in file["descriptors/trajectory"].attrs
        assert file["camera/homography"].attrs["first_frame"] == 0
        assert (file.attrs["format"], file.attrs["version"]) == (b"idt-features", 3)
        assert [file.attrs[name] for name in ("width", "height", "fps", "frames")] == [320, 240, 25.0, 60]
        assert json.loads(file.attrs["params"])["length"] == 15
        assert json.loads(file.attrs["source"])["digest"] == "0" * 64
        for name in found:
            assert file[name].chunks is not None
            assert (file[name].compression, file[name].shuffle) == ("gzip", True), name


def test_histograms_are_stored_in_fixed_point(target):
    features = random_features(3)
    features.hog[0, :4] = [0, 0.25, 1, 63.99]
    features.hog[1, :2] = [0.5 / 1024, 1.5 / 1024]  # ties go to even
    feature_file.save(features, target)
    with h5py.File(target) as file:
        assert file["descriptors/hog"][0, :4].tolist() == [0, 256, 1024, 65526]
        assert file["descriptors/hog"][1, :2].tolist() == [0, 2]
    loaded = load(target)
    assert loaded.hog.dtype == np.float32
    np.testing.assert_allclose(loaded.hog, features.hog, atol=FIXED_POINT)
    np.testing.assert_allclose(loaded.mbhy, features.mbhy, atol=FIXED_POINT)
    for name in ("frame", "scale", "mean", "std", "length", "position", "points", "trajectory"):
        np.testing.assert_array_equal(getattr(loaded, name), getattr(features, name))


def test_metadata_comes_back(target):
    features = random_features(3)
    feature_file.save(features, target)
    loaded = load(target)
    for name in ("width", "height", "fps", "frames", "params", "source"):
        assert getattr(loaded, name) == getattr(features, name)
    feature_file.save(Features.empty(params=ExtractionParams()), target, overwrite=True)
    loaded = load(target)
    assert (loaded.width, loaded.height, loaded.frames, loaded.camera) == (None, None, None, None)
    assert np.isnan(loaded.fps)
    assert loaded.source == {"kind": "arrays"}


def test_float32_is_exact_and_has_no_scale_factor(target):
    features = random_features(5)
    feature_file.save(features, target, float32=True)
    assert_same_features(load(target), features)
    with h5py.File(target) as file:
        assert "scale_factor" not in file["descriptors/hof"].attrs


def test_histograms_that_are_not_normalised_are_stored_as_float32(target):
    features = random_features(5, params=ExtractionParams(local_norm="none"))
    features.hog *= 1000
    feature_file.save(features, target)
    assert_same_features(load(target), features)


def test_a_video_without_tracks_gives_a_complete_small_file(target):
    video = feature_file.VideoInfo(64, 48)
    with feature_file.Writer(target, params=ExtractionParams(length=10), source=None, video=video) as writer:
        writer.append(Features.empty(length=10, camera=random_camera(1)))
        writer.finish(1)
    loaded = load(target)
    assert loaded.points.shape == (0, 11, 2)
    assert loaded.hof.shape == (0, 108)
    assert (loaded.frames, len(loaded.camera)) == (1, 1)
    assert target.stat().st_size < EMPTY_FILE
    with feature_file.Writer(target, params=ExtractionParams(), source=None, overwrite=True) as writer:
        writer.finish(0)
    assert len(load(target)) == 0
    assert target.stat().st_size < EMPTY_FILE


def test_other_layouts_are_stored(target):
    features = random_features(5, params=ExtractionParams(length=10, cells=3, time_cells=2))
    feature_file.save(features, target, float32=True)
    assert_same_features(load(target), features)


def test_the_frame_step_is_stored_only_where_it_is_not_one(target):
    features = random_features(3000)
    feature_file.save(features, target)
    with h5py.File(target) as file:
        assert "tracks/skip" not in file
    features.skip = np.ones(3000, np.uint8)
    features.skip[2000] = 4
    feature_file.save(features, target, overwrite=True)
    np.testing.assert_array_equal(load(target).skip, features.skip)


# The time of a track.


def test_times_are_filled_in_at_the_end_of_a_stream(target):
    features = random_features(2500, timed=False)
    write_in_parts(target, features, [700, 1800])
    loaded = load(target)
    expected = np.clip((features.frame - 7.5) / 60, 0, 0.999).astype(np.float32)
    np.testing.assert_array_equal(loaded.position[:, TIME], expected)
    np.testing.assert_array_equal(loaded.position[:, :TIME], features.position[:, :TIME])
    np.testing.assert_array_equal(loaded.position, features.with_times(60).position)


def test_times_count_from_the_first_frame_processed(target):
    features = random_features(3, timed=False, params=ExtractionParams(length=10))
    features.frame[:] = [15, 20, 35]
    features.camera = None
    write_in_parts(target, features, [], frames=31, first_frame=5)
    np.testing.assert_allclose(load(target).position[:, TIME], [5 / 31, 10 / 31, 25 / 31], rtol=1e-6)


def test_times_of_an_endless_stream_stay_unknown(target):
    features = random_features(5, timed=False)
    with feature_file.Writer(target, params=ExtractionParams(), source=None) as writer:
        writer.append(features)
        writer.finish()
    assert np.isnan(load(target).position[:, TIME]).all()
    assert load(target).frames is None
    # So do those of a chunk: its frames are not those of the video.
    feature_file.save(features, target, overwrite=True)
    assert np.isnan(load(target).position[:, TIME]).all()


def test_times_that_are_known_are_kept(target):
    features = random_features(1500)
    write_in_parts(target, features, [400])
    np.testing.assert_array_equal(load(target).position, features.position)


# Laws.


@pytest.mark.slow
@pytest.mark.parametrize("cuts", [[1], [1023, 1024, 1025], [0, 0, 2047], list(range(100, 2500, 100))])
@pytest.mark.parametrize("timed", [True, False])
def test_appending_in_parts_and_at_once_gives_identical_files(tmp_path, cuts, timed):
    features = random_features(2500, timed=timed)
    write_in_parts(tmp_path / "parts.h5", features, cuts)
    write_in_parts(tmp_path / "once.h5", features, [])
    assert_same_contents(tmp_path / "parts.h5", tmp_path / "once.h5")


def test_long_camera_motion_is_appended(target):
    features = random_features(50, frames=1000)
    write_in_parts(target, features, [10, 20, 30, 40], frames=1000)
    assert_same_features(load(target)[[]], features[[]])


def test_a_loaded_file_saved_again_is_the_same(tmp_path):
    feature_file.save(random_features(1500), tmp_path / "one.h5")
    feature_file.save(load(tmp_path / "one.h5"), tmp_path / "two.h5")
    assert_same_contents(tmp_path / "one.h5", tmp_path / "two.h5")


def test_a_file_of_an_earlier_version_with_fewer_parameters_is_loaded(target):
    features = random_features(3, params=ExtractionParams(stride=8))
    idt.save(features, target)
    with opened(target) as file:
        params = json.loads(file.attrs["params"])
        for name in ("describe_every", "skips", "compensation"):
            del params[name]
        set_text(file, "params", json.dumps(params))
    assert idt.load(target).params == features.params
    assert feature_file.header(target).params == features.params


@pytest.mark.parametrize("block", [1, 100, 1024, 5000])
def test_blocks_joined_are_the_whole(target, block):
    features = random_features(1500 if block > 1 else 20)
    feature_file.save(features, target, float32=True)
    blocks = list(feature_file.iter_rows(target, rows=block))
    assert max(len(part) for part in blocks) <= block
    joined = Features.concatenate(blocks)
    features.camera = None
    assert_same_features(joined, features)
    assert blocks[0].params == features.params


def test_blocks_hold_the_columns_asked_for(target):
    feature_file.save(random_features(20), target)
    (block,) = feature_file.iter_rows(target, columns=("hog", "position"))
    assert list(block.columns()) == ["position", "hog"]
    np.testing.assert_array_equal(block.hog, load(target).hog)
    with pytest.raises(DataError, match="no mbhx"):
        block.need("mbhx")


def test_a_file_without_tracks_is_one_empty_block(target):
    feature_file.save(Features.empty(params=ExtractionParams()), target)
    (block,) = feature_file.iter_rows(target)
    assert (len(block), block.hog.shape) == (0, (0, 96))


@pytest.mark.slow
def test_memory_does_not_grow_with_the_video(target):
    features = random_features(2048, timed=False)
    features.camera = None
    peaks = []
    for repetitions in (2, 8):
        tracemalloc.start()
        with feature_file.Writer(target, params=features.params, source=None, overwrite=True) as writer:
            for _ in range(repetitions):
                writer.append(features)
            writer.finish(60)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.05 * peaks[0]


@pytest.mark.slow
@pytest.mark.parametrize("clip", [*golden.SYNTHETIC, *golden.REAL])
def test_a_track_costs_no_more_than_the_budget(clip, target):
    features = golden_features(clip)
    feature_file.save(features, target)
    assert target.stat().st_size <= BYTES_PER_TRACK * len(features)
    np.testing.assert_allclose(load(target).hof, features.hof, atol=FIXED_POINT)
    np.testing.assert_array_equal(load(target).points, features.points)


def test_a_killed_writer_leaves_nothing_under_the_final_name(target):
    code = f"""
import os, signal
from idt.features import feature_file
from tests.samples import random_features
with feature_file.Writer({str(target)!r}, params=random_features(1).params, source=None) as writer:
    writer.append(random_features(3000))
    os.kill(os.getpid(), signal.SIGKILL)
"""
    killed = subprocess.run([sys.executable, "-c", code], check=False, env={**os.environ, "PYTHONPATH": os.getcwd()})
    assert killed.returncode == -signal.SIGKILL
    assert not target.exists()
    feature_file.save(random_features(3), target)
    assert [path.name for path in target.parent.iterdir()] == ["f.h5"]


# What is up to date.


def up_to_date(path, params, *, float32=False):
    stored = feature_file.stored_params(params, feature_file.Storage(float32=float32))
    source = {"digest": "0" * 64}
    return state_of(path, format=feature_file.FORMAT, version=feature_file.VERSIONS, params=stored, source=source)


def test_an_equal_run_is_up_to_date_and_others_are_told_apart(target):
    feature_file.save(random_features(3), target)
    assert up_to_date(target, ExtractionParams()) == "current"
    assert "with length=15, this run asks for length=20" in up_to_date(target, ExtractionParams(length=20))
    assert "with float32=False, this run asks for float32=True" in up_to_date(target, ExtractionParams(), float32=True)


# All three kinds of file.


def test_the_forms_that_others_wrote_are_loaded(tmp_path):
    features = random_features(5)
    release_rows.write_text(features, tmp_path / "f.txt.gz")
    release_rows.write_binary(features, tmp_path / "f.bin")
    text, binary = load(tmp_path / "f.txt.gz"), load(tmp_path / "f.bin")
    np.testing.assert_array_equal(text.to_numpy(), features.to_numpy())
    np.testing.assert_array_equal(binary.to_numpy(), features.to_numpy())
    assert text.points is None
    np.testing.assert_array_equal(binary.points, features.points[:, :15])
    for path in ("f.txt.gz", "f.bin"):
        (block,) = feature_file.iter_rows(tmp_path / path, columns=["hof"])
        np.testing.assert_array_equal(block.hof, features.hof)
        assert list(block.columns()) == ["hof"]
    with pytest.raises(DataError, match="no points: text of 436 columns does not hold it"):
        next(feature_file.iter_rows(tmp_path / "f.txt.gz", columns=["points"]))


@pytest.mark.parametrize("foreign", ["text", "binary"])
def test_rows_that_others_wrote_are_stored_as_float32(target, foreign):
    features = random_features(5, foreign=foreign)
    features.source = {"kind": release_rows.TEXT if foreign == "text" else release_rows.BINARY}
    feature_file.save(features, target)
    loaded = load(target)
    assert_same_features(loaded, features)
    assert (loaded.params, loaded.camera, loaded.source) == (None, None, features.source)


# Refusals.


def test_a_writer_that_was_not_finished_writes_nothing(target):
    with pytest.raises(DataError, match=r"was not written: Writer\.finish must be called"):
        write_as_one(target, random_features(3), finish=False)
    assert list(target.parent.iterdir()) == []


def spoiled(**columns):
    features = random_features(3)
    for name, values in columns.items():
        setattr(features, name, values)
    return features


@pytest.mark.parametrize(
    ("features", "message"),
    [
        (spoiled(hog=np.full((3, 96), 70, np.float32)), r"hog must lie in \[0, 64.00\].*--float32"),
        (spoiled(hof=np.full((3, 108), -0.1, np.float32)), r"hof must lie in \[0"),
        (spoiled(hog=np.full((3, 96), np.nan, np.float32)), "hog must be finite"),
        (spoiled(mean=np.full((3, 2), np.inf, np.float32)), "mean must be finite"),
        (spoiled(position=np.full((3, 3), np.nan, np.float32)), "position must be finite"),
        (spoiled(position=np.array([[0, 0, np.nan]] + [[0, 0, 0]] * 2, np.float32)), "known or none, got both"),
        (spoiled(points=None), "no points: it was not read"),
        (spoiled(trajectory=np.zeros((3, 20), np.float32)), r"trajectory must have rows of shape \(30,\)"),
        (spoiled(camera=random_camera(60, first_frame=3)), "must go on at frame 0, got 3"),
    ],
)
def test_features_that_do_not_fit_are_refused_and_leave_nothing(target, features, message):
    with pytest.raises(DataError, match=message):
        write_as_one(target, features)
    assert list(target.parent.iterdir()) == []


def write_as_one(path, features, *, finish=True):
    with feature_file.Writer(path, params=features.params, source=None) as writer:
        writer.append(features)
        if finish:
            writer.finish(60)


def test_an_existing_file_is_refused_before_anything_is_done(target):
    feature_file.save(random_features(3), target)
    with pytest.raises(DataError, match=r"f\.h5 exists; use another path or --overwrite"):
        feature_file.save(random_features(3), target)


def test_unknown_parameters_are_refused(target):
    features = random_features(3)
    features.params = {"width": 15}
    with pytest.raises(DataError, match="unknown option width"):
        feature_file.save(features, target)


def test_columns_that_do_not_exist_are_refused(target):
    feature_file.save(random_features(3), target)
    with pytest.raises(DataError, match=r"columns must be among frame, scale.*got \['hogs'\]"):
        next(feature_file.iter_rows(target, columns=["hogs"]))
    with pytest.raises(DataError, match="rows at least 1"):
        next(feature_file.iter_rows(target, rows=0))


def forged(path, change):
    feature_file.save(random_features(20), path, overwrite=True)
    with opened(path) as file:
        change(file)
    return path


def replace(file, name, values):
    del file[name]
    file[name] = values


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda file: file.pop("tracks/mean"), "no dataset 'tracks/mean'"),
        (lambda file: file.pop("tracks/points"), "no dataset 'tracks/points'"),
        (
            lambda file: replace(file, "tracks/mean", np.zeros((19, 2), "f4")),
            r"mean must be float32 of shape \(20, 2\)",
        ),
        (lambda file: replace(file, "tracks/mean", np.zeros((20, 2))), "must be float32.*got float64"),
        (lambda file: replace(file, "descriptors/hog", np.zeros((20, 96), "i2")), "must be uint16 of shape"),
        (lambda file: file["descriptors/hog"].attrs.pop("scale_factor"), "no attribute 'scale_factor'"),
        (lambda file: file["descriptors/hog"].attrs.modify("scale_factor", np.nan), "scale_factor of hog must be"),
        (lambda file: file["tracks/frame"].resize(10**13, axis=0), "more than the file can hold"),
        (lambda file: file["camera/matches"].resize(3, axis=0), r"matches must be int32 of shape \(60,\)"),
        (lambda file: file["camera/homography"].attrs.pop("first_frame"), "no attribute 'first_frame'"),
        (lambda file: file.attrs.modify("params", '{"length": 20}'), r"trajectory must be float32 of shape \(20, 40\)"),
        (lambda file: file.attrs.modify("params", '{"length": "x"}'), r"f\.h5: length must be a whole number"),
        (lambda file: file.attrs.modify("params", '{"colour": 1}'), r"f\.h5: unknown option colour; known are start"),
        (lambda file: file.attrs.modify("format", "idt-vectors"), "'idt-vectors', expected 'idt-features'"),
        (lambda file: file.attrs.modify("version", 6), "version 6 of idt-features, expected 3 or 4 or 5"),
        (lambda file: set_text(file, "width", "wide"), "'width' must be int"),
    ],
)
def test_a_file_that_is_not_what_it_says_is_refused(target, change, message):
    forged(target, change)
    with pytest.raises(DataError, match=message):
        load(target)


def test_a_full_disk_stops_a_stream_at_once(target, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    def stream():
        yield random_features(1100)
        pytest.fail("the disk was full before")

    def write():
        with feature_file.Writer(target, params=ExtractionParams(), source=None) as writer:
            monkeypatch.setattr(os, "pwrite", full)
            for features in stream():
                writer.append(features)

    with pytest.raises(OSError, match="no space left while writing"):
        write()
    assert list(target.parent.iterdir()) == []
