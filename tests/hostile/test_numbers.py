"""Numbers that must not be believed: of models, codebooks, vectors, scores and features that are forged or absurd."""

import dataclasses
import functools
import warnings

import h5py
import numpy as np
import pytest

from classify.fusion import score_file
from classify.fusion.score_file import Details
from classify.fusion.scores import Scores
from classify.models.model_file import load_model, save_model
from classify.models.predict import label_vectors
from classify.svm.chi2 import Chi2SVM
from classify.svm.linear import LinearSVM
from classify.text_files import write_scores
from encoding.codebook import Codebook
from encoding.coders.fisher import FisherCoder
from encoding.descriptors.sources import source_of
from encoding.encode import encode_video
from encoding.encode_files import encode_files
from encoding.encoders.fisher import FisherEncoder
from encoding.fitting import fit_codebook
from encoding.models.pca import PCA
from encoding.params import BovwParams, EncodingParams, StackedParams, VladParams
from encoding.vectors_file import VectorsWriter, iter_rows, load_vectors
from idt.checks import checked_range
from idt.errors import DataError
from idt.features import feature_file
from idt.features.projection import Projection
from idt.files import result_file
from tests.samples import random_features

LAYOUT = [
    {"block": "hog", "cell": "whole", "first": 0, "size": 2},
    {"block": "hof", "cell": "whole", "first": 2, "size": 2},
]
CODEBOOK = "0" * 64
SMALL = {
    "fisher": EncodingParams(k=2, sample=80),
    "bovw": BovwParams(k=2, sample=80),
    "soft": BovwParams(k=2, sample=80, coding="soft"),
    "vlad": VladParams(k=2, sample=80),
    "stacked": StackedParams(k=2, first_k=2, sample=80, volume_sample=80, least=1, pca=None, reduced=4),
}


