import cv2
import numpy as np
import pytest

from idt.errors import DataError
from idt.kernels.median import median
from idt.steps import flow
from idt.steps.pyramid import RATIO, Scale, scales
from tests import golden, scenes
from tests.reference import expansion as slow_expansion
from tests.reference import flow as slow_flow

# float32 sums of 2 × 15 taps over gray levels up to 255, against float64.
COEFFICIENT = 2e-3
# The solution divides float32 sums; over random coefficients the systems are well conditioned.
ITERATION = 2e-4
# docs/method/extraction.md, section 3.9: OpenCV's own flow at full resolution is typically 1e-4, at most 2e-3 px from
# the reference.
OPENCV_TYPICAL = 1e-4
OPENCV_WORST = 2e-3
# Bar of the comparison with the release: 99 % of the pixels of a field within 0.01 px.
GOLDEN_PIXEL = 0.01
GOLDEN_SHARE = 0.99
# A texture that moves as a whole, away from the border: what the method itself reaches.
MOTION = 0.05
# Width of the band along the border over which the border's own error spreads: two 11-tap windows and the medians.
BORDER = 16
# What is left of that beyond the band.
STILL = 1e-5


def between(first, second):
    return flow.between(flow.expand(first), flow.expand(second))


def expansion_of(planar):
    """An expansion of one scale from its coefficients (5, H, W)."""
    planar = np.ascontiguousarray(planar, np.float32)
    _, height, width = planar.shape
    by_plane, by_pixel = (
        np.concatenate([array.ravel(), np.full(flow.LANES, np.nan, np.float32)])
        for array in (planar, np.moveaxis(planar, 0, 2))
    )
    return flow.Expansion([Scale(1.0, height, width)], 0, by_plane, by_pixel)


# Worked examples


def test_the_expansion_of_a_bowl_is_its_own_polynomial():
    # (x − 12)² + 2·(y − 8) + 30: blurring with [1 2 1]/4 only adds ½, so the fit is exact away from the border.
    y, x = np.mgrid[:17, :25]
    bowl = ((x - 12) ** 2 + 2 * (y - 8) + 30).astype(np.uint8)
    (planar,) = flow.expand(bowl, [Scale(1.0, 17, 25)]).planar
    at = planar[:, 8, 8:17]
    np.testing.assert_allclose(at[0], 2 * np.arange(-4, 5), atol=COEFFICIENT)
    np.testing.assert_allclose(at[1], 2, atol=COEFFICIENT)
    np.testing.assert_allclose(at[2], 1, atol=COEFFICIENT)
    np.testing.assert_allclose(at[3:], 0, atol=COEFFICIENT)


def test_the_expansion_of_a_saddle_is_its_own_polynomial():
    # (x − 9)·(y − 9) + 100: x coefficient y − 9, y coefficient x − 9, xy coefficient 1.
    y, x = np.mgrid[:19, :19]
    saddle = ((x - 9) * (y - 9) + 100).astype(np.uint8)
    (planar,) = flow.expand(saddle, [Scale(1.0, 19, 19)]).planar
    np.testing.assert_allclose(planar[:, 9, 9], [0, 0, 0, 0, 1], atol=COEFFICIENT)
    np.testing.assert_allclose(planar[:, 10, 8], [1, -1, 0, 0, 1], atol=COEFFICIENT)


def test_a_bowl_that_moves_by_one_pixel_flows_by_one_pixel():
    # x² + y² moved to the right: A is the identity and h1 = 1, so u = 1 / (1 + 1e-3) in either iteration.
    y, x = np.mgrid[:41, :41].astype(np.float32)
    one, zero = np.ones_like(x), np.zeros_like(x)
    first = np.stack([2 * (x - 20), 2 * (y - 20), one, one, zero])
    second = np.stack([2 * (x - 21), 2 * (y - 20), one, one, zero])
    (field,) = flow.between(expansion_of(first), expansion_of(second))
    np.testing.assert_allclose(field[BORDER:-BORDER, BORDER:-BORDER, 0], 1 / 1.001, atol=STILL)
    np.testing.assert_allclose(field[BORDER:-BORDER, BORDER:-BORDER, 1], 0, atol=STILL)


def test_across_a_straight_edge_nothing_is_known_and_nothing_moves():
    # x² alone has g22 = 0: the direction along the edge is open, Δ is the regulariser, and both products vanish.
    x = np.mgrid[:41, :41][1].astype(np.float32)
    one, zero = np.ones_like(x), np.zeros_like(x)
    (field,) = flow.between(
        expansion_of(np.stack([2 * (x - 20), zero, one, zero, zero])),
        expansion_of(np.stack([2 * (x - 21), zero, one, zero, zero])),
    )
    assert (field == 0).all()


def test_flat_frames_do_not_move():
    for field in between(*scenes.flat(2)):
        # The fit of a constant leaves rounding, of which a little comes back as flow.
        np.testing.assert_allclose(field, 0, atol=STILL)


