"""Extraction by stage: milliseconds per frame of each step, and frames per second of the whole, one thread.

The shipped clip ``wave`` is always measured; the release's own clips too, where they lie beside the checkout. Before
anything is timed its tracks are held against the release's.
"""

import statistics
import time
from contextlib import contextmanager

import cv2

import idt
from benchmarks import cases
from idt import camera, flow, histograms, sampling, selection
from idt import extractor as loop
from idt.tracks import Tracks
from tests.matching import assert_same_tracks

STAGES = {
    "gray pyramid": (loop, "gray_pyramid"),
    "expansion": (flow, "expand"),
    "flow": (flow, "between"),
    "keypoints": (camera, "view"),
    "corner matches": (camera, "match_corners"),
    "keypoint matches": (camera, "match_views"),
    "homography": (camera, "fit"),
    "warp": (camera, "warp"),
    "histograms": (histograms, "accumulate"),
    "tracking": (Tracks, "advance"),
    "texture": (sampling, "texture"),
    "sampling": (sampling, "sample_points"),
    "selection": (selection, "summarise"),
}


def measure(runs=3, names=cases.CLIPS):
    """Rows of the table: clip, stage, median milliseconds per frame."""
    rows = []
    for case in cases.clips(names):
        features = idt.extract(case.frames)
        assert_same_tracks(features, case.reference)
        times = [_one_run(case.frames) for _ in range(runs)]
        for stage in (*STAGES, "everything else", "total"):
            rows.append({"clip": case.name, "stage": stage, "ms": statistics.median(t[stage] for t in times)})
    return rows


def table(rows):
    """The rows as lines of text."""
    lines = [f"{'clip':<14}{'stage':<18}{'ms/frame':>9}{'share':>8}"]
    total = {row["clip"]: row["ms"] for row in rows if row["stage"] == "total"}
    for row in rows:
        share = row["ms"] / total[row["clip"]]
        lines.append(f"{row['clip']:<14}{row['stage']:<18}{row['ms']:>9.2f}{share:>8.1%}")
    lines += [f"{clip}: {1000 / ms:.1f} frames/s, one thread" for clip, ms in total.items()]
    return lines


def _one_run(frames):
    """Milliseconds per frame by stage."""
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        with _stopwatches() as spent:
            began = time.perf_counter()
            idt.extract(frames)
            total = time.perf_counter() - began
    finally:
        cv2.setNumThreads(threads)
    spent["everything else"] = total - sum(spent.values())
    spent["total"] = total
    return {stage: seconds / len(frames) * 1000 for stage, seconds in spent.items()}


@contextmanager
def _stopwatches():
    """Time every call of the stages' functions, by replacing them where the loop looks them up."""
    spent = dict.fromkeys(STAGES, 0.0)
    originals = {stage: getattr(owner, name) for stage, (owner, name) in STAGES.items()}

    def timed(stage, function):
        def call(*arguments, **options):
            began = time.perf_counter()
            try:
                return function(*arguments, **options)
            finally:
                spent[stage] += time.perf_counter() - began

        return call

    for stage, (owner, name) in STAGES.items():
        setattr(owner, name, timed(stage, originals[stage]))
    try:
        yield spent
    finally:
        for stage, (owner, name) in STAGES.items():
            setattr(owner, name, originals[stage])
