import numpy as np
import pytest

from encoding.models.product import packed, padded, product

RTOL_F32 = 1e-5  # sums of up to 600 float32 products of one sign


@pytest.mark.parametrize(("n", "step", "expected"), [(0, 16, 0), (1, 16, 16), (16, 16, 16), (17, 16, 32)])
def test_lengths_are_padded_to_whole_steps(n, step, expected):
    assert padded(n, step) == expected


def test_small_integers_multiply_exactly():
    a, b = np.float32([[1, 2], [3, 4], [-1, 0]]), np.float32([[5, 6, 0], [7, 8, 1]])
    np.testing.assert_array_equal(product(a, packed(b), 3), [[19, 22, 2], [43, 50, 4], [-5, -6, 0]])


@pytest.mark.parametrize(("m", "d", "n"), [(258, 109, 512), (7, 600, 33), (1, 1, 1), (6, 3, 16)])
def test_products_equal_those_in_float64(m, d, n):
    rng = np.random.default_rng(0)
    a, b = rng.random((m, d), np.float32), rng.random((d, n), np.float32)
    np.testing.assert_allclose(product(a, packed(b), n), a.astype(float) @ b.astype(float), rtol=RTOL_F32)


def test_a_row_does_not_depend_on_the_rows_and_columns_around_it():
    rng = np.random.default_rng(1)
    a, b = rng.random((50, 40), np.float32), rng.random((40, 60), np.float32)
    whole = product(a, packed(b), 60)
    np.testing.assert_array_equal(product(a[13:14], packed(b[:, 5:23]), 18), whole[13:14, 5:23])


def test_no_rows_give_no_rows():
    assert product(np.empty((0, 4), np.float32), packed(np.ones((4, 3), np.float32)), 3).shape == (0, 3)
