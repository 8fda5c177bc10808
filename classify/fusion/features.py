"""Matrices of features of other systems, such as the last hidden layer of a network: one row a video.

They have the forms of score files: npy, npz, MAT, HDF5 or CSV of a matrix, with the names of the videos or in the order
of a list. If a file has another form in which networks write scores, its scores are taken as features.
"""

from typing import NamedTuple

import numpy as np

from classify.datasets.list_lines import read_annotation_file
from classify.datasets.video_list import VideoList
from classify.fusion import score_file
from classify.fusion.forms import arrays, csv_table, mat
from classify.fusion.forms import hdf5 as hdf5_of_others
from classify.fusion.forms.content import open_content
from classify.fusion.forms.table import numbers
from classify.fusion.read import FORMS, read_scores
from classify.text_files import listed, read_lines
from idt.checks import float_array
from idt.errors import DataError
from idt.files import hdf5

MATRICES = (arrays, mat, hdf5_of_others, csv_table)
"""Forms that may hold any matrix. They are read without the rules for scores, such as two columns at least."""


class Features(NamedTuple):
    """Features of videos.

    Attributes
    ----------
    names : list of str
        Video name of each row, each once.
    values : (m, e) float32
    lines : list of str or None
        Lines of the list, if they may also be plain names: ``run 2`` may be a video, or a video and its label.
    """

    names: list[str]
    values: np.ndarray
    lines: list[str] | None = None


def read_features(path, names=None):
    """Read a matrix of features.

    Parameters
    ----------
    path : str or Path
    names : str or Path, optional
        List of the videos of the rows, for a file that does not name them: one name a line, or any annotation file of
        a network.

    Returns
    -------
    Features

    Raises
    ------
    DataError
        If the file is of no known form or damaged, its numbers are not finite, neither file nor list names the videos,
        or both name them; if the list has another number of videos than there are rows, or a name occurs twice.
    OSError
        If a file cannot be read.
    """
    given, lines = (None, None) if names is None else _read_names(names)
    own, values = _read_matrix(path, given)
    if own is not None and given is not None:
        raise DataError(f"{path} names the videos of its rows itself; leave {given.path} out")
    if own is not None:
        chosen = own
    elif given is not None:
        chosen = given.names
    else:
        raise DataError(f"{path} does not name the videos of its rows; give a list of them, --extra-names")
    if len(values) != len(chosen) and values.ndim == 2 and values.shape[1] == len(chosen):
        values = values.T
    values = float_array(values, (None, None), str(path))
    if len(values) != len(chosen):
        where = f"{names} names" if own is None else "names"
        raise DataError(f"{path} has {len(values)} rows, {where} {len(chosen)} videos")
    seen: set[str] = set()
    twice = sorted({name for name in chosen if name in seen or seen.add(name)})  # type: ignore[func-returns-value]
    if twice:
        raise DataError(f"{path if own is not None else names} names {listed(twice)} more than once")
    return Features(list(chosen), values, lines)


def _read_names(path):
    """Read the videos of a list, and its lines if these may be the names themselves."""
    lines = read_lines(path)
    try:
        found = read_annotation_file(path).names
    except DataError:
        # A list of plain names, which may contain any character.
        found = lines
    may_be_names = len(found) == len(lines) and found != lines
    return VideoList(str(path), "path", found), (lines if may_be_names else None)


def _read_matrix(path, given):
    """Read the names that the file gives, or None, and its matrix."""
    if hdf5.format_of(path) == score_file.SCORES_FORMAT:
        scores = read_scores(path)
        return scores.names, scores.values
    content = open_content(path)
    form = next((each for each in FORMS.values() if each is not score_file and each.recognises(content)), None)
    if form in MATRICES:
        table = form.read(content)
        return table.names, numbers(table.values, content, "features")
    scores = read_scores(path, video_list=given)
    return (scores.names if given is None else None), scores.values
