"""The classifiers speak scikit-learn: its own checks, names of columns, seeds, subclasses, refusals."""

import importlib.util
import inspect

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.metrics import average_precision_score
from sklearn.model_selection import GridSearchCV, GroupKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import Normalizer
from sklearn.utils.estimator_checks import parametrize_with_checks

import classify
from classify import Chi2SVM, LinearSVM, load_model, save_model
from classify.models.model_file import stored_params
from idt.errors import DataError

CLASSIFIERS = (LinearSVM, Chi2SVM)
# Sums of float64 in another order, in scores of about one.
ROUNDING = 1e-9
METHODS = ("decision_function", "predict", "scores", "predict_proba")
LAYOUT = [{"block": "hog", "cell": "whole", "first": 0, "size": 6}]

FAILS = {
    # Platt's sigmoids are fitted for each class apart, so they may rank two classes otherwise than the scores do.
    ("check_classifiers_train", True): "the class of the highest probability need not be that of the highest score",
}
"""Checks of scikit-learn that do not hold, by name and by ``probability``, and why.

scikit-learn itself skips `check_array_api_input` unless SCIPY_ARRAY_API is set, and the checks of column names without
pandas.
"""


def histograms(n=24, d=6, classes=3, seed=0):
    """Non-negative rows about the centres of their classes, and labels."""
    random = np.random.default_rng(seed)
    codes = np.arange(n) % classes
    return np.abs(random.normal(size=(classes, d))[codes] + 0.3 * random.normal(size=(n, d))), np.array(
        [f"c{code}" for code in codes]
    )


def table(X, names):
    """The rows as a DataFrame."""
    return pytest.importorskip("pandas").DataFrame(X, columns=list(names))


@pytest.mark.slow
@parametrize_with_checks([LinearSVM(), Chi2SVM(), LinearSVM(probability=True)])
# scikit-learn's own check of infinite labels casts them.
@pytest.mark.filterwarnings("ignore:invalid value encountered in cast:RuntimeWarning")
def test_scikit_learn_accepts_the_estimator(estimator, check, request):
    reason = FAILS.get((check.func.__name__, estimator.probability))
    if reason:
        request.applymarker(pytest.mark.xfail(raises=AssertionError, reason=reason))
    check(estimator)


@pytest.mark.parametrize("kind", CLASSIFIERS)
def test_every_option_is_in_the_signature_and_in_the_docstring(kind):
    options = inspect.signature(kind).parameters
    assert sorted(options) == sorted(kind().get_params())
    text = inspect.getdoc(kind)
    for name in options:
        assert f"\n{name} : " in text, f"{kind.__name__} does not document {name}"


@pytest.mark.slow
@pytest.mark.parametrize("kind", CLASSIFIERS)
def test_names_of_columns_are_kept_and_compared(kind):
    X, y = histograms()
    names = [f"hog_{k}" for k in range(6)]
    model = kind(probability=True).fit(table(X, names), y)
    assert (model.feature_names_in_.tolist(), model.feature_names_in_.dtype) == (names, object)
    assert model.n_features_in_ == 6
    for method in METHODS:
        call = getattr(model, method)
        np.testing.assert_array_equal(call(table(X, names)), getattr(kind(probability=True).fit(X, y), method)(X))
        with pytest.raises(ValueError, match="must be in the same order as they were in fit"):
            call(table(X, names[::-1]))
        with pytest.raises(
            ValueError, match=r"unseen at fit time:\n- hof_0\n- hof_1\n- hof_2\n- hof_3\n- hof_4\n- \.\.\."
        ):
            call(table(X, [f"hof_{k}" for k in range(6)]))
        with pytest.raises(ValueError, match=r"yet now missing:\n- hog_5\n"):
            call(table(X[:, :5], names[:5]))
        with pytest.warns(UserWarning, match=f"valid feature names, but {kind.__name__} was fitted with feature names"):
            call(X)


