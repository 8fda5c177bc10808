import numpy as np
import pytest
from sklearn import cluster
from threadpoolctl import threadpool_info

from encoding.models.kmeans import KMeans
from idt.errors import DataError
from tests.reference import bovw as reference

RTOL_F32 = 1e-5  # float32 sums of squares


def rows_of(n=300, d=5, seed=0):
    return np.random.default_rng(seed).normal(size=(n, d)).astype(np.float32)


def test_two_clusters_on_a_line_worked_by_hand():
    rows = np.float32([[0], [2], [10], [12]])
    found = KMeans(2, n_init=4).fit(rows)
    assert sorted(found.cluster_centers_.ravel()) == [1, 11]
    assert found.distortion_ == 1
    np.testing.assert_array_equal(found.cluster_centers_[found.predict(rows)].ravel(), [1, 1, 11, 11])


def test_the_nearest_centre_and_the_distortion_equal_the_rivals():
    rows = rows_of(1200)
    found = KMeans(20, n_init=1).fit(rows)
    squared = np.array([reference.distances(x, found.cluster_centers_) for x in rows])
    np.testing.assert_array_equal(found.predict(rows), squared.argmin(axis=1))
    np.testing.assert_allclose(found.distortion_, squared.min(axis=1).mean(), rtol=RTOL_F32)
    np.testing.assert_allclose(found.inertia_, squared.min(axis=1).sum(), rtol=RTOL_F32)
    np.testing.assert_allclose(found.score(rows), -squared.min(axis=1).sum(), rtol=RTOL_F32)
    np.testing.assert_allclose(found.transform(rows), np.sqrt(squared), rtol=RTOL_F32)
    np.testing.assert_array_equal(found.fit_predict(rows), found.predict(rows))
    assert found.transform(rows[:0]).shape == (0, 20)
    assert found.score(rows[:0]) == 0


def test_the_best_of_several_seeds_is_kept():
    found = KMeans(8, n_init=5, random_state=3).fit(rows_of())
    alone = [KMeans(8, n_init=1, random_state=seed).fit(rows_of()).distortion_ for seed in range(3, 8)]
    np.testing.assert_allclose(found.distortions_, alone, rtol=RTOL_F32)
    assert found.distortion_ == min(alone)
    assert len(set(alone)) > 1


def test_threads_do_not_change_a_byte():
    one, two = (KMeans(10, n_init=4, threads=threads).fit(rows_of()) for threads in (1, 2))
    np.testing.assert_array_equal(one.cluster_centers_, two.cluster_centers_)


@pytest.mark.parametrize("threads", [1, 2])
def test_each_run_has_one_thread_of_blas_and_of_openmp(monkeypatch, threads):
    seen, fit = [], cluster.KMeans.fit
    monkeypatch.setattr(cluster.KMeans, "fit", lambda *args: seen.extend(threadpool_info()) or fit(*args))
    KMeans(3, n_init=2, threads=threads).fit(rows_of())
    assert {(library["user_api"], library["num_threads"]) for library in seen} == {("blas", 1), ("openmp", 1)}


def test_the_nearest_few_centres_are_those_of_the_rival():
    rows, found = rows_of(), KMeans.from_centres(rows_of(12, seed=1), 1)
    squared = np.array([reference.distances(x, found.cluster_centers_) for x in rows])
    distances, centres = found.nearest(rows, 3)
    np.testing.assert_array_equal(centres, squared.argsort(axis=1)[:, :3])
    np.testing.assert_allclose(distances**2, np.sort(squared, axis=1)[:, :3], rtol=RTOL_F32)
    assert [part.shape for part in found.nearest(rows[:0], 3)] == [(0, 3)] * 2


def test_of_equal_centres_the_first_is_the_nearest():
    assert KMeans.from_centres(np.repeat(rows_of(1), 5, axis=0), 1).predict(rows_of(7)).tolist() == [0] * 7


def test_fewer_different_rows_than_cluster_centers_are_no_trouble():
    found = KMeans(4, n_init=2).fit(np.repeat(rows_of(2), 5, axis=0))
    assert found.distortion_ < 1e-12
    assert np.isfinite(found.cluster_centers_).all()


def test_wrong_input_is_refused():
    with pytest.raises(DataError, match="8 words need at least as many descriptors, got 7 of 5"):
        KMeans(8).fit(rows_of(7))
    with pytest.raises(DataError, match="n_init must be an integer of at least 1, got 0"):
        KMeans(2, n_init=0).fit(rows_of())
    with pytest.raises(DataError, match="distortion of at least 0, got 3 and -1"):
        KMeans.from_centres(rows_of(3), -1)
