import cv2
import numpy as np
import pytest

from idt.errors import DataError
from idt.steps.pyramid import RATIO, gray_pyramid, resize, scales
from tests import golden, scenes
from tests.reference import expansion as reference

# OpenCV resizes uint8 images with weights of 1/2048 and rounds: two levels at most lie between that and exact numbers.
RESIZE_LEVELS = 2
# Numbers of about 3 in float32, mixed in another order.
RESIZED = 2e-6

# Worked examples


def test_a_frame_of_320x240_has_six_scales():
    levels = scales(240, 320)
    assert [(level.width, level.height) for level in levels] == [
        (320, 240), (226, 170), (160, 120), (113, 85), (80, 60), (57, 42)
    ]  # fmt: skip


def test_factors_are_accumulated_in_float32():
    factors = [level.factor for level in scales(1000, 1000)]
    assert len(factors) == 8
    assert factors[0] == 1.0
    assert factors[1] == float(np.float32(np.sqrt(2)))
    assert factors[4] == float(np.float32(3.9999995))
    assert factors[4] < 4.0


def test_the_last_bit_of_a_factor_decides_a_size():
    # The third factor is 1.9999999: 45 / 2 would round to the even 22, 45 / 1.9999999 rounds to 23.
    third = scales(45, 63, patch=16)[2]
    assert third.factor < 2
    assert (third.height, third.width) == (23, 32)


@pytest.mark.parametrize(
    ("side", "patch", "n_scales"),
    [
        (32, 32, 1),
        (64, 32, 3),
        (31, 32, 1),
        (1, 32, 1),
        (45, 32, 1),
        (46, 32, 2),
        (64, 33, 2),
        (240, 240, 1),
        (240, 100, 3),
    ],
)
def test_the_shorter_side_holds_a_patch_at_every_scale_but_the_first(side, patch, n_scales):
    assert len(scales(side, 1000, patch=patch)) == n_scales
    assert len(scales(1000, side, patch=patch)) == n_scales


def test_the_number_of_scales_can_be_limited():
    assert scales(240, 320, most=4) == scales(240, 320)[:4]
    assert scales(240, 320, most=1) == scales(240, 320)[:1]
    assert len(scales(10_000, 10_000)) == 8


def test_the_patch_fits_into_every_scale_of_any_video_that_holds_it():
    for side in range(32, 1100):
        assert min(min(level.height, level.width) for level in scales(side, side + 7)) >= 32


# Rivals


def test_each_level_is_the_one_above_resized():
    frame = scenes.texture(97, 131)
    levels = scales(97, 131)
    pyramid = gray_pyramid(frame, levels)
    assert len(pyramid) == len(levels) > 2
    np.testing.assert_array_equal(pyramid[0], frame)
    for above, level, image in zip(pyramid, levels[1:], pyramid[1:], strict=False):
        assert image.dtype == np.uint8
        expected = reference.resize(above.astype(float), (level.height, level.width))
        assert np.abs(image - expected).max() <= RESIZE_LEVELS
        np.testing.assert_array_equal(image, cv2.resize(above, (level.width, level.height)))


@pytest.mark.parametrize("clip", golden.SYNTHETIC + golden.REAL)
def test_scales_have_the_sizes_of_the_release(clip):
    height, width = golden.gray(clip).shape[1:]
    fields = np.load(golden.golden_folder(clip) / "flow.npz")
    levels = scales(height, width)
    assert [fields[f"flow_001_{s}"].shape[:2] for s in range(len(levels))] == [(e.height, e.width) for e in levels]
    assert f"flow_001_{len(levels)}" not in fields
    # Which scales have tracks depends on the clip; their factors are bit-equal.
    found = np.unique(np.load(golden.golden_folder(clip) / "tracks.npz")["info"][:, 6].astype(np.float32))
    assert set(found) <= {np.float32(level.factor) for level in levels}


# Laws


def test_the_ratio_is_the_root_of_two_in_float32():
    assert RATIO.dtype == np.float32
    assert all(
        np.float32(b.factor) == np.float32(a.factor) * RATIO
        for a, b in zip(scales(900, 900), scales(900, 900)[1:], strict=False)
    )


def test_a_flat_frame_stays_flat():
    frame = scenes.flat(1, value=77)[0]
    assert all((image == 77).all() for image in gray_pyramid(frame, scales(*frame.shape)))


# Refusals


@pytest.mark.parametrize("frame", [np.zeros((40, 50, 3), np.uint8), np.zeros((40, 50)), None])
def test_only_gray_frames_have_a_pyramid(frame):
    with pytest.raises(DataError, match="gray must be a 2-D uint8 image, got"):
        gray_pyramid(frame, scales(40, 50))


@pytest.mark.parametrize(
    ("source", "target"), [((24, 32), (17, 23)), ((17, 23), (24, 32)), ((5, 4), (5, 4)), ((1, 1), (3, 2))]
)
def test_resizing_is_opencvs(source, target):
    image = np.random.default_rng(0).normal(size=source).astype(np.float32)
    resized = resize(image[None], np.empty((1, *target), np.float32), factor=3)
    np.testing.assert_allclose(resized[0], 3 * cv2.resize(image, target[::-1]), atol=RESIZED)
