"""Charts of a page as SVG that takes its colours from the page: light, dark or paper.

Charts are narrow, so that their letters can be read on a phone. Text stays text. `draw_charts` draws all charts of a
page in one worker process, for the reasons of `classify.reports.plots`.
"""

import io
import os
import re
import warnings
from collections import defaultdict
from typing import Any

from classify.reports.page.template import markup
from classify.reports.plots import shown_name
from idt.workers import processes

INK, FAINT, MAIN, OTHER, PLAIN = "#010203", "#040506", "#070809", "#0a0b0c", "#0d0e0f"
VARIABLES = {
    INK: "var(--ink)",
    FAINT: "var(--faint)",
    MAIN: "var(--main)",
    OTHER: "var(--other)",
    PLAIN: "var(--plain)",
}
"""Placeholder colour in a chart → the variable of the page's style that replaces it."""

WIDTH = 4.3
"""Width of a chart in inches of 72 points."""

COLOURED = ("text.color", "axes.labelcolor", "xtick.color", "ytick.color")
"""Settings of matplotlib for the colour of text."""


def bars(names, values, *, spans=None, unit="%", marked=()):
    """Describe a chart of horizontal bars.

    Parameters
    ----------
    names : sequence of str
    values : sequence of float
        May be negative.
    spans : sequence of (float, float) or None, optional
        Confidence interval of each bar.
    unit : str
        Unit of the values.
    marked : collection of int
        Indices of the bars to highlight. Bars of negative values always are.

    Returns
    -------
    tuple
        Chart for `draw_charts`.
    """
    return _bars, (list(names), list(values), list(spans or [None] * len(names)), unit, sorted(marked))


def points(names, x, y, *, labels):
    """Describe a chart of named points over a logarithmic axis.

    Parameters
    ----------
    names : sequence of str
    x, y : sequence of float
        Coordinates of the points along the two axes.
    labels : (str, str)
        Labels of the two axes.

    Returns
    -------
    tuple
        Chart for `draw_charts`.
    """
    return _points, (list(names), list(x), list(y), tuple(labels))


def curve(x, y, *, at, labels):
    """Describe a chart of a curve, with one point marked.

    Parameters
    ----------
    x, y : sequence of float
    at : (float, float) or None
        The marked point.
    labels : (str, str)
        Labels of the two axes.

    Returns
    -------
    tuple
        Chart for `draw_charts`.
    """
    return _curve, (list(x), list(y), at, tuple(labels))


def draw_charts(charts):
    """Draw the charts of a page.

    Parameters
    ----------
    charts : dict of str to tuple
        Name → chart, as from `bars`, `points` and `curve`.

    Returns
    -------
    dict of str to markupsafe.Markup
        Name → SVG element, the same for the same numbers; None for a name without a chart, and for all names where
        matplotlib is not installed.

    Raises
    ------
    OSError
        If the process that draws is lost.
    """
    ((_, found),) = processes.run(_draw, [(list(charts.values()),)], keep=True)
    if isinstance(found, processes.Lost):
        raise OSError(f"the charts could not be drawn: {found.reason}")
    return defaultdict(type(None), zip(charts, map(markup, found or ()), strict=False))


