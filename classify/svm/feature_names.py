"""Names of columns, treated as scikit-learn treats them: `fit` keeps them, and every later call compares them.

scikit-learn offers its own check (``validate_data``) since version 1.6 only.
"""

import warnings

import numpy as np

from idt.errors import DataError

SHOWN = 5
"""Number of names that a message lists."""


def names_of(X):
    """Return the names of the columns of a table.

    Parameters
    ----------
    X : DataFrame, array-like or Rows

    Returns
    -------
    (d,) object or None
        None if ``X`` has no names, or names that are not text.

    Raises
    ------
    DataError
        If some names are text and others are not.
    """
    names = list(getattr(X, "columns", ()))
    texts = [isinstance(name, str) for name in names]
    if not any(texts):
        return None
    if not all(texts):
        other = names[texts.index(False)]
        raise DataError(f"names of columns must all be text, got {other!r}; use X.columns = X.columns.astype(str)")
    return np.array(names, dtype=object)


def keep_names(estimator, X):
    """Set ``feature_names_in_`` of an estimator, or remove it if the columns have no names.

    Parameters
    ----------
    estimator : BaseEstimator
    X : DataFrame, array-like or Rows
        The training rows.

    Raises
    ------
    DataError
        If some names are text and others are not.
    """
    names = names_of(X)
    if names is not None:
        estimator.feature_names_in_ = names
    elif hasattr(estimator, "feature_names_in_"):
        del estimator.feature_names_in_


def check_names(estimator, X):
    """Compare the names of columns with those of the training rows.

    Parameters
    ----------
    estimator : BaseEstimator
        Fitted.
    X : DataFrame, array-like or Rows

    Raises
    ------
    ValueError
        If both have names and these differ, in order or at all. The words are scikit-learn's, because its checks of
        estimators compare them.

    Warns
    -----
    UserWarning
        If only one of the two has names.
    """
    name, trained, given = type(estimator).__name__, getattr(estimator, "feature_names_in_", None), names_of(X)
    if trained is None or given is None:
        if given is not None:
            warnings.warn(f"X has feature names, but {name} was fitted without feature names", stacklevel=4)
        if trained is not None:
            warnings.warn(
                f"X does not have valid feature names, but {name} was fitted with feature names", stacklevel=4
            )
        return
    if np.array_equal(trained, given):
        return
    message = "The feature names should match those that were passed during fit.\n"
    unseen, missing = sorted({*given} - {*trained}), sorted({*trained} - {*given})
    if unseen:
        message += "Feature names unseen at fit time:\n" + _listed(unseen)
    if missing:
        message += "Feature names seen at fit time, yet now missing:\n" + _listed(missing)
    if not (unseen or missing):
        message += "Feature names must be in the same order as they were in fit.\n"
    raise ValueError(message)


def _listed(names):
    """Return names as lines, and dots for the rest."""
    return "".join(f"- {name}\n" for name in [*names[:SHOWN], *(["..."] if len(names) > SHOWN else [])])
