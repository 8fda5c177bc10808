"""Run the benchmarks, print their tables, write the figures as JSON: ``make bench``."""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import bench_command, bench_extraction, bench_fisher, bench_growth, bench_presets, cases, results

BENCHMARKS = {
    module.NAME: module for module in (bench_extraction, bench_command, bench_fisher, bench_growth, bench_presets)
}


def main(arguments=None):
    """Run the named benchmarks, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"benchmarks: {', '.join(BENCHMARKS)} (default all)")
    parser.add_argument("--runs", type=int, default=5, help="runs, of which the median is taken (default 5)")
    parser.add_argument("--small", action="store_true", help="run the smallest cases only, to see that all works")
    parser.add_argument("-o", "--output", default="benchmarks/result.json")
    options = parser.parse_args(arguments)
    unknown = set(options.names) - set(BENCHMARKS)
    if unknown:
        parser.error(f"unknown benchmark {', '.join(sorted(unknown))}; known are {', '.join(BENCHMARKS)}")
    machine = cases.machine()
    print(", ".join(f"{key} {value}" for key, value in machine.items()))
    rows = []
    for name in options.names or BENCHMARKS:
        measured = BENCHMARKS[name].measure(runs=options.runs, small=options.small)
        print(*results.table(measured), "", *getattr(BENCHMARKS[name], "notes", list)(), sep="\n", flush=True)
        rows += measured
        results.write(options.output, machine, rows)
    print(f"\nwritten to {options.output}")


if __name__ == "__main__":
    main()
