"""`idt.features.features`: the columns of a video's tracks, and the camera's motion."""

import re

import numpy as np
import pytest

import idt
from idt import DataError, ExtractionParams, Features, load
from idt.features.camera import Camera
from idt.features.columns import time_position
from tests.golden import golden_folder
from tests.samples import assert_same_features, random_camera, random_features

RTOL_F32 = 1e-6


def test_a_row_of_the_release_has_its_numbers_in_the_order_of_the_specification():
    features = random_features(3)
    row = features.to_numpy()[1]
    assert row.shape == (436,)
    assert row.dtype == np.float32
    assert row[0] == features.frame[1]
    np.testing.assert_array_equal(row[1:3], features.mean[1])
    np.testing.assert_array_equal(row[3:5], features.std[1])
    assert row[5] == features.length[1]
    assert row[6] == features.scale[1]
    np.testing.assert_array_equal(row[7:10], features.position[1])
    np.testing.assert_array_equal(row[10:40], features.trajectory[1])
    np.testing.assert_array_equal(row[40:136], features.hog[1])
    np.testing.assert_array_equal(row[136:244], features.hof[1])
    np.testing.assert_array_equal(row[244:340], features.mbhx[1])
    np.testing.assert_array_equal(row[340:], features.mbhy[1])


def test_the_time_of_a_track_is_its_middle():
    # (15 − 7.5) / 360 = 0.020833, the first row that the authors published for boxing.
    assert time_position([15], length=15, first=0, frames=360)[0] == pytest.approx(0.020833, abs=5e-7)
    # (20 − 5 − 5) / 31: L = 10 from frame 5 on.
    assert time_position([20], length=10, first=5, frames=31)[0] == pytest.approx(10 / 31)
    np.testing.assert_array_equal(
        time_position([0, 500], length=15, first=0, frames=100), np.array([0, 0.999], np.float32)
    )


def test_times_are_those_of_the_release():
    stored = np.load(golden_folder("wave") / "tracks.npz")
    info = stored["info"]
    own = time_position(info[:, 0].astype(int), length=15, first=0, frames=int(stored["video_frames"]))
    np.testing.assert_allclose(own, info[:, 9], rtol=RTOL_F32)


def test_an_empty_set_has_all_columns_and_no_rows():
    features = Features.empty(length=10, cells=3, time_cells=2)
    assert len(features) == 0
    assert features.points.shape == (0, 11, 2)
    assert features.hof.shape == (0, 2 * 9 * 9)
    assert features.to_numpy().shape == (0, 10 + 20 + 2 * 9 * (8 + 9 + 8 + 8))


def test_the_repr_lists_names_shapes_and_dtypes():
    shown = repr(random_features(7))
    assert "7 tracks (320×240, 60 frames)" in shown
    assert re.search(r"hof +\(7, 108\) float32", shown)
    assert re.search(r"frame +\(7,\) int32", shown)
    assert re.search(r"camera +60 frames from 0", shown)


def test_parameters_are_kept_and_made_of_a_dict():
    assert random_features(1).params.length == 15
    assert Features.empty(params=ExtractionParams(stride=8)).params == ExtractionParams(stride=8)
    assert Features.empty(params={"stride": 8}).params == ExtractionParams(stride=8)
    assert Features.empty().params is None


# Laws.


def test_parts_of_a_whole_joined_again_are_the_whole():
    whole = random_features(20)
    parts = [whole[a:b] for a, b in ((0, 3), (3, 3), (3, 20))]
    joined = Features.concatenate(parts)
    for name, values in whole.columns().items():
        np.testing.assert_array_equal(getattr(joined, name), values)
    assert (joined.width, joined.height, joined.fps, joined.params) == (320, 240, 25.0, whole.params)


def test_consecutive_stretches_of_camera_motion_are_joined_and_others_are_not():
    def part(first, frames):
        return Features.empty(camera=random_camera(frames, first_frame=first, seed=first), frames=frames)

    joined = Features.concatenate([part(5, 16), part(21, 3)])
    assert joined.frames == 19
    assert joined.camera.first_frame == 5
    assert len(joined.camera) == 19
    np.testing.assert_array_equal(joined.camera.matches[16:], part(21, 3).camera.matches)
    assert Features.concatenate([part(5, 16), part(20, 3)]).camera is None
    assert Features.concatenate([part(5, 16), Features.empty()]).camera is None


