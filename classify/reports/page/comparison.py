"""The page of a comparison: a line for each recipe, and accuracy against cost."""

from classify.reports.markdown import METRIC_NAMES, percent
from classify.reports.page import charts
from classify.reports.page.evaluation import title_of
from classify.reports.page.template import fill_template, is_available
from classify.reports.published_tables import HEADER, rankings


def page(rows, pages, *, shared="extraction"):
    """Make the page of a comparison.

    Parameters
    ----------
    rows : list of classify.reports.comparison_table.Row
    pages : dict of str to str
        Recipe → address of its own page, relative to this one, where there is one.
    shared : str
        The stage that recipes share; its time is listed in a column of its own.

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
    done = [row for row in rows if row.report is not None]
    first = done[0].report if done else None
    best = max(done, key=lambda row: row.report["value"]) if done else None
    blocks = list(dict.fromkeys(block for row in done for block in row.report["per_descriptor"]))
    tables, legend = rankings(first["published"]) if first else ({}, "")
    metric = METRIC_NAMES[first["metric"]] if first else "accuracy"
    return fill_template(
        "comparison.html",
        rows=rows,
        lines=[(row, _cells(row, blocks, shared)) for row in rows],
        titles=[metric, "95 % over splits", *blocks, "vector size", "seconds", f"{shared}, s", "memory, MB"],
        first=first,
        title=title_of(first) if first else "",
        best=best,
        leaders=[row.name for row in done if best and row.report["value"] == best.report["value"]],
        metric=metric,
        pages=pages,
        rankings=tables,
        header=HEADER,
        legend=legend,
        charts=_charts(done, metric),
    )


def _cells(row, blocks, shared):
    """Format the numbers of a recipe; a recipe that failed has none."""
    report = row.report
    if report is None:
        return []
    found, memory = report["interval"], report["memory"]
    return [
        percent(report["value"]),
        f"{percent(found['low'])} to {percent(found['high'])}" if found else "–",
        *(percent(report["per_descriptor"].get(block)) for block in blocks),
        "–" if report["columns"] is None else f"{report['columns']:,}",
        f"{row.seconds:.1f}",
        f"{report['seconds'].get(shared, 0):.1f}",
        f"{memory / 2**20:.0f}" if memory else "–",
    ]


def _charts(done, metric):
    """Draw the charts; return name → SVG."""
    if not done:
        return charts.draw_charts({})
    percents = [100 * row.report["value"] for row in done]
    spans = [row.report["interval"] and [100 * row.report["interval"][end] for end in ("low", "high")] for row in done]
    wanted = {"bars": charts.bars([row.name for row in done], percents, spans=spans, unit="%")}
    timed = [(row.name, row.seconds, percent) for row, percent in zip(done, percents, strict=True) if row.seconds > 0]
    if timed:
        labels = ("seconds after the extraction", f"{metric}, %")
        wanted["costs"] = charts.points(*map(list, zip(*timed, strict=True)), labels=labels)
    return charts.draw_charts(wanted)
