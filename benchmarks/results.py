"""Results of benchmarks: rows of samples, taken in turns, printed as tables, and kept in a file."""

import json
import time
from dataclasses import asdict, dataclass, field
from itertools import groupby
from pathlib import Path
from statistics import median
from typing import Any

FORMAT = "idt-benchmarks 1"
HIGHER_IS_BETTER = frozenset({"frames/s", "descriptors/s", "descriptors·iterations/s", "GB/s", "GFLOP/s", "%"})


@dataclass(frozen=True)
class Row:
    """One quantity, measured a few times.

    Attributes
    ----------
    benchmark, case, name : str
        Together they identify the row.
    unit : str
        Unit of the samples, which also determines whether more is better.
    samples : tuple of float
        One a run; none if the row was skipped.
    reason : str
        Why it was skipped.
    more : dict
        Further columns of the table.
    """

    benchmark: str
    case: str
    name: str
    unit: str
    samples: tuple[float, ...] = ()
    reason: str = ""
    more: dict[str, Any] = field(default_factory=dict)

    @property
    def key(self):
        """Identity of the row, which is the same in every result."""
        return self.benchmark, self.case, self.name, self.unit

    @property
    def median(self):
        """Median of the samples."""
        return median(self.samples)


def in_turns(tasks, runs, clock=time.process_time):
    """Time each task ``runs`` times in turns, so that all see the same machine: name → tuple of seconds.

    Tasks of one thread are timed by the processor's clock: on an idle machine it agrees with the wall clock, and on a
    busy one it leaves out the time of other processes. Tasks of several threads need ``time.perf_counter``.
    """
    seconds: dict[str, list[float]] = {name: [] for name in tasks}
    for _ in range(runs):
        for name, task in tasks.items():
            began = clock()
            task()
            seconds[name].append(clock() - began)
    return {name: tuple(taken) for name, taken in seconds.items()}


def table(rows):
    """Write the rows as Markdown, a table for each case, aligned so that a terminal shows it well, too."""
    lines = []
    for (benchmark, case), group in groupby(rows, lambda row: (row.benchmark, row.case)):
        chosen = list(group)
        columns = list(dict.fromkeys(column for row in chosen for column in row.more))
        cells = [[f"{benchmark}: {case}", "median", "lowest – highest", "unit", *columns]]
        for row in chosen:
            numbers = ["–", row.reason]
            if row.samples:
                numbers = [figure(row.median), f"{figure(min(row.samples))} – {figure(max(row.samples))}"]
            cells.append([row.name, *numbers, row.unit, *(figure(row.more.get(column, "")) for column in columns)])
        lines += ["", *aligned(cells)]
    return lines


def aligned(cells):
    """Align the lines of a Markdown table; the first row of cells is its head, the first column is aligned left."""
    widths = [max(len(cell) for cell in column) for column in zip(*cells, strict=True)]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    body = [
        [
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        for row in (cells[0], *cells[1:])
    ]
    return [f"| {' | '.join(row)} |" for row in (body[0], rule, *body[1:])]


def figure(value):
    """Return a number with three significant digits, or a text as it is."""
    if isinstance(value, str):
        return value
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def write(path, machine, rows):
    """Write a result as JSON, under its name only when it is whole."""
    result = {"format": FORMAT, "machine": machine, "rows": [asdict(row) for row in rows]}
    part = Path(f"{path}.part")
    part.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    part.replace(path)


def read(path):
    """Read the machine and the rows of a result.

    Raises
    ------
    ValueError
        If the file is no result of this format; one line.
    """
    try:
        result = json.loads(Path(path).read_text(encoding="utf-8"))
        found = result.get("format") if isinstance(result, dict) else None
    except ValueError:
        found = None
    if found != FORMAT:
        raise ValueError(f"{path}: expected a result of the format {FORMAT!r}, got {found!r}; run the benchmarks again")
    return result["machine"], [Row(**{**row, "samples": tuple(row["samples"])}) for row in result["rows"]]
