"""What the fitted models share with scikit-learn's own estimators: its words, its checks, tables in and out."""

import inspect
import pickle
import warnings

import numpy as np
import numpydoc.docscrape
import pytest
import sklearn
from sklearn import decomposition
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils import estimator_checks

from encoding.models.gmm import DiagonalGMM
from encoding.models.kmeans import KMeans
from encoding.models.max_margin import MaxMarginProjection
from encoding.models.pca import PCA
from idt.errors import DataError

MODELS = {
    "PCA": lambda: PCA(2),
    "DiagonalGMM": lambda: DiagonalGMM(2),
    "KMeans": lambda: KMeans(2, n_init=1),
    "MaxMarginProjection": lambda: MaxMarginProjection(2),
}
TRANSFORMERS = [name for name in MODELS if name != "DiagonalGMM"]
RANDOM = [name for name in MODELS if name != "PCA"]

# Left out: checks that ask for scikit-learn's own wording of an error, for float64 results, for arrays of objects, or
# for the clusters of the fitted rows.
CHECKS = (
    "check_no_attributes_set_in_init check_parameters_default_constructible check_get_params_invariance"
    " check_set_params check_estimator_repr check_estimator_cloneable check_do_not_raise_errors_in_init_or_set_params"
    " check_mixin_order check_valid_tag_types check_estimator_tags_renamed check_dict_unchanged"
    " check_dont_overwrite_parameters check_estimators_dtypes check_estimators_fit_returns_self"
    " check_estimators_nan_inf check_estimators_overwrite_params check_estimators_pickle check_estimators_unfitted"
    " check_f_contiguous_array_estimator check_fit1d check_fit2d_1feature check_fit_check_is_fitted"
    " check_fit_idempotent check_fit_score_takes_y check_methods_sample_order_invariance"
    " check_methods_subset_invariance check_n_features_in check_pipeline_consistency"
    " check_positive_only_tag_during_fit check_readonly_memmap_input check_estimator_sparse_array"
    " check_estimator_sparse_matrix"
).split()
TRANSFORMER_CHECKS = (
    "check_transformer_data_not_an_array check_transformer_general check_transformer_n_iter check_transformers_unfitted"
).split()
ATOL_SCORE = 1e-4  # float32 means and directions under a float64 density, nats per row


def rows_of(n=60, d=4, seed=0):
    return np.random.default_rng(seed).normal(size=(n, d)).astype(np.float32)


def labels_of(n=60):
    return np.arange(n) % 3


def learned(model):
    """The fitted arrays."""
    return {name: value for name, value in vars(model).items() if name.endswith("_") and isinstance(value, np.ndarray)}


@pytest.fixture(params=MODELS)
def model(request):
    return MODELS[request.param]()


@pytest.mark.slow
@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("name", MODELS)
def test_scikit_learns_own_checks_pass(name, check):
    if not hasattr(estimator_checks, check):
        pytest.skip(f"this version of scikit-learn has no {check}")
    with warnings.catch_warnings():
        # Some checks fit data of fewer different rows than scikit-learn likes.
        warnings.simplefilter("ignore", sklearn.exceptions.ConvergenceWarning)
        getattr(estimator_checks, check)(name, MODELS[name]())


@pytest.mark.parametrize("check", TRANSFORMER_CHECKS)
@pytest.mark.parametrize("name", TRANSFORMERS)
def test_scikit_learns_own_checks_of_transformers_pass(name, check):
    getattr(estimator_checks, check)(name, MODELS[name]())


def test_every_parameter_is_written_out_and_documented(model):
    documented = numpydoc.docscrape.ClassDoc(type(model))["Parameters"]
    assert [part.name for part in documented] == list(inspect.signature(type(model)).parameters)
    assert all(part.desc for part in documented)


def test_clones_and_pickles_fit_alike(model):
    one = clone(model).fit(rows_of(), labels_of())
    two = pickle.loads(pickle.dumps(model.fit(rows_of(), labels_of())))
    for name, values in learned(one).items():
        np.testing.assert_array_equal(learned(two)[name], values)


