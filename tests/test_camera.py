import cv2
import numpy as np
import pytest

from benchmarks.matching import corner_error
from idt.errors import DataError
from idt.frames import people
from idt.steps import camera, corners, flow
from idt.steps.camera import FrameKeypoints
from idt.steps.pyramid import scales
from tests import golden, scenes
from tests.reference import warp as reference

# Least squares over exact matches in float32 coordinates of some hundred pixels.
EXACT_FIT = 1e-3
# A homography is the same if it takes no corner of the image further away than this, px; the bar of the comparison.
SAME_HOMOGRAPHY = 0.1
# The same inliers, polished twice, px; another draw of RANSAC would be off by hundredths.
SAME_POLISH = 1e-5
# RANSAC turns on the last bit of a match now and then.
SHARE_OF_HOMOGRAPHIES = 0.97
# A keypoint near a threshold may be found or not: share of the release's number.
SHARE_OF_MATCHES = 0.01
# Corners of a rendered scene whose camera moves: what sub-pixel flow and keypoints leave, px.
RENDERED = 0.1
# Pairs looked at in each golden clip; the whole clips are looked at by test_golden.
PAIRS = (1, 2, 3, 10)


def translation(x, y):
    return np.array([[1, 0, x], [0, 1, y], [0, 0, 1]], np.float64)


def rng_matches(n_inliers, n_outliers, motion, seed=0):
    """Matches of which the first follow the homography and the others, far off, follow nothing."""
    rng = np.random.default_rng(seed)
    source = rng.uniform(0, 300, (n_inliers + n_outliers, 2))
    moved = np.column_stack([source, np.ones(len(source))]) @ motion.T
    target = moved[:, :2] / moved[:, 2:]
    target[n_inliers:] = rng.uniform(1000, 3000, (n_outliers, 2))
    return source.astype(np.float32), target.astype(np.float32)


def motion_between(previous, current, **options):
    """What the frame loop makes of two frames."""
    field = flow.between(flow.expand(previous), flow.expand(current))[0]
    by_flow = corners.match(previous, field)
    by_view = camera.match_keypoints(
        camera.find_keypoints(current, **options), camera.find_keypoints(previous, **options)
    )
    return camera.fit(*(np.concatenate(pair) for pair in zip(by_flow, by_view, strict=True)))


# Worked examples


def test_a_warp_by_whole_pixels_moves_the_image():
    gray, previous = scenes.texture(30, 40, seed=1), scenes.texture(30, 40, seed=2)
    warped = camera.warp(gray, previous, translation(2, 1))
    # (x, y) shows gray at (x + 2, y + 1) where 5 < x + 2 < 34 and 5 < y + 1 < 24.
    expected = previous.copy()
    expected[5:23, 4:32] = gray[6:24, 6:34]
    np.testing.assert_array_equal(warped, expected)
    assert warped.dtype == np.uint8


def test_the_identity_keeps_the_interior_and_copies_the_border():
    gray, previous = scenes.texture(30, 40, seed=1), scenes.texture(30, 40, seed=2)
    warped = camera.warp(gray, previous, np.eye(3))
    np.testing.assert_array_equal(warped[6:24, 6:34], gray[6:24, 6:34])
    border = np.ones(gray.shape, bool)
    border[6:24, 6:34] = False
    np.testing.assert_array_equal(warped[border], previous[border])


def test_half_a_pixel_is_the_mean_of_two_and_halves_round_up():
    gray = np.zeros((20, 20), np.uint8)
    gray[:, 9:] = 10
    gray[:, 10:] = 13
    warped = camera.warp(gray, gray, translation(0.5, 0))
    assert warped[10, 7:11].tolist() == [0, 5, 12, 13]


def test_samples_lie_at_the_nearest_32nd_of_a_pixel():
    gray = np.zeros((20, 20), np.uint8)
    gray[:, 10:] = 128
    # 1/32 of 128 is 4; 0.04 is nearest to 1/32, 0.05 to 2/32, and 1/64 to the even 0.
    for shift, level in ((1 / 32, 4), (0.04, 4), (0.05, 8), (1 / 64, 0), (3 / 64, 8)):
        assert camera.warp(gray, gray, translation(shift, 0))[10, 9] == level


