"""Prediction of the labels of vectors: the scores of a model."""

from typing import NamedTuple

import numpy as np

from classify.models.outside_vectors import append_blocks, read_blocks
from encoding.vectors_file import open_vectors
from idt.errors import DataError, with_name


class Prediction(NamedTuple):
    """Scores of videos.

    Attributes
    ----------
    names : list of str
    classes : list of str
    scores : (n, c) float64
        Or probabilities, if the caller asked for them.
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
        """Return the classes of the highest scores of each video.

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


def check_calibrated(model, path):
    """Refuse a model without probabilities.

    Parameters
    ----------
    model : classify.models.model_file.Model
    path : str
        Name of the model in the message.

    Raises
    ------
    DataError
        If it was trained without them.
    """
    if not model.classifier.probability:
        raise DataError(f"{path} has no probabilities; train it with svm-train --probability")


def label_vectors(model, vectors, *, outside=(), probabilities=False):
    """Score the vectors of a file.

    Parameters
    ----------
    model : classify.models.model_file.Model
    vectors : str or Path
        A vectors file.
    outside : sequence of classify.models.outside_vectors.OutsideFile
        The outside blocks that the model was trained with.
    probabilities : bool
        Calibrated probabilities instead of scores, of a model that has them.

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
        # The codebook is checked first, because outside blocks may take long to read.
        model.check(codebook=stored.codebook, layout=model.layout, encoding=stored.params, name=str(vectors))
        rows, layout = append_blocks(stored, read_blocks(outside))
        model.check(codebook=stored.codebook, layout=layout, encoding=stored.params, name=str(vectors))
        classes = model.classifier.classes_.tolist()
        score = model.classifier.predict_proba if probabilities else model.classifier.scores
        try:
            scores = score(rows) if stored.names else np.empty((0, len(classes)))
        except DataError as problem:
            raise DataError(with_name(vectors, f"no scores of these vectors: {problem}")) from None
        return Prediction(stored.names, classes, scores, stored.empty, {})
