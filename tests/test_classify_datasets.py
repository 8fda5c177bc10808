"""Readers on generated trees (they open no video, so empty files do), and the splits they make."""

import numpy as np
import pytest

from classify.datasets import kth, splits, ut_interaction, weizmann
from classify.datasets.registry import read_dataset
from classify.params import ClassifierParams, DatasetParams
from idt.errors import DataError
from tests.trees import tree


def weizmann_names():
    return [f"{action}/{actor}_{action}.avi" for actor in weizmann.ACTORS for action in weizmann.ACTIONS]


def kth_names():
    stems = [
        (action, f"person{person:02}_{action}_d{scene}")
        for action in kth.ACTIONS
        for person in range(1, 26)
        for scene in range(1, 5)
    ]
    return [f"{action}/{stem}_uncomp.avi" for action, stem in stems if stem != kth.ABSENT]


def kth_sequences(path, *, changed=None):
    """The list in the form in which it is distributed: a few words, tabs, CRLF, a missing clip, four stretches each."""
    lines = ["Sequences of the action database:", ""]
    for action in kth.ACTIONS:
        for person in range(1, 26):
            for scene in range(1, 5):
                stem = f"person{person:02}_{action}_d{scene}"
                lines.append(f"{stem}\t\tframes\t1-95, 96-185, 186-245, 246-360")
                if stem == kth.ABSENT:
                    lines[-1] = f"{stem}\t*missing*"
    lines[2] = changed or lines[2]
    path.write_bytes("\r\n".join(lines).encode())
    return path


def test_weizmann_leaves_one_actor_out(tmp_path):
    dataset = read_dataset("weizmann", tree(tmp_path, weizmann_names()))
    assert (len(dataset.clips), dataset.classes) == (90, sorted(weizmann.ACTIONS))
    assert (dataset.missing, dataset.skipped, dataset.metric) == ([], [], "accuracy")
    first = dataset.clips[0]
    assert (first.name, first.path) == ("bend/daria_bend", tmp_path / "bend" / "daria_bend.avi")
    assert (first.label, first.group) == ("bend", "daria")
    assert [split.name for split in dataset.splits] == list(weizmann.ACTORS)
    assert all((len(split.train), len(split.test)) == (80, 10) for split in dataset.splits)
    assert all(name.partition("/")[2].startswith("eli_") for name in dataset.splits[2].test)


def test_the_original_weizmann_is_flat_and_lena_runs_twice(tmp_path):
    names = [name.partition("/")[2] for name in weizmann_names()]
    twice = [name for name in names if name[:-4] in ("lena_run", "lena_skip", "lena_walk")]
    doubled = [f"{name[:-4]}{k}.avi" for name in twice for k in (1, 2)]
    dataset = read_dataset("weizmann", tree(tmp_path, [name for name in names if name not in twice] + doubled))
    assert (len(dataset.clips), dataset.missing) == (93, [])
    labels = dataset.labels
    assert (labels["lena_run1"], labels["lena_run2"], labels["lena_wave2"]) == ("run", "run", "wave2")
    assert len(dataset.splits[weizmann.ACTORS.index("lena")].test) == 13


def test_what_weizmann_lacks_and_what_is_not_of_it_are_listed(tmp_path):
    names = [name for name in weizmann_names() if name != "run/ido_run.avi"]
    strange = ["run/ido_walk2.avi", "run/._eli_run.avi", "run/bob_run.avi", "notes.txt"]
    dataset = read_dataset("weizmann", tree(tmp_path, names + strange))
    assert dataset.missing == ["ido_run"]
    assert {str(skipped.path).rpartition("/")[2]: skipped.reason for skipped in dataset.skipped} == {
        "ido_walk2.avi": "the folder says run, the name walk",
        "._eli_run.avi": "left by another operating system",
        "bob_run.avi": "the name is not <actor>_<action> of the set",
    }


def test_ut_interaction_evaluates_each_set_by_itself(tmp_path):
    names = [f"set{1 + (s > 10)}/{6 * s + c}_{s}_{c}.avi" for s in range(1, 21) for c in range(6)]
    dataset = read_dataset("ut-interaction", tree(tmp_path, names))
    assert (len(dataset.clips), dataset.classes) == (120, sorted(ut_interaction.CLASSES))
    assert dataset.labels["set1/10_1_4"] == "punch"
    assert [split.name for split in dataset.splits][8:12] == [
        "set 1 sequence 9",
        "set 1 sequence 10",
        "set 2 sequence 11",
        "set 2 sequence 12",
    ]
    for split in dataset.splits:
        assert (len(split.train), len(split.test)) == (54, 6)
        assert {name.partition("/")[0] for name in split.train} == {split.subset.replace(" ", "")}


def test_one_set_of_ut_interaction_is_no_lack_of_the_other(tmp_path):
    names = [f"{6 * s + c}_{s}_{c}.avi" for s in range(1, 11) for c in range(6)]
    dataset = read_dataset("ut-interaction", tree(tmp_path, [*names[:-1], "readme_11_7.avi"]))
    assert dataset.missing == ["push of sequence 10"]
    assert len(dataset.splits) == 10
    assert [skipped.path for skipped in dataset.skipped] == [str(tmp_path / "readme_11_7.avi")]


