"""Two frames: flow, camera motion, warped frame and remaining flow are those of the frame loop."""

import itertools

import numpy as np
import pytest

import idt
from idt.errors import DataError
from idt.extractor import run_frame_loop
from idt.flows.two_frames import pairs
from idt.frames.video import open_video
from idt.params.extraction import ExtractionParams
from idt.steps import camera
from tests import scenes

SHIFT = 0.1
"""Pixels by which the camera's motion of a clip with sharp corners may miss the rendered one."""


@pytest.fixture(scope="module")
def clip():
    return scenes.moving_patch(5, velocity=(2, 1), background=(-2, 0))


@pytest.mark.parametrize("method", ["farneback", "dis", "lk"])
def test_the_flow_is_the_motion_of_the_scene(method):
    flow = idt.flow_between(*scenes.translating(2, velocity=(3, -2)), method=method)
    assert flow.dtype == np.float32
    assert flow.flags.c_contiguous
    np.testing.assert_allclose(np.median(flow[10:-10, 10:-10], axis=(0, 1)), [3, -2], atol=0.2)


def test_a_function_is_a_method(clip):
    flow = idt.flow_between(clip[0], clip[1], method=lambda a, b: np.ones((*a.shape, 2)))
    np.testing.assert_array_equal(flow, 1)


def test_the_cameras_motion_is_taken_out(clip):
    found = idt.compensate(clip[0], clip[1])
    np.testing.assert_allclose(found.homography[:2, 2], [-2, 0], atol=SHIFT)
    assert found.inliers > 25
    np.testing.assert_array_equal(found.warped, camera.warp(clip[1], clip[0], found.homography))
    behind = np.ones(clip[0].shape, bool)
    behind[10:75, 10:80] = False
    assert np.median(np.linalg.norm(found.remaining[behind], axis=1)) < SHIFT
    np.testing.assert_allclose(np.median(found.remaining[40:55, 40:60], axis=(0, 1)), [4, 1], atol=0.3)


@pytest.mark.parametrize("options", [{}, {"compensation": "field"}, {"keypoints": "none"}, {"flow": "dis"}])
def test_two_frames_give_what_the_frame_loop_gives(clip, options):
    params = ExtractionParams(**options)
    steps = list(run_frame_loop(open_video(clip), params))
    options = {{"flow": "method"}.get(name, name): value for name, value in options.items()}
    alone = [idt.compensate(first, second, **options) for first, second in itertools.pairwise(clip)]
    in_a_row = [found for _, found in pairs(open_video(clip), params)]
    assert in_a_row[0] is None
    for step, one, other in zip(steps[1:], alone, in_a_row[1:], strict=True):
        for found in (one, other):
            np.testing.assert_array_equal(found.flow, step.flow[0])
            np.testing.assert_array_equal(found.remaining, step.flow_warp[0])
            np.testing.assert_array_equal(found.homography, step.motion.homography)
            assert (found.matches, found.inliers) == step.motion[1:]


def test_a_step_of_frames_skips_those_between(clip):
    found = [pair for _, pair in pairs(open_video(clip), ExtractionParams(camera=False), step=3)]
    assert [pair is None for pair in found] == [True, True, True, False, False]
    for at in (3, 4):
        np.testing.assert_array_equal(found[at].flow, idt.flow_between(clip[at - 3], clip[at]))
        np.testing.assert_array_equal(found[at].remaining, found[at].flow)


def test_people_give_no_matches(clip):
    whole = idt.compensate(clip[0], clip[1], boxes=np.array([[0, 0, 127, 95]]))
    assert (whole.matches, whole.inliers) == (0, 0)
    np.testing.assert_array_equal(whole.homography, np.eye(3))
    none = idt.compensate(clip[0], clip[1], boxes=np.empty((0, 4)))
    assert none.matches == idt.compensate(clip[0], clip[1]).matches


def test_a_picture_of_one_pixel_by_one_is_refused():
    with pytest.raises(DataError, match="at least 2x2 px"):
        idt.flow_between(*np.zeros((2, 1, 1), np.uint8))


@pytest.mark.parametrize(
    ("call", "pattern"),
    [
        (lambda a: idt.flow_between(a, a[:-1]), "first and second must have one size"),
        (lambda a: idt.flow_between(a[..., None], a), "first must be a 2-D uint8 image"),
        (lambda a: idt.flow_between(a, a.astype(float)), "second must be a 2-D uint8 image"),
        (lambda a: idt.flow_between(a, a, method="horn"), "flow must be one of farneback"),
        (lambda a: idt.flow_between(a, a, method=lambda *_: 1), "the flow must be real numbers"),
        (lambda a: idt.compensate(a, a, keypoints="fast"), "keypoints must be one of"),
        (lambda a: idt.compensate(a, a, compensation="none"), "compensation must be one of"),
        (lambda a: idt.compensate(a, a, boxes=[1, 2, 3, 4]), "boxes must be real numbers"),
        (lambda a: idt.compensate(a, a, boxes=[[1, 2, np.nan, 4]]), "boxes must be finite"),
    ],
)
def test_what_cannot_be_used_is_refused(call, pattern, clip):
    with pytest.raises(DataError, match=pattern):
        call(clip[0])
