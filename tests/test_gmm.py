import math
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from numba import njit
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.mixture import GaussianMixture
from threadpoolctl import threadpool_limits

from encoding.kernels import posteriors as kernel
from encoding.models.gmm import DiagonalGMM
from idt.errors import DataError
from tests import golden
from tests.reference import gmm as reference

VLFEAT = Path(__file__).parent / "data" / "vlfeat" / "vlfeat.npz"  # origin: make_vlfeat.py beside it
ATOL_POSTERIOR = 2e-5  # float32 scores of size 100 are good to 1e-5, and so is their exponential
RTOL_STATISTICS = 1e-4  # parameters after a step: posteriors as above, a mean's square cancels in the variance
ATOL_LIKELIHOOD = 1e-4  # nats per descriptor
RTOL_EXPONENTIAL = 2e-7  # as the kernel promises: half a unit of rounding, twice


def clusters(n, d=6, k=5, seed=0):
    rng = np.random.default_rng(seed)
    centres = rng.normal(scale=2, size=(k, d))
    return (centres[rng.integers(k, size=n)] + rng.normal(size=(n, d))).astype(np.float32)


def parameters(k, d, seed=1):
    rng = np.random.default_rng(seed)
    return (
        rng.normal(scale=2, size=(k, d)).astype(np.float32),
        rng.uniform(0.3, 3, size=(k, d)).astype(np.float32),
        rng.dirichlet(np.full(k, 3.0)).astype(np.float32),
    )


@njit
def _exponentials(x):
    out = np.empty_like(x)
    for i in range(x.size):
        out[i] = kernel.exponential(x[i])
    return out


def test_two_equal_components_share_by_distance():
    gmm = DiagonalGMM.from_parameters([[-1.0], [1.0]], [[1.0], [1.0]], [0.5, 0.5])
    np.testing.assert_allclose(gmm.posteriors([[0.0], [1.0]])[:, 1], [0.5, 1 / (1 + math.exp(-2))], rtol=1e-6)
    density = math.exp(-0.5) / math.sqrt(2 * math.pi)
    assert gmm.score([[0.0]]) == pytest.approx(math.log(density), abs=1e-6)


