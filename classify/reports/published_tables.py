"""The published results as tables of a report, with the run's own row in its place.

Only results on the whole set are ranked. Results on part of the set, the run's own too, stand in a table of their own.
"""

from typing import NamedTuple

from classify.reports.markdown import Markup, escape, percent, table
from classify.reports.published import KINDS, SOURCES

HEADER = ["system", "percent", "+ iDT", "source", "read in", "note"]


class Own(NamedTuple):
    """The number of a run.

    Attributes
    ----------
    share : float
        In [0, 1].
    metric : str
        Its name.
    part : list of str
        Part of the set that it covers, as from `classify.reports.extent.covered_part`.
    """

    share: float
    metric: str
    part: list[str]


class Line(NamedTuple):
    """A row of a table of published results: its cells, and whether it is the run's own row."""

    cells: list[str]
    own: bool = False


def rankings(published, own=None):
    """Order published results, and the run among them.

    Parameters
    ----------
    published : list of dict
        As `classify.reports.report.assemble` holds them.
    own : Own, optional
        The run to rank among them.

    Returns
    -------
    tables : dict of str to list of Line
        Heading → rows, with a cell for each of `HEADER`. Systems are ordered by the number without iDT, or by the
        number with iDT if only this was published.
    legend : str
        Meaning of the letters of the column "read in".
    """
    systems = _systems(published)
    tables: dict[str, list[Line]] = {}
    for kind, heading in KINDS.items():
        ranked = [
            (_rank(entries), Line(_cells(name, entries)))
            for (of, name, part), entries in systems
            if of == kind and not part
        ]
        if ranked:
            if own is not None and not own.part:
                ranked.append((100 * own.share, Line(_own_cells(own), own=True)))
            ranked.sort(key=lambda row: -row[0])
            tables[heading] = [line for _, line in ranked]
    parts = [Line(_cells(f"{name}, {part}", entries)) for (_, name, part), entries in systems if part]
    if own is not None and own.part:
        parts.insert(0, Line(_own_cells(own), own=True))
    if parts:
        tables["On part of the protocol, not to be ranked"] = parts
    there = {letter for entry in published for letter in entry["classes"]}
    return tables, ", ".join(f"{letter} {what}" for letter, what in SOURCES.items() if letter in there)


def published_tables(published, own=None):
    """Lay out published results as Markdown.

    Parameters
    ----------
    published, own
        As for `rankings`.

    Returns
    -------
    list of str
        Lines.
    """
    if not published:
        return ["None at hand for this set."]
    tables, legend = rankings(published, own)
    lines: list[str] = []
    for heading, rows in tables.items():
        lines += [f"### {heading}", "", *table(HEADER, [_marked(row) for row in rows]), ""]
    return [*lines, f"Read in: {legend}."]


def _marked(line):
    """Write the cells of a row as Markdown, with the run's own name and number in bold."""
    name, alone, together, *others = line.cells
    if line.own:
        return [Markup(f"**{escape(name)}**"), Markup(f"**{alone}**"), Markup(together), *others]
    return [name, Markup(alone), Markup(together), *others]


def _systems(published):
    """Group the entries by (kind, system, scope): the entry without iDT under False, the entry with iDT under True."""
    systems: dict[tuple[str, str, str], dict[bool, dict]] = {}
    for entry in published:
        key = (entry["kind"], entry["system"], entry["scope"])
        systems.setdefault(key, {})[entry["with_idt"]] = entry
    return list(systems.items())


def _rank(entries):
    """Return the number by which a system is ordered."""
    return (entries.get(False) or entries[True])["percent"]


def _cells(name, entries):
    """Make the row of a system."""
    alone, together = entries.get(False), entries.get(True)
    return [name, *map(_number, (alone, together)), (alone or together)["source"], *_read_in_and_note(alone, together)]


def _number(entry):
    """Write a number with its published decimals, at least one."""
    return "–" if entry is None else max(f"{entry['percent']:.1f}", f"{entry['percent']:g}", key=len)


def _read_in_and_note(alone, together):
    """Write the cells "read in" and "note" of a system; equal texts of its two numbers are written once."""
    found = []
    for text_of in (lambda entry: f"{', '.join(entry['classes'])}: {entry['read']}", lambda entry: entry["note"]):
        first, second = (None if entry is None else text_of(entry) for entry in (alone, together))
        if first is None or second is None or first == second:
            found.append((first if second is None else second) or "")
        else:
            found.append("; ".join(text for text in (first, second and f"+ iDT: {second}") if text))
    return found


def _own_cells(own):
    """Make the run's own row."""
    name = f"this run, on {', '.join(own.part)}" if own.part else "this run"
    return [name, percent(own.share), "–", "", "", own.metric]
