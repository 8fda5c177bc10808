"""What each track adds to a score, and what a score loses without the tracks of a cell."""

import numpy as np
import pytest

from encoding.coders.fisher import FisherCoder
from encoding.descriptors.sources import source_of
from encoding.encode import encode_video, layout_of, width_of
from encoding.evidence.shares import track_shares
from encoding.evidence.terms import FisherTerms
from encoding.evidence.tracks_read import read_tracks
from encoding.evidence.without import cell_losses
from encoding.fitting import fit_codebook
from encoding.models.gmm import DiagonalGMM
from encoding.params import BilinearParams, BovwParams, EncodingParams, PlainParams, StackedParams, VladParams
from idt.errors import DataError
from tests.reference import evidence as reference
from tests.samples import random_features

RTOL = 1e-5
"""Vectors and posteriors are float32; what the rival computes is float64."""

BLOCKS = {"blocks": "hog,mbhx"}
ADDITIVE = {
    "fisher": EncodingParams(k=3, **BLOCKS),
    "zero order, intra, best": EncodingParams(k=3, zero_order=True, intra=True, best=2, **BLOCKS),
    "l1": EncodingParams(k=3, norm="l1", power=1.0, **BLOCKS),
    "pyramid": EncodingParams(k=2, pyramid="1x1x1,1x3x1,1x1x2", **BLOCKS),
    "vlad": VladParams(k=4, **BLOCKS),
    "hard": BovwParams(k=6, seeds=1, **BLOCKS),
    "soft": BovwParams(k=6, seeds=1, coding="soft", pyramid="2x1x1", **BLOCKS),
}
OTHERS = {
    "somp": BovwParams(k=9, seeds=1, coding="somp", atoms=3, **BLOCKS),
    "max": BovwParams(k=9, seeds=1, coding="soft", pooling="max", **BLOCKS),
    "plain mean": PlainParams(**BLOCKS),
    "plain max": PlainParams(pool="max", **BLOCKS),
    "plain topk": PlainParams(pool="topk", k=5, **BLOCKS),
    "bilinear": BilinearParams(**BLOCKS),
    "stacked": StackedParams(k=2, first_k=2, reduced=4, least=5, volumes="1x1x30", blocks="hog"),
}


def case(params, n=80):
    """A codebook, a video, its tracks and weights."""
    video = random_features(n, seed=1)
    codebook = fit_codebook([video, random_features(60, seed=2)], ["a", "b"], params)
    weights = np.random.default_rng(3).normal(size=width_of(layout_of(codebook, params)))
    return codebook, video, read_tracks(source_of(video, "a"), codebook, params), weights


def vector_of(video, codebook, params):
    return encode_video(source_of(video, "a"), codebook, params).vector.astype(np.float64)


def test_shares_of_two_tracks_worked_by_hand():
    """One component N(0, 1): g = (x₁ + x₂)/2 and (x₁² + x₂² − 2)/(2√2); without norm and power v = g, so a = w·g_t."""
    coder = FisherCoder(DiagonalGMM.from_parameters(np.float32([[0]]), np.float32([[1]]), np.float32([1])))
    terms = FisherTerms(coder, EncodingParams(k=1))
    rows = np.float32([[1], [3]])
    np.testing.assert_allclose(terms.summed(rows), [4, (1 + 9 - 2) / np.sqrt(2)])
    np.testing.assert_allclose(terms.dotted(rows, np.array([1.0, 0.0])), [1, 3])
    np.testing.assert_allclose(terms.dotted(rows, np.array([0.0, 1.0])), [0, 8 / np.sqrt(2)])


@pytest.mark.parametrize("params", ADDITIVE.values(), ids=ADDITIVE)
def test_shares_sum_to_the_score_without_its_bias(params):
    codebook, video, tracks, weights = case(params)
    found = track_shares(tracks, codebook, params, weights)
    score = weights @ vector_of(video, codebook, params)
    assert found.values.shape == (80, 2)
    np.testing.assert_allclose([found.total, found.values.sum()], score, atol=RTOL * np.abs(weights).max())


