"""Measures of agreement between predictions and true labels.

Conventions: the rows of a confusion matrix are the true classes, its columns the predicted ones. All shares lie in
[0, 1]. A class without true videos has the accuracy NaN and does not count in the means.

Counts and average precision are scikit-learn's. Its `top_k_accuracy_score` prefers the later of equal scores and takes
scores of two classes in another form, its `log_loss` is not 0 if all predictions are right, and its
`balanced_accuracy_score` warns of classes without true videos, so these are ours.
"""

import numpy as np

from classify.text_files import listed
from idt.errors import DataError


def confusion(truth, predicted, classes):
    """Count the videos of each true class by predicted class.

    Parameters
    ----------
    truth, predicted : (n,) str or int
    classes : (c,) str or int
        Classes in the order of the rows and columns.

    Returns
    -------
    (c, c) int64
        Counts, indexed [true, predicted].

    Raises
    ------
    DataError
        If there are no videos, the lengths differ, or a label is not among the classes.
    """
    from sklearn.metrics import confusion_matrix

    rows, columns = _codes(truth, classes, "truth"), _codes(predicted, classes, "predicted")
    if len(rows) != len(columns) or not len(rows):
        raise DataError(f"truth and predicted must have one label per video, got {len(rows)} and {len(columns)}")
    return confusion_matrix(rows, columns, labels=range(len(classes)))


def accuracy(counts):
    """Return the share of the videos that were labelled rightly, from the ``counts`` of a confusion matrix."""
    return float(np.trace(counts) / counts.sum())


def class_accuracies(counts):
    """Return the share of each true class that was labelled rightly, (c,) float64, NaN where it has no video.

    From the ``counts`` of a confusion matrix.
    """
    sizes = counts.sum(axis=1)
    return np.where(sizes > 0, np.diag(counts) / np.maximum(sizes, 1), np.nan)


def class_accuracy(counts):
    """Return the mean of the accuracies of the classes: each counts the same, however many videos it has.

    From the ``counts`` of a confusion matrix.
    """
    return float(np.nanmean(class_accuracies(counts)))


def top_k(truth, scores, classes, *, k=5):
    """Compute the share of videos whose true class is among the k classes with the highest scores.

    Parameters
    ----------
    truth : (n,) str or int
    scores : (n, c) float
    classes : (c,) str or int
    k : int

    Returns
    -------
    float
        Among equal scores the earlier class ranks higher, as in a prediction.

    Raises
    ------
    DataError
        If a true label is not among the classes, or the shapes do not agree.
    """
    rows, scores = _codes(truth, classes, "truth"), _checked(scores, len(truth), len(classes))
    order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    return float((order == rows[:, None]).any(axis=1).mean())


def average_precision(truth, scores, classes):
    """Compute the average precision of each class: how high its videos rank among all.

    Parameters
    ----------
    truth : (n,) str or int, or (n, c) bool
        Labels, or if videos may have several classes, whether each video has each class.
    scores : (n, c) float
    classes : (c,) str or int

    Returns
    -------
    (c,) float64
        NaN if the class has no video.

    Raises
    ------
    DataError
        If a true label is not among the classes, or the shapes do not agree.

    Notes
    -----
    The area under the steps of precision over recall, without interpolation, as scikit-learn's
    `average_precision_score` computes it.
    """
    from sklearn.metrics import average_precision_score

    scores = _checked(scores, len(truth), len(classes))
    if np.ndim(truth) == 2:
        holds = np.asarray(truth, bool)
        if holds.shape != scores.shape:
            raise DataError(f"truth must be of shape {scores.shape} like the scores, got {holds.shape}")
    else:
        holds = _codes(truth, classes, "truth")[:, None] == np.arange(len(classes))
    return np.array(
        [
            average_precision_score(have, score) if have.any() else np.nan
            for have, score in zip(holds.T, scores.T, strict=True)
        ]
    )


def mean_average_precision(truth, scores, classes):
    """Return the mean over ``classes`` of the `average_precision` of their ``scores`` given the ``truth``, "mAP"."""
    return float(np.nanmean(average_precision(truth, scores, classes)))


def log_loss(truth, probabilities, classes):
    """Compute the mean of −log p over the videos, where p is the predicted probability of the true class.

    Parameters
    ----------
    truth : (n,) str or int
    probabilities : (n, c) float
    classes : (c,) str or int

    Returns
    -------
    float
        0 if every true class has probability 1. A probability below the rounding of float64 counts as that rounding.

    Raises
    ------
    DataError
        If a true label is not among the classes, or the shapes do not agree.
    """
    rows = _codes(truth, classes, "truth")
    given = _checked(probabilities, len(truth), len(classes))[np.arange(len(rows)), rows]
    return float(-np.log(np.maximum(given, np.finfo(np.float64).eps)).mean())


def confidence_interval(values, *, level=0.95):
    """Compute the confidence interval of a mean by Student's t.

    Parameters
    ----------
    values : (n,) float
        Numbers, such as the accuracies of the splits.
    level : float
        Probability that the interval holds the mean.

    Returns
    -------
    low, high : float
        None instead of both if there are fewer than two numbers.

    Notes
    -----
    The formula assumes independent numbers. Splits that share training videos are not independent, so the interval says
    how much splits differ, not how another data set would.
    """
    from scipy.stats import t

    values = np.asarray(values, np.float64)
    if len(values) < 2:
        return None
    reach = t.ppf((1 + level) / 2, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
    return float(values.mean() - reach), float(values.mean() + reach)


def memberships(labels, classes):
    """Convert tuples of labels to a matrix of whether each video has each class.

    Parameters
    ----------
    labels : sequence of tuple of str
    classes : (c,) str

    Returns
    -------
    (n, c) bool

    Raises
    ------
    DataError
        If a label is not among the classes.
    """
    out = np.zeros((len(labels), len(classes)), bool)
    for row, names in zip(out, labels, strict=True):
        row[_codes(names, classes, "truth")] = True
    return out


def scores_of_all_classes(scores, trained, classes):
    """Place the scores of trained classes in the columns of all classes.

    Parameters
    ----------
    scores : (n, k) float
    trained : (k,) str or int
        Trained classes, all of them among ``classes``.
    classes : (c,) str or int

    Returns
    -------
    (n, c) float64
        A class that was not trained has a score below all others.

    Raises
    ------
    DataError
        If a trained class is not among the classes, or the shapes do not agree.
    """
    scores = _checked(scores, len(scores), len(trained))
    out = np.full((len(scores), len(classes)), scores.min(initial=0.0) - 1)
    out[:, _codes(trained, classes, "trained")] = scores
    return out


def _codes(labels, classes, name):
    """Return the index of each label among the classes."""
    place = {label: code for code, label in enumerate(_plain(classes))}
    unknown = sorted({str(label) for label in _plain(labels) if label not in place})
    if unknown:
        raise DataError(f"{name} holds labels that are no classes: {listed(unknown)}")
    return np.array([place[label] for label in _plain(labels)], np.intp)


def _plain(labels):
    """Return labels as a list of Python's own types."""
    return np.asarray(labels).tolist()


def _checked(scores, n, c):
    """Return scores as (n, c) float64, or refuse them."""
    scores = np.asarray(scores, np.float64)
    if scores.shape != (n, c) or not n:
        raise DataError(f"scores must be of shape {(n, c)}, one row per video, got {scores.shape}")
    if not np.isfinite(scores).all():
        raise DataError("scores must be finite, got NaN or infinity")
    return scores
