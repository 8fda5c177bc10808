"""One split of an evaluation: its codebook, vectors and scores, each in a file that is made once.

There are ``codebook.h5``, fitted on the training videos only, ``vectors.h5`` of all videos of the split, and
``scores.h5``. Scores that are up to date stand for the other two, which may then be deleted.

Format ``idt-scores``, version 1: ``names`` (n,) text, the test videos; ``classes`` (k,) text, those trained with;
``scores`` (n, k) float64, and ``probabilities`` if the classifier calibrates them; in ``descriptors/BLOCK`` the scores
with each block of the vectors by itself. Root attributes besides those of all our files: ``columns``, the numbers of
a vector, and ``empty``, the JSON list of the videos of the split without tracks.
"""

import dataclasses
import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np

from classify.labels import classes_of
from classify.svm.build import machine_of
from classify.svm.lazy_rows import Rows
from encoding.codebook import CODEBOOK_FORMAT, CODEBOOK_VERSION, Codebook
from encoding.descriptors.inputs import combined
from encoding.encode import encode_files
from encoding.vectors_file import VECTORS_FORMAT, VECTORS_VERSION, block_columns, json_list, open_vectors
from idt.errors import DataError
from idt.files import hdf5

SCORES_FORMAT = "idt-scores"
SCORES_VERSION = 1


class Places(NamedTuple):
    """Folders of what is made of the splits; below each, in ``folds``, every split has its own.

    Several evaluations may share the first two.
    """

    codebook: Path
    vectors: Path
    scores: Path


@dataclass(frozen=True)
class Scores:
    """Scores of the test videos of a split.

    Attributes
    ----------
    names : list of str
    classes : list of str
    scores : (n, k) float64
    descriptors : dict of str to (n, k) float64
        With each block of the vectors by itself.
    empty : list of str
        Videos of the split, training ones too, that have no tracks.
    probabilities : (n, k) float64 or None
        If the classifier calibrates them.
    columns : int
        Numbers of a vector.
    """

    names: list[str]
    classes: list[str]
    scores: np.ndarray
    descriptors: dict[str, np.ndarray]
    empty: list[str]
    probabilities: np.ndarray | None = None
    columns: int = 0


