"""Sets that annotation files describe: which videos are meant, which splits they make, and an evaluation of them."""

import json
import shutil

import numpy as np
import pytest

from benchmarks.clips import write_video
from classify.datasets.registry import read_dataset
from classify.evaluation.resume import VARYING
from classify.params import DatasetParams
from idt.errors import DataError
from idt.imports.opencv import cv2
from tests import golden, scenes
from tests.trees import tree, write

SMALL = "--length 5 --time-cells 1 --scales 1 --stride 10 --no-camera --keypoints none --k 2".split()
TRAIN = ["walk/a.avi 0", "run/b.avi 1", "jump/c.avi 2"]
TEST = ["walk/d.avi 0", "run/e.avi 1"]
VIDEOS = [line.split()[0] for line in (*TRAIN, *TEST)]


def read(root, train, test, **options):
    """The set of two lists given as lines."""
    lists = root.parent / "lists"
    paths = [str(write(lists / f"{name}.txt", lines)) for name, lines in (("train", train), ("test", test))]
    return read_dataset("list", root, DatasetParams(train=paths[:1], test=paths[1:], **options))


def test_two_lists_are_a_split_of_the_videos_that_they_name(tmp_path):
    root = tree(tmp_path / "videos", [*VIDEOS, "walk/x.avi"])
    found = read(root, TRAIN, TEST)
    assert [(clip.name, clip.label) for clip in found.clips] == [
        ("jump/c", "jump"),
        ("run/b", "run"),
        ("run/e", "run"),
        ("walk/a", "walk"),
        ("walk/d", "walk"),
    ]
    ((name, train, test, part),) = found.splits
    assert (name, train, test, part) == ("split", ("walk/a", "run/b", "jump/c"), ("walk/d", "run/e"), "")
    assert [entry.reason for entry in found.skipped] == ["in none of the lists"]
    assert (found.metric, found.missing) == ("accuracy", [])
    assert found.protocol == (
        "train.txt against test.txt (path label; the classes are called as the folders, or as the list says)"
    )
    assert [path.rpartition("/")[2] for path in found.lists] == ["train.txt", "test.txt"]


def test_several_pairs_are_several_splits_whose_numbers_are_averaged(tmp_path):
    root = tree(tmp_path / "videos", VIDEOS)
    one, two = (str(write(tmp_path / f"{name}.txt", lines)) for name, lines in (("a", TRAIN), ("b", TEST)))
    found = read_dataset("list", root, DatasetParams(train=(one, two), test=(two, one)))
    assert [(split.name, split.subset, len(split.train)) for split in found.splits] == [
        ("split 1", "split 1", 3),
        ("split 2", "split 2", 2),
    ]


@pytest.mark.parametrize("before", ["/data/ucf/videos/", "videos/", "./", ""])
@pytest.mark.parametrize("here", ["", "UCF-101/"])
def test_other_folders_before_the_names_do_not_matter(tmp_path, before, here):
    root = tree(tmp_path / "videos", [here + name for name in VIDEOS])
    found = read(root, [before + line for line in TRAIN], [before + line for line in TEST])
    assert [clip.name for clip in found.clips] == sorted(f"{here}{name}".removesuffix(".avi") for name in VIDEOS)


def test_another_suffix_or_no_class_folder_does_not_matter_but_another_folder_does(tmp_path):
    flat = tree(tmp_path / "flat", [name.partition("/")[2].replace("avi", "mp4") for name in VIDEOS])
    assert [clip.name for clip in read(flat, TRAIN, TEST).clips] == list("abcde")
    bare = [line.partition("/")[2] for line in TRAIN], [line.partition("/")[2] for line in TEST]
    assert len(read(tree(tmp_path / "videos", VIDEOS), *bare).clips) == 5
    moved = tree(tmp_path / "moved", [*VIDEOS[1:], "jump/a.avi"])
    found = read(moved, TRAIN, TEST)
    assert found.missing == ["walk/a.avi"]
    assert [entry.path for entry in found.skipped] == [str(moved / "jump" / "a.avi")]


