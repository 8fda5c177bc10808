"""Training and scoring at the size of a data set: seconds by stage and peak memory, in a process of its own.

For each stage it prints the wall time and, in parentheses, the processor time of all threads.

The vectors are made of random class centres and noise, and have the layout of the standard recipe with K = 256. The
tests run the size ``small``; UCF101's first split has 9,537 training and 3,783 test videos.

python -m benchmarks.bench_svm ucf101 --threads 1 2
"""

import argparse
import contextlib
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from encoding.vectors_file import VectorsWriter

BLOCKS = {"trajectory": 15, "hog": 48, "hof": 54, "mbhx": 48, "mbhy": 48}
"""Numbers of each block after PCA."""

SIZES = {"small": (40, 20, 4, 2), "ucf101": (9_537, 3_783, 101, 256)}
"""Training videos, test videos, classes, components."""


def layout(n_components):
    """Return the layout of Fisher vectors of the standard recipe."""
    parts, first = [], 0
    for block, width in BLOCKS.items():
        size = 2 * n_components * width
        parts.append({"block": block, "cell": "whole", "first": first, "size": size})
        first += size
    return parts


def write_vectors(path, size):
    """Write the vectors of all videos of a size, the training videos first."""
    n_train, n_test, n_classes, n_components = SIZES[size]
    parts = layout(n_components)
    columns = parts[-1]["first"] + parts[-1]["size"]
    rng = np.random.default_rng(0)
    centres = rng.normal(scale=0.1, size=(n_classes, columns)).astype(np.float32)
    with VectorsWriter(path, layout=parts, codebook="0" * 64, params=None, source={"digest": "0" * 64}) as writer:
        for i in range(n_train + n_test):
            vector = centres[i % n_classes] + rng.standard_normal(columns, np.float32)
            for part in parts:
                block = vector[part["first"] : part["first"] + part["size"]]
                block /= np.linalg.norm(block)
            writer.append(f"video{i:05}", vector)


@contextlib.contextmanager
def timed(stages, name):
    """Add the wall time and the processor time of the body of a ``with`` statement to the ``stages``."""
    began = time.perf_counter(), time.process_time()
    yield
    taken = time.perf_counter() - began[0], time.process_time() - began[1]
    stages[name] = [before + more for before, more in zip(stages.get(name, (0, 0)), taken, strict=True)]


def train_and_score(path, size, threads):
    """Train on each block and on all, score the test videos; return seconds by stage and the accuracy of all blocks."""
    from classify.params import ClassifierParams
    from classify.svm.build import build_classifier
    from classify.svm.lazy_rows import LazyRows
    from encoding.vector_layout import block_columns
    from encoding.vectors_file import open_vectors

    n_train, n_test, n_classes, _ = SIZES[size]
    labels = np.array([f"c{i % n_classes:03}" for i in range(n_train + n_test)])
    seconds = {}
    with open_vectors(path) as vectors:
        total = None
        for block, columns in block_columns(vectors.layout).items():
            machine = build_classifier(ClassifierParams(), [{"block": block, "size": 1}], threads)
            with timed(seconds, "similarities"):
                similarity = machine.similarity(LazyRows(vectors.encodings, columns=columns), n_train)
            total = similarity.copy() if total is None else np.add(total, similarity, out=total)
            with timed(seconds, "blocks"):
                machine.score_others(similarity, labels[:n_train])
        with timed(seconds, "all blocks"):
            scores, _ = machine.score_others(total, labels[:n_train])
    right = np.unique(labels[:n_train])[scores.argmax(axis=1)] == labels[n_train:]
    return seconds, float(right.mean())


def main():
    """Measure a size with each number of threads."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("size", choices=SIZES)
    parser.add_argument("--threads", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        from benchmarks.child import peak_megabytes

        seconds, accuracy = train_and_score(options.child[0], options.size, int(options.child[1]))
        print(json.dumps({"seconds": seconds, "accuracy": accuracy, "peak": peak_megabytes()}))
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "vectors.h5"
        began = time.perf_counter()
        write_vectors(path, options.size)
        print(f"{path.stat().st_size / 1e9:.2f} GB of vectors written in {time.perf_counter() - began:.0f} s")
        for threads in options.threads:
            words = [sys.executable, "-m", "benchmarks.bench_svm", options.size, "--child", str(path), str(threads)]
            began = time.perf_counter()
            found = json.loads(subprocess.run(words, capture_output=True, text=True, check=True).stdout)
            stages = ", ".join(f"{name} {wall:.1f} s ({cpu:.1f})" for name, (wall, cpu) in found["seconds"].items())
            print(
                f"{threads} threads: {time.perf_counter() - began:.0f} s ({stages}), {found['peak']:.0f} MB,"
                f" accuracy {100 * found['accuracy']:.1f} %",
                flush=True,
            )


if __name__ == "__main__":
    main()
