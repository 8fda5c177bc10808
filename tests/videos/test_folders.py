"""Folders of images: one series is the video; trees of frame folders are data sets; brackets are names."""

import re
from pathlib import Path

import numpy as np
import pytest

from classify.datasets.dataset import find_videos
from idt.batch.jobs import plan
from idt.errors import DataError
from idt.files.walk import escape_existing
from idt.frames import image_series
from idt.frames.video import open_video
from tests import scenes
from tests.videos import make
from tests.videos.reading import read


def with_flow(folder, frames, names=("img", "flow_x", "flow_y")):
    """A folder as tools for two-stream networks write it."""
    for i, name in enumerate(names):
        scenes.write_images(folder, 255 - frames if i else frames, pattern=f"{name}_%05d.png", first=1)
    return folder


@pytest.fixture
def tree(tmp_path):
    """Folders of frames, two videos in each of two classes."""
    for label in ("jump", "run"):
        for name in ("v1", "v.2"):
            with_flow(tmp_path / "rawframes" / label / name, make.moving(18))
    return tmp_path / "rawframes"


# One series


@pytest.mark.parametrize(
    "names",
    [("img", "flow_x", "flow_y"), ("image", "x", "y"), ("frame", "flow_i"), ("i", "u", "v"), ("0", "flow_x")],
)
def test_frames_beside_flow_are_the_video_and_the_note_says_so(names, tmp_path):
    found = read(with_flow(tmp_path / "mix", make.moving(5), names))
    assert np.array_equal(found.frames, make.moving(5))
    (note,) = found.notes
    assert note.startswith(f"{tmp_path}/mix: ")
    assert "is read; " in note
    assert note.endswith("taken for flow and left out")


@pytest.mark.parametrize("names", [("left", "right"), ("flow_x", "flow_y"), ("img", "depth", "flow_x")])
def test_several_series_are_refused_with_the_pattern_of_one(names, tmp_path):
    folder = with_flow(tmp_path / "mix", make.moving(5), names)
    with pytest.raises(DataError, match=rf"mix holds {len(names)} series of images, .*_\*\.png \(5\)") as caught:
        open_video(folder)
    pattern = re.search('meant: "(.*)"', str(caught.value))[1]
    assert len(read(pattern).frames) == 5


def test_the_same_frames_in_two_forms_are_two_series(tmp_path):
    scenes.write_images(tmp_path / "mix", make.moving(5), pattern="f%d.png")
    scenes.write_images(tmp_path / "mix", make.moving(5), pattern="f%d.bmp")
    with pytest.raises(DataError, match=r"mix holds 2 series of images, f\*\.bmp \(5\), f\*\.png \(5\)"):
        open_video(tmp_path / "mix")


def test_a_picture_beside_the_frames_is_not_taken_for_one(tmp_path):
    folder = scenes.write_images(tmp_path / "mix", make.moving(5))
    scenes.write_images(folder, make.moving(1), pattern="cover.png%.0s")
    with pytest.raises(DataError, match=r"2 series of images, names without a number \(1\), frame\*\.png \(5\)"):
        open_video(folder)


@pytest.mark.parametrize(
    "names",
    [
        ["a.png", "b.png", "c.png"],
        ["1.png", "2.png", "10.png"],
        ["1305031102.175304.png", "1305031102.211214.png", "1305031103.011215.png"],
        ["2020-01-01_12-00-01.png", "2020-01-01_12-00-59.png", "2020-01-01_12-01-00.png"],
    ],
)
def test_names_of_one_form_are_one_series(names, tmp_path):
    for name, frame in zip(names, make.moving(3), strict=True):
        scenes.write_images(tmp_path, [frame], pattern=f"{name}%.0s")
    found = read(tmp_path)
    assert np.array_equal(found.frames, make.moving(3))
    assert found.notes == []


# Trees