@pytest.mark.parametrize("kind", CLASSIFIERS)
def test_names_of_columns_are_forgotten_by_the_next_fit(kind):
    X, y = histograms()
    model = kind().fit(table(X, "abcdef"), y).fit(X, y)
    assert not hasattr(model, "feature_names_in_")
    with pytest.warns(UserWarning, match=f"X has feature names, but {kind.__name__} was fitted without"):
        model.predict(table(X, "abcdef"))


def test_names_that_are_numbers_are_none():
    X, y = histograms()
    assert not hasattr(LinearSVM().fit(table(X, range(6)), y), "feature_names_in_")
    with pytest.raises(TypeError, match="only supported if all input features have string names"):
        LinearSVM().fit(table(X, ["a", 1, 2, 3, 4, 5]), y)


@pytest.mark.skipif(importlib.util.find_spec("pandas") is None, reason="needs pandas")
@pytest.mark.parametrize("kind", CLASSIFIERS)
def test_a_data_frame_trains_as_its_values(kind):
    import pandas as pd

    X, y = histograms()
    frame = pd.DataFrame(X, columns=list("abcdef"), index=range(100, 100 + len(X)))
    model = kind().fit(frame, pd.Series(y))
    assert model.feature_names_in_.tolist() == list("abcdef")
    # A DataFrame holds its values column by column, which changes the order of sums.
    np.testing.assert_allclose(model.scores(frame), kind().fit(X, y).scores(X), rtol=ROUNDING)


@pytest.mark.parametrize("kind", CLASSIFIERS)
@pytest.mark.parametrize("method", METHODS)
def test_nothing_works_before_fit(kind, method):
    X, y = histograms()
    with pytest.raises(NotFittedError, match="not fitted"):
        getattr(kind(probability=True), method)(X)
    with pytest.raises(NotFittedError, match="not fitted"):
        kind().score(X, y)


@pytest.mark.parametrize("kind", CLASSIFIERS)
def test_a_fit_that_failed_is_no_fit(kind):
    X, y = histograms()
    model = kind()
    with pytest.raises(DataError, match="finite"):
        model.fit(np.where(X[3, 2] == X, np.nan, X), y)
    with pytest.raises(NotFittedError):
        model.predict(X)


@pytest.mark.parametrize("kind", CLASSIFIERS)
def test_probabilities_are_a_method_only_when_asked_for(kind):
    X, y = histograms()
    for model in (kind(), kind().fit(X, y)):
        with pytest.raises(AttributeError, match="has no attribute 'predict_proba'"):
            _ = model.predict_proba
    with pytest.raises(
        NotFittedError, match=r"was fitted with probability=False and has no probabilities; fit it again"
    ):
        model.set_params(probability=True).predict_proba(X)


@pytest.mark.parametrize("kind", CLASSIFIERS)
def test_the_score_is_the_accuracy(kind):
    X, y = histograms()
    model = kind(C=0.01).fit(X, y)
    right = model.predict(X) == y
    assert model.score(X, y) == right.mean()
    weights = np.arange(1.0, 25)
    assert model.score(X, y, sample_weight=weights) == pytest.approx(right @ weights / weights.sum())


@pytest.mark.parametrize("kind", CLASSIFIERS)
def test_the_score_of_rows_of_several_classes_is_the_mean_average_precision(kind):
    X, _ = histograms()
    holds = np.random.default_rng(1).random((24, 3)) < 0.5
    y = [tuple(np.array(["eat", "kiss", "run"])[row].tolist()) for row in holds]
    model = kind(C=1.0).fit(X, y)
    assert model.score(X, y) == pytest.approx(average_precision_score(holds, model.scores(X)))
    with pytest.raises(DataError, match="sample_weight must be None where rows may have several classes"):
        model.score(X, y, sample_weight=np.ones(24))
    with pytest.raises(DataError, match="truth holds labels that are no classes: jump"):
        model.score(X, [("jump",)] * 24)


