"""Readers of the sets with lists or groups of their own: the official numbers, and each trap of their layouts."""

import shutil

import pytest

from classify.datasets import hollywood2, kth, ucf101
from classify.datasets.registry import read_dataset
from classify.params import DatasetParams
from idt.errors import DataError
from tests.golden import splits
from tests.trees import tree, write


def sizes(dataset):
    return [(len(split.train), len(split.test)) for split in dataset.splits]


# The official lists, where they are at hand.


@pytest.mark.slow
def test_ucf101_has_the_official_numbers_in_each_split(tmp_path):
    lists = splits("ucf101")
    names = [line.split()[0] for path in lists.glob("t*list0?.txt") for line in path.read_text().splitlines()]
    shutil.copytree(lists, tmp_path / "ucfTrainTestlist")
    root = tree(tmp_path / "UCF-101", set(names))
    dataset = read_dataset("ucf101", root)
    assert (len(dataset.clips), len(dataset.classes)) == (13_320, 101)
    assert sizes(dataset) == [(9537, 3783), (9586, 3734), (9624, 3696)]
    assert (dataset.missing, dataset.skipped, dataset.metric) == ([], [], "accuracy")
    assert [split.subset for split in dataset.splits] == ["split 1", "split 2", "split 3"]
    assert {clip.label for clip in dataset.clips if "HandStandPushups" in clip.name} == {"HandstandPushups"}


@pytest.mark.slow
def test_hmdb51_has_the_official_numbers_in_each_split(tmp_path):
    lists = splits("hmdb51/testTrainMulti_7030_splits")
    names = {
        f"{path.name.removesuffix('_test_split1.txt')}/{line.split()[0]}"
        for path in lists.glob("*_split1.txt")
        for line in path.read_text().splitlines()
    }
    dataset = read_dataset("hmdb51", tree(tmp_path, names), DatasetParams(lists=str(lists)))
    assert sizes(dataset) == [(3570, 1530)] * 3
    assert (len(names), len(dataset.classes), dataset.missing) == (6766, 51, [])
    # Those that no split uses.
    assert {skipped.reason for skipped in dataset.skipped} == {"in none of the lists"}
    assert len(dataset.clips) + len(dataset.skipped) == 6766
    for split in dataset.splits:
        labels = [dataset.labels[name] for name in split.test]
        assert all(labels.count(label) == 30 for label in dataset.classes)


def test_kth_has_its_2391_sub_sequences(tmp_path):
    names = [f"person{p:02}_{a}_d{d}_uncomp.avi" for p in range(1, 26) for a in kth.ACTIONS for d in range(1, 5)]
    root = tree(tmp_path, [name for name in names if not name.startswith(kth.ABSENT)])
    params = DatasetParams(subsequences=True, sequences=str(splits("kth_00sequences.txt")))
    dataset = read_dataset("kth", root, params)
    assert (len(dataset.clips), dataset.missing, dataset.skipped) == (2391, [], [])


# Each trap, on small lists.


def ucf_101(root):
    """Two classes; one clip trains and one tests in each, in all three splits."""
    lists = root / "ucfTrainTestlist"
    write(lists / "classInd.txt", ["1 Archery", "2 HandstandPushups"])
    for number in (1, 2, 3):
        write(
            lists / f"trainlist0{number}.txt",
            ["Archery/v_Archery_g08_c01.avi 1", "HandstandPushups/v_HandStandPushups_g08_c01.avi 2"],
        )
        write(
            lists / f"testlist0{number}.txt",
            ["Archery/v_Archery_g01_c01.avi", "HandstandPushups/v_HandStandPushups_g01_c01.avi"],
        )
    videos = ["Archery/v_Archery_g08_c01.avi", "Archery/v_Archery_g01_c01.avi"]
    pushups = [f"HandstandPushups/v_HandStandPushups_{group}_c01.avi" for group in ("g08", "g01")]
    return tree(root / "UCF-101", [*videos, *pushups]).parent


