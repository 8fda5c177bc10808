import numpy as np
import pytest

from idt.errors import DataError
from idt.params import layout
from idt.steps.histograms import accumulate, describe
from tests import scenes
from tests.reference import histograms as reference

# The fast arctangent is good to 0.0007°, 1.5e-5 of a bin; the root of a nearly empty bin magnifies that.
NORMALISED = 1e-4
# The same before the normalisation, relative to the largest bins, and the residue of running sums in empty ones.
RAW_RELATIVE = 1e-4
RAW_ABSOLUTE = 2e-3
# float32 rounding of numbers of at most 1.
ROUNDING = 1e-6

SIZES = layout.step_sizes(2)


def blocks(rows, cells=2):
    """The four blocks of each row, each as (n, cells x, cells y, bins)."""
    out, first = {}, 0
    for name, size in layout.step_sizes(cells).items():
        out[name] = rows[:, first : first + size].reshape(len(rows), cells, cells, -1)
        first += size
    assert first == rows.shape[1]
    return out


def scene(shape=(61, 83), seed=0):
    """A textured frame, a flow with vectors on either side of 0.4 px, and points everywhere, some outside."""
    rng = np.random.default_rng(seed)
    gray = scenes.texture(*shape, seed=seed)
    flow = rng.normal(0, 1, (*shape, 2)).astype(np.float32)
    points = (rng.random((9, 2)) * shape[::-1]).astype(np.float32)
    points[:4] = [[0.2, 0.3], [shape[1] - 0.1, shape[0] - 0.1], [20.5, 21.5], [-7, 200]]
    return gray, flow, points


# Worked examples


def test_a_ramp_to_the_right_fills_bin_0_of_hog():
    # Gray 3·x: every central difference is (6, 0). A cell of 16×16 px sums 256 × 6 in bin 0.
    gray = np.repeat((3 * np.arange(64))[None], 50, axis=0).astype(np.uint8)
    still = np.zeros((50, 64, 2), np.float32)
    hog = blocks(describe(gray, still, np.float32([[30, 25]]), local_norm="none"))["hog"][0]
    np.testing.assert_allclose(hog[:, :, 0], 256 * 6 + 0.05, rtol=RAW_RELATIVE)
    np.testing.assert_allclose(hog[:, :, 1:], 0.05, atol=RAW_ABSOLUTE)


@pytest.mark.parametrize(
    ("vector", "bins"),
    # y points down, so (0, 2) is bin 2; a direction between two centres is shared.
    [((2, 0), {0: 2}), ((0, 2), {2: 2}), ((-3, 0), {4: 3}), ((0, -1), {6: 1}), ((3, 3), {1: 18**0.5})]
    + [((1, -1), {7: 2**0.5}), ((-1, 1), {3: 2**0.5}), ((-2, -2), {5: 8**0.5})]
    + [((np.cos(np.pi / 8), np.sin(np.pi / 8)), {0: 0.5, 1: 0.5})]
    + [((np.cos(np.pi / 8), -np.sin(np.pi / 8)), {7: 0.5, 0: 0.5})]
    + [((0.3, 0.2), {8: 1}), ((0, 0), {8: 1}), ((0.4, 0), {8: 1}), ((0.4001, 0), {0: 0.4001})],
)
def test_hof_bins_the_flow_vector_itself(vector, bins):
    flow = np.broadcast_to(np.float32(vector), (40, 40, 2))
    hof = blocks(describe(scenes.flat(1, size=(40, 40))[0], flow, np.float32([[20, 20]]), local_norm="none"))["hof"]
    expected = np.zeros(9)
    for k, value in bins.items():
        expected[k] = 256 * value
    np.testing.assert_allclose(hof[0], np.broadcast_to(expected + 0.05, (2, 2, 9)), rtol=RAW_RELATIVE, atol=0.02)