def test_a_name_that_may_be_two_videos_and_two_names_of_one_video_are_refused(tmp_path):
    root = tree(tmp_path / "videos", [f"{part}/{name}" for name in VIDEOS for part in ("train", "val")])
    with pytest.raises(DataError, match=r"walk/a.avi of the lists may be any of train/walk/a, val/walk/a in"):
        read(root, TRAIN, TEST)
    apart = read(root, [f"train/{line}" for line in TRAIN], [f"val/{line}" for line in TRAIN])
    assert apart.splits[0].test == ("val/walk/a", "val/run/b", "val/jump/c")
    root = tree(tmp_path / "one", VIDEOS)
    with pytest.raises(DataError, match=r"val/walk/a.avi and train/walk/a.avi of the lists are both .*walk/a.avi"):
        read(root, [f"train/{line}" for line in TRAIN], [f"val/{line}" for line in TRAIN])


def test_videos_that_are_not_there_are_listed_as_missing(tmp_path):
    root = tree(tmp_path / "videos", VIDEOS[:-1])
    found = read(root, TRAIN, TEST)
    assert (found.missing, found.splits[0].test) == (["run/e.avi"], ("walk/d",))
    with pytest.raises(DataError, match="holds no videos of list"):
        read(tree(tmp_path / "others", ["x/y.avi"]), TRAIN, TEST)


def test_classes_have_the_names_of_a_class_file_or_numbers_of_one_width(tmp_path):
    root = tree(tmp_path / "videos", [f"{name}.mp4" for name in "abcd"])
    lists = ["a.mp4 0", "b.mp4 10"], ["c.mp4 10", "d.mp4 2"]
    assert read(root, *lists).labels == {"a": "00", "b": "10", "c": "10", "d": "02"}
    classes = write(tmp_path / "classes.txt", [f"class {letter}" for letter in "abcdefghijkl"])
    found = read(root, *lists, classes=str(classes))
    assert found.labels == {"a": "class a", "b": "class k", "c": "class k", "d": "class c"}
    assert str(classes) in found.lists


def test_several_labels_a_line_ask_for_mean_average_precision(tmp_path):
    root = tree(tmp_path / "videos", [f"{name}.mp4" for name in "abcd"])
    found = read(root, ["a.mp4 0 1", "b.mp4 2"], ["c.mp4 1 2", "d.mp4 0"])
    assert (found.metric, found.labels["a"], found.labels["b"]) == ("mean_average_precision", ("0", "1"), ("2",))


def test_clips_of_kinetics_are_taken_where_they_are_cut_and_else_cut(tmp_path):
    header = "label,youtube_id,time_start,time_end,split"
    root = tree(tmp_path / "videos", ["yoga/x_000005_000015.mp4", "yoga/y.mp4", "hop/z.mp4", "hop/w_000000_000010.mp4"])
    train = [header, "yoga,x,5,15,train", "hop,z,0,10,train", "hop,z,20.5,30,train"]
    found = read(root, train, [header, "yoga,y,5,15,val", "hop,w,0,10,val", "hop,v,0,10,val"])
    stretches = {clip.name: (clip.label, clip.first_frame, clip.last_frame) for clip in found.clips}
    assert stretches == {
        "yoga/x_000005_000015": ("yoga", None, None),
        "yoga/y_000005_000015": ("yoga", "5s", "15s"),
        "hop/z_000000_000010": ("hop", "0s", "10s"),
        "hop/z_000020_000030": ("hop", "20.5s", "30s"),
        "hop/w_000000_000010": ("hop", None, None),
    }
    assert found.missing == ["v_000000_000010"]
    assert found.splits[0].train == ("yoga/x_000005_000015", "hop/z_000000_000010", "hop/z_000020_000030")