def test_files_of_handstand_pushups_are_spelled_otherwise_than_their_folder(tmp_path):
    ucf_101(tmp_path)
    dataset = read_dataset("ucf101", tmp_path)
    assert dataset.classes == ["Archery", "HandstandPushups"]
    assert dataset.labels["UCF-101/HandstandPushups/v_HandStandPushups_g01_c01"] == "HandstandPushups"
    # Some copies spell the files as the folder.
    old = tmp_path / "UCF-101" / "HandstandPushups" / "v_HandStandPushups_g01_c01.avi"
    old.rename(old.with_name("v_HandstandPushups_g01_c01.avi"))
    assert read_dataset("ucf101", tmp_path / "UCF-101").missing == []
    assert sizes(read_dataset("ucf101", tmp_path / "UCF-101")) == [(2, 2)] * 3


def test_ucf101_lists_number_their_classes_from_one_and_only_to_train(tmp_path):
    ucf_101(tmp_path)
    classes = ucf101.read_classes(tmp_path / "ucfTrainTestlist" / "classInd.txt")
    assert classes == {"Archery": "1", "HandstandPushups": "2"}
    listing = write(tmp_path / "list.txt", ["Archery/v_Archery_g08_c01.avi 0"])
    with pytest.raises(DataError, match=r"Archery has number 1 in classInd.txt, got"):
        ucf101.read_list(listing, classes, numbered=True)
    with pytest.raises(DataError, match=r"expected <Class>/<video>.avi, got"):
        ucf101.read_list(listing, classes, numbered=False)
    with pytest.raises(DataError, match="line 1: expected 1 and a class, got '0 Archery'"):
        ucf101.read_classes(write(tmp_path / "zero.txt", ["0 Archery"]))


def test_a_listed_video_that_is_not_there_is_missing_and_leaves_the_splits(tmp_path):
    ucf_101(tmp_path)
    (tmp_path / "UCF-101" / "Archery" / "v_Archery_g01_c01.avi").unlink()
    tree(tmp_path, ["UCF-101/Archery/v_Archery_g99_c01.avi"])
    dataset = read_dataset("ucf101", tmp_path)
    assert dataset.missing == ["v_archery_g01_c01"]
    assert [skipped.reason for skipped in dataset.skipped] == ["in none of the lists"]
    assert sizes(dataset) == [(2, 1)] * 3


STRANGE = "[x]_(a);b&c?d!e#f+g@h~_run_f_cm_np1_ba_med_0"


def hmdb(root, codes=("1", "2", "0")):
    for label in ("run", "brush_hair"):
        names = [f"{STRANGE}{i}.avi" for i in range(len(codes))]
        tree(root / "hmdb51_org", [f"{label}/{name}" for name in names])
        for number in (1, 2, 3):
            lines = [f"{name} {code} " for name, code in zip(names, codes, strict=True)]
            write(root / "testTrainMulti_7030_splits" / f"{label}_test_split{number}.txt", lines)
    return root / "hmdb51_org"


def test_hmdb51_names_hold_brackets_and_question_marks(tmp_path):
    dataset = read_dataset("hmdb51", hmdb(tmp_path))
    assert dataset.classes == ["brush_hair", "run"]
    assert sizes(dataset) == [(2, 2)] * 3
    assert dataset.splits[0].test == (f"brush_hair/{STRANGE}1", f"run/{STRANGE}1")
    assert dataset.missing == []


def test_hmdb51_clips_of_code_zero_are_of_no_split(tmp_path):
    dataset = read_dataset("hmdb51", hmdb(tmp_path))
    assert [skipped.path.rpartition("/")[2] for skipped in dataset.skipped] == [f"{STRANGE}2.avi"] * 2
    with pytest.raises(DataError, match=r"expected <video>.avi and one of 0, 1, 2, got"):
        read_dataset("hmdb51", hmdb(tmp_path / "odd", codes=("1", "2", "3")))


