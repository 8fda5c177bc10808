"""What is chosen or fitted inside the training part: folds, C, probabilities; and rows of several classes."""

import numpy as np
import pytest
from sklearn.calibration import CalibratedClassifierCV
from sklearn.metrics import average_precision_score
from sklearn.model_selection import PredefinedSplit
from sklearn.svm import SVC

from classify.svm import kernel_machines
from classify.svm.kernel_machines import KernelMachines, fit_sigmoids, inner_folds, probabilities
from classify.svm.linear import LinearSVM
from classify.svm.targets import class_factors, read_targets, row_weights
from idt.errors import DataError

# Two searches for the maximum of one smooth likelihood, in scores of about one.
SEARCH = 1e-4


def noisy(n=90, d=200, classes=3, noise=1.0, seed=0):
    """Rows of unit length about the centres of overlapping classes."""
    random = np.random.default_rng(seed)
    codes = np.arange(n) % classes
    X = random.normal(size=(classes, d))[codes] * 0.3 + noise * random.normal(size=(n, d))
    return X / np.linalg.norm(X, axis=1, keepdims=True), np.array([f"c{code}" for code in codes])


def test_each_fold_has_its_share_of_every_class():
    codes = np.repeat([0, 1, 2], [10, 15, 5])
    folds = inner_folds(codes, seed=0)
    assert sorted(np.concatenate([fold for _, fold in folds]).tolist()) == list(range(30))
    for rest, fold in folds:
        # To a row: scikit-learn's releases differ in which fold gets one more.
        assert np.abs(np.bincount(codes[fold], minlength=3) - [2, 3, 1]).max() <= 1
        assert sorted([*rest, *fold]) == list(range(30))


def test_groups_are_not_torn():
    groups = [f"g{i // 4}" for i in range(24)]
    folds = inner_folds(np.arange(24) % 2, groups, seed=0)
    where = [{groups[row] for row in fold} for _, fold in folds]
    assert sum(map(len, where)) == 6
    # Rows without a group are on their own.
    assert len(inner_folds(np.zeros(4, int), ["", "", "", ""], seed=0)) == 4
    with pytest.raises(DataError, match="training rows of at least two groups, got one"):
        inner_folds(np.zeros(4, int), ["g"] * 4, seed=0)


def test_held_out_scores_are_those_of_machines_trained_without():
    X, y = noisy(n=30, d=20)
    targets = read_targets(y, len(y))
    folds = inner_folds(targets.codes, seed=0)
    found = kernel_machines.held_out(KernelMachines(1.0), X @ X.T, targets.has_class, folds)
    for rest, fold in folds:
        wanted = LinearSVM(C=1.0).fit(X[rest], y[rest]).decision_function(X[fold])
        np.testing.assert_allclose(found[fold], wanted, atol=1e-9)


def test_c_is_the_one_that_labels_most_held_out_rows_rightly():
    X, y = noisy()
    model = LinearSVM(C="cv").fit(X, y)
    folds = inner_folds(read_targets(y, len(y)).codes, seed=0)
    shares = [
        np.mean([LinearSVM(C=C).fit(X[rest], y[rest]).score(X[fold], y[fold]) for rest, fold in folds])
        for C in kernel_machines.GRID
    ]
    assert kernel_machines.GRID[int(np.argmax(shares))] == model.C_
    assert len(set(shares)) > 1
    np.testing.assert_array_equal(model.coef_, LinearSVM(C=model.C_).fit(X, y).coef_)


def test_probabilities_are_those_of_platt_on_held_out_scores():
    X, y = noisy()
    model = LinearSVM(C=1.0, probability=True).fit(X, y)
    folds = np.empty(len(y), int)
    for number, (_, fold) in enumerate(inner_folds(read_targets(y, len(y)).codes, seed=0)):
        folds[fold] = number
    rival = CalibratedClassifierCV(SVC(kernel="linear", C=1.0, tol=1e-7), ensemble=False, cv=PredefinedSplit(folds))
    new = noisy(n=12, seed=1)[0]
    wanted = np.stack([rival.fit(X, y == label).predict_proba(new)[:, 1] for label in model.classes_], axis=1)
    found = model.predict_proba(new)
    np.testing.assert_allclose(found, wanted / wanted.sum(axis=1, keepdims=True), atol=1e-3)
    np.testing.assert_allclose(found.sum(axis=1), 1)


def test_a_sigmoid_fits_the_share_of_each_score():
    # Of a hundred rows with score 1 seventy hold the class, of those with score -1 twenty.
    scores = np.repeat([1.0, 1.0, -1.0, -1.0], [70, 30, 20, 80])[:, None]
    has_class = np.repeat([True, False, True, False], [70, 30, 20, 80])[:, None]
    sigmoids = fit_sigmoids(scores, has_class)
    found = probabilities(np.array([[1.0], [-1.0]]), sigmoids, multi_label=True)[:, 0]
    high, low = 91 / 92, 1 / 112  # of Platt's targets
    np.testing.assert_allclose(found, [0.7 * high + 0.3 * low, 0.2 * high + 0.8 * low], atol=SEARCH)
    # Large scores are scaled, not lost.
    np.testing.assert_allclose(fit_sigmoids(1e6 * scores, has_class)[:, 0], sigmoids[:, 0] / 1e6, rtol=SEARCH)