def test_kth_tests_on_its_nine_persons(tmp_path):
    dataset = read_dataset("kth", tree(tmp_path, kth_names()))
    assert (len(dataset.clips), dataset.missing, dataset.metric) == (599, [], "class_accuracy")
    (split,) = dataset.splits
    assert (len(split.train), len(split.test)) == (16 * 24 - 1, 9 * 24)
    tested = {name.partition("person")[2][:2] for name in split.test}
    assert tested == {"02", "03", "05", "06", "07", "08", "09", "10", "22"}


def test_a_missing_kth_clip_is_listed_and_the_absent_one_is_not(tmp_path):
    dataset = read_dataset("kth", tree(tmp_path, [name for name in kth_names() if "person07_boxing_d2" not in name]))
    assert dataset.missing == ["person07_boxing_d2"]


def test_kth_clips_are_cut_into_their_sub_sequences(tmp_path):
    tree(tmp_path, kth_names())
    kth_sequences(tmp_path / "00sequences.txt")
    dataset = read_dataset("kth", tmp_path, DatasetParams(subsequences=True))
    assert len(dataset.clips) == 599 * 4
    second = dataset.clips[1]
    assert second.name == "boxing/person01_boxing_d1_uncomp_2"
    # Frames 96-185 of the list count from 1, ours from 0.
    assert (second.first_frame, second.last_frame) == (95, 184)
    (split,) = dataset.splits
    assert len(split.test) == 9 * 24 * 4


@pytest.mark.slow
def test_the_list_of_sub_sequences_may_lie_elsewhere_and_lack_a_clip(tmp_path):
    tree(tmp_path / "set", kth_names())
    listing = kth_sequences(tmp_path / "list.txt", changed="person01_boxing_d1\t*missing*")
    dataset = read_dataset("kth", tmp_path / "set", DatasetParams(subsequences=True, sequences=str(listing)))
    assert len(dataset.clips) == 598 * 4
    assert [skipped.reason for skipped in dataset.skipped] == ["no sub-sequences"]


@pytest.mark.parametrize(
    "rest", ["frames\t", "frames\t1-95; 96-185", "frames\t95-1", "frames\t0-95", "1-95", "frames\t1-"]
)
def test_a_malformed_list_of_sub_sequences_is_refused(tmp_path, rest):
    listing = kth_sequences(tmp_path / "list.txt", changed=f"person01_boxing_d1\t{rest}")
    with pytest.raises(DataError, match="expected personPP_<action>_dD, frames and stretches"):
        kth.read_sequences(listing)


FOLDER = [f"{label}/{label}_{person}_{take}.avi" for label in ("run", "walk") for person in "abc" for take in "12"]


def test_any_folder_is_split_into_stratified_folds(tmp_path):
    dataset = read_dataset("folder", tree(tmp_path, [*FOLDER, "loose.mp4"]), DatasetParams(folds=3))
    assert (len(dataset.clips), dataset.classes) == (12, ["run", "walk"])
    assert [skipped.reason for skipped in dataset.skipped] == ["in no class folder"]
    assert dataset.protocol == "3 stratified folds, seed 0"
    assert sorted(name for split in dataset.splits for name in split.test) == sorted(dataset.labels)
    for split in dataset.splits:
        assert sorted(dataset.labels[name] for name in split.test) == ["run", "run", "walk", "walk"]


def test_any_folder_is_split_by_a_pattern_in_the_name(tmp_path):
    dataset = read_dataset("folder", tree(tmp_path, FOLDER), DatasetParams(group="_([abc])_"))
    assert [split.name for split in dataset.splits] == ["a", "b", "c"]
    assert sorted(dataset.splits[1].test) == ["run/run_b_1", "run/run_b_2", "walk/walk_b_1", "walk/walk_b_2"]
    assert {clip.group for clip in dataset.clips} == {"a", "b", "c"}


def test_any_folder_is_split_by_a_file(tmp_path):
    tree(tmp_path / "set", FOLDER)
    lines = ["name,part", "run/run_a_1,train", "walk/walk_a_1.avi,train", "run/run_b_1,test"]
    (tmp_path / "split.csv").write_text("\n".join(lines))
    dataset = read_dataset("folder", tmp_path / "set", DatasetParams(split=str(tmp_path / "split.csv")))
    (split,) = dataset.splits
    assert (split.train, split.test) == (("run/run_a_1", "walk/walk_a_1"), ("run/run_b_1",))
    assert sorted(dataset.labels) == ["run/run_a_1", "run/run_b_1", "walk/walk_a_1"]
    assert [skipped.reason for skipped in dataset.skipped] == ["not in the split file"] * 9


