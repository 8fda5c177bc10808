"""Warped flow of a rendered scene in which the camera pans and somebody walks: what remains is the walk alone."""

import numpy as np
import pytest

import idt
from tests import scenes

PAN, WALK = (-2, 1), (3, 0)
"""Pixels that the background and the actor move in each frame, as the camera sees them."""

STILL = 0.1
"""Median length in pixels that may remain in the background."""

KEPT = 0.2
"""Pixels by which the actor's remaining motion may miss that of the scene."""

SIZE = (144, 192)
CORNER, PATCH = (50, 40), (52, 64)


@pytest.fixture(scope="module")
def scene():
    return scenes.moving_patch(3, velocity=WALK, background=PAN, corner=CORNER, patch=PATCH, size=SIZE, seed=3)


def places(frame):
    """Masks of the actor's inside and of what is surely background, in a frame."""
    y, x = np.mgrid[: SIZE[0], : SIZE[1]]
    left, top = CORNER[0] + frame * WALK[0], CORNER[1] + frame * WALK[1]
    across, down = (x - left) / PATCH[0], (y - top) / PATCH[1]
    actor = (abs(across - 0.5) < 0.25) & (abs(down - 0.5) < 0.25)
    near = (abs(x - left - PATCH[0] / 2) < PATCH[0] / 2 + 12) & (abs(y - top - PATCH[1] / 2) < PATCH[1] / 2 + 12)
    border = (x < 10) | (y < 10) | (x >= SIZE[1] - 10) | (y >= SIZE[0] - 10)
    return actor, ~near & ~border


def check(found, frame):
    actor, background = places(frame)
    length = np.linalg.norm(found.remaining, axis=2)
    assert np.median(length[background]) < STILL
    relative = np.subtract(WALK, PAN)
    assert np.linalg.norm(np.median(found.remaining[actor], axis=0) - relative) < KEPT
    # The flow itself shows both.
    assert np.median(np.linalg.norm(found.flow, axis=2)[background]) > 2


@pytest.mark.parametrize("compensation", ["warp", "field"])
@pytest.mark.parametrize("method", ["farneback", "dis", "lk", pytest.param("tvl1", marks=pytest.mark.slow)])
@pytest.mark.parametrize("with_boxes", [False, True])
def test_the_background_comes_to_rest_and_the_actor_goes_on(scene, method, compensation, with_boxes):
    for frame in (0, 1):
        left, top = CORNER[0] + (frame + 1) * WALK[0], CORNER[1] + (frame + 1) * WALK[1]
        box = np.array([[left, top, left + PATCH[0] - 1, top + PATCH[1] - 1]])
        found = idt.compensate(
            scene[frame], scene[frame + 1], method=method, compensation=compensation, boxes=box if with_boxes else None
        )
        check(found, frame)


def test_boxes_save_a_background_that_most_matches_do_not_lie_on():
    # The actor fills most of the frame.
    clip = scenes.moving_patch(2, velocity=(3, 0), background=(-2, 0), corner=(20, 4), patch=(110, 88), seed=5)
    alone = idt.compensate(clip[0], clip[1])
    boxes = np.array([[20, 0, 136, 95]])
    boxed = idt.compensate(clip[0], clip[1], boxes=boxes)
    np.testing.assert_allclose(boxed.homography[:2, 2], [-2, 0], atol=0.5)
    assert np.abs(alone.homography[:2, 2] - [-2, 0]).max() > 1
