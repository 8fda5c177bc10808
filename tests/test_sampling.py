import cv2
import numpy as np
import pytest

from idt.errors import DataError
from idt.steps.pyramid import gray_pyramid, scales
from idt.steps.sampling import sample_points, texture, textured_cells
from tests import golden, scenes
from tests.reference import sampling as reference

# The golden points are multiplied by the scale's factor in float32: this many pixels of the scale are lost thereby.
POINT = 1e-3

# Of sums of squares of float32 gradients between 0 and 1.
EIGENVALUE = 1e-7

NOBODY = np.zeros((0, 2), np.float32)


# Worked examples


def test_points_lie_at_the_centres_of_the_textured_cells_row_by_row():
    textured = np.array([[True, False, True], [False, True, False]])
    points = sample_points(textured, NOBODY)
    assert points.dtype == np.float32
    assert points.tolist() == [[2, 2], [12, 2], [7, 7]]


def test_centres_of_an_even_stride_lie_right_and_below_the_middle():
    assert sample_points(np.ones((1, 2), bool), NOBODY, stride=8).tolist() == [[4, 4], [12, 4]]
    assert sample_points(np.ones((1, 2), bool), NOBODY, stride=1).tolist() == [[0, 0], [1, 0]]


def test_a_live_track_occupies_the_cell_that_it_is_in():
    textured = np.ones((2, 3), bool)
    live = np.array([[0.1, 0.1], [4.99, 4.99], [5, 5]], np.float32)
    assert sample_points(textured, live).tolist() == [[7, 2], [12, 2], [2, 7], [12, 7]]


def test_tracks_beyond_the_last_whole_cell_occupy_none():
    # 17×12 px hold 3×2 cells of 5 px; x = 15.5 and y = 10.5 lie beyond them.
    live = np.array([[15.5, 2], [2, 10.5], [16.9, 11.9]], np.float32)
    assert len(sample_points(np.ones((2, 3), bool), live)) == 6


def test_tracks_that_are_nowhere_occupy_no_cell():
    live = np.array([[np.nan, 2], [2, np.inf], [-np.inf, np.nan], [-0.5, 2]], np.float32)
    assert len(sample_points(np.ones((2, 3), bool), live)) == 6


def test_one_corner_makes_the_cells_around_it_textured():
    # Gradients of a single bright quadrant exist on its edges, both of them only around (12, 12).
    gray = np.zeros((25, 25), np.uint8)
    gray[12:, 12:] = 100
    assert np.argwhere(textured_cells(texture(gray))).tolist() == [[2, 2]]


def test_an_edge_alone_is_no_texture():
    gray = np.zeros((25, 25), np.uint8)
    gray[:, 12:] = 100
    assert not textured_cells(texture(gray)).any()


def test_a_flat_frame_has_no_texture():
    assert not textured_cells(texture(scenes.flat(1)[0])).any()
    assert sample_points(textured_cells(texture(scenes.flat(1)[0])), NOBODY).shape == (0, 2)


def test_a_frame_smaller_than_a_cell_has_no_point():
    cells = textured_cells(texture(scenes.texture(4, 30)))
    assert cells.shape == (0, 6)
    assert sample_points(cells, NOBODY).shape == (0, 2)


# Rivals


