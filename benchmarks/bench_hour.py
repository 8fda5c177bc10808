"""One hour of video: seconds for slices, windows and Viterbi, and the memory that each step takes.

python -m benchmarks.bench_hour features.h5 --codebook vectors.codebook.h5 --minutes 6,60

The tracks of a feature file are looped, so that an hour needs no extraction. The model has ten classes, which are parts
of the loop, because its costs do not depend on its accuracy. Each step runs in a process of its own; the step
``imports`` shows how much memory the imports take. Seconds are those of the processor. The running mode gets the same
tracks in chunks of 16 frames.
"""

import argparse
import dataclasses
import resource
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

import idt
from classify.svm.linear import LinearSVM
from classify.untrimmed.running import RunningSegments, slices_to_wait
from classify.untrimmed.segmenting import by_viterbi
from classify.untrimmed.window_scores import score_windows
from encoding.codebook import Codebook
from encoding.descriptors.sources import FeaturesSource, TrackSource
from encoding.slices.slices_file import empty_slices, load_slices, save_slices, slice_rows, slice_video
from encoding.slices.windows import windows

RATE = 25.0
LENGTH = 30
STEPS = ("imports", "slices", "windows", "viterbi", "running")


@dataclasses.dataclass(frozen=True, eq=False)
class Looped(TrackSource):
    """Source that repeats the tracks of a video, each time later by the length of the video."""

    features: idt.Features
    frames: int
    name: str = "looped"
    kind = "Features"

    def chunks(self, columns):
        """Yield the tracks of one loop at a time."""
        own = self.features
        for first in range(0, self.frames, own.frames):
            found = dataclasses.replace(own, frame=own.frame + np.int32(first))
            yield found[found.frame < self.frames]

    def running(self):
        """Yield the tracks of 16 frames at a time, and the number of frames that have passed."""
        for found in self.chunks(()):
            first = int(found.frame[0]) // self.features.frames * self.features.frames
            last = min(first + self.features.frames, self.frames)
            for begin in range(first, last, 16):
                yield found[(found.frame >= begin) & (found.frame < begin + 16)], min(begin + 16, last)


def step(name, features, codebook, minutes, slices_path):
    """Run one step and return its seconds of the processor and a remark."""
    codebook = Codebook.load(codebook)
    params = codebook.params_with()
    looped = Looped(idt.load(features), int(minutes * 60 * RATE))
    info = RATE, looped.frames
    if name in ("windows", "viterbi", "running"):
        model = _model(codebook, params, looped)
    began = time.process_time()
    remark = ""
    if name == "slices":
        head = empty_slices("looped", codebook, params, rate_and_frames=info)
        save_slices(slices_path, head, params=params, rows=slice_rows(looped, codebook, params), overwrite=True)
        remark = f"{Path(slices_path).stat().st_size / 1e6:.0f} MB on the disk"
    elif name == "windows":
        score_windows(load_slices(slices_path), codebook, params, model, length=LENGTH)
    elif name == "viterbi":
        table = score_windows(load_slices(slices_path), codebook, params, model, length=LENGTH)
        began = time.process_time()
        remark = f"{len(by_viterbi(table))} slices"
    elif name == "running":
        wait = slices_to_wait(4.0, RATE, 5)
        running = RunningSegments(codebook, params, model, length=LENGTH, wait=wait)
        found = [each.settled_at - each.end for each in running.run(looped.running(), name="looped")]
        remark = (
            f"{len(found)} segments, settled at most {max(found) / RATE:.2f} s after their ends; the limit,"
            f" RunningSegments.delay, is {running.delay / RATE:.2f} s"
        )
    return time.process_time() - began, remark


def _model(codebook, params, looped):
    """Train a model of ten classes on the windows of one loop, whose tenths are the classes."""
    part = Looped(looped.features, looped.features.frames)
    source = FeaturesSource(part.features, "part")
    slices = slice_video(source, codebook, params, rate_and_frames=(RATE, part.frames))
    vectors = np.array([each.vector for each in windows(slices, codebook, params, length=LENGTH)])
    labels = [f"class{i * 10 // len(vectors)}" for i in range(len(vectors))]
    return LinearSVM(C=100.0).fit(vectors, labels)


def main():
    """Run every step in a process of its own and print its costs."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("features", type=Path)
    parser.add_argument("--codebook", type=Path, required=True)
    parser.add_argument("--minutes", default="6,60")
    parser.add_argument("--folder", type=Path, default=Path("/tmp"))
    parser.add_argument("--step", choices=STEPS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    for minutes in map(float, options.minutes.split(",")):
        slices_path = options.folder / f"looped-{minutes:g}.slices.h5"
        if options.step:
            seconds, remark = step(options.step, options.features, options.codebook, minutes, slices_path)
            memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            print(
                f"{minutes:g} min, {options.step}: {seconds:.1f} s of the processor, peak {memory:.0f} MB, {remark}",
                flush=True,
            )
            continue
        for name in STEPS:
            words = [str(options.features), "--codebook", str(options.codebook), "--folder", str(options.folder)]
            more = ["--minutes", f"{minutes:g}", "--step", name]
            subprocess.run([sys.executable, "-m", "benchmarks.bench_hour", *words, *more], check=True)
        slices_path.unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main())
