"""Pictures of a fusion: accuracy alone and together, accuracy over the weight, and the gain of each class."""

from classify.reports.plots import draw_picture, shown_name

FUSED, WORSE, BIASED = "tab:blue", "tab:orange", "red"
"""Colours: of the fusion, of a loss, and of numbers whose weights were chosen on the test videos."""


def accuracy_png(bars, curve, *, metric, weight, biased):
    """Draw the accuracies of the sources and of their fusion, and the accuracy over the weight.

    Parameters
    ----------
    bars : list of (str, float, (float, float) or None)
        Name, percent, and interval of each source; the fusion is the last.
    curve : (str, list of float, list of float)
        Name of the sources whose weight varies, their weights, and the percents. If there are no weights no curve is
        drawn.
    metric : str
        Metric of the percents.
    weight : (float, float) or None
        The weight that the fusion uses, and its percent.
    biased : bool
        Whether the weight was chosen on the test videos.

    Returns
    -------
    bytes or None
        A PNG file, the same for the same numbers; None where matplotlib is not installed.
    """
    return draw_picture(_accuracy, bars, curve, metric, weight, biased)


def _accuracy(bars, curve, metric, weight, biased):
    from matplotlib.figure import Figure

    group, weights, percents = curve
    figure = Figure(figsize=(11 if weights else 6, 4.2), layout="constrained")
    panels = figure.subplots(1, 2 if weights else 1, squeeze=False)[0]
    colours = ["0.7"] * (len(bars) - 1) + [BIASED if biased else FUSED]
    axes = panels[0]
    places = range(len(bars))
    axes.barh(places, [percent for _, percent, _ in bars], color=colours, height=0.6)
    for place, (_, percent, interval) in enumerate(bars):
        if interval:
            axes.plot(interval, [place, place], color="black", linewidth=1)
        axes.text(max([percent, *(interval or ())]) + 1, place, f"{percent:.1f}", va="center", ha="left", fontsize=9)
    axes.set_yticks(places, [shown_name(name) for name, _, _ in bars], fontsize=9)
    axes.invert_yaxis()
    axes.set_xlim(0, 112)
    axes.set_xticks(range(0, 101, 20))
    axes.set_xlabel(f"{metric}, %; lines: 95 % over the splits" if any(bar[2] for bar in bars) else f"{metric}, %")
    if weights:
        _curve(panels[1], group, weights, percents, metric, weight, biased)
    return figure


def _curve(axes, group, weights, percents, metric, weight, biased):
    axes.plot(weights, percents, color=FUSED, marker=".", linewidth=1.2)
    if weight is not None:
        colour = BIASED if biased else "black"
        axes.plot(*weight, marker="o", markersize=8, markerfacecolor="none", color=colour, linestyle="none")
        left = weight[0] > 0.5
        text = f"{weight[1]:.1f}, chosen on the test videos" if biased else f"{weight[1]:.1f} at {weight[0]:.2f}"
        axes.annotate(
            text,
            weight,
            textcoords="offset points",
            xytext=(-9 if left else 9, 6),
            color=colour,
            fontsize=9,
            ha="right" if left else "left",
        )
    axes.set_xlabel(f"weight of {shown_name(group)}")
    axes.set_ylabel(f"{metric}, %")
    axes.margins(y=0.15)
    axes.grid(visible=True, alpha=0.3)
    axes.set_title("on the test videos: to look at, not to choose from", fontsize=9, color="0.3")


def gain_png(gains, before):
    """Draw the gain of each class, the largest first.

    Parameters
    ----------
    gains : dict of str to float
        Class → gain in percentage points.
    before : str
        Names of the sources over which the fusion gains.

    Returns
    -------
    bytes or None
        As `accuracy_png`.
    """
    return draw_picture(_gain, gains, before)


def _gain(gains, before):
    from matplotlib.figure import Figure

    ordered = sorted(gains.items(), key=lambda pair: -pair[1])
    height = 1.6 + (0.22 if len(ordered) <= 60 else 0.16) * len(ordered)
    figure = Figure(figsize=(7, height), layout="constrained")
    axes = figure.subplots()
    values = [gain for _, gain in ordered]
    axes.barh(range(len(values)), values, color=[FUSED if gain >= 0 else WORSE for gain in values])
    axes.set_yticks(
        range(len(values)), [shown_name(label) for label, _ in ordered], fontsize=8 if len(values) <= 60 else 6
    )
    axes.invert_yaxis()
    axes.margins(y=0.01)
    axes.axvline(0, color="black", linewidth=0.8)
    axes.grid(visible=True, axis="x", alpha=0.3)
    axes.set_xlabel(f"gain over {shown_name(before)}, percentage points")
    return figure