@pytest.mark.parametrize("kind", ["fisher", "zero order, intra, best", "vlad", "hard"])
def test_shares_equal_the_rival(kind):
    params = ADDITIVE[kind]
    codebook, video, tracks, weights = case(params, n=12)
    found = track_shares(tracks, codebook, params, weights)
    vector, first = vector_of(video, codebook, params), 0
    for number, (block, rows) in enumerate(zip(codebook.blocks, tracks.rows, strict=True)):
        if kind == "vlad":
            terms = reference.vlad_terms(rows, block.coder.arrays())
        elif kind == "hard":
            terms = reference.hard_terms(rows, block.coder.arrays())
        else:
            terms = reference.fisher_terms(rows, block.coder.arrays(), orders=params.orders, best=params.best)
        columns = slice(first, first + terms.shape[1])
        first = columns.stop
        expected = reference.shares(terms, vector[columns], weights[columns])
        np.testing.assert_allclose(found.values[:, number], expected, rtol=2e-3, atol=2e-4 * np.abs(expected).max())


@pytest.mark.parametrize("params", [*ADDITIVE.values(), *OTHERS.values()], ids=[*ADDITIVE, *OTHERS])
def test_losses_equal_the_rival(params):
    codebook, video, tracks, weights = case(params)
    found = cell_losses(tracks, codebook, params, lambda vectors: vectors @ weights, grid=(2, 3), length=20)
    expected = reference.losses(
        lambda kept: vector_of(video[kept], codebook, params),
        video.position, video.frame - 7.5, weights, grid=(2, 3), length=20,
    )  # fmt: skip
    assert {tuple(cell) for cell in found.cells.tolist()} == set(expected)
    wanted = [expected[tuple(cell)] for cell in found.cells.tolist()]
    np.testing.assert_allclose(found.values, wanted, atol=1e-4 * np.abs(weights).max())
    assert np.array_equal(found.cells[found.cell_of][:, 0], np.floor(video.position[:, 0] * 2))


def test_a_component_that_only_the_left_out_cell_has_becomes_exactly_zero():
    """A residue of rounding would become a direction of length one by intra-normalisation."""
    params = VladParams(k=4, blocks="hog", pca=None)
    codebook, video, _, weights = case(params)
    centres = codebook.blocks[0].coder.kmeans.cluster_centers_
    video.position[:] = [0.9, 0.9, 0.5]
    video.position[:7] = [0.1, 0.1, 0.5]
    video.frame[:] = 30
    video.hog[:] = centres[0] + np.random.default_rng(0).normal(0, 1e-3, video.hog.shape)
    video.hog[:7] = centres[1] + np.random.default_rng(0).normal(0, 1e-3, (7, 96))
    tracks = read_tracks(source_of(video, "a"), codebook, params)
    found = cell_losses(tracks, codebook, params, lambda vectors: vectors @ weights, grid=(2, 2))
    alone = weights @ vector_of(video[7:], codebook, params)
    np.testing.assert_allclose(found.whole - found.values[0], alone, atol=1e-5)


def test_without_its_only_cell_a_video_has_the_score_of_a_zero_vector():
    params = ADDITIVE["fisher"]
    codebook, _, tracks, weights = case(params)
    found = cell_losses(tracks, codebook, params, lambda vectors: vectors @ weights, grid=(1, 1), length=10_000)
    np.testing.assert_allclose(found.values, [found.whole])


def test_a_video_without_tracks_has_no_evidence():
    params = ADDITIVE["fisher"]
    codebook, video, _, weights = case(params)
    tracks = read_tracks(source_of(video[:0], "a"), codebook, params)
    found = track_shares(tracks, codebook, params, weights)
    assert (found.values.shape, found.total) == ((0, 2), 0.0)
    losses = cell_losses(tracks, codebook, params, lambda vectors: vectors @ weights)
    assert (losses.cells.shape, losses.values.shape) == ((0, 3), (0,))


@pytest.mark.parametrize("kind", OTHERS)
def test_encodings_that_are_no_sums_have_no_shares(kind):
    codebook, _, tracks, weights = case(OTHERS[kind])
    with pytest.raises(DataError, match="use --by without"):
        track_shares(tracks, codebook, OTHERS[kind], weights)


def test_weights_of_another_length_are_refused():
    codebook, _, tracks, weights = case(ADDITIVE["fisher"])
    with pytest.raises(DataError, match=r"weights must be .* numbers, one for each column"):
        track_shares(tracks, codebook, ADDITIVE["fisher"], weights[1:])


def test_plain_arrays_and_cells_of_no_size_are_refused():
    codebook, _, tracks, _ = case(ADDITIVE["fisher"])
    with pytest.raises(DataError, match="plain arrays have no tracks"):
        read_tracks(source_of(np.eye(6), "a"), codebook, ADDITIVE["fisher"])
    with pytest.raises(DataError, match="columns must be"):
        cell_losses(tracks, codebook, ADDITIVE["fisher"], np.sum, grid=(0, 1))
