"""Rows of an array, or of a table with named columns, as scikit-learn's estimators take them.

scikit-learn's own check of column names is public from its version 1.6 on only (``validate_data``).
"""

import warnings

import numpy as np
from scipy import sparse

from idt.checks import float_array
from idt.errors import DataError

LARGEST = 1e17
"""No number of a row is above this: the squares of a row still add up in float32."""


def fitted_rows(estimator, X, name="descriptors", *, width=None):
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
        If ``X`` does not hold finite numbers, or not as many columns.
    """
    rows, names = _array(X, width, name), column_names(X)
    estimator.n_features_in_ = rows.shape[1]
    if names is not None:
        estimator.feature_names_in_ = names
    else:
        # A second fit forgets the names of the first.
        vars(estimator).pop("feature_names_in_", None)
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
    names, known = column_names(X), getattr(estimator, "feature_names_in_", None)
    if names is None and known is not None:
        _warn(f"X does not have valid feature names, but {type(estimator).__name__} was fitted with feature names")
    if names is not None and known is None:
        _warn(f"X has feature names, but {type(estimator).__name__} was fitted without feature names")
    if names is not None and known is not None and not np.array_equal(names, known):
        raise DataError(
            f"the columns of {name} must be those of the fit, in their order, {_listed(known)}, got {_listed(names)}"
        )
    return _array(X, estimator.n_features_in_, name)


def column_names(X):
    """Return the names of the columns of a table ``X``, (d,) object; None if there are none or not all are text."""
    names = getattr(X, "columns", None)
    if names is None or not len(names) or not all(isinstance(name, str) for name in names):
        return None
    return np.asarray(list(names), dtype=object)


def _array(X, width, name):
    """The rows as an array."""
    if sparse.issparse(X):
        raise DataError(f"{name} must be dense, got a sparse matrix of shape {X.shape}; use X.toarray()")
    return float_array(X, (None, width), name)


def _listed(names):
    """The first names, for a message."""
    return ", ".join(map(repr, names[:5])) + (f" and {len(names) - 5} more" if len(names) > 5 else "")


def _warn(message):
    # The line of the caller's call of a method of the estimator.
    warnings.warn(message, UserWarning, stacklevel=4)
