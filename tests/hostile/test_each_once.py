"""Each video once: links that lead in circles end, and one video is neither counted twice nor under two labels."""

import os
import time
from pathlib import Path

import pytest

import idt
from benchmarks.clips import write_video
from classify.datasets.registry import read_dataset
from classify.params import DatasetParams
from encoding.descriptors import feature_files
from idt.batch import verify
from idt.batch.jobs import plan
from idt.errors import DataError
from idt.files import provenance
from idt.files.walk import file_key, matching, walk
from tests import scenes
from tests.commands import refused
from tests.samples import random_features
from tests.trees import tree

TWO = DatasetParams(folds=2)


@pytest.fixture
def sets(tmp_path, monkeypatch):
    """The current folder, with a data set ``s`` of four videos in two classes."""
    monkeypatch.chdir(tmp_path)
    tree(tmp_path / "s", ["walk/a.avi", "walk/b.avi", "run/c.avi", "run/d.avi"])
    return Path("s")


def names(root="s"):
    return [clip.name for clip in read_dataset("folder", root, TWO).clips]


FOUR = ["run/c", "run/d", "walk/a", "walk/b"]


@pytest.mark.parametrize(("link", "target"), [
    ("walk/up", ".."), ("walk/up", "../.."), ("walk/self", "."), ("all", "."), ("walk/x/y/z", "../../.."),
    ("walk/root", "/"),
])  # fmt: skip
def test_a_link_to_a_folder_that_it_lies_in_adds_nothing(sets, link, target):
    (sets / link).parent.mkdir(parents=True, exist_ok=True)
    os.symlink(target, sets / link)
    dataset = read_dataset("folder", sets, TWO)
    assert [clip.name for clip in dataset.clips] == FOUR
    assert [(skipped.path, skipped.reason.startswith("leads back to")) for skipped in dataset.skipped] == [
        (str(sets / link), True)
    ]


def test_many_links_in_circles_take_no_time(sets):
    for i in range(30):
        os.symlink(".", sets / f"walk/l{i}")
        os.symlink("../..", sets / f"run/m{i}")
    began = time.monotonic()
    assert names() == FOUR
    assert sorted(matching("s/**/*.avi")) == [f"s/{name}.avi" for name in FOUR]
    # Two links per folder would be 2 ** 40 names.
    assert time.monotonic() - began < 5


def test_a_chain_of_forks_is_walked_once(tmp_path):
    for level in range(25):
        (tmp_path / f"{level}").mkdir()
        for name in "xy":
            os.symlink(f"../{level + 1}", tmp_path / f"{level}" / name)
    (tmp_path / "25").mkdir()
    (tmp_path / "25" / "v.avi").touch()
    found = walk(tmp_path, follow=True)
    assert found.files == [tmp_path / "25" / "v.avi"]
    assert len(found.folders) == 27


def test_folders_that_link_to_each_other_give_their_videos_two_labels(sets):
    os.symlink("../run", sets / "walk/other")
    os.symlink("../walk", sets / "run/other")
    with pytest.raises(DataError, match=r"are one video under two labels, \w+ and \w+; remove one of them"):
        names()


@pytest.mark.parametrize("link", [os.symlink, os.link])
def test_one_video_under_two_labels_is_refused(sets, link, command):
    link((sets / "walk/a.avi").absolute(), sets / "run/z.avi")
    with pytest.raises(DataError, match=r"s/\S+ and s/\S+ are one video under two labels, \w+ and \w+; remove one"):
        names()
    assert refused(command("idt-evaluate", "folder", "s", "-o", "out", status=2), "one video under two labels")
    assert not Path("out").exists()


def test_a_class_folder_that_links_to_another_one_is_refused(sets):
    os.symlink("walk", sets / "stroll")
    with pytest.raises(DataError, match="one video under two labels, walk and stroll"):
        names()


@pytest.mark.parametrize("link", [os.symlink, os.link])
def test_one_video_twice_under_one_label_counts_once_with_a_note(sets, link):
    # The name that is no link stays, though it comes later.
    link((sets / "walk/b.avi").absolute(), sets / "walk/aa.avi")
    dataset = read_dataset("folder", sets, TWO)
    kept = "walk/b" if link is os.symlink else "walk/aa"
    left = "walk/aa" if link is os.symlink else "walk/b"
    assert [clip.name for clip in dataset.clips] == sorted({*FOUR, kept} - {left})
    assert [(skipped.path, skipped.reason) for skipped in dataset.skipped] == [
        (f"s/{left}.avi", f"the same video as s/{kept}.avi")
    ]
    assert sum(len(split.test) for split in dataset.splits) == 4


def test_a_folder_that_links_to_videos_elsewhere_still_works(sets):
    for name in FOUR:
        place = Path("links") / f"{name}.avi"
        place.parent.mkdir(parents=True, exist_ok=True)
        os.symlink((sets / f"{name}.avi").absolute(), place)
    assert names("links") == FOUR
    Path("classes").mkdir()
    for label in ("walk", "run"):
        os.symlink((sets / label).absolute(), Path("classes") / label)
    assert names("classes") == FOUR


def test_sets_with_official_lists_count_a_video_once(tmp_path):
    listed = [f"{label}/v{i}.avi" for label in ("a", "b") for i in range(3)]
    root = tree(tmp_path / "hmdb", listed)
    lists = tmp_path / "testTrainMulti_7030_splits"
    lists.mkdir()
    for number in (1, 2, 3):
        for label in ("a", "b"):
            lines = "".join(f"v{i}.avi {1 + i % 2} \n" for i in range(3))
            (lists / f"{label}_test_split{number}.txt").write_text(lines)
    (root / "a/v2.avi").unlink()
    os.link(root / "a/v0.avi", root / "a/v2.avi")
    dataset = read_dataset("hmdb51", root, DatasetParams())
    assert "a/v2" not in dataset.labels
    assert (len(dataset.clips), dataset.missing) == (5, [])
    assert all("a/v2" not in (*split.train, *split.test) for split in dataset.splits)
    (root / "b/v2.avi").unlink()
    os.link(root / "a/v0.avi", root / "b/v2.avi")
    with pytest.raises(DataError, match="one video under two labels"):
        read_dataset("hmdb51", root, DatasetParams())


