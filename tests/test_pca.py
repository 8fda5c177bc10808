import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from threadpoolctl import threadpool_limits

from encoding import FisherEncoder, VladEncoder
from encoding.models.pca import PCA
from idt.errors import DataError
from tests.reference import pca as reference

ATOL_F32 = 1e-5  # float32 directions and products of a dozen numbers of size 1 to 10
MEAN = 100.0  # far from zero: shows cancellation in the covariance
NOISE = 1e-7  # of a number: what is left when float32 numbers are computed in another order
MOVED = 1e-3  # by noise, a unit vector; whitened rounding moved it by up to 1.5


def correlated(n, d, seed=0):
    rng = np.random.default_rng(seed)
    return (rng.normal(size=(n, d)) * np.arange(1, d + 1) @ rng.normal(size=(d, d)) / d + MEAN).astype(np.float32)


def test_points_on_a_line_lie_along_it():
    rows = np.float32([[0, 0], [3, 4], [6, 8]])
    pca = PCA(1).fit(rows)
    np.testing.assert_allclose(pca.components_, [[0.6, 0.8]], atol=ATOL_F32)
    np.testing.assert_allclose(pca.explained_variance_, [25.0])
    np.testing.assert_allclose(pca.transform(rows), [[-5], [0], [5]], atol=ATOL_F32)


def test_a_component_below_the_floor_of_whitening_stays_small():
    rows = np.float32([[1, 0], [-1, 0], [0, 1e-5], [0, -1e-5]])
    white = PCA(whiten=True).fit(rows).transform(rows)
    # Deviations √(2/3) and 1e-5 · √(2/3); the second counts as 1e-4 · √(2/3).
    np.testing.assert_allclose(white[:2], [[np.sqrt(1.5), 0], [-np.sqrt(1.5), 0]], atol=ATOL_F32)
    np.testing.assert_allclose(white[2:], [[0, 0.1 * np.sqrt(1.5)], [0, -0.1 * np.sqrt(1.5)]], atol=ATOL_F32)


@pytest.mark.parametrize(("d", "m"), [(96, 48), (30, 15), (108, 54), (5, 2), (2, 1)])
def test_half_of_the_columns_is_rounded_down(d, m):
    assert PCA(column_share=0.5).fit(correlated(2 * d, d)).transform(correlated(3, d)).shape == (3, m)


@pytest.mark.parametrize(("n", "d", "m"), [(5000, 12, 6), (40, 7, 7), (2, 3, 1)])
def test_directions_equal_those_of_a_singular_value_decomposition(n, d, m):
    rows = correlated(n, d)
    mean, directions, variances = reference.principal_components(rows, m)
    pca = PCA(m).fit(rows)
    np.testing.assert_allclose(pca.components_, directions, atol=ATOL_F32)
    np.testing.assert_allclose(pca.explained_variance_, variances, rtol=1e-6)
    scale = np.abs(rows - mean).max()
    np.testing.assert_allclose(pca.transform(rows), (rows - mean) @ directions.T, atol=ATOL_F32 * scale)


def test_whitened_columns_have_unit_variance_and_do_not_correlate():
    rows = correlated(2000, 8)
    white = PCA(None, whiten=True).fit(rows).transform(rows)
    np.testing.assert_allclose(np.cov(white.T), np.eye(8), atol=1e-3)


@pytest.mark.parametrize("smallest", [1e-1, 1e-4, 1e-5])
def test_whitened_rows_equal_those_of_a_singular_value_decomposition(smallest):
    # Along the axes, so that float32 holds the small columns as well as the large ones.
    rows = (np.random.default_rng(3).normal(size=(300, 4)) * np.geomspace(1, smallest, 4)).astype(np.float32)
    white = PCA(whiten=True).fit(rows).transform(rows)
    np.testing.assert_allclose(white, reference.whitened(rows, 4, least=1e-4), atol=1e-4)


