"""Pictures of a report and of a comparison; matplotlib is loaded when one is drawn, and need not be installed.

A worker process draws them in the root folder, because matplotlib reads a ``matplotlibrc`` of the current folder,
which may be a stranger's.
"""

import io
import os
import warnings

import numpy as np

from idt.errors import one_line
from idt.workers import processes

NO_MATPLOTLIB = "no picture: matplotlib is not installed; pip install 'improved-dense-trajectories[plots]' brings it"

LONGEST_NAME = 60
"""Most characters of a name; the middle of a longer one is left out."""

MOST_CLASSES_WITH_COUNTS = 30
"""Most classes of a confusion matrix whose cells show their counts."""


def confusion_png(counts, classes):
    """Draw a confusion matrix, each row shaded by its shares.

    Parameters
    ----------
    counts : (c, c) int
        Number of videos, [true, predicted].
    classes : (c,) str

    Returns
    -------
    bytes or None
        A PNG file, the same for the same numbers; None where matplotlib is not installed.
    """
    return draw_picture(_confusion, counts, [str(label) for label in classes])


def _confusion(counts, classes):
    from matplotlib.figure import Figure

    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    side = 2.5 + 0.4 * len(classes) if len(classes) <= MOST_CLASSES_WITH_COUNTS else 2.5 + 0.16 * len(classes)
    # A Figure of its own instead of pyplot: no window system, no state that outlives the call.
    figure = Figure(figsize=(side, side), layout="constrained")
    axes = figure.subplots()
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    size = 9 if len(classes) <= MOST_CLASSES_WITH_COUNTS else 6
    names = [shown_name(label) for label in classes]
    axes.set_xticks(range(len(names)), names, rotation=90, fontsize=size)
    axes.set_yticks(range(len(names)), names, fontsize=size)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    if len(classes) <= MOST_CLASSES_WITH_COUNTS:
        for row, column in np.argwhere(counts):
            colour = "white" if shares[row, column] > 0.5 else "black"
            axes.text(column, row, counts[row, column], ha="center", va="center", color=colour, fontsize=size)
    return figure


def costs_png(names, seconds, percents, metric):
    """Draw the metric of recipes against their cost in time.

    Parameters
    ----------
    names : sequence of str
    seconds : sequence of float
    percents : sequence of float
    metric : str
        Metric of the percents.

    Returns
    -------
    bytes or None
        A PNG file, the same for the same numbers; None where matplotlib is not installed.
    """
    return draw_picture(_costs, list(names), list(seconds), list(percents), metric)


def _costs(names, seconds, percents, metric):
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 6), layout="constrained")
    axes = figure.subplots()
    axes.scatter(seconds, percents, s=25)
    for name, x, y in zip(names, seconds, percents, strict=True):
        axes.annotate(shown_name(name), (x, y), textcoords="offset points", xytext=(5, 3), fontsize=8)
    axes.set_xscale("log")
    axes.set_xlabel("seconds after the extraction")
    axes.set_ylabel(f"{metric}, %")
    axes.grid(visible=True, alpha=0.3)
    return figure


def shown_name(name, longest=LONGEST_NAME):
    """Return ``name`` on one line of at most ``longest`` characters, with dollar signs escaped for matplotlib."""
    return one_line(str(name), longest).replace("$", r"\$")


def draw_picture(draw, *arguments, form="png"):
    """Return the picture that ``draw`` makes of ``arguments``, or None where matplotlib is not installed.

    Its ``form`` is "png" or "svg"; both are bytes.

    Raises
    ------
    OSError
        If the process that draws is lost.
    """
    ((_, picture),) = processes.run(_draw, [(draw, arguments, form)], keep=True)
    if isinstance(picture, processes.Lost):
        raise OSError(f"the picture could not be drawn: {picture.reason}")
    return picture


def _draw(draw, arguments, form):
    """Draw one picture; a task of a worker process. It changes to the root folder first."""
    os.chdir("/")
    try:
        import matplotlib
    except ImportError:
        return None
    # Defaults, not the user's settings, so that the picture depends on its numbers only.
    matplotlib.rcdefaults()
    matplotlib.rcParams["svg.hashsalt"] = "idt"
    file = io.BytesIO()
    with warnings.catch_warnings():
        # Letters that the font lacks become boxes, and long names may leave no room for the layout; both are accepted.
        warnings.simplefilter("ignore", UserWarning)
        # None leaves an entry out, because versions and dates would make equal pictures differ.
        metadata = {"Software": None} if form == "png" else {"Creator": None, "Date": None}
        draw(*arguments).savefig(file, format=form, dpi=120, metadata=metadata)
    return file.getvalue()
