"""Score files of a small set with the traps of HMDB51's real ones: names with special characters, prefixes as classes.

The scores are random; what they must give is computed by `tests.reference.fusion` from plain dictionaries.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import scipy.io

CLASSES = ("brush_hair", "climb", "climb_stairs", "kick", "kick_ball", "sword")
EACH = 8
"""Test videos of each class."""


@dataclass(frozen=True)
class Classifier:
    """Scores of all test videos, (n, C), in the order of `VIDEOS` and `CLASSES`."""

    values: np.ndarray

    def table(self):
        """Video → class → score."""
        return {
            video: dict(zip(CLASSES, row, strict=True)) for video, row in zip(VIDEOS, self.values.tolist(), strict=True)
        }


def _name(label, number):
    # The first two titles differ only in case and in characters that CoViAR replaces.
    title = ("boom-snap-clap", "Boom_Snap_Clap", "A_#_[NEW]!", "Mr._Bean;(x)")[number % 4]
    return f"{label}/{title}_{label}_u_{number // 2}"


VIDEOS = tuple(_name(label, 2 * number + (number >= EACH // 2)) for label in CLASSES for number in range(EACH))
"""Test videos, ``class/video`` without suffix; no two of them are folded to one name."""

TRAINING = tuple(f"{label}/{title}_{label}_u_0" for label in CLASSES for title in ("Boom_Snap_Clap", "other"))
"""Training videos; the first of each class is folded to the name of a test video."""

LABELS = np.repeat(np.arange(len(CLASSES)), EACH)


def classifier(seed, *, strength=1.5):
    """Random scores, whose right class is `strength` standard deviations above the others."""
    values = np.random.default_rng(seed).normal(size=(len(VIDEOS), len(CLASSES)))
    values[np.arange(len(VIDEOS)), LABELS] += strength
    return Classifier(np.round(values, 4))


def mangled(name):
    """A name as CoViAR writes it: the suffix stays."""
    return re.sub(r"[^\w/]", "_", name.removesuffix(".avi")) + ".avi"


def write_lists(folder, *, split=1):
    """The official lists, one a class and split, as HMDB51's archive unpacks them."""
    Path(folder).mkdir(exist_ok=True)
    for label in CLASSES:
        lines = [f"{name.partition('/')[2]}.avi {2 if name in VIDEOS else 1}" for name in (*VIDEOS, *TRAINING)
                 if name.startswith(f"{label}/")]  # fmt: skip
        (Path(folder) / f"{label}_test_split{split}.txt").write_text("\n".join(lines) + "\n")
    return folder


def write_list(path, *, names=VIDEOS, suffix=".avi", labels=None):
    """A list of videos, with or without labels."""
    ends = ["" if labels is None else f" {label}" for label in (labels if labels is not None else names)]
    Path(path).write_text("".join(f"{name}{suffix}{end}\n" for name, end in zip(names, ends, strict=True)))
    return path


def write_ltc(path, made, *, order=None, classes=(1, 2, 0, 4, 3, 5), first=1):
    """LTC's MAT: names without folder and suffix, labels from 1, classes in an order of its own."""
    rows = np.arange(len(VIDEOS)) if order is None else order
    columns = np.asarray(classes)
    place = np.argsort(columns)
    names = np.empty((len(rows), 1), object)
    names[:, 0] = [VIDEOS[row].partition("/")[2] for row in rows]
    scipy.io.savemat(
        path,
        {
            "scores_idt": made.values[rows][:, columns],
            "vn_idt": names,
            "gt_idt": (place[LABELS[rows]] + first).astype(np.uint8)[:, None],
        },
    )
    return path


def write_coviar(path, made, *, order=None, classes=(4, 0, 5, 1, 2, 3), name=mangled):
    """CoViAR's npz: object rows, mangled names, labels from 0 in a third order of the classes."""
    rows = np.arange(len(VIDEOS)) if order is None else order
    columns = np.asarray(classes)
    labels = np.argsort(columns)[LABELS[rows]]
    scores = np.empty((len(rows), 2), object)
    for place, (row, label) in enumerate(zip(made.values[rows][:, columns].astype(np.float32), labels, strict=True)):
        scores[place] = row[None], int(label)
    np.savez(path, scores=scores, labels=labels, names=np.array([name(f"{VIDEOS[row]}.avi") for row in rows]))
    return path


def write_matrix(path, made, *, transposed=True, rows=None, columns=None):
    """DTPP's MAT: one matrix (C, n), without names."""
    values = made.values[slice(None) if rows is None else rows][:, slice(None) if columns is None else columns]
    scipy.io.savemat(path, {"test_score_1": values.T if transposed else values})
    return path
