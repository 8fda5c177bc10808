"""Flows that are not the release's: motion of rendered scenes, functions of the caller, and what they may return."""

import copy
import pickle

import cv2
import numpy as np
import pytest

import idt
from idt.errors import DataError
from idt.features import feature_file
from idt.params.extraction import ExtractionParams
from idt.params.flow_choice import field_reader_of
from idt.steps import dense_flows
from idt.steps.pyramid import scales
from tests import scenes

MEDIAN = {"dis": 0.15, "tvl1": 0.08, "lk": 0.03}
"""Median endpoint error in pixels on a texture that slides by a fraction of a pixel: what bilinear rendering and each
method's own resolution leave, doubled or so."""

MOTION = 0.2
"""Pixels by which the median of a coarser scale may miss the motion, in full-resolution pixels."""

VELOCITY = (2.5, -1.25)
METHODS = pytest.mark.parametrize("method", list(dense_flows.METHODS))


@pytest.fixture(scope="module")
def sliding():
    return scenes.translating(2, velocity=VELOCITY, size=(120, 160))


def constant(previous, current):
    """A flow of a caller."""
    return np.full((*previous.shape, 2), (2, 1), np.float64)


class Network:
    """A flow of a caller that is an object."""

    def __call__(self, previous, current):
        return constant(previous, current)

    def __deepcopy__(self, memo):
        raise AssertionError("a network was copied")


# The motion


@METHODS
def test_every_method_finds_a_rendered_motion(method, sliding):
    field = dense_flows.METHODS[method](*sliding)
    assert field.shape == (120, 160, 2)
    assert field.dtype == np.float32
    error = np.linalg.norm(field - VELOCITY, axis=2)[10:-10, 10:-10]
    assert np.median(error) < MEDIAN[method]


@METHODS
def test_no_method_sees_motion_in_a_scene_at_rest(method, sliding):
    np.testing.assert_array_equal(dense_flows.METHODS[method](sliding[0], sliding[0]), 0)