@pytest.mark.parametrize(("shape", "stride"), [((96, 128), 5), ((61, 47), 4), ((33, 50), 8), ((7, 9), 1)])
def test_points_are_those_of_the_specification(shape, stride):
    gray = scenes.texture(*shape, seed=3)
    gray[: shape[0] // 2, : shape[1] // 3] = 90
    rng = np.random.default_rng(0)
    live = (rng.random((shape[0] * shape[1] // 60, 2)) * shape[::-1]).astype(np.float32)
    points = sample_points(textured_cells(texture(gray), stride=stride), live, stride=stride)
    assert [tuple(point) for point in points.tolist()] == reference.sample(gray, live, stride=stride)
    assert 0 < len(points) < (shape[0] // stride) * (shape[1] // stride)


def test_texture_is_measured_against_the_strongest_corner():
    gray = scenes.texture(96, 128)
    for quality in (0.0, 0.01, 0.2):
        points = sample_points(textured_cells(texture(gray), quality=quality), NOBODY)
        assert [tuple(point) for point in points.tolist()] == reference.sample(gray, NOBODY, quality=quality)


@pytest.mark.parametrize("clip", golden.SYNTHETIC + golden.REAL)
def test_the_releases_first_tracks_begin_at_sampled_points(clip):
    frame = golden.gray(clip)[0]
    tracks = np.load(golden.golden_folder(clip) / "tracks.npz")
    from_first_frame = tracks["info"][:, 0] == 15
    levels = scales(*frame.shape)
    for level, image in zip(levels, gray_pyramid(frame, levels), strict=True):
        own = sample_points(textured_cells(texture(image)), NOBODY)
        of_level = from_first_frame & (tracks["info"][:, 6].astype(np.float32) == np.float32(level.factor))
        begun = tracks["points"][of_level][:, 0] / level.factor
        found = {tuple(point) for point in own.tolist()}
        assert {tuple(point) for point in np.rint(begun).tolist()} <= found
        np.testing.assert_allclose(begun, np.rint(begun), atol=POINT)
    assert from_first_frame.any()


# Laws


def test_the_order_of_live_tracks_does_not_matter():
    textured = textured_cells(texture(scenes.texture(96, 128)))
    rng = np.random.default_rng(1)
    live = (rng.random((80, 2)) * (128, 96)).astype(np.float32)
    np.testing.assert_array_equal(sample_points(textured, live), sample_points(textured, rng.permutation(live)))


def test_where_every_point_is_taken_none_is_sampled():
    textured = textured_cells(texture(scenes.texture(96, 128)))
    first = sample_points(textured, NOBODY)
    assert len(first) > 100
    assert sample_points(textured, first).shape == (0, 2)


def test_the_cells_given_are_not_changed():
    textured = np.ones((4, 5), bool)
    sample_points(textured, np.array([[7, 7]], np.float32))
    assert textured.all()


def test_a_position_outside_the_image_occupies_no_cell():
    live = np.array([[-1, 2], [2, -1], [-0.5, -0.5]], np.float32)
    assert len(sample_points(np.ones((2, 3), bool), live)) == 6


@pytest.mark.parametrize("shape", [(40, 56), (41, 61), (9, 8), (3, 3), (2, 5), (5, 1), (1, 6), (1, 1)])
def test_texture_is_the_smaller_eigenvalue_and_opencvs(shape):
    smooth = np.ascontiguousarray(scenes.texture(48, 64)[: shape[0], : shape[1]])
    for gray in (smooth, np.random.default_rng(0).integers(0, 256, shape, np.uint8)):
        found = texture(gray)
        assert found.dtype == np.float32
        # docs/method/extraction.md, section 5: gradients of gray levels from 0 to 1, a mean over nine pixels instead of
        # a sum of the products.
        np.testing.assert_allclose(found, reference.smaller_eigenvalue(gray) / (4 * 3 * 255) ** 2, atol=EIGENVALUE)
        np.testing.assert_allclose(found, cv2.cornerMinEigenVal(gray, 3, ksize=3), atol=EIGENVALUE)


# Refusals


@pytest.mark.parametrize("live", [np.zeros((3, 2)), np.zeros((3, 3), np.float32), np.zeros((3, 4), np.float32)[:, :2]])
def test_positions_of_another_kind_are_refused(live):
    with pytest.raises(DataError, match=r"live must be contiguous float32 of shape \(n, 2\), got float"):
        sample_points(np.ones((2, 3), bool), live)


@pytest.mark.parametrize("frame", [np.zeros((40, 50, 3), np.uint8), np.zeros((40, 50), np.float32)])
def test_only_gray_frames_are_searched_for_texture(frame):
    with pytest.raises(DataError, match="gray must be a 2-D uint8 image, got"):
        textured_cells(texture(frame))