def test_a_split_file_that_names_missing_videos_is_refused(tmp_path):
    tree(tmp_path / "set", FOLDER)
    (tmp_path / "split.csv").write_text("run/run_a_1,train\nrun/gone,train\nwalk/gone.avi,test\n")
    with pytest.raises(DataError, match="split names 2 videos that are missing: run/gone, walk/gone"):
        read_dataset("folder", tmp_path / "set", DatasetParams(split=str(tmp_path / "split.csv")))
    (tmp_path / "split.csv").write_text("run/run_a_1,maybe\n")
    with pytest.raises(DataError, match=r"train or test for every video, got run/run_a_1 \(maybe\)"):
        read_dataset("folder", tmp_path / "set", DatasetParams(split=str(tmp_path / "split.csv")))


def test_clips_that_failed_leave_the_splits_and_are_listed(tmp_path):
    dataset = read_dataset("folder", tree(tmp_path, FOLDER), DatasetParams(group="_([abc])_"))
    less = dataset.without({"run/run_b_1": "no frames"})
    assert len(less.clips) == 11
    assert less.failed == [(str(tmp_path / "run" / "run_b_1.avi"), "no frames")]
    assert less.skipped == []
    assert not any("run/run_b_1" in (*split.train, *split.test) for split in less.splits)
    assert dataset.without({}) is dataset
    with pytest.raises(DataError, match="b of folder has nothing left to train or to test"):
        dataset.without(dict.fromkeys(dataset.splits[1].test, "no frames"))


def test_a_folder_that_is_not_the_set_is_refused(tmp_path):
    tree(tmp_path, FOLDER)
    for name, words in (
        ("weizmann", "holds no videos of weizmann: expected <action>/<actor>_<action>.avi"),
        ("ut-interaction", "holds no videos of ut-interaction"),
        ("kth", "holds no videos of kth"),
    ):
        with pytest.raises(DataError, match=words):
            read_dataset(name, tmp_path)
    with pytest.raises(DataError, match=r"unknown data set 'ucf7'; known are ucf101, hmdb51, .*, folder"):
        read_dataset("ucf7", tmp_path)
    with pytest.raises(DataError, match="is not a folder"):
        read_dataset("folder", tmp_path / "none")
    with pytest.raises(DataError, match="weizmann has a protocol of its own and takes no group, fold_seed"):
        read_dataset("weizmann", tmp_path, DatasetParams(group="x", fold_seed=3))


def test_two_videos_of_one_name_are_refused(tmp_path):
    with pytest.raises(DataError, match="have one name, 'run/a'"):
        read_dataset("folder", tree(tmp_path, ["run/a.avi", "run/a.mp4"]))


def test_stratified_folds_depend_on_names_and_seed_only():
    labels = {f"{label}{i}": label for label in "xy" for i in range(6)}
    shuffled = dict(np.random.default_rng(0).permutation(list(labels.items())).tolist())
    assert splits.stratified_folds(labels, folds=3, seed=1) == splits.stratified_folds(shuffled, folds=3, seed=1)
    assert splits.stratified_folds(labels, folds=3, seed=1) != splits.stratified_folds(labels, folds=3, seed=2)


def test_splits_that_cannot_be_made_are_refused():
    with pytest.raises(DataError, match=r"3 folds need at least 3 videos of each class, too few of: x \(2\)"):
        splits.stratified_folds({"a": "x", "b": "x", "c": "y", "d": "y", "e": "y"}, folds=3)
    with pytest.raises(DataError, match="at least two groups, got g"):
        splits.leave_one_group_out({"a": "g", "b": "g"})
    with pytest.raises(DataError, match="at least two groups of set 2, got h"):
        splits.leave_one_group_out({"a": "f", "b": "g", "c": "h"}, {"a": "set 1", "b": "set 1", "c": "set 2"})
    with pytest.raises(DataError, match="finds no group in 2 videos: b, c"):
        splits.groups_by_pattern(["g1", "b", "c"], r"g\d")
    with pytest.raises(DataError, match=r"'\(' is no regular expression"):
        splits.groups_by_pattern(["a"], "(")
    with pytest.raises(DataError, match="names 1 videos for training and for testing: a"):
        splits.fixed_split(["a"], ["a"], ["a"])
    with pytest.raises(DataError, match="got 1 and 0"):
        splits.fixed_split(["a"], [], ["a"])
    with pytest.raises(DataError, match="split trains on one class only, x"):
        splits.check_splits([splits.fixed_split(["a", "b"], ["c"], "abc")], {"a": "x", "b": "x", "c": "y"})


def test_options_that_make_no_sense_are_refused():
    with pytest.raises(DataError, match="folds must be a whole number of at least 2, got 1"):
        DatasetParams(folds=1)
    with pytest.raises(DataError, match="seed must be a whole number"):
        DatasetParams(fold_seed=-1)
    with pytest.raises(DataError, match="split and group exclude each other"):
        DatasetParams(split="a", group="b")
    with pytest.raises(DataError, match=r"C must be a number from 1e-09 to 1e\+09, or cv, got nan"):
        ClassifierParams(C=float("nan"))
    with pytest.raises(DataError, match="class_weight must be one of"):
        ClassifierParams(class_weight="dual")
