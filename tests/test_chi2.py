"""The χ² kernel and its machine: by hand, the slow rival, scikit-learn's kernel, laws, refusals."""

import numpy as np
import pytest
from sklearn.metrics.pairwise import chi2_kernel
from sklearn.svm import SVC

from classify.models import model_file
from classify.params import ClassifierParams
from classify.svm import chi2, lazy_rows
from classify.svm.build import build_classifier, channels_of
from classify.svm.chi2 import Chi2SVM
from classify.svm.lazy_rows import LazyRows
from idt.errors import DataError
from tests.reference import chi2 as reference

# Sums of float64 in another order.
ROUNDING = 1e-12
# Where libsvm stops, as a share of the largest score.
AGREEMENT = 1e-4

CHANNELS = [(0, 12), (12, 20)]
LAYOUT = [
    {"block": "hog", "cell": "whole", "first": 0, "size": 12},
    {"block": "hof", "cell": "whole", "first": 12, "size": 8},
]


def histograms(n=40, d=20, classes=4, seed=0, signed=False, dtype=np.float64):
    """Sparse histograms of unit sum around those of their class."""
    random = np.random.default_rng(seed)
    codes = np.arange(n) % classes
    X = random.gamma(0.5, size=(classes, d))[codes] * random.gamma(1.0, size=(n, d)) * (random.random((n, d)) < 0.7)
    X /= X.sum(axis=1, keepdims=True)
    X *= random.choice([-1.0, 1.0], d) if signed else 1.0
    return X.astype(dtype), np.array([f"c{code}" for code in codes])


def test_distances_by_hand():
    found = chi2.distances(np.array([[1.0, 0.0, 3.0]]), np.array([[1.0, 0.0, 1.0], [0.0, 2.0, 0.0]]))
    # 0 + 0/0 + 4/4; 1/1 + 4/2 + 9/3.
    np.testing.assert_allclose(found, [[1, 6]])


def test_opposite_signs_are_as_far_apart_as_their_sum():
    np.testing.assert_allclose(chi2.distances(np.array([[1.0]]), np.array([[-2.0]])), [[3]])


@pytest.mark.parametrize("signed", [False, True])
@pytest.mark.parametrize("channels", [CHANNELS, [(0, 20)]])
def test_the_machine_solves_the_kernel_of_the_rival(signed, channels):
    X, y = histograms(signed=signed)
    new = histograms(n=7, seed=1, signed=signed)[0]
    model = Chi2SVM(C=10.0, channels=channels).fit(X, y)
    scales = [reference.scale(X[:, a:b]) for a, b in channels]
    np.testing.assert_allclose(model.scales_, scales)
    train, test = (reference.kernel(side, X, channels, scales) for side in (X, new))
    scores = model.decision_function(new)
    for label, score in zip(model.classes_, scores.T, strict=True):
        machine = SVC(C=10.0, kernel="precomputed", tol=1e-7).fit(train, y == label)
        wanted = machine.decision_function(test)
        np.testing.assert_allclose(score, wanted, atol=AGREEMENT * np.abs(scores).max())


def test_one_channel_is_the_kernel_of_scikit_learn():
    X, y = histograms()
    new = histograms(n=7, seed=1)[0]
    model = Chi2SVM().fit(X, y)
    (scale,) = model.scales_
    apart = chi2.distances(new, X)
    np.testing.assert_allclose(np.exp(-apart / scale), chi2_kernel(new, X, gamma=1 / scale), atol=ROUNDING)
    wanted = chi2_kernel(new, model.support_, gamma=1 / scale) @ model.dual_coef_.T + model.intercept_
    np.testing.assert_allclose(model.decision_function(new), wanted, atol=ROUNDING * np.abs(model.dual_coef_).sum())


def test_rows_of_a_file_train_as_rows_in_memory():
    X, y = histograms(dtype=np.float32)
    index = np.array([0, 1, 2, 9, 8, 20, 21, 22, 29, 5, 6, 7])
    source = np.hstack([X[:, 12:], X[:, :12]])
    chosen = LazyRows(source, index=index, columns=[slice(8, 20), slice(0, 8)])
    lazy, plain = (Chi2SVM(channels=CHANNELS).fit(these, y[index]) for these in (chosen, X[index]))
    np.testing.assert_array_equal(lazy.decision_function(chosen), plain.decision_function(X[index]))


def test_rows_that_cannot_be_written_to_are_trained_on():
    X, y = histograms()
    wanted = Chi2SVM().fit(X, y).scores(X)
    X.flags.writeable = False
    np.testing.assert_array_equal(Chi2SVM().fit(X, y).scores(X), wanted)


def test_scattered_rows_are_read_as_neighbours_are(monkeypatch):
    X = np.arange(600.0).reshape(30, 20)
    index = np.random.default_rng(0).permutation(30)[:20]
    for most in (1, 64):
        monkeypatch.setattr(lazy_rows, "MOST_RUNS", most)
        np.testing.assert_array_equal(LazyRows(X, index=index).read(3, 11), X[index, 3:11])


def test_columns_are_cut_across_pieces_and_extra_blocks():
    X = np.arange(60.0).reshape(3, 20)
    extra = -np.arange(9.0).reshape(3, 3)
    chosen = LazyRows(X, index=[2, 0], columns=[slice(10, 14), slice(2, 5)], extra=[extra])
    whole = chosen.read()
    for first, last in ((0, 10), (2, 6), (4, 4 + 3), (6, 9), (8, 10)):
        np.testing.assert_array_equal(chosen.read(first, last), whole[:, first:last])


def test_equal_rows_have_no_scale_and_are_not_told_apart():
    model = Chi2SVM().fit(np.ones((4, 3)), ["a", "b", "a", "b"])
    assert model.scales_.tolist() == [1.0]
    assert np.ptp(model.decision_function(np.ones((2, 3)))) == 0


def test_a_chi2_model_saved_and_loaded_gives_the_same_scores(tmp_path):
    X, y = histograms(dtype=np.float32)
    model = build_classifier(ClassifierParams(classifier="chi2", probability=True), LAYOUT).fit(X, y)
    assert model.channels == CHANNELS == channels_of(LAYOUT)
    model_file.save_model(tmp_path / "m.h5", model, layout=LAYOUT, codebook="c0ffee", source={"digest": "abc"})
    loaded = model_file.load_model(tmp_path / "m.h5").classifier
    assert loaded.get_params() == model.get_params()
    np.testing.assert_array_equal(loaded.scores(X), model.scores(X))
    np.testing.assert_array_equal(loaded.predict_proba(X), model.predict_proba(X))


def test_channels_that_do_not_fit_the_columns_are_refused():
    X, y = histograms()
    with pytest.raises(DataError, match="channels describe 12 columns, X has 20"):
        Chi2SVM(channels=[(0, 12)]).fit(X, y)
    with pytest.raises(DataError, match="channels must follow each other from column 0 on"):
        Chi2SVM(channels=[(0, 12), (13, 20)]).fit(X, y)
    X[3, 4] = np.nan
    with pytest.raises(DataError, match="1 NaN or infinite numbers, first in row 3"):
        Chi2SVM().fit(X, y)
    with pytest.raises(ValueError, match="X has 19 features, but Chi2SVM is expecting 20"):
        Chi2SVM().fit(*histograms()).predict(X[:, 1:])