def test_jhmdb_knows_training_and_test_only(tmp_path):
    videos = hmdb(tmp_path, codes=("1", "2"))
    (tmp_path / "testTrainMulti_7030_splits").rename(tmp_path / "splits")
    videos.rename(tmp_path / "ReCompressed_Videos")
    dataset = read_dataset("jhmdb", tmp_path)
    assert (sizes(dataset), dataset.metric) == ([(2, 2)] * 3, "accuracy")
    write(tmp_path / "splits" / "run_test_split2.txt", [f"{STRANGE}0.avi 0"])
    with pytest.raises(DataError, match=r"run_test_split2.txt: expected <video>.avi and one of 1, 2, got"):
        read_dataset("jhmdb", tmp_path)


def test_ucf50_leaves_groups_out_and_billiards_are_spelled_otherwise(tmp_path):
    names = [
        f"UCF50/{label}/v_{prefix}_g{group:02}_c01.avi"
        for label, prefix in (("Billiards", "Billards"), ("Diving", "Diving"))
        for group in range(1, 26)
    ]
    dataset = read_dataset("ucf50", tree(tmp_path, names[1:]))
    assert (dataset.classes, len(dataset.splits)) == (["Billiards", "Diving"], 25)
    assert dataset.labels["UCF50/Billiards/v_Billards_g02_c01"] == "Billiards"
    assert dataset.splits[0].test == ("UCF50/Diving/v_Diving_g01_c01",)
    # The number of the set is the mean of the folds'.
    assert [split.subset for split in dataset.splits] == [f"group {number}" for number in range(1, 26)]
    assert dataset.missing == ["Billiards, group 1", "48 of the 50 classes", "6569 of the 6618 clips"]


def test_ucf11_takes_labels_from_folders_and_skips_annotations(tmp_path):
    names = [
        f"UCF11_updated_mpg/{label}/v_{prefix}_{group:02}/v_{prefix}_{group:02}_01.mpg"
        for label, prefix in (("basketball", "shooting"), ("walking", "walk_dog"))
        for group in range(1, 26)
    ]
    odd = [
        "UCF11_updated_mpg/basketball/Annotation/v_shooting_01/v_shooting_01_01.mpg",
        "UCF11_updated_mpg/basketball/v_shooting_01/v_shooting_02_01.mpg",
    ]
    dataset = read_dataset("ucf11", tree(tmp_path, [*names, *odd]))
    assert (dataset.classes, len(dataset.clips), len(dataset.splits)) == (["basketball", "walking"], 50, 25)
    assert dataset.labels["UCF11_updated_mpg/basketball/v_shooting_01/v_shooting_01_01"] == "basketball"
    assert dataset.splits[9].test == tuple(name.removesuffix(".mpg") for name in (names[9], names[34]))
    assert (dataset.metric, dataset.missing) == ("class_accuracy", ["9 of the 11 classes"])
    assert [skipped.reason for skipped in dataset.skipped] == [
        "in a folder Annotation",
        "not <class>/v_<other>_GG/v_<other>_GG_CC of the set",
    ]


def hollywood(root):
    """Two clips a side, the first of each with two labels; a clip of a scene that no list of actions names."""
    holds = {1: {"Kiss", "HugPerson"}, 2: {"Run"}}
    for side in ("train", "test"):
        for label in hollywood2.CLASSES:
            lines = [f"actionclip{side}{n:05}  {1 if label in labels else -1}" for n, labels in holds.items()]
            write(root / "ClipSets" / f"{label}_{side}.txt", lines)
    clips = [f"AVIClips/actionclip{side}{n:05}.avi" for side in ("train", "test") for n in holds]
    return tree(root, [*clips, "AVIClips/sceneclipautoautotrain00001.avi"])


