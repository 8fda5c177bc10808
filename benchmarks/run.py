"""Run the benchmarks, print their tables, write the figures as JSON: ``make bench``."""

import argparse
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import bench_extraction, cases

BENCHMARKS = {"extraction": bench_extraction}


def main():
    """Run those named, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", choices=[*BENCHMARKS, []], help="benchmarks to run (default: all)")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("-o", "--output", default="benchmarks/result.json")
    options = parser.parse_args()
    result = {"machine": cases.machine()}
    print(", ".join(f"{key} {value}" for key, value in result["machine"].items()))
    for name in options.names or BENCHMARKS:
        rows = BENCHMARKS[name].measure(runs=options.runs)
        result[name] = rows
        print("", *BENCHMARKS[name].table(rows), sep="\n")
    Path(options.output).write_text(json.dumps(result, indent=1) + "\n")
    print(f"\nwritten to {options.output}")


if __name__ == "__main__":
    main()
