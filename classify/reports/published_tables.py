"""The published results as tables of a report, with the run's own row in its place.

Only results on the whole set are ranked. Those on part of it, the run's own perhaps among them, stand apart.
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
        Part of the set that it covers, as from `classify.reports.extent.shortfall`.
    """

    share: float
    metric: str
    part: list[str]


def published_tables(published, own=None):
    """Lay out published results.

    Parameters
    ----------
    published : list of dict
        As `classify.reports.report.assemble` holds them.
    own : Own, optional
        The run to rank among them.

    Returns
    -------
    list of str
        Lines of Markdown. Systems are ordered by their number alone, or with iDT where that is all there is.
    """
    if not published:
        return ["None at hand for this set."]
    systems = _systems(published)
    lines: list[str] = []
    for kind, heading in KINDS.items():
        ranked = [
            (_rank(entries), _cells(name, entries)) for (of, name, part), entries in systems if of == kind and not part
        ]
        if ranked:
            if own is not None and not own.part:
                ranked.append((100 * own.share, _own_cells(own)))
            ranked.sort(key=lambda row: -row[0])
            lines += [f"### {heading}", "", *table(HEADER, [cells for _, cells in ranked]), ""]
    parts = [_cells(f"{name}, {part}", entries) for (_, name, part), entries in systems if part]
    if own is not None and own.part:
        parts.insert(0, _own_cells(own))
    if parts:
        lines += ["### On part of the protocol, not to be ranked", "", *table(HEADER, parts), ""]
    there = {letter for entry in published for letter in entry["classes"]}
    legend = ", ".join(f"{letter} {what}" for letter, what in SOURCES.items() if letter in there)
    return [*lines, f"Read in: {legend}."]


def _systems(published):
    """Entries of each (kind, system, scope), in order: alone, with iDT."""
    systems: dict[tuple[str, str, str], dict[bool, dict]] = {}
    for entry in published:
        key = (entry["kind"], entry["system"], entry["scope"])
        systems.setdefault(key, {})[entry["with_idt"]] = entry
    return list(systems.items())


def _rank(entries):
    """The number that a system is ordered by."""
    return (entries.get(False) or entries[True])["percent"]


def _cells(name, entries):
    """A row of a system."""
    alone, together = entries.get(False), entries.get(True)
    numbers = [Markup(_number(entry)) for entry in (alone, together)]
    return [name, *numbers, (alone or together)["source"], *_both(alone, together)]


def _number(entry):
    """A number with the decimals that it was published with, one at least."""
    return "–" if entry is None else max(f"{entry['percent']:.1f}", f"{entry['percent']:g}", key=len)


def _both(alone, together):
    """Where the numbers were read and what there is to note, said once where it is the same."""
    found = []
    for say in (lambda entry: f"{', '.join(entry['classes'])}: {entry['read']}", lambda entry: entry["note"]):
        first, second = (None if entry is None else say(entry) for entry in (alone, together))
        if first is None or second is None or first == second:
            found.append((first if second is None else second) or "")
        else:
            found.append("; ".join(text for text in (first, second and f"+ iDT: {second}") if text))
    return found


def _own_cells(own):
    """The run's own row."""
    name = f"this run, on {', '.join(own.part)}" if own.part else "this run"
    return [Markup(f"**{escape(name)}**"), Markup(f"**{percent(own.share)}**"), Markup("–"), "", "", own.metric]
