import numpy as np
import pytest
from sklearn import preprocessing

from encoding.coders.normalize import intra, l1, l2, root_l1, signed_power
from idt.errors import DataError

RTOL_F32 = 1e-6  # one division and one root in float32: a few units in the last place
ALL = (signed_power, l1, l2, root_l1, lambda vectors: intra(vectors, size=3))


@pytest.fixture
def vectors():
    return np.random.default_rng(1).normal(size=(7, 12)).astype(np.float32)


def test_the_signed_square_root_keeps_the_sign():
    np.testing.assert_array_equal(signed_power([4.0, -9.0, 0.0, 1.0]), np.float32([2, -3, 0, 1]))


def test_other_exponents_are_powers_of_the_size():
    np.testing.assert_allclose(signed_power([8.0, -27.0], exponent=1 / 3), [2, -3], rtol=RTOL_F32)
    np.testing.assert_array_equal(signed_power([0.25, -7.0], exponent=1.0), np.float32([0.25, -7]))


def test_norms_of_a_row_worked_by_hand():
    np.testing.assert_allclose(l2([3.0, -4.0]), [0.6, -0.8], rtol=RTOL_F32)
    np.testing.assert_allclose(l1([1.0, -3.0]), [0.25, -0.75], rtol=RTOL_F32)
    np.testing.assert_allclose(root_l1([1.0, -3.0]), [0.5, -np.sqrt(0.75)], rtol=RTOL_F32)


def test_intra_normalisation_leaves_the_zero_order_and_scales_each_component():
    vector = [5.0, 3.0, 4.0, 0.0, 0.0, -6.0, 8.0]
    np.testing.assert_allclose(intra(vector, size=2, start=1), [5, 0.6, 0.8, 0, 0, -0.6, 0.8], rtol=RTOL_F32)


@pytest.mark.parametrize(("ours", "norm"), [(l1, "l1"), (l2, "l2")])
def test_norms_equal_those_of_scikit_learn(vectors, ours, norm):
    np.testing.assert_allclose(ours(vectors), preprocessing.normalize(vectors, norm), rtol=RTOL_F32)


@pytest.mark.parametrize("ours", ALL)
def test_zero_rows_stay_zero_and_rows_do_not_meet(vectors, ours):
    vectors[3] = 0
    together = ours(vectors)
    assert not together[3].any()
    for row, alone in zip(together, vectors, strict=True):
        np.testing.assert_array_equal(row, ours(alone))


@pytest.mark.parametrize("ours", ALL)
def test_float32_comes_out_and_the_input_is_left_alone(vectors, ours):
    before = vectors.copy()
    assert ours(vectors.astype(np.float64)).dtype == np.float32
    ours(vectors)
    np.testing.assert_array_equal(vectors, before)


@pytest.mark.parametrize("scale", [1e-30, 1e30])
def test_lengths_do_not_overflow(vectors, scale):
    np.testing.assert_allclose(l2(vectors * np.float32(scale)), l2(vectors), rtol=RTOL_F32, atol=1e-7)


@pytest.mark.parametrize("ours", ALL)
def test_nan_is_refused(vectors, ours):
    vectors[2, 2] = np.nan
    with pytest.raises(DataError, match="vectors must be finite, got 1 NaN"):
        ours(vectors)


def test_options_out_of_range_are_refused(vectors):
    with pytest.raises(DataError, match="exponent must be above 0 and at most 1, got 0"):
        signed_power(vectors, exponent=0)
    with pytest.raises(DataError, match="no whole runs of size=5"):
        intra(vectors, size=5)
    with pytest.raises(DataError, match="rows"):
        l2(np.zeros((2, 2, 2)))
