"""Frames, crops and values that each family of networks is given: worked examples by the tables of the page."""

from dataclasses import replace

import numpy as np
import pytest

from idt.errors import DataError
from idt.networks.crops import crop_places, cropped, target_size
from idt.networks.presets import CROPS, PRESETS, preset_of
from idt.networks.sampling import clips_of, snippets_of


def test_tsn_in_caffe_takes_25_ticks():
    """n = 100: step = (100 − 1) // 24 = 4; the authors count from 1: 1, 5, …, 97."""
    found = clips_of(preset_of("tsn-caffe"), 100)
    assert found[:, 0].tolist() == [4 * i for i in range(25)]
    # Flow: step = (99 − 5) // 24 = 3, five flows a tick.
    flow = clips_of(preset_of("tsn-caffe-flow"), 99)
    assert flow[1].tolist() == [3, 4, 5, 6, 7]
    assert flow[-1].tolist() == [72, 73, 74, 75, 76]


def test_tsn_in_caffe_takes_the_first_frame_25_times_if_there_are_fewer():
    assert clips_of(preset_of("tsn-caffe"), 24).tolist() == [[0]] * 25


def test_tsn_pytorch_takes_the_middles_of_25_segments():
    """n = 100: tick = 4, offsets int(2 + 4 i); flow of 99: tick = (99 − 5 + 1) / 25 = 3.8, int(1.9 + 3.8 i)."""
    assert clips_of(preset_of("tsn-resnet"), 100)[:, 0].tolist() == [2 + 4 * i for i in range(25)]
    flow = clips_of(preset_of("tsn-resnet-flow"), 99)
    assert flow[:4, 0].tolist() == [1, 5, 9, 13]
    assert flow[-1].tolist() == [93, 94, 95, 96, 97]


def test_mmaction2_takes_the_middles_of_segments_for_single_frames():
    """(i + ½) · n / N: of 60 frames and 8 segments 3.75, 11.25, 18.75 …"""
    assert clips_of(preset_of("tsm"), 60)[:, 0].tolist() == [3, 11, 18, 26, 33, 41, 48, 56]
    assert clips_of(preset_of("tsn"), 10)[:6, 0].tolist() == [0, 0, 1, 1, 1, 2]


def test_mmaction2_spreads_clips_evenly_between_the_first_and_the_last_start():
    """SlowFast, 32 × 2, n = 300: S = 63, room 237, starts round(i · 237 / 9)."""
    found = clips_of(preset_of("slowfast"), 300)
    assert found[:, 0].tolist() == [0, 26, 53, 79, 105, 132, 158, 184, 211, 237]
    assert found[-1, -1] == 299
    assert found[0, :3].tolist() == [0, 2, 4]
    one = clips_of(preset_of("slowfast", clips=1), 300)
    assert one[0, 0] == 118


def test_timesformer_takes_one_clip_from_the_middle_32_frames_apart():
    # The span is 225 frames, which leaves 75 of 300.
    np.testing.assert_array_equal(clips_of(preset_of("timesformer"), 300), [[37 + 32 * i for i in range(8)]])


def test_a_video_shorter_than_a_clip_begins_anew():
    found = clips_of(preset_of("r2plus1d"), 20)
    assert found[0].tolist() == [0, 8, 16, 4, 12, 0, 8, 16]


def test_i3d_takes_all_frames_and_c3d_clips_of_16_that_overlap_by_half():
    assert clips_of(preset_of("i3d"), 7).tolist() == [list(range(7))]
    found = snippets_of(preset_of("c3d", interval=1), 40)
    assert found[:, 0].tolist() == [0, 8, 16, 24]
    assert found[1].tolist() == list(range(8, 24))
    assert snippets_of(preset_of("image"), 5, every=2)[:, 0].tolist() == [0, 2, 4]


