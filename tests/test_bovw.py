import numpy as np
import pytest

from encoding.coders.bovw import BovwCoder, hard_codes, soft_codes
from encoding.models.kmeans import KMeans
from encoding.params import BovwParams
from idt.errors import DataError
from tests.reference import bovw as reference

RTOL_F32 = 2e-5  # exponentials of differences of float32 scores
ATOL_SPARSE = 2e-4  # least squares on a few float32 atoms that are not orthogonal


def kmeans(k=12, d=5):
    return KMeans.from_centres(np.random.default_rng(0).normal(size=(k, d)), 0.7)


def rows_of(n=700, d=5):
    return np.random.default_rng(1).normal(size=(n, d)).astype(np.float32)


def test_counts_of_words_worked_by_hand():
    found = BovwCoder(KMeans.from_centres(np.float32([[0], [10], [20]]), 1.0))
    rows = np.float32([[1], [11], [9], [8]])
    for options, expected in (
        ({"norm": "none"}, [1, 3, 0]),
        ({"norm": "l1"}, [0.25, 0.75, 0]),
        ({}, [0.5, np.sqrt(0.75), 0]),
        ({"norm": "l2"}, np.array([1, 3, 0]) / np.sqrt(10)),
        ({"norm": "none", "pooling": "max"}, [1, 1, 0]),
    ):
        params = BovwParams(k=3, **options)
        vector = found.vector(found.sum_codes(found.code(rows, params, None), params), params)
        np.testing.assert_allclose(vector, expected, rtol=1e-6)


def test_hard_and_soft_codes_equal_the_rivals():
    words, rows = kmeans(), rows_of()
    np.testing.assert_array_equal(hard_codes(rows, words).toarray(), reference.hard_codes(rows, words.cluster_centers_))
    for nearest in (1, 4, 12):
        codes = soft_codes(rows, words, nearest=nearest, width=0.5)
        expected = reference.soft_codes(
            rows, words.cluster_centers_, nearest=nearest, width=0.5, distortion=words.distortion_
        )
        np.testing.assert_allclose(codes.toarray(), expected, rtol=RTOL_F32, atol=1e-7)
        assert codes.dtype == np.float32


def test_soft_codes_of_one_word_are_hard_and_of_more_words_than_there_are_are_of_all():
    words, rows = kmeans(), rows_of(40)
    np.testing.assert_array_equal(soft_codes(rows, words, nearest=1).toarray(), hard_codes(rows, words).toarray())
    np.testing.assert_array_equal(
        soft_codes(rows, words, nearest=99).toarray(), soft_codes(rows, words, nearest=12).toarray()
    )


@pytest.mark.parametrize("pooling", ["sum", "max"])
@pytest.mark.parametrize("norm", ["l1", "l2", "rootl1", "none"])
@pytest.mark.parametrize("coding", ["vq", "soft", "somp"])
def test_the_vector_equals_the_rival(coding, norm, pooling):
    words, rows = kmeans(), rows_of(60)
    params = BovwParams(k=12, coding=coding, norm=norm, pooling=pooling, nearest=3, atoms=2)
    if coding == "somp":
        codes = np.concatenate([reference.somp_codes(row[None], words.cluster_centers_, atoms=2) for row in rows])
        codes = np.hstack([np.maximum(codes, 0), np.maximum(-codes, 0)])
    elif coding == "soft":
        codes = reference.soft_codes(rows, words.cluster_centers_, nearest=3, width=0.5, distortion=words.distortion_)
    else:
        codes = reference.hard_codes(rows, words.cluster_centers_)
    found = BovwCoder(words)
    vector = found.vector(found.sum_codes(found.code(rows, params, None), params), params)
    assert (vector.dtype, len(vector)) == (np.float32, found.size(params))
    np.testing.assert_allclose(vector, reference.pooled(codes, pooling=pooling, norm=norm), rtol=1e-3, atol=ATOL_SPARSE)


@pytest.mark.parametrize("options", [{"coding": "llc"}, {"pooling": "mean"}, {"width": 0}, {"atoms": 0}, {"seeds": 0}])
def test_wrong_options_are_refused(options):
    (name,) = options
    with pytest.raises(DataError, match=f"{name} must be"):
        BovwParams(**options)
    with pytest.raises(DataError, match="whiten scales the principal components; ask for some with pca"):
        BovwParams(whiten=True)
