"""Fuzzing in child processes: what kills one, hangs it, or fills its memory is counted, and the next input is tried.

A target is a module with ``prepare(folder)``, which makes the intact inputs, and ``attempt(state, rng, folder)``, which
makes a mutant from the seeded generator, reads it, and says what became of it: ``"accepted"``, or ``"refused"`` where
our code said what is wrong. Anything that it raises is a failure, and so are warnings. An input is reproduced from its
number alone:

    python -m tests.fuzz.harness tests.fuzz.files --seed 0 --only 123
"""

import argparse
import importlib
import itertools
import resource
import selectors
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import warnings
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parent.parent.parent

PATIENCE = 60.0
"""Seconds without a word from the child that count as a hang: a mutant takes hundredths of one on an idle machine."""

START = 120.0
"""Seconds for the child to import and to make the intact inputs."""

MEMORY = 1 << 30
"""Bytes that reading may take beyond those of the imports: the inputs have less than a megabyte."""


class Report:
    """What became of the mutants: ``counts`` by outcome, and a line for each of the ``failures``.

    ``memory`` is the most that reading took beyond the imports and the intact inputs, in megabytes.
    """

    def __init__(self):
        self.counts = Counter()
        self.failures = []
        self.seconds = self.memory = 0.0
        self.lock = threading.Lock()

    def add(self, number, outcome, detail, memory=0.0):
        """Count one; the line of a failure, or None."""
        self.counts[outcome] += 1
        self.memory = max(self.memory, memory)
        if outcome in ("accepted", "refused"):
            return None
        self.failures.append(f"mutant {number}: {outcome}: {detail}")
        return self.failures[-1]

    def __str__(self):
        tried = sum(self.counts.values())
        names = ("refused", "accepted", "crash", "hang", "error", "memory")
        figures = ", ".join(f"{self.counts[name]} {name}" for name in names)
        return f"{tried} mutants in {self.seconds:.0f} s: {figures}; most memory {self.memory:.0f} MB"


def run(target, *, seed=0, mutants=1000, first=0, jobs=1, progress=lambda report, failure: None):
    """Try mutants in child processes, each of which is started again when it dies.

    Parameters
    ----------
    target : str
        Name of a module.
    seed, mutants, first : int
        The mutants ``first`` … ``first + mutants − 1`` of a seed.
    jobs : int
        Child processes at a time; each takes a part of the mutants.
    progress : callable, optional
        Called after each with the report and, of a failure, its line.

    Returns
    -------
    Report
    """
    report, began = Report(), time.monotonic()
    edges = [first + mutants * i // jobs for i in range(jobs + 1)]
    with ThreadPoolExecutor(jobs) as pool:
        parts = [pool.submit(_part, target, seed, *edge, report, progress) for edge in itertools.pairwise(edges)]
        for part in parts:
            part.result()
    report.seconds = time.monotonic() - began
    return report


def tried(kind, capsys, **options):
    """Run the target ``kind`` of this folder, print its report past pytest, and fail if any mutant did.

    Parameters
    ----------
    kind : str
    capsys
        The fixture of pytest.
    **options
        Those of `run`.

    Returns
    -------
    Report
    """
    report = run(f"tests.fuzz.{kind}", **options)
    with capsys.disabled():
        print(f"\n{kind}, seed {options['seed']}: {report}")
    assert not report.failures, "\n".join(report.failures)
    assert sum(report.counts.values()) == options["mutants"]
    return report


def _part(target, seed, number, end, report, progress):
    """Try some of the mutants in a folder of their own."""
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        while number < end:
            number = _one_child(target, seed, number, end, folder, report, progress)


def _one_child(target, seed, number, end, folder, report, progress):
    """Try mutants until the child ends; the number of the next one."""

    def count(outcome, detail, memory=0.0):
        with report.lock:
            progress(report, report.add(number, outcome, detail, memory))

    words = [sys.executable, "-m", "tests.fuzz.harness", target, "--child", folder]
    words += ["--seed", str(seed), "--first", str(number), "--mutants", str(end - number)]
    with tempfile.TemporaryFile("w+") as noise, subprocess.Popen(
        words, cwd=ROOT, stdout=subprocess.PIPE, stderr=noise, bufsize=0
    ) as child, selectors.DefaultSelector() as selector:  # fmt: skip
        selector.register(child.stdout, selectors.EVENT_READ)
        patience, buffer = START, b""
        while number < end:
            if not selector.select(patience):
                child.kill()
                count("hang", f"no answer for {patience:.0f} s")
                number += 1
                break
            if not (data := child.stdout.read(65536)):
                code = child.wait()
                noise.seek(0)
                last = (noise.read().strip().splitlines() or [""])[-1]
                if patience == START:
                    raise RuntimeError(f"the fuzzing process did not start: exit status {code}, {last}")
                count("crash", f"exit status {code} {last}")
                number += 1
                break
            *lines, buffer = (buffer + data).split(b"\n")
            for line in lines:
                patience = PATIENCE
                outcome, memory, detail = f"{line.decode(errors='replace')}  ".split(" ", 2)
                if outcome == "ready":
                    continue
                count(outcome, detail.strip(), float(memory))
                number += 1
    return number


def _child(target, seed, numbers, folder):
    """Try mutants and say one line of each."""
    module = importlib.import_module(target)
    folder = Path(folder)
    state = module.prepare(folder)
    warnings.simplefilter("error")
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    limit = _address_space() + MEMORY
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print("ready", flush=True)
    for number in numbers:
        try:
            outcome, detail = module.attempt(state, np.random.default_rng([seed, number]), folder)
        except MemoryError as problem:
            outcome, detail = "memory", str(problem)
        except Exception as problem:
            place = traceback.extract_tb(problem.__traceback__)[-1]
            outcome = "error"
            detail = f"{type(problem).__name__}: {problem} at {place.filename}:{place.lineno}"
        memory = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - most) / 1024
        print(outcome, f"{memory:.1f}", " ".join(detail.split()), flush=True)


def _address_space():
    """Bytes of address space of this process."""
    return int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()


def main():
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("target")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--mutants", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only", type=int, metavar="N", help="try mutant N in this process and say what becomes of it")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        _child(options.target, options.seed, range(options.first, options.first + options.mutants), options.child)
        return 0
    if options.only is not None:
        with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
            module = importlib.import_module(options.target)
            state = module.prepare(Path(folder))
            warnings.simplefilter("error")
            print(*module.attempt(state, np.random.default_rng([options.seed, options.only]), Path(folder)))
        return 0

    def say(report, failure):
        if failure:
            print(failure, flush=True)
        if sum(report.counts.values()) % 1000 == 0:
            print(report, file=sys.stderr)

    report = run(
        options.target, seed=options.seed, mutants=options.mutants, first=options.first, jobs=options.jobs, progress=say
    )  # fmt: skip
    print(report)
    return 1 if report.failures else 0


if __name__ == "__main__":
    sys.exit(main())
