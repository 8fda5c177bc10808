"""The table of a comparison, a line for each recipe, as Markdown, CSV and page; accuracy against cost as a picture."""

from pathlib import Path
from typing import NamedTuple

from classify.reports.markdown import METRIC_NAMES, escape, percent, table
from classify.reports.page import comparison as comparison_page
from classify.reports.page.template import NO_JINJA
from classify.reports.plots import NO_MATPLOTLIB, costs_png
from classify.reports.published_tables import published_tables
from classify.reports.report import Written
from idt.files import atomic, csv_text, text
from idt.files.marks import mark_picture

FILES = ("comparison.md", "comparison.csv", "comparison.png", "comparison.html")
"""Files of a table."""

SHARED_STAGE = "extraction"
"""Stage that recipes share; the table lists its time in a column of its own."""


class Row(NamedTuple):
    """Result of one recipe.

    Attributes
    ----------
    name : str
    report : dict or None
        As from `classify.reports.report.assemble`.
    error : str or None
        Reason for which it has no report.
    """

    name: str
    report: dict | None
    error: str | None = None

    @property
    def seconds(self):
        """Wall time of all stages after the extraction, including stages whose files another recipe made."""
        report = self.report or {"seconds": {}}
        return sum(spent for stage, spent in report["seconds"].items() if stage != SHARED_STAGE)


def write(folder, rows, *, pages=None, overwrite=False):
    """Write the table: ``comparison.md``, ``comparison.csv`` and, if their libraries are installed, picture and page.

    Parameters
    ----------
    folder : str or Path
    rows : list of Row
    pages : dict of str to str, optional
        Recipe → address of its own page, relative to ``folder``.
    overwrite : bool or collection of path
        A collection names files that are replaced whoever made them. Tables that this package made are always replaced.

    Returns
    -------
    Written

    Raises
    ------
    DataError
        If a file that would be replaced was not made by this package.
    OSError
        If something cannot be written.

    Notes
    -----
    Files whose content would not change are left alone.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    done = [row for row in rows if row.report is not None]
    paths, notes = [folder / name for name in FILES[:2]], []
    overwrite = overwrite or True
    write_if_changed(paths[0], text.encoded(as_markdown(rows)), overwrite)
    write_if_changed(paths[1], text.encoded(as_csv(rows)), overwrite)
    if done:
        metric = METRIC_NAMES[done[0].report["metric"]]
        percents = [100 * row.report["value"] for row in done]
        picture = costs_png([row.name for row in done], [row.seconds for row in done], percents, metric)
        path = folder / FILES[2]
        if picture is None:
            notes.append(NO_MATPLOTLIB)
            atomic.remove(path, overwrite)
        else:
            paths.append(path)
            write_if_changed(path, mark_picture(picture, ".png"), overwrite)
    page, path = comparison_page.page(rows, pages or {}, shared=SHARED_STAGE), folder / FILES[3]
    if page is None:
        notes.append(NO_JINJA)
        atomic.remove(path, overwrite)
    else:
        paths.append(path)
        write_if_changed(path, text.encoded(page), overwrite)
    return Written(paths, notes)


def as_markdown(rows):
    """Lay out the table as Markdown, with the published numbers below it.

    Parameters
    ----------
    rows : list of Row

    Returns
    -------
    str
    """
    done = [row.report for row in rows if row.report is not None]
    if not done:
        return "\n".join(["# Comparison", "", *(f"- {escape(row.name)}: {escape(row.error)}" for row in rows)]) + "\n"
    metric, blocks = METRIC_NAMES[done[0]["metric"]], _blocks(done)
    header = ["recipe", metric, *blocks, "vector size", "seconds", "extraction, s", "memory, MB"]
    lines = []
    for row in rows:
        if row.report is None:
            lines.append([row.name, f"failed: {row.error}", *([""] * (len(header) - 2))])
            continue
        per_descriptor = row.report["per_descriptor"]
        numbers = [
            percent(row.report["value"]),
            *(percent(per_descriptor[b]) if b in per_descriptor else "" for b in blocks),
        ]
        memory = row.report["memory"]
        costs = [row.report["columns"], f"{row.seconds:.1f}", f"{row.report['seconds'].get(SHARED_STAGE, 0):.1f}"]
        lines.append([row.name, *numbers, *costs, f"{memory / 2**20:.0f}" if memory else "–"])
    first = done[0]
    counted = [f"{len(first[kind])} {kind}" for kind in ("missing", "failed") if first[kind]]
    page = [
        f"# {escape(first['dataset'])}: {len(rows)} recipes",
        "",
        f"{first['clips']} clips of {len(first['classes'])} classes{''.join(f', {part}' for part in counted)};"
        f" {escape(first['protocol'])}. In percent, with all descriptors and with each by itself. Seconds are those of"
        " codebooks, encoding and classification, also where recipes share them; memory is the most that one of these"
        " stages took.",
        "",
        *table(header, lines),
        "",
        "![Accuracy against cost](comparison.png)",
        "",
        "## Published",
        "",
        *(
            [f"The recipes ran on part of the set, {', '.join(first['part'])}: not comparable.", ""]
            if first["part"]
            else []
        ),
        *published_tables(first["published"]),
    ]
    return "\n".join(page) + "\n"


def as_csv(rows):
    """Return the table as CSV, with shares instead of percents and memory in bytes.

    Parameters
    ----------
    rows : list of Row

    Returns
    -------
    str
    """
    done = [row.report for row in rows if row.report is not None]
    blocks = _blocks(done)
    header = [
        "recipe",
        "metric",
        "value",
        "low",
        "high",
        *blocks,
        "columns",
        "seconds",
        "extraction_seconds",
        "memory",
        "error",
    ]
    lines = [header]
    for row in rows:
        if row.report is None:
            lines.append([row.name, *([""] * (len(header) - 2)), row.error])
            continue
        report, interval = row.report, row.report["interval"] or {}
        numbers = [report["value"], interval.get("low"), interval.get("high")]
        shares = [*numbers, *(report["per_descriptor"].get(block) for block in blocks)]
        costs = [report["columns"], f"{row.seconds:.3f}", report["seconds"].get(SHARED_STAGE, 0), report["memory"]]
        cells = ["" if share is None else f"{share:.6f}" for share in shares]
        lines.append([row.name, report["metric"], *cells, *("" if cost is None else cost for cost in costs), ""])
    return csv_text.dumps(lines)


def _blocks(reports):
    """List the descriptors of all recipes, in the order of their first appearance."""
    return list(dict.fromkeys(block for report in reports for block in report["per_descriptor"]))


def write_if_changed(path, content, overwrite):
    """Write the bytes ``content`` to ``path``, unless the file holds them already.

    ``overwrite`` is that of `idt.files.atomic.replacing`.
    """
    if not text.holds(path, content):
        with atomic.replacing(path, overwrite=overwrite) as part:
            part.write(content)