@pytest.mark.slow
@pytest.mark.parametrize("kind", CLASSIFIERS)
def test_the_seed_decides_the_folds(kind):
    X, y = histograms(n=60)
    found = [
        kind(C=1.0, probability=True, random_state=seed).fit(X, y).sigmoids_.tolist() for seed in (0, 0, np.int64(7), 7)
    ]
    assert found[0] == found[1] == kind(C=1.0, probability=True).fit(X, y).sigmoids_.tolist()
    assert found[2] == found[3] != found[0]
    kind(C=1.0, probability=True, random_state=2**32 - 1).fit(X, y)


@pytest.mark.parametrize("seed", [-1, 2**32, 1.5, "0", True, None, np.random.RandomState(3), np.random.default_rng(0)])
def test_a_seed_that_is_none_is_refused(seed):
    with pytest.raises(DataError, match=r"random_state must be an integer from 0 to 4294967295, got .*; equal calls"):
        LinearSVM(random_state=seed).fit(*histograms())


@pytest.mark.parametrize("kind", CLASSIFIERS)
def test_a_plain_subclass_is_a_classifier(kind):
    X, y = histograms()

    class Mine(kind):
        """Nothing of its own."""

    model = clone(Mine(C=2.0)).fit(X, y)
    assert model.get_params() == kind(C=2.0).get_params()
    np.testing.assert_array_equal(model.scores(X), kind(C=2.0).fit(X, y).scores(X))
    assert repr(model) == "Mine(C=2.0)"


@pytest.mark.parametrize("kind", CLASSIFIERS)
def test_a_subclass_may_have_options_of_its_own(kind, tmp_path):
    X, y = histograms()

    class Rooted(kind):
        """Takes the root of X first."""

        def __init__(self, power=0.5, C=1.0):
            super().__init__(C=C)
            self.power = power

        def fit(self, X, y, groups=None):
            return super().fit(X**self.power, y, groups)

        def decision_function(self, X):
            return super().decision_function(X**self.power)

    search = GridSearchCV(Rooted(), {"power": [0.5, 1.0], "C": [0.1, 10.0]}, cv=2).fit(X, y)
    assert set(search.best_params_) == {"power", "C"}
    model = clone(Rooted(power=0.5, C=3.0)).fit(X, y)
    np.testing.assert_array_equal(model.predict(X), kind(C=3.0).fit(X**0.5, y).predict(X**0.5))
    save_model(tmp_path / "m.h5", model, layout=LAYOUT, codebook="c0ffee", source={"digest": "abc"})
    loaded = load_model(tmp_path / "m.h5").classifier
    assert (type(loaded), loaded.C) == (kind, 3.0)


@pytest.mark.parametrize("kind", CLASSIFIERS)
def test_pipelines_searches_and_cross_validation_take_the_classifier(kind):
    X, y = histograms(n=36)
    pipeline = make_pipeline(Normalizer(norm="l1"), kind())
    name = kind.__name__.lower()
    search = GridSearchCV(pipeline, {f"{name}__C": [0.1, 100.0], f"{name}__class_weight": [None, "balanced"]}, cv=3)
    assert search.fit(X, y).best_score_ > 0.6
    scores = cross_val_score(kind(), X, y, groups=np.arange(36) // 3, cv=GroupKFold(3))
    assert (len(scores), scores.min() > 0.5) == (3, True)


@pytest.mark.parametrize("kind", CLASSIFIERS)
def test_a_model_file_records_a_seed_only_if_it_is_not_the_default(kind, tmp_path):
    X, y = histograms()
    assert "random_state" not in stored_params(kind())
    model = kind(random_state=7).fit(X, y)
    save_model(tmp_path / "m.h5", model, layout=LAYOUT, codebook="c0ffee", source={"digest": "abc"})
    assert load_model(tmp_path / "m.h5").classifier.random_state == 7


def test_the_classes_are_public_names():
    assert {"LinearSVM", "Chi2SVM", "read_dataset", "evaluate", "compare", "load_model", "save_model"} <= set(
        dir(classify)
    )