@pytest.mark.parametrize("method", ["dis", "lk"])
def test_coarser_scales_carry_the_same_motion(method, sliding):
    for field, level in zip(dense_flows.estimate(*sliding, method), scales(120, 160), strict=True):
        assert field.shape == (level.height, level.width, 2)
        assert field.dtype == np.float32
        inner = field[level.height // 4 : -(level.height // 4), level.width // 4 : -(level.width // 4)]
        np.testing.assert_allclose(np.median(inner, axis=(0, 1)) * level.factor, VELOCITY, atol=MOTION)


@METHODS
def test_tracks_follow_the_motion(method):
    clip = scenes.moving_patch(9, velocity=(2, 1), background=(-1, 0))
    features = idt.extract(clip, flow=method, length=6, compensation="field")
    assert features.params.flow == method
    # In the middle of the patch: beside its edges each method smooths in its own way.
    inside = (features.scale == 1) & (np.abs(features.mean - (44 + 2 * 3, 50 + 3)) < 12).all(axis=1)
    assert inside.sum() >= 5
    steps = np.diff(features.points[inside], axis=1)
    np.testing.assert_allclose(np.median(steps, axis=(0, 1)), [2, 1], atol=MOTION)
    np.testing.assert_allclose(np.median(features.camera.homography[1:, :2, 2], axis=0), [-1, 0], atol=MOTION)


def test_threads_of_opencv_do_not_change_a_flow(sliding):
    before = cv2.getNumThreads()
    try:
        cv2.setNumThreads(1)
        alone = {name: method(*sliding) for name, method in dense_flows.METHODS.items()}
        cv2.setNumThreads(4)
        for name, method in dense_flows.METHODS.items():
            np.testing.assert_array_equal(method(*sliding), alone[name])
    finally:
        cv2.setNumThreads(before)


# Functions of the caller


@pytest.mark.parametrize("flow", [constant, Network()])
def test_a_function_of_the_caller_is_the_flow(flow):
    clip = scenes.translating(7, velocity=(0, 0))
    features = idt.extract(clip, flow=flow, length=5, camera=False, scales=1)
    steps = np.diff(features.points, axis=1)
    np.testing.assert_allclose(steps, np.broadcast_to([2, 1], steps.shape), atol=1e-5)


def test_a_function_that_calls_a_method_gives_what_the_method_gives():
    clip = scenes.moving_patch(8, velocity=(2, 1), background=(-1, 0))
    own, named = (idt.extract(clip, flow=flow, length=5) for flow in (dense_flows.dis, "dis"))
    for name in ("points", "hof", "mbhx"):
        np.testing.assert_array_equal(getattr(own, name), getattr(named, name))
    np.testing.assert_array_equal(own.camera.homography, named.camera.homography)


def test_the_name_of_a_function_is_recorded_and_compared(tmp_path):
    params = ExtractionParams(flow=constant)
    assert params.flow == "python:tests.test_dense_flows.constant" or params.flow.endswith("test_dense_flows.constant")
    assert params == ExtractionParams(flow=constant) == copy.deepcopy(params)
    assert params != ExtractionParams(flow=Network()) != ExtractionParams()
    assert pickle.loads(pickle.dumps(params.flow)) == params.flow
    path = tmp_path / "f.h5"
    frames = scenes.write_images(tmp_path / "frames", scenes.translating(7))
    idt.save(idt.extract(frames, flow=constant, length=5, camera=False), path)
    read = idt.load(path).params
    assert read == ExtractionParams(flow=constant, length=5, camera=False)
    source = idt.load(path).source
    stored = feature_file.stored_params(read)
    assert feature_file.is_current(path, params=stored, source=source)
    other = feature_file.stored_params(ExtractionParams(flow="dis", length=5, camera=False))
    with pytest.raises(DataError, match=r"flow"):
        feature_file.is_current(path, params=other, source=source)
    # The code is not in the file.
    with pytest.raises(DataError, match=r"pass the function itself"):
        idt.extract(scenes.translating(7), flow=read.flow)


# Refusals


@pytest.mark.parametrize(
    ("returned", "pattern"),
    [
        (
            np.zeros((96, 128)),
            r"real numbers of shape \(96, 128, 2\), got float64 of shape \(96, 128\)",
        ),
        (np.zeros((95, 128, 2)), r"of shape \(96, 128, 2\), got float64 of shape \(95, 128, 2\)"),
        (np.full((96, 128, 2), np.nan), "the flow must be finite, got 24576 NaN"),
        (np.full((96, 128, 2), 1e7), r"the flow must be finite, from -1e\+06 to 1e\+06"),
        (None, "the flow must be real numbers"),
        ("fast", "the flow must be real numbers"),
        (np.zeros((96, 128, 2), complex), "the flow must be real numbers"),
    ],
)
def test_what_a_function_returns_is_checked(returned, pattern):
    with pytest.raises(DataError, match=pattern):
        idt.extract(scenes.static(3), flow=lambda previous, current: returned, camera=False)


@METHODS
@pytest.mark.parametrize(
    ("shapes", "pattern"), [([(40, 50), (40, 51)], "must have one size"), ([(15, 50)] * 2, "at least 16 px, got 50x15")]
)
def test_unfit_frames_are_refused(method, shapes, pattern):
    with pytest.raises(DataError, match=pattern):
        dense_flows.METHODS[method](*(np.zeros(shape, np.uint8) for shape in shapes))


def test_opencv_without_its_contributed_modules_is_named(monkeypatch, sliding):
    monkeypatch.delattr(cv2, "optflow")
    with pytest.raises(DataError, match="flow=tvl1 needs opencv-contrib-python"):
        dense_flows.tvl1(*sliding)


@pytest.mark.parametrize("flow", ["mpeg2", 5, None, ["dis"]])
def test_an_unknown_flow_is_refused(flow):
    with pytest.raises(DataError, match="flow must be one of farneback, dis, tvl1, lk"):
        ExtractionParams(flow=flow)


@pytest.mark.parametrize("method", ["dis", "tvl1", "lk", constant])
def test_only_farnebacks_pyramid_begins_at_a_coarser_scale(method):
    with pytest.raises(DataError, match="flow_from is for farneback's pyramid"):
        ExtractionParams(flow=method, flow_from=1)


def test_named_methods_have_no_fields_of_their_own():
    assert field_reader_of("dis") is None
    assert field_reader_of(ExtractionParams(flow=constant).flow) is None