def test_the_border_is_decided_on_the_exact_coordinate():
    gray, previous = np.full((20, 20), 9, np.uint8), np.zeros((20, 20), np.uint8)
    # 5.004 lies inside, although it is sampled at 5; 13.996 lies inside, although it is sampled at 14.
    assert camera.warp(gray, previous, translation(0.004, 0))[10, 4:7].tolist() == [0, 9, 9]
    assert camera.warp(gray, previous, translation(-0.004, 0))[10, 13:16].tolist() == [9, 9, 0]
    assert camera.warp(gray, previous, translation(0, 0.004))[4:7, 10].tolist() == [0, 9, 9]
    assert camera.warp(gray, previous, translation(0, -0.004))[13:16, 10].tolist() == [9, 9, 0]


def test_points_at_infinity_and_frames_without_an_interior_are_copied():
    gray, previous = scenes.texture(30, 40, seed=1), scenes.texture(30, 40, seed=2)
    np.testing.assert_array_equal(camera.warp(gray, previous, np.zeros((3, 3))), previous)
    np.testing.assert_array_equal(camera.warp(gray[:11], previous[:11], np.eye(3)), previous[:11])
    np.testing.assert_array_equal(camera.warp(gray[:1, :1], previous[:1, :1], np.eye(3)), previous[:1, :1])


def test_exact_matches_give_their_homography():
    motion = np.array([[1.01, 0.02, 3], [-0.01, 0.99, -2], [1e-5, 2e-5, 1]])
    found = camera.fit(*rng_matches(60, 0, motion))
    assert corner_error(found.homography, motion, 300, 300) < EXACT_FIT
    assert found.homography.dtype == np.float64
    assert (found.matches, found.inliers) == (60, 60)


def test_a_homography_needs_more_than_50_matches():
    source, target = rng_matches(51, 0, translation(3, -2))
    assert corner_error(camera.fit(source, target).homography, translation(3, -2), 300, 300) < EXACT_FIT
    few = camera.fit(source[:50], target[:50])
    np.testing.assert_array_equal(few.homography, np.eye(3))
    assert (few.matches, few.inliers) == (50, 0)


def test_a_homography_needs_more_than_25_inliers():
    enough = camera.fit(*rng_matches(26, 34, translation(3, -2)))
    assert corner_error(enough.homography, translation(3, -2), 300, 300) < EXACT_FIT
    assert (enough.matches, enough.inliers) == (60, 26)
    few = camera.fit(*rng_matches(25, 35, translation(3, -2)))
    np.testing.assert_array_equal(few.homography, np.eye(3))
    assert (few.matches, few.inliers) == (60, 0)


def test_matches_two_pixels_off_are_no_inliers():
    source, target = rng_matches(80, 0, translation(3, -2))
    turn = np.linspace(0, 2 * np.pi, 30, dtype=np.float32)
    target[50:] += 2 * np.stack([np.cos(turn), np.sin(turn)], axis=1)
    found = camera.fit(source, target)
    assert (found.matches, found.inliers) == (80, 50)
    assert corner_error(found.homography, translation(3, -2), 300, 300) < EXACT_FIT


@pytest.mark.parametrize("target", ["same", "line", "elsewhere"])
def test_matches_without_a_model_are_the_identity(target):
    points = np.full((80, 2), 5, np.float32) if target == "same" else np.zeros((80, 2), np.float32)
    if target == "line":
        points[:, 0] = np.arange(80)
    rng = np.random.default_rng(0)
    moved = rng.uniform(0, 200, (80, 2)).astype(np.float32) if target == "elsewhere" else points + np.float32(3)
    found = camera.fit(points, moved)
    np.testing.assert_array_equal(found.homography, np.eye(3))
    assert (found.matches, found.inliers) == (80, 0)


def test_no_matches_are_the_identity():
    none = np.zeros((0, 2), np.float32)
    np.testing.assert_array_equal(camera.fit(none, none).homography, np.eye(3))
    np.testing.assert_array_equal(camera.STILL.homography, np.eye(3))


def test_corners_move_by_the_flow_at_their_rounded_position():
    gray = np.zeros((60, 80), np.uint8)
    gray[20:40, 30:50] = 200
    # The flow tells where it was read.
    field = np.stack(np.meshgrid(np.arange(80), np.arange(60)), axis=2).astype(np.float32)
    source, target = corners.match(gray, field)
    near = [np.abs(source - corner).max(axis=1).min() for corner in ((30, 20), (49, 20), (30, 39), (49, 39))]
    assert max(near) <= 1
    np.testing.assert_array_equal(target - source, np.rint(source))
    assert source.dtype == target.dtype == np.float32