def test_mbh_sees_the_change_of_one_component_and_no_constant():
    # u = 0.5·y + 3, v = 7: only u changes, downwards, by 1 over two pixels.
    flow = np.empty((48, 48, 2), np.float32)
    flow[:, :, 0] = 0.5 * np.arange(48)[:, None] + 3
    flow[:, :, 1] = 7
    found = blocks(describe(scenes.flat(1, size=(48, 48))[0], flow, np.float32([[24, 24]]), local_norm="none"))
    np.testing.assert_allclose(found["mbhx"][0, :, :, 2], 256 + 0.05, rtol=RAW_RELATIVE)
    np.testing.assert_allclose(np.delete(found["mbhx"][0], 2, axis=2), 0.05, atol=RAW_ABSOLUTE)
    np.testing.assert_allclose(found["mbhy"], 0.05, atol=RAW_ABSOLUTE)
    np.testing.assert_allclose(found["hog"], 0.05, atol=RAW_ABSOLUTE)


def test_one_bright_pixel_is_four_vectors():
    # Its neighbours left, right, above and below see differences of ±200; the pixel itself sees none.
    gray = np.zeros((4, 8), np.uint8)
    gray[1, 4] = 200
    row = describe(gray, np.zeros((4, 8, 2), np.float32), np.float32([[5, 2]]), patch=4, cells=1, local_norm="none")
    hog = blocks(row, cells=1)["hog"].ravel()
    # Left (3, 1): to the right, bin 0. Right (5, 1): bin 4. Below (4, 2): bin 6. Above (4, 0) is a border row, where
    # the reflected difference is 0.
    np.testing.assert_allclose(hog, [200.05, 0.05, 0.05, 0.05, 200.05, 0.05, 200.05, 0.05], atol=RAW_ABSOLUTE)


def test_cells_run_down_before_they_run_to_the_right():
    # Only the lower left quarter of the patch, cell (x 0, y 1), moves.
    flow = np.zeros((32, 32, 2), np.float32)
    flow[16:, :16] = 0, 2
    hof = blocks(describe(scenes.flat(1, size=(32, 32))[0], flow, np.float32([[16, 16]]), local_norm="none"))["hof"]
    np.testing.assert_allclose(hof[0, :, :, 2], [[0.05, 512.05], [0.05, 0.05]], rtol=RAW_RELATIVE, atol=RAW_ABSOLUTE)
    np.testing.assert_allclose(hof[0, :, :, 8], [[256.05, 0.05], [256.05, 256.05]], rtol=RAW_RELATIVE, atol=0.02)


def test_nothing_to_see_spreads_evenly():
    row = describe(scenes.flat(1, size=(40, 40))[0], np.zeros((40, 40, 2), np.float32), np.float32([[20, 20]]))
    found = blocks(row)
    for name in ("hog", "mbhx", "mbhy"):
        np.testing.assert_allclose(found[name], np.sqrt(1 / 32), atol=ROUNDING)
    # HOF: 4 cells of 256.05 and 8 × 0.05.
    total = 4 * (256.05 + 8 * 0.05)
    np.testing.assert_allclose(found["hof"][0, :, :, 8], np.sqrt(256.05 / total), atol=ROUNDING)
    np.testing.assert_allclose(found["hof"][0, :, :, :8], np.sqrt(0.05 / total), atol=ROUNDING)


def test_no_points_give_no_rows():
    gray, flow, _ = scene()
    assert describe(gray, flow, np.zeros((0, 2), np.float32)).shape == (0, sum(SIZES.values())) == (0, 132)


def test_each_point_adds_to_its_row_of_the_sums():
    gray, flow, points = scene()
    sums = np.full((4, 132), 7, np.float32)
    accumulate(gray, flow, points[:5], sums, np.int32([2, 0, -1, 2, 0]))
    rows = describe(gray, flow, points[:5])
    expected = 7 + np.stack([rows[1] + rows[4], 0 * rows[0], rows[0] + rows[3], 0 * rows[0]])
    np.testing.assert_allclose(sums, expected, atol=10 * ROUNDING)


def test_points_that_are_all_passed_over_change_nothing():
    sums = np.ones((2, 132), np.float32)
    accumulate(*scene(), sums, np.full(9, -1, np.int32))
    assert (sums == 1).all()


