"""`classify.evaluation.fold_plan` and `fold`: the files of a split, planned without a look at the disk."""

import dataclasses
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from classify.datasets.dataset import Clip
from classify.datasets.splits import Split
from classify.evaluation import fold
from classify.evaluation.fold_plan import Places, plan_folds
from classify.fusion import score_file
from classify.fusion.score_file import Details
from classify.fusion.scores import Scores
from classify.params import ClassifierParams
from encoding.params import EncodingParams, StackedParams
from idt.errors import DataError

LABELS = {"a": "run", "b": "walk", "c": "run", "d": "walk"}


def prepared(**digests):
    """A data set of four clips in two splits, as if it had its features."""
    splits = [Split("one", ("a", "b"), ("c", "d")), Split("two", ("d", "c"), ("a", "b"))]
    clips = [Clip(name, Path(f"{name}.avi"), label) for name, label in LABELS.items()]
    dataset = SimpleNamespace(clips=clips, labels=LABELS, splits=splits, outside=())
    digests = {**{name: f"digest of {name}" for name in LABELS}, **digests}
    return SimpleNamespace(dataset=dataset, digests=digests, failed={})


def planned(folder, encoding=None, **digests):
    places = Places(folder / "codebooks", folder / "vectors", folder)
    return plan_folds(prepared(**digests), places, encoding or EncodingParams(k=2), ClassifierParams())


def keep_scores(plan):
    """Write scores as a run would; some of them."""
    found = Scores(np.eye(2), list(plan.split.test), ["run", "walk"])
    details = Details({"hog": np.eye(2)}, ["c"], vector_length=5)
    plan.scores.path.parent.mkdir(parents=True)
    score_file.save(plan.scores.path, found, details, params=plan.scores.params, source=plan.scores.source)
    return found, details


def test_every_split_has_a_folder_in_each_place(tmp_path):
    one, two = planned(tmp_path)
    assert one.codebook.path == tmp_path / "codebooks" / "folds" / "01-one" / "codebook.h5"
    assert two.vectors.path == tmp_path / "vectors" / "folds" / "02-two" / "vectors.h5"
    assert two.scores.path == tmp_path / "scores" / "split2.h5"
    assert (two.names, two.labels) == (["d", "c", "a", "b"], ["walk", "run"])


def test_planning_leaves_no_trace_and_nothing_is_up_to_date_before(tmp_path):
    folder = tmp_path / "out"
    assert [fold.read_state(plan) for plan in planned(folder)] == [(False, False, False)] * 2
    assert not folder.exists()


def test_a_codebook_depends_on_its_training_videos_only(tmp_path):
    before, after = planned(tmp_path)[0], planned(tmp_path, c="another")[0]
    assert after.codebook == before.codebook
    assert after.vectors.source != before.vectors.source
    assert after.scores.source != before.scores.source


def test_stacked_vectors_learn_from_labels_and_a_change_of_these_is_another_codebook(tmp_path):
    plain, stacked = planned(tmp_path)[0], planned(tmp_path, StackedParams(k=2))[0]
    assert stacked.codebook.source != plain.codebook.source


def test_scores_are_read_back_and_up_to_date(tmp_path):
    plan = planned(tmp_path)[0]
    found, details = keep_scores(plan)
    assert fold.read_state(plan) == (False, False, True)
    read, more = fold.load_scores(plan)
    np.testing.assert_array_equal(read.values, found.values)
    np.testing.assert_array_equal(more.descriptors["hog"], details.descriptors["hog"])
    assert (read.names, read.classes, more.empty, more.vector_length) == (["c", "d"], ["run", "walk"], ["c"], 5)


def test_scores_of_other_features_are_refused_unless_they_may_be_replaced(tmp_path):
    keep_scores(planned(tmp_path)[0])
    other = planned(tmp_path, d="another")[0]
    with pytest.raises(DataError, match=r"split1\.h5 was made from a source with digest \w+, this run's has \w+"):
        fold.read_state(other)
    assert fold.read_state(other, overwrite=True) == (False, False, False)


def test_scores_of_other_videos_are_refused(tmp_path):
    plan = planned(tmp_path)[0]
    keep_scores(plan)
    other = dataclasses.replace(plan, split=plan.split._replace(test=("c", "x")))
    with pytest.raises(DataError, match="holds other videos or classes than its split; use another path"):
        fold.load_scores(other)