def test_a_flat_frame_has_neither_corners_nor_keypoints():
    frame = scenes.flat(1)[0]
    source, target = corners.match(frame, np.zeros((*frame.shape, 2), np.float32))
    assert source.shape == target.shape == (0, 2)
    for keypoints in ("surf", "sift", "orb", "none"):
        assert camera.find_keypoints(frame, keypoints=keypoints).points.shape == (0, 2)


def test_a_keypoint_matches_the_most_similar_one_within_25_px():
    previous = FrameKeypoints(
        np.float32([[100, 100], [110, 100], [125, 100], [100, 75]]), np.float32([[0, 3], [0, 1], [0, 0], [0, 0]])
    )
    current = FrameKeypoints(np.float32([[100, 100], [99, 76], [300, 300]]), np.float32([[0, 0], [0, 2.1], [0, 0]]))
    source, target = camera.match_keypoints(current, previous)
    # The exact copies lie at a distance of 25 px, which is not within; the third keypoint has nobody near.
    assert source.tolist() == [[110, 100], [100, 100]]
    assert target.tolist() == [[100, 100], [99, 76]]


@pytest.mark.parametrize("keypoints", ["surf", "sift", "orb", "none"])
def test_a_view_without_keypoints_matches_nothing(keypoints):
    textured = camera.find_keypoints(scenes.texture(96, 128), keypoints=keypoints)
    empty = camera.find_keypoints(scenes.flat(1)[0], keypoints=keypoints)
    for pair in ((textured, empty), (empty, textured), (empty, empty)):
        source, target = camera.match_keypoints(*pair)
        assert source.shape == target.shape == (0, 2)


# Rivals


@pytest.mark.parametrize("shape", [(120, 160), (61, 83), (13, 14), (12, 12)])
def test_a_warp_is_opencvs_remap_with_fixed_point_maps(shape):
    rng = np.random.default_rng(3)
    gray, previous = rng.integers(0, 256, (2, *shape), np.uint8)
    for size in (0.001, 0.02, 0.3):
        motion = np.eye(3) + rng.normal(0, size, (3, 3)) * [[1, 1, 20], [1, 1, 20], [1e-2, 1e-2, 1]]
        np.testing.assert_array_equal(camera.warp(gray, previous, motion), reference.warp(gray, previous, motion))


@pytest.mark.parametrize("clip", golden.SYNTHETIC + golden.REAL)
def test_warped_frames_are_those_of_the_release(clip):
    gray = golden.gray(clip)
    stored = np.load(golden.golden_folder(clip) / "camera.npz")
    homography = dict(zip(stored["frame"].tolist(), stored["homography"], strict=True))
    warped = np.load(golden.golden_folder(clip) / "flow.npz")
    for t in (1, 10):
        np.testing.assert_array_equal(camera.warp(gray[t], gray[t - 1], homography[t]), warped[f"gray_warped_{t:03d}"])


