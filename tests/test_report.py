"""Reports: numbers by hand, the files of a folder, and the driver's whole chain on a small set."""

import csv
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import average_precision_score

from classify.datasets.dataset import Clip, Dataset, Skipped
from classify.datasets.splits import Split, leave_one_group_out
from classify.metrics import scores_of_all_classes
from classify.reports import report
from classify.reports.report import Costs, assemble, write
from classify.reports.summary import Fold, summarise
from classify.svm.linear import LinearSVM
from idt.errors import DataError
from idt.workers import processes

CLASSES = ["jump", "run", "walk"]


def a_set(labels=("jump", "run", "walk", "walk"), parts=("", ""), name="weizmann"):
    """Two splits; the second half tests the first one's training videos and the other way round."""
    names = [f"{label}/{i}" for i, label in enumerate(labels)]
    half = len(names) // 2
    clips = [Clip(name, Path(f"{name}.avi"), label) for name, label in zip(names, labels, strict=True)]
    sides = (tuple(names[:half]), tuple(names[half:]))
    splits = [Split("one", sides[1], sides[0], parts[0]), Split("two", sides[0], sides[1], parts[1])]
    return Dataset(name, Path("root"), clips, splits, "two halves", "accuracy", [Skipped("x.avi", "odd")], ["gone"])


def scored(dataset, predictions):
    """Folds that predict the given classes with certainty."""
    return [
        Fold(split, CLASSES, np.eye(3)[[CLASSES.index(label) for label in labels]])
        for split, labels in zip(dataset.splits, predictions, strict=True)
    ]


def test_splits_of_one_part_are_counted_together_and_parts_are_averaged():
    labels = "jump run walk walk walk walk".split()
    predictions = [["jump", "run", "walk"], ["run", "run", "walk"]]
    together = a_set(labels)
    assert summarise(together, scored(together, predictions))["accuracy"] == pytest.approx(4 / 6)
    # One test video less in the second part, so that the mean of shares is not the share of all.
    apart = a_set(labels, parts=("first", "second")).without({"walk/5": "broken"})
    numbers = summarise(apart, scored(apart, [predictions[0], predictions[1][:2]]))
    assert numbers["accuracy"] == pytest.approx((1 + 0) / 2)


def test_a_report_counts_what_was_right_and_lists_what_was_wrong():
    dataset = a_set()
    folds = scored(dataset, [["jump", "walk"], ["walk", "walk"]])
    found = assemble(dataset, folds, per_descriptor={"hog": scored(dataset, [["run", "walk"], ["walk", "walk"]])})
    assert (found["accuracy"], found["value"], found["metric"]) == (0.75, 0.75, "accuracy")
    assert found["class_accuracy"] == pytest.approx(2 / 3)
    assert found["per_class"] == {"jump": 1, "run": 0, "walk": 1}
    assert found["per_descriptor"] == {"hog": 0.5}
    assert found["confusion"] == [[1, 0, 0], [0, 0, 1], [0, 0, 2]]
    assert [(fold["name"], fold["accuracy"], fold["n_train"]) for fold in found["per_fold"]] == [
        ("one", 0.5, 2),
        ("two", 1, 2),
    ]
    assert found["mistakes"] == [{"name": "run/1", "label": "run", "predicted": "walk", "fold": "one"}]
    assert (found["skipped"], found["missing"]) == ([{"path": "x.avi", "reason": "odd"}], ["gone"])
    assert found["per_part"] == {}
    assert "top5" not in found


def test_a_class_that_a_split_did_not_train_is_a_mistake_there():
    dataset = a_set()
    folds = [
        Fold(dataset.splits[0], ["walk", "jump"], np.array([[0, 1.0], [1.0, 0]])),
        Fold(dataset.splits[1], ["jump", "run"], np.array([[1.0, 0], [1.0, 0]])),
    ]
    assert assemble(dataset, folds)["confusion"] == [[1, 0, 0], [0, 0, 1], [2, 0, 0]]
    assert scores_of_all_classes(folds[0].scores, ["walk", "jump"], CLASSES)[0, 1] < 0


