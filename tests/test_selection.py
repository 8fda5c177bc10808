import numpy as np
import pytest

from idt.errors import DataError
from idt.steps.selection import TrackStatistics, measure_tracks
from tests.reference import selection as reference

# Sums of 16 float32 numbers of up to a few hundred pixels.
SUMS = 1e-5

LENGTH = 15
MOVING = np.tile(np.float32([3, 4]), (LENGTH, 1))


def one(points, displacements=MOVING, **options):
    """Summary of a single track, without the leading axis."""
    found = measure_tracks(np.float32(points)[None], np.float32(displacements)[None], **options)
    return TrackStatistics(*(array[0] for array in found))


def zigzag(x, y=0.0):
    """Sixteen points that alternate between −x and x, so that the deviations are x and y exactly."""
    signs = np.where(np.arange(LENGTH + 1) % 2, 1, -1).astype(np.float32)
    return np.stack([signs * np.float32(x), signs * np.float32(y)], axis=1)


def straight(steps):
    """Points on the x axis with the given distances."""
    x = np.concatenate([[0], np.cumsum(np.float32(steps), dtype=np.float32)])
    return np.stack([x, 0 * x], axis=1)


def above(value):
    return np.nextafter(np.float32(value), np.float32(np.inf))


# Squaring and rooting a float32 may change its last bit, so what is less is less by a few.
ROOT, LESS = np.sqrt(3), np.sqrt(3) - 1e-6


# Worked examples


def test_a_straight_track_is_summarised_by_hand():
    # Fifteen steps of (3, 4): 5 px each; positions 0, 3, … 45: deviation 3·√((16² − 1) / 12).
    points = np.arange(16)[:, None] * np.float32([3, 4]) + np.float32([100, 50])
    found = one(points)
    np.testing.assert_allclose(found.mean, [122.5, 80], rtol=SUMS)
    np.testing.assert_allclose(found.std, np.sqrt(255 / 12) * np.array([3, 4]), rtol=SUMS)
    np.testing.assert_allclose(found.length, 75, rtol=SUMS)
    np.testing.assert_allclose(found.trajectory, np.tile([0.04, 4 / 75], LENGTH), rtol=SUMS)
    assert found.kept
    assert not found.followed_camera
    assert {array.dtype for array in found} == {np.dtype(np.float32), np.dtype(bool)}


@pytest.mark.parametrize(
    ("x", "y", "kept"),
    [(ROOT, 0, True), (0, ROOT, True), (ROOT, ROOT, True), (LESS, ROOT, True), (LESS, LESS, False), (0, 0, False)],
)
def test_a_track_is_static_if_both_deviations_are_below_the_root_of_three(x, y, kept):
    assert one(zigzag(x, y)).kept == kept


@pytest.mark.parametrize(
    ("x", "y", "kept"), [(50, 0, True), (0, 50, True), (50, 50, True), (above(50), 0, False), (0, above(50), False)]
)
def test_a_track_is_erratic_if_one_deviation_is_above_50(x, y, kept):
    assert one(zigzag(x, y)).kept == kept


@pytest.mark.parametrize(
    ("steps", "kept"),
    [
        ([20] + [0] * 14, True),  # the whole length, but not more than 20 px
        ([above(20)] + [0] * 14, False),
        ([28, 12] + [0] * 13, True),  # 0.7 of the length, no more
        ([29, 12] + [0] * 13, False),
        ([0] * 7 + [30, 4] + [0.5] * 6, False),
        ([30] * 5 + [0] * 10, True),
    ],
)
def test_a_jump_is_a_step_of_more_than_20_px_and_of_most_of_the_length(steps, kept):
    assert one(straight(steps)).kept == kept


@pytest.mark.parametrize(
    ("displacement", "kept"), [((1, 0), False), ((above(1), 0), True), ((0.6, 0.8), False), ((0.8, 0.8), True)]
)
def test_a_track_follows_the_camera_if_no_displacement_is_above_1_px(displacement, kept):
    displacements = np.zeros((LENGTH, 2))
    displacements[7] = displacement
    found = one(zigzag(10), displacements)
    assert found.kept == kept
    assert found.followed_camera != kept
    without = one(zigzag(10), displacements, camera=False)
    assert without.kept
    assert not without.followed_camera


