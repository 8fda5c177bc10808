"""Score files of ours: what is kept comes back, and what cannot be right is not believed."""

import dataclasses

import h5py
import numpy as np
import pytest

from classify.fusion import score_file
from classify.fusion.read import read_scores
from classify.fusion.score_file import Details
from classify.fusion.scores import Scores
from idt.errors import DataError
from idt.files import result_file
from tests.scores.files import CLASSES, LABELS, NAMES, SCORES

OURS = Scores(SCORES, NAMES, CLASSES, LABELS, "margins", 2)
FLAGS = np.array([[True, False, True]] * 5)


def save(path, scores=OURS, details=None):
    score_file.save(path, scores, details, source={"digest": "0" * 64})
    return path


@pytest.mark.parametrize(
    "changed", [{}, {"labels": None}, {"labels": FLAGS}, {"split": None, "kind": "probabilities"}], ids=str
)
def test_scores_come_back_as_they_were(changed, target):
    scores = dataclasses.replace(OURS, **changed)
    found = read_scores(save(target, scores))
    assert (found.names, found.classes, found.kind, found.split) == (NAMES, CLASSES, scores.kind, scores.split)
    np.testing.assert_array_equal(found.values, SCORES)
    assert (found.labels is None) == (scores.labels is None)
    if scores.labels is not None:
        assert found.labels.dtype == scores.labels.dtype
        np.testing.assert_array_equal(found.labels, scores.labels)


def test_an_evaluation_finds_its_details_again_and_others_the_scores_only(target):
    details = Details({"hog": SCORES + 1, "hof": SCORES - 1}, ["run/none"], np.abs(SCORES) / 10, 12)
    save(target, OURS, details)
    scores, found = score_file.load_details(target, names=NAMES, classes=CLASSES, probability=True)
    np.testing.assert_array_equal(scores.values, read_scores(target).values)
    np.testing.assert_array_equal(found.descriptors["hof"], SCORES - 1)
    np.testing.assert_array_equal(found.probabilities, details.probabilities)
    assert ([*found.descriptors], found.empty, found.vector_length) == (["hog", "hof"], ["run/none"], 12)
    with pytest.raises(DataError, match="holds other videos or classes than its split"):
        score_file.load_details(target, names=NAMES[::-1], classes=CLASSES, probability=False)


def test_scores_of_version_2_are_margins_without_labels(target):
    with result_file.create(target, format="idt-scores", version=2, params={}, source={}) as file:
        result_file.write_text(file, "names", NAMES)
        result_file.write_text(file, "classes", CLASSES)
        result_file.write_array(file, "scores", SCORES)
    found = read_scores(target)
    assert (found.kind, found.split, found.labels) == ("margins", None, None)
    np.testing.assert_array_equal(found.values, SCORES)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"labels": LABELS + 1}, "labels must be finite, from 0 to 2, got 1 to 3"),
        ({"labels": LABELS - 1}, "labels must be finite"),
        ({"labels": LABELS[:4]}, r"labels must be int64 of shape \(5,\)"),
        ({"kind": "guesses"}, "must be a kind of scores"),
        ({"split": -1}, "must be a kind of scores and a number"),
        ({"values": SCORES * np.nan}, "scores must be finite"),
        ({"values": SCORES * 0}, "5 videos have the same score for all classes"),
        ({"values": SCORES[:4]}, r"scores must be float64 of shape \(5, 3\)"),
        ({"names": ["a"] * 5}, "holds videos twice: a"),
        ({"classes": ["x", "y", "x"]}, "holds classes twice: x"),
    ],
    ids=range(10),
)
def test_what_cannot_be_right_is_refused(changed, message, target):
    save(target, dataclasses.replace(OURS, **changed))
    with pytest.raises(DataError, match=message) as caught:
        read_scores(target)
    assert str(target) in str(caught.value)


def test_a_damaged_byte_is_found(target):
    data = bytearray(save(target).read_bytes())
    with h5py.File(target) as file:
        at, size = (file["scores"].id.get_chunk_info(0).byte_offset, file["scores"].id.get_chunk_info(0).size)
    data[at + size // 2] ^= 1
    target.write_bytes(data)
    with pytest.raises(DataError, match="is damaged"):
        read_scores(target)


def test_another_file_of_ours_is_not_taken_for_scores(target):
    """Vectors have names and a matrix, too."""
    with result_file.create(target, format="idt-vectors", version=2, params={}, source={}) as file:
        result_file.write_text(file, "names", NAMES)
        result_file.write_array(file, "encodings", SCORES)
    for form in (None, "hdf5"):
        with pytest.raises(DataError, match="has format 'idt-vectors', expected scores"):
            read_scores(target, form=form)
    with pytest.raises(DataError, match=r"does not have the form|expected scores of the form hdf5"):
        read_scores(save(target.with_name("g.h5")), form="hdf5")


def test_names_and_classes_are_needed(target):
    for lacks in ("names", "classes"):
        with pytest.raises(DataError, match="needs names of videos and classes"):
            save(target, dataclasses.replace(OURS, **{lacks: None}))
    assert not target.exists()