@pytest.fixture(autouse=True)
def no_warnings():
    """NumPy's warnings would be lines on stderr."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def vectors(path, rows=None):
    """A file of four vectors."""
    rows = np.random.default_rng(0).random((4, 4), dtype=np.float32) if rows is None else rows
    with VectorsWriter(path, layout=LAYOUT, codebook=CODEBOOK, params=None, source=None) as writer:
        for name, row in zip("abcd", rows, strict=True):
            writer.append(name, row)
    return path


ATTRIBUTES = {
    "scales": "scales_", "support": "support_", "dual": "dual_coef_", "biases": "intercept_", "weights": "coef_",
    "sigmoids": "sigmoids_",
}  # fmt: skip


def model(folder, kind, name=None, values=None, **options):
    """A model file, trained on `vectors`, perhaps with other numbers in one of its datasets."""
    rows = load_vectors(folder / "v.h5" if (folder / "v.h5").exists() else vectors(folder / "v.h5")).encodings
    machine = LinearSVM(**options) if kind == "linear" else Chi2SVM(channels=[(0, 2), (2, 4)], **options)
    machine.fit(np.tile(rows, (5, 1)), ["run", "walk"] * 10)
    if name is not None:
        before = getattr(machine, ATTRIBUTES[name])
        setattr(machine, ATTRIBUTES[name], np.full_like(before, values))
    save_model(folder / "m.h5", machine, layout=LAYOUT, codebook=CODEBOOK, source=None, overwrite=True)
    return folder / "m.h5"


def change(path, name, values):
    """Put other numbers into a dataset."""
    with h5py.File(path, "r+") as file:
        kept = file[name]
        new = np.broadcast_to(np.asarray(values, kept.dtype), kept.shape).copy()
        kept[...] = new


FORGED = [
    ("chi2", "scales", 0.0),
    ("chi2", "scales", -1.0),
    ("chi2", "scales", np.inf),
    ("chi2", "scales", np.nan),
    ("chi2", "scales", 5e-324),
    ("chi2", "scales", 1e300),
    ("chi2", "support", np.nan),
    ("chi2", "dual", np.inf),
    ("chi2", "biases", np.nan),
    ("linear", "weights", np.inf),
    ("linear", "biases", -np.inf),
]


@pytest.mark.parametrize(("kind", "name", "values"), FORGED)
def test_a_model_of_such_numbers_is_refused(tmp_path, command, kind, name, values):
    label_vectors(load_model(model(tmp_path, kind)), tmp_path / "v.h5")
    path = model(tmp_path, kind, name, values)
    status, out, err = command("svm-predict", path, tmp_path / "v.h5", "-o", tmp_path / "s.csv", status=2)
    assert (status, out) == (2, "")
    assert err.count("\n") == 1
    assert "m.h5" in err
    assert not (tmp_path / "s.csv").exists()


@pytest.mark.parametrize(("kind", "name", "values"), [("chi2", "dual", 1e308), ("chi2", "support", 3e38)])
def test_numbers_that_overflow_give_no_scores(tmp_path, command, kind, name, values):
    path = model(tmp_path, kind, name, values)
    status, out, err = command("svm-predict", path, tmp_path / "v.h5", status=None)
    # Finite scores of absurd numbers are scores; others are refused in one line.
    assert "nan" not in out
    assert "inf" not in out
    assert status == 0 or (status == 2 and err.count("\n") == 1)


def test_scores_that_overflow_are_refused(tmp_path):
    machine = LinearSVM().fit(np.eye(2), ["a", "b"])
    machine.coef_ = np.full((1, 2), 1e308)
    machine.intercept_ = np.array([1e308])
    with pytest.raises(DataError, match="scores must be finite, got 1 NaN or infinite"):
        machine.decision_function(np.full((1, 2), 1e10))


@pytest.mark.parametrize("values", [np.nan, np.inf])
def test_sigmoids_that_are_not_finite_are_refused(tmp_path, values):
    model(tmp_path, "linear", "sigmoids", values, probability=True)
    with pytest.raises(DataError, match="sigmoids must be finite"):
        load_model(tmp_path / "m.h5")


# Vectors and scores.


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_vectors_that_are_not_finite_are_refused(tmp_path, command, value):
    path = model(tmp_path, "linear")
    change(tmp_path / "v.h5", "encodings", value)
    for read in (load_vectors, lambda name: list(iter_rows(name))):
        with pytest.raises(DataError, match=r"v\.h5: encodings must be finite"):
            read(tmp_path / "v.h5")
    assert "v.h5" in command("svm-predict", path, tmp_path / "v.h5", status=2)[2]
    (tmp_path / "l.csv").write_text("a,run\nb,walk\nc,run\nd,walk\n")
    words = ("svm-train", tmp_path / "v.h5", "--labels", tmp_path / "l.csv", "-o", tmp_path / "n.h5")
    assert "finite" in command(*words, status=2)[2]


@pytest.mark.parametrize("empty", [[1], [None], ["nobody"], [["a"]], [{"a": 1}]])
def test_a_list_of_empty_videos_that_is_none_is_refused(tmp_path, empty):
    with pytest.MonkeyPatch.context() as patch:
        # What the writer says of the videos, and the file records.
        set_json = result_file.set_json
        patch.setattr(
            result_file, "set_json", lambda file, name, of: set_json(file, name, empty if name == "empty" else of)
        )
        vectors(tmp_path / "v.h5")
    with pytest.raises(DataError, match="'empty' must list videos of the file"):
        load_vectors(tmp_path / "v.h5")


def _scores(path, **changed):
    of = {"scores": np.eye(2), "descriptors": {"hog": np.eye(2)}, "probabilities": np.eye(2), **changed}
    scores = Scores(of.pop("scores"), ["a", "b"], ["run", "walk"])
    score_file.save(path, scores, Details(**of), params={}, source={"digest": CODEBOOK})
    return score_file.load_details(path, names=["a", "b"], classes=["run", "walk"], probability=True)


def test_scores_are_read_back(tmp_path):
    np.testing.assert_array_equal(_scores(tmp_path / "s.h5")[0].values, np.eye(2))


@pytest.mark.parametrize("value", [np.nan, np.inf, 1e308])
@pytest.mark.parametrize("field", ["scores", "probabilities", "descriptors"])
def test_scores_that_are_not_finite_are_not_believed(tmp_path, field, value):
    values = np.full((2, 2), value)
    with pytest.raises(DataError, match=r"s\.h5: .* must be finite"):
        _scores(tmp_path / "s.h5", **{field: {"hog": values} if field == "descriptors" else values})


@pytest.mark.parametrize("value", [-0.1, 1.1])
def test_what_is_no_probability_is_not_believed(tmp_path, value):
    with pytest.raises(DataError, match="probabilities must be finite, from 0 to 1"):
        _scores(tmp_path / "s.h5", probabilities=np.full((2, 2), value))


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_scores_that_are_not_finite_are_not_written(tmp_path, value):
    with pytest.raises(DataError, match="scores must be finite to be written"):
        write_scores(tmp_path / "s.csv", ["a"], [[value, 1.0]], ["run", "walk"])
    assert not (tmp_path / "s.csv").exists()


# Codebooks.


@functools.cache
def book(kind):
    """A small codebook."""
    return fit_codebook([random_features(40, seed=i) for i in range(3)], params=SMALL[kind])


def forged(codebook, path, name, value):
    """Write a codebook with other numbers, and the digest of these."""
    block = codebook.blocks[0]
    arrays = {key: np.array(values) for key, values in block.arrays().items()}
    arrays[name].reshape(-1)[0] = value
    block = type("Forged", (), {"name": block.name, "sizes": block.sizes, "arrays": lambda _: arrays})()
    dataclasses.replace(codebook, blocks=(block, *codebook.blocks[1:])).save(path)
    return path


CODEBOOKS = [
    ("fisher", "variances", 0.0), ("fisher", "variances", 1e-45), ("fisher", "variances", -1.0),
    ("fisher", "variances", np.inf), ("fisher", "variances", np.nan), ("fisher", "means", 1e38),
    ("fisher", "means", np.nan), ("fisher", "weights", 0.0), ("fisher", "weights", 0.9999), ("fisher", "weights", -0.5),
    ("fisher", "weights", 1e30), ("fisher", "projection", 1e30), ("fisher", "projection", np.nan),
    ("fisher", "mean", 1e38), ("fisher", "variances_along", -1.0), ("fisher", "variances_along", np.inf),
    ("bovw", "centres", 1e38), ("bovw", "centres", np.nan), ("bovw", "distortion", -1.0),
    ("bovw", "distortion", np.nan), ("vlad", "centres", np.inf), ("stacked", "volume_projection", np.nan),
    ("stacked", "volume_projection", 1e38), ("stacked", "volume_components", 3.0),
    ("stacked", "second_variances", 0.0), ("stacked", "second_weights", 5.0),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "name", "value"), CODEBOOKS)
def test_a_forged_codebook_is_refused(tmp_path, kind, name, value):
    path = forged(book(kind), tmp_path / "cb.h5", name, value)
    with pytest.raises(DataError, match=r"cb\.h5 is no codebook that can be used: .*; fit it anew"):
        Codebook.load(path)


@pytest.mark.parametrize(("name", "value"), [("projection", 1e30), ("mean", 1e38), ("variances_along", -1.0)])
def test_forged_axes_are_refused(tmp_path, name, value):
    path = forged(book("fisher"), tmp_path / "cb.h5", name, value)
    with pytest.raises(DataError, match=r"cb\.h5: the axes of"):
        Projection.load(path)


@pytest.mark.parametrize("kind", list(SMALL))
def test_a_codebook_of_ours_is_within_the_ranges(tmp_path, kind):
    book(kind).save(tmp_path / "cb.h5")
    assert Codebook.load(tmp_path / "cb.h5").digest == book(kind).digest


def test_weights_of_many_components_are_within_rounding():
    k = 10_000
    arrays = {
        "means": np.zeros((k, 1), np.float32),
        "variances": np.ones((k, 1), np.float32),
        "weights": np.full(k, 1 / k, np.float32),
    }
    FisherCoder.read(lambda name, *shape: arrays[name], {"k": k}, 1)


def test_axes_of_a_codebook_are_directions():
    with pytest.raises(DataError, match="components of a principal component analysis"):
        PCA.from_file(np.zeros(2, np.float32), np.full((1, 2), 2, np.float32), np.ones(1))


# Features.


@pytest.mark.parametrize("kind", list(SMALL))
@pytest.mark.parametrize("value", [1e38, -1e38, 1e17, np.inf, np.nan])
def test_absurd_features_are_refused_by_the_name_of_their_file(tmp_path, kind, value):
    features = random_features(30)
    hog = features.hog.copy()
    hog[3, 5] = value
    path = tmp_path / "f.h5"
    feature_file.save(features, path, float32=True)
    change(path, "descriptors/hog", np.float32(hog))
    with pytest.raises(DataError, match=r"f\.h5"):
        encode_files([path], ["a"], book(kind), tmp_path / "v.h5")
    assert not (tmp_path / "v.h5").exists()
    feature_file.save(random_features(30), tmp_path / "g.h5", float32=True)
    with pytest.raises(DataError, match=r"f\.h5"):
        fit_codebook([path, tmp_path / "g.h5"], params=SMALL[kind])


def test_absurd_arrays_are_refused_by_the_name_of_the_video():
    rows = np.random.default_rng(0).random((60, 4), dtype=np.float32)
    encoder = FisherEncoder(n_components=2, subsample=80).fit([rows, rows])
    rows[0, 0] = 1e30
    with pytest.raises(DataError, match=r"video 0.* from -1e\+15 to 1e\+15, got"):
        encoder.transform([rows])


def test_a_vector_that_is_not_finite_names_its_video(monkeypatch):
    codebook = book("fisher")

    class Pool:
        def add(self, rows, tracks, threads):
            pass

        def vector(self):
            return np.float32([np.nan])

    monkeypatch.setattr(FisherCoder, "pool", lambda self, params: Pool())
    with pytest.raises(DataError, match="video odd: the vector must be finite"):
        encode_video(source_of(random_features(30), "odd"), codebook, SMALL["fisher"])


def test_a_range_takes_its_ends_and_nothing_else():
    assert checked_range(np.array([0.0, 1.0]), 0, 1, "x").tolist() == [0, 1]
    assert checked_range(np.array([]), 0, 1, "x").size == 0
    for value in (-1e-9, 1.1, np.nan, np.inf):
        with pytest.raises(DataError, match="x must be finite, from 0 to 1, got"):
            checked_range(np.array([0.5, value]), 0, 1, "x")