def test_weizmann_and_kth_count_a_video_once(tmp_path):
    tree(tmp_path, ["walk/eli_walk.avi", "walk/ido_walk.avi", "run/eli_run.avi", "run/ido_run.avi"])
    os.symlink(tmp_path / "walk", tmp_path / "more")
    dataset = read_dataset("weizmann", tmp_path)
    assert len(dataset.clips) == 4
    (tmp_path / "run/ira_run.avi").symlink_to(tmp_path / "walk/eli_walk.avi")
    with pytest.raises(DataError, match="one video under two labels"):
        read_dataset("weizmann", tmp_path)


def test_a_pattern_of_any_depth_ends(sets):
    os.symlink(".", sets / "x")
    os.symlink(".", sets / "y")
    (sets / ".hidden").mkdir()
    (sets / ".hidden/e.avi").touch()
    four = [f"s/{name}.avi" for name in FOUR]
    assert matching("s/**/*.avi") == matching("**/*.avi") == matching("s/**/**/*.avi") == four
    assert matching(f"{sets.absolute()}/**/a.avi") == [str(sets.absolute() / "walk/a.avi")]
    assert [job.source for job in plan(["s/**/*.avi"], "out/")] == four
    assert matching("s/walk/**") == ["s/walk/a.avi", "s/walk/b.avi"]


def test_idt_extract_takes_a_folder_with_circles_once(sets):
    os.symlink("..", sets / "walk/up")
    os.symlink("/", sets / "run/root")
    assert [job.name for job in plan(["s"], "out/")] == FOUR


def test_two_names_of_one_video_on_a_command_line_are_refused(tmp_path, command, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_video("a.avi", scenes.noise(3, size=(48, 64)))
    os.symlink("a.avi", "soft.avi")
    os.link("a.avi", "hard.avi")
    os.mkdir("in")
    os.symlink("../a.avi", "in/c.avi")
    Path("list.txt").write_text("a.avi\nsoft.avi\n")
    for words in (["a.avi", "soft.avi"], ["hard.avi", "a.avi"], ["./a.avi", "a.avi"], ["a.avi", "in"], ["@list.txt"]):
        result = command("idt-extract", *words, "-o", "out/", status=2)
        assert refused(result, "are two names of one video; name it once"), words
    assert not Path("out").exists()


def test_two_names_of_one_folder_of_images_are_refused(tmp_path):
    scenes.write_images(tmp_path / "in", scenes.noise(2, size=(48, 64)))
    os.symlink("in", tmp_path / "also")
    with pytest.raises(DataError, match="two names of one video"):
        plan([str(tmp_path / "in"), str(tmp_path / "also")], f"{tmp_path}/out/")


def test_two_names_in_one_folder_are_one_job_with_a_note(sets):
    os.symlink("b.avi", sets / "walk/aa.avi")
    notes = []
    jobs = plan(["s"], "out/", on_note=notes.append)
    assert [job.name for job in jobs] == FOUR
    assert notes == ["s/walk/aa.avi is left out: s/walk/b.avi is the same video"]
    # Who cannot be told is not kept in the dark.
    with pytest.raises(DataError, match="two names of one video"):
        plan(["s"], "out/")


def test_feature_files_in_circles_are_found_once_and_two_names_refused(tmp_path):
    (tmp_path / "f").mkdir()
    idt.save(random_features(3), tmp_path / "f/a.h5")
    os.symlink(".", tmp_path / "f/x")
    os.symlink("..", tmp_path / "f/y")
    assert feature_files.find([str(tmp_path / "f")]) == [tmp_path / "f/a.h5"]
    assert verify.find_feature_files(tmp_path / "f") == [tmp_path / "f/a.h5"]
    assert feature_files.find([f"{tmp_path}/f/**/*.h5"]) == [tmp_path / "f/a.h5"]
    os.link(tmp_path / "f/a.h5", tmp_path / "f/b.h5")
    with pytest.raises(DataError, match=r"is given twice: .*a\.h5 is another name of it"):
        feature_files.find([str(tmp_path / "f")])


def test_files_without_inodes_are_told_by_their_names(sets, monkeypatch):
    stat = os.stat

    def without(path, **options):
        return os.stat_result((*stat(path, **options)[:1], 0, *stat(path, **options)[2:]))

    monkeypatch.setattr("idt.files.walk.os.stat", without)
    os.symlink("..", sets / "walk/up")
    assert [str(path) for path in walk(sets, follow=True).files] == [f"s/{name}.avi" for name in FOUR]
    assert len({file_key(sets / f"{name}.avi") for name in FOUR}) == 4


def test_the_digest_of_a_folder_in_a_circle_is_that_of_its_files(tmp_path):
    (tmp_path / "a").write_bytes(b"1")
    before = provenance.digest(tmp_path)
    os.symlink(".", tmp_path / "x")
    assert provenance.digest(tmp_path) == before


def test_what_is_no_video_at_all_fails_by_itself(sets, command):
    os.mkfifo(sets / "walk/pipe.avi")
    os.symlink("nothing", sets / "walk/broken.avi")
    dataset = read_dataset("folder", sets, TWO)
    # They are of the set, so that their absence is not silent; opening them says why they fail.
    assert {"walk/pipe", "walk/broken"} <= {clip.name for clip in dataset.clips}