# Rival


@pytest.mark.parametrize("local_norm", ["rootl1", "l2", "none"])
@pytest.mark.parametrize(
    ("patch", "cells"),
    # Cells of 16 px; 10 px, a sum of 2 and 8; 11 px with a pixel left over; 7; 1; all of the image's height.
    [(32, 2), (30, 3), (20, 2), (23, 2), (7, 1), (3, 3), (61, 2)],
)
def test_histograms_are_those_of_the_specification(patch, cells, local_norm):
    gray, flow, points = scene()
    got = describe(gray, flow, points, patch=patch, cells=cells, local_norm=local_norm)
    expected = reference.describe(gray, flow, points, patch=patch, cells=cells, local_norm=local_norm)
    assert got.dtype == np.float32
    if local_norm == "none":
        np.testing.assert_allclose(got, expected, rtol=RAW_RELATIVE, atol=RAW_ABSOLUTE)
    else:
        np.testing.assert_allclose(got, expected, atol=NORMALISED)


@pytest.mark.parametrize("shape", [(1, 5), (2, 2), (1, 1)])
def test_the_smallest_images_have_histograms(shape):
    rng = np.random.default_rng(6)
    gray, flow = rng.integers(0, 256, shape, np.uint8), rng.normal(0, 1, (*shape, 2)).astype(np.float32)
    points = np.float32([[0, 0], [shape[1] - 1, shape[0] - 1]])
    patch = min(shape)
    got = describe(gray, flow, points, patch=patch, cells=1)
    np.testing.assert_allclose(got, reference.describe(gray, flow, points, patch=patch, cells=1), atol=NORMALISED)


def test_rows_far_above_leave_no_trace():
    # Running sums pass 500 rows of strong noise before they come to where nothing is.
    rng = np.random.default_rng(4)
    gray = rng.integers(0, 256, (600, 40), np.uint8)
    flow = rng.normal(0, 20, (600, 40, 2)).astype(np.float32)
    gray[500:], flow[500:] = 128, 0
    rows = describe(gray, flow, np.float32([[20, 570]]), local_norm="none")
    expected = np.full(132, 0.05, np.float32)
    expected[32:68].reshape(4, 9)[:, 8] = 256.05
    np.testing.assert_allclose(rows[0], expected, atol=RAW_ABSOLUTE)
    # What the running sums leave below zero is clipped before the 0.05 is added.
    assert rows.min() == np.float32(0.05)


# Laws


def test_a_patch_does_not_depend_on_the_others():
    gray, flow, points = scene()
    together = describe(gray, flow, points)
    for n in range(len(points)):
        np.testing.assert_array_equal(describe(gray, flow, points[n : n + 1])[0], together[n])


def test_the_order_of_the_points_is_that_of_the_rows():
    gray, flow, points = scene()
    order = np.random.default_rng(5).permutation(len(points))
    np.testing.assert_array_equal(describe(gray, flow, points[order]), describe(gray, flow, points)[order])


def test_each_block_has_unit_length():
    for norm in ("rootl1", "l2"):
        rows = describe(*scene(), local_norm=norm)
        for block in blocks(rows).values():
            np.testing.assert_allclose((block.astype(float) ** 2).sum((1, 2, 3)), 1, atol=ROUNDING)


def test_a_patch_at_the_border_is_moved_inside():
    gray, flow, _ = scene((61, 83))
    outer = np.float32([[0, 0], [82, 0], [0, 60], [1000, -1000]])
    inner = np.float32([[16, 16], [67, 16], [16, 45], [67, 16]])
    np.testing.assert_array_equal(describe(gray, flow, outer), describe(gray, flow, inner))


def test_halves_are_placed_at_the_even_pixel():
    gray, flow, _ = scene((61, 83))
    near = np.float32([[20.5, 21.5], [21.5, 22.5]])
    np.testing.assert_array_equal(describe(gray, flow, near), describe(gray, flow, np.float32([[20, 22], [22, 22]])))


