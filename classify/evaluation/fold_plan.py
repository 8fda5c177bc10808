"""The files of every split of an evaluation: paths and provenance, without reading the disk."""

import dataclasses
import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from classify.datasets.dataset import groups_of
from classify.datasets.splits import Split
from classify.fusion.score_file import SCORES_FORMAT, SCORES_VERSION
from classify.params import ClassifierParams
from encoding.codebook import CODEBOOK_FORMAT, CODEBOOK_VERSION
from encoding.descriptors.inputs import combine_digests
from encoding.params import BlockParams
from encoding.vectors_file import VECTORS_FORMAT, VECTORS_VERSION


class Places(NamedTuple):
    """Folders of the codebooks, vectors and scores of the splits.

    The codebook and the vectors of a split lie in its folder below ``folds``; its scores lie in ``scores``, as
    ``split1.h5``. Several evaluations may share the folders of codebooks and vectors.
    """

    codebook: Path
    vectors: Path
    scores: Path


class PlannedFile(NamedTuple):
    """File to be made: its path, format, parameters and provenance, as for `is_current`."""

    path: Path
    format: str
    version: int
    params: Any
    source: dict


@dataclass(frozen=True)
class FoldPlan:
    """A split and the files that are made for it.

    Attributes
    ----------
    split : Split
    number : int
        Number of the split, from 1.
    labels : list of str
        Label or labels of each training video.
    truth : list of str
        True labels of each test video.
    groups : list of str
        Group of each training video, which cross-validation keeps together; a video with an empty group
        forms a group of its own.
    encoding : encoding.params.BlockParams
    classifier : ClassifierParams
    outside : tuple of classify.models.outside_vectors.OutsideBlock
        Blocks beside the vectors.
    codebook, vectors, scores : PlannedFile
    """

    split: Split
    number: int
    labels: list
    truth: list
    groups: list
    encoding: BlockParams
    classifier: ClassifierParams
    outside: tuple
    codebook: PlannedFile
    vectors: PlannedFile
    scores: PlannedFile

    @property
    def names(self):
        """Names of the split's videos, the training ones first."""
        return [*self.split.train, *self.split.test]


def plan_folds(prepared, places, encoding, classifier):
    """Plan the files of every split of a data set; nothing is read.

    Parameters
    ----------
    prepared : classify.evaluation.prepare_features.Prepared
    places : Places
    encoding : encoding.params.BlockParams
    classifier : ClassifierParams

    Returns
    -------
    list of FoldPlan
    """
    groups = groups_of(prepared.dataset.clips)
    return [
        _plan(number, split, prepared, groups, places, encoding, classifier)
        for number, split in enumerate(prepared.dataset.splits, start=1)
    ]


def files_of(dataset, features, places):
    """Name the files that an evaluation writes, as far as they are known before any work.

    Parameters
    ----------
    dataset : Dataset
    features : Path
        Folder of the feature files.
    places : Places

    Returns
    -------
    list of Path
        Feature files, codebooks, vectors and scores.
    """
    folds = [
        _path_of(what, number, split, places)
        for number, split in enumerate(dataset.splits, start=1)
        for what in Places._fields
    ]
    return [*(features / f"{clip.name}.h5" for clip in dataset.clips), *folds]


def folder_name(number, split):
    """Name the folder of a split: its number, and its name without characters that a file system may refuse.

    Parameters
    ----------
    number : int
        From 1.
    split : Split

    Returns
    -------
    str
        Such as ``03-eli``.
    """
    words = re.sub(r"[^\w.-]+", "-", split.name).strip("-.")[:60]
    return f"{number:02}-{words}".rstrip("-.")


def _plan(number, split, prepared, groups, places, encoding, classifier):
    """Plan the files of a split, which has a number from 1."""
    digests, labels = prepared.digests, prepared.dataset.labels
    training = [(name, labels[name], groups[name]) for name in split.train]
    truth = [labels[name] for name in split.test]
    # Sorted, so that a codebook does not depend on the order. Labels count only if the codebook learns from them.
    training_digests = {name: digests[name] for name in sorted(split.train)}
    if encoding.encoding == "stacked":
        training_digests = {name: [digest, labels[name]] for name, digest in training_digests.items()}
    training_digest = combine_digests(training_digests)
    vectors_digest = combine_digests({name: digests[name] for name in (*split.train, *split.test)})
    # Without outside vectors nothing is appended, so that scores of earlier versions stay up to date.
    beside = [[[block.name, block.digest] for block in prepared.dataset.outside]] if prepared.dataset.outside else []
    scores_digest = hashlib.sha256(
        json.dumps([vectors_digest, training, split.test, truth, *beside]).encode()
    ).hexdigest()
    params = {"encoder": encoding.encoding, **dataclasses.asdict(encoding), **dataclasses.asdict(classifier)}

    # A file made without clips that failed may be replaced by one made with them (`fold.lacks_clips`).
    lacking = {"failed": sorted(prepared.failed)} if prepared.failed else {}

    def path(what):
        return _path_of(what, number, split, places)

    return FoldPlan(
        split,
        number,
        [label for _, label, _ in training],
        truth,
        [group for _, _, group in training],
        encoding,
        classifier,
        prepared.dataset.outside,
        codebook=PlannedFile(
            path("codebook"),
            CODEBOOK_FORMAT,
            CODEBOOK_VERSION,
            encoding.fitting(),
            {"kind": "features", "digest": training_digest, **lacking},
        ),
        vectors=PlannedFile(
            path("vectors"),
            VECTORS_FORMAT,
            VECTORS_VERSION,
            encoding,
            {"kind": "features", "digest": vectors_digest, "training": training_digest, **lacking},
        ),
        scores=PlannedFile(
            path("scores"), SCORES_FORMAT, SCORES_VERSION, params, {"kind": "split", "digest": scores_digest, **lacking}
        ),
    )


def _path_of(what, number, split, places):
    """Return the path of the codebook, the vectors or the scores of a split."""
    if what == "scores":
        return Path(places.scores) / "scores" / f"split{number}.h5"
    return Path(getattr(places, what)) / "folds" / folder_name(number, split) / f"{what}.h5"