def test_folders_of_frames_are_videos_and_images_of_flow_beside_them_are_left_out(tmp_path):
    frames = [f"walk/a/img_{i:05}.jpg" for i in range(1, 4)]
    flow = [f"run/b/{kind}_{i:05}.jpg" for kind in ("img", "flow_x", "flow_y") for i in range(1, 4)]
    mixed = [f"run/c/{kind}{i}.jpg" for kind in ("left", "right") for i in range(1, 4)]
    root = tree(tmp_path / "rawframes", [*frames, *flow, *mixed, "walk/d/1.png", "walk/d/x_1.png", "walk/d/10.png"])
    found = read(root, ["walk/a 3 0", "run/b 3 1"], ["walk/d 2 0", "run/c 3 1", "run/e 9 1"])
    paths = {clip.name: clip.path.relative_to(root).as_posix() for clip in found.clips}
    assert paths == {"walk/a": "walk/a", "run/b": "run/b/img_%05d.jpg", "walk/d": "walk/d/%d.png"}
    assert found.missing == ["run/c", "run/e"]
    assert [entry.reason for entry in found.skipped] == ["images of several kinds, which begin with left, right"]


def test_an_offset_is_a_stretch_of_a_folder_and_each_stretch_a_clip(tmp_path):
    root = tree(tmp_path / "rawframes", [f"long/img_{i:05}.jpg" for i in range(1, 4)])
    found = read(
        root, ["long 0 10 0", "long 10 10 1"], ["long 40 5 0", "long 90 10 1"], list_form="path offset frames label"
    )
    assert [(clip.name, clip.first_frame, clip.last_frame, clip.label) for clip in found.clips] == [
        ("long_000000_000009", 0, 9, "0"),
        ("long_000010_000019", 10, 19, "1"),
        ("long_000040_000044", 40, 44, "0"),
        ("long_000090_000099", 90, 99, "1"),
    ]


def test_lists_that_cannot_be_meant_are_refused(tmp_path):
    root = tree(tmp_path / "videos", VIDEOS)
    with pytest.raises(DataError, match=r"as many lists of training videos as of test videos, got 0 \(train\) and 0"):
        read_dataset("list", root, DatasetParams())
    with pytest.raises(DataError, match="list has a protocol of its own and takes no folds"):
        read_dataset("list", root, DatasetParams(folds=3))
    with pytest.raises(DataError, match="has no labels; name a file of the classes"):
        read(root, ["a.avi", "b.avi"], ["d.avi", "e.avi"])
    flat = tree(tmp_path / "flat", ["a.avi", "b.avi", "c.avi"])
    with pytest.raises(DataError, match=r"test.txt gives a.avi the label 1, another list 0"):
        read(flat, ["a.avi 0", "b.avi 1"], ["c.avi 0", "a.avi 1"])
    with pytest.raises(DataError, match="names 1 videos for training and for testing: walk/a"):
        read(root, TRAIN, ["walk/a.avi 0"])


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    """Scenes that slide to the right and down, two of each."""
    folder = tmp_path_factory.mktemp("films")
    for way, velocity in {"right": (3, 0), "down": (0, 3)}.items():
        for take in (1, 2):
            (folder / way).mkdir(exist_ok=True)
            film = scenes.translating(14, velocity=velocity, size=(64, 80), seed=take + 2 * (way == "down"))
            write_video(folder / way / f"v{take}.avi", film)
    return folder


@pytest.mark.slow
def test_lists_and_class_folders_with_one_split_give_one_report(command, films, tmp_path):
    split = write(tmp_path / "split.csv", ["right/v1,train", "down/v1,train", "right/v2,test", "down/v2,test"])
    lists = [
        write(tmp_path / f"{name}.txt", [f"/data/old/right/v{n}.avi 1", f"/data/old/down/v{n}.avi 0"])
        for name, n in (("train", 1), ("test", 2))
    ]
    words = [*SMALL, "--blocks", "trajectory,hof"]
    assert command("idt-evaluate", "folder", films, "-o", tmp_path / "a", "--split", split, *words)[0] == 0
    status, printed, _ = command(
        "idt-evaluate", "list", "--train", lists[0], "--test", lists[1], "--root", films, "-o", tmp_path / "b", *words
    )
    assert (status, printed.splitlines()[0]) == (
        0,
        "list: accuracy 100.0 %, train.txt against test.txt (path label; the classes are called as the folders, or as"
        " the list says)",
    )
    one, two = (json.loads((tmp_path / name / "report.json").read_text()) for name in "ab")
    named = {"dataset", "protocol", "settings", "per_fold", *VARYING}
    assert {key: one[key] for key in one if key not in named} == {key: two[key] for key in two if key not in named}
    assert [fold["accuracy"] for fold in one["per_fold"]] == [fold["accuracy"] for fold in two["per_fold"]]
    assert command(
        "idt-evaluate", "list", films, "--train", lists[0], "--test", lists[1], "-o", tmp_path / "b", *words
    )[1].count("report.md: up to date\n") == 1  # fmt: skip


