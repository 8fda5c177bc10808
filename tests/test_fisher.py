from pathlib import Path

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from threadpoolctl import threadpool_limits

from encoding.coders.fisher import Statistics, fisher_vector, from_statistics, statistics, vector_size
from encoding.models.gmm import DiagonalGMM
from idt.errors import DataError
from tests.reference import fisher as reference

VLFEAT = Path(__file__).parent / "data" / "vlfeat" / "vlfeat.npz"  # origin: make_vlfeat.py beside it
ATOL_VECTOR = 1e-5  # numbers of size 0.1 to 1 from float32 products over hundreds of descriptors
RTOL_VECTOR = 1e-4  # ‖a − b‖ / ‖b‖, the same
ALL = ("zero", "first", "second")


def parameters(k, d, seed=1):
    rng = np.random.default_rng(seed)
    return (
        rng.normal(scale=1.5, size=(k, d)).astype(np.float32),
        rng.uniform(0.3, 3, size=(k, d)).astype(np.float32),
        rng.dirichlet(np.full(k, 3.0)).astype(np.float32),
    )


def descriptors(n, d, seed=0):
    return np.random.default_rng(seed).normal(scale=2, size=(n, d)).astype(np.float32)


@pytest.fixture
def gmm():
    return DiagonalGMM.from_parameters(*parameters(5, 4))


def test_one_component_worked_by_hand():
    gmm = DiagonalGMM.from_parameters([[1.0, 0.0]], [[4.0, 1.0]], [1.0])
    # (x − μ) / σ is (1, 2) and (0, −1): means 0.5 and 0.5, mean squares less one −0.5 and 1.5, over √2.
    vector = fisher_vector([[3.0, 2.0], [1.0, -1.0]], gmm)
    np.testing.assert_allclose(vector, [0.5, 0.5, -0.5 / np.sqrt(2), 1.5 / np.sqrt(2)], atol=1e-6)


def test_two_components_far_apart_worked_by_hand():
    gmm = DiagonalGMM.from_parameters([[0.0], [100.0]], [[1.0], [4.0]], [0.25, 0.75])
    vector = fisher_vector([[0.5], [102.0], [98.0], [104.0]], gmm, orders=ALL)
    # Shares 1/4 and 3/4 are the weights: g = 0. z is 0.5 in the first, 1, −1, 2 in the second component.
    g, u, v = [0.0], [0.5 / (4 * 0.5), 2 / (4 * 0.75**0.5)], [-0.75 / (4 * 0.5**0.5), 3 / (4 * 1.5**0.5)]
    np.testing.assert_allclose(vector, g + u + v, atol=1e-6)


@pytest.mark.parametrize("orders", [("first", "second"), ALL, ("zero",), ("second",), ("second", "first")])
@pytest.mark.parametrize(("n", "k", "d"), [(300, 5, 4), (7, 3, 1), (1, 2, 3)])
def test_the_vector_equals_the_rival(n, k, d, orders):
    rows, mixture = descriptors(n, d), parameters(k, d)
    vector = fisher_vector(rows, DiagonalGMM.from_parameters(*mixture), orders=orders)
    expected = reference.fisher_vector(rows, *mixture, orders=orders)
    assert vector.dtype == np.float32
    assert vector.shape == (vector_size(k, d, orders=orders),)
    np.testing.assert_allclose(vector, expected, atol=ATOL_VECTOR, rtol=RTOL_VECTOR)


@pytest.mark.parametrize("best", [1, 2, 5, 9])
def test_the_best_posteriors_alone_equal_the_rival(gmm, best):
    rows = descriptors(200, 4)
    expected = reference.fisher_vector(rows, *parameters(5, 4), orders=ALL, best=min(best, 5))
    np.testing.assert_allclose(fisher_vector(rows, gmm, orders=ALL, best=best), expected, atol=ATOL_VECTOR)


@pytest.mark.parametrize(("stored", "best"), [("fisher", None), ("fisher_hard", 1)])
def test_the_vector_equals_that_of_vlfeat_in_double_precision(stored, best):
    case = np.load(VLFEAT)
    gmm = DiagonalGMM.from_parameters(*(case[f"start_{name}"] for name in ("means", "variances", "weights")))
    vector = fisher_vector(case["other"], gmm, best=best)
    np.testing.assert_allclose(vector, case[stored], atol=ATOL_VECTOR)
    assert np.linalg.norm(vector - case[stored]) < RTOL_VECTOR * np.linalg.norm(case[stored])


@pytest.mark.slow
def test_a_mixture_of_the_size_of_the_recipe_equals_the_rival():
    rows, mixture = descriptors(40, 54), parameters(256, 54)
    vector = fisher_vector(rows, DiagonalGMM.from_parameters(*mixture))
    expected = reference.fisher_vector(rows, *mixture, orders=("first", "second"))
    assert vector.shape == (2 * 256 * 54,)
    assert np.linalg.norm(vector - expected) < RTOL_VECTOR * np.linalg.norm(expected)


def test_numbers_far_from_the_origin_lose_no_precision():
    rows, (means, variances, weights) = descriptors(300, 4) + np.float32(64), parameters(5, 4)
    means = means + np.float32(64)
    vector = fisher_vector(rows, DiagonalGMM.from_parameters(means, variances, weights), orders=ALL)
    expected = reference.fisher_vector(rows, means, variances, weights, orders=ALL)
    assert np.linalg.norm(vector - expected) < RTOL_VECTOR * np.linalg.norm(expected)