def test_hollywood2_clips_have_several_labels(tmp_path):
    dataset = read_dataset("hollywood2", hollywood(tmp_path))
    assert dataset.labels["AVIClips/actioncliptrain00001"] == ("HugPerson", "Kiss")
    assert dataset.labels["AVIClips/actioncliptest00002"] == ("Run",)
    assert (dataset.multi_label, dataset.metric) == (True, "mean_average_precision")
    assert dataset.classes == ["HugPerson", "Kiss", "Run"]
    assert sizes(dataset) == [(2, 2)]
    assert [skipped.path.rpartition("/")[2] for skipped in dataset.skipped] == ["sceneclipautoautotrain00001.avi"]


def test_hollywood2_lists_that_do_not_agree_are_refused(tmp_path):
    hollywood(tmp_path)
    write(tmp_path / "ClipSets" / "Kiss_train.txt", ["actioncliptrain00001  1"])
    with pytest.raises(DataError, match=r"must name the clips of AnswerPhone_train.txt, differs in \w+00002"):
        read_dataset("hollywood2", tmp_path)
    write(tmp_path / "ClipSets" / "Kiss_train.txt", ["actioncliptrain00001  0"])
    with pytest.raises(DataError, match=r"Kiss_train.txt: expected a clip and 1 or -1, got"):
        read_dataset("hollywood2", tmp_path)


def test_olympic_sports_has_lists_by_class(tmp_path):
    names = {"train": ["-abc_001", "_de-f_002.seq"], "test": ["clips/long_jump/ghi_003.avi"]}
    for label in ("long_jump", "vault"):
        for side, lines in names.items():
            write(tmp_path / f"{side}_set" / f"{label}.txt", lines)
        tree(tmp_path, [f"clips/{label}/{stem}.avi" for stem in ("-abc_001", "_de-f_002", "ghi_003")])
    (tmp_path / "clips" / "vault" / "_de-f_002.avi").rename(tmp_path / "clips" / "vault" / "_de-f_002.seq")
    dataset = read_dataset("olympic", tmp_path)
    assert (dataset.classes, dataset.metric) == (["long_jump", "vault"], "mean_average_precision")
    assert sizes(dataset) == [(3, 2)]
    assert dataset.labels["clips/vault/-abc_001"] == "vault"
    # A set that was not converted.
    assert dataset.missing == ["vault/_de-f_002"]


def test_sets_without_their_lists_are_refused(tmp_path):
    tree(tmp_path / "set", ["a/b.avi"])
    for name, words in (
        ("ucf101", "ucfTrainTestlist/classInd.txt"),
        ("hmdb51", r"testTrainMulti_7030_splits/\*_test_split\[123\].txt"),
        ("hollywood2", "ClipSets/AnswerPhone_train.txt"),
        ("olympic", r"train_set/\*.txt"),
        ("jhmdb", r"splits/\*_test_split\[123\].txt"),
    ):
        with pytest.raises(DataError, match=f"has no lists .*{words} in it or beside it; name their folder"):
            read_dataset(name, tmp_path / "set")
        with pytest.raises(DataError, match="holds no lists"):
            read_dataset(name, tmp_path / "set", DatasetParams(lists=str(tmp_path)))
    with pytest.raises(DataError, match="kth has a protocol of its own and takes no lists"):
        read_dataset("kth", tmp_path, DatasetParams(lists="x"))


def test_sets_without_their_videos_are_refused(tmp_path):
    shutil.rmtree(ucf_101(tmp_path) / "UCF-101")
    with pytest.raises(DataError, match="holds no videos of ucf101: expected UCF-101/<Class>"):
        read_dataset("ucf101", tmp_path)
    for name in ("ucf50", "ucf11"):
        with pytest.raises(DataError, match=f"holds no videos of {name}"):
            read_dataset(name, tmp_path)


def test_two_videos_of_one_listed_name_are_refused(tmp_path):
    ucf_101(tmp_path)
    tree(tmp_path, ["copy/Archery/v_Archery_g01_c01.avi"])
    with pytest.raises(DataError, match="are both v_archery_g01_c01 of the lists; move one of them away"):
        read_dataset("ucf101", tmp_path)