# Rivals


@pytest.mark.parametrize("shape", [(24, 31), (16, 9), (5, 3), (2, 2)])
def test_the_expansion_is_a_least_squares_fit(shape):
    image = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    expansion = flow.expand(image, [Scale(1.0, *shape)])
    blurred = cv2.GaussianBlur(image.astype(np.float32), (3, 3), 0)
    np.testing.assert_allclose(expansion.planar[0], slow_expansion.expand(blurred), atol=COEFFICIENT)
    np.testing.assert_array_equal(np.moveaxis(expansion.interleaved[0], 2, 0), expansion.planar[0])


@pytest.mark.parametrize("s", [0, 1, 2, 4])
def test_every_scale_is_expanded_from_the_blurred_full_frame(s):
    image = scenes.texture(150, 141)
    level = scales(*image.shape, patch=20)[s]
    # The fifth factor lies just below 4, where a factor of 4 would take 9 taps instead of 7.
    assert level.factor < 4
    (planar,) = flow.expand(image, [level]).planar
    smoothed = slow_expansion.smooth(image, level.factor, (level.height, level.width))
    np.testing.assert_allclose(planar[:, ::7, ::7], slow_expansion.expand(smoothed, step=7), atol=COEFFICIENT)


def random_expansion(rng, shape):
    """Coefficients (5, H, W) whose flows are some pixels long, so that many targets lie outside."""
    linear, quadratic = rng.normal(0, 6, (2, *shape)), rng.normal(0, 1, (3, *shape))
    return np.concatenate([linear, quadratic]).astype(np.float32)


@pytest.mark.parametrize("shape", [(37, 29), (17, 33), (16, 12), (7, 5), (3, 2), (2, 2)])
def test_the_flow_of_one_scale_is_that_of_the_specification(shape):
    rng = np.random.default_rng(1)
    first, second = random_expansion(rng, shape), random_expansion(rng, shape)
    (field,) = flow.between(expansion_of(first), expansion_of(second))
    (expected,) = slow_flow.between([first], [second])
    np.testing.assert_allclose(np.moveaxis(field, 2, 0), expected, rtol=ITERATION, atol=ITERATION)


def test_the_flow_of_several_scales_is_that_of_the_specification():
    # Large enough that the coarser flow shows in the finer; wholly independent but for the expansion.
    clip = scenes.translating(2, velocity=(2, 1), size=(40, 46))
    levels = scales(40, 46, patch=20)
    first, second = (flow.expand(frame, levels) for frame in clip)
    expected = slow_flow.between(first.planar, second.planar)
    for field, slow in zip(flow.between(first, second), expected, strict=True):
        np.testing.assert_allclose(np.moveaxis(field, 2, 0), slow, rtol=ITERATION, atol=ITERATION)


@pytest.mark.parametrize("clip", [scenes.translating(2, velocity=(3, -2), size=(120, 160)), scenes.moving_patch(2)])
def test_the_finest_scale_agrees_with_opencv(clip):
    own = between(*clip)
    height, width = clip[0].shape
    start = np.stack([cv2.resize(np.ascontiguousarray(own[1][:, :, c]), (width, height)) for c in range(2)], axis=2)
    flags = cv2.OPTFLOW_USE_INITIAL_FLOW | cv2.OPTFLOW_FARNEBACK_GAUSSIAN
    field = cv2.calcOpticalFlowFarneback(
        *clip.astype(np.float32), start * RATIO, pyr_scale=0.5, levels=0, winsize=10, iterations=2, poly_n=7,
        poly_sigma=1.5, flags=flags,
    )  # fmt: skip
    expected = np.stack([cv2.medianBlur(np.ascontiguousarray(field[:, :, c]), 5) for c in range(2)], axis=2)
    difference = np.abs(own[0] - expected)
    assert np.median(difference) < OPENCV_TYPICAL
    assert difference.max() < OPENCV_WORST


@pytest.mark.parametrize("clip", golden.SYNTHETIC + golden.REAL)
def test_both_flows_are_those_of_the_release(clip):
    gray = golden.gray(clip)
    fields = np.load(golden.golden_folder(clip) / "flow.npz")
    for t in (1, 10):
        first = flow.expand(gray[t - 1])
        for kind, second in (("flow", gray[t]), ("warp", fields[f"gray_warped_{t:03d}"])):
            own = flow.between(first, flow.expand(second))
            assert f"{kind}_{t:03d}_{len(own)}" not in fields
            for s, field in enumerate(own):
                close = np.abs(field - fields[f"{kind}_{t:03d}_{s}"]).max(axis=2) < GOLDEN_PIXEL
                assert close.mean() >= GOLDEN_SHARE, f"{kind} of frame {t} at scale {s}"


# Laws