def test_permuted_and_duplicated_descriptors_leave_the_vector(gmm):
    rows = descriptors(1500, 4)
    vector = fisher_vector(rows, gmm, orders=ALL)
    permuted = rows[np.random.default_rng(2).permutation(len(rows))]
    np.testing.assert_allclose(fisher_vector(permuted, gmm, orders=ALL), vector, atol=1e-6)
    np.testing.assert_allclose(fisher_vector(np.tile(rows, (3, 1)), gmm, orders=ALL), vector, atol=1e-6)


def test_the_vector_of_the_fitting_data_is_zero_at_the_optimum():
    rng = np.random.default_rng(0)
    centres = rng.normal(scale=4, size=(6, 5))
    rows = (centres[rng.integers(6, size=4000)] + rng.normal(size=(4000, 5))).astype(np.float32)
    gmm = DiagonalGMM(6, max_iter=300, tol=1e-9).fit(rows)
    at_optimum = np.linalg.norm(fisher_vector(rows, gmm, orders=ALL))
    assert at_optimum < 2e-3
    assert at_optimum < 0.01 * np.linalg.norm(fisher_vector(rows[:100], gmm, orders=ALL))


def test_statistics_of_parts_add_up_to_those_of_the_whole(gmm):
    rows = descriptors(2000, 4)
    whole = statistics(rows, gmm)
    total = Statistics.empty(5, 4)
    for part in np.array_split(rows, 7):
        total += statistics(part, gmm)
    assert total.n == whole.n == 2000
    for name in ("s0", "s1", "s2"):
        np.testing.assert_allclose(getattr(total, name), getattr(whole, name), rtol=1e-5, atol=1e-3)
    summed = from_statistics(total, gmm, orders=ALL)
    np.testing.assert_allclose(summed, fisher_vector(rows, gmm, orders=ALL), atol=ATOL_VECTOR)


def test_statistics_are_sums_of_posteriors_numbers_and_squares(gmm):
    rows = descriptors(800, 4)
    gamma = gmm.posteriors(rows).astype(float)
    found = statistics(rows, gmm)
    np.testing.assert_allclose(found.s0, gamma.sum(axis=0), rtol=1e-5)
    np.testing.assert_allclose(found.s1, gamma.T @ rows, rtol=1e-5, atol=1e-3)
    np.testing.assert_allclose(found.s2, gamma.T @ rows.astype(float) ** 2, rtol=1e-5)


def test_the_left_out_number_of_zero_order_follows_from_the_others(gmm):
    rows = descriptors(500, 4)
    root = np.sqrt(gmm.weights_.astype(float))
    last = statistics(rows, gmm).s0[-1] / (500 * root[-1]) - root[-1]
    zero = fisher_vector(rows, gmm, orders=("zero",))
    assert zero @ root[:-1] + last * root[-1] == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize("orders", [("first", "second"), ALL])
def test_no_descriptors_give_the_zero_vector(gmm, orders):
    vector = fisher_vector(np.empty((0, 4)), gmm, orders=orders)
    assert vector.shape == (vector_size(5, 4, orders=orders),)
    assert not vector.any()


def test_threads_do_not_show_in_the_vector():
    rows, gmm = descriptors(20_000, 10), DiagonalGMM.from_parameters(*parameters(32, 10))
    vectors = []
    for threads, blas in ((1, 1), (1, 2), (2, 1), (5, 2)):
        with threadpool_limits(blas, user_api="blas"):
            vectors.append(fisher_vector(rows, gmm, threads=threads))
    for vector in vectors[1:]:
        np.testing.assert_array_equal(vector, vectors[0])


def test_what_does_not_fit_the_mixture_is_refused(gmm):
    rows = descriptors(20, 4)
    with pytest.raises(DataError, match=r"descriptors must be real numbers of shape \(n, 4\), got float32 of shape"):
        fisher_vector(rows[:, :3], gmm)
    with pytest.raises(NotFittedError, match="not fitted yet"):
        fisher_vector(rows, DiagonalGMM(5))
    with pytest.raises(DataError, match=r"statistics must be of \(5, 4\)"):
        from_statistics(Statistics.empty(5, 3), gmm)
    with pytest.raises(DataError, match="statistics of one mixture"):
        Statistics.empty(5, 3) + Statistics.empty(5, 4)
    rows[3, 2] = np.nan
    with pytest.raises(DataError, match="descriptors must be finite, got 1 NaN"):
        fisher_vector(rows, gmm)


@pytest.mark.parametrize("orders", [(), ("third",), "first"])
def test_unknown_orders_are_refused(gmm, orders):
    with pytest.raises(DataError, match="orders must be some of zero, first, second"):
        fisher_vector(descriptors(3, 4), gmm, orders=orders)


@pytest.mark.parametrize("option", ["best", "threads"])
@pytest.mark.parametrize("value", [0, 1.5, True])
def test_options_that_are_no_counts_are_refused(gmm, option, value):
    with pytest.raises(DataError, match=f"{option} must be an integer of at least 1"):
        fisher_vector(descriptors(3, 4), gmm, **{option: value})