def test_metadata_that_parts_disagree_on_is_dropped():
    one, other = Features.empty(width=320, fps=25.0, source={"a": 1}), Features.empty(width=240, fps=25.0)
    joined = Features.concatenate([one, other])
    assert (joined.width, joined.fps, joined.source, joined.frames) == (None, 25.0, None, None)


def test_nothing_joined_is_no_tracks():
    assert_same_features(Features.concatenate([]), Features.empty())


def test_a_frame_step_is_one_where_it_is_not_given():
    one, other = random_features(2), random_features(3)
    other.skip = np.full(3, 2, np.uint8)
    np.testing.assert_array_equal(Features.concatenate([one, other]).skip, [1, 1, 2, 2, 2])
    assert Features.concatenate([one, one]).skip is None


def test_taking_by_mask_and_by_index_agree():
    features = random_features(10)
    mask = np.arange(10) % 3 == 0
    assert_same_features(features[mask], features[np.flatnonzero(mask)])
    assert_same_features(features[np.ones(10, bool)], features)
    assert len(features[[]]) == 0


def test_times_are_filled_in_when_the_number_of_frames_is_known():
    stream = random_features(10, timed=False, frames=60)
    timed = stream.with_times(60)
    assert np.isnan(stream.position[:, 2]).all()
    np.testing.assert_allclose(timed.position[:, 2], np.clip((stream.frame - 7.5) / 60, 0, 0.999), rtol=RTOL_F32)
    np.testing.assert_array_equal(timed.position[:, :2], stream.position[:, :2])


def test_save_writes_what_load_reads(tmp_path):
    features = random_features(5)
    idt.save(features, tmp_path / "f.h5", float32=True)
    assert_same_features(load(tmp_path / "f.h5"), features)


# Refusals.


def test_what_a_foreign_form_lacks_is_refused_with_the_reason():
    text = random_features(3, foreign="text")
    text.source = {"kind": "text of 436 columns"}
    assert text.points is None
    with pytest.raises(DataError, match="no points: text of 436 columns does not hold it"):
        text.need("points")
    with pytest.raises(DataError, match="no frame: it was not read"):
        Features(hof=np.zeros((2, 108), np.float32)).to_numpy()


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"mean": np.zeros((3, 3))}, r"mean must be float32 of shape \(n, 2\), got float64 of shape \(3, 3\)"),
        ({"frame": np.zeros(3)}, "frame must be int32"),
        ({"frame": np.full(3, 2**40)}, "frame must fit into int32"),
        ({"hog": np.array([["a"]])}, "hog must be float32"),
        ({"hog": np.zeros((2, 96)), "hof": np.zeros((3, 108))}, "equally many rows, got 2 and hof with 3"),
    ],
)
def test_columns_of_the_wrong_kind_are_refused(columns, message):
    with pytest.raises(DataError, match=message):
        Features(**columns)


def test_camera_motion_of_uneven_length_is_refused():
    with pytest.raises(DataError, match=r"camera inliers must have shape \(2,\)"):
        Camera(np.zeros((2, 3, 3)), np.zeros(2), np.zeros(3))


def test_joining_different_layouts_is_refused():
    with pytest.raises(DataError, match="equal columns, got points"):
        Features.concatenate([random_features(2), random_features(2, foreign="text")])
    with pytest.raises(DataError, match="equal columns, got points"):
        Features.concatenate([random_features(2), random_features(2, params=ExtractionParams(length=10))])


def test_an_index_that_does_not_fit_is_refused():
    features = random_features(3)
    with pytest.raises(DataError, match="does not fit 3 tracks"):
        features[[5]]
    with pytest.raises(DataError, match="does not fit 3 tracks"):
        features[np.ones(4, bool)]
    with pytest.raises(DataError, match="index must be"):
        features[[0.5]]


def test_times_without_a_first_frame_are_refused():
    with pytest.raises(DataError, match="first frame"):
        Features.empty().with_times(10)
