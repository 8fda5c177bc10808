"""Every encoder, held to one contract."""

import dataclasses

import numpy as np
import pytest
from encoding.vectors import encode_video

from encoding.encoder import BovwEncoder, FisherEncoder, StackedEncoder, VladEncoder
from encoding.params import BovwParams
from idt.errors import DataError
from tests.contract import EncoderContract, videos

BLOCKS = {"blocks": "trajectory,hog"}
BAG = {**BLOCKS, "k": 6, "seeds": 2, "pca": 0.5}
STACKED = {
    **BLOCKS, "first_k": 2, "k": 2, "volumes": "1x1x30,2x2x20", "least": 3, "reduced": 5, "volume_sample": 300,
}  # fmt: skip


def shaping(options):
    """Options that a codebook does not depend on."""
    return {name: value for name, value in options.items() if name not in BovwParams.FITTING}


class TestFisher(EncoderContract):
    encoder, options, grid = FisherEncoder, {"k": 3}, {"power": [0.5, 1.0]}
    atol_order = 1e-4


class TestFisherWithAllOptions(EncoderContract):
    encoder, grid = FisherEncoder, {"norm": ["l2", "rootl1"]}
    options = {  # noqa: RUF012  # options of a test class never change
        **BLOCKS, "k": 3, "joint": True, "whiten": True, "zero_order": True, "best": 2, "power": 0.7, "intra": True,
    }  # fmt: skip


class TestHardWords(EncoderContract):
    encoder, options, grid = BovwEncoder, BAG, {"norm": ["rootl1", "l2"]}


class TestSoftWords(EncoderContract):
    encoder, options, grid = BovwEncoder, {**BAG, "coding": "soft", "nearest": 3}, {"width": [0.3, 0.6]}


class SparseContract(EncoderContract):
    def test_every_cell_of_a_pyramid_has_the_vector_of_its_tracks(self, fitted):
        # A track's code depends on its whole group, and that of a cell's tracks alone is another: codes are pooled.
        video, cells = videos()[0], {"pyramid": "1x1x1,1x3x1"}
        encoder = self.encoder.from_codebook(fitted.codebook_, **{**shaping(self.options), **cells, "norm": "none"})
        (vector,) = encoder.transform([video])
        for block in fitted.codebook_.blocks:
            parts = [part for part in encoder.layout_ if part["block"] == block.name]
            whole, *bands = (vector[part["first"] :][: part["size"]] for part in parts)
            joined = np.sum(bands, axis=0) if encoder.pooling == "sum" else np.max(bands, axis=0)
            np.testing.assert_allclose(joined, whole, rtol=1e-5)


class TestSparseWords(SparseContract):
    encoder, options, grid = BovwEncoder, {**BAG, "coding": "somp", "atoms": 3}, {"atoms": [1, 3]}


class TestLargestOfSparseWords(SparseContract):
    encoder, options, grid = (
        BovwEncoder,
        {**BAG, "coding": "somp", "pooling": "max", "pca": None},
        {"norm": ["l1", "l2"]},
    )


class TestVlad(EncoderContract):
    encoder, options, grid = VladEncoder, {**BLOCKS, "k": 3}, {"power": [0.5, 1.0]}


class TestStacked(EncoderContract):
    encoder, options, grid = StackedEncoder, STACKED, {"plain": [True, False]}

    def test_doubled_tracks_leave_the_vector(self, fitted):
        # A sub-volume counts from `least` tracks on: of doubled tracks those count that half as many would do for.
        video, params = videos()[0], fitted._params()
        doubled = video.take(np.repeat(np.arange(len(video)), 2))
        one, other, more = (
            encode_video(item, "a", fitted.codebook_, dataclasses.replace(params, least=least)).vector
            for item, least in ((video, 3), (doubled, 6), (doubled, 3))
        )
        np.testing.assert_allclose(other, one, atol=self.atol_order)
        # With the same least, sub-volumes of two tracks count as well.
        assert np.abs(more - one).max() > 100 * self.atol_order


def test_a_codebook_of_another_encoding_is_refused():
    fitted = VladEncoder(3, blocks="hog").fit(videos())
    with pytest.raises(DataError, match="FisherEncoder needs a codebook of fisher, got one of vlad"):
        FisherEncoder.from_codebook(fitted.codebook_)
