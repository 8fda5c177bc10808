"""Extraction by stage on one thread, beside the rates of a plain copy and of a matrix product.

Before anything is timed the tracks of each clip are compared with the release's. Decoding and writing are left out:
`bench_command` times the whole command. Times are those of the processor's clock (`results.in_turns`).
"""

from contextlib import contextmanager
from time import process_time

import numpy as np

import idt
from benchmarks import cases
from benchmarks.results import Row, in_turns
from benchmarks.stages import STAGES, wrapped

NAME = "extraction"
REST, WHOLE = "everything else", "all"


def measure(*, runs=5, small=False):
    """Measure milliseconds per frame of each stage, its share, and its rates."""
    with cases.one_thread():
        rows = machine_rates(runs, size=64 if small else 1024)
        for name in ("wave",) if small else cases.CLIPS:
            rows += of_clip(cases.clip(name), runs) if cases.at_hand(name) else [skipped(name)]
    return rows


def notes():
    """Return a line for each stage whose work is counted: its derivation."""
    return [f"{name}: {stage.derivation}" for name, stage in STAGES.items() if stage.work]


def machine_rates(runs, size):
    """Measure the best rates of this machine: small and large copies, and a float32 matrix product."""
    near, far = np.ones(size << 10, np.float32), np.ones(size << 16, np.float32)
    left = np.ones((size, size), np.float32)
    to = {"near": np.empty_like(near), "far": np.empty_like(far), "product": np.empty_like(left)}
    np.matmul(left, left, out=to["product"])
    if not (to["product"] == size).all():
        raise RuntimeError("the matrix product is wrong; not timed")
    work = {
        f"copy, {near.nbytes / 2**20:g} MB": (lambda: np.copyto(to["near"], near), 2 * near.nbytes, "GB/s"),
        f"copy, {far.nbytes / 2**20:g} MB": (lambda: np.copyto(to["far"], far), 2 * far.nbytes, "GB/s"),
        "float32 matrix product": (lambda: np.matmul(left, left, out=to["product"]), 2 * size**3, "GFLOP/s"),
    }
    for call, _, _ in work.values():
        call()
    seconds = in_turns({name: call for name, (call, _, _) in work.items()}, 3 * runs)
    return [
        Row(NAME, "this machine, one thread", name, unit, tuple(amount / s / 1e9 for s in seconds[name]))
        for name, (_, amount, unit) in work.items()
    ]


def of_clip(clip, runs):
    """Measure one clip and return rows of the table."""
    with counted_work() as work:
        clip.check(idt.extract(clip.frames))
    times, units = [], []
    for _ in range(runs):
        before = cases.unit(process_time)
        times.append(_one_run(clip.frames))
        units.append(times[-1][WHOLE] / len(clip.frames) / (before + cases.unit(process_time)) * 2)
    rows = []
    for name in times[0]:
        seconds = [of[name] for of in times]
        row = Row(NAME, str(clip), name, "ms/frame", tuple(1000 * s / len(clip.frames) for s in seconds))
        row.more["share"] = f"{row.median / np.median([of[WHOLE] for of in times]) * len(clip.frames) / 10:.1f} %"
        if name in work:
            n_bytes, flops = work[name]
            median = np.median(seconds)
            row.more.update({"GB/s": n_bytes / median / 1e9, "GFLOP/s": flops / median / 1e9})
        rows.append(row)
    rate = Row(NAME, str(clip), "rate", "frames/s", tuple(1000 / ms for ms in rows[-1].samples))
    return [*rows, rate, Row(NAME, str(clip), "all, in Farnebäck calls", "units/frame", tuple(units))]


def skipped(name):
    """Return the row of a clip that is not at hand."""
    return Row(NAME, name, WHOLE, "ms/frame", reason=cases.NOT_AT_HAND)


def _one_run(frames):
    """Run an extraction and return the seconds by stage."""
    with stopwatches() as spent:
        began = process_time()
        idt.extract(frames)
        whole = process_time() - began
    return {**spent, REST: whole - sum(spent.values()), WHOLE: whole}


@contextmanager
def stopwatches():
    """Time all calls of the stages, each without the stages that it calls itself."""
    spent = dict.fromkeys(STAGES, 0.0)
    inner = [0.0]

    def timed(name, function):
        def call(*arguments, **options):
            inner.append(0.0)
            began = process_time()
            result = function(*arguments, **options)
            taken = process_time() - began
            spent[name] += taken - inner.pop()
            inner[-1] += taken
            return result

        return call

    with wrapped(timed):
        yield spent


@contextmanager
def counted_work():
    """Add up the work of all calls of the stages: name → [bytes, flops]."""
    work = {name: [0.0, 0.0] for name, stage in STAGES.items() if stage.work}

    def counting(name, function):
        def call(*arguments, **options):
            result = function(*arguments, **options)
            if name in work:
                for i, amount in enumerate(STAGES[name].work(result, *arguments, **options)):
                    work[name][i] += amount
            return result

        return call

    with wrapped(counting):
        yield work
