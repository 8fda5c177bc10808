"""Arrays and choices that kernels make themselves are NumPy's and Python's."""

import math

import numpy as np
import pytest
from numba import njit

from idt.jit.intrinsics import empty, maximum, minimum, zeros


@njit
def make_floats(rows, columns):
    """Arrays of one, two and three dimensions."""
    made = zeros((rows, columns, 2), np.float32), zeros((rows, 3), np.int32), zeros(columns, np.uint8)
    free = empty((2, rows, columns), np.float64)
    free[:] = 7
    return made, free, empty((5,), np.int64)


@njit
def make_bytes(size):
    """An array of so many bytes."""
    return empty(size, np.uint8)


@njit
def choose(first, second):
    """The smaller and the greater."""
    return minimum(first, second), maximum(first, second)


def test_arrays_have_the_shape_and_type_asked_for():
    (three, two, one), free, last = make_floats(4, 6)
    for array, expected in (
        (three, np.zeros((4, 6, 2), np.float32)),
        (two, np.zeros((4, 3), np.int32)),
        (one, np.zeros(6, np.uint8)),
        (free, np.full((2, 4, 6), 7.0)),
    ):
        assert (array.dtype, array.shape, array.strides) == (expected.dtype, expected.shape, expected.strides)
        np.testing.assert_array_equal(array, expected)
        assert array.flags.c_contiguous
        assert array.ctypes.data % 32 == 0
    assert (last.dtype, last.shape) == (np.int64, (5,))


def test_arrays_may_be_empty_but_not_larger_than_memory():
    (three, _, one), free, _ = make_floats(0, 0)
    assert (three.shape, one.size, free.shape) == ((0, 0, 2), 0, (2, 0, 0))
    assert make_bytes(10).size == 10
    with pytest.raises(MemoryError):
        make_bytes(2**61)


@pytest.mark.parametrize(
    ("first", "second"),
    [(3, -4), (-4, 3), (2, 2), (2.5, 2.25), (math.inf, -math.inf), (np.float32(0.1), 0.1), (7, 6.5), (np.int32(5), 8)],
)
def test_choices_are_those_of_python(first, second):
    assert choose(first, second) == (min(first, second), max(first, second))


def test_of_a_number_and_none_the_first_is_chosen():
    np.testing.assert_array_equal(choose(math.nan, 1.0), (math.nan, math.nan))
    assert choose(1.0, math.nan) == (1, 1)
