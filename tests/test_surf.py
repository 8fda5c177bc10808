from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from idt.errors import DataError
from idt.frames import people
from idt.steps import surf
from idt.steps.surf import Keypoints
from tests import golden, scenes
from tests.reference import surf as reference

# Newton's step is solved in float64 by either side, its result stored as float32: px of positions up to some hundred.
RTOL_F32 = 1e-6
POSITION = 1e-4
# The release solves Newton's step in float32.
GOLDEN_POSITION = 1e-3
# Arctangent of sums that are added in another precision, degrees.
ANGLE = 1e-3
# A sample at the image's border, or a gray level half-way between two, may fall to either side.
SAME_DESCRIPTOR = 0.99
# The golden descriptors are float16: half a unit in the last place of numbers below 1/2. The Gaussian of the
# gradients taken as a plain one would already be off by 1e-3 throughout.
FLOAT16 = 3e-4
SHARE_WITHIN_FLOAT16 = 0.95
# Rotating the image rounds every half-way coordinate the other way.
SHARE_OF_ROTATED = 0.9


def keypoint(x, y, size, angle=0.0):
    return Keypoints([x], [y], [size], [angle], [1.0], [0])


def points_between(lowest, highest, count, rng):
    return rng.uniform(lowest, highest, (count, 2)).astype(np.float32)


def angle_between(a, b):
    gap = np.abs(np.asarray(a, float) - b) % 360
    return np.minimum(gap, 360 - gap)


def cosines(a, b):
    a, b = np.asarray(a, float), np.asarray(b, float)
    return (a * b).sum(1) / np.sqrt((a * a).sum(1) * (b * b).sum(1))


def assert_same_keypoints(a, b):
    for name in ("x", "y", "size", "angle", "response", "octave"):
        np.testing.assert_array_equal(getattr(a, name), getattr(b, name), err_msg=name)


def island(height, width, top, left):
    """Texture of 72 × 72 px in a flat sea."""
    image = np.full((height, width), 128, np.uint8)
    image[top : top + 72, left : left + 72] = scenes.texture(72, 72, seed=4)
    return image


# Worked examples


def test_a_bright_square_is_found_at_its_centre_with_the_response_worked_out_by_hand():
    image = np.zeros((81, 95), np.uint8)
    image[37:44, 47:54] = 255
    found = surf.detect(image)
    # Filter 21: the middle box of 7 × 11 px, weight −2/77, holds all 49 px of the square; Dxx = Dyy, Dxy = 0.
    # Filter 15: 35 px in the middle box, 14 in the outer ones, (14 − 2·35)/45. Filter 27: −2·49/135.
    below, here, above = ((255 * n / area) ** 2 for n, area in ((-56, 45), (-98, 77), (-98, 135)))
    offset = -((above - below) / 2) / (above - 2 * here + below)
    assert (found.x[0], found.y[0]) == (50, 40)
    assert found.response[0] == pytest.approx(here, rel=RTOL_F32)
    assert found.size[0] == round(21 + 6 * offset) == 18
    assert found.octave[0] == 0


def test_equal_keypoints_come_from_the_bottom_up_and_from_left_to_right():
    image = np.zeros((120, 130), np.uint8)
    for x, y in ((40, 36), (88, 36), (40, 84), (88, 84)):
        image[y - 3 : y + 4, x - 3 : x + 4] = 255
    found = surf.detect(image)[:4]
    assert len(set(found.response)) == len(set(found.size)) == 1
    np.testing.assert_array_equal(found.points, [[40, 84], [88, 84], [40, 36], [88, 36]])


def test_a_ramp_fills_only_the_two_sums_of_its_direction():
    # Gray level 2x, size 15: window of 42, shrunk by 2, so each gradient is two steps of 4.
    ramp = np.repeat(2 * np.arange(100, dtype=np.uint8)[None], 80, axis=0)
    cells = surf.describe(ramp, keypoint(50.5, 40.5, 15))[0].reshape(4, 4, 8)
    taps = np.exp(-(np.array([9.5, 8.5, 7.5, 6.5, 5.5, 4.5, 3.5, 2.5, 1.5, 0]) ** 2) / (2 * 3.3**2))
    outer, inner = taps[:5].sum(), taps[5:].sum()
    sums = np.outer([outer, inner, inner, outer], [outer, inner, inner, outer])
    expected = sums / np.sqrt(2 * (sums**2).sum())
    np.testing.assert_allclose(cells[..., 0], expected, rtol=1e-5)
    np.testing.assert_allclose(cells[..., 1], expected, rtol=1e-5)
    assert not cells[..., 2:].any()


