"""What the words of a command line and the lines of a list stand for, and how the videos are named."""

import os
from pathlib import Path

import pytest

import idt
from benchmarks.clips import write_video
from classify.datasets.registry import read_dataset
from classify.params import DatasetParams
from encoding.descriptors import feature_files
from idt.batch import verify
from idt.batch.jobs import plan, read_list
from idt.errors import DataError
from idt.files import provenance
from idt.files.walk import matching, walk
from tests import scenes
from tests.hostile.things import SMALL
from tests.samples import random_features
from tests.trees import tree, write

JUNK = ["run/._a.avi", "__MACOSX/run/._a.avi", "__MACOSX/run/a.avi", "run/.DS_Store", "run/Thumbs.db"]


def named(*words, output="out/", on_note=None):
    """Name → source of the jobs."""
    return {job.name: job.source for job in plan([str(word) for word in words], output, on_note=on_note)}


@pytest.fixture
def clip(working_folder):
    """A film in the current folder."""
    return write_video(Path("a.avi"), scenes.translating(14, velocity=(3, 0), size=(64, 80), seed=1))


# Names of files.


def test_a_name_with_a_colon_is_a_file_and_no_protocol(clip, command):
    clip.rename("12:30.mp4")
    assert command("idt-extract", "12:30.mp4", "-o", "one.h5", *SMALL)[0] == 0
    assert command("idt-extract", "12:30.mp4", "-o", "o/", *SMALL)[0] == 0
    assert idt.load("o/12:30.h5").source["name"] == "12:30"
    assert command("idt-show", "12:30.mp4", *SMALL)[0] == 0
    assert Path("12:30-tracks.mp4").exists()


# Folders that are linked.


def test_linked_folders_of_videos_are_followed(working_folder):
    tree(Path("real"), ["jump/j.avi"])
    tree(Path("t"), ["run/r.avi"])
    os.symlink("../real/jump", "t/jump")
    assert named("t") == {"jump/j": "t/jump/j.avi", "run/r": "t/run/r.avi"}
    assert named("t/**/*.avi") == named("t/*/*.avi") == named("t")


def test_links_in_circles_end_and_nothing_is_taken_twice(working_folder):
    tree(Path("t"), ["run/r.avi", "jump/j.avi"])
    for link, target in (("t/run/up", ".."), ("t/run/self", "."), ("t/out", ".."), ("t/root", "/")):
        os.symlink(target, link)
    assert list(named("t")) == ["jump/j", "run/r"]


def test_a_second_name_of_a_folder_is_left_out_with_a_note(working_folder):
    tree(Path("t"), ["run/r.avi", "run/deep/s.avi", "empty/notes.txt"])
    os.symlink("run", "t/again")
    os.symlink("empty", "t/also")
    notes = []
    assert list(named("t", on_note=notes.append)) == ["run/deep/s", "run/r"]
    assert notes == ["t/again is left out: t/run is the same folder"]
    with pytest.raises(DataError, match="t/again and t/run are two names of one folder of videos"):
        named("t")


def test_features_in_linked_folders_are_found(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "f").mkdir()
    idt.save(random_features(3), tmp_path / "real/a.h5")
    os.symlink("../real", tmp_path / "f/run")
    assert feature_files.find([str(tmp_path / "f")]) == [tmp_path / "f/run/a.h5"]
    assert verify.find_feature_files(tmp_path / "f") == [tmp_path / "f/run/a.h5"]


# The root that names begin below.


def test_a_folder_names_its_videos_alike_whatever_it_holds(working_folder):
    tree(Path("u"), ["run/r.mp4"])
    alone = named("u")
    tree(Path("u"), ["jump/j.mp4"])
    assert alone == {"run/r": "u/run/r.mp4"}
    assert named("u") == {"jump/j": "u/jump/j.mp4", **alone}
    # With others beside it, too, and by a pattern.
    assert named("u/jump", "u/run") == named("u/*/*.mp4") == named("u/**/*.mp4") == named("u")
    assert named("u/run/*.mp4") == named("u/run") == {"r": "u/run/r.mp4"}


@pytest.mark.parametrize("word", ["u", "u/*/*.avi", "@list.txt"])
def test_a_folder_is_extracted_into_a_folder_though_it_holds_one_video(clip, command, word):
    Path("u/run").mkdir(parents=True)
    clip.rename("u/run/r.avi")
    write(Path("list.txt"), ["u/"])
    assert command("idt-extract", word, "-o", "features", *SMALL)[0] == 0
    assert [str(path) for path in Path("features").rglob("*.h5")] == ["features/run/r.h5"]
    # A file is what a name with a suffix asks for.
    assert command("idt-extract", word, "-o", "one.h5", *SMALL)[0] == 0
    assert idt.load("one.h5").source["name"] == "run/r"