def test_the_columns_of_a_table_are_remembered_and_held_to(model):
    table = pytest.importorskip("pandas").DataFrame
    names = ["a", "b", "c", "d"]
    model.fit(table(rows_of(), columns=names), labels_of())
    assert model.feature_names_in_.tolist() == names
    assert model.n_features_in_ == 4
    use = model.transform if hasattr(model, "transform") else model.predict
    np.testing.assert_array_equal(use(table(rows_of(5), columns=names)), use(table(rows_of(5), columns=names)))
    with pytest.raises(DataError, match="feature names should match those that were passed during fit"):
        use(table(rows_of(5), columns=["b", "a", "c", "d"]))
    with pytest.warns(UserWarning, match=f"does not have valid feature names, but {type(model).__name__} was fitted"):
        use(rows_of(5))
    model.fit(rows_of(), labels_of())
    assert not hasattr(model, "feature_names_in_")
    with pytest.warns(UserWarning, match=f"X has feature names, but {type(model).__name__} was fitted without"):
        use(table(rows_of(5), columns=names))
    # As in scikit-learn, names that are no text are none.
    use(table(rows_of(5), columns=range(4)))
    many = [f"column{i}" for i in range(8)]
    model.fit(table(rows_of(d=8), columns=many), labels_of())
    with pytest.raises(DataError, match="Feature names must be in the same order as they were in fit"):
        use(table(rows_of(5, 8), columns=many[::-1]))


def test_sparse_rows_are_refused_with_the_remedy(model):
    from scipy import sparse

    with pytest.raises(DataError, match=r"must be dense, got a sparse matrix of shape \(60, 4\); use X.toarray"):
        model.fit(sparse.csr_array(rows_of()))


@pytest.mark.parametrize("name", TRANSFORMERS)
def test_transformed_columns_have_the_names_of_the_class(name):
    model = MODELS[name]().fit(rows_of(), labels_of())
    assert model.get_feature_names_out().tolist() == [f"{name.lower()}0", f"{name.lower()}1"]
    assert model.fit_transform(rows_of(), labels_of()).shape == (60, 2)


@pytest.mark.parametrize("name", TRANSFORMERS)
def test_tables_come_out_when_they_are_asked_for(name):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(rows_of(), columns=list("abcd"), index=range(100, 160))
    model = MODELS[name]().set_output(transform="pandas").fit(frame, labels_of())
    found = model.transform(frame)
    assert found.columns.tolist() == model.get_feature_names_out().tolist()
    assert found.index.tolist() == list(range(100, 160))
    plain = model.set_output(transform="default").transform(frame)
    assert isinstance(plain, np.ndarray)
    np.testing.assert_array_equal(found, plain)


def test_a_subclass_with_parameters_of_its_own_works(model):
    class Mine(type(model)):
        def __init__(self, *, mine=1):
            super().__init__(2)
            self.mine = mine

    made = clone(Mine(mine=3))
    assert made.get_params() == {"mine": 3}
    assert made.fit(rows_of(), labels_of()).n_features_in_ == 4


@pytest.mark.parametrize("name", RANDOM)
@pytest.mark.parametrize("value", [None, -1, 1.0, True, np.random.RandomState(0), 2**32])
def test_a_random_state_that_is_no_whole_number_is_refused(name, value):
    model = MODELS[name]().set_params(random_state=value)
    with pytest.raises(
        DataError, match=r"random_state must be an integer from 0 to .*; equal calls give equal numbers"
    ):
        model.fit(rows_of(), labels_of())
    MODELS[name]().set_params(random_state=np.int64(7)).fit(rows_of(), labels_of())


def test_nothing_that_is_learned_can_be_used_before_the_fit(model):
    methods = [
        name
        for name, _ in inspect.getmembers(type(model), inspect.isfunction)
        if not name.startswith(("_", "fit", "get_p", "get_m", "set_"))
    ]
    assert {"score", "transform", "predict"} & set(methods)
    for name in methods:
        rows = () if name in ("get_feature_names_out", "mixture") else (rows_of(),)
        with pytest.raises(NotFittedError, match="not fitted yet"):
            list(getattr(model, name)(*rows))  # a generator begins when it is asked for the first


# What each of them has besides.


@pytest.mark.parametrize("m", [1, 3, 4])
def test_the_score_of_pca_is_that_of_scikit_learn(m):
    rows = rows_of(300) @ np.diag(np.float32([4, 2, 1, 0.5]))
    rival = decomposition.PCA(m).fit(rows)
    assert PCA(m).fit(rows).score(rows) == pytest.approx(rival.score(rows), abs=ATOL_SCORE)


def test_a_pca_without_its_noise_has_no_score():
    fitted = PCA(2).fit(rows_of())
    with pytest.raises(DataError, match="needs at least one descriptor, got none"):
        fitted.score(rows_of(0))
    stored = PCA.from_parameters(fitted.mean_, fitted.components_, fitted.explained_variance_)
    np.testing.assert_array_equal(stored.transform(rows_of()), fitted.transform(rows_of()))
    with pytest.raises(DataError, match="the directions that were not kept; fit the PCA anew"):
        stored.score(rows_of())
