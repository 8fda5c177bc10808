"""Stacked Fisher vectors: the second layer against its rival, and what it is learnt from."""

import numpy as np
import pytest

from encoding import StackedEncoder
from encoding.coders.stacked import SECOND_LAYER_CELL
from encoding.descriptors.inputs import Inputs
from encoding.descriptors.sources import source_of
from encoding.encode import encode_video, layout_of, slices_of_video
from encoding.fitting import count_updates, fit_codebook, fit_codebooks
from encoding.grids import volume_sizes
from encoding.params import StackedParams
from idt.errors import DataError
from tests.reference import stacked as reference
from tests.samples import random_features

# Two layers of float32 products; the square root of each widens small numbers.
ATOL_VECTOR = 1e-3

SMALL = StackedParams(
    k=2, first_k=3, blocks="hog,mbhx", volumes="1x1x30,2x2x20,3x2x10", least=4, reduced=6, volume_sample=400
)
NAMES = ["walk/ann", "walk/bob", "hop/ann", "hop/bob"]
LABELS = {name: name[:3] for name in NAMES}


def videos(lengths=(80, 60, 0, 70)):
    return [random_features(n, seed=i) for i, n in enumerate(lengths)]


@pytest.fixture(scope="module")
def codebook():
    return fit_codebook(videos(), NAMES, SMALL, labels=LABELS)


@pytest.mark.slow
@pytest.mark.parametrize("frames", [60, 24])
def test_the_second_layer_equals_the_rival(codebook, frames):
    video = random_features(90, seed=9, frames=frames)
    vector = encode_video(source_of(video, "a"), codebook, SMALL).vector
    parts = {(part["block"], part["cell"]): part for part in layout_of(codebook, SMALL)}
    for block in codebook.blocks:
        rows = block.project(getattr(video, block.name)).astype(float)
        part = parts[block.name, SECOND_LAYER_CELL]
        expected = reference.second_layer(
            rows, video.frame - 7.5, video.position, block.coder.arrays(), sizes=volume_sizes(SMALL.volumes), least=4
        )
        assert part["size"] == len(expected) == 2 * SMALL.k * len(block.coder.pca.components_)
        np.testing.assert_allclose(vector[part["first"] :][: part["size"]], expected, atol=ATOL_VECTOR)


def test_plain_vectors_lie_beside_the_stacked_ones(codebook):
    cells = [(part["block"], part["cell"]) for part in layout_of(codebook, SMALL)]
    assert cells == [("hog", "whole"), ("hog", SECOND_LAYER_CELL), ("mbhx", "whole"), ("mbhx", SECOND_LAYER_CELL)]
    alone = codebook.params_with(plain=False)
    assert [part["cell"] for part in layout_of(codebook, alone)] == [SECOND_LAYER_CELL, SECOND_LAYER_CELL]
    both, stacked = (encode_video(source_of(videos()[0], "a"), codebook, params).vector for params in (SMALL, alone))
    kept = np.concatenate(
        [
            both[part["first"] :][: part["size"]]
            for part in layout_of(codebook, SMALL)
            if part["cell"] == SECOND_LAYER_CELL
        ]
    )
    np.testing.assert_array_equal(kept, stacked)


def test_a_video_of_few_tracks_has_a_plain_vector_and_no_stacked_one(codebook):
    vector = encode_video(source_of(random_features(3), "a"), codebook, SMALL).vector
    for part in layout_of(codebook, SMALL):
        assert vector[part["first"] :][: part["size"]].any() == (part["cell"] == "whole")


@pytest.mark.slow
def test_labels_shape_the_projection_and_their_names_do_not(codebook):
    without = fit_codebook(videos(), NAMES, SMALL)
    renamed = fit_codebook(videos(), NAMES, SMALL, labels={name: label.upper() for name, label in LABELS.items()})
    assert without.digest != codebook.digest
    assert renamed.digest == codebook.digest
    for block, other in zip(codebook.blocks, without.blocks, strict=True):
        np.testing.assert_array_equal(block.coder.first.gmm.means_, other.coder.first.gmm.means_)
        assert (block.coder.projection != other.coder.projection).any()


def test_the_order_of_the_videos_does_not_matter(codebook):
    assert fit_codebook(videos()[::-1], NAMES[::-1], SMALL, labels=LABELS).digest == codebook.digest


@pytest.mark.slow
def test_every_step_is_counted():
    inputs, seen = Inputs.of(videos(), NAMES, descriptors=SMALL.descriptors), []
    sets = [NAMES, NAMES[:2]]
    list(fit_codebooks(inputs, sets, SMALL, update=lambda: seen.append(1)))
    assert len(seen) == count_updates(inputs, sets, SMALL)


@pytest.mark.parametrize("volumes", ["", "2x2", "2x2x31", "2x2x30,2x2x30", "0x1x30", 7])
def test_sizes_that_are_none_are_refused(volumes):
    with pytest.raises(DataError, match=r"volumes must be different sizes .* with an even number of frames"):
        StackedParams(volumes=volumes)


def test_what_cannot_be_stacked_is_refused(codebook):
    with pytest.raises(DataError, match="every training video needs a label, hop/bob and 0 more have none"):
        fit_codebook(videos(), NAMES, SMALL, labels=dict.fromkeys(NAMES[:3], "a"))
    few = StackedParams(**{**vars(SMALL), "least": 50})
    with pytest.raises(DataError, match=r"k=2 components of the second layer need .* of 50 tracks or more"):
        fit_codebook(videos((51, 20)), ["a", "b"], few)
    with pytest.raises(DataError, match="plain arrays have neither positions nor frame steps"):
        StackedEncoder(2, first_n_components=2).fit([np.eye(6), np.eye(6)])
    with pytest.raises(DataError, match="stacked Fisher vectors are no sums over tracks"):
        slices_of_video(source_of(videos()[0], "a"), codebook, SMALL)
