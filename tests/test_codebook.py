import dataclasses

import numpy as np
import pytest

import idt
from encoding.codebook import Codebook
from encoding.coders.fisher import FisherCoder
from encoding.descriptors.inputs import Inputs
from encoding.descriptors.sample import Reservoir
from encoding.fitting import fit_codebook, fit_codebooks
from encoding.models.gmm import DiagonalGMM
from encoding.models.pca import PCA
from encoding.params import EncodingParams
from idt.errors import DataError
from idt.params.extraction import ExtractionParams
from tests.hdf5_files import opened, set_text
from tests.samples import random_features

SMALL = EncodingParams(k=3, sample=100)
NAMES = ["walk/ann", "walk/bob", "hop/ann", "hop/bob"]
ATOL_WORKED = 1e-6  # float32 of numbers of size 5


def videos(**options):
    """Features of four videos; the third has no tracks."""
    return [random_features(n, seed=i, **options) for i, n in enumerate((60, 40, 0, 50))]


@pytest.fixture(scope="module")
def codebook():
    return fit_codebook(videos(), NAMES, SMALL)


@pytest.fixture
def saved(codebook, tmp_path):
    codebook.save(tmp_path / "codebook.h5", source={"digest": "0" * 64})
    return tmp_path / "codebook.h5"


def test_two_clusters_on_a_line_worked_by_hand():
    arrays = [np.float32([[0.0], [10.0], [-1.0]]), np.float32([[9.0], [1.0], [11.0]])]
    found = fit_codebook(arrays, params=EncodingParams(k=2, pca=1, sample=6))
    (block,) = found.blocks
    assert block.name == "descriptors"
    np.testing.assert_allclose(block.pca.mean_, [5], atol=ATOL_WORKED)
    order = np.argsort(block.coder.gmm.means_.ravel())
    np.testing.assert_allclose(block.coder.gmm.means_.ravel()[order], [-5, 5], atol=ATOL_WORKED)
    np.testing.assert_allclose(block.coder.gmm.variances_.ravel(), [2 / 3, 2 / 3], atol=ATOL_WORKED)
    np.testing.assert_allclose(block.coder.gmm.weights_, [0.5, 0.5], atol=ATOL_WORKED)
    assert found.sampling == {"videos": 2, "seen": 6, "sampled": 6}
    assert found.features is None


def test_every_block_is_fitted_to_the_sample_of_all_videos(codebook):
    reservoir = Reservoir(SMALL.sample)
    for features, name in zip(videos(), NAMES, strict=True):
        reservoir.add(name, features.to_numpy()[:, 10:])
    (rows, _), first = reservoir.result(), 0
    assert [block.name for block in codebook.blocks] == ["trajectory", "hog", "hof", "mbhx", "mbhy"]
    for block, size in zip(codebook.blocks, (30, 96, 108, 96, 96), strict=True):
        pca = PCA(column_share=0.5).fit(rows[:, first : first + size])
        gmm = DiagonalGMM(3).fit(pca.transform(rows[:, first : first + size]))
        np.testing.assert_array_equal(block.pca.components_, pca.components_)
        np.testing.assert_array_equal(block.coder.gmm.means_, gmm.means_)
        np.testing.assert_array_equal(block.coder.gmm.variances_, gmm.variances_)
        first += size
    assert codebook.sampling == {"videos": 3, "seen": 150, "sampled": 100}


def test_a_joint_block_holds_all_descriptors_side_by_side():
    params = dataclasses.replace(SMALL, joint=True, blocks="mbhy,hog")
    (block,) = fit_codebook(videos(), NAMES, params).blocks
    assert (block.name, block.sizes, block.pca.components_.shape) == ("joint", {"hog": 96, "mbhy": 96}, (96, 192))


def test_neither_the_order_of_the_videos_nor_the_threads_matter(codebook, tmp_path):
    files = [tmp_path / f"{name}.h5" for name in NAMES]
    for path, features in zip(files, videos(), strict=True):
        path.parent.mkdir(exist_ok=True)
        idt.save(dataclasses.replace(features, source={**features.source, "name": ""}), path, float32=True)
    assert fit_codebook(files[::-1], params=SMALL).digest == codebook.digest
    assert fit_codebook(files, params=SMALL, threads=2).digest == codebook.digest
    assert fit_codebook(videos()[::-1], NAMES[::-1], SMALL).digest == codebook.digest


def test_codebooks_of_several_training_sets_equal_those_fitted_alone():
    sets = [NAMES, NAMES[:2], [NAMES[1], NAMES[3]]]
    inputs = Inputs.of(videos(), NAMES)
    together = [found.digest for found in fit_codebooks(inputs, sets, SMALL)]
    by_name = dict(zip(NAMES, videos(), strict=True))
    alone = [fit_codebook([by_name[name] for name in names], names, SMALL).digest for names in sets]
    assert together == alone
    assert len(set(together)) == 3


def test_a_codebook_saved_and_loaded_is_the_same(codebook, saved, tmp_path):
    loaded = Codebook.load(saved)
    assert loaded.digest == codebook.digest
    assert (loaded.params, loaded.features, loaded.sampling) == (codebook.params, codebook.features, codebook.sampling)
    for block, other in zip(codebook.blocks, loaded.blocks, strict=True):
        assert block[:2] == other[:2]
        for name, values in block.arrays().items():
            assert values.dtype == other.arrays()[name].dtype
            np.testing.assert_array_equal(values, other.arrays()[name])
    loaded.save(tmp_path / "again.h5", source={"digest": "0" * 64})
    assert (tmp_path / "again.h5").read_bytes() == saved.read_bytes()


