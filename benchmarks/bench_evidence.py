"""Evidence on rendered actors, whose place in every frame is known, and the cost of computing it.

python -m benchmarks.bench_evidence --folder /tmp/evidence

Each actor is left out once: codebook and model are those of the other actors. The benchmark prints

- the share of the positive evidence for the right class that lies in the actor's box, beside the share of the tracks
  there; both are computed from the tracks, and again from the maps that a picture of evidence shows, whose values are
  sums over neighbouring tracks,
- how often the strongest cell lies on the actor, beside a cell drawn at random among the cells with tracks,
- the seconds and the memory that it takes to compute the contributions of 2,000 tracks to a score (`track_shares`),
  with K = 256,
- with --weizmann FEATURES VECTORS CODEBOOK, how exactly these contributions sum to scores.
"""

import argparse
import resource
import sys
import time
from pathlib import Path
from unittest import mock

import numpy as np

import idt
from benchmarks import cases
from classify import LinearSVM
from classify.models.explain import explain
from classify.models.model_file import Model
from encoding import EncodingParams, fit_codebook, load_vectors
from encoding.codebook import Codebook
from encoding.descriptors.sources import source_of
from encoding.encode import encode_video, layout_of, width_of
from encoding.evidence.shares import track_shares
from encoding.evidence.tracks_read import read_tracks
from examples import actors
from idt.show.evidence import MAP_FACTOR, ValuedTracks, neighbourhoods

COMPONENTS = 16
TRACKS, LARGE = 2000, 256
LEAST_DIFFERENCE = 12.0
"""Gray levels by which a pixel of an actor differs from the scene behind it."""


def boxes_of(action, actor, *, frames, size):
    """Find the actor in every frame: the bounding box of the pixels that differ from the scene without the actor.

    Returns
    -------
    (T, 4) float
        x1, y1, x2, y2; NaN where there is no actor.
    """
    options = {"frames": frames, "size": size}
    clip = actors.render(action, actor, **options).astype(float)
    with mock.patch.object(actors, "_draw", return_value=None):
        empty = actors.render(action, actor, **options)
    boxes = np.full((frames, 4), np.nan)
    for t, differs in enumerate(np.abs(clip - empty) > LEAST_DIFFERENCE):
        y, x = np.nonzero(differs)
        if len(x):
            boxes[t] = x.min(), y.min(), x.max(), y.max()
    return boxes


def share_inside(features, boxes):
    """Compute the share of each track's points that lie in the box of their frame, (n,)."""
    length = features.points.shape[1] - 1
    frames = features.frame[:, None] - length + np.arange(length + 1)
    x1, y1, x2, y2 = np.moveaxis(boxes[np.clip(frames, 0, len(boxes) - 1)], -1, 0)
    x, y = np.moveaxis(features.points, -1, 0)
    return ((x >= x1) & (x <= x2) & (y >= y1) & (y <= y2)).mean(axis=1)


def map_inside(features, values, boxes, size):
    """Compute which share of the positive part of all frames' maps lies in the actor's box."""
    tracks = ValuedTracks(features.points, features.frame.astype(int), np.ones(len(features), int), values)
    within = total = 0.0
    for index, box in enumerate(boxes):
        found = np.maximum(neighbourhoods(tracks, index, size), 0)
        y, x = (np.indices(found.shape) + 0.5) * MAP_FACTOR
        x1, y1, x2, y2 = box
        within += float(found[(x >= x1) & (x <= x2) & (y >= y1) & (y <= y2)].sum())
        total += float(found.sum())
    return min(within / max(total, 1e-12), 1.0)


