"""Cuboids instead of tracks: where they stand, what they hold, and that motion shows in them."""

import numpy as np
import pytest

import idt
from idt.extractor import run_frame_loop
from idt.frames.video import open_video
from idt.steps import histograms
from tests import scenes

OPTIONS = {"tracks": "none", "stride": 16, "length": 6, "time_cells": 2, "scales": 1, "camera": False}


@pytest.fixture(scope="module")
def clip():
    return scenes.moving_patch(13, velocity=(3, 0), background=(0, 0))


def test_cuboids_stand_on_the_grid_and_begin_every_so_many_frames(clip):
    features = idt.extract(clip, gap=3, **OPTIONS)
    # 96×128 px hold 6×8 cells, and 13 frames the beginnings 0, 3 and 6.
    assert len(features) == 48 * 3
    assert set(features.frame.tolist()) == {6, 9, 12}
    assert not np.ptp(features.points, axis=1).any()
    grid = np.stack(np.meshgrid(8 + 16 * np.arange(8), 8 + 16 * np.arange(6)), axis=2).reshape(-1, 2)
    np.testing.assert_array_equal(features.points[features.frame == 6][:, 0], grid)
    np.testing.assert_array_equal(features.points[features.frame == 9][:, 0], grid)


def test_a_flat_scene_has_cuboids_too():
    assert len(idt.extract(scenes.flat(13), gap=6, **OPTIONS)) == 48 * 2


def test_the_histograms_are_those_of_a_patch_that_stays(clip):
    features = idt.extract(clip, gap=20, **OPTIONS)
    flows = [step.flow[0] for step in list(run_frame_loop(open_video(clip), features.params))[1:7]]
    points = np.ascontiguousarray(features.points[:, 0])
    steps = np.stack([histograms.describe(gray, flow, points) for gray, flow in zip(clip[:6], flows, strict=True)])
    # Time cells of three steps each; 32 numbers of HOG first, then 36 of HOF.
    means = steps.reshape(2, 3, len(points), -1).mean(axis=1).transpose(1, 0, 2)
    np.testing.assert_allclose(features.hog.reshape(len(points), 2, 32), means[..., :32], atol=1e-5)
    np.testing.assert_allclose(features.hof.reshape(len(points), 2, 36), means[..., 32:68], atol=1e-5)


def test_what_moves_moves_within_a_cuboid(clip):
    features = idt.extract(clip, gap=20, **OPTIONS)
    moved = np.abs(features.trajectory).sum(axis=1)
    inside = (np.abs(features.points[:, 0] - (49, 50)) < (16, 16)).all(axis=1)
    outside = (features.points[:, 0, 0] > 100) & (features.points[:, 0, 1] > 10)
    assert (moved[inside] > 0.5).all()
    steps = features.trajectory[inside].reshape(-1, 6, 2).sum(axis=1)
    assert (steps[:, 0] > 0.9).all()
    assert inside.sum() >= 4
    assert outside.any()


def test_threads_and_codec_make_cuboids_alike(clip):
    pytest.importorskip("av")
    options = {**OPTIONS, "preset": "mpeg", "gap": 5, "describe_every": 1}
    one, two = (idt.extract(clip, threads=n, **options) for n in (1, 2))
    for name in ("points", "hof", "mbhx", "trajectory"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))
