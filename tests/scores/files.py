"""Score files as other programs write them, made without these programs."""

import pickle
import struct
from types import SimpleNamespace

import h5py
import numpy as np
from scipy.io import savemat

from tests.golden import HERE

TORCH = HERE / "data" / "torch_forms"
"""Files that torch 1.13 wrote, and what they hold (``ref.npz``)."""

NAMES = ["walk/ann.avi", "run/bob.avi", "walk/cid.avi", "jump/dan.avi", "run/eve.avi"]
CLASSES = ["jump", "run", "walk"]
LABELS = np.array([2, 1, 2, 0, 1])
SCORES = np.round(np.random.default_rng(3).normal(size=(5, 3)) + 2 * np.eye(3)[LABELS], 3)
"""Scores of five videos and three classes, four of them labelled rightly."""


def listing(names=NAMES, labels=LABELS, classes=CLASSES, path="list.txt"):
    """A list of videos, with the attributes that readers and writers use."""
    labels = None if labels is None else [int(label) for label in labels]
    return SimpleNamespace(names=list(names), labels=labels, classes=classes and list(classes), path=path)


def objects(rows):
    """An array of objects, (n, m), of any values."""
    found = np.empty((len(rows), len(rows[0])), object)
    for i, row in enumerate(rows):
        for j, value in enumerate(row):
            found[i, j] = value
    return found


def tsn(path, scores=SCORES, labels=LABELS, shape=(1, 1), **more):
    """Npz of TSN: every frame and crop differs from the mean, which is the score."""
    noise = np.random.default_rng(0).normal(size=(len(scores), *shape, scores.shape[1]))
    noise -= noise.mean(axis=tuple(range(1, noise.ndim - 1)), keepdims=True)
    parts = (noise + scores.reshape(len(scores), *[1] * len(shape), -1)).astype(np.float32)
    rows = objects([[part, int(label)] for part, label in zip(parts, labels, strict=True)])
    return savez(path, scores=rows, labels=np.asarray(labels), **more)


def savez(path, **arrays):
    """Npz under exactly this name."""
    with open(path, "wb") as file:
        np.savez(file, **arrays)
    return path


def coviar(path, scores=SCORES, labels=LABELS, names=NAMES):
    """Npz of CoViAR."""
    return tsn(path, scores, labels, (1,), names=np.array(names))


def pickled(path, value, protocol=4):
    """A pickle."""
    path.write_bytes(pickle.dumps(value, protocol))
    return path


def python2(path, scores=SCORES, names=NAMES):
    """Pickle of a dict of arrays as Python 2 writes it with protocol 0: bytes are quoted text, numbers are lines."""
    items = []
    for name, row in zip(names, scores.astype("<f4"), strict=True):
        quoted = repr(row.tobytes())[1:]
        items.append(
            f"S{name!r}\ncnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\ntS'b'\ntR(I1\n(I{len(row)}\n"
            "tcnumpy\ndtype\n(S'f4'\nI0\nI1\ntR(I3\nS'<'\nNNNI-1\nI-1\nI0\ntb"
            f"I00\nS{quoted}\ntbs"
        )
    path.write_bytes(("(dp0\n" + "".join(items) + ".").encode("latin1"))
    return path


def ltc(path, scores=SCORES, labels=LABELS, names=NAMES):
    """MAT 5 of LTC: names without suffix in a cell, labels from 1."""
    cells = np.array([name.removesuffix(".avi") for name in names], object)[:, None]
    content = {"scores_idt": scores, "vn_idt": cells, "gt_idt": np.asarray(labels, np.uint8)[:, None] + 1}
    savemat(path, content, appendmat=False, do_compression=True)
    return path


def mat73(path, scores=SCORES, labels=LABELS, names=NAMES):
    """The same as MATLAB writes version 7.3: HDF5 behind 512 bytes, matrices turned, text and cells as references."""
    with h5py.File(path, "w", userblock_size=512) as file:

        def put(name, values, kind):
            dataset = file.create_dataset(name, data=values)
            dataset.attrs["MATLAB_class"] = np.bytes_(kind)
            return dataset

        put("scores_idt", np.asarray(scores).T, "double")
        put("gt_idt", np.asarray(labels, np.uint8)[None] + 1, "uint8")
        cells = [put(f"#refs#/{i}", np.array([[ord(c)] for c in name], "u2"), "char") for i, name in enumerate(names)]
        for cell in cells:
            cell.attrs["MATLAB_int_decode"] = np.int32(2)
        put("vn_idt", np.array([cell.ref for cell in cells], h5py.ref_dtype)[None], "cell")
    with open(path, "r+b") as file:
        file.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(124) + struct.pack("<H", 0x0200) + b"IM")
    return path


def actionvlad(path, scores=SCORES):
    """HDF5 of ActionVLAD: one matrix, float32, without names."""
    with h5py.File(path, "w") as file:
        file.create_dataset("stream0/logits", data=np.asarray(scores, np.float32))
    return path
