"""Names of columns, treated as scikit-learn treats them: `fit` keeps them, and every later call compares them.

scikit-learn offers its own check (``validate_data``) since version 1.6 only.
"""

import warnings

import numpy as np

from encoding.models.tables import column_names

SHOWN = 5
"""Number of names that a message lists."""


def keep_names(estimator, X):
    """Set ``feature_names_in_`` of an estimator, or remove it if the columns have no names.

    Parameters
    ----------
    estimator : BaseEstimator
    X : DataFrame, array-like or Rows
        The training rows.
    """
    names = column_names(X)
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
        If both have names and these differ, in order or at all. The message has scikit-learn's words and lines, because
        its checks of estimators compare them; a `DataError` has one line.

    Warns
    -----
    UserWarning
        If only one of the two has names.
    """
    name, trained, given = type(estimator).__name__, getattr(estimator, "feature_names_in_", None), column_names(X)
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
