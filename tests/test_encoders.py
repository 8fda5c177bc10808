"""Every encoder, held to one contract."""

import dataclasses
import inspect
import pickle

import joblib
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from encoding import BilinearEncoder, BovwEncoder, FisherEncoder, PlainEncoder, StackedEncoder, VladEncoder
from encoding.descriptors.sources import source_of
from encoding.encode import encode_video
from encoding.params import BovwParams
from idt.errors import DataError
from tests.contract import EncoderContract, labelled, videos

BLOCKS = {"blocks": "trajectory,hog"}
BAG = {**BLOCKS, "n_clusters": 6, "n_init": 2, "pca_column_share": 0.5}
STACKED = {
    **BLOCKS, "first_n_components": 2, "n_components": 2, "volumes": "1x1x30,2x2x20", "least": 3, "reduced": 5,
    "volume_subsample": 300,
}  # fmt: skip


def shaping(options):
    """Options that a codebook does not depend on."""
    learnt = {BovwEncoder()._own_name(name) for name in BovwParams.FITTING}
    return {name: value for name, value in options.items() if name not in learnt}


class TestFisher(EncoderContract):
    encoder, options, grid = FisherEncoder, {"n_components": 3}, {"power": [0.5, 1.0]}
    atol_order = 1e-4


class TestFisherWithAllOptions(EncoderContract):
    encoder, grid = FisherEncoder, {"norm": ["l2", "rootl1"]}
    options = {  # noqa: RUF012  # options of a test class never change
        **BLOCKS, "n_components": 3, "joint": True, "whiten": True, "zero_order": True, "best": 2, "power": 0.7,
        "intra": True,
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
        {**BAG, "coding": "somp", "pooling": "max", "pca_column_share": None},
        {"norm": ["l1", "l2"]},
    )


class TestVlad(EncoderContract):
    encoder, options, grid = VladEncoder, {**BLOCKS, "n_clusters": 3}, {"power": [0.5, 1.0]}


class TestBilinear(EncoderContract):
    # Without a PCA, which would take the means away.
    encoder, options, grid = BilinearEncoder, {**BLOCKS, "pca_column_share": None}, {"power": [0.5, 1.0]}


class TestSketch(EncoderContract):
    encoder, options, grid = (
        BilinearEncoder, {**BLOCKS, "sketch": True, "n_components": 200}, {"n_components": [200, 301]}
    )  # fmt: skip


class TestMeans(EncoderContract):
    encoder, options, grid = PlainEncoder, BLOCKS, {"norm": ["l1", "l2"]}


class TestLargestValues(EncoderContract):
    encoder, options, grid = PlainEncoder, {**BLOCKS, "pool": "max"}, {"power": [0.5, 1.0]}
    tells_apart = False


class TestLargestFew(EncoderContract):
    encoder, options, grid = PlainEncoder, {**BLOCKS, "pool": "topk", "n_largest": 4}, {"n_largest": [4, 8]}
    tells_apart = False

    def test_doubled_tracks_leave_the_vector(self, fitted):
        # Of doubled tracks twice as many are the largest.
        video = videos()[0]
        doubled = video[np.repeat(np.arange(len(video)), 2)]
        more = PlainEncoder(**{**self.options, "n_largest": 8}).fit(videos())
        np.testing.assert_allclose(more.transform([doubled]), fitted.transform([video]), atol=self.atol_order)


class TestStacked(EncoderContract):
    encoder, options, grid = StackedEncoder, STACKED, {"plain": [True, False]}

    def test_doubled_tracks_leave_the_vector(self, fitted):
        # A sub-volume counts from `least` tracks on: of doubled tracks those count that half as many would do for.
        video, params = videos()[0], fitted.params()
        doubled = video[np.repeat(np.arange(len(video)), 2)]
        one, other, more = (
            encode_video(source_of(item, "a"), fitted.codebook_, dataclasses.replace(params, least=least)).vector
            for item, least in ((video, 3), (doubled, 6), (doubled, 3))
        )
        np.testing.assert_allclose(other, one, atol=self.atol_order)
        # With the same least, sub-volumes of two tracks count as well.
        assert np.abs(more - one).max() > 100 * self.atol_order


