"""`Features` by index, and as tables of pandas and xarray."""

import json

import numpy as np
import pytest

import idt
from idt import DataError, ExtractionParams, Features
from idt.features.projection import Projected
from idt.features.track import Track
from tests.samples import assert_same_features, random_features

N = 10


@pytest.fixture
def features():
    return random_features(N)


@pytest.fixture
def projected():
    blocks = {"hog": np.arange(N * 4, dtype=np.float32).reshape(N, 4)}
    return Features(frame=np.arange(N), projected=Projected("some codebook", blocks))


# Indices


@pytest.mark.parametrize("i", [0, 3, N - 1, -1, -N, np.int64(2), np.uint8(4)])
def test_a_number_gives_one_track_with_an_axis_less(features, i):
    track = features[i]
    assert isinstance(track, Track)
    for name, values in features.columns().items():
        np.testing.assert_array_equal(getattr(track, name), values[i])
        assert np.shape(getattr(track, name)) == values.shape[1:]
    assert track.skip is None
    assert track.projected is None


@pytest.mark.parametrize("chosen", [slice(None), slice(3), slice(-4, None), slice(None, None, -2), slice(20, 30)])
def test_a_slice_gives_features_of_these_tracks(features, chosen):
    some = features[chosen]
    assert isinstance(some, Features)
    for name, values in features.columns().items():
        np.testing.assert_array_equal(getattr(some, name), values[chosen])
    assert (some.camera, some.params, some.frames) == (features.camera, features.params, features.frames)


def test_masks_and_indices_give_features_of_these_tracks(features):
    mask = np.arange(N) % 3 == 0
    for same in (mask, mask.tolist(), np.flatnonzero(mask), [0, 3, 6, 9], [-10, -7, -4, -1], np.uint8([0, 3, 6, 9])):
        assert_same_features(features[same], features[::3])
    np.testing.assert_array_equal(features[[5, 1, 5]].frame, features.frame[[5, 1, 5]])
    for none in ([], np.zeros(N, bool), np.zeros(0, int), slice(0)):
        assert len(features[none]) == 0
        assert features[none].hof.shape == (0, 108)


def test_a_series_of_pandas_is_a_mask(features):
    pandas = pytest.importorskip("pandas")
    long = pandas.Series(features.length > 45)
    assert_same_features(features[long], features[features.length > 45])


def test_iteration_gives_one_track_after_the_other(features):
    assert [track.frame for track in features] == features.frame.tolist()
    assert list(Features.empty()) == []
    assert not Features.empty()
    assert features


def test_projected_features_have_indices_too(projected):
    np.testing.assert_array_equal(projected[2].projected["hog"], [8, 9, 10, 11])
    np.testing.assert_array_equal(projected[-2:].projected.blocks["hog"], np.arange(32, 40).reshape(2, 4))
    assert len(projected[[1, 2, 3]]) == 3


def test_the_repr_of_a_track_is_short(features, projected):
    shown = repr(features[0])
    assert shown.startswith("Track\n  frame ")
    assert "hof        (108,) float32" in shown
    assert len(shown) < 600
    assert "projected hog (4,)" in repr(projected[0])


@pytest.mark.parametrize("i", [N, -N - 1, 2**70, [0, N], [-N - 1], np.ones(N + 1, bool), np.ones(3, bool)])
def test_an_index_beyond_the_tracks_is_an_index_error(features, i):
    with pytest.raises(IndexError, match=f"{N} tracks") as raised:
        _ = features[i]
    assert isinstance(raised.value, DataError)


@pytest.mark.parametrize(
    "index",
    [1.0, "hof", None, True, np.bool_(True), ..., (1, 2), (slice(2), 0), [0.5], np.zeros((2, 2), int), {1}, [[]],
     ["a"], np.zeros((3, 300))],
)  # fmt: skip
def test_an_index_of_another_kind_is_refused(features, index):
    with pytest.raises(DataError, match=r"^index must be a number, a slice, \(n,\) bool or \(m,\) int, got ") as raised:
        _ = features[index]
    assert "\n" not in str(raised.value)
    assert not isinstance(raised.value, IndexError)


def test_features_are_no_array(features):
    with pytest.raises(DataError, match=r"features are no array: take a column such as features\.hof"):
        np.asarray(features)


# Parameters


