"""Untrimmed Weizmann: the ten clips of an actor one after another as one video, segmented by models of the others.

python -m benchmarks.bench_untrimmed PATH-TO-WEIZMANN --folder /tmp/untrimmed

The order of the clips is drawn with a seed for each actor. Codebook and model of an actor are fitted on the videos of
the others. Prints frame accuracy, Edit and F1 (pooled, MS-TCN's convention) of windows, Viterbi and the alignment with
the transcript, with linear stretching beside it; then how often an example of ``wave2`` finds that of the other actors.
"""

import argparse
import sys
import time
from pathlib import Path

import numpy as np

from benchmarks.clips import write_video
from classify.svm.linear import LinearSVM
from classify.untrimmed.dtw import spot
from classify.untrimmed.formats.table import read_table, write_table
from classify.untrimmed.segment_training import train_on_segments
from classify.untrimmed.segment_videos import METHODS, SegmentOptions, agreement, segment_slices
from classify.untrimmed.segments import Segments
from classify.untrimmed.window_scores import slice_vectors
from encoding.descriptors.sources import FileSource
from encoding.fitting import fit_codebook
from encoding.params import EncodingParams
from encoding.slices.slice_files import read_info
from encoding.slices.slices_file import slice_video
from idt.cli import extract
from idt.frames.video import open_video

RATE = 25.0
WINDOW = 20


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
    """Make the videos, segment each, and print what agrees."""
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
    _say(f"extraction: {time.perf_counter() - began:.1f} s")
    features = sorted((folder / f"features-{options.preset}").glob("*.h5"))
    params = EncodingParams(k=options.k)
    found: dict[str, list] = {method: [] for method in (*METHODS, "argmax")}
    hits = 0
    began = time.perf_counter()
    for held in features:
        others = [path for path in features if path != held]
        codebook = fit_codebook(others, [path.stem for path in others], params, jobs=2, threads=2)
        sliced = {
            path.stem: slice_video(FileSource(path, path.stem), codebook, params, info=read_info(path), threads=2)
            for path in features
        }
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
        hits += _spotted(held.stem, own, sliced, truth, codebook, params)
    for method, results in found.items():
        _print(method, agreement(results, truth))
    _print("equal parts", agreement(found["dtw"], truth, baseline=True))
    _say(f"spotting wave2: {hits} of {len(features)} examples found in the first two places of another actor's video")
    _say(f"codebooks, slices, models, segments: {time.perf_counter() - began:.1f} s")
    return 0


def _spotted(actor, own, sliced, truth, codebook, params):
    """Tell whether an actor's ``wave2`` finds that of the next actor in the first two places."""
    names = sorted([actor, *sliced])
    other = names[(names.index(actor) + 1) % len(names)]
    vectors = {}
    for name, slices in ((actor, own), (other, sliced[other])):
        vectors[name], _ = slice_vectors(slices, codebook, params, length=WINDOW)
    reduced = _reduced(vectors, other)
    spans = {
        name: truth.rows((truth.videos == name) & (truth.labels == "wave2")).spans[0] * RATE for name in (actor, other)
    }
    begin, end = (int(frame // 5) for frame in spans[actor])
    query = reduced[actor][begin : max(begin + 1, end - WINDOW // 5)]
    places = spot(query, reduced[other], k=2, distance="cosine")
    wanted = spans[other]
    for place in places:
        start, stop = 5 * place.path[0, 1], 5 * place.path[-1, 1] + WINDOW
        if min(stop, wanted[1]) - max(start, wanted[0]) > 0.5 * (wanted[1] - wanted[0]):
            return True
    return False


def _reduced(vectors, fitted_on):
    """Principal components of the windows, fitted on one video, rows of unit length."""
    rows = vectors[fitted_on].astype(np.float64)
    mean = rows.mean(axis=0)
    _, _, axes = np.linalg.svd(rows - mean, full_matrices=False)
    found = {name: (each - mean) @ axes[:64].T for name, each in vectors.items()}
    return {name: each / np.maximum(np.linalg.norm(each, axis=1, keepdims=True), 1e-12) for name, each in found.items()}


def _print(name, scores):
    f1 = " ".join(f"{100 * value:.1f}" for value in scores.f1_pooled.values())
    _say(f"{name}: frames {100 * scores.accuracy_pooled:.1f}, Edit {100 * scores.edit:.1f}, F1@10,25,50 {f1}")


def _say(line):
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