def test_a_codebook_of_another_encoding_is_refused():
    fitted = VladEncoder(3, blocks="hog").fit(videos())
    with pytest.raises(DataError, match="FisherEncoder needs a codebook of fisher, got one of vlad"):
        FisherEncoder.from_codebook(fitted.codebook_)


class Plain(FisherEncoder):
    """A subclass that adds nothing."""


class Mine(FisherEncoder):
    """A subclass with an initialiser of its own."""

    def __init__(self, n_components=2, *, mine=1):
        super().__init__(n_components, blocks="trajectory,hog")
        self.mine = mine


class MyStack(StackedEncoder):
    """Another, which learns from classes."""

    def __init__(self, n_components=2, *, mine=1):
        small = {"blocks": "trajectory,hog", "volumes": "1x1x30", "least": 3, "reduced": 5}
        super().__init__(n_components, first_n_components=2, **small)
        self.mine = mine


class MyWords(BovwEncoder):
    """Another, whose vectors are changed after the encoding."""

    def __init__(self, n_clusters=6, *, mine=1):
        super().__init__(n_clusters, n_init=2, blocks="trajectory,hog")
        self.mine = mine

    def transform(self, X):
        return self.mine * super().transform(X)


SUBCLASSES = {
    "plain": (Plain, {"n_components": 2, "blocks": "trajectory,hog"}, {"power": [0.5, 1.0]}),
    "mine": (Mine, {"mine": 3}, {"mine": [3, 4]}),
    "stacked": (MyStack, {"mine": 3}, {"mine": [3, 4], "n_components": [2]}),
    "words": (MyWords, {"mine": 3}, {"mine": [1, 3]}),
}


@pytest.mark.slow
@pytest.mark.parametrize(("made", "options", "grid"), SUBCLASSES.values(), ids=SUBCLASSES)
def test_subclasses_are_cloned_pickled_and_searched(made, options, grid):
    encoder = made(**options)
    assert {**encoder.get_params(), **options} == encoder.get_params()
    assert clone(encoder).get_params() == encoder.get_params()
    assert clone(encoder).set_params(**{name: values[-1] for name, values in grid.items()}).get_params().keys() == (
        encoder.get_params().keys()
    )
    given, classes = labelled()
    vectors = encoder.fit(given, classes).transform(given)
    np.testing.assert_array_equal(clone(encoder).fit_transform(given, classes), vectors)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(encoder)).transform(given), vectors)
    stored = made.from_codebook(encoder.codebook_, **({"mine": 3} if "mine" in options else {}))
    np.testing.assert_array_equal(stored.transform(given), vectors)
    grid = {f"{made.__name__.lower()}__{name}": values for name, values in grid.items()}
    search = GridSearchCV(make_pipeline(made(**options), LinearSVC(C=10)), grid, cv=2).fit(given, classes)
    assert search.best_params_.keys() == grid.keys()
    assert search.score(given, classes) >= 0.9


def test_a_parameter_of_a_subclass_has_its_own_signature_and_no_more():
    assert list(inspect.signature(Mine).parameters) == ["n_components", "mine"]
    assert Mine(3).get_params() == {"n_components": 3, "mine": 1}
    with pytest.raises(DataError, match=r"unknown option other; known are n_components, blocks, .*, mine$"):
        Mine.from_codebook(Mine(2).fit(videos()).codebook_, other=1)


def test_the_table_of_a_subclass_has_the_names_of_the_columns():
    pytest.importorskip("pandas")
    encoder = MyWords(mine=2).set_output(transform="pandas").fit(videos())
    found = encoder.transform(videos())
    assert found.columns[0] == "trajectory_whole_0"
    assert found.columns[-1] == "hog_whole_5"


@pytest.mark.slow
def test_grids_and_processes_nest():
    given, classes = labelled()
    pipeline = make_pipeline(FisherEncoder(2, blocks="hog", n_jobs=2), LinearSVC(C=10))
    search = GridSearchCV(pipeline, {"fisherencoder__power": [0.5, 1.0]}, cv=2, n_jobs=2)
    # Threads, each with two processes of ours: two processes with two each would take a gigabyte.
    with joblib.parallel_config(backend="threading"):
        search.fit(given, classes)
    assert search.score(given, classes) >= 0.9
