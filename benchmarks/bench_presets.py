"""Speed and accuracy of each switch, one change a row: frames per second with two threads, accuracy on Weizmann.

python benchmarks/bench_presets.py [ROW ...] [--accuracy] [-o FILE]

A row is a set of `ExtractionParams`; add one to `SWITCHES` and it is measured. The accuracy is measured by
leaving one actor out, with K = 64, which takes minutes a row. Each row is saved as soon as it is measured, and a second
run measures only the rows that are missing.
"""

import argparse
import shutil
import sys
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import idt
from benchmarks import cases, clips, results
from benchmarks.results import Row, in_turns
from classify.datasets.registry import read_dataset
from classify.evaluation.evaluate import evaluate
from encoding.params import EncodingParams
from idt.params.extraction import ExtractionParams
from idt.workers.run_options import RunOptions

NAME = "presets"
THREADS = 2
LAST_FRAME = 79
SWITCHES: tuple[dict, ...] = (
    {},
    {"preset": "fast"},
    {"keypoints": "none", "flow_from": 2, "compensation": "field"},
    {"keypoints": "none", "flow_from": 2, "compensation": "field", "describe_every": 2},
    {"keypoints": "none"},
    {"keypoints": "orb"},
    {"flow_from": 1},
    {"flow_from": 2},
    {"flow": "dis"},
    {"compensation": "moved"},
    {"compensation": "field"},
    {"flow": "dis", "compensation": "field"},
    {"flow": "lk"},
    {"flow": "tvl1"},
    {"preset": "mpeg"},
    {"preset": "mpeg", "tracks": "none", "stride": 16, "describe_every": 1},
    {"camera": False},
    {"stride": 8},
    {"gap": 2},
    {"scales": 4},
    {"describe_every": 2},
)
EXACT = "exact"
ROWS = {", ".join(f"{key}={value}" for key, value in switches.items()) or EXACT: switches for switches in SWITCHES}


def measure(*, runs=3, small=False):
    """Measure frames per second of all rows."""
    return speed((EXACT, "camera=False") if small else ROWS, min(runs, 3), small=small)


def speed(names, runs, *, small=False):
    """Measure frames per second of the rows, in turns with the exact one, to which the others are compared."""
    threads = min(THREADS, cases.n_cores())
    clip = "wave" if small or not cases.at_hand("bowling") else "bowling"
    video = clips.video(clip)
    tracks, frames = {}, {}
    for name in dict.fromkeys([EXACT, *names]):
        features = idt.extract(video, threads=threads, end=LAST_FRAME, **ROWS[name])
        tracks[name], frames[name] = len(features), features.frames
        if name == EXACT and clips.decodes_alike(clip):
            cases.clip(clip).check(features)
    if len(set(frames.values())) > 1 or not min(tracks.values()):
        raise RuntimeError(f"a row sees other frames or no tracks; not timed: {frames}, {tracks}")
    with cases.one_thread():
        seconds = in_turns(
            {name: partial(idt.extract, video, threads=threads, end=LAST_FRAME, **ROWS[name]) for name in tracks},
            runs,
            perf_counter,
        )
    case = f"{clip}, {frames[EXACT]} frames, {threads} thread" + "s" * (threads > 1)
    found = []
    for name, taken in seconds.items():
        more = {"× exact": median(seconds[EXACT]) / median(taken), "tracks": tracks[name]}
        found.append(Row(NAME, case, name, "frames/s", tuple(frames[name] / s for s in taken), more=more))
    return found


def accuracy(name, folder, root):
    """Measure the accuracy of one row; ``folder`` keeps the files of an interrupted run."""
    case = "Weizmann, one actor left out, K = 64"
    if not Path(root).is_dir():
        return Row(NAME, case, name, "%", reason="the data set is not at hand; --weizmann FOLDER")
    found = evaluate(
        read_dataset("weizmann", root),
        folder,
        extraction=ExtractionParams.from_options(**ROWS[name]),
        encoding=EncodingParams(k=64),
        run=RunOptions(jobs=cases.n_cores()),
    )
    shutil.rmtree(folder)
    return Row(NAME, case, name, "%", (100 * found.report["accuracy"],))


def main(arguments=None):
    """Measure the rows that are not yet in the file, and print all rows."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("rows", nargs="*", metavar="ROW", help=f"rows: {', '.join(ROWS)} (default all)")
    parser.add_argument("--accuracy", action="store_true", help="measure the accuracy on Weizmann, too; minutes a row")
    parser.add_argument("--weizmann", default=cases.WEIZMANN, metavar="FOLDER", help="the data set's folder")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("-o", "--output", default="benchmarks/presets.json")
    options = parser.parse_args(arguments)
    unknown = set(options.rows) - set(ROWS)
    if unknown:
        parser.error(f"unknown row {', '.join(sorted(unknown))}; known are {', '.join(ROWS)}")
    names = options.rows or list(ROWS)
    machine, done = cases.machine(), []
    if Path(options.output).exists():
        try:
            before, done = results.read(options.output)
        except ValueError as error:
            parser.error(str(error))
        if any(before.get(key) != machine[key] for key in machine if key != "load when begun"):
            parser.error(f"{options.output} is from another machine or other versions; give another with -o")
    left = [name for name in names if not any(row.name == name and row.unit == "frames/s" for row in done)]
    if left:
        measured = speed(left, options.runs)
        done += [row for row in measured if row.key not in {known.key for known in done}]
        results.write(options.output, machine, done)
    for name in names if options.accuracy else ():
        if not any(row.name == name and row.unit == "%" and row.samples for row in done):
            print(f"{name}: accuracy", file=sys.stderr)
            folder = Path(f"{options.output}.parts") / name
            done = [row for row in done if (row.name, row.unit) != (name, "%")]
            done.append(accuracy(name, folder, options.weizmann))
            results.write(options.output, machine, done)
    print(*results.table(joined(done)), f"\nkept in {options.output}; without it all is measured anew", sep="\n")


def joined(rows):
    """Join the rows of frames per second with the accuracies, as a column."""
    found = {row.name: row for row in rows if row.unit == "%"}
    speeds = {row.name: row for row in rows if row.unit == "frames/s"}
    ordered = [speeds[name] for name in ROWS if name in speeds]
    for row in ordered:
        if row.name in found:
            measured = found[row.name]
            row.more["accuracy"] = f"{measured.median:.1f} %" if measured.samples else measured.reason
    return ordered


if __name__ == "__main__":
    main()