@pytest.mark.parametrize("size", [(120, 160), (61, 83), (3, 3), (2, 5)])
def test_corners_are_those_of_opencv(size):
    rng = np.random.default_rng(0)
    mask = np.ones(size, np.uint8)
    mask[: size[0] // 2, size[1] // 2 :] = 0
    # Stripes and a checkerboard have corners that are equally strong.
    board = ((np.indices(size) // 8).sum(axis=0) % 2 * 200).astype(np.uint8)
    for gray in (scenes.texture(*size), rng.integers(0, 256, size, np.uint8), board):
        for some in (None, mask, np.zeros_like(mask)):
            expected = cv2.goodFeaturesToTrack(gray, corners.MOST_CORNERS, corners.QUALITY, 3, mask=some)
            expected = np.zeros((0, 2), np.float32) if expected is None else expected.reshape(-1, 2)
            # The last bits decide between equals, and OpenCV rounds otherwise in columns that do not fill a vector.
            theirs = None if size[1] % 8 == 0 else cv2.cornerMinEigenVal(gray, 3, ksize=3)
            np.testing.assert_array_equal(corners.detect(gray, some, texture=theirs), expected)


@pytest.mark.parametrize("clip", [*golden.SYNTHETIC, *golden.REAL, "wave_boxes"])
def test_as_many_corners_are_matched_as_by_the_release(clip):
    stored = np.load(golden.golden_folder(clip) / "camera.npz")
    gray = golden.gray(clip.removesuffix("_boxes"))
    height, width = gray.shape[1:]
    field = np.zeros((height, width, 2), np.float32)
    boxes = None
    if clip == "wave_boxes":
        boxes = people.read_boxes(golden.video("wave").with_name("wave_boxes.txt")).clipped(width, height)
    for t, count in zip(stored["frame"].tolist(), stored["flow_matches"].tolist(), strict=True):
        # Release: the corners of frame t-1 are searched under the mask of frame t.
        mask = None if boxes is None else people.match_mask(boxes.for_frame(t), (height, width))
        assert len(corners.match(gray[t - 1], field, mask)[0]) == count


@pytest.fixture(scope="module")
def golden_motions():
    """Own and the release's motion of a few pairs of every clip."""
    found = []
    for clip in golden.SYNTHETIC + golden.REAL:
        gray = golden.gray(clip)
        stored = np.load(golden.golden_folder(clip) / "camera.npz")
        for t in PAIRS:
            row = int(np.flatnonzero(stored["frame"] == t)[0])
            own = motion_between(gray[t - 1], gray[t])
            found.append((own, {name: stored[name][row] for name in stored.files}, gray.shape[:0:-1]))
    return found


def test_homographies_are_those_of_the_release(golden_motions):
    errors = [corner_error(own.homography, stored["homography"], *size) for own, stored, size in golden_motions]
    assert np.mean(np.array(errors) < SAME_HOMOGRAPHY) >= SHARE_OF_HOMOGRAPHIES
    for own, stored, _ in golden_motions:
        assert (own.inliers == 0) == np.array_equal(stored["homography"], np.eye(3))


@pytest.mark.parametrize("n_inliers", [400, 150, 100, 60])
@pytest.mark.parametrize("seed", range(5))
def test_a_homography_is_that_of_opencvs_ransac(n_inliers, seed):
    rng = np.random.default_rng(seed)
    motion = np.eye(3) + rng.normal(0, 0.02, (3, 3)) * [[1, 1, 100], [1, 1, 100], [1e-3, 1e-3, 0]]
    source, target = rng_matches(n_inliers, 200, motion, seed=seed)
    # Noise around the threshold, so that every draw counts other matches; some on whole pixels, as corners are.
    source[::3] = np.rint(source[::3])
    target += rng.normal(0, 0.5, target.shape).astype(np.float32)
    expected, _ = cv2.findHomography(
        source,
        target,
        cv2.RANSAC,
        camera.REPROJECTION_THRESHOLD,
        maxIters=camera.RANSAC_ITERATIONS,
        confidence=camera.RANSAC_CONFIDENCE,
    )
    assert corner_error(camera.fit(source, target).homography, expected, 300, 300) < SAME_POLISH


def test_matches_are_as_many_as_the_releases(golden_motions):
    for own, stored, _ in golden_motions:
        expected = int(stored["flow_matches"]) + int(stored["surf_matches"])
        assert abs(own.matches - expected) <= SHARE_OF_MATCHES * expected


# Laws


def test_a_translated_frame_warped_back_is_the_frame_before():
    previous, current = scenes.translating(2, velocity=(3, -2))
    np.testing.assert_array_equal(camera.warp(current, previous, translation(3, -2)), previous)


@pytest.mark.slow
def test_the_motions_own_field_leaves_nothing_of_it():
    levels = scales(96, 128)
    motion = np.array([[1.01, 0.02, 3], [-0.01, 0.99, -2], [1e-5, 2e-5, 1]])
    fields = []
    for level in levels:
        y, x = np.indices((level.height, level.width)) * level.factor
        moved = np.stack([x, y, np.ones_like(x)], axis=2) @ motion.T
        fields.append(
            ((moved[:, :, :2] / moved[:, :, 2:] - np.stack([x, y], axis=2)) / level.factor).astype(np.float32)
        )
    for left in camera.subtract_motion(fields, motion, levels):
        np.testing.assert_allclose(left, 0, atol=EXACT_FIT)
    # What moves by itself goes on doing so, in the axes of the earlier frame; near the border nothing is known.
    own = [field + np.float32([1, -1]) for field in fields]
    for left, field in zip(camera.subtract_motion(own, translation(0, 0), levels), own, strict=True):
        np.testing.assert_allclose(left[20:-20, 20:-20], field[20:-20, 20:-20], atol=EXACT_FIT)
        assert (left[0] == 0).all()


def test_a_motion_that_cannot_be_undone_leaves_the_flow():
    field = [np.ones((96, 128, 2), np.float32)]
    assert camera.subtract_motion(field, np.zeros((3, 3)), scales(96, 128)[:1]) is field


def test_a_homography_and_its_multiple_are_one():
    gray, previous = scenes.texture(60, 80, seed=1), scenes.texture(60, 80, seed=2)
    motion = np.array([[1.01, 0.02, 3], [-0.01, 0.99, -2], [1e-4, 2e-4, 1]])
    # Powers of two scale without rounding.
    for scale in (4.0, -0.5):
        np.testing.assert_array_equal(camera.warp(gray, previous, scale * motion), camera.warp(gray, previous, motion))


def test_equal_matches_give_equal_homographies():
    matches = rng_matches(60, 30, np.array([[1.01, 0.02, 3], [-0.01, 0.99, -2], [1e-5, 2e-5, 1]]))
    np.testing.assert_array_equal(camera.fit(*matches).homography, camera.fit(*matches).homography)


@pytest.mark.parametrize("keypoints", ["surf", "sift", "orb", "none"])
def test_every_kind_of_keypoint_finds_a_panning_camera(keypoints):
    previous, current = scenes.translating(2, velocity=(3, -2), size=(120, 160))
    found = motion_between(previous, current, keypoints=keypoints)
    assert found.inliers > 100
    assert corner_error(found.homography, translation(3, -2), 160, 120) < RENDERED


@pytest.mark.parametrize("keypoints", ["surf", "sift", "orb"])
def test_keypoints_move_with_the_camera(keypoints):
    previous, current = scenes.translating(2, velocity=(3, -2), size=(120, 160))
    source, target = camera.match_keypoints(
        camera.find_keypoints(current, keypoints=keypoints), camera.find_keypoints(previous, keypoints=keypoints)
    )
    assert len(source) > 20
    np.testing.assert_allclose(np.median(target - source, axis=0), [3, -2], atol=RENDERED)


@pytest.mark.parametrize("keypoints", ["surf", "sift", "orb"])
def test_masked_regions_have_no_match(keypoints):
    gray = scenes.texture(120, 160)
    mask = np.ones(gray.shape, np.uint8)
    mask[:, 60:] = 0
    whole, part = (camera.find_keypoints(gray, m, keypoints=keypoints) for m in (None, mask))
    assert 0 < len(part.points) < len(whole.points)
    # The mask is tested at a whole pixel.
    assert (np.floor(part.points[:, 0]) < 60).all()
    source, _ = corners.match(gray, np.zeros((*gray.shape, 2), np.float32), mask)
    assert len(source) > 20
    assert (source[:, 0] < 60).all()


def test_views_hold_float32_of_one_length():
    gray = scenes.texture(120, 160)
    for keypoints, size in (("surf", 128), ("sift", 128), ("orb", 256)):
        points, descriptors = camera.find_keypoints(gray, keypoints=keypoints)
        assert descriptors.shape == (len(points), size)
        assert points.dtype == descriptors.dtype == np.float32
    assert set(np.unique(camera.find_keypoints(gray, keypoints="orb").descriptors)) == {0, 1}


# Refusals


def test_frames_of_two_sizes_are_not_warped():
    with pytest.raises(DataError, match=r"one size, got shapes \(30, 40\) and \(30, 41\)"):
        camera.warp(np.zeros((30, 40), np.uint8), np.zeros((30, 41), np.uint8), np.eye(3))


@pytest.mark.parametrize("homography", [np.eye(2), np.full((3, 3), np.nan), np.eye(3)[:2]])
def test_a_homography_is_a_finite_matrix(homography):
    gray = np.zeros((30, 40), np.uint8)
    with pytest.raises(DataError, match="homography must be a finite 3x3 matrix, got float64 of shape"):
        camera.warp(gray, gray, homography)


@pytest.mark.parametrize("frame", [np.zeros((40, 50, 3), np.uint8), np.zeros((40, 50))])
def test_only_gray_frames_are_looked_at(frame):
    with pytest.raises(DataError, match="gray must be a 2-D uint8 image, got"):
        camera.find_keypoints(frame)
    with pytest.raises(DataError, match="previous must be a 2-D uint8 image, got"):
        corners.match(frame, np.zeros((40, 50, 2), np.float32))


def test_an_unknown_kind_of_keypoints_is_refused():
    with pytest.raises(DataError, match="one of surf, sift, orb, none, got 'brisk'"):
        camera.find_keypoints(scenes.texture(40, 50), keypoints="brisk")


def test_the_flow_of_corners_has_their_frames_size():
    with pytest.raises(DataError, match=r"flow must have shape \(40, 50, 2\), got float32 of shape \(40, 51, 2\)"):
        corners.match(scenes.texture(40, 50), np.zeros((40, 51, 2), np.float32))
