"""Scores of networks on the test videos of every split of a data set, aligned by name.

Source: docs/method/fusion.md, section 2.
"""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from classify import metrics
from classify.fusion.alignment.protocol import FusionProtocol
from classify.fusion.alignment.truth import Truth
from classify.fusion.gather import UNTESTED, gather
from classify.fusion.scores import Scores
from classify.fusion.sources import Source
from idt.errors import DataError

OWN = "idt"
"""Name of the run's own scores in a fusion."""

OPTION_NAMES = {r"--list\b": "--network-list", r"--classes\b": "--network-classes", "; --missing drop .*": ""}
"""Pattern of an option of idt-fuse in messages → the option of idt-evaluate that takes its place."""


@dataclass(frozen=True)
class Network:
    """Scores of a network on the test videos of every split.

    Attributes
    ----------
    source : Source
    splits : list of Scores
        Rows in the order of the split's test videos, columns in the order of the set's classes.
    form : str
        Form of the files.
    notes : list of str
        Notes on the numbers.
    """

    source: Source
    splits: list[Scores]
    form: str
    notes: list[str]

    @property
    def digest(self):
        """Return the SHA-256 of the scores with the names of their videos."""
        found = hashlib.sha256()
        for scores in self.splits:
            found.update("\n".join(scores.names or ()).encode())
            found.update(np.ascontiguousarray(scores.values, "<f8").tobytes())
        return found.hexdigest()


def read_networks(dataset, sources):
    """Read the scores of networks, and align them with the test videos of every split.

    Parameters
    ----------
    dataset : Dataset
    sources : list of Source
        ``{split}`` is replaced by the number of the split, from 1.

    Returns
    -------
    list of Network

    Raises
    ------
    DataError
        If two networks have one name, a file lacks a test video, or it does not fit the labels.
    OSError
        If a file cannot be read.
    """
    names = [folder_of("", source.name).name for source in sources]
    for name in names:
        if name == OWN or names.count(name) > 1:
            what = "the run itself is called so" if name == OWN else "two networks are called so"
            raise DataError(f"a network cannot be called {name}, because {what}; name it with NAME=FILE")
    return [_read(dataset, source) for source in sources]


def folder_of(output_folder, name):
    """Return the folder of the report of the network ``name`` below ``output_folder``."""
    return Path(output_folder) / "networks" / (re.sub(r"[^\w.-]+", "-", name).strip("-.") or "network")


def paths_of(dataset, sources):
    """Name the files that ``sources`` read over the splits of ``dataset``: list of str."""
    found = [
        source.for_split(str(number)).paths for number, _ in enumerate(dataset.splits, start=1) for source in sources
    ]
    return list(dict.fromkeys(path for paths in found for path in paths))


def truth_of(dataset, split):
    """Return the true labels of the test videos of a ``split`` of a ``dataset``: Truth."""
    labels = [dataset.labels[name] for name in split.test]
    sets = labels if dataset.multi_label else [(label,) for label in labels]
    has_class = metrics.memberships(sets, dataset.classes)
    return Truth(
        list(split.test), list(dataset.classes), has_class, dataset.multi_label, covers_split=True,
        other_videos=tuple(split.train), origin=f"the data set {dataset.name}",
    )  # fmt: skip


def _read(dataset, source):
    """Read the scores of one network."""
    splits, forms, notes = [], [], []
    for number, split in enumerate(dataset.splits, start=1):
        protocol = FusionProtocol(truths={str(number): truth_of(dataset, split)}, splits=(str(number),))
        try:
            found = gather([source], str(number), protocol)
        except DataError as problem:
            text = str(problem)
            for before, after in OPTION_NAMES.items():
                text = re.sub(before, after, text)
            raise DataError(text) from None
        values, facts = found.raw[source.name], found.facts[source.name]
        kind = "probabilities" if facts.norm == "logz" else "unknown"
        splits.append(Scores(values, list(split.test), list(dataset.classes), kind=kind, path=source.name))
        forms += facts.forms
        # Videos without a place in this split are test videos of other splits, so that note is dropped.
        notes += [note for note in facts.notes if not note.endswith(UNTESTED)]
    return Network(source, splits, ", ".join(dict.fromkeys(forms)), list(dict.fromkeys(notes)))


def rows_of(scores, names):
    """Select the rows of ``scores`` for the videos ``names``: (n, C) float64."""
    place = {name: row for row, name in enumerate(scores.names)}
    return scores.values[[place[name] for name in names]]
