"""Recognise actions with iDT, with a network's features, with its maps along the tracks (TDD), and with both.

FEATURES holds the feature files that idt-extract --maps wrote for CLIPS/<action>/<actor>_<action>.avi. Each actor is
left out once: codebooks and linear SVMs are fitted to the clips of the other actors. "TDD + iDT" is one SVM on both
vectors. "Late fusion" is the sum of the scores of two SVMs, each divided by its deviation on the training clips.

example: python examples/beside_network_features.py clips features lite0.onnx --k 16
"""

import argparse
from pathlib import Path

import numpy as np

from classify import LinearSVM
from encoding import FisherEncoder
from idt.features import feature_file
from idt.networks import Network, scores
from idt.params.layout import DESCRIPTORS

TDD_DIMENSION = 64
"""Principal components of a block of maps, as in the paper."""


def network_features(model, preset, tensor, videos):
    """Compute the mean of a tensor over 25 frames of every video, (n, C), L2-normalised."""
    from idt.networks.presets import preset_of

    network = Network(model, preset=preset_of(preset, average="logits"), tensors=[tensor])
    rows = np.array([scores(network, str(video)) for video in videos])
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def fit_and_encode(blocks, k, share, whiten, train, test, sample):
    """Fit a codebook to the training files, and encode both training and test files as Fisher vectors."""
    encoder = FisherEncoder(
        n_components=k, blocks=",".join(blocks), pca_column_share=share, whiten=whiten, subsample=sample, random_state=0
    ).fit(train)
    return encoder.transform(train), encoder.transform(test)


def train_and_score(train, labels, test):
    """Train a linear SVM; return its classes and its scores of the test and of the training vectors."""
    machine = LinearSVM(C=100.0).fit(train, labels)
    return machine.classes_, machine.decision_function(test), machine.decision_function(train)


def table(clips, features, model, *, k, preset, tensor, sample):
    """Compute the accuracy of each kind of vectors, each actor left out once, and return the number of clips, too."""
    files = sorted(Path(features).rglob("*.h5"))
    videos = [Path(clips) / path.relative_to(features).with_suffix(".avi") for path in files]
    labels = np.array([path.parent.name for path in files])
    actors = np.array([path.name.split("_")[0] for path in files])
    made = feature_file.header(files[0]).network.description["blocks"]
    pooled = network_features(model, preset, tensor, videos)
    right: dict[str, int] = {}
    for actor in np.unique(actors):
        left_out = actors == actor
        train, test = ([str(path) for path in np.array(files)[mask]] for mask in (~left_out, left_out))
        tracks = fit_and_encode(DESCRIPTORS, k, 0.5, False, train, test, sample)
        share = min(1.0, TDD_DIMENSION / max(made.values()))
        maps = fit_and_encode(made, k, share, True, train, test, sample)
        both = tuple(np.hstack(pair) for pair in zip(tracks, maps, strict=True))
        found = {
            name: train_and_score(part[0], labels[~left_out], part[1])
            for name, part in {
                "iDT": tracks,
                "network features": (pooled[~left_out], pooled[left_out]),
                "TDD": maps,
                "TDD + iDT": both,
            }.items()
        }
        found["late fusion of TDD and iDT"] = (
            found["iDT"][0], sum(found[name][1] / found[name][2].std() for name in ("iDT", "TDD")), None,
        )  # fmt: skip
        for name, (classes, values, _) in found.items():
            right[name] = right.get(name, 0) + int((classes[values.argmax(axis=1)] == labels[left_out]).sum())
    return {name: count / len(files) for name, count in right.items()}, len(files)


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clips")
    parser.add_argument("features")
    parser.add_argument("model")
    parser.add_argument("--k", type=int, default=16, help="Gaussian components (default 16)")
    parser.add_argument("--preset", default="efficientnet-lite")
    parser.add_argument("--tensor", default="features", help="the network's features (default features)")
    parser.add_argument("--sample", type=int, default=50_000, help="descriptors that are fitted on (default 50000)")
    given = vars(parser.parse_args())
    accuracies, count = table(given.pop("clips"), given.pop("features"), given.pop("model"), **given)
    print(f"leave one actor out, {count} clips, K = {given['k']}")
    for name, accuracy in accuracies.items():
        print(f"{name:<28}{100 * accuracy:5.1f} %")


if __name__ == "__main__":
    main()
