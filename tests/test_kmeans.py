import numpy as np
import pytest

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