@pytest.mark.parametrize("velocity", [(2, 1), (-3, 0), (0, 4), (0.5, -0.25), (6, -4)])
def test_a_texture_flows_as_it_moves(velocity):
    fields = between(*scenes.translating(2, velocity=velocity))
    for component in range(2):
        inner = fields[0][BORDER:-BORDER, BORDER:-BORDER, component]
        assert abs(np.median(inner) - velocity[component]) < MOTION


def test_a_moving_patch_moves_and_its_background_does_not():
    field = between(*scenes.moving_patch(2, velocity=(3, 0), corner=(40, 25), patch=(50, 50)))[0]
    assert abs(np.median(field[40:60, 55:75, 0]) - 3) < MOTION
    assert np.abs(field[30:-30, 5:20]).max() < MOTION


def test_a_static_scene_does_not_flow():
    for field in between(*scenes.static(2)):
        inner = field[BORDER:-BORDER, BORDER:-BORDER]
        np.testing.assert_allclose(inner, 0, atol=STILL)


def test_exchanging_x_and_y_exchanges_the_components():
    first, second = scenes.translating(2, velocity=(2, -1), size=(96, 96))
    for own, turned in zip(between(first, second), between(first.T, second.T), strict=True):
        # Rows and columns are filtered in another order, which rounds otherwise.
        difference = np.abs(own - turned.transpose(1, 0, 2)[:, :, ::-1])
        assert np.quantile(difference, 0.99) < OPENCV_WORST


def test_neither_expansion_is_changed_and_each_field_is_an_array_of_its_own():
    first, second = (flow.expand(frame) for frame in scenes.translating(2))
    kept = [array.copy() for e in (first, second) for array in (*e.planar, *e.interleaved)]
    fields = flow.between(first, second)
    again = flow.between(first, second)
    for array, old in zip((a for e in (first, second) for a in (*e.planar, *e.interleaved)), kept, strict=True):
        np.testing.assert_array_equal(array, old)
    for own, other in zip(fields, again, strict=True):
        np.testing.assert_array_equal(own, other)
        assert own.dtype == np.float32
        own[:] = 0
        assert other.any()


def test_each_of_two_frames_needs_but_half_of_its_expansion():
    frames = scenes.moving_patch(n_frames=2, size=(40, 56))
    first, second = (flow.expand(frame) for frame in frames)
    half = flow.expand(frames[1], second_only=True)
    for found, expected in zip(flow.between(first.as_first(), half), flow.between(first, second), strict=True):
        np.testing.assert_array_equal(found, expected)
    for pair in ((half, second), (first, second.as_first())):
        with pytest.raises(DataError, match="second_only"):
            flow.between(*pair)


@pytest.mark.parametrize("finest", [1, 2, 99])
def test_scales_left_out_carry_the_flow_of_the_next_one_over(finest):
    frames = scenes.translating(2, velocity=(2, -1), size=(96, 128))
    levels = scales(96, 128)
    whole, part = between(*frames), flow.between(*(flow.expand(frame, levels, finest=finest) for frame in frames))
    first = min(finest, len(levels) - 1)
    for s in range(first, len(levels)):
        np.testing.assert_array_equal(part[s], whole[s])
    for s in range(first):
        expected = cv2.resize(np.ascontiguousarray(part[s + 1]), part[s].shape[1::-1]) * RATIO
        np.testing.assert_allclose(part[s], expected, atol=STILL)


@pytest.mark.parametrize("shape", [(30, 41), (8, 8), (5, 3), (1, 1)])
def test_the_median_of_a_field_is_opencvs(shape):
    field = np.random.default_rng(0).normal(size=(2, *shape)).astype(np.float32)
    field[0] = np.rint(field[0])
    filtered = np.empty_like(field)
    median(field.reshape(-1), *shape, filtered.reshape(-1))
    for own, plane in zip(filtered, field, strict=True):
        np.testing.assert_array_equal(own, cv2.medianBlur(plane, 5))


# Refusals


@pytest.mark.parametrize("frame", [np.zeros((40, 50, 3), np.uint8), np.zeros((40, 50)), np.zeros((0, 5), np.uint8)])
def test_only_gray_frames_are_expanded(frame):
    with pytest.raises(DataError, match="gray must be a 2-D uint8 image, got"):
        flow.expand(frame)


def test_frames_of_two_sizes_have_no_flow():
    first, second = flow.expand(scenes.texture(96, 128)), flow.expand(scenes.texture(96, 130))
    with pytest.raises(DataError, match="the same scales, got 128x96 px at 4 scales and 130x96 px at 4 scales"):
        flow.between(first, second)


@pytest.mark.parametrize("shape", [(1, 50), (50, 1), (1, 1)])
def test_a_single_row_or_column_has_no_flow(shape):
    with pytest.raises(DataError, match=f"at least 2x2 px at every scale, got {shape[1]}x{shape[0]} px"):
        flow.expand(np.zeros(shape, np.uint8))
