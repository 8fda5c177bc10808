import numpy as np
import pytest

from encoding.coders.vlad import VladCoder
from encoding.models.kmeans import KMeans
from encoding.params import VladParams
from idt.errors import DataError
from tests.reference import vlad as reference

ATOL_VECTOR = 1e-5  # float32 of numbers of size 0.1


def coder(k=6, d=4, seed=0):
    return VladCoder(KMeans.from_centres(np.random.default_rng(seed).normal(size=(k, d)), 1.0))


def rows_of(n=500, d=4):
    return np.random.default_rng(1).normal(size=(n, d)).astype(np.float32)


def test_two_centres_on_a_line_worked_by_hand():
    found = VladCoder(KMeans.from_centres(np.float32([[0], [10]]), 1.0))
    params = VladParams(k=2, intra=False, norm="none")
    np.testing.assert_array_equal(found.vector(found.sum_codes(np.float32([[1], [2], [9]]), params), params), [3, -1])
    params = VladParams(k=2)
    whole = found.vector(found.sum_codes(np.float32([[1], [2], [9]]), params), params)
    np.testing.assert_allclose(whole, [np.sqrt(0.5), -np.sqrt(0.5)], rtol=1e-6)


@pytest.mark.parametrize("options", [{}, {"power": 0.5}, {"power": 0.5, "intra": False}, {"intra": False}])
def test_the_vector_equals_the_rival(options):
    found, rows, params = coder(), rows_of(), VladParams(k=6, **options)
    expected = reference.normalised(
        reference.vlad(rows, found.kmeans.cluster_centers_), power=params.power, intra=params.intra
    )
    vector = found.vector(found.sum_codes(rows, params), params)
    assert vector.dtype == np.float32
    np.testing.assert_allclose(vector, expected, atol=ATOL_VECTOR)


def test_a_centre_without_descriptors_has_zeros():
    found = VladCoder(KMeans.from_centres(np.float32([[0, 0], [100, 100]]), 1.0))
    vector = found.vector(found.sum_codes(np.float32([[1, 2]]), VladParams(k=2)), VladParams(k=2))
    np.testing.assert_array_equal(vector[2:], [0, 0])


def test_descriptors_of_another_width_are_refused():
    with pytest.raises(DataError, match=r"descriptors must be real numbers of shape \(n, 4\)"):
        coder().sum_codes(rows_of(5, 3), VladParams(k=6))
