"""The colour wheel: corners that one can check by hand, a slow rival, laws, refusals."""

import math

import numpy as np
import pytest

from idt.errors import DataError
from idt.show import flow_image
from idt.show.flow import colour_wheel

ROUNDING = 1
"""Gray levels by which float32 and float64 may round apart."""


def slow_colour(u, v, longest):
    """RGB of one displacement, in the words of Baker et al.: wheel, linear mixture, saturation by length."""
    red_to_yellow = [(255, 255 * i / 15, 0) for i in range(15)]
    yellow_to_green = [(255 - 255 * i / 6, 255, 0) for i in range(6)]
    green_to_cyan = [(0, 255, 255 * i / 4) for i in range(4)]
    cyan_to_blue = [(0, 255 - 255 * i / 11, 255) for i in range(11)]
    blue_to_magenta = [(255 * i / 13, 0, 255) for i in range(13)]
    magenta_to_red = [(255, 0, 255 - 255 * i / 6) for i in range(6)]
    wheel = red_to_yellow + yellow_to_green + green_to_cyan + cyan_to_blue + blue_to_magenta + magenta_to_red
    angle = math.atan2(v, u) % (2 * math.pi)
    place = angle / (2 * math.pi) * 55
    k = int(place) % 55
    share = place - int(place)
    length = math.hypot(u, v) / longest
    colour = []
    for one, two in zip(wheel[k], wheel[(k + 1) % 55], strict=True):
        value = ((1 - share) * one + share * two) / 255
        value = 1 - length * (1 - value) if length <= 1 else 0.75 * value
        colour.append(round(255 * value))
    return colour


def test_the_wheel_has_the_pure_colours_at_their_places():
    wheel = colour_wheel()
    assert wheel.shape == (55, 3)
    starts = [0, 15, 21, 25, 36, 49]
    pure = [(1, 0, 0), (1, 1, 0), (0, 1, 0), (0, 1, 1), (0, 0, 1), (1, 0, 1)]
    np.testing.assert_array_equal(wheel[starts], pure)


def test_rest_is_white_and_the_longest_motion_to_the_right_is_red():
    flow = np.zeros((1, 3, 2))
    flow[0, 1], flow[0, 2] = (4, 0), (2, 0)
    np.testing.assert_array_equal(flow_image(flow, channels="rgb")[0], [[255] * 3, [255, 0, 0], [255, 128, 128]])
    np.testing.assert_array_equal(flow_image(flow)[0], [[255] * 3, [0, 0, 255], [128, 128, 255]])
    np.testing.assert_array_equal(flow_image(flow, longest=2)[0, 1], [0, 0, 191])


@pytest.mark.parametrize("shape", [(7, 11), (1, 1), (16, 3)])
def test_every_colour_is_that_of_the_rival(shape):
    flow = np.random.default_rng(0).normal(0, 3, (*shape, 2)).astype(np.float32)
    image = flow_image(flow, longest=4, channels="rgb")
    expected = [[slow_colour(float(u), float(v), 4) for u, v in row] for row in flow]
    assert image.dtype == np.uint8
    assert np.abs(image.astype(int) - expected).max() <= ROUNDING


def test_a_flow_and_its_double_look_alike_where_nobody_says_what_is_long():
    flow = np.random.default_rng(1).normal(size=(9, 8, 2)).astype(np.float32)
    np.testing.assert_array_equal(flow_image(flow), flow_image(2 * flow))


def test_an_empty_flow_is_an_empty_picture():
    assert flow_image(np.zeros((0, 4, 2))).shape == (0, 4, 3)


@pytest.mark.parametrize(
    ("options", "pattern"),
    [
        ({"longest": 0}, "longest must be a length above 0 px, got 0"),
        ({"longest": float("nan")}, "longest must be a length above 0 px"),
        ({"longest": "far"}, "longest must be a length above 0 px"),
        ({"channels": "gray"}, "channels must be one of bgr, rgb"),
        ({"channels": ["rgb"]}, "channels must be one of bgr, rgb"),
        ({"flow": np.zeros((4, 4))}, "flow must be real numbers of shape"),
        ({"flow": np.full((1, 1, 2), np.inf)}, "flow must be finite"),
    ],
)
def test_what_cannot_be_drawn_is_refused(options, pattern):
    with pytest.raises(DataError, match=pattern):
        flow_image(**{"flow": np.ones((2, 2, 2)), **options})
