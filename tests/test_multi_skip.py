"""Multi-skip extraction: the tracks of a skip are those of the video that it leaves."""

import numpy as np
import pytest

import idt
from benchmarks.clips import write_video
from encoding.descriptors.sources import source_of
from idt.errors import DataError
from idt.features.columns import LAST_POSITION
from idt.params import layout

SHORT = {"length": 5, "time_cells": 1}
LENGTH = 5


@pytest.fixture(scope="module")
def features(clip):
    return idt.extract(clip, skips="1,2,4", **SHORT)


def test_the_time_of_a_track_is_that_of_its_middle_frame_worked_by_hand(features):
    # A track of five steps of four frames that ends at frame 20 has its middle at frame 10 of 24.
    late = (features.skip == 4) & (features.frame == 20)
    assert late.any()
    np.testing.assert_allclose(features.position[late, 2], 10 / 24, rtol=1e-6)


@pytest.mark.parametrize("skip", [1, 2, 4])
def test_the_tracks_of_a_skip_are_those_of_the_frames_it_keeps(clip, features, skip):
    alone, found = idt.extract(clip[::skip], **SHORT), features[features.skip == skip]
    assert len(found) > 10
    np.testing.assert_array_equal(found.frame, alone.frame * skip)
    for name in ("points", "std", "scale", "trajectory", *layout.HISTOGRAMS):
        np.testing.assert_array_equal(getattr(found, name), getattr(alone, name), err_msg=name)
    middle = (found.frame - LENGTH / 2 * skip) / len(clip)
    np.testing.assert_allclose(found.position[:, 2], np.clip(middle, 0, LAST_POSITION), rtol=1e-6)


def test_all_skips_come_frame_by_frame_with_the_camera_of_the_whole_video(clip, features):
    assert (np.diff(features.frame) >= 0).all()
    same = np.diff(features.frame) == 0
    assert (np.diff(features.skip.astype(int))[same] >= 0).all()
    alone = idt.extract(clip, **SHORT)
    assert features.frames == 24
    np.testing.assert_array_equal(features.camera.homography, alone.camera.homography)
    assert alone.skip is None


def test_threads_and_streaming_change_nothing(clip, features):
    threaded = idt.extract(clip, skips="1,2,4", threads=2, **SHORT)
    np.testing.assert_array_equal(threaded.to_numpy(), features.to_numpy())
    chunks = list(idt.stream((frame for frame in clip), skips="1,2,4", **SHORT))
    assert [chunk.frames for chunk in chunks] == [16, 8]
    timed = idt.Features.concatenate(chunks).with_times(24)
    np.testing.assert_array_equal(timed.to_numpy(), features.to_numpy())


def test_a_skip_that_leaves_too_few_frames_contributes_nothing(clip):
    # Of 24 frames every fourth are 6, just enough for 5 steps; every fifth are 5.
    features = idt.extract(clip, skips="1,4,5,30", **SHORT)
    assert set(features.skip) == {1, 4}
    alone = idt.extract(clip[:7], skips="1,2", **SHORT)
    np.testing.assert_array_equal(alone.to_numpy(), idt.extract(clip[:7], **SHORT).to_numpy())
    assert len(idt.extract(clip[:1], skips="1,2", **SHORT)) == 0


def test_the_file_keeps_the_skips_and_the_encoder_takes_some(clip, features, tmp_path):
    idt.save(features, tmp_path / "a.h5", float32=True)
    loaded = idt.load(tmp_path / "a.h5")
    np.testing.assert_array_equal(loaded.skip, features.skip)
    np.testing.assert_array_equal(loaded.position, features.position)
    sizes = {"hog": features.hog.shape[1]}
    for item in (features, tmp_path / "a.h5"):
        ((rows, tracks),) = source_of(item, "a").batches(sizes, columns=("skip",), skips=frozenset({1, 4}))
        chosen = np.isin(features.skip, (1, 4))
        np.testing.assert_array_equal(rows, features.hog[chosen])
        np.testing.assert_array_equal(tracks.skip, features.skip[chosen])
        assert tracks.length == LENGTH


def test_the_command_fills_in_the_times_of_all_skips(clip, features, tmp_path):
    from idt.cli import extract

    write_video(tmp_path / "a.avi", clip)
    words = ["--skips", "1,2,4", "--length", "5", "--time-cells", "1", "--float32", "--quiet"]
    assert extract([str(tmp_path / "a.avi"), "-o", str(tmp_path / "a.h5"), *words]) == 0
    np.testing.assert_array_equal(idt.load(tmp_path / "a.h5").to_numpy(), features.to_numpy())


@pytest.mark.parametrize("skips", ["", "2", "1,1", "2,1", "1,x", "1,256", 1, "1,0"])
def test_skips_that_are_not_rising_from_one_are_refused(skips):
    with pytest.raises(DataError, match="skips must be rising whole numbers from 1 to 255"):
        idt.ExtractionParams(skips=skips)
