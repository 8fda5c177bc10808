import dataclasses

import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

import idt
from encoding import FisherEncoder
from encoding.descriptors import sources
from encoding.descriptors.inputs import Inputs, combine_digests, digests
from encoding.encode_files import encode_files
from encoding.fitting import fit_codebook, fit_codebooks
from encoding.params import EncodingParams
from encoding.vectors_file import load_vectors
from idt.errors import DataError
from idt.params import layout
from idt.params.extraction import ExtractionParams
from idt.workers.run_options import RunOptions
from tests.progress import Counted
from tests.reference import encoder as reference
from tests.samples import random_features

ATOL_VECTOR = 2e-4  # the square root of float32 rounding, 4e-8, in sums near zero
ATOL_OPTIMUM = 1e-3  # EM stops before the optimum; a video of other descriptors has numbers of size 1


def features(n, seed, **options):
    return random_features(n, seed=seed, **options)


def arrays(lengths=(40, 30, 0, 50), d=6, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=(n, d)).astype(np.float32) + i for i, n in enumerate(lengths)]


@pytest.fixture(scope="module")
def videos():
    return [features(n, i) for i, n in enumerate((60, 40, 0, 50))]


@pytest.fixture(scope="module")
def encoder(videos):
    return FisherEncoder(3).fit(videos)


@pytest.fixture
def files(videos, tmp_path):
    paths = [tmp_path / f"{i}.h5" for i in range(len(videos))]
    for path, video in zip(paths, videos, strict=True):
        idt.save(video, path, float32=True)
    return paths


def test_one_component_on_a_line_worked_by_hand():
    # Mean 0 and variance 1: u is the mean, v the mean square less one over √2.
    encoder = FisherEncoder(1, pca_column_share=1, power=1, norm="none").fit(
        [np.float32([[1.0]]), np.float32([[-1.0]])]
    )
    np.testing.assert_allclose(encoder.transform([np.float32([[3.0], [1.0]])]), [[2, 4 / np.sqrt(2)]], rtol=1e-6)
    rooted = encoder.set_params(power=0.5, norm="l2").transform([np.float32([[3.0], [1.0]])])
    np.testing.assert_allclose(rooted, [np.sqrt([2, 4 / np.sqrt(2)]) / np.sqrt(2 + 4 / np.sqrt(2))], rtol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"zero_order": True},
        {"zero_order": True, "intra": True, "power": 0.3},
        {"best": 1, "norm": "l1"},
        {"whiten": True, "power": 1.0, "norm": "none"},
        {"joint": True},
        {"blocks": "mbhx,hog"},
    ],
)
def test_the_vector_equals_the_rival(videos, options):
    encoder = FisherEncoder(3, **options).fit(videos)
    vectors = encoder.transform(videos)
    blocks = [block.arrays() for block in encoder.codebook_.blocks]
    if encoder.whiten:
        for block in blocks:
            block["projection"] = block["projection"] / np.sqrt(block["variances_along"])[:, None]
    names = ("hog", "mbhx") if encoder.blocks == "mbhx,hog" else layout.DESCRIPTORS
    shaping = {name: options[name] for name in ("best", "power", "intra", "norm") if name in options}
    orders = ("zero", "first", "second") if encoder.zero_order else ("first", "second")
    for video, vector in zip(videos, vectors, strict=True):
        rows = [video.need(name) for name in names]
        rows = [np.concatenate(rows, axis=1)] if encoder.joint else rows
        expected = reference.encode(rows, blocks, orders=orders, **shaping)
        assert vector.shape == expected.shape
        np.testing.assert_allclose(vector, expected, atol=ATOL_VECTOR)
    assert vectors.dtype == np.float32


def test_the_standard_vector_has_the_blocks_one_after_the_other(encoder, videos):
    sizes = [2 * 3 * d for d in (15, 48, 54, 48, 48)]
    assert [part["size"] for part in encoder.layout_] == sizes
    assert [part["block"] for part in encoder.layout_] == list(layout.DESCRIPTORS)
    vectors = encoder.transform(videos)
    for part in encoder.layout_:
        lengths = np.linalg.norm(vectors[:, part["first"] : part["first"] + part["size"]], axis=1)
        np.testing.assert_allclose(lengths, [1, 1, 0, 1], rtol=1e-5)


def test_an_array_without_rows_has_the_zero_vector():
    assert not FisherEncoder(2).fit(arrays()).transform(arrays())[2].any()


def test_files_features_and_arrays_give_the_same_bytes(encoder, videos, files, monkeypatch):
    monkeypatch.setattr(sources, "BATCH_ROWS", 16)
    vectors = encoder.transform(videos)
    np.testing.assert_array_equal(encoder.transform(files), vectors)
    np.testing.assert_array_equal(encoder.transform([str(path) for path in files]), vectors)
    hogs = FisherEncoder(3, blocks="hog").fit(videos)
    plain = FisherEncoder(3).fit([video.hog for video in videos])
    np.testing.assert_array_equal(plain.transform([video.hog for video in videos]), hogs.transform(videos))


