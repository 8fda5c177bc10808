"""Result files of others, with the numbers that they must give."""

import json
from pathlib import Path

import numpy as np
from scipy.io import loadmat

from classify.untrimmed.segments import Segments
from tests import golden

TCN = {
    "50Salads_mid": ("ED-TCN_L2_C15", "tCNN_C36", "DilatedTCN_B3_L5"),
    "GTEA": ("SVM", "ED-TCN_L2_C25", "tCNN_C30"),
    "MERL": ("ED-TCN_L2_C3", "MERL_dense"),
}
"""Models of Lea et al. by data set."""


def place():
    """Return the folder of the files; the test is skipped where it is not at hand."""
    return golden.data("temporal")


def expected(*keys):
    """Return what `expected.json` says under some keys."""
    found = json.loads((place() / "expected.json").read_text())
    for key in keys:
        found = found[key]
    return found


def tcn(data_set, model):
    """Return true labels, predicted labels and scores of a model of Lea et al., one array a video each.

    The file of MERL_dense calls its truth P and its prediction Y. Its expected counts follow the file.
    """
    truths, predictions, scores = [], [], []
    for path in sorted((place() / "tcn" / data_set / model).glob("*.mat")):
        content = loadmat(path)
        first, second = content["Y"], content["P"]
        if first.dtype == object:
            truths += [labels.ravel() for labels in first.ravel()]
            predictions += [labels.ravel() for labels in second.ravel()]
            scores += list(content["S"].ravel()) if "S" in content else []
        else:
            truths.append(first.ravel())
            predictions.append(second.ravel())
    if data_set == "MERL":
        truths, predictions = [np.concatenate(truths)], [np.concatenate(predictions)]
    return truths, predictions, scores


def scnn(weighted=True):
    """Return the detections of S-CNN before suppression."""
    folder = place() / "thumos14" / "scnn"
    rows = loadmat(folder / "res_seg_swin.mat")["seg_swin"]
    weight = loadmat(folder / "weight.mat")["weight"]
    rows = rows[rows[:, 10] > 0]
    classes = sorted(path.stem.removesuffix("_test") for path in annotations("test") if "Ambiguous" not in path.stem)
    label = rows[:, 10].astype(int) - 1
    scores = rows[:, 8]
    if weighted:
        scores = scores * weight[np.log2(rows[:, 1] / 16).astype(int), label]
    videos = [f"video_test_{int(number):07d}" for number in rows[:, 0]]
    return Segments.of(videos, np.array(classes)[label], rows[:, 4:6], scores)


def submitted(segments):
    """Return segments as the authors' text has them: rounded, of equal scores the last row first, by video."""
    rows = segments.rows(np.argsort(segments.scores, kind="stable")[::-1])
    rows = rows.rows(np.argsort(rows.videos, kind="stable"))
    spans = [[float(f"{second:.1f}") for second in span] for span in rows.spans]
    return Segments.of(rows.videos, rows.labels, spans, [float(f"{score:.5g}") for score in rows.scores])


def annotations(subset):
    """Return the official lists of THUMOS'14, one a class."""
    return list((place() / "thumos14" / f"annotation_{subset}").glob(f"*_{subset}.txt"))


def thumos(subset="test"):
    """Return the truths of THUMOS'14 from the official lists."""
    videos, labels, spans = [], [], []
    for path in sorted(annotations(subset)):
        for line in Path(path).read_text().splitlines():
            video, start, end = line.split()
            videos.append(video)
            labels.append(path.stem.removesuffix(f"_{subset}"))
            spans.append((float(start), float(end)))
    return Segments.of(videos, labels, spans)