def test_the_files_of_a_report_agree(tmp_path):
    dataset = a_set()
    found = assemble(
        dataset,
        scored(dataset, [["jump", "walk"], ["walk", "walk"]]),
        settings={"C": 100.0},
        costs=Costs({"extract": 1.23456, "train": 2}, memory=5 << 20),
        vector_length=12,
        empty=["walk/3"],
        notes=["one | two"],
    )
    written = write(tmp_path / "out", found)
    assert sorted(path.name for path in written.paths) == sorted(path.name for path in (tmp_path / "out").iterdir())
    assert written.notes == []
    assert json.loads((tmp_path / "out" / "report.json").read_text()) == found
    assert found["seconds"] == {"extract": 1.235, "train": 2}
    assert (found["memory"], found["columns"]) == (5 << 20, 12)
    with open(tmp_path / "out" / "confusion.csv", newline="") as file:
        lines = list(csv.reader(file))
    assert lines == [["true class", *CLASSES], ["jump", "1", "0", "0"], ["run", "0", "0", "1"], ["walk", "0", "0", "2"]]
    assert (tmp_path / "out" / "confusion.png").read_bytes().startswith(b"\x89PNG")
    text = (tmp_path / "out" / "report.md").read_text()
    assert text.startswith("# weizmann: 75.0 % accuracy\n")
    for line in (
        "| **this run, on 3 of 10 classes, 2 of 9 splits, 4 of 5 clips** | **75.0** | – |  |  | accuracy |",
        "| run | 0.0 | 25.0 |",
        "- run/1: run, taken for walk",
        "- walk/3",
        "- x.avi: odd",
        "- gone",
        "| extract | 1.2 |",
        "At most 5 MB of memory after the extraction.",
    ):
        assert f"\n{line}\n" in text
    assert "| iDT + FV, K = 64, no pyramid | 98.9 | – | features of the authors' release" in text


def test_clips_of_several_labels_are_ranked_and_not_confused(tmp_path):
    random = np.random.default_rng(0)
    labels = [tuple(np.array(CLASSES)[random.random(3) < 0.5]) for _ in range(12)]
    labels[:2] = [(), ("jump", "walk")]
    clips = [Clip(f"c{i}", Path(f"c{i}.avi"), these) for i, these in enumerate(labels)]
    names = tuple(clip.name for clip in clips)
    split = Split("training clips against test clips", names[8:], names[:8])
    dataset = Dataset(
        "hollywood2", Path("root"), clips, [split], "two films", "mean_average_precision", [], [], [Skipped("x", "odd")]
    )
    scores = random.normal(size=(8, 3))
    found = assemble(dataset, [Fold(split, CLASSES, scores)])
    holds = np.array([[label in these for label in CLASSES] for these in labels[:8]])
    assert found["value"] == pytest.approx(average_precision_score(holds, scores, average="macro"))
    wanted = average_precision_score(holds, scores, average=None)
    assert list(found["per_class_precision"].values()) == pytest.approx(list(wanted))
    assert (found["per_class"], found["confusion"], found["mistakes"], found["interval"]) == ({}, [], [], None)
    assert "accuracy" not in found
    written = write(tmp_path, found)
    assert [path.name for path in written.paths] == ["report.html", "report.md", "report.json"]
    text = (tmp_path / "report.md").read_text()
    assert f"# hollywood2: {100 * found['value']:.1f} % mean average precision" in text
    assert "Not evaluated: 1 clips that could not be used; they are listed below." in text
    assert "| class | average precision |" in text
    assert "| iDT + FV, human boxes | 64.3 | – |" in text