def test_a_dropped_track_did_not_follow_the_camera():
    found = one(zigzag(1), np.zeros((LENGTH, 2)))
    assert not found.kept
    assert not found.followed_camera


def test_a_track_without_displacement_has_the_trajectory_zero():
    found = one(zigzag(10), np.zeros((LENGTH, 2)), camera=False)
    assert (found.trajectory == 0).all()


def test_no_tracks_have_an_empty_summary():
    found = measure_tracks(np.zeros((0, 16, 2), np.float32), np.zeros((0, 15, 2), np.float32))
    shapes = {name: array.shape for name, array in found._asdict().items()}
    assert shapes == {
        "mean": (0, 2), "std": (0, 2), "length": (0,), "trajectory": (0, 30), "kept": (0,), "followed_camera": (0,)
    }  # fmt: skip


# Rival


@pytest.mark.slow
@pytest.mark.parametrize("camera", [True, False])
@pytest.mark.parametrize("length", [15, 10, 1])
def test_every_fate_is_that_of_the_specification(length, camera):
    rng = np.random.default_rng(length)
    n = 400
    # Walks of very different vigour, some with a jump, so that every test drops some.
    vigour = 10 ** rng.uniform(-1, 1.6, (n, 1, 1))
    steps = rng.normal(0, 1, (n, length, 2)) * vigour
    steps[::7, length // 2] += rng.normal(0, 60, (len(steps[::7]), 2))
    start = rng.uniform(0, 500, (n, 1, 2))
    points = np.concatenate([start, start + np.cumsum(steps, axis=1)], axis=1).astype(np.float32)
    displacements = (steps * rng.choice([0.05, 0.3, 1], (n, 1, 1))).astype(np.float32)
    found = measure_tracks(points, displacements, camera=camera)
    fates = []
    for k in range(n):
        mean, std, total, trajectory, fate = reference.summarise(points[k], displacements[k], camera=camera)
        np.testing.assert_allclose(found.mean[k], mean, rtol=SUMS)
        np.testing.assert_allclose(found.std[k], std, rtol=SUMS, atol=SUMS)
        np.testing.assert_allclose(found.length[k], total, rtol=SUMS)
        np.testing.assert_allclose(found.trajectory[k], trajectory, rtol=SUMS, atol=SUMS)
        fates.append(fate)
    np.testing.assert_array_equal(found.kept, [fate == "kept" for fate in fates])
    np.testing.assert_array_equal(found.followed_camera, [fate == "camera" for fate in fates])
    assert set(fates) == ({"kept", "dropped", "camera"} if camera else {"kept", "dropped"})


# Laws


def test_a_track_does_not_depend_on_the_others():
    points = np.stack([zigzag(10), zigzag(1), zigzag(60)])
    displacements = np.stack([MOVING, 0 * MOVING, MOVING * 2])
    together = measure_tracks(points, displacements)
    assert together.kept.tolist() == [True, False, False]
    for n in range(3):
        for own, all_of_them in zip(one(points[n], displacements[n]), together, strict=True):
            np.testing.assert_array_equal(own, all_of_them[n])


def test_where_a_track_lies_does_not_matter():
    # Whole numbers: moving them by a power of two is exact.
    points, displacements = zigzag(8, 4), MOVING
    here, there = one(points, displacements), one(points + 512, displacements)
    np.testing.assert_array_equal(here.std, there.std)
    np.testing.assert_array_equal(here.length, there.length)
    np.testing.assert_array_equal(here.mean + 512, there.mean)


def test_the_trajectory_does_not_depend_on_the_size_of_the_motion():
    np.testing.assert_allclose(one(zigzag(10), MOVING).trajectory, one(zigzag(10), 7 * MOVING).trajectory, rtol=SUMS)


# Refusals


def test_displacements_lie_between_the_points():
    with pytest.raises(DataError, match=r"displacements_full must be real numbers of shape \(1, 15, 2\), got"):
        measure_tracks(zigzag(10)[None], np.zeros((1, 16, 2), np.float32))
    with pytest.raises(DataError, match=r"points_full must be real numbers of shape \(n, n, 2\), got"):
        measure_tracks(zigzag(10), MOVING[None])


def test_positions_are_finite():
    with pytest.raises(DataError, match="points_full must be finite, got 32 NaN"):
        measure_tracks(zigzag(np.nan, np.nan)[None], MOVING[None])