def test_one_component_is_the_mean_and_the_variance_of_the_data():
    rows = clusters(500)
    gmm = DiagonalGMM(1).fit(rows)
    np.testing.assert_allclose(gmm.means_[0], rows.mean(axis=0), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(gmm.variances_[0], rows.var(axis=0), rtol=1e-5)
    assert gmm.weights_.tolist() == [1]


def test_clusters_far_apart_are_found():
    rng = np.random.default_rng(0)
    centres = np.float32([[0, 0], [20, 0], [0, 20], [20, 20]])
    rows = (np.repeat(centres, [100, 200, 300, 400], axis=0) + rng.normal(size=(1000, 2))).astype(np.float32)
    gmm = DiagonalGMM(4).fit(rows)
    order = np.argsort(gmm.weights_)
    np.testing.assert_allclose(gmm.weights_[order], [0.1, 0.2, 0.3, 0.4], atol=1e-4)
    np.testing.assert_allclose(gmm.means_[order], centres, atol=0.5)
    np.testing.assert_allclose(gmm.variances_, 1, atol=0.5)


@pytest.mark.parametrize(("n", "k", "d"), [(600, 16, 9), (37, 3, 1), (1, 1, 2), (513, 2, 7)])
def test_posteriors_equal_the_rival(n, k, d):
    rows, start = clusters(n, d), parameters(k, d)
    gmm = DiagonalGMM.from_parameters(*start)
    gamma, likelihoods = reference.posteriors(rows, *start)
    np.testing.assert_allclose(gmm.posteriors(rows), gamma, atol=ATOL_POSTERIOR)
    assert gmm.score(rows) == pytest.approx(likelihoods.mean(), abs=ATOL_LIKELIHOOD)


@pytest.mark.parametrize(("n", "k", "d"), [(700, 8, 5), (60, 3, 2), (40, 1, 1)])
def test_a_step_of_em_equals_the_rival(n, k, d):
    rows, (_, variances, weights) = clusters(n, d) + np.float32(30), parameters(k, d)
    start = (rows[:k], variances, weights)
    gmm = DiagonalGMM(k, variance_floor=0.05).fit_from(rows, *start, 1)
    means, variances, weights = reference.em_step(rows, *start, floor=0.05 * rows.var(axis=0, dtype=float))
    np.testing.assert_allclose(gmm.means_, means, rtol=RTOL_STATISTICS)
    np.testing.assert_allclose(gmm.variances_, variances, rtol=RTOL_STATISTICS)
    np.testing.assert_allclose(gmm.weights_, weights, rtol=RTOL_STATISTICS)


def test_ten_iterations_reach_the_likelihood_of_vlfeat():
    case = np.load(VLFEAT)
    start = (case["start_means"], case["start_variances"], case["start_weights"])
    gmm = DiagonalGMM(6).fit_from(case["rows"], *start, 10)
    assert gmm.n_iter_ == 10
    assert gmm.log_likelihoods_[-1] == pytest.approx(float(case["log_likelihood"]), abs=ATOL_LIKELIHOOD)
    # Its EM drops posteriors below 0.01 / K, ours below 1e-6: the parameters differ a little, the optimum does not.
    np.testing.assert_allclose(gmm.means_, case["means"], atol=0.01)
    np.testing.assert_allclose(gmm.variances_, case["variances"], atol=0.02)
    np.testing.assert_allclose(gmm.weights_, case["weights"], atol=1e-3)


def test_the_fit_is_as_good_as_that_of_scikit_learn():
    rows = clusters(3000, d=8, k=12)
    rival = GaussianMixture(12, covariance_type="diag", max_iter=200, tol=1e-4, random_state=0).fit(rows)
    ours = DiagonalGMM(12, max_iter=200, tol=1e-4).fit(rows)
    assert ours.converged_
    assert ours.score(rows) > rival.score(rows) - 0.05  # another start, another optimum


def test_the_exponential_keeps_its_error_bound():
    x = np.concatenate([np.linspace(-87, 0, 1_000_003), -np.logspace(-9, 1, 100_001)]).astype(np.float32)
    np.testing.assert_allclose(_exponentials(x), np.exp(x.astype(float)), rtol=RTOL_EXPONENTIAL)
    assert _exponentials(np.float32([0]))[0] == 1
    below, nan = _exponentials(np.float32([-np.inf, np.nan]))
    assert below == pytest.approx(math.exp(-87), rel=RTOL_EXPONENTIAL)
    assert math.isnan(nan)


@pytest.mark.parametrize("best", [1, 3])
def test_only_the_best_scores_are_kept(best):
    scores = np.random.default_rng(0).normal(size=(9, 20)).astype(np.float32)
    kept = scores.copy()
    kernel.keep_best(kept, np.empty((best, 20), np.float32), np.empty(20, np.float32))
    top = scores >= np.sort(scores, axis=0)[-best]
    np.testing.assert_array_equal(kept, np.where(top, scores, -np.inf))


def test_posteriors_below_a_millionth_count_as_zero_and_the_others_stay():
    gmm = DiagonalGMM.from_parameters([[0.0], [6.0]], [[1.0], [1.0]], [0.5, 0.5])
    near = gmm.posteriors([[0.0], [0.75]])
    assert near[0, 1] == 0  # exp(-18) is 1.5e-8
    assert near[1, 1] == pytest.approx(1 / (1 + math.exp(13.5)), rel=1e-5)  # 1.4e-6
    assert near[1].sum() == pytest.approx(1, abs=1e-6)


def test_probabilities_are_posteriors_that_sum_to_one():
    rows, gmm = clusters(300), DiagonalGMM.from_parameters(*parameters(5, 6))
    gamma, found = gmm.posteriors(rows), gmm.predict_proba(rows)
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-6)
    np.testing.assert_allclose(found, gamma, atol=5 * 1e-6)  # at most five posteriors below a millionth are dropped
    np.testing.assert_array_equal(gmm.predict(rows), found.argmax(axis=1))