def test_a_tree_of_frame_folders_is_many_videos(tree, tmp_path, command):
    jobs = plan([str(tree)], f"{tmp_path}/out/")
    assert [job.name for job in jobs] == ["jump/v.2", "jump/v1", "run/v.2", "run/v1"]
    _, out, err = command("idt-extract", tree, "-o", f"{tmp_path}/out/", "--patch", 16, "--keypoints", "none")
    assert len(re.findall("18 frames", out)) == 4
    assert (tmp_path / "out" / "run" / "v.2.h5").exists()
    # Notes of many videos are one line.
    assert err.count("taken for flow") == 1
    assert "notes on 4 of 4 videos" in err


def test_a_folder_with_images_of_its_own_is_one_video_whatever_lies_below(tree):
    with_flow(tree, make.moving(5))
    assert [job.source for job in plan([str(tree)], "out/")] == [str(tree)]


def test_videos_in_a_tree_come_before_folders_of_images(tree):
    make.h264(tree / "run" / "v3.mp4", make.moving(5))
    assert [job.name for job in plan([str(tree)], "out/")] == ["run/v3"]
    assert list(find_videos(tree)[0]) == ["run/v3"]


def test_an_evaluation_finds_the_frame_folders_of_class_folders(tree):
    with_flow(tree / "run" / ".hidden", make.moving(3))
    with_flow(tree / "__MACOSX" / "run", make.moving(3))
    videos, skipped = find_videos(tree)
    assert list(videos) == ["jump/v.2", "jump/v1", "run/v.2", "run/v1"]
    assert videos["run/v1"] == tree / "run" / "v1"
    reasons = [(Path(each.path).name, each.reason) for each in skipped]
    assert reasons == [("__MACOSX", "left by another operating system")]


@pytest.mark.slow
def test_idt_evaluate_reads_a_tree_of_frame_folders(tree, tmp_path, command):
    words = ["--folds", 2, "--k", 4, "--patch", 16, "--stride", 8, "--keypoints", "none", "--scales", 2]
    command("idt-evaluate", "folder", tree, "-o", tmp_path / "out", *words)
    found = {
        path.relative_to(tmp_path / "out" / "features").as_posix()
        for path in (tmp_path / "out" / "features").rglob("v*.h5")
    }
    assert found == {"jump/v.2.h5", "jump/v1.h5", "run/v.2.h5", "run/v1.h5"}


def test_a_folder_of_a_million_images_is_known_by_the_first(tmp_path, monkeypatch):
    folder = scenes.write_images(tmp_path / "in", make.moving(5))
    looked = []
    monkeypatch.setattr(image_series, "is_image", lambda path: looked.append(path) or True)
    assert image_series.holds_images(folder)
    assert len(looked) == 1
    assert not image_series.holds_images(tmp_path / "none")


# Brackets


@pytest.mark.parametrize("pattern", ["*.png", "frame%d.png", "frame[0-9].png", ""])
def test_brackets_in_the_name_of_a_folder_are_no_pattern(pattern, tmp_path):
    scenes.write_images(tmp_path / "take[1] *" / "in?", make.moving(5))
    scenes.write_images(tmp_path / "take1 x" / "in0", make.moving(2))
    path = f"{tmp_path}/take[1] */in?/{pattern}"
    assert len(read(path).frames) == 5
    (job,) = plan([path], f"{tmp_path}/out/")
    assert job.output.name == "in?.h5"


def test_brackets_in_the_name_of_a_folder_of_videos_are_no_pattern(tmp_path):
    (tmp_path / "t[1]").mkdir()
    make.h264(tmp_path / "t[1]" / "a.mp4", make.moving(5))
    (job,) = plan([f"{tmp_path}/t[1]/*.mp4"], f"{tmp_path}/out/")
    assert job.source == f"{tmp_path}/t[1]/a.mp4"


def test_a_pattern_stays_one_where_no_such_name_exists(working_folder):
    assert escape_existing("t[1]/*.png") == "t[1]/*.png"
    (working_folder / "t[1]").mkdir()
    assert escape_existing("t[1]/*.png") == "t[[]1]/*.png"
    assert escape_existing("t[1]/[2]/*.png") == "t[[]1]/[2]/*.png"
    assert escape_existing("/*/t") == "/*/t"