def test_the_vector_of_all_that_was_fitted_on_is_near_zero():
    rows = [part + 8 * i for i, part in enumerate(arrays((400, 300), d=4))]
    encoder = FisherEncoder(2, pca_column_share=1, power=1, norm="none").fit(rows)
    whole, other = encoder.transform([np.concatenate(rows), rows[0] + 1])
    assert np.abs(whole).max() < ATOL_OPTIMUM
    assert np.abs(other).max() > 0.5


def test_encoded_files_say_what_they_are_made_of(encoder, files, tmp_path):
    codebook, progress = encoder.codebook_, Counted()
    summary = encode_files(files, None, codebook, tmp_path / "vectors.h5", run=RunOptions(progress=progress))
    found = load_vectors(tmp_path / "vectors.h5")
    assert found.names == ["0", "1", "2", "3"]
    assert (summary.videos, summary.columns, summary.empty) == (4, found.encodings.shape[1], ["2"])
    assert progress.units == progress.totals == {"video": 4}
    # Without parameters they are the defaults.
    assert found.params == dataclasses.asdict(EncodingParams(k=3))
    assert found.source == {
        "digest": combine_digests(digests(Inputs.of(files, found.names).sources)),
        "codebook": codebook.digest,
    }


def test_videos_that_lie_apart_are_told_apart():
    y = [i % 2 for i in range(12)]
    X = [rows - i + 3 * label for i, (rows, label) in enumerate(zip(arrays((20,) * 12), y, strict=True))]
    pipeline = make_pipeline(FisherEncoder(1, pca_column_share=1.0), LinearSVC())
    assert cross_val_score(pipeline, X, y, cv=3).mean() == 1
    grid = {"fisherencoder__n_components": [1, 2], "fisherencoder__power": [0.5, 1.0]}
    search = GridSearchCV(pipeline, grid, cv=2).fit(X, y)
    assert search.best_score_ == 1
    assert search.predict(X).tolist() == y


def test_descriptors_that_do_not_fit_the_codebook_are_refused(encoder, videos):
    with pytest.raises(DataError, match="fitted on features with length=15, video 0 has length=9"):
        encoder.transform([features(5, 0, params=ExtractionParams(length=9))])
    with pytest.raises(DataError, match=r"fitted on trajectory of 30.* columns, video 0 has descriptors of 6"):
        encoder.transform([np.eye(6)])
    plain = FisherEncoder(2).fit(arrays())
    with pytest.raises(DataError, match="fitted on plain arrays, got Features"):
        plain.transform(videos)
    with pytest.raises(DataError, match="fitted with k=2, this run asks for 5"):
        plain.set_params(n_components=5).transform(arrays())


def test_descriptors_that_are_not_finite_are_refused_in_training(videos):
    bad = features(40, 1)
    bad.hof[3, 4] = np.nan
    with pytest.raises(DataError, match="hof of video 1 must be finite, got 1 NaN"):
        FisherEncoder(2).fit([videos[0], bad])


def test_features_that_do_not_go_together_are_refused(videos, files):
    with pytest.raises(DataError, match="one set of parameters, got video 0 with stride=5 and video 1 with stride=7"):
        FisherEncoder(2).fit([videos[0], features(5, 1, params=ExtractionParams(stride=7))])
    with pytest.raises(DataError, match="all of one kind, got Features and files"):
        FisherEncoder(2).fit([videos[0], files[0]])
    with pytest.raises(DataError, match="must be a list of feature files"):
        FisherEncoder(2).fit(str(files[0]))


def test_an_existing_file_is_not_replaced_unasked(encoder, files, tmp_path):
    output = tmp_path / "vectors.h5"
    output.write_text("precious")
    with pytest.raises(DataError, match="exists and is not one of this program's files; use another path, or --force"):
        encode_files(files, None, encoder.codebook_, output)
    assert output.read_text() == "precious"
    with pytest.raises(DataError, match="1 names for 4"):
        encode_files(files, ["a"], encoder.codebook_, tmp_path / "v.h5")


def test_inputs_that_are_checked_once_serve_several_codebooks(videos):
    found = Inputs.of(videos, ["a", "b", "c", "d"])
    sets = [["a", "b"], ["b", "d"]]
    params = EncodingParams(k=2, blocks="hog")
    narrow = Inputs.of(videos, found.names, descriptors=("hog",))
    for codebook, names in zip(fit_codebooks(narrow, sets, params), sets, strict=True):
        alone = fit_codebook([videos["abcd".index(name)] for name in names], names, params)
        assert codebook.digest == alone.digest
