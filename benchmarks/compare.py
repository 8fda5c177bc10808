"""Compare two results of the benchmarks: ``python benchmarks/compare.py before.json after.json``.

A row is marked if the runs of one result do not overlap with the runs of the other and the medians differ by more than
2 %. The exit status is 0 whatever the marks are, and 2 for a file that is no result.
"""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.results import HIGHER_IS_BETTER, aligned, figure, read

LEAST_CHANGE = 0.02


def main(arguments=None):
    """Print the comparison of two results."""
    parser = argparse.ArgumentParser(description="Two results of the benchmarks side by side, ratio B/A a row.")
    parser.add_argument("before", metavar="A.json")
    parser.add_argument("after", metavar="B.json")
    options = parser.parse_args(arguments)
    try:
        machines, rows = zip(*(read(path) for path in (options.before, options.after)), strict=True)
    except (OSError, ValueError) as error:
        print(f"compare.py: {error}", file=sys.stderr)
        return 2
    print(*differences(*machines), *compared(*rows), sep="\n")
    return 0


def differences(before, after):
    """List the differences of the two machines, a line each."""
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return [f"{name}: {before.get(name)} → {after.get(name)}" for name in names]


def compared(before, after):
    """Return the lines of the table: rows that both results have, then rows that one of them lacks."""
    known, new = ({row.key: row for row in rows if row.samples} for rows in (before, after))
    cells = [["", "A", "B", "unit", "B/A", ""]]
    for key, old in known.items():
        if key in new:
            ratio = f"{new[key].median / old.median:.2f}" if old.median else "–"
            name = f"{old.benchmark}: {old.case}: {old.name}"
            cells.append([name, figure(old.median), figure(new[key].median), old.unit, ratio, verdict(old, new[key])])
    only = [
        (key, side) for side, own, other in (("A", known, new), ("B", new, known)) for key in own if key not in other
    ]
    return [*aligned(cells), *(f"only in {side}: {': '.join(key)}" for key, side in only)]


def verdict(old, new):
    """Return ``better`` or ``worse`` for a change beyond the noise, else nothing."""
    apart = min(new.samples) > max(old.samples) or max(new.samples) < min(old.samples)
    if not apart or abs(new.median - old.median) <= LEAST_CHANGE * abs(old.median):
        return ""
    return "better" if (new.median > old.median) == (old.unit in HIGHER_IS_BETTER) else "worse"


if __name__ == "__main__":
    sys.exit(main())