def test_probabilities_of_two_classes_and_of_classes_that_all_deny():
    sigmoids = np.array([[1.0, 0.0]])
    np.testing.assert_allclose(probabilities(np.array([[0.0], [2.0]]), sigmoids, multi_label=False).sum(axis=1), 1)
    denied = probabilities(np.full((1, 2), -1e6), np.ones((2, 2)), multi_label=False)
    np.testing.assert_array_equal(denied, [[0.5, 0.5]])


def test_probabilities_are_there_when_asked_for():
    X, y = noisy(n=20)
    assert not hasattr(LinearSVM().fit(X, y), "predict_proba")
    with pytest.raises(DataError, match="probability must be True or False, got 'yes'"):
        LinearSVM(probability="yes").fit(X, y)


def several(n=60, d=80, seed=0):
    """Rows that hold each of three classes by chance, or none."""
    random = np.random.default_rng(seed)
    has_class = random.random((n, 3)) < 0.4
    X = has_class @ random.normal(size=(3, d)) + 0.8 * random.normal(size=(n, d))
    return X, [tuple(np.array(["eat", "kiss", "run"])[row]) for row in has_class], has_class


def test_rows_of_several_classes_train_one_machine_each():
    X, y, has_class = several()
    model = LinearSVM(C=1.0).fit(X, y)
    assert (model.classes_.tolist(), model.multi_label_) == (["eat", "kiss", "run"], True)
    for column in range(3):
        wanted = SVC(kernel="linear", C=1.0, tol=1e-7).fit(X, has_class[:, column]).decision_function(X)
        found = model.scores(X)[:, column]
        np.testing.assert_allclose(found, wanted, atol=1e-3 * np.abs(wanted).max())
    np.testing.assert_array_equal(LinearSVM(C=1.0).fit(X, tuple(y)).coef_, model.coef_)


def test_two_classes_that_a_row_may_both_have_are_two_machines():
    X, y, has_class = several()
    y = [tuple(label for label in labels if label != "run") for labels in y]
    model = LinearSVM(C=1.0, probability=True).fit(X, y)
    assert (model.coef_.shape[0], model.scores(X).shape) == (2, (60, 2))
    found = model.predict_proba(X)
    assert found.shape == (60, 2)
    assert np.ptp(found.sum(axis=1)) > 0.1
    assert average_precision_score(has_class[:, :2], found) > 0.9


@pytest.mark.slow
def test_c_for_rows_of_several_classes_ranks_held_out_rows_best():
    X, y, _ = several(n=60, d=20)
    # So noisy that the values of C differ, and so scaled that the best is none of the outermost.
    X = (X + 2 * np.random.default_rng(1).normal(size=X.shape)) / 30
    folds = inner_folds(read_targets(y, len(y)).codes, seed=0)
    precisions = [
        np.mean([
            LinearSVM(C=C).fit(X[rest], [y[row] for row in rest]).score(X[fold], [y[row] for row in fold])
            for rest, fold in folds
        ])
        for C in kernel_machines.GRID
    ]  # fmt: skip
    best = int(np.argmax(precisions))
    assert kernel_machines.GRID[best] == LinearSVM(C="cv").fit(X, y).C_
    assert 0 < best < len(kernel_machines.GRID) - 1


def test_balanced_weights_of_several_classes_balance_each_machine():
    targets = read_targets([("a",), ("a", "b"), (), ("b",), ("a",)], 5)
    np.testing.assert_allclose(row_weights("balanced", targets.has_class, True)[1], [5 / 6, 5 / 4, 5 / 6, 5 / 4, 5 / 6])
    factors = class_factors({"a": 3.0}, targets.classes)
    np.testing.assert_allclose(row_weights(factors, targets.has_class, True), [[3, 3, 1, 1, 3], [1, 1, 1, 1, 1]])
    # Rows of the same classes are alike to the folds.
    assert targets.codes[0] == targets.codes[4]
    assert len(set(targets.codes)) == 4


def test_labels_that_nothing_can_be_told_apart_by_are_refused():
    X, _ = noisy(n=3)
    with pytest.raises(DataError, match="every row has the class kiss"):
        LinearSVM().fit(X, [("kiss",), ("kiss", "run"), ("kiss",)])
    with pytest.raises(DataError, match="at least two classes, got one class only: kiss"):
        LinearSVM().fit(X, [("kiss",), (), ()])
    with pytest.raises(DataError, match="got one class only: none"):
        LinearSVM().fit(X, [(), (), ()])