# Lists.


def test_a_line_that_begins_with_a_hash_is_a_file_where_there_is_one(working_folder):
    tree(Path("."), ["#2_Gum_chew.mp4", "b.mp4"])
    write(Path("list.txt"), ["# the ones of Monday", "#2_Gum_chew.mp4", "#3_Gum_chew.mp4", "b.mp4"])
    assert read_list("list.txt") == ["#2_Gum_chew.mp4", "b.mp4"]
    assert list(named("@list.txt")) == ["#2_Gum_chew", "b"]


# What other operating systems leave beside files.


def test_what_another_system_left_is_no_video(working_folder):
    tree(Path("m"), ["run/a.avi", "run/b.avi", *JUNK])
    two = {"run/a": "m/run/a.avi", "run/b": "m/run/b.avi"}
    assert named("m") == named("m/**/*") == named("m/*/*") == two
    assert named("m/run") == named("m/run/*.avi") == {"a": "m/run/a.avi", "b": "m/run/b.avi"}
    found = walk("m")
    assert [str(path) for path in found.junk] == ["m/__MACOSX", "m/run/.DS_Store", "m/run/._a.avi", "m/run/Thumbs.db"]
    # Whoever names such a file means it.
    assert list(named("m/__MACOSX/run/a.avi")) == ["a"]
    assert matching("m/__MACOSX/run/*.avi") == ["m/__MACOSX/run/a.avi"]


def test_a_folder_of_images_is_the_same_with_what_another_system_left_in_it(tmp_path):
    scenes.write_images(tmp_path / "v", scenes.noise(3, size=(48, 64)))
    before = provenance.digest(tmp_path / "v")
    tree(tmp_path / "v", ["._frame0.png", ".DS_Store", "Thumbs.db", "__MACOSX/frame3.png"])
    assert provenance.digest(tmp_path / "v") == before
    assert named(tmp_path / "v") == {"v": str(tmp_path / "v")}


def test_what_another_system_left_is_no_feature_file(tmp_path):
    idt.save(random_features(3), tmp_path / "a.h5")
    tree(tmp_path, ["._a.h5", "__MACOSX/._a.h5", "__MACOSX/b.h5"])
    assert feature_files.find([str(tmp_path)]) == verify.find_feature_files(tmp_path) == [tmp_path / "a.h5"]


def test_what_another_system_left_in_a_data_set_is_passed_over_in_its_lists_too(tmp_path):
    listed = [f"{label}/v{i}.avi" for label in ("a", "b") for i in range(3)]
    root = tree(tmp_path / "hmdb", [*listed, "a/._v0.avi", "a/Thumbs.db", "__MACOSX/a/._v0.avi", "__MACOSX/a/v1.avi"])
    lists = tmp_path / "testTrainMulti_7030_splits"
    for number in (1, 2, 3):
        for label in ("a", "b"):
            write(lists / f"{label}_test_split{number}.txt", [f"v{i}.avi {1 + i % 2} " for i in range(3)])
            (lists / f"._{label}_test_split{number}.txt").write_bytes(b"\0\5\26\7\0\2\xff")
    for place in ("__MACOSX", ".DS_Store"):
        tree(lists, [f"{place}/._a_test_split1.txt"])
    dataset = read_dataset("hmdb51", root, DatasetParams())
    assert (len(dataset.clips), dataset.missing) == (6, [])
    skipped = [(Path(item.path).relative_to(root).as_posix(), item.reason) for item in dataset.skipped]
    assert skipped == [(name, "left by another operating system") for name in ("__MACOSX", "a/._v0.avi")]
    # Where only junk has the name of lists there are none.
    for path in lists.glob("[ab]*"):
        path.unlink()
    with pytest.raises(DataError, match="has no lists testTrainMulti_7030_splits"):
        read_dataset("hmdb51", root, DatasetParams())


def test_the_lists_of_olympic_sports_are_read_without_what_another_system_left(tmp_path):
    root = tree(tmp_path / "olympic", ["bowling/v1.avi", "bowling/v2.avi", "vault/v3.avi", "vault/v4.avi"])
    for side, names in (("train_set", ("v1", "v3")), ("test_set", ("v2", "v4"))):
        for label, name in zip(("bowling", "vault"), names, strict=True):
            write(root / side / f"{label}.txt", [name])
            (root / side / f"._{label}.txt").write_bytes(b"\0\5\26\7\0\2\xff")
    dataset = read_dataset("olympic", root, DatasetParams())
    assert (len(dataset.clips), dataset.missing) == (4, [])
