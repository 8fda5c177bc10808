"""Model files, labels and scores."""

import h5py
import numpy as np
import pytest
from sklearn.exceptions import NotFittedError

from classify.labels import match_labels, read_labels
from classify.models import model_file
from classify.svm.linear import LinearSVM
from classify.text_files import listed, write_scores
from idt.errors import DataError
from tests.hdf5_files import fixed, opened
from tests.up_to_date import state_of

LAYOUT = [
    {"block": "hog", "cell": "whole", "first": 0, "size": 5},
    {"block": "c3d", "cell": "whole", "first": 5, "size": 3},
]
DIGEST, OTHER = "c0ffee", "7ea"


def trained(classes=3, dtype=np.float32, **options):
    random = np.random.default_rng(classes)
    y = np.array([f"c{i % classes}" for i in range(12)])
    return LinearSVM(**options).fit(random.normal(size=(12, 8)).astype(dtype), y)


def save(path, classifier, **options):
    options = {"layout": LAYOUT, "codebook": DIGEST, "source": {"digest": "abc"}, **options}
    model_file.save_model(path, classifier, **options)


@pytest.mark.parametrize(("classes", "dtype"), [(2, np.float32), (3, np.float32), (3, np.float64)])
def test_a_model_saved_and_loaded_gives_the_same_scores(tmp_path, classes, dtype):
    classifier = trained(classes, dtype, C=3.0, class_weight={"c0": 2.0})
    save(tmp_path / "m.h5", classifier)
    model = model_file.load_model(tmp_path / "m.h5")
    X = np.random.default_rng(9).normal(size=(5, 8)).astype(dtype)
    np.testing.assert_array_equal(model.classifier.scores(X), classifier.scores(X))
    assert model.classifier.predict(X).tolist() == classifier.predict(X).tolist()
    assert model.classifier.get_params() == classifier.get_params()
    assert (model.layout, model.codebook, model.source) == (LAYOUT, DIGEST, {"digest": "abc"})


def test_a_model_file_holds_plain_datasets(tmp_path):
    save(tmp_path / "m.h5", trained())
    with h5py.File(tmp_path / "m.h5") as file:
        assert (file.attrs["format"], file.attrs["version"]) == (b"idt-model", 2)
        assert sorted(file) == ["biases", "classes", "weights"]
        assert file["classes"].asstr()[:].tolist() == ["c0", "c1", "c2"]
        assert file["weights"].shape == (3, 8)
        assert file["biases"].shape == (3,)
        assert h5py.check_string_dtype(file["classes"].dtype) == ("utf-8", 2)


def test_the_same_model_makes_the_same_bytes_and_is_current(tmp_path):
    classifier = trained()
    for name in ("a.h5", "b.h5"):
        save(tmp_path / name, classifier)
    assert (tmp_path / "a.h5").read_bytes() == (tmp_path / "b.h5").read_bytes()
    wanted = {"format": model_file.FORMAT, "version": model_file.VERSION, "source": {"digest": "abc"}}
    state = state_of(tmp_path / "a.h5", params=model_file.stored_params(LinearSVM()), **wanted)
    assert state == "current"
    state = state_of(tmp_path / "a.h5", params=model_file.stored_params(LinearSVM(C=1)), **wanted)
    assert "with C=100.0, this run asks for C=1.0" in state


def test_vectors_of_another_codebook_or_layout_are_refused(tmp_path):
    save(tmp_path / "m.h5", trained())
    model = model_file.load_model(tmp_path / "m.h5")
    model.check(codebook=DIGEST, layout=LAYOUT)
    with pytest.raises(DataError, match=f"v.h5 were made with codebook {OTHER}, the model was trained with {DIGEST}"):
        model.check(codebook=OTHER, layout=LAYOUT, name="v.h5")
    with pytest.raises(DataError, match="hold hog 5, the model was trained on hog 5, c3d 3"):
        model.check(codebook=DIGEST, layout=LAYOUT[:1])


def test_what_is_no_model_is_refused(tmp_path):
    with pytest.raises(NotFittedError):
        save(tmp_path / "m.h5", LinearSVM())
    with pytest.raises(DataError, match="describes 5 columns, the vectors have 8"):
        save(tmp_path / "m.h5", trained(), layout=LAYOUT[:1])
    numbered = LinearSVM().fit(np.eye(8), np.arange(8) % 2)
    with pytest.raises(DataError, match="must be text, got 0"):
        save(tmp_path / "m.h5", numbered)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("classes", fixed(["c1", "c0", "c2"]), "sorted and all different"),
        ("weights", np.full((3, 8), np.nan, np.float32), "must be finite"),
        ("weights", np.ones((2, 8), np.float32), r"weights must be float32 or float64 of shape \(3, n\)"),
        ("biases", np.ones(2), r"biases must be float64 of shape \(3,\)"),
        ("weights", np.ones((3, 9), np.float32), "layout describes 8 columns, the vectors have 9"),
    ],
)
def test_a_model_file_that_contradicts_itself_is_refused(tmp_path, name, value, words):
    save(tmp_path / "m.h5", trained())
    with opened(tmp_path / "m.h5") as file:
        del file[name]
        file[name] = value
    with pytest.raises(DataError, match=words):
        model_file.load_model(tmp_path / "m.h5")


def test_labels_are_read_with_and_without_a_header(tmp_path):
    (tmp_path / "with.csv").write_text('Name, Label\nwalk/ann,walk\n"run/a, b" , run\n\n')
    (tmp_path / "without.csv").write_bytes('\ufeffwalk/ann,walk\r\n"run/a, b",run\r\n'.encode())
    for name in ("with.csv", "without.csv"):
        assert read_labels(tmp_path / name) == {"walk/ann": "walk", "run/a, b": "run"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a,x\na,y\n", "entry 2: a occurs twice, as x and y"),
        ("a\n", "expected name,label, got 'a'"),
        ("a,\n", "expected name,label, got 'a,'"),
        (",b\n", "expected name,label, got ',b'"),
        ("a,b,b\n", "entry 1: a has one label twice, in b,b"),
        ("name,label\n", "holds no lines"),
    ],
)
def test_malformed_labels_are_refused(tmp_path, text, words):
    (tmp_path / "labels.csv").write_text(text)
    with pytest.raises(DataError, match=words):
        read_labels(tmp_path / "labels.csv")


def test_labels_follow_the_order_of_the_videos():
    assert match_labels(["b", "a"], {"a": "x", "b": "y"}) == ["y", "x"]


def test_videos_without_labels_and_labels_without_videos_are_both_listed():
    words = "2 videos without a label: b, c; 1 labels without a video: d"
    with pytest.raises(DataError, match=words):
        match_labels(["a", "b", "c"], {"a": "x", "d": "y"})


def test_long_lists_are_cut_and_counted():
    assert listed(range(3)) == "0, 1, 2"
    assert listed(range(25)).endswith("18, 19 and 5 more")


def test_scores_have_a_column_per_class(tmp_path):
    write_scores(tmp_path / "s.csv", ["a, b", "c"], np.array([[1.5, -2], [0.1, 1 / 3]]), ["run", "walk"])
    assert (tmp_path / "s.csv").read_text() == 'name,run,walk\n"a, b",1.5,-2\nc,0.1,0.3333333\n'
    with pytest.raises(DataError, match=r"must be of shape \(1, 2\)"):
        write_scores(tmp_path / "t.csv", ["a"], np.ones((2, 2)), ["run", "walk"])
    with pytest.raises(DataError, match="exists"):
        write_scores(tmp_path / "s.csv", ["a"], np.ones((1, 1)), ["run"])
