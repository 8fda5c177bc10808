"""The frame loop as a whole: what must hold for any video, every option at least once, its refusals."""

import numpy as np
import pytest

import idt
from idt.features.features import Features
from idt.params.extraction import ExtractionParams
from tests import scenes

# A point moves by the flow at its rounded position, which is right to a few hundredths of a pixel a step on texture.
DRIFT = 0.35
# RANSAC accepts 1 px, and a homography may trade translation for tilt.
SHIFT = 0.25


def assert_same(one, other):
    np.testing.assert_array_equal(one.to_numpy(), other.to_numpy())
    np.testing.assert_array_equal(one.points, other.points)
    np.testing.assert_array_equal(one.camera.homography, other.camera.homography)
    np.testing.assert_array_equal(one.camera.matches, other.camera.matches)


@pytest.fixture(scope="module")
def features(clip):
    return idt.extract(clip)


def test_tracks_on_a_sliding_scene_slide_with_it():
    velocity = np.array([2, 1])
    features = idt.extract(scenes.translating(20, velocity=velocity), camera=False)
    steps = np.diff(features.points, axis=1)
    inside = (features.points > 20).all(axis=(1, 2)) & (features.points < [108, 76]).all(axis=(1, 2))
    fine = inside & (features.scale == 1)
    assert fine.sum() > 20
    np.testing.assert_allclose(np.median(steps[fine], axis=0), np.broadcast_to(velocity, (15, 2)), atol=0.05)
    moved = features.points[fine, -1] - features.points[fine, 0]
    assert np.median(np.abs(moved - 15 * velocity)) < DRIFT


def test_what_moves_with_the_camera_is_removed():
    sliding = scenes.translating(20, velocity=(2, 1), size=(120, 160))
    with_camera, without = idt.extract(sliding), idt.extract(sliding, camera=False)
    assert len(with_camera) < 0.1 * len(without)
    # The scene moves by (2, 1), so does the homography.
    moves = with_camera.camera.homography[1:]
    np.testing.assert_allclose(moves[:, :2, 2], np.broadcast_to([2, 1], (19, 2)), atol=SHIFT)
    np.testing.assert_allclose(moves[:, :2, :2], np.broadcast_to(np.eye(2), (19, 2, 2)), atol=0.01)


def test_a_static_scene_yields_no_tracks():
    features = idt.extract(scenes.static(20))
    assert len(features) == 0
    assert features.frames == 20
    assert features.to_numpy().shape == (0, 436)


def test_a_flat_scene_yields_no_tracks_and_no_matches():
    features = idt.extract(scenes.flat(18))
    assert len(features) == 0
    np.testing.assert_array_equal(features.camera.matches, 0)


def test_a_single_frame_yields_no_tracks():
    features = idt.extract(scenes.static(1))
    assert (len(features), features.frames) == (0, 1)
    np.testing.assert_array_equal(features.camera.homography, np.eye(3)[None])


def test_rows_are_ordered_by_frame_then_scale(features):
    order = np.lexsort((features.scale, features.frame))
    np.testing.assert_array_equal(order, np.arange(len(features)))


def test_the_same_video_gives_the_same_features_and_threads_do_not_change_them(clip, features):
    for threads in (1, 2, 4):
        assert_same(idt.extract(clip, threads=threads), features)


def test_chunks_of_a_stream_add_up_to_the_whole(clip, features):
    chunks = list(idt.stream(iter(clip)))
    assert [chunk.frames for chunk in chunks] == [16, 8]
    assert np.isnan(chunks[-1].position[:, 2]).all()
    assert_same(Features.concatenate(chunks).with_times(24), features)


def test_an_endless_stream_gives_its_chunks_as_it_goes(clip):
    def endless():
        while True:
            yield from clip

    chunks = idt.stream(endless())
    counts = [len(next(chunks)) for _ in range(3)]
    chunks.close()
    assert counts[1] > 0
    assert counts[2] > 0


