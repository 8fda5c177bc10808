"""Render long videos of several actions with known boundaries: the clips of `actors.py`, one after another.

Writes OUT/<actor>.avi, lossless and gray, and OUT/segments.csv with a line video,start,end,label for every action. The
seed determines the order of the actions of every actor.

example: python -m examples.long_videos long && idt-extract long -o long-features --preset fast
"""

import argparse
import csv
from pathlib import Path

import cv2
import numpy as np

from examples import actors


def write_long_videos(out, *, n_actors=4, frames=60, size=actors.SIZE, seed=0, actions=tuple(actors.ACTIONS)):
    """Write a video of all actions for every actor.

    Parameters
    ----------
    out : str or Path
    n_actors : int
    frames : int
        Mean number of frames of an action; each has up to a half more or less.
    size : (int, int)
        Width and height in pixels.
    seed : int
        Another seed gives other scenes, another order and other lengths.
    actions : sequence of str

    Returns
    -------
    list of Path
        The videos.
    """
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    paths, rows = [], []
    for actor in actors.cast(n_actors, seed=seed, size=size):
        rng = np.random.default_rng([seed, actor.number, 99])
        path = out / f"{actor.name}.avi"
        writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter_fourcc(*"FFV1"), actors.FPS, size)
        if not writer.isOpened():
            raise OSError(f"OpenCV cannot write {path}")
        begin = 0
        for action in rng.permutation(list(actions)).tolist():
            length = int(rng.integers(frames // 2, frames * 3 // 2 + 1))
            for frame in actors.render(action, actor, frames=length, size=size, seed=seed):
                writer.write(cv2.merge([frame] * 3))
            rows.append((actor.name, begin / actors.FPS, (begin + length) / actors.FPS, action))
            begin += length
        writer.release()
        paths.append(path)
    with open(out / "segments.csv", "w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows([("video", "start", "end", "label"), *rows])
    return paths


def main(words=None):
    parser = argparse.ArgumentParser(
        description=__doc__.partition("\n")[0], epilog=__doc__.rstrip().rpartition("\n")[2]
    )
    parser.add_argument("out", help="folder to write <actor>.avi and segments.csv into")
    parser.add_argument("--actors", type=int, default=4, help="people who perform every action (%(default)s)")
    parser.add_argument("--frames", type=int, default=60, help="mean number of frames of an action (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="another seed is another set (%(default)s)")
    given = parser.parse_args(words)
    paths = write_long_videos(given.out, n_actors=given.actors, frames=given.frames, seed=given.seed)
    print(f"{len(paths)} videos of {len(actors.ACTIONS)} actions: {given.out}")


if __name__ == "__main__":
    main()
