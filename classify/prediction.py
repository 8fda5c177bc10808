"""Labels for vectors, or straight for videos: a model's scores.

Videos go through what the model's training videos went through: the extraction that the codebook was fitted to, that
codebook, and the encoding that the model records.
"""

import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np

from classify.extraction import extract, plan
from classify.fusion import append_blocks
from classify.tables import listed
from classify.training import read_blocks
from encoding.batch import no_progress
from encoding.codebook import Codebook
from encoding.encoder import encode_files, layout_of
from encoding.params import FITTING
from encoding.store import open_vectors
from idt.errors import DataError
from idt.params import ExtractionParams


class Prediction(NamedTuple):
    """Scores of videos.

    Attributes
    ----------
    names : list of str
    classes : list of str
    scores : (n, c) float64
    empty : list of str
        Videos without tracks: their scores are those of a zero vector.
    failed : dict of str to str
        Videos that could not be extracted, and why.
    """

    names: list[str]
    classes: list[str]
    scores: np.ndarray
    empty: list[str]
    failed: dict[str, str]

    def best(self, count):
        """The classes of the highest scores of each video.

        Parameters
        ----------
        count : int

        Returns
        -------
        list of list of (str, float)
            Highest first; of equal scores the earlier class is the higher.
        """
        order = np.argsort(-self.scores, axis=1, kind="stable")[:, :count]
        return [[(self.classes[i], float(row[i])) for i in best] for row, best in zip(self.scores, order, strict=True)]


def label_vectors(model, vectors, *, outside=()):
    """Score the vectors of a file.

    Parameters
    ----------
    model : classify.store.Model
    vectors : str or Path
        A vectors file.
    outside : sequence of classify.training.Outside
        The blocks that stood beside the columns when the model was trained.

    Returns
    -------
    Prediction

    Raises
    ------
    DataError
        If the file is no vectors file, or not of the model's codebook, layout and encoding.
    OSError
        If a file cannot be read.
    """
    with open_vectors(vectors) as stored:
        # The codebook first: outside blocks may be long to read.
        model.check(codebook=stored.codebook, layout=model.layout, encoding=stored.params, name=str(vectors))
        rows, layout = append_blocks(stored, read_blocks(outside))
        model.check(codebook=stored.codebook, layout=layout, encoding=stored.params, name=str(vectors))
        classes = model.classifier.classes_.tolist()
        scores = model.classifier.scores(rows) if stored.names else np.empty((0, len(classes)))
        return Prediction(stored.names, classes, scores, stored.empty, {})


def label_videos(model, videos, codebook, *, outside=(), jobs=1, threads=1, progress=no_progress, seen=None):
    """Score videos: extract, encode, and score the vectors; nothing of it is kept.

    Parameters
    ----------
    model : classify.store.Model
    videos : list of str
        Files, patterns, folders of videos or of images.
    codebook : str or Path
        The codebook of the model's vectors.
    outside : sequence of classify.training.Outside
    jobs : int
        Videos at once, in processes.
    threads : int
        Threads for each.
    progress : callable
        Like `encoding.batch.no_progress`.
    seen : callable, optional
        Called with the `idt.batch.Outcome` of every video.

    Returns
    -------
    Prediction

    Raises
    ------
    DataError
        If the codebook is not the model's, its features are of unknown parameters, or no video can be used.
    OSError
        If a file cannot be read.
    """
    book = Codebook.load(codebook)
    if book.features is None:
        raise DataError(
            f"{codebook} was fitted on features without recorded parameters, so videos cannot be extracted alike;"
            " encode features with fv-encode"
        )
    encoding = book.params_with(**{key: value for key, value in (model.encoding or {}).items() if key not in FITTING})
    # What stands beside the columns is checked with the vectors; this is before hours of extraction.
    layout = layout_of(book, encoding)
    model.check(codebook=book.digest, layout=[*layout, *model.layout[len(layout) :]], name=f"vectors of {codebook}")
    failed: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix="svm-predict-") as folder:
        tasks = plan(videos, Path(folder) / "features", ExtractionParams.from_options(**book.features))
        with progress("video", len(tasks)) as update:
            for outcome in extract(tasks, jobs=jobs, threads=threads):
                if outcome.error is not None:
                    failed[outcome.job.name] = outcome.error
                if seen is not None:
                    seen(outcome)
                update()
        done = [task for task in tasks if task.name not in failed]
        if not done:
            raise DataError(f"none of {len(tasks)} videos can be used: {listed(failed.values())}")
        vectors = Path(folder) / "vectors.h5"
        encode_files(
            [task.output for task in done],
            [task.name for task in done],
            book,
            vectors,
            params=encoding,
            jobs=jobs,
            threads=threads,
        )
        return label_vectors(model, vectors, outside=outside)._replace(failed=failed)