def test_exchanging_x_and_y_exchanges_cells_directions_and_components():
    gray, flow, points = scene((64, 64))
    points = np.float32([[20, 30], [40, 17], [33, 33]])
    own = blocks(describe(gray, flow, points))
    turned = blocks(describe(gray.T, np.ascontiguousarray(flow.transpose(1, 0, 2)[:, :, ::-1]), points[:, ::-1]))
    # A direction of θ becomes 90° − θ: bin k becomes (2 − k) mod 8.
    mirrored = (2 - np.arange(8)) % 8
    for name, other in (("hog", "hog"), ("mbhx", "mbhy"), ("mbhy", "mbhx")):
        expected = own[name].transpose(0, 2, 1, 3)[:, :, :, mirrored]
        np.testing.assert_allclose(turned[other], expected, atol=NORMALISED)
    expected = own["hof"].transpose(0, 2, 1, 3)[:, :, :, [*mirrored, 8]]
    np.testing.assert_allclose(turned["hof"], expected, atol=NORMALISED)


def test_brightness_and_a_constant_flow_change_nothing_but_hof():
    gray, flow, points = scene()
    gray = gray // 2
    # Quarters are exact in float32, so adding one does not change a difference.
    flow = np.round(flow * 4) / 4
    own, other = blocks(describe(gray, flow, points)), blocks(describe(gray + 90, flow + np.float32(0.25), points))
    for name in ("hog", "mbhx", "mbhy"):
        np.testing.assert_array_equal(own[name], other[name])
    assert np.abs(own["hof"] - other["hof"]).max() > 0.01


def test_flow_of_any_memory_order_gives_the_same():
    gray, flow, points = scene()
    planes = np.moveaxis(np.ascontiguousarray(np.moveaxis(flow, 2, 0)), 0, 2)
    np.testing.assert_array_equal(describe(gray, planes, points), describe(gray, flow, points))


# Refusals


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"gray": np.zeros((61, 83))}, "gray must be a 2-D uint8 image, got float64"),
        ({"flow": np.zeros((61, 82, 2), np.float32)}, r"flow must be float32 of shape \(61, 83, 2\), got"),
        ({"flow": np.zeros((61, 83, 2))}, "flow must be float32 .* got float64 of shape"),
        ({"flow": None}, "flow must be float32 .* got NoneType"),
        ({"points": np.zeros((3, 3), np.float32)}, r"points must be real numbers of shape \(n, 2\)"),
        ({"points": np.float32([[1, np.nan]])}, "points must be finite, got 1 NaN"),
        ({"patch": 62}, "a patch of 62 px does not fit into an image of 83x61 px; use a smaller patch"),
        ({"cells": 33}, "cells must be between 1 and the patch's 32 px, got 33"),
        ({"cells": 0}, "cells must be between 1 and the patch's 32 px, got 0"),
        ({"local_norm": "l1"}, "local_norm must be one of none, rootl1, l2, got 'l1'"),
    ],
)
def test_what_cannot_be_described_is_refused(changed, message):
    arguments = dict(zip(("gray", "flow", "points"), scene(), strict=True)) | changed
    with pytest.raises(DataError, match=message):
        describe(arguments.pop("gray"), arguments.pop("flow"), arguments.pop("points"), **arguments)


@pytest.mark.parametrize(
    ("sums", "rows", "message"),
    [
        (np.zeros((9, 131), np.float32), np.arange(9), r"sums must be contiguous float32 of shape \(m, 132\), got"),
        (np.zeros((9, 132)), np.arange(9), "sums must be contiguous float32 .* got float64"),
        (np.zeros((132, 9), np.float32).T, np.arange(9), "sums must be contiguous"),
        (np.zeros((8, 132), np.float32), np.arange(9), "rows must be int32, an index below 8 for each point, got"),
        (np.zeros((9, 132), np.float32), np.arange(8), "rows must be int32, an index below 9 for each point, got"),
    ],
)
def test_sums_that_cannot_be_added_to_are_refused(sums, rows, message):
    with pytest.raises(DataError, match=message):
        accumulate(*scene(), sums, rows.astype(np.int32))