def test_parameters_that_are_none_are_refused():
    with pytest.raises(DataError, match="params must be ExtractionParams, a dict or None, got int 3"):
        Features.empty(params=3)
    with pytest.raises(DataError, match=r"unknown option lenght; did you mean length\?"):
        Features.empty(params={"lenght": 3})


# pandas


@pytest.fixture
def pandas():
    return pytest.importorskip("pandas")


def test_a_table_has_a_row_for_each_track(features, pandas):
    table = features[:5].to_pandas()
    assert table.shape == (5, 10 + 32 + 426)
    assert list(table.columns[:8]) == ["frame", "scale", "mean_x", "mean_y", "std_x", "std_y", "length", "position_x"]
    assert table.index.name == "track"
    assert not table.columns.has_duplicates
    assert table.dtypes["frame"] == np.int32
    assert set(table.dtypes.drop("frame")) == {np.dtype(np.float32)}
    np.testing.assert_array_equal(table["mean_y"], features.mean[:5, 1])
    np.testing.assert_array_equal(table["position_t"], features.position[:5, 2])
    np.testing.assert_array_equal(table[["point_3_x", "point_3_y"]], features.points[:5, 3])
    for name in ("trajectory", "hog", "hof", "mbhx", "mbhy"):
        np.testing.assert_array_equal(table.filter(regex=f"^{name}_[0-9]+$"), getattr(features, name)[:5])
    assert table.columns[-1] == "mbhy_95"


def test_a_table_holds_the_columns_that_are_there(projected, pandas):
    table = projected.to_pandas()
    assert list(table.columns) == ["frame", *(f"projected_hog_{i}" for i in range(4))]
    assert Features().to_pandas().shape == (0, 0)
    assert Features.empty().to_pandas().shape == (0, 468)
    stacked = random_features(2)
    stacked.skip = np.uint8([1, 2])
    assert stacked.to_pandas()["skip"].tolist() == [1, 2]


# xarray


@pytest.fixture
def xarray():
    return pytest.importorskip("xarray")


def test_a_data_set_has_named_dimensions(features, xarray):
    data = features.to_xarray()
    assert dict(data.sizes) == {
        "track": N, "xy": 2, "xyt": 3, "point": 16, "trajectory_number": 30, "hog_bin": 96, "hof_bin": 108,
        "mbhx_bin": 96, "mbhy_bin": 96, "video_frame": 60, "row": 3, "column": 3,
    }  # fmt: skip
    for name, values in features.columns().items():
        np.testing.assert_array_equal(data[name], values)
        assert data[name].dtype == values.dtype
    np.testing.assert_array_equal(data.points.sel(xy="y"), features.points[..., 1])
    np.testing.assert_array_equal(data.position.sel(xyt="t"), features.position[:, 2])
    np.testing.assert_array_equal(data.homography.sel(video_frame=7), features.camera.homography[7])
    assert data.points.attrs["units"] == "px"
    assert (data.width, data.height, data.fps, data.frames) == (320, 240, 25.0, 60)
    assert ExtractionParams(**json.loads(data.params)) == features.params
    assert json.loads(data.source) == features.source


def test_a_data_set_leaves_out_what_is_unknown(projected, xarray):
    data = projected.to_xarray()
    assert set(data.variables) == {"track", "frame", "projected_hog"}
    assert data.attrs == {}
    assert data["projected_hog"].dims == ("track", "projected_hog_axis")
    assert dict(Features().to_xarray().sizes) == {"track": 0}
    assert random_features(2, foreign="text").to_xarray().hof.shape == (2, 108)


def test_the_frames_of_the_camera_keep_their_numbers(xarray):
    data = Features.empty(camera=idt.Camera(np.zeros((3, 3, 3)), np.zeros(3), np.zeros(3), 5)).to_xarray()
    assert data.video_frame.values.tolist() == [5, 6, 7]


@pytest.mark.parametrize(("method", "library"), [("to_pandas", "pandas"), ("to_xarray", "xarray")])
def test_without_the_extra_one_line_says_what_to_install(features, monkeypatch, method, library):
    def without(name):
        raise ImportError(name)

    monkeypatch.setattr("idt.features.tables.import_module", without)
    with pytest.raises(
        DataError, match=rf"^{library} is not installed; pip install 'improved-.*\[tables\]' brings it$"
    ):
        getattr(features, method)()