def test_the_likelihood_never_falls():
    rows = clusters(3000, d=8, k=12)
    gained = np.diff(DiagonalGMM(20, tol=0, max_iter=30).fit(rows).log_likelihoods_)
    assert len(gained) > 5
    assert (gained > -1e-5).all()


def test_threads_do_not_show_in_the_result():
    rows = clusters(20_000, d=10, k=30)
    fits = []
    for threads, blas in ((1, 1), (1, 2), (2, 2), (3, 1)):
        with threadpool_limits(blas, user_api="blas"):
            gmm = DiagonalGMM(32, max_iter=3, threads=threads).fit(rows)
        fits.append((gmm.means_, gmm.variances_, gmm.weights_, gmm.log_likelihoods_, gmm.posteriors(rows[:700])))
    for fit in fits[1:]:
        for ours, first in zip(fit, fits[0], strict=True):
            np.testing.assert_array_equal(ours, first)


def test_fits_side_by_side_equal_fits_in_turn():
    data = [clusters(4000, seed=seed) for seed in range(4)]
    in_turn = [DiagonalGMM(8, max_iter=5).fit(rows).means_ for rows in data]
    with ThreadPoolExecutor(4) as pool:
        side_by_side = list(pool.map(lambda rows: DiagonalGMM(8, max_iter=5).fit(rows).means_, data))
    np.testing.assert_array_equal(side_by_side, in_turn)


def test_the_order_of_the_descriptors_does_not_matter_to_em():
    rows, start = clusters(3000), parameters(7, 6)
    shuffled = rows[np.random.default_rng(3).permutation(len(rows))]
    fits = [DiagonalGMM(7).fit_from(each, *start, 5) for each in (rows, shuffled)]
    np.testing.assert_allclose(fits[0].means_, fits[1].means_, atol=1e-4)
    np.testing.assert_allclose(fits[0].variances_, fits[1].variances_, rtol=1e-3)


def test_the_seed_decides_and_clone_keeps_the_parameters():
    rows = clusters(1000)
    gmm = DiagonalGMM(7, random_state=3, max_iter=2)
    np.testing.assert_array_equal(clone(gmm).fit(rows).means_, gmm.fit(rows).means_)
    assert np.abs(DiagonalGMM(7, random_state=4, max_iter=2).fit(rows).means_ - gmm.means_).max() > 0.1


def hof_with_duplicates():
    rows = np.load(golden.golden_folder("wave") / "tracks.npz")["hof"].astype(np.float32)
    return np.concatenate([rows, np.repeat(rows[:3], 400, axis=0), np.zeros((800, rows.shape[1]), np.float32)])


def mostly_zero():
    rows = np.zeros((6000, 40), np.float32)
    rows[:700] = np.sqrt(np.random.default_rng(0).dirichlet(np.full(40, 0.05), 700))
    return rows


def constant_columns():
    rows = clusters(3000, d=12)
    rows[:, 4:] = 3
    rows[:, 6] += 1e-6 * rows[:, 0]
    return rows


DIFFICULT = {
    "histograms of flow": hof_with_duplicates,
    "mostly zero": mostly_zero,
    "constant columns": constant_columns,
    "all rows alike": lambda: np.full((2000, 10), 3, np.float32),
    "fewer distinct rows than components": lambda: np.tile(clusters(100), (20, 1)),
    "as many rows as components": lambda: clusters(256),
    "two values": lambda: (np.random.default_rng(0).random((4000, 60)) < 0.02).astype(np.float32),
    "very small numbers": lambda: clusters(2000) * np.float32(1e-18),
    "very large numbers": lambda: clusters(2000) * np.float32(1e15),
}