def test_a_set_of_one_label_may_be_ranked_too():
    dataset = replace(a_set("jump run walk walk walk run".split()), name="olympic", metric="mean_average_precision")
    scores = np.random.default_rng(1).normal(size=(2, 3, 3))
    folds = [Fold(split, CLASSES, some) for split, some in zip(dataset.splits, scores, strict=True)]
    truth = [dataset.labels[name] for fold in folds for name in fold.split.test]
    holds = np.array([[label == name for label in CLASSES] for name in truth])
    wanted = average_precision_score(holds, np.concatenate(scores), average="macro")
    assert assemble(dataset, folds)["value"] == pytest.approx(wanted)


def test_the_interval_is_that_of_the_splits_and_stays_among_shares():
    dataset = a_set("jump run walk walk walk walk".split())
    found = assemble(dataset, scored(dataset, [["jump", "run", "walk"], ["walk", "walk", "walk"]]))
    assert found["interval"] == {"level": 0.95, "low": 1.0, "high": 1.0, "splits": 2}
    found = assemble(dataset, scored(dataset, [["jump", "run", "run"], ["walk", "walk", "walk"]]))
    assert (found["interval"]["low"], found["interval"]["high"]) == (0.0, 1.0)


def test_the_same_report_makes_the_same_files(tmp_path):
    dataset = a_set(parts=("a", "b"))
    found = assemble(dataset, scored(dataset, [["jump", "run"], ["walk", "jump"]]))
    for folder in ("one", "two"):
        write(tmp_path / folder, found)
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()


def test_without_matplotlib_the_picture_is_missing_and_it_is_said(tmp_path, monkeypatch):
    # The picture is drawn in a process that gets our search path.
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/matplotlib.py").write_text("raise ImportError")
    monkeypatch.syspath_prepend(tmp_path / "elsewhere")
    processes.end_idle()
    dataset = a_set()
    found = assemble(dataset, scored(dataset, [["jump", "run"], ["walk", "walk"]]))
    written = write(tmp_path, found)
    processes.end_idle()
    assert written.notes == [report.NO_MATPLOTLIB]
    assert not (tmp_path / "confusion.png").exists()
    assert "confusion.png" not in (tmp_path / "report.md").read_text()


def test_a_report_is_not_replaced_unasked(tmp_path):
    dataset = a_set()
    found = assemble(dataset, scored(dataset, [["jump", "run"], ["walk", "walk"]]))
    write(tmp_path, found)
    with pytest.raises(DataError, match=r"report.json exists; use another path or --overwrite"):
        write(tmp_path, found)
    write(tmp_path, found, overwrite=True)


def test_outcomes_that_do_not_fit_are_refused():
    dataset = a_set()
    with pytest.raises(DataError, match=r"scores of one must be of shape \(2, 3\), got \(1, 3\)"):
        summarise(dataset, [Fold(dataset.splits[0], CLASSES, np.ones((1, 3)))])
    with pytest.raises(DataError, match="at least one split"):
        summarise(dataset, [])


def test_vectors_that_tell_the_classes_apart_get_all_right():
    random = np.random.default_rng(0)
    labels = {f"{label}/{group}{i}": label for label in CLASSES for group in "abc" for i in range(2)}
    clips = [Clip(name, Path(name), label, group=name[-2]) for name, label in labels.items()]
    splits = leave_one_group_out({clip.name: clip.group for clip in clips})
    dataset = Dataset("folder", Path(), clips, splits, "leave one group out", "accuracy", [], [])
    names = list(labels)
    X = np.eye(3)[[CLASSES.index(label) for label in labels.values()]] + 0.1 * random.normal(size=(18, 3))
    row = {name: X[i] for i, name in enumerate(names)}
    folds = []
    for split in splits:
        model = LinearSVM().fit([row[name] for name in split.train], [labels[name] for name in split.train])
        folds.append(Fold(split, model.classes_, model.scores([row[name] for name in split.test])))
    found = assemble(dataset, folds)
    assert (found["accuracy"], found["mean_average_precision"]) == (1, 1)
    assert np.trace(found["confusion"]) == 18