def test_bgr_frames_give_what_their_gray_gives(clip, features):
    assert_same(idt.extract(np.repeat(clip[..., None], 3, axis=3)), features)


@pytest.mark.parametrize("keypoints", ["sift", "orb", "none"])
def test_other_keypoints_find_the_same_camera(keypoints):
    sliding = scenes.translating(17, velocity=(2, 1), size=(120, 160))
    moves = idt.extract(sliding, keypoints=keypoints).camera.homography[1:]
    np.testing.assert_allclose(moves[:, :2, 2], np.broadcast_to([2, 1], (16, 2)), atol=SHIFT)


def test_without_the_camera_displacements_are_the_raw_steps(clip):
    features = idt.extract(clip, camera=False)
    steps = np.diff(features.points, axis=1)
    total = np.linalg.norm(steps, axis=2).sum(axis=1)
    expected = (steps / total[:, None, None]).reshape(len(steps), -1)
    np.testing.assert_allclose(features.trajectory, expected, atol=1e-4)
    np.testing.assert_array_equal(features.camera.inliers, 0)


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [
        {"flow": "dis"}, {"flow_from": 2}, {"compensation": "field"}, {"flow": "dis", "compensation": "field"},
        {"preset": "fast"}, {"flow": "lk", "compensation": "field"},
    ],
)  # fmt: skip
def test_every_way_to_the_flow_keeps_the_camera_out_and_threads_do_not_change_it(clip, options):
    features = idt.extract(clip, **options)
    assert_same(features, idt.extract(clip, threads=2, **options))
    # The background moves by (-1, 0), and the patch before it is what the release's flow finds, too.
    np.testing.assert_allclose(np.median(features.camera.homography[1:, :2, 2], axis=0), [-1, 0], atol=SHIFT)
    assert 0.5 * len(idt.extract(clip)) < len(features) < 1.5 * len(idt.extract(clip))


def test_a_camera_that_stands_still_needs_no_second_flow():
    features, short = (idt.extract(scenes.static(20), compensation=way) for way in ("warp", "moved"))
    assert_same(features, short)


def test_a_preset_is_what_its_values_are_and_gives_way_to_options(clip):
    fast = idt.ExtractionParams.PRESETS["fast"]
    assert_same(idt.extract(clip, preset="fast"), idt.extract(clip, **fast))
    assert idt.extract(clip[:2], preset="fast", keypoints="surf").params.keypoints == "surf"
    assert idt.ExtractionParams.from_options(preset="exact") == idt.ExtractionParams()


def test_a_gap_samples_new_points_only_every_so_many_frames(clip):
    starts = set(idt.extract(clip, gap=4, camera=False).frame - 15)
    assert starts == {0, 4, 8}
    assert set(idt.extract(clip, camera=False).frame - 15) == set(range(9))


def test_a_track_described_at_every_other_frame_has_the_mean_of_those_steps(clip):
    every = idt.extract(clip, length=4, time_cells=4, camera=False)
    other = idt.extract(clip, length=4, time_cells=2, describe_every=2, camera=False)
    np.testing.assert_array_equal(other.points, every.points)
    np.testing.assert_array_equal(other.trajectory, every.trajectory)
    assert set(every.frame % 2) == {0, 1}
    for name in ("hog", "hof", "mbhx", "mbhy"):
        steps = getattr(every, name).reshape(len(every), 2, 2, -1)
        # The steps from frames 0, 2, 4 … are described: the first and third of a track from an even frame.
        described = steps[np.arange(len(every)), :, every.frame % 2]
        np.testing.assert_array_equal(getattr(other, name).reshape(described.shape), described)


def test_all_described_steps_of_a_time_cell_count_alike(clip):
    every = idt.extract(clip, length=5, time_cells=5, camera=False, gap=2)
    other = idt.extract(clip, length=5, time_cells=1, describe_every=2, camera=False, gap=2)
    steps = every.hof.reshape(len(every), 5, -1)
    np.testing.assert_allclose(other.hof, steps[:, [0, 2, 4]].mean(axis=1), atol=1e-6)