class FoldFiles:
    """The files of a split, and what they are made from.

    Parameters
    ----------
    places : Places
    number : int
        Of the split, from 1.
    split : Split
    labels : dict of str to str
        Video name → label or labels.
    groups : dict of str to str
        Video name → what cross-validation on the training videos must not tear apart, or nothing.
    digests : dict of str to str
        Video name → digest of its feature file.
    encoding : encoding.params.BlockParams
    classifier : ClassifierParams
    overwrite : bool
        Replace files that were made otherwise.

    Attributes
    ----------
    fitted, encoded, scored : bool
        Whether codebook, vectors and scores are up to date.

    Raises
    ------
    DataError
        If a file exists that was made otherwise, and ``overwrite`` is false.
    """

    def __init__(self, places, number, split, labels, groups, digests, *, encoding, classifier, overwrite=False):
        self.split, self._overwrite = split, overwrite
        self._labels = [labels[name] for name in split.train]
        self._groups = [groups[name] for name in split.train]
        self._encoding, self._classifier = encoding, classifier
        name = folder_name(number, split)
        self._folders = {what: Path(folder) / "folds" / name for what, folder in places._asdict().items()}
        # Sorted, so that a codebook does not depend on the order; with labels where it learns from them.
        learnt = {name: digests[name] for name in sorted(split.train)}
        if encoding.encoding == "stacked":
            learnt = {name: [digest, labels[name]] for name, digest in learnt.items()}
        training = combined(learnt)
        vectors = combined({name: digests[name] for name in self.names})
        trained = json.dumps([vectors, list(zip(split.train, self._labels, self._groups, strict=True)), split.test])
        self._sources = {
            "codebook": {"kind": "features", "digest": training},
            "vectors": {"kind": "features", "digest": vectors, "training": training},
            "scores": {"kind": "split", "digest": hashlib.sha256(trained.encode()).hexdigest()},
        }
        params = {"encoder": encoding.encoding, **dataclasses.asdict(encoding), **dataclasses.asdict(classifier)}
        self.fitted = self._is_current("codebook", CODEBOOK_FORMAT, CODEBOOK_VERSION, encoding.fitting())
        self.encoded = self._is_current("vectors", VECTORS_FORMAT, VECTORS_VERSION, encoding)
        self.scored = self._is_current("scores", SCORES_FORMAT, SCORES_VERSION, params)
        self._params = params

    @property
    def names(self):
        """Names of the split's videos, the training ones first."""
        return [*self.split.train, *self.split.test]

    def keep(self, codebook):
        """Write the codebook of the training videos.

        Parameters
        ----------
        codebook : Codebook
        """
        path = self._path("codebook")
        path.parent.mkdir(parents=True, exist_ok=True)
        codebook.save(path, source=self._sources["codebook"], overwrite=self._overwrite)

    def encode(self, files, *, jobs=1, threads=1, update=None):
        """Make the vectors with the codebook that was kept, unless they are there.

        Parameters
        ----------
        files : dict of str to Path
            Video name → feature file.
        jobs, threads, update
            As `encoding.encode.encode_files`.

        Raises
        ------
        DataError
            As `encode_files`, or if the vectors that are there belong to another codebook.
        """
        path = self._path("vectors")
        codebook = Codebook.load(self._path("codebook"))
        if self.encoded:
            with open_vectors(path) as vectors:
                if vectors.codebook == codebook.digest:
                    return
            if not self._overwrite:
                raise DataError(f"{path} was made with another codebook than lies beside it; {hdf5.REMEDY}")
        path.parent.mkdir(parents=True, exist_ok=True)
        encode_files(
            [files[name] for name in self.names],
            self.names,
            codebook,
            path,
            params=self._encoding,
            source=self._sources["vectors"],
            jobs=jobs,
            threads=threads,
            overwrite=self._overwrite,
            update=update,
        )

    def classify(self):
        """Train on the training videos, score the test videos, and keep the scores.

        Returns
        -------
        Scores

        Raises
        ------
        DataError
            As the classifier's ``fit``.
        """
        with open_vectors(self._path("vectors")) as vectors:
            place = {name: row for row, name in enumerate(vectors.names)}
            train, test = ([place[name] for name in side] for side in (self.split.train, self.split.test))

            def trained(block=None):
                """Scores, and probabilities if they are asked for, with one block of the vectors or all."""
                layout = [part for part in vectors.layout if block in (None, part["block"])]
                columns = None if block is None else block_columns(vectors.layout)[block]
                rows = [Rows(vectors.encodings, index=side, columns=columns) for side in (train, test)]
                machine = machine_of(self._classifier, layout).fit(rows[0], self._labels, self._groups)
                return machine.scores(rows[1]), machine.predict_proba(rows[1]) if machine.probability else None

            whole, probabilities = trained()
            blocks = list(block_columns(vectors.layout))
            descriptors = {block: trained(block)[0] if len(blocks) > 1 else whole for block in blocks}
            found = Scores(
                list(self.split.test),
                classes_of(self._labels),
                whole,
                descriptors,
                vectors.empty,
                probabilities,
                vectors.encodings.shape[1],
            )
        path = self._path("scores")
        path.parent.mkdir(parents=True, exist_ok=True)
        _save(path, found, self._params, self._sources["scores"], self._overwrite)
        return found

    def load(self):
        """The scores of an earlier run.

        Returns
        -------
        Scores

        Raises
        ------
        DataError
            If the file is damaged or holds other videos or classes.
        """
        path = self._path("scores")
        with hdf5.open_checked(path, format=SCORES_FORMAT, versions=SCORES_VERSION) as file:
            names, classes = (hdf5.read(file, name, shape=(None,), dtype=str) for name in ("names", "classes"))
            if (names, classes) != (list(self.split.test), classes_of(self._labels)):
                raise DataError(f"{path} holds other videos or classes than its split; {hdf5.REMEDY}")
            shape = (len(names), len(classes))
            scores = hdf5.read(file, "scores", shape=shape, dtype=np.float64)
            descriptors = {
                block: hdf5.read(file, f"descriptors/{block}", shape=shape, dtype=np.float64)
                for block in json_list(file, "blocks")
            }
            probabilities = None
            if self._classifier.probability:
                probabilities = hdf5.read(file, "probabilities", shape=shape, dtype=np.float64)
            columns = hdf5.attribute(file, "columns", int)
            return Scores(names, classes, scores, descriptors, json_list(file, "empty"), probabilities, columns)

    def _path(self, what):
        return self._folders[what] / f"{what}.h5"

    def _is_current(self, what, form, version, params):
        """Whether a file need not be made; refused if it must not."""
        path = self._path(what)
        state = hdf5.matches(path, format=form, version=version, params=params, source=self._sources[what])
        if state not in ("absent", "current") and not self._overwrite:
            raise DataError(state)
        return state == "current"


def folder_name(number, split):
    """Name of the folder of a split: its number and what a file system takes of its name.

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


def _save(path, scores, params, source, overwrite):
    with hdf5.create(
        path, format=SCORES_FORMAT, version=SCORES_VERSION, params=params, source=source, overwrite=overwrite
    ) as file:
        for name, texts in (("names", scores.names), ("classes", scores.classes)):
            file.create_dataset(name, data=texts, dtype=h5py.string_dtype())
        # Little-endian on any machine.
        file.create_dataset("scores", data=scores.scores, dtype="<f8")
        if scores.probabilities is not None:
            file.create_dataset("probabilities", data=scores.probabilities, dtype="<f8")
        for block, values in scores.descriptors.items():
            file.create_dataset(f"descriptors/{block}", data=values, dtype="<f8")
        file.attrs["columns"] = scores.columns
        file.attrs["blocks"] = json.dumps(list(scores.descriptors))
        file.attrs["empty"] = json.dumps(scores.empty)
