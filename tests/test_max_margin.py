import numpy as np
import pytest

from encoding.models.max_margin import MaxMarginProjection, _Model
from idt.errors import DataError

STEP = 1e-3  # of the numeric gradient, far above the rounding of float32 losses and below the next kink
RTOL_GRADIENT = 2e-2
ATOL_RANDOMISED = 5e-3  # a randomised search finds nearly equal directions one for the other


def rows_of(n=240, d=30, seed=0):
    """Three classes that differ a little in two columns, and vary a lot in all others."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, n)
    rows = rng.normal(size=(n, d)) * 5
    rows[:, :2] = rng.normal(size=(n, 2)) * 0.3 + np.array([[0, 0], [2, 0], [0, 2]])[labels]
    return rows.astype(np.float32), labels


def scatter_ratio(projected, labels):
    """Variance between classes over that within them."""
    means = np.array([projected[labels == c].mean(axis=0) for c in range(3)])
    within = np.mean([projected[labels == c].var(axis=0).sum() for c in range(3)])
    return means.var(axis=0).sum() / within


def test_the_gradient_is_that_of_the_objective():
    rng = np.random.default_rng(1)
    rows, labels = rows_of(40, 6)
    shapes = (4, 6), (3, 4), (3,)
    parts = [rng.normal(size=shape).astype(np.float32) / 4 for shape in shapes]
    gradient = _Model(*parts).gradient(rows, labels, 0.1)
    for i, found in enumerate(gradient):
        direction = rng.normal(size=shapes[i]).astype(np.float32)
        values = []
        for sign in (1, -1):
            moved = [part + sign * STEP * direction if j == i else part for j, part in enumerate(parts)]
            values.append(_Model(*moved).objective(rows, labels, 0.1))
        np.testing.assert_allclose((values[0] - values[1]) / (2 * STEP), (found * direction).sum(), rtol=RTOL_GRADIENT)


def test_classes_lie_apart_where_principal_components_mix_them():
    rows, labels = rows_of()
    margin = MaxMarginProjection(10, max_iter=20).fit(rows, labels)
    plain = MaxMarginProjection(10).fit(rows)
    found, other = (scatter_ratio(fitted.transform(rows), labels) for fitted in (margin, plain))
    assert found > 2 * other
    fresh, fresh_labels = rows_of(seed=7)
    assert scatter_ratio(margin.transform(fresh), fresh_labels) > scatter_ratio(plain.transform(fresh), fresh_labels)


def test_the_objective_only_falls():
    values = MaxMarginProjection(10).fit(*rows_of()).objective_
    assert len(values) == 11
    assert (np.diff(values) <= 0).all()
    assert values[-1] < 0.8 * values[0]


def test_without_classes_the_principal_components_come_whitened():
    rows, labels = rows_of()
    for classes in (None, np.zeros_like(labels)):
        found = MaxMarginProjection(5).fit(rows, classes)
        np.testing.assert_allclose(np.cov(found.transform(rows).T), np.eye(5), atol=ATOL_RANDOMISED)
        assert found.objective_ == []


def test_equal_seeds_give_equal_bytes():
    one, two, other = (MaxMarginProjection(5, random_state=seed).fit(*rows_of()).components_ for seed in (0, 0, 1))
    assert one.dtype == np.float32
    np.testing.assert_array_equal(one, two)
    assert (one != other).any()


def test_no_more_numbers_come_out_than_there_are():
    assert MaxMarginProjection(200).fit(*rows_of(50, 8)).components_.shape == (8, 8)
    assert MaxMarginProjection(200).fit(*rows_of(6, 8)).components_.shape == (5, 8)


def test_what_cannot_be_learnt_from_is_refused():
    with pytest.raises(DataError, match="rows that are all alike"):
        MaxMarginProjection(2).fit(np.ones((5, 3)))
    with pytest.raises(DataError, match="two rows or more with a class each, got 5"):
        MaxMarginProjection(2).fit(np.eye(5), [1, 2])
