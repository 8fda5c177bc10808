"""A timeline of each video: the true segments above the predicted ones, the scores of the classes below.

Matplotlib draws it, in a process of its own (`classify.reports.plots`).
"""

from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import numpy as np

from classify.reports.plots import NO_MATPLOTLIB, draw_picture, shown_name
from idt.errors import DataError
from idt.files.atomic import replacing
from idt.files.marks import mark_picture

SUFFIXES = (".png", ".svg")

MOST_VIDEOS = 20
"""Most videos of a picture; more would make it higher than viewers show."""

MOST_POINTS = 2000
"""Most points of a curve. Longer ones are drawn as means of neighbouring points."""

MOST_NAMED_CLASSES = 20
"""Most classes whose colours a legend names."""


class LabelRow(NamedTuple):
    """Row of coloured segments: the ``name`` of the row, ``spans`` (n, 2) in seconds and ``labels`` (n,)."""

    name: str
    spans: np.ndarray
    labels: list[str]


class Panel(NamedTuple):
    """Part of the picture that shows one video.

    Attributes
    ----------
    name : str
    seconds : float
        Length of the video.
    rows : list of LabelRow
        From top to bottom.
    times : (p,) float64
        Seconds of the scores.
    scores : (p, C) float64
    """

    name: str
    seconds: float
    rows: list[LabelRow]
    times: np.ndarray
    scores: np.ndarray


def panel_of(found, truth=None):
    """Make the panel of one video.

    Parameters
    ----------
    found : classify.untrimmed.segment_videos.Segmented
    truth : Segments, optional
        True segments of all videos.

    Returns
    -------
    Panel
    """
    rows = []
    if truth is not None:
        rows.append(_label_row("true", truth.rows(truth.videos == found.name)))
    rows.append(_label_row("predicted", found.segments))
    table = found.scores
    step = -(-len(table.values) // MOST_POINTS)
    starts = np.arange(0, len(table.values), step)
    counts = np.minimum(starts + step, len(table.values)) - starts
    return Panel(
        found.name,
        table.frames / table.fps,
        rows,
        (starts + counts / 2) / table.rate,
        np.add.reduceat(table.values, starts, axis=0) / counts[:, None],
    )


def check_timeline(path):
    """Refuse a timeline that cannot be drawn, before any work.

    Parameters
    ----------
    path : str or Path

    Raises
    ------
    DataError
        If its suffix is none of `SUFFIXES`, or matplotlib is not installed.
    """
    if Path(path).suffix.lower() not in SUFFIXES:
        raise DataError(f"{path} must end in {' or '.join(SUFFIXES)}, the forms of a timeline")
    if find_spec("matplotlib") is None:
        raise DataError(f"{path}: {NO_MATPLOTLIB}")


def write_timeline(path, panels, classes, *, overwrite=False):
    """Draw the timelines of videos.

    Parameters
    ----------
    path : str or Path
        Ends in one of `SUFFIXES`.
    panels : list of Panel
        At most `MOST_VIDEOS`.
    classes : list of str
        Classes of the columns of the scores.
    overwrite : bool or collection of path
        As for `idt.files.atomic.replacing`.

    Raises
    ------
    DataError
        If there are too many videos or none, it cannot be drawn, or ``path`` exists and may not be replaced.
    OSError
        If it cannot be written.
    """
    check_timeline(path)
    if not 0 < len(panels) <= MOST_VIDEOS:
        raise DataError(f"a timeline shows 1 to {MOST_VIDEOS} videos, got {len(panels)}; segment fewer at once")
    suffix = Path(path).suffix.lower()
    picture = draw_picture(_timelines, panels, [str(label) for label in classes], form=suffix[1:])
    if picture is None:
        raise DataError(f"{path}: {NO_MATPLOTLIB}")
    with replacing(path, overwrite=overwrite, unmarked=suffix != ".png") as part:
        part.write(mark_picture(picture, suffix))


def _label_row(name, segments):
    return LabelRow(name, segments.spans, segments.labels.tolist())


def _timelines(panels, classes):
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

    known = [*classes, *sorted({label for panel in panels for row in panel.rows for label in row.labels})]
    colours = {label: _colour(number) for number, label in enumerate(dict.fromkeys(known))}
    named = len(colours) <= MOST_NAMED_CLASSES
    height = 0.6 + 2.6 * len(panels)
    figure = Figure(figsize=(12, height))
    # Fixed margins, because matplotlib's layout solvers iterate over sets: their results differ between processes in
    # the last bit.
    margins = {"left": 0.07, "right": 0.86 if named else 0.98, "bottom": 0.45 / height, "top": 1 - 0.3 / height}
    ratios = [1, 1.4] * len(panels)
    grid = figure.subplots(len(ratios), 1, squeeze=False, height_ratios=ratios, gridspec_kw={**margins, "hspace": 0.5})
    grid = grid[:, 0]
    for panel, bars, curves in zip(panels, grid[::2], grid[1::2], strict=True):
        _draw_rows(bars, panel, colours)
        for column, label in enumerate(classes):
            curves.plot(panel.times, panel.scores[:, column], color=colours[label], linewidth=1)
        for axes in (bars, curves):
            axes.set_xlim(0, panel.seconds)
        curves.set_ylabel("score", fontsize=8)
        curves.tick_params(labelsize=8)
        curves.grid(visible=True, alpha=0.3)
    grid[-1].set_xlabel("seconds")
    if named:
        handles = [Patch(color=colour, label=shown_name(label)) for label, colour in colours.items()]
        figure.legend(handles=handles, loc="upper right", fontsize=8, frameon=False)
    return figure


def _draw_rows(axes, panel, colours):
    """Draw the rows of segments, the first on top; overlapping ones of a row show through each other."""
    count = len(panel.rows)
    for place, row in enumerate(panel.rows):
        for (start, end), label in zip(row.spans.tolist(), row.labels, strict=True):
            low = count - 1 - place + 0.1
            axes.broken_barh([(start, end - start)], (low, 0.8), color=colours[label], alpha=0.85, linewidth=0)
            if end - start > 0.05 * panel.seconds:
                name = shown_name(label)
                axes.text((start + end) / 2, low + 0.4, name, ha="center", va="center", fontsize=7, clip_on=True)
    axes.set_ylim(0, count)
    axes.set_yticks([count - 0.5 - place for place in range(count)], [row.name for row in panel.rows], fontsize=8)
    axes.tick_params(labelbottom=False)
    axes.set_title(shown_name(panel.name), fontsize=9, loc="left")


def _colour(number):
    from matplotlib import colormaps

    return colormaps["tab20"]((2 * number + number // 10) % 20)
