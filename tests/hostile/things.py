"""One of everything that our commands read, in a folder that a test may ruin."""

import dataclasses
import hashlib
import os
import shutil
from pathlib import Path

import cv2
import numpy as np

import idt
from benchmarks.clips import write_video
from classify.models.train import train
from classify.params import ClassifierParams
from encoding.encode_files import encode_files
from encoding.fitting import fit_codebook
from encoding.params import EncodingParams
from tests import scenes
from tests.networks.graphs import image_network
from tests.samples import random_features

SMALL = "--length 5 --time-cells 1 --scales 1 --stride 10 --no-camera --keypoints none".split()
"""Options of an extraction that takes a blink."""


def make(folder):
    """Make one of everything.

    ``a.avi`` and ``b.avi``; ``frames/``; ``f/`` with two feature files, ``v.h5``, ``cb.h5`` and ``m.h5`` made of them;
    ``labels.csv``, ``names.txt``, ``extra.npy``, ``boxes.txt``, ``list.txt``, ``r.cfg``; ``s/`` with two classes of two
    videos, its ``split.csv`` and ``scored.csv``; ``rows.bin``; ``n.onnx``.
    """
    film = scenes.translating(14, velocity=(3, 0), size=(64, 80), seed=1)
    for name in ("a.avi", "b.avi"):
        write_video(folder / name, film)
    (folder / "frames").mkdir()
    for i, frame in enumerate(film):
        cv2.imwrite(str(folder / f"frames/img_{i:03}.png"), frame)
    (folder / "f").mkdir()
    for i, name in enumerate("ab"):
        features = random_features(30, seed=i)
        idt.save(dataclasses.replace(features, source={**features.source, "name": name}), folder / "f" / f"{name}.h5")
    files = [folder / "f/a.h5", folder / "f/b.h5"]
    codebook = fit_codebook(files, params=EncodingParams(k=2, sample=100))
    codebook.save(folder / "cb.h5")
    encode_files(files, ["a", "b"], codebook, folder / "v.h5")
    (folder / "labels.csv").write_text("a,x\nb,y\n")
    (folder / "names.txt").write_text("a\nb\n")
    np.save(folder / "extra.npy", np.eye(2, dtype=np.float32))
    train(folder / "v.h5", folder / "labels.csv", folder / "m.h5", ClassifierParams())
    (folder / "boxes.txt").write_text("".join(f"{i} 10 10 50 60 0.9\n" for i in range(14)))
    image_network(folder / "n.onnx")
    (folder / "list.txt").write_text("a.avi\nb.avi\n")
    (folder / "r.cfg").write_text("[one]\nk = 2\n")
    for name in ("x/1", "x/2", "y/3", "y/4"):
        (folder / "s" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(folder / "a.avi", folder / "s" / f"{name}.avi")
    (folder / "scored.csv").write_text("name,x,y\nx/1,2,1\nx/2,2,1\ny/3,1,2\ny/4,1,2\n")
    (folder / "split.csv").write_text("x/1,train\nx/2,test\ny/3,train\ny/4,test\n")
    np.zeros((1, 466), np.float32).tofile(folder / "rows.bin")
    return folder


def state_of(folder):
    """Every file below a folder with its content, every link with what it points to."""
    found = {}
    for path in sorted(Path(folder).rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            found[name] = os.readlink(path)
        elif path.is_file():
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found
