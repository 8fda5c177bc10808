"""Untrimmed Weizmann: the ten clips of an actor one after another as one video, segmented by models of the others.

python -m benchmarks.bench_untrimmed PATH-TO-WEIZMANN --folder /tmp/untrimmed

The order of the clips is drawn with a seed for each actor. Codebook and model of an actor are fitted on the videos of
the others. Prints frame accuracy, Edit and F1 (pooled, MS-TCN's convention) of windows, Viterbi and the alignment with
the transcript, with linear stretching for comparison; then how often `spot` finds the action ``wave2`` in the video of
one actor if the query is the ``wave2`` of another. Videos, features, codebooks and slices stay in the folder, so that a
second run takes a minute.
"""

import argparse
import sys
import time
from pathlib import Path

import numpy as np
from sklearn.decomposition import PCA

from benchmarks.clips import write_video
from classify.params import METHODS
from classify.svm.linear import LinearSVM
from classify.untrimmed.dtw import fill_empty_rows, spot
from classify.untrimmed.formats.table import read_table, write_table
from classify.untrimmed.segment_training import train_on_segments
from classify.untrimmed.segment_videos import SegmentOptions, agreement, segment_slices
from classify.untrimmed.segments import Segments
from classify.untrimmed.window_scores import window_vectors
from encoding import pipeline
from encoding.codebook import Codebook
from encoding.params import EncodingParams
from encoding.slices.slice_files import slice_files
from encoding.slices.slices_file import load_slices
from idt.cli import extract
from idt.frames.video import open_video
from idt.workers.run_options import RunOptions

RATE = 25.0
WINDOW = 20
N_COMPONENTS = 64
"""Number of principal components of a window, for spotting."""


def make_videos(clips, folder, *, seed=0):
    """Write the video of each actor.

    Parameters
    ----------
    clips : Path
        Folders of classes with files ``actor_class.avi``.
    folder : Path
        Gets ``ACTOR.avi`` and ``truth.csv``.
    seed : int
        Of the order of the clips.

    Returns
    -------
    Segments
        The true segments.
    """
    by_actor: dict[str, list[Path]] = {}
    for path in sorted(clips.rglob("*.avi")):
        by_actor.setdefault(path.stem.partition("_")[0], []).append(path)
    rows = []
    for number, (actor, paths) in enumerate(sorted(by_actor.items())):
        order = np.random.default_rng([seed, number]).permutation(len(paths))
        frames: list[np.ndarray] = []
        for i in order:
            with open_video(paths[i]) as opened:
                found = [frame.gray for frame in opened]
            rows.append((actor, paths[i].parent.name, (len(frames) / RATE, (len(frames) + len(found)) / RATE)))
            frames += found
        write_video(folder / f"{actor}.avi", np.array(frames), fps=RATE)
    truth = Segments.of(*zip(*rows, strict=True))
    write_table(folder / "truth.csv", truth)
    return truth


