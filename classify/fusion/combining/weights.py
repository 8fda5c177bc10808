"""Weights of the sources: given, the default, or searched for on validation videos.

The default gives improved dense trajectories 0.25 and all networks together 0.75, as ActionVLAD + iDT does (Girdhar et
al. 2017). Weights that were searched for on the test videos make the accuracy too high. They serve to study the curve
of accuracy over the weight, and reports mark their numbers.
"""

import itertools
import re

import numpy as np

from classify.fusion.score_file import FORM
from classify.fusion.sources import WEIGHT
from idt.errors import DataError, did_you_mean, short_repr

CLASSICAL_WEIGHT = 0.25
"""Default weight of all sources of dense trajectories together; all networks together have the rest of 1."""

TRAJECTORIES = re.compile(r"(?<![a-z])(?:idt|dt|mifs|trajectories)(?![a-z])", re.IGNORECASE)
"""Words in the name of a source that mark it as trajectories."""

STEPS = {2: 100, 3: 40, 4: 20, 5: 12, 6: 10}
"""Number of sources → number of equal parts of 1 that a search divides among them; 8 parts for more sources."""

LARGEST_SEARCH = 20_000
"""Most combinations of weights that a search tries."""


def classical_sources(names, forms):
    """Return the names of the sources that are dense trajectories and not networks.

    Parameters
    ----------
    names : list of str
    forms : dict of str to list of str
        Forms of the files of each source.

    Returns
    -------
    list of str
        Empty unless there are both kinds.
    """
    found = [name for name in names if TRAJECTORIES.search(name)]
    if not found:
        found = [name for name in names if set(forms.get(name, ())) == {FORM}]
    return found if 0 < len(found) < len(names) else []


def default_weights(names, classical):
    """Return the default weights.

    Parameters
    ----------
    names, classical : list of str
        Names of all sources, and of the sources of dense trajectories.

    Returns
    -------
    dict of str to float
        Equal ones if all sources are of one kind.
    """
    if not classical:
        return dict.fromkeys(names, 1 / len(names))
    others = len(names) - len(classical)
    return {
        name: CLASSICAL_WEIGHT / len(classical) if name in classical else (1 - CLASSICAL_WEIGHT) / others
        for name in names
    }


def checked_weights(weights, names):
    """Check weights that were given.

    Parameters
    ----------
    weights : dict of str to float
    names : list of str
        All sources.

    Returns
    -------
    dict of str to float
        The weights, divided by their sum.

    Raises
    ------
    DataError
        If a source is unknown or has no weight, a weight is negative or no number, or all are 0.
    """
    unknown = [name for name in weights if name not in names]
    if unknown:
        raise DataError(
            f"weights name {short_repr(unknown[0])}, which is no source; sources are {', '.join(names)}"
            f"{did_you_mean(unknown[0], names)}"
        )
    missing = [name for name in names if name not in weights]
    if missing:
        raise DataError(f"weights lack {', '.join(missing)}; give every source a weight, 0 leaves it out")
    values = {name: WEIGHT.check(f"weight of {name}", weights[name]) for name in names}
    total = sum(values.values())
    if not total > 0:
        raise DataError("weights sum to 0, expected a sum above it; give at least one source a weight above 0")
    return {name: value / total for name, value in values.items()}


def parse_weights(text):
    """Read weights as they are written on a command line.

    Parameters
    ----------
    text : str
        ``idt=0.25,cnn=0.75``.

    Returns
    -------
    dict of str to float

    Raises
    ------
    DataError
        If a part is no name and number, or a name occurs twice.
    """
    found: dict[str, float] = {}
    for part in text.split(","):
        name, equals, number = (piece.strip() for piece in part.rpartition("="))
        try:
            value = float(number)
        except ValueError:
            value = None
        if not equals or not name or value is None:
            raise DataError(f"weights must be NAME=NUMBER,NAME=NUMBER, got {short_repr(part)}")
        if name in found:
            raise DataError(f"weights name {name} twice")
        found[name] = value
    return found


def weighted_sum(scaled, weights):
    """Return the weighted sum of the scores of all sources.

    Parameters
    ----------
    scaled : dict of str to (n, C) float64
    weights : dict of str to float

    Returns
    -------
    (n, C) float64
    """
    total = np.zeros_like(next(iter(scaled.values())))
    for name, values in scaled.items():
        if weights.get(name, 0):
            total += weights[name] * values
    return total


def searched_weights(gathered, start, metric):
    """Search for the weights with the largest metric.

    Parameters
    ----------
    gathered : Gathered
        Scores of the videos to search on.
    start : dict of str to float
        Of equally good weights the nearest to these are taken.
    metric : callable
        Function of the true labels, (n, C) bool, and the scores, (n, C), that returns a number to maximise.

    Returns
    -------
    dict of str to float

    Raises
    ------
    DataError
        If there are too many sources to search.
    """
    names = list(gathered.scaled)
    parts = STEPS.get(len(names), 8)
    grid = weight_grid(len(names), parts)
    near = np.array([start[name] for name in names])
    best, found = -np.inf, near
    # The nearest weights come first, because the first of equally good ones is kept.
    for weights in grid[np.argsort(np.square(grid - near).sum(axis=1), kind="stable")]:
        score = metric(gathered.truth.has_class, weighted_sum(gathered.scaled, dict(zip(names, weights, strict=True))))
        if score > best:
            best, found = score, weights
    return {name: float(weight) for name, weight in zip(names, found, strict=True)}


def weight_grid(count, parts):
    """Return all weights of ``count`` sources that are multiples of 1 / ``parts`` and sum to 1, (m, count) float64."""
    n_weights = 1
    for k in range(1, count):
        n_weights = n_weights * (parts + k) // k
    if n_weights > LARGEST_SEARCH:
        raise DataError(
            f"a search over {count} sources would try {n_weights:,} weights; give weights, or fewer sources"
        )
    # Stars and bars: count - 1 bars among the parts; a source gets the parts between two bars.
    places = parts + count - 1
    bars = np.array(list(itertools.combinations(range(places), count - 1)), np.intp).reshape(-1, count - 1)
    return (np.diff(bars, axis=1, prepend=-1, append=places) - 1) / parts