@pytest.mark.slow
@pytest.mark.parametrize("rows", DIFFICULT.values(), ids=DIFFICULT)
def test_difficult_data_gives_a_finite_mixture_without_empty_components(rows):
    rows = rows()
    gmm = DiagonalGMM(256, max_iter=20).fit(rows)
    for learned in (gmm.means_, gmm.variances_, gmm.weights_, gmm.log_likelihoods_):
        assert np.isfinite(learned).all()
    assert gmm.variances_.min() > 0
    assert gmm.weights_.sum() == pytest.approx(1, abs=1e-5)
    gamma = gmm.posteriors(rows)
    assert np.isfinite(gamma).all()
    np.testing.assert_allclose(gamma.sum(axis=1), 1, atol=1e-3)
    assert gamma.sum(axis=0).min() > 0.005 * len(rows) / 256  # half of what counts as empty: EM has moved on since


def test_a_component_without_descriptors_is_put_to_use():
    rows = clusters(2000)
    means, variances, weights = parameters(4, 6)
    means[2] += 1000
    gmm = DiagonalGMM(4).fit_from(rows, means, variances, weights, 5)
    assert np.abs(gmm.means_).max() < np.abs(rows).max()
    assert gmm.posteriors(rows).sum(axis=0).min() > 100


def test_no_variance_falls_below_its_share_of_the_data():
    rows = clusters(2000)
    gmm = DiagonalGMM(64, variance_floor=0.2).fit(rows)
    least = 0.2 * rows.var(axis=0)
    assert (gmm.variances_ >= least * (1 - 1e-6)).all()
    assert np.isclose(gmm.variances_, least).any()


@pytest.mark.parametrize(
    ("k", "rows", "message"),
    [
        (256, np.zeros((100, 3)), "256 components needs at least 256 descriptors, got 100"),
        (1, np.zeros((1, 3)), "at least 2 descriptors, got 1"),
        (2, np.full((5, 3), np.nan), "descriptors must be finite, got 15 NaN"),
        (2, np.zeros(5), "descriptors must be real numbers of shape"),
        (2, clusters(50) * np.float32(1e25), "would overflow"),
        (0, np.zeros((5, 3)), "n_components must be an integer of at least 1, got 0"),
    ],
)
def test_data_that_cannot_be_fitted_is_refused(k, rows, message):
    with pytest.raises(DataError, match=message):
        DiagonalGMM(k).fit(rows)


def test_parameters_that_do_not_fit_are_refused():
    rows, start = clusters(50), parameters(3, 6)
    with pytest.raises(DataError, match="n_components=4 rows, got 3"):
        DiagonalGMM(4).fit_from(rows, *start, 2)
    with pytest.raises(DataError, match=r"descriptors must be real numbers of shape \(n, 6\)"):
        DiagonalGMM(3).fit_from(rows[:, :5], *start, 2)
    with pytest.raises(DataError, match="variances of a mixture must be positive"):
        DiagonalGMM.from_parameters(start[0], start[1] * 0, start[2])
    with pytest.raises(DataError, match="weights must be real numbers of shape"):
        DiagonalGMM.from_parameters(*start[:2], start[2][:2])
    with pytest.raises(DataError, match="variance_floor must be"):
        DiagonalGMM(3, variance_floor=0).fit(rows)


def test_what_is_not_fitted_or_out_of_reach_is_refused():
    with pytest.raises(NotFittedError, match="not fitted yet"):
        DiagonalGMM(3).posteriors(clusters(5))
    gmm = DiagonalGMM.from_parameters(*parameters(3, 6))
    assert gmm.posteriors(np.empty((0, 6))).shape == (0, 3)
    with pytest.raises(DataError, match="at least one descriptor"):
        gmm.score(np.empty((0, 6)))
    with pytest.raises(DataError, match="overflow"):
        gmm.posteriors(clusters(5) * np.float32(1e30))