def test_start_and_end_choose_frames_and_keep_their_numbers(clip):
    part = idt.extract(clip, start=4, end=20, camera=False)
    cut = idt.extract(clip[4:21], camera=False)
    assert part.frames == cut.frames == 17
    np.testing.assert_array_equal(part.frame, cut.frame + 4)
    np.testing.assert_array_equal(part.points, cut.points)
    np.testing.assert_array_equal(part.position, cut.position)


def test_layout_follows_the_parameters(clip):
    features = idt.extract(clip, length=7, cells=3, time_cells=2, patch=24, stride=8, scales=2)
    assert features.points.shape[1:] == (8, 2)
    assert features.trajectory.shape[1] == 14
    assert features.hog.shape[1] == features.mbhx.shape[1] == 2 * 9 * 8
    assert features.hof.shape[1] == 2 * 9 * 9
    np.testing.assert_allclose(np.unique(features.scale), [1, np.sqrt(2)], rtol=1e-6)


@pytest.mark.parametrize(("norm", "power"), [("rootl1", 2), ("l2", 2)])
def test_local_norm_decides_the_length_of_a_step(clip, norm, power):
    features = idt.extract(clip, length=1, time_cells=1, local_norm=norm, camera=False)
    np.testing.assert_allclose((features.hof**power).sum(axis=1), 1, rtol=1e-5)


def test_shrunk_frames_give_tracks_in_their_own_pixels():
    big = scenes.translating(18, velocity=(4, 2), size=(192, 256))
    features = idt.extract(big, max_side=128, camera=False)
    assert (features.width, features.height) == (128, 96)
    steps = np.diff(features.points[features.scale == 1], axis=1)
    np.testing.assert_allclose(np.median(steps, axis=(0, 1)), [2, 1], atol=0.05)


def test_people_are_kept_out_of_the_matches(clip, tmp_path):
    boxes = tmp_path / "boxes.txt"
    boxes.write_text("".join(f"{t} 0 0 127 95 1\n" for t in range(len(clip))))
    features = idt.extract(clip, boxes=boxes)
    np.testing.assert_array_equal(features.camera.matches, 0)
    by_detector = idt.extract(clip, humans="hog")
    assert by_detector.camera.matches[1:].min() > 0


def test_numpy_scalars_are_the_numbers_that_they_hold():
    given = {"stride": np.int64(4), "camera": np.bool_(False), "fps": np.float32(12.5), "start": np.uint8(3)}
    params = ExtractionParams.from_options(**given)
    assert params == ExtractionParams(stride=4, camera=False, fps=12.5, start=3)
    assert [type(getattr(params, name)) for name in given] == [int, bool, float, int]
    with pytest.raises(idt.DataError, match=r"stride must be a whole number of at least 1, got 4\.0"):
        ExtractionParams(stride=np.float64(4))


@pytest.mark.parametrize(
    ("options", "pattern"),
    [
        ({"threads": 0}, "threads must be .* at least 1, got 0"),
        ({"lenght": 15}, r"^unknown option lenght; did you mean length\?$"),
        ({"keypoints": "fast"}, "keypoints must be one of surf, sift, orb, none, got 'fast'"),
        ({"preset": "best"}, "preset must be one of exact, fast, mpeg, got 'best'"),
        ({"flow": "dis", "flow_from": 1}, "flow_from is for farneback"),
        ({"flow_from": -1}, "flow_from must be .* at least 0, got -1"),
        ({"camera": 1}, "camera must be True or False, got 1"),
        ({"end": 3, "start": 5}, "end must not lie before start"),
        ({"boxes": "absent.txt"}, "absent.txt"),
        ({"fps": 10}, "frame rate"),
    ],
)
def test_options_that_make_no_sense_are_refused(clip, options, pattern):
    with pytest.raises(idt.DataError, match=pattern):
        idt.extract(clip, **options)
