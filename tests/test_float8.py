"""Vectors by hand do what their plain counterparts in NumPy do."""

import itertools

import numpy as np
import pytest
from numba import njit

from idt.jit.float8 import LANES, sorting_network
from idt.jit.float8_memory import copy, load_rows, look_up_pairs, prefetch, store, store_rows
from idt.kernels.median import _find_middle, _sort_four

SORTED = 4
_ends = sorting_network(((0, 1), (2, 3), (0, 2), (1, 3)), (3, 0))


@njit
def sort_rows(rows, out):
    """Columns of 4 × 8 numbers, sorted, and behind them their greatest and least."""
    four = load_rows(rows, 0, LANES, 4)
    store_rows(out, 0, LANES, _sort_four(four))
    store_rows(out, 4 * LANES, LANES, _ends(four))


@njit
def look_up(array, places, near, far):
    """Eight pairs of neighbours."""
    prefetch(array, places[0])
    one, other = look_up_pairs(array, places, 0)
    store(near, 0, one)
    store(far, 0, other)


@njit
def copy_part(source, target):
    """Three numbers from the second on, to the fifth place on."""
    copy(source, 1, target, 4, 3)


@njit
def find_middle(rows, out):
    """The median's largest network, on eight lanes."""
    store_rows(out, 0, LANES, _find_middle(load_rows(rows, 0, LANES, 20)))


def test_a_network_sorts_every_lane_by_itself():
    rows = np.random.default_rng(3).normal(size=(SORTED, LANES)).astype(np.float32)
    out = np.empty((SORTED + 2, LANES), np.float32)
    sort_rows(rows.ravel(), out.reshape(-1))
    expected = np.sort(rows, axis=0)
    np.testing.assert_array_equal(out[:SORTED], expected)
    np.testing.assert_array_equal(out[SORTED:], expected[[3, 0]])


def test_the_middle_six_of_twenty_are_found_whatever_their_order():
    # By the zero-one principle it is enough to look at zeros and ones: two sorted eights and a sorted four of each.
    steps = [[[float(k >= split) for k in range(size)] for split in range(size + 1)] for size in (8, 8, 4)]
    cases = np.array([a + b + c for a, b, c in itertools.product(*steps)], np.float32)
    cases = np.concatenate([cases, np.zeros((-len(cases) % LANES, 20), np.float32)])
    out = np.empty((6, LANES), np.float32)
    for eight in cases.reshape(-1, LANES, 20):
        find_middle(np.ascontiguousarray(eight.T).ravel(), out.reshape(-1))
        np.testing.assert_array_equal(out, np.sort(eight, axis=1)[:, 7:13].T)


@pytest.mark.parametrize("places", [range(8), [7, 7, 0, 3, 1, 6, 2, 5]])
def test_pairs_are_a_number_and_the_next(places):
    array, places = np.random.default_rng(5).normal(size=9).astype(np.float32), np.array(places, np.int32)
    near, far = np.empty((2, LANES), np.float32)
    look_up(array, places, near, far)
    np.testing.assert_array_equal(near, array[places])
    np.testing.assert_array_equal(far, array[places + 1])


def test_a_copy_is_as_long_as_it_says():
    target = np.zeros(8, np.float32)
    copy_part(np.arange(1, 9, dtype=np.float32), target)
    assert target.tolist() == [0, 0, 0, 0, 2, 3, 4, 0]