def main():
    """Make the videos, segment each, and print the agreement with the truth."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", type=Path)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--k", type=int, default=64)
    parser.add_argument("--penalty", type=float, default=1.0)
    parser.add_argument("--preset", default="fast")
    options = parser.parse_args()
    folder = options.folder
    folder.mkdir(parents=True, exist_ok=True)
    truth = read_table(folder / "truth.csv") if (folder / "truth.csv").exists() else make_videos(options.clips, folder)
    began = time.perf_counter()
    videos = [str(path) for path in sorted(folder.glob("*.avi"))]
    if extract([*videos, "-o", f"{folder}/features-{options.preset}/", "--preset", options.preset, "--jobs", "2"]):
        return 1
    _print_line(f"extraction: {time.perf_counter() - began:.1f} s")
    features = sorted((folder / f"features-{options.preset}").glob("*.h5"))
    found: dict[str, list] = {method: [] for method in (*METHODS, "argmax")}
    hits: list[list[bool]] = []
    began = time.perf_counter()
    for held in features:
        codebook, params, sliced = _sliced(folder / f"{options.preset}-k{options.k}", features, held, options.k)
        hits.append(_spotted(held.stem, sliced, truth, codebook, params))
        own = sliced.pop(held.stem)
        training = truth.rows(truth.videos != held.stem)
        model = train_on_segments(list(sliced.values()), training, codebook, params, LinearSVM(C=100.0), length=WINDOW)
        segments = truth.rows(truth.videos == held.stem)
        transcript = segments.labels[np.argsort(segments.spans[:, 0])].tolist()
        for method in found:
            how = SegmentOptions(
                "viterbi" if method == "argmax" else method, (WINDOW,), 0.0 if method == "argmax" else options.penalty,
                transcripts={held.stem: transcript},
            )  # fmt: skip
            found[method].append(segment_slices(own, codebook, params, model, how))
    for method, results in found.items():
        _print_scores(method, agreement(results, truth))
    _print_scores("equal parts", agreement(found["dtw"], truth, baseline=True))
    first = sum(row[0] for row in hits)
    _print_line(f"spotting wave2, first two hits: {first} of {len(hits)} with the example of the actor before, "
         f"{sum(map(sum, hits))} of {sum(map(len, hits))} in all pairs")  # fmt: skip
    _print_line(f"codebooks, slices, models, segments: {time.perf_counter() - began:.1f} s")
    return 0


def _sliced(folder, features, held, k):
    """Fit a codebook without one actor and cut all videos: codebook, its parameters, and slices by video name."""
    run = RunOptions(jobs=2)
    names = [path.stem for path in features]
    others = [path for path in features if path != held]
    book = folder / f"{held.stem}.codebook.h5"
    folder.mkdir(exist_ok=True)
    pipeline.fit(others, [path.stem for path in others], book, EncodingParams(k=k), run=run)
    codebook = Codebook.load(book)
    params = codebook.params_with()
    made = slice_files(features, names, folder / held.stem, codebook, params, run=run)
    return codebook, params, {path.stem: load_slices(path, codebook=codebook) for path in made.paths}


def _spotted(actor, sliced, truth, codebook, params):
    """Search the video of one actor for the ``wave2`` of each other actor; return a list of bool.

    An item is True if one of the first two places covers more than half of the true segment. The items go
    backwards through the alphabet: from the actor before ``actor`` to the first one, then from the last one to the
    actor after ``actor``.
    """
    windows = {name: window_vectors(slices, codebook, params, length=WINDOW) for name, slices in sliced.items()}
    projection = PCA(N_COMPONENTS, random_state=0).fit(
        np.concatenate([vectors for name, (vectors, _) in windows.items() if name != actor])
    )
    rows = {}
    for name, (vectors, empty) in windows.items():
        filled = fill_empty_rows(projection.transform(vectors), empty)
        rows[name] = filled / np.linalg.norm(filled, axis=1, keepdims=True)
    lag = sliced[actor].lag
    spans = {
        name: truth.rows((truth.videos == name) & (truth.labels == "wave2")).spans[0] * RATE + lag for name in sliced
    }
    names = sorted(sliced)
    at = names.index(actor)
    found = []
    for name in names[:at][::-1] + names[at + 1 :][::-1]:
        begin, end = spans[name]
        query = rows[name][int(np.ceil(begin / 5)) : int((end - WINDOW) // 5) + 1]
        wanted = spans[actor]
        shares = [
            min(5 * place.path[-1, 1] + WINDOW, wanted[1]) - max(5 * place.path[0, 1], wanted[0])
            for place in spot(query, rows[actor], k=2, distance="cosine")
        ]
        found.append(max(shares) > 0.5 * (wanted[1] - wanted[0]))
    return found


def _print_scores(name, scores):
    f1 = " ".join(f"{100 * value:.1f}" for value in scores.f1_pooled.values())
    _print_line(f"{name}: frames {100 * scores.accuracy_pooled:.1f}, Edit {100 * scores.edit:.1f}, F1@10,25,50 {f1}")


def _print_line(line):
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
