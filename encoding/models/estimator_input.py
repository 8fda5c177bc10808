"""Rows of an array, or of a table with named columns, as scikit-learn's estimators take them."""

from scipy import sparse
from sklearn.utils.validation import validate_data

from idt.checks import float_array
from idt.errors import DataError

LARGEST_NUMBER = 1e17
"""Largest magnitude of a number in a row; the sum of the squares of a row then fits float32."""


def rows_to_fit(estimator, X, name="descriptors", *, width=None):
    """Return rows to fit as an array, and remember the number and the names of their columns.

    Parameters
    ----------
    estimator : object
        It gets ``n_features_in_``, and ``feature_names_in_`` if all columns have names.
    X : (n, d) array or table
    name : str
        Name of the rows in messages.
    width : int, optional
        Number of columns that they must have.

    Returns
    -------
    (n, d) float32

    Raises
    ------
    DataError
        If ``X`` does not hold finite numbers, or has not ``width`` columns.
    """
    rows = _array(X, width, name)
    _check_columns(estimator, X, name, reset=True)
    return rows


def rows_as_fitted(estimator, X, name="descriptors"):
    """Return rows as an array, if they have the columns that an estimator was fitted on.

    Parameters
    ----------
    estimator : object
        Fitted.
    X : (n, d) array or table
    name : str
        Name of the rows in messages.

    Returns
    -------
    (n, d) float32

    Raises
    ------
    DataError
        If ``X`` does not hold finite numbers, or its columns are others or in another order.

    Warns
    -----
    UserWarning
        If only one of the two has column names, as scikit-learn warns.
    """
    _check_columns(estimator, X, name, reset=False)
    return _array(X, estimator.n_features_in_, name)


def _check_columns(estimator, X, name, *, reset):
    """Have scikit-learn remember the columns of an estimator, or compare them."""
    try:
        validate_data(estimator, X, skip_check_array=True, reset=reset)
    except (TypeError, ValueError) as problem:
        raise DataError(f"{name}: {' '.join(str(problem).split())}") from None


def _array(X, width, name):
    """Return the rows as an array, or refuse them."""
    if sparse.issparse(X):
        raise DataError(f"{name} must be dense, got a sparse matrix of shape {X.shape}; use X.toarray()")
    return float_array(X, (None, width), name)
