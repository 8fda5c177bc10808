"""The score files that others published give the accuracies that were measured on them, and in part published.

Source of the numbers: the files themselves, opened once with SciPy and NumPy; MIFS has 89.1 % in its paper.
"""

import re

import numpy as np
import pytest

from classify.fusion.read import read_scores
from tests import golden
from tests.scores.files import listing

TOLERANCE = 0.01
"""Points: the numbers are given to two digits."""

SPLITS = (1, 2, 3)

pytestmark = pytest.mark.slow


def accuracy(scores, labels=None):
    """Percent of the videos whose highest score is the label's."""
    return 100 * np.mean(scores.argmax(axis=1) == labels)


@pytest.mark.parametrize(
    ("data", "wanted", "mean"),
    [("hmdb", (56.73, 57.19, 57.78), 57.23), ("ucf", (83.61, 85.59, 84.28), 84.49)],
)
def test_idt_of_ltc(data, wanted, mean):
    found = []
    for split in SPLITS:
        scores = read_scores(golden.scores(f"ltc_idt/{data}_idt_split{split}.mat"))
        assert (scores.form, scores.labels.min(), len(scores.names)) == ("mat", 0, len(scores.values))
        assert "labels begin at 1" in scores.notes
        found.append(accuracy(scores.values, scores.labels))
    assert found == pytest.approx(wanted, abs=TOLERANCE)
    assert np.mean(found) == pytest.approx(mean, abs=TOLERANCE)


def official(split):
    """The official test list of UCF101, with labels and classes."""
    folder = golden.splits("ucf101")
    classes = [line.split()[1] for line in (folder / "classInd.txt").read_text().splitlines()]
    names = (folder / f"testlist0{split}.txt").read_text().split()
    labels = [classes.index(name.partition("/")[0]) for name in names]
    return listing(names, labels, classes, f"testlist0{split}.txt")


def test_mifs_of_dtpp_is_turned_and_named_by_the_official_lists():
    found = []
    for split in SPLITS:
        scores = read_scores(golden.scores(f"mifs/ucf101_split{split}.mat"), video_list=official(split))
        assert scores.notes[0] == "the matrix is transposed: its columns are the videos"
        assert scores.classes[:2] == ["ApplyEyeMakeup", "ApplyLipstick"]
        found.append(accuracy(scores.values, scores.labels))
    assert found == pytest.approx((88.13, 90.31, 89.31), abs=TOLERANCE)
    assert np.mean(found) == pytest.approx(89.25, abs=TOLERANCE)


@pytest.mark.parametrize(("data", "alone", "together"), [("hmdb51", 51.72, 59.43), ("ucf101", 87.02, 90.64)])
def test_coviar_by_itself_and_2_to_1_to_1(data, alone, together):
    """Its streams name some videos of HMDB51 otherwise, and sort them by that: characters but letters are ``_``."""
    found, fused = [], []
    for split in SPLITS:
        parts = [
            read_scores(golden.scores(f"coviar/{data}_{stream}_split{split}.npz"))
            for stream in ("iframe", "mv", "residual")
        ]
        labels, total = parts[0].labels, 0
        for part, weight in zip(parts, (2, 1, 1), strict=True):
            assert (part.form, part.kind, len(part.classes)) == ("coviar", "logits", part.values.shape[1])
            place = {re.sub("[^0-9a-z]", "_", name.lower()): row for row, name in enumerate(part.names)}
            rows = [place[re.sub("[^0-9a-z]", "_", name.lower())] for name in parts[0].names]
            np.testing.assert_array_equal(part.labels[rows], labels)
            total = total + weight * part.values[rows]
        found.append(accuracy(parts[0].values, labels))
        fused.append(accuracy(total, labels))
    assert np.mean(found) == pytest.approx(alone, abs=TOLERANCE)
    assert np.mean(fused) == pytest.approx(together, abs=TOLERANCE)


def test_a_list_of_another_split_is_refused():
    with pytest.raises(ValueError, match=r"101 × 3783, which does not fit 3734 videos of testlist02\.txt"):
        read_scores(golden.scores("mifs/ucf101_split1.mat"), video_list=official(2))