@pytest.mark.parametrize("mean", [0.0, 10 * MEAN])
@pytest.mark.parametrize("encoder", [FisherEncoder(4), VladEncoder(4)])
@pytest.mark.parametrize("whiten", [False, True])
def test_noise_as_small_as_rounding_does_not_move_the_vector_of_rank_deficient_descriptors(encoder, whiten, mean):
    rng = np.random.default_rng(7)
    spread = rng.normal(size=(3, 8))  # descriptors of 8 numbers that vary in 3 directions only
    modes = 4 * rng.normal(size=(4, 3))
    exact = (modes[rng.integers(4, size=1200)] + rng.normal(size=(1200, 3))) @ spread + mean
    noise = NOISE * np.sqrt(np.mean(exact**2)) * rng.normal(size=exact.shape)
    vectors = []
    for rows in (exact.astype(np.float32), (exact + noise).astype(np.float32)):
        fitted = clone(encoder).set_params(whiten=whiten, pca_column_share=1.0).fit([rows[:500], rows[500:1000]])
        vectors.append(fitted.transform([rows[1000:]])[0])
    assert np.linalg.norm(vectors[0] - vectors[1]) < MOVED
    np.testing.assert_allclose(np.linalg.norm(vectors[0]), 1, rtol=1e-5)


@pytest.mark.parametrize("whiten", [False, True])
def test_directions_without_variance_give_zeros_not_noise(whiten):
    rows = correlated(500, 6)
    rows[:, 2] = 7
    rows[:, 4] = rows[:, 0]
    pca = PCA(None, whiten=whiten).fit(rows)
    assert np.count_nonzero(pca.explained_variance_) == 4
    assert not pca.transform(rows + np.float32(1))[:, 4:].any()


def test_fewer_rows_than_columns_and_equal_rows_are_allowed():
    assert np.count_nonzero(PCA(None).fit(correlated(4, 9)).explained_variance_) == 3
    assert not PCA(None, whiten=True).fit(np.ones((5, 3))).transform(np.ones((2, 3))).any()


def test_the_order_of_the_rows_and_the_threads_do_not_matter():
    rows = correlated(9000, 30)
    results = []
    for threads in (1, 2):
        with threadpool_limits(threads, user_api="blas"):
            results.append(PCA(column_share=0.5).fit(rows).transform(rows))
    np.testing.assert_array_equal(*results)
    shuffled = PCA(column_share=0.5).fit(rows[np.random.default_rng(1).permutation(len(rows))])
    np.testing.assert_allclose(shuffled.transform(rows), results[0], atol=ATOL_F32 * np.abs(results[0]).max())


def test_float32_comes_out_and_no_rows_stay_none():
    pca = clone(PCA(2)).fit(correlated(50, 4).astype(np.float64))
    assert pca.transform(np.empty((0, 4))).shape == (0, 2)
    assert pca.transform(correlated(1, 4)).dtype == np.float32


def test_data_that_cannot_be_analysed_is_refused():
    with pytest.raises(DataError, match="at least two descriptors, got 1 of 4"):
        PCA().fit(np.zeros((1, 4)))
    rows = correlated(50, 4)
    with pytest.raises(DataError, match="X has 3 features, but PCA is expecting 4 features as input"):
        PCA().fit(rows).transform(rows[:, :3])
    with pytest.raises(NotFittedError, match="not fitted yet"):
        PCA().transform(rows)
    rows[7, 1] = np.nan
    with pytest.raises(DataError, match="descriptors must be finite"):
        PCA().fit(rows)


@pytest.mark.parametrize("n_components", [0, 5, 1.5, 0.5, "half", -1, True])
def test_numbers_that_do_not_fit_are_refused(n_components):
    with pytest.raises(DataError, match=r"n_components must be a whole number up to the 4 .* use column_share"):
        PCA(n_components).fit(correlated(50, 4))


@pytest.mark.parametrize("column_share", [0, 1.5, 0.1, "half", -1, True])
def test_shares_that_do_not_fit_are_refused(column_share):
    with pytest.raises(DataError, match="column_share must be a share in"):
        PCA(column_share=column_share).fit(correlated(50, 4))


def test_a_number_and_a_share_at_a_time_are_refused():
    with pytest.raises(DataError, match=r"give n_components or column_share, not both, got 2 and 0.5"):
        PCA(2, column_share=0.5).fit(correlated(50, 4))
