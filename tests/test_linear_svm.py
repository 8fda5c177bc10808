"""The linear support vector machine: a general solver and scikit-learn's SVC reach one objective; laws; refusals."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from threadpoolctl import threadpool_limits

from classify.params import ClassifierParams
from classify.svm import kernel_machines, lazy_rows, pairwise
from classify.svm.build import build_classifier
from classify.svm.linear import LinearSVM
from idt.errors import DataError
from tests.reference import svm as reference

# Bound of docs/method/encoding.md, section 8.2, as a share of the largest score.
AGREEMENT = 1e-3
# Two runs of libsvm solve one problem and differ in the stopping point only.
SVC_AGREEMENT = 1e-4


def vectors(n=90, d=3000, classes=10, separation=0.2, seed=0):
    """L2-normalised rows around class centres, as the vectors of videos are: more columns than rows, separable."""
    random = np.random.default_rng(seed)
    codes = np.arange(n) % classes
    X = separation * random.normal(size=(classes, d))[codes] + random.normal(size=(n, d)) + 0.3
    return (X / np.linalg.norm(X, axis=1, keepdims=True)).astype(np.float32), np.array([f"c{code}" for code in codes])


def one_against_rest(X, y, **options):
    """Scores (n, c) of one exact SVC per class."""
    columns = []
    for label in np.unique(y):
        machine = SVC(kernel="linear", C=100, tol=1e-6, **options).fit(
            X.astype(np.float64), np.where(y == label, 1, -1)
        )
        columns.append(machine.decision_function(X.astype(np.float64)))
    return np.stack(columns, axis=1)


def test_two_points_are_separated_halfway():
    model = LinearSVM().fit([[1.0, 5.0], [3.0, 5.0]], ["left", "right"])
    # Margin 1 on either side, and nothing to learn from the constant column.
    np.testing.assert_allclose(model.coef_, [[1, 0]], atol=1e-3)
    np.testing.assert_allclose(model.intercept_, [-2], atol=1e-3)
    np.testing.assert_allclose(model.scores([[4.0, 5.0]]), [[-2, 2]], atol=2e-3)


@pytest.mark.parametrize(("separation", "class_weight"), [(3.0, None), (0.5, None), (0.5, {"a": 0.2, "b": 1.0})])
def test_a_general_solver_finds_the_same_plane(separation, class_weight):
    random = np.random.default_rng(3)
    y = np.array(["a", "b"] * 10)
    X = random.normal(size=(20, 3)) + separation * (y == "b")[:, None]
    model = LinearSVM(C=100, class_weight=class_weight).fit(X, y)
    penalties = np.array([100 * (class_weight or {}).get(label, 1.0) for label in y])
    signs = np.where(y == "b", 1.0, -1.0)
    w, b = reference.solve(X, signs, penalties)
    scores = X @ w + b
    np.testing.assert_allclose(model.decision_function(X), scores, atol=AGREEMENT * np.abs(scores).max())


@pytest.mark.slow
def test_vectors_of_videos_score_as_with_svc():
    X, y = vectors(n=60, d=2000, classes=4)
    wanted = one_against_rest(X, y)
    model = LinearSVM().fit(X, y)
    assert model.coef_.dtype == np.float32
    np.testing.assert_allclose(model.decision_function(X), wanted, atol=SVC_AGREEMENT * np.abs(wanted).max())


def test_overlapping_classes_of_few_columns_reach_the_optimum_or_are_named(monkeypatch):
    X, y = vectors(n=60, d=3, classes=3, separation=0.3)
    model = LinearSVM(C=10).fit(X, y)
    assert model.unconverged_ == []
    for label, score in zip(model.classes_, model.decision_function(X).T, strict=True):
        signs = np.where(y == label, 1.0, -1.0)
        w, b = reference.solve(X.astype(np.float64), signs, np.full(len(y), 10.0))
        wanted = X @ w + b
        np.testing.assert_allclose(score, wanted, atol=AGREEMENT * np.abs(wanted).max())
    monkeypatch.setattr(kernel_machines, "MOST_UPDATES", 600)
    with pytest.warns(ConvergenceWarning, match="did not reach the optimum of c0, c1, c2; a smaller C"):
        assert LinearSVM(C=100).fit(X, y).unconverged_ == ["c0", "c1", "c2"]


def test_the_bias_is_not_penalised():
    # Rows far from the origin need a large bias; moving all of them together must change nothing else.
    X, y = vectors(n=40, d=60, classes=3)
    near, far = (LinearSVM().fit(X.astype(np.float64) + shift, y) for shift in (0.0, 50.0))
    scores = near.decision_function(X)
    moved = far.decision_function(X.astype(np.float64) + 50.0)
    np.testing.assert_allclose(moved, scores, atol=AGREEMENT * np.abs(scores).max())


def test_balanced_weights_equal_weights_by_class_size():
    X, y = vectors(n=30, d=200, classes=3)
    X, y = X[:-8], y[:-8]
    sizes = {str(label): (y == label).sum() for label in np.unique(y)}
    weights = {label: len(y) / (3 * size) for label, size in sizes.items()}
    balanced = LinearSVM(C=0.5, class_weight="balanced").fit(X, y)
    by_hand = LinearSVM(C=0.5, class_weight=weights).fit(X, y)
    np.testing.assert_array_equal(balanced.coef_, by_hand.coef_)
    assert not np.array_equal(balanced.coef_, LinearSVM(C=0.5).fit(X, y).coef_)


def test_the_gram_matrix_does_not_depend_on_panels_and_tiles(monkeypatch):
    X, _ = vectors(n=31, d=900, classes=3)
    exact = X.astype(np.float64) @ X.T.astype(np.float64)
    for size, tile in ((1 << 27, 1024), (8 * 31 * 100, 7), (1, 31)):
        monkeypatch.setattr(lazy_rows, "PANEL_BYTES", size)
        monkeypatch.setattr(pairwise, "TILE", tile)
        for count in (31, 12):
            found = pairwise.pairwise(lazy_rows.LazyRows(X), count, pairwise.inner_products)
            # Sums of float64 in another order.
            np.testing.assert_allclose(found, exact[:, :count], atol=1e-12)
            np.testing.assert_array_equal(found[:count], found[:count].T)


def test_rows_of_a_source_train_as_the_same_rows_in_memory():
    X, y = vectors(n=30, d=400, classes=3)
    index = np.array([0, 1, 2, 9, 8, 20, 21, 22, 29, 5])
    columns = [slice(300, 400), slice(0, 50)]
    extra = np.random.default_rng(1).normal(size=(30, 7)).astype(np.float32)
    chosen = lazy_rows.LazyRows(X, columns=columns, extra=[extra]).take(index)
    plain = np.hstack([X[:, 300:400], X[:, :50], extra])[index]
    np.testing.assert_array_equal(chosen.read(), plain)
    np.testing.assert_array_equal(chosen.read(90, 153), plain[:, 90:153])
    lazy, direct = LinearSVM().fit(chosen, y[index]), LinearSVM().fit(plain, y[index])
    np.testing.assert_array_equal(lazy.coef_, direct.coef_)
    np.testing.assert_array_equal(lazy.decision_function(chosen), direct.decision_function(plain))


def test_threads_do_not_change_the_model(monkeypatch):
    monkeypatch.setattr(pairwise, "TILE", 32)
    X, y = vectors(n=80, d=5000, classes=4)
    models = []
    for threads in (1, 2):
        with threadpool_limits(threads, user_api="blas"):
            models.append(LinearSVM(n_jobs=threads).fit(X, y))
    np.testing.assert_array_equal(models[0].coef_, models[1].coef_)
    np.testing.assert_array_equal(models[0].intercept_, models[1].intercept_)


def test_a_fit_can_be_repeated_to_the_bit():
    X, y = vectors(n=30, d=300, classes=3)
    first, second = (clone(LinearSVM()).fit(X, y) for _ in range(2))
    np.testing.assert_array_equal(first.coef_, second.coef_)
    np.testing.assert_array_equal(first.intercept_, second.intercept_)


def test_the_options_of_the_commands_are_those_of_the_classifier():
    assert build_classifier(ClassifierParams()).get_params() == LinearSVM().get_params()
    options = {"C": 2.0, "class_weight": "balanced", "probability": True}
    assert build_classifier(ClassifierParams(**options)).get_params() == {**options, "random_state": 0, "n_jobs": 1}


def test_a_pipeline_and_a_grid_search_take_the_classifier():
    X, y = vectors(n=40, d=100, classes=4)
    search = GridSearchCV(make_pipeline(StandardScaler(), LinearSVM()), {"linearsvm__C": [0.01, 100.0]}, cv=2)
    assert search.fit(X, y).predict(X).tolist() == y.tolist()


def test_what_cannot_be_trained_is_refused():
    X, y = vectors(n=12, d=8, classes=3)
    bad = X.copy()
    bad[4, 2] = np.nan
    with pytest.raises(DataError, match="1 NaN or infinite numbers, first in row 4"):
        LinearSVM().fit(bad, y)
    with pytest.raises(DataError, match="one class only: c1"):
        LinearSVM().fit(X, ["c1"] * 12)
    with pytest.raises(DataError, match="same number of rows, got 12 and 11"):
        LinearSVM().fit(X, y[:11])
    with pytest.raises(DataError, match="Expected 2D array, got 1D array instead"):
        LinearSVM().fit(X[0], y)
    with pytest.raises(DataError, match=r"C must be a number from 1e-09 to 1e\+09, or cv, got 0"):
        LinearSVM(C=0).fit(X, y)
    with pytest.raises(DataError, match="n_jobs must be a whole number"):
        LinearSVM(n_jobs=0).fit(X, y)
    with pytest.raises(DataError, match="names classes that y does not hold: c7"):
        LinearSVM(class_weight={"c7": 1.0}).fit(X, y)


def test_what_cannot_be_scored_is_refused():
    X, y = vectors(n=12, d=8, classes=3)
    model = LinearSVM()
    with pytest.raises(NotFittedError, match="not fitted"):
        model.predict(X)
    model.fit(X, y)
    with pytest.raises(ValueError, match="X has 7 features, but LinearSVM is expecting 8"):
        model.predict(X[:, 1:])
    with pytest.raises(DataError, match="NaN or infinite"):
        model.predict(np.full((1, 8), np.inf))


def test_rows_that_do_not_fit_are_refused():
    X, _ = vectors(n=12, d=8, classes=3)
    with pytest.raises(DataError, match="a row for each of the 12 vectors, got 11"):
        lazy_rows.LazyRows(X, extra=[X[:11]])
    with pytest.raises(DataError, match="must lie in 0 … 11"):
        lazy_rows.LazyRows(X, index=[3, 12])