def test_a_video_without_enough_flows_is_refused_where_the_family_does_not_repeat():
    with pytest.raises(DataError, match="has 4 flow fields, fewer than the 5 of a clip"):
        clips_of(preset_of("tsn-bn-flow"), 4, "a.avi")
    with pytest.raises(DataError, match="no frames"):
        clips_of(preset_of("tsn"), 0)


@pytest.mark.parametrize("name", PRESETS)
def test_every_preset_takes_frames_that_there_are(name):
    preset = PRESETS[name]
    for n in (1, 5, 16, 31, 250):
        if n < preset.length and preset.rule in ("segments", "ticks"):
            continue
        found = clips_of(preset, n)
        assert found.min() >= 0
        assert found.max() < n
        assert found.shape == (1, n) if preset.rule == "all" else found.shape == (preset.clips, preset.length)


def test_frames_are_resized_by_their_short_side_or_to_a_given_size():
    assert target_size(preset_of("tsn"), 240, 320) == (256, 341)
    assert target_size(preset_of("tsn-caffe"), 120, 160) == (256, 340)
    assert target_size(preset_of("c3d"), 320, 240) == (171, 128)
    assert target_size(preset_of("tdd"), 120, 160) == (120, 160)


def test_ten_crops_are_the_corners_the_centre_and_the_same_mirrored():
    found = crop_places(preset_of("tsn-caffe"), 256, 340)
    corners = [(0, 0), (0, 116), (32, 0), (32, 116), (16, 58)]
    assert found == [(*corner, False) for corner in corners] + [(*corner, True) for corner in corners]


def test_three_crops_lie_along_the_long_side_and_one_in_the_centre():
    assert crop_places(preset_of("slowfast"), 256, 341) == [(0, 0, False), (0, 85, False), (0, 42, False)]
    assert crop_places(preset_of("slowfast"), 341, 256) == [(0, 0, False), (85, 0, False), (42, 0, False)]
    assert crop_places(preset_of("c3d"), 128, 171) == [(8, 29, False)]
    for name, preset in PRESETS.items():
        assert len(crop_places(replace(preset, short_side=256), 256, 340)) == CROPS[preset.crops], name


def test_a_crop_larger_than_the_frame_is_refused():
    with pytest.raises(DataError, match="crops of 224×224 px do not fit frames of 200×100 px"):
        crop_places(preset_of("tsn"), 100, 200)


def test_values_are_taken_off_the_mean_and_divided():
    clip = np.full((1, 4, 4, 3), 255, np.uint8)
    assert cropped(clip, (0, 0, False), preset_of("i3d", crop=4)).max() == 1.0
    assert cropped(clip, (0, 0, False), preset_of("efficientnet-lite", crop=4))[0, 0, 0].tolist() == [1.0] * 3
    np.testing.assert_allclose(
        cropped(clip, (0, 0, False), preset_of("tsn-resnet", crop=2))[0, 0, 0],
        [(1 - 0.485) / 0.229, (1 - 0.456) / 0.224, (1 - 0.406) / 0.225],
        rtol=1e-5,
    )


def test_a_mirrored_flow_points_the_other_way():
    clip = np.zeros((1, 1, 2, 2), np.uint8)
    clip[0, 0, 0] = 100, 30
    found = cropped(clip, (0, 0, True), preset_of("tsn-flow", crop=2, mean=(0.0,), std=(1.0,)))
    assert found[0, 0, 1].tolist() == [155, 30]


def test_wrong_presets_are_refused():
    with pytest.raises(DataError, match="unknown preset tsnn; did you mean tsn"):
        preset_of("tsnn")
    with pytest.raises(DataError, match="crops must be one of"):
        preset_of("tsn", crops="five")
    with pytest.raises(DataError, match="length"):
        preset_of("tsn", length=0)
    with pytest.raises(DataError, match="mean must be 1 or 3 numbers"):
        preset_of("tsn", mean=(1.0, 2.0))
    with pytest.raises(DataError, match="unknown option clipss; did you mean clips"):
        preset_of("tsn", clipss=3)