def test_the_digest_is_of_all_that_a_vector_depends_on(codebook):
    block = codebook.blocks[1]
    means = block.coder.gmm.means_.copy()
    means[2, 3] = np.nextafter(means[2, 3], np.float32(9))
    nudged = DiagonalGMM.from_parameters(means, block.coder.gmm.variances_, block.coder.gmm.weights_)
    others = [
        dataclasses.replace(
            codebook, blocks=(codebook.blocks[0], block._replace(coder=FisherCoder(nudged)), *codebook.blocks[2:])
        ),
        dataclasses.replace(codebook, features=None),
        dataclasses.replace(codebook, params={**codebook.params, "whiten": True}),
        dataclasses.replace(codebook, blocks=codebook.blocks[:-1]),
    ]
    assert len({codebook.digest, *(other.digest for other in others)}) == 5
    assert dataclasses.replace(codebook, sampling={}).digest == codebook.digest


def test_another_seed_is_another_codebook(codebook):
    assert fit_codebook(videos(), NAMES, dataclasses.replace(SMALL, seed=1)).digest != codebook.digest


def test_one_video_is_refused_and_the_message_names_the_remedy():
    for items, names in ((videos()[:1], NAMES[:1]), (videos()[1:3], NAMES[1:3])):
        with pytest.raises(DataError, match=r"cannot be fitted on one video.*--codebook"):
            fit_codebook(items, names, SMALL)


def test_more_components_than_descriptors_are_refused():
    with pytest.raises(DataError, match=r"k=151 components need .* the sample holds 150 of 3 videos; use a smaller k"):
        fit_codebook(videos(), NAMES, EncodingParams(k=151))
    with pytest.raises(DataError, match=r"sample must be at least k, .* got sample=5 and k=6"):
        EncodingParams(k=6, sample=5)
    with pytest.raises(DataError, match="the sample holds 0 of 0 videos"):
        fit_codebook([random_features(0), random_features(0)], params=SMALL)


def test_a_training_set_of_videos_that_are_not_there_is_refused():
    with pytest.raises(DataError, match="videos to fit on are missing: run/eve"):
        next(fit_codebooks(Inputs.of(videos(), NAMES), [["walk/ann", "run/eve"]], SMALL))


def test_features_that_the_codebook_does_not_fit_are_refused(codebook):
    other = [random_features(5, params=ExtractionParams(length=9))]
    with pytest.raises(DataError, match=r"fitted on features with length=15, video a has length=9; extract them"):
        codebook.check_fits(Inputs.of(other, ["a"]))
    with pytest.raises(DataError, match="with recorded parameters, video a has no recorded parameters"):
        codebook.check_fits(Inputs.of([random_features(5, foreign="text")], ["a"]))
    plain = fit_codebook([np.eye(6), np.eye(6)], params=EncodingParams(k=2))
    with pytest.raises(DataError, match="on descriptors of 6 columns, video a has descriptors of 7"):
        plain.check_fits(Inputs.of([np.eye(7)], ["a"]))


def test_options_that_contradict_the_codebook_are_refused(codebook):
    assert codebook.params_with(power=1.0).fitting() == codebook.params
    for options, message in (
        ({"k": 5}, "fitted with k=3, this run asks for 5"),
        ({"blocks": "hog"}, "fitted with blocks=trajectory,hog,hof,mbhx,mbhy, this run asks for hog"),
        ({"whiten": True}, "fitted with whiten=False, this run asks for True"),
        ({"gamma": 1}, "unknown option gamma; known are"),
    ):
        with pytest.raises(DataError, match=message):
            codebook.params_with(**options)


def test_a_file_that_is_damaged_or_forged_is_refused(saved, tmp_path):
    def changed(change):
        path = tmp_path / "changed.h5"
        path.write_bytes(saved.read_bytes())
        with opened(path) as file:
            change(file)
        return path

    def nudge(file):
        file["blocks/hog/means"][0, 0] += 1

    def lose(file):
        del file["blocks/hof/weights"]

    def kill(file):
        file["blocks/hof/variances"][0, 0] = 0

    def retype(file):
        set_text(file, "blocks", "[1]")

    def empty(file):
        set_text(file, "blocks", "[]")

    for change, message in (
        (nudge, "holds numbers that do not match its digest"),
        (lose, "no dataset 'blocks/hof/weights'"),
        (kill, "variances of a mixture must be finite, from 5e-11"),
        (retype, "no codebook that can be used"),
        (empty, "holds numbers that do not match"),
        (lambda file: set_text(file, "format", "idt-vectors"), "has format 'idt-vectors', expected"),
        (lambda file: file.attrs.__setitem__("version", 3), "has version 3 of idt-codebook, expected 2"),
    ):
        with pytest.raises(DataError, match=message):
            Codebook.load(changed(change))
    with pytest.raises(DataError, match="exists; use another path or --overwrite"):
        Codebook.load(saved).save(saved)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"k": 0}, "k must be a whole number of at least 1, got 0"),
        ({"k": 2.0}, "k must be a whole number"),
        ({"best": 0}, "best must be a whole number of at least 1"),
        ({"seed": -1}, "seed must be a whole number of at least 0"),
        ({"pca": 0}, "pca must be a number above 0 and at most 1"),
        ({"power": float("nan")}, "power must be a number above 0"),
        ({"joint": 1}, "joint must be True or False"),
        ({"norm": "l3"}, "norm must be one of l2, l1, rootl1, none"),
        ({"blocks": "hog,mbh"}, "blocks must be some of trajectory,.* got 'hog,mbh'"),
        ({"blocks": "hog,hog"}, "each once"),
        ({"blocks": ("hog",)}, "blocks must be a text"),
    ],
)
def test_wrong_parameters_are_refused(options, message):
    with pytest.raises(DataError, match=message):
        EncodingParams(**options)
