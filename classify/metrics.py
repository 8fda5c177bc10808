"""How well labels and scores agree with the truth.

Conventions: the rows of a confusion matrix are the true classes, its columns the predicted ones; all shares lie in
[0, 1]; a class that is not among the true labels has no accuracy of its own (NaN) and does not count in the means.
"""

import numpy as np

from classify.text_files import listed
from idt.errors import DataError


def confusion(truth, predicted, classes):
    """Count the videos of each true class that were taken for each class.

    Parameters
    ----------
    truth, predicted : (n,) str or int
    classes : (c,) str or int
        Order of rows and columns.

    Returns
    -------
    (c, c) int64
        [true, predicted].

    Raises
    ------
    DataError
        If there are no videos, the lengths differ, or a label is not among the classes.
    """
    rows, columns = _codes(truth, classes, "truth"), _codes(predicted, classes, "predicted")
    if len(rows) != len(columns) or not len(rows):
        raise DataError(f"truth and predicted must have one label per video, got {len(rows)} and {len(columns)}")
    counts = np.zeros((len(classes), len(classes)), np.int64)
    np.add.at(counts, (rows, columns), 1)
    return counts


def accuracy(counts):
    """Return the share of the videos that were labelled rightly, from the ``counts`` of a confusion matrix."""
    return float(np.trace(counts) / counts.sum())


def per_class(counts):
    """Return the share of each true class that was labelled rightly, (c,) float64, NaN where it has no video.

    From the ``counts`` of a confusion matrix.
    """
    sizes = counts.sum(axis=1)
    return np.where(sizes > 0, np.diag(counts) / np.maximum(sizes, 1), np.nan)


def class_accuracy(counts):
    """Return the mean of the accuracies of the classes: each counts the same, however many videos it has.

    From the ``counts`` of a confusion matrix.
    """
    return float(np.nanmean(per_class(counts)))


def top_k(truth, scores, classes, *, k=5):
    """Share of the videos whose true class is among the k of highest score.

    Parameters
    ----------
    truth : (n,) str or int
    scores : (n, c) float
    classes : (c,) str or int
    k : int

    Returns
    -------
    float
        Of equal scores the earlier class is the higher, as for the prediction.

    Raises
    ------
    DataError
        If a true label is not among the classes, or the shapes do not agree.
    """
    rows, scores = _codes(truth, classes, "truth"), _checked(scores, len(truth), len(classes))
    order = np.argsort(-scores, axis=1, kind="stable")[:, :k]
    return float((order == rows[:, None]).any(axis=1).mean())


def average_precision(truth, scores, classes):
    """Average precision of each class: how high its videos are ranked among all.

    Parameters
    ----------
    truth : (n,) str or int, or (n, c) bool
        Labels, or which classes each video has when it may have several.
    scores : (n, c) float
    classes : (c,) str or int

    Returns
    -------
    (c,) float64
        NaN where the class has no video.

    Raises
    ------
    DataError
        If a true label is not among the classes, or the shapes do not agree.

    Notes
    -----
    Area under the precision steps, not interpolated (scikit-learn's `average_precision_score`).
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
    """Mean of −log of the probability that was given to the true class; 0 is certainty of the truth.

    Parameters
    ----------
    truth : (n,) str or int
    probabilities : (n, c) float
    classes : (c,) str or int

    Returns
    -------
    float
        A probability below the rounding of float64 counts as that.

    Raises
    ------
    DataError
        If a true label is not among the classes, or the shapes do not agree.
    """
    rows = _codes(truth, classes, "truth")
    given = _checked(probabilities, len(truth), len(classes))[np.arange(len(rows)), rows]
    return float(-np.log(np.maximum(given, np.finfo(np.float64).eps)).mean())


def confidence_interval(values, *, level=0.95):
    """Interval of the mean of numbers, such as those of the splits, by Student's t.

    Parameters
    ----------
    values : (n,) float
    level : float

    Returns
    -------
    low, high : float
        None if there are fewer than two numbers.

    Notes
    -----
    As if the numbers were independent, which those of splits that share training videos are not: it says how much
    splits differ, not how another set would.
    """
    from scipy.stats import t

    values = np.asarray(values, np.float64)
    if len(values) < 2:
        return None
    reach = t.ppf((1 + level) / 2, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))
    return float(values.mean() - reach), float(values.mean() + reach)


def memberships(labels, classes):
    """Which classes each video has.

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


def spread(scores, trained, classes):
    """Scores of the classes a model was trained with, as columns among all classes.

    Parameters
    ----------
    scores : (n, k) float
    trained : (k,) str or int
        All of them among ``classes``.
    classes : (c,) str or int

    Returns
    -------
    (n, c) float64
        A class that was not trained scores below all others.

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
    """Index of each label among the classes."""
    place = {label: code for code, label in enumerate(_plain(classes))}
    unknown = sorted({str(label) for label in _plain(labels) if label not in place})
    if unknown:
        raise DataError(f"{name} holds labels that are no classes: {listed(unknown)}")
    return np.array([place[label] for label in _plain(labels)], np.intp)


def _plain(labels):
    return np.asarray(labels).tolist()


def _checked(scores, n, c):
    scores = np.asarray(scores, np.float64)
    if scores.shape != (n, c) or not n:
        raise DataError(f"scores must be of shape {(n, c)}, one row per video, got {scores.shape}")
    if not np.isfinite(scores).all():
        raise DataError("scores must be finite, got NaN or infinity")
    return scores
