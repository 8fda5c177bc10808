"""The page of a fusion: accuracies alone and together, the curve over the weight, and the changed videos."""

from classify.reports.fusion_markdown import ORIGINS
from classify.reports.markdown import METRIC_NAMES, percent
from classify.reports.page import charts
from classify.reports.page.template import MOST_LISTED, fill_template, is_available
from classify.reports.published_tables import HEADER, Own, rankings


def page(report):
    """Make the page of a fusion.

    Parameters
    ----------
    report : dict
        As from `classify.fusion.report.make_report`.

    Returns
    -------
    str or None
        None where Jinja2 is not installed.

    Raises
    ------
    OSError
        If the charts cannot be drawn.
    """
    if not is_available():
        return None
    metric, biased = METRIC_NAMES[report["metric"]], report["weights_from"] == "test"
    own = None if biased else Own(report["value"], metric, report["part"])
    tables, legend = rankings(report["published"], own) if report["published"] else ({}, "")
    known = [label for label in report["classes"] if report["gain"][label] is not None]
    return fill_template(
        "fusion.html",
        report=report,
        metric=metric,
        biased=biased,
        origin=ORIGINS[report["weights_from"]],
        keys=[key for key in METRIC_NAMES if key in report],
        metric_names=METRIC_NAMES,
        interval=_interval,
        before=" + ".join(report["before"]["sources"]),
        gain=report["value"] - report["before"][report["metric"]],
        gains=sorted(known, key=lambda label: -report["gain"][label]),
        rankings=tables,
        header=HEADER,
        legend=legend,
        charts=_charts(report, metric, known),
        lists=_lists(report),
        listed=MOST_LISTED,
    )


def _interval(numbers):
    found = numbers["interval"]
    return f"{percent(found['low'])} to {percent(found['high'])}" if found else "–"


def _span(numbers):
    found = numbers["interval"]
    return found and (100 * found["low"], 100 * found["high"])


def _charts(report, metric, known):
    """Draw the charts; return name → SVG."""
    before, sources, key = report["before"], report["sources"], report["metric"]
    bars = [(name, 100 * source[key], _span(source)) for name, source in sources.items()]
    if len(before["sources"]) > 1:
        bars.append((" + ".join(before["sources"]), 100 * before[key], None))
    bars.append(("fused", 100 * report["value"], _span(report)))
    names, values, spans = (list(column) for column in zip(*bars, strict=True))
    wanted = {"accuracy": charts.bars(names, values, spans=spans, marked=[len(bars) - 1])}
    if report["curve"]:
        group = report["curve_of"]
        at = (sum(report["weights"][name] for name in group), 100 * report["value"]) if report["weights"] else None
        x, y = ([point[of] for point in report["curve"]] for of in ("weight", key))
        labels = (f"weight of {charts.shown_name(' + '.join(group))}", f"{metric}, %")
        wanted["curve"] = charts.curve(x, [100 * value for value in y], at=at, labels=labels)
    if known:
        gains = sorted(((100 * report["gain"][label], label) for label in known), key=lambda pair: -pair[0])
        wanted["gain"] = charts.bars([label for _, label in gains], [gain for gain, _ in gains], unit="points")
    return charts.draw_charts(wanted)


def _lists(report):
    """List the videos that the fusion changes, and the videos that were left out: heading → lines."""
    found = {
        **{
            heading: [
                f"{entry['name']}: {entry['label']}, before {entry['before']}, now {entry['after']}"
                for entry in report[heading.lower()]
            ]
            for heading in ("Corrected", "Spoiled")
        },
        "Left out, because a source or the labels lack them": report["missing"],
    }
    return {heading: entries for heading, entries in found.items() if entries}