def _draw(charts):
    """Draw the charts; a task of a worker process."""
    os.chdir("/")
    try:
        import matplotlib
    except ImportError:
        return None
    matplotlib.rcdefaults()
    settings: Any = {
        **dict.fromkeys(COLOURED, INK),
        "axes.edgecolor": FAINT,
        "grid.color": FAINT,
        "svg.fonttype": "none",
        "font.size": 9,
    }
    found = []
    for place, (draw, arguments) in enumerate(charts):
        # The ids of SVG clip paths are hashes of this salt, so that those of two charts of a page differ.
        with matplotlib.rc_context({**settings, "svg.hashsalt": f"chart{place}"}), warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)
            file = io.StringIO()
            draw(*arguments).savefig(file, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
        found.append(_for_a_page(file.getvalue()))
    return found


def _for_a_page(svg):
    """Turn an SVG file into an element of a page: no head, the page's colours, no names of groups."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, count=1, flags=re.DOTALL)
    # These patterns match tags only, because in text the character < is escaped.
    svg = re.sub(r'<g id="\w+">', "<g>", svg)
    svg = re.sub(r'<svg [^>]*viewBox="([^"]*)"[^>]*>', r'<svg viewBox="\1" aria-hidden="true" focusable="false">', svg)
    for colour, variable in VARIABLES.items():
        svg = svg.replace(f": {colour}", f": {variable}")
    return svg.strip()


def _figure(height):
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    axes = figure.subplots()
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.tick_params(color=FAINT)
    axes.set_axisbelow(True)
    return figure, axes


def _bars(names, values, spans, unit, marked):
    figure, axes = _figure(0.55 + (0.26 if len(names) <= 60 else 0.2) * len(names))
    size = 9 if len(names) <= 60 else 7
    places = range(len(names))
    usual = PLAIN if marked else MAIN
    colours = [OTHER if value < 0 else MAIN if i in marked else usual for i, value in enumerate(values)]
    axes.barh(places, values, color=colours, height=0.66)
    low, high = min([0.0, *values]), max([0.0, *values, *(span[1] for span in spans if span)])
    room = (high - low or 1.0) * 0.02
    for place, (value, span) in enumerate(zip(values, spans, strict=True)):
        if span and span[0] < span[1]:
            axes.plot(span, [place, place], color=INK, linewidth=1.1)
        end = value - room if value < 0 else max(value, *(span or (value,))) + room
        shown = f"{value:.1f}" if low >= 0 else f"{value:+.1f}"
        axes.text(end, place, shown, va="center", ha="right" if value < 0 else "left", fontsize=size)
    axes.set_yticks(places, [shown_name(name, 24) for name in names], fontsize=size)
    axes.invert_yaxis()
    axes.margins(y=0.01)
    axes.set_xlim(low - (0.12 * (high - low) if low < 0 else 0), high + 0.14 * (high - low) or 1.0)
    if unit == "%" and low >= 0:
        axes.set_xlim(0, 114)
        axes.set_xticks(range(0, 101, 25))
    if low < 0:
        axes.axvline(0, color=INK, linewidth=0.8)
    axes.set_xlabel(unit)
    return figure


def _points(names, x, y, labels):
    from matplotlib.ticker import LogFormatter

    figure, axes = _figure(3.6)
    axes.scatter(x, y, s=28, color=MAIN)
    middle = (max(x) * min(x)) ** 0.5
    for name, *point in zip(names, x, y, strict=True):
        left = point[0] > middle
        axes.annotate(
            shown_name(name, 24),
            tuple(point),
            textcoords="offset points",
            xytext=(-5 if left else 5, 4),
            fontsize=8,
            ha="right" if left else "left",
        )
    axes.set_xscale("log")
    # Plain numbers instead of powers of ten.
    axes.xaxis.set_major_formatter(LogFormatter())
    axes.xaxis.set_minor_formatter(LogFormatter(minor_thresholds=(2, 0.4)))
    _framed(figure, axes, labels)
    low, high = axes.get_ylim()
    if labels[1].endswith("%"):
        axes.set_ylim(low, min(high, 101))
    return figure


def _curve(x, y, at, labels):
    figure, axes = _figure(3.2)
    axes.plot(x, y, color=MAIN, marker=".", linewidth=1.4)
    if at is not None:
        axes.plot(*at, marker="o", markersize=9, markerfacecolor="none", color=OTHER, linestyle="none")
        left = at[0] > 0.5
        axes.annotate(
            f"{at[1]:.1f} at {at[0]:.2f}",
            at,
            textcoords="offset points",
            xytext=(-9 if left else 9, 7),
            ha="right" if left else "left",
        )
    return _framed(figure, axes, labels)


def _framed(figure, axes, labels):
    """Name the axes of a figure and add a grid."""
    axes.set_xlabel(labels[0])
    axes.set_ylabel(labels[1])
    axes.margins(y=0.15)
    axes.grid(visible=True, linewidth=0.5)
    return figure