@pytest.mark.slow
def test_frame_folders_and_stretches_in_seconds_are_evaluated(command, films, tmp_path):
    root = tmp_path / "root"
    rows = ["label,youtube_id,time_start,time_end,split"]
    for video in sorted(films.rglob("*.avi")):
        (root / video.parent.name).mkdir(parents=True, exist_ok=True)
        shutil.copyfile(video, root / video.parent.name / f"{video.parent.name}-{video.name}")
        rows.append(f"{video.parent.name},{video.parent.name}-{video.stem},0.0,0.48,x")
    train, test = (write(tmp_path / f"{n}.csv", [row for row in rows if f"v{3 - n}" not in row]) for n in (1, 2))
    out = tmp_path / "out"
    assert command("idt-evaluate", "list", root, "--train", train, "--test", test, "-o", out, *SMALL)[0] == 0
    assert json.loads((out / "report.json").read_text())["clips"] == 4
    assert (out / "features" / "right" / "right-v1_000000_000000.h5").exists()

    frames = tmp_path / "frames"
    for video in films.rglob("*.avi"):
        folder = frames / video.parent.name / video.stem
        folder.mkdir(parents=True)
        capture, blank = cv2.VideoCapture(str(video)), np.zeros((64, 80), np.uint8)
        for i in range(1, 15):
            cv2.imwrite(str(folder / f"img_{i:05}.png"), capture.read()[1])
            cv2.imwrite(str(folder / f"flow_x_{i:05}.png"), blank)
    train, test = (write(tmp_path / f"{n}.txt", [f"right/v{n} 14 1", f"down/v{n} 14 0"]) for n in (1, 2))
    out = tmp_path / "out2"
    assert command("idt-evaluate", "list", frames, "--train", train, "--test", test, "-o", out, *SMALL)[0] == 0
    assert json.loads((out / "report.json").read_text())["accuracy"] == 1.0


def test_the_root_is_given_once(command, tmp_path):
    for words in ([], [tmp_path, "--root", tmp_path]):
        status, _, said = command("idt-evaluate", "list", *words, "-o", tmp_path / "out", status=2)
        assert status == 2
        assert "must be given once, as ROOT or with --root" in said


@pytest.mark.slow
def test_the_official_lists_make_the_splits_of_the_official_reader(tmp_path):
    lists = golden.splits("ucf101")
    names = (lists / "trainlist01.txt").read_text().split()[::2] + (lists / "testlist01.txt").read_text().split()
    # The files of one class are spelled otherwise than its folder, and some folders lie elsewhere.
    root = tree(tmp_path / "UCF-101", [name.replace("/v_HandstandPushups", "/v_HandStandPushups") for name in names])
    paths = {side: tuple(str(lists / f"{side}list0{number}.txt") for number in (1, 2, 3)) for side in ("train", "test")}
    found = read_dataset("list", root, DatasetParams(**paths))
    official = read_dataset("ucf101", root, DatasetParams(lists=str(lists)))
    assert (len(found.clips), found.missing, found.labels) == (13320, [], official.labels)
    for one, other in zip(found.splits, official.splits, strict=True):
        assert (one.name, one.subset) == (other.name, other.subset)
        assert (set(one.train), set(one.test)) == (set(other.train), set(other.test))
    assert [len(split.test) for split in found.splits] == [3783, 3734, 3696]