def test_the_nearest_descriptor_within_the_window_wins_and_ties_go_to_the_lowest_index():
    previous = np.array([[50, 90], [60, 40], [50, 50], [74.9, 50], [75, 50]], np.float32)
    descriptors = np.array([[0, 0], [9, 9], [1, 0], [1, 0], [0, 0]], np.float32)
    points = np.array([[50, 50], [200, 50], [60, 64]], np.float32)
    own = np.array([[0, 0], [0, 0], [8, 8]], np.float32)
    # The first: 0 and 4 are equal to it, but 40 px below and exactly 25 px beside; 2 and 3 tie.
    assert surf.nearest_in_window(points, own, previous, descriptors).tolist() == [2, -1, 1]
    assert surf.nearest_in_window(points, own, previous, descriptors, radius=25.1).tolist() == [4, -1, 1]


# Rivals


@pytest.mark.slow
@pytest.mark.parametrize(("shape", "threshold"), [((64, 80), 200.0), ((51, 67), 20.0), ((27, 40), 0.0)])
def test_keypoints_are_those_of_the_plain_loops(shape, threshold):
    image = scenes.texture(*shape, seed=3)
    mask = np.ones(shape, np.uint8)
    mask[: shape[0] // 2, shape[1] // 3 :] = 0
    counts = []
    for given in (None, mask):
        expected = reference.detect(image, given, threshold)
        angles = [reference.orientation(image, np.float32(x), np.float32(y), size) for x, y, size, _, _ in expected]
        kept = [k for k, angle in enumerate(angles) if angle is not None]
        x, y, size, response, octave = np.array([expected[k] for k in kept]).reshape(-1, 5).T
        found = surf.detect(image, given, threshold=threshold)
        assert len(found) == len(kept)
        counts.append(len(found))
        np.testing.assert_allclose(found.x, x, atol=POSITION)
        np.testing.assert_allclose(found.y, y, atol=POSITION)
        np.testing.assert_array_equal(found.size, size)
        np.testing.assert_array_equal(found.response, response.astype(np.float32))
        np.testing.assert_array_equal(found.octave, octave)
        assert (angle_between(found.angle, [angles[k] for k in kept]) < ANGLE).all()
    assert counts[0] > counts[1]


@pytest.mark.slow
def test_descriptors_are_those_of_the_plain_loops():
    rng = np.random.default_rng(5)
    image = scenes.texture(70, 90, seed=6)
    # 15 and 16 px make the windows of 42 and 44; a third of the windows leaves the image.
    sizes = [9, 12, 15, 15, 16, 21, 30, 47, 66, 15]
    x, y = points_between(5, 65, len(sizes), rng).T
    angles = [0, 90, 180, 270, 360, *rng.uniform(0, 360, 5)]
    keypoints = Keypoints(x, y, sizes, angles, np.ones(len(sizes)), np.zeros(len(sizes)))
    expected = [
        reference.descriptor(image, *values) for values in zip(x, y, sizes, keypoints.angle.astype(float), strict=True)
    ]
    found = surf.describe(image, keypoints)
    assert found.dtype == np.float32
    assert cosines(found, expected).min() >= SAME_DESCRIPTOR
    assert np.median(np.abs(found - expected)) < RTOL_F32


@pytest.mark.parametrize(("n", "m", "width"), [(60, 80, 128), (7, 5, 3), (1, 1, 1)])
def test_matches_are_those_of_the_plain_loops(n, m, width):
    rng = np.random.default_rng(n)
    points, previous = np.round(points_between(0, 90, n, rng)), np.round(points_between(0, 90, m, rng))
    # Few whole numbers: many equal distances, each of them exact.
    own, others = (rng.integers(0, 2, (count, width)).astype(np.float32) for count in (n, m))
    for radius in (25.0, 4.0, 1000.0):
        expected = reference.nearest_in_window(points, own, previous, others, radius)
        assert surf.nearest_in_window(points, own, previous, others, radius=radius).tolist() == expected


# The release's own numbers


@pytest.mark.parametrize("clip", [*golden.SYNTHETIC, *golden.REAL])
@pytest.mark.parametrize("frame", [1, 10])
def test_keypoints_and_descriptors_are_those_of_the_release(clip, frame):
    stored = np.load(golden.golden_folder(clip) / "surf.npz")
    # A frame without keypoints is stored with fewer columns.
    expected = np.resize(stored[f"keypoints_{frame:03d}"], (len(stored[f"keypoints_{frame:03d}"]), 7))
    descriptors = np.resize(stored[f"descriptors_{frame:03d}"], (len(expected), 128)).astype(np.float32)
    image = golden.gray(clip)[frame]
    found = surf.detect(image)
    assert len(found) == len(expected)
    np.testing.assert_array_equal(found.response, expected[:, 4])
    np.testing.assert_allclose(found.points, expected[:, :2], atol=GOLDEN_POSITION)
    np.testing.assert_array_equal(found.size, expected[:, 2])
    np.testing.assert_array_equal(found.octave, expected[:, 5])
    assert (angle_between(found.angle, expected[:, 3]) < ANGLE).all()
    if len(found):
        own = surf.describe(image, found)
        assert cosines(own, descriptors).min() >= SAME_DESCRIPTOR
        assert np.median(cosines(own, descriptors)) >= 1 - RTOL_F32
        off = np.abs(own - descriptors).max(axis=1) > FLOAT16
        assert off.sum() <= max(1, (1 - SHARE_WITHIN_FLOAT16) * len(found))


@pytest.mark.parametrize("clip", [*golden.SYNTHETIC, *golden.REAL, "wave_boxes"])
def test_every_frame_has_as_many_keypoints_and_matches_as_the_release_found(clip):
    gray = golden.gray(clip.removesuffix("_boxes"))[:60]
    camera = np.load(golden.golden_folder(clip) / "camera.npz")
    masks = [None] * len(gray)
    if clip == "wave_boxes":
        height, width = gray.shape[1:]
        boxes = people.read_boxes(golden.HERE / "data" / "golden" / "wave_boxes.txt").clipped(width, height)
        masks = [people.match_mask(boxes.for_frame(t), (height, width)) for t in range(len(gray))]
    found = [surf.detect(image, mask) for image, mask in zip(gray, masks, strict=True)]
    described = [surf.describe(image, keypoints) for image, keypoints in zip(gray, found, strict=True)]
    frames = camera["frame"][camera["frame"] < len(gray)]
    matches = [
        (surf.nearest_in_window(found[t], described[t], found[t - 1], described[t - 1]) >= 0).sum() for t in frames
    ]
    assert [len(found[t]) for t in frames] == camera["surf_keypoints"][: len(frames)].tolist()
    assert matches == camera["surf_matches"][: len(frames)].tolist()


# Laws


def test_a_translated_image_has_translated_keypoints():
    # 8 px is a whole number of steps in every octave.
    first, second = surf.detect(island(176, 184, 40, 56)), surf.detect(island(176, 184, 56, 48))
    # Octave 2 looks so far that the image's border decides what it finds.
    first, second = first[first.octave < 2], second[second.octave < 2]
    assert len(first) > 20
    np.testing.assert_allclose(first.points + np.float32([-8, 16]), second.points, atol=POSITION)
    for name in ("size", "response", "octave"):
        np.testing.assert_array_equal(getattr(first, name), getattr(second, name))
    a = surf.describe(island(176, 184, 40, 56), first)
    b = surf.describe(island(176, 184, 56, 48), second)
    assert np.median(cosines(a, b)) > 1 - RTOL_F32


def test_an_image_turned_by_90_degrees_has_turned_keypoints_and_equal_descriptors():
    image = scenes.texture(96, 128, seed=7)
    turned = np.ascontiguousarray(np.rot90(image))  # (x, y) goes to (y, 127 − x)
    first, second = surf.detect(image), surf.detect(turned)
    assert len(first) == len(second) > 20
    # Among all, equal responses and sizes at the turned places.
    pairs = [
        np.flatnonzero((np.abs(second.x - y) < POSITION) & (np.abs(second.y - (127 - x)) < POSITION))
        for x, y in first.points
    ]
    assert all(len(pair) == 1 for pair in pairs)
    second = second[np.concatenate(pairs)]
    np.testing.assert_array_equal(first.response, second.response)
    np.testing.assert_array_equal(first.size, second.size)
    assert (angle_between(first.angle, second.angle + 90) < 1).mean() >= SHARE_OF_ROTATED
    similar = cosines(surf.describe(image, first), surf.describe(turned, second)) > SAME_DESCRIPTOR
    assert similar.mean() >= SHARE_OF_ROTATED


def test_keypoints_come_strongest_first_and_above_the_threshold():
    image = scenes.texture(96, 128, seed=8)
    weak, strong = surf.detect(image, threshold=50.0), surf.detect(image, threshold=3000.0)
    assert len(weak) > len(strong) > 5
    assert (np.diff(weak.response) <= 0).all()
    assert strong.response.min() > 3000
    assert_same_keypoints(strong, weak[weak.response > 3000])


def test_a_mask_of_ones_keeps_all_and_a_mask_of_zeros_keeps_none():
    image = scenes.texture(96, 128, seed=9)
    everywhere = surf.detect(image)
    assert_same_keypoints(everywhere, surf.detect(image, np.ones_like(image)))
    assert len(surf.detect(image, np.zeros_like(image))) == 0
    mask = np.zeros_like(image)
    mask[:, 64:] = 1
    right = surf.detect(image, mask)
    assert 0 < len(right) < len(everywhere)
    assert right.x.min() >= 63.5


@pytest.mark.parametrize("shape", [(1, 1), (1, 300), (9, 9), (22, 22), (300, 8)])
def test_an_image_smaller_than_the_filters_has_no_keypoints(shape):
    image = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    found = surf.detect(image)
    assert len(found) == 0
    assert surf.describe(image, found).shape == (0, 128)


def test_a_flat_image_has_no_keypoints_and_flat_windows_give_zeros():
    flat = np.full((60, 80), 77, np.uint8)
    assert len(surf.detect(flat)) == 0
    assert not surf.describe(flat, keypoint(40, 30, 15)).any()


def test_descriptors_have_length_1_and_follow_their_keypoints():
    image = scenes.texture(96, 128, seed=10)
    keypoints = surf.detect(image)
    descriptors = surf.describe(image, keypoints)
    np.testing.assert_allclose(np.linalg.norm(descriptors, axis=1), 1, rtol=1e-5)
    order = np.random.default_rng(0).permutation(len(keypoints))
    np.testing.assert_array_equal(surf.describe(image, keypoints[order]), descriptors[order])
    np.testing.assert_array_equal(surf.describe(image, keypoints[3:5]), descriptors[3:5])


def test_a_keypoint_far_outside_sees_the_border_only():
    image = scenes.texture(60, 80, seed=11)
    assert not surf.describe(image, keypoint(-500, -500, 15)).any()
    assert np.isfinite(surf.describe(image, keypoint(79, 59, 200, 33))).all()


def test_many_threads_find_what_one_does():
    images = [scenes.texture(96, 128, seed=seed) for seed in range(6)] * 3

    def find(image):
        keypoints = surf.detect(image)
        return keypoints, surf.describe(image, keypoints)

    with ThreadPoolExecutor(4) as pool:
        parallel = list(pool.map(find, images))
    for image, (keypoints, descriptors) in zip(images, parallel, strict=True):
        alone, described = find(image)
        assert_same_keypoints(keypoints, alone)
        np.testing.assert_array_equal(descriptors, described)


def test_a_view_that_is_not_contiguous_is_as_good_as_its_copy():
    image = scenes.texture(96, 128, seed=12)
    mirrored = image[:, ::-1]
    keypoints = surf.detect(mirrored)
    assert_same_keypoints(keypoints, surf.detect(mirrored.copy()))
    np.testing.assert_array_equal(surf.describe(mirrored, keypoints), surf.describe(mirrored.copy(), keypoints))


def test_keypoints_match_themselves():
    image = scenes.texture(96, 128, seed=13)
    keypoints = surf.detect(image)
    descriptors = surf.describe(image, keypoints)
    matches = surf.nearest_in_window(keypoints, descriptors, keypoints, descriptors)
    assert matches.tolist() == list(range(len(keypoints)))
    np.testing.assert_array_equal(
        surf.nearest_in_window(keypoints.points, descriptors, keypoints.points, descriptors), matches
    )


def test_nothing_matches_nothing():
    none = Keypoints.empty()
    some, descriptors = np.zeros((3, 2), np.float32), np.zeros((3, 128), np.float32)
    assert len(none) == 0
    assert none.octave.dtype == np.int32
    assert surf.nearest_in_window(none, np.zeros((0, 128)), some, descriptors).shape == (0,)
    # A frame without keypoints may not know how long its descriptors would be.
    assert surf.nearest_in_window(some, descriptors, none, np.zeros((0, 1))).tolist() == [-1, -1, -1]


# Refusals


@pytest.mark.parametrize("image", [np.zeros((20, 20)), np.zeros((20, 20, 3), np.uint8), np.zeros((0, 5), np.uint8)])
def test_what_is_no_gray_image_is_refused(image):
    with pytest.raises(DataError, match="gray must be a 2-D uint8 image, got"):
        surf.detect(image)
    with pytest.raises(DataError, match="gray must be a 2-D uint8 image, got"):
        surf.describe(image, Keypoints.empty())


def test_a_mask_that_does_not_fit_is_refused():
    image = np.zeros((20, 30), np.uint8)
    with pytest.raises(
        DataError, match=r"mask must be uint8 of gray's shape \(20, 30\), got uint8 of shape \(30, 20\)"
    ):
        surf.detect(image, np.ones((30, 20), np.uint8))
    with pytest.raises(DataError, match=r"mask must be uint8 .* got bool"):
        surf.detect(image, np.ones((20, 30), bool))
    with pytest.raises(DataError, match=r"mask must hold 0 and 1 only, got 255; \(mask > 0\)"):
        surf.detect(image, np.full((20, 30), 255, np.uint8))


@pytest.mark.parametrize("threshold", [-1, np.nan, np.inf])
def test_a_threshold_that_is_no_response_is_refused(threshold):
    with pytest.raises(DataError, match="threshold must be a number of at least 0, got"):
        surf.detect(np.zeros((20, 20), np.uint8), threshold=threshold)


def test_keypoints_that_cannot_be_described_are_refused():
    image = np.zeros((20, 20), np.uint8)
    with pytest.raises(DataError, match=r"keypoints must be Keypoints as from idt\.steps\.surf\.detect, got list"):
        surf.describe(image, [1, 2])
    with pytest.raises(DataError, match=r"keypoints must have a size of at least 9 px, got 8\.5"):
        surf.describe(image, keypoint(10, 10, 8.5))


def test_keypoints_whose_arrays_do_not_fit_are_refused():
    with pytest.raises(DataError, match="keypoints must have as many y as x, got 1 and 2"):
        Keypoints([1, 2], [1], [9, 9], [0, 0], [1, 1], [0, 0])
    with pytest.raises(DataError, match=r"keypoints\.angle must be real numbers of shape \(n\)"):
        Keypoints([1], [1], [9], [[0]], [1], [0])
    with pytest.raises(DataError, match=r"keypoints\.x must be finite, got 1 NaN"):
        keypoint(np.nan, 1, 9)


def test_descriptors_that_do_not_fit_are_refused():
    points, descriptors = np.zeros((3, 2), np.float32), np.zeros((3, 4), np.float32)
    with pytest.raises(DataError, match=r"descriptors must be real numbers of shape \(3, n\), got"):
        surf.nearest_in_window(points, descriptors[:2], points, descriptors)
    with pytest.raises(DataError, match="must be of one kind, got 4 and 3 numbers each"):
        surf.nearest_in_window(points, descriptors, points, descriptors[:, :3])
    with pytest.raises(DataError, match=r"previous_keypoints must be real numbers of shape \(n, 2\)"):
        surf.nearest_in_window(points, descriptors, points[:, :1], descriptors)
    for radius in (0, -1, np.nan):
        with pytest.raises(DataError, match="radius must be a positive number of pixels"):
            surf.nearest_in_window(points, descriptors, points, descriptors, radius=radius)