def cells_on_actor(cells, grid, boxes, size):
    """Tell which cells have their centre in the actor's box at their middle frame, (m,) bool."""
    columns, rows, length = grid
    x, y = (cells[:, 0] + 0.5) / columns * size[0], (cells[:, 1] + 0.5) / rows * size[1]
    x1, y1, x2, y2 = boxes[np.clip(cells[:, 2] * length + length // 2, 0, len(boxes) - 1)].T
    return (x >= x1) & (x <= x2) & (y >= y1) & (y <= y2)


def extract_clips(folder, *, n_actors, frames, size, camera=True):
    """Extract features of every clip that ``folder`` lacks; return the paths by (action, actor)."""
    found = {}
    for actor in actors.cast(n_actors, size=size):
        for action in actors.ACTIONS:
            path = Path(folder) / action / f"{actor.name}_{action}.h5"
            if not path.exists():
                path.parent.mkdir(parents=True, exist_ok=True)
                clip = actors.render(action, actor, frames=frames, size=size)
                idt.save(idt.extract(clip, camera=camera), path)
            found[action, actor.name] = path
    return found


def localisation(folder, *, n_actors=4, frames=actors.FRAMES, size=actors.SIZE, k=COMPONENTS, camera=True):
    """Measure where the evidence for the right class lies.

    Returns
    -------
    dict of str to (m,) float
        A number for each clip. ``evidence`` and ``tracks`` are the shares of the positive evidence and of the tracks in
        the actor's box. ``map`` and ``even`` are the same shares in the maps of neighbourhoods, where ``even`` counts
        every track as 1. ``hit`` is 1 if the strongest cell lies on the actor, ``chance`` is the share of cells on the
        actor. ``right`` is 1 if the right class has the highest score.
    """
    found = extract_clips(folder, n_actors=n_actors, frames=frames, size=size, camera=camera)
    out = {name: [] for name in ("evidence", "tracks", "map", "even", "hit", "chance", "right")}
    for actor in actors.cast(n_actors, size=size):
        others = [key for key in found if key[1] != actor.name]
        params = EncodingParams(k=k)
        codebook = fit_codebook([found[key] for key in others], params=params)
        vectors = [encode_video(source_of(found[key], "a"), codebook, params).vector for key in others]
        machine = LinearSVM().fit(np.array(vectors), [action for action, _ in others])
        model = Model(machine, layout_of(codebook, params), codebook.digest)
        for action in actors.ACTIONS:
            boxes = boxes_of(action, actor, frames=frames, size=size)
            shares = explain(found[action, actor.name], model, codebook, class_name=action)
            if not len(shares.features):
                continue
            within, positive = share_inside(shares.features, boxes), np.maximum(shares.values, 0)
            out["evidence"].append(float(positive @ within / max(positive.sum(), 1e-12)))
            out["tracks"].append(float(within.mean()))
            out["map"].append(map_inside(shares.features, shares.values, boxes, size))
            out["even"].append(map_inside(shares.features, np.ones(len(shares.features)), boxes, size))
            lost = explain(found[action, actor.name], model, codebook, class_name=action, by="without")
            there = cells_on_actor(lost.cells, lost.grid, boxes, size)
            out["hit"].append(float(there[int(np.argmax(lost.losses))]))
            out["chance"].append(float(there.mean()))
            best = explain(found[action, actor.name], model, codebook).class_name
            out["right"].append(float(best == action))
    return {name: np.array(values) for name, values in out.items()}


def cost_of_shares(features, *, k=LARGE):
    """Measure the seconds and the peak memory in MB of the shares of one clip, after the codebook is fitted."""
    params = EncodingParams(k=k, sample=max(4 * k, len(features)))
    codebook = fit_codebook([features[::2], features[1::2]], params=params)
    weights = np.random.default_rng(0).normal(size=width_of(layout_of(codebook, params)))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    start = time.perf_counter()
    tracks = read_tracks(source_of(features, "a"), codebook, params)
    track_shares(tracks, codebook, params, weights)
    return time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 - before


def completeness(features, vectors, codebook, labels):
    """Compute the largest difference of summed shares from scores without bias, relative to the largest score.

    Parameters
    ----------
    features : Path
        Folder of feature files.
    vectors, codebook : Path
        Vectors of all of them, and their codebook.
    labels : callable
        Class of a video by its name.

    Returns
    -------
    float
    """
    stored, book = load_vectors(vectors), Codebook.load(codebook)
    params = EncodingParams.from_options(**stored.params)
    machine = LinearSVM().fit(stored.encodings, [labels(name) for name in stored.names])
    scores = machine.scores(stored.encodings)
    worst = 0.0
    for name, row in zip(stored.names, scores, strict=True):
        tracks = read_tracks(source_of(features / f"{name}.h5", name), book, params)
        for label in (int(row.argmax()), int(row.argmin())):
            shares = track_shares(tracks, book, params, machine.coef_[label])
            worst = max(worst, abs(shares.values.sum() - (row[label] - machine.intercept_[label])))
    return worst / float(np.abs(scores).max())


def main(words=None):
    """Measure and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--folder", type=Path, required=True, help="features of the rendered clips are kept here")
    parser.add_argument("--actors", type=int, default=4, help="people, each left out once (%(default)s)")
    parser.add_argument("--no-camera", action="store_true", help="measure plain dense trajectories")
    parser.add_argument("--weizmann", type=Path, nargs=3, metavar=("FEATURES", "VECTORS", "CODEBOOK"))
    options = parser.parse_args(words)
    found = localisation(options.folder, n_actors=options.actors, camera=not options.no_camera)
    mean = {name: 100 * values.mean() for name, values in found.items()}
    print(f"{len(found['right'])} clips, {mean['right']:.1f} % recognised")
    print(f"in the actor's box: {mean['evidence']:.1f} % of positive evidence, {mean['tracks']:.1f} % of tracks")
    print(f"in the maps of pictures: {mean['map']:.1f} % of positive evidence, {mean['even']:.1f} % of tracks")
    print(f"strongest cell on the actor: {mean['hit']:.1f} %, a random cell {mean['chance']:.1f} %")
    seconds, memory = cost_of_shares(idt.extract(cases.scene(320, 240, 45))[:TRACKS])
    print(f"shares of {TRACKS} tracks, K = {LARGE}: {seconds:.2f} s, {memory:.0f} MB more than before")
    if options.weizmann:
        worst = completeness(*options.weizmann, lambda name: name.partition("/")[0])
        print(f"Weizmann: shares sum to the score within {worst:.1e} of the largest score")


if __name__ == "__main__":
    sys.exit(main())
