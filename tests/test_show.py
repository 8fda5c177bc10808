"""Pictures of tracks and of every step: what they show, how many tracks, and what is refused."""

import re

import cv2
import numpy as np
import pytest

import idt
from benchmarks.clips import write_video
from idt.errors import DataError
from idt.features.camera import Camera
from idt.frames.video import open_video
from idt.params.extraction import ExtractionParams
from idt.show import colours
from idt.show.evidence_table import read_evidence
from idt.show.plots import camera_picture, track_picture
from idt.show.step_pictures import step_pictures
from idt.show.tracks import _ranks
from idt.show.video_writer import _sheet
from tests import scenes
from tests.commands import refused
from tests.samples import random_features

FAST = {"length": 5, "time_cells": 1, "scales": 1, "stride": 5}
WORDS = "--length 5 --time-cells 1 --scales 1 --stride 5".split()


@pytest.fixture(scope="module")
def film():
    """A patch that moves before a background that moves otherwise."""
    return scenes.moving_patch(14, velocity=(3, 1))


@pytest.fixture(scope="module")
def clip(film, tmp_path_factory):
    return write_video(tmp_path_factory.mktemp("show") / "a.avi", film)


def test_some_tracks_are_chosen_evenly_and_more_contain_fewer():
    y, x = np.mgrid[:40, :40]
    points = 8.0 * np.column_stack([x.ravel(), y.ravel()])
    ranks = _ranks(points)
    for share in (0.1, 0.25):
        chosen = points[ranks < share]
        assert len(chosen) == pytest.approx(share * 1600, abs=3)
        quarters = np.unique(chosen // 160, axis=0, return_counts=True)[1]
        assert len(quarters) == 4
        assert quarters.max() <= 1.3 * quarters.min()


def test_at_most_so_many_tracks_are_drawn_and_all_are_counted(film):
    every = list(idt.draw(film, most=None, **FAST))
    some = list(idt.draw(film, most=9, **FAST))
    assert [drawn.kept for drawn in some] == [drawn.kept for drawn in every]
    assert all(drawn.kept_drawn == drawn.kept for drawn in every)
    best = max(some, key=lambda drawn: drawn.kept)
    assert best.kept > 18 > best.kept_drawn > 3
    assert (best.image != every[best.index - every[0].index].image).any()


def test_each_colour_says_what_its_name_promises(film):
    pictures = {name: list(idt.draw(film, colour=name, **FAST))[8].image for name in colours.COLOURS[:-1]}
    for one, other in (("fate", "direction"), ("direction", "age"), ("age", "scale")):
        assert (pictures[one] != pictures[other]).any()
    red, yellow, cyan = colours.direction_colours([0, np.pi / 2, np.pi])
    assert red.tolist() == [0, 0, 255]
    assert yellow[0] == 0
    assert min(yellow[1:]) > 150
    assert cyan[2] == 0
    lightness = [sum(colours.scale_colour(2 ** (level / 2))) for level in (0, 4, 7)]
    assert lightness == sorted(lightness)
    assert sum(colours.age_colour(0)) > sum(colours.age_colour(1))


def test_kept_and_camera_differ_in_lightness_for_people_who_see_no_colour():
    kept, camera = (cv2.cvtColor(np.uint8([[shade]]), cv2.COLOR_BGR2GRAY)[0, 0] for shade in
                    (colours.KEPT, colours.FOLLOWED_CAMERA))  # fmt: skip
    assert int(kept) > int(camera) + 40


@pytest.mark.parametrize("kind", ["flow", "matches", "warp", "people"])
def test_every_step_has_a_picture_of_each_frame_but_the_first(film, kind):
    with open_video(film) as video:
        found = list(step_pictures(kind, video, ExtractionParams(**FAST)))
    assert [picture.index for picture in found] == list(range(1, 14))
    assert all(picture.image.dtype == np.uint8 and picture.image.shape[2] == 3 for picture in found)
    assert len({picture.image.shape for picture in found}) == 1


def test_a_still_camera_warps_nothing_and_a_box_is_yellow(film, tmp_path):
    still = scenes.static(4, size=(64, 80))
    with open_video(still) as video:
        (*_, last) = step_pictures("warp", video, ExtractionParams(**FAST))
    assert last.summary == "0.00 gray levels of difference, 0.00 warped"
    (tmp_path / "boxes.txt").write_text("".join(f"{i} 10 10 30 40 0.9\n" for i in range(14)))
    with open_video(film) as video:
        (*_, last) = step_pictures("people", video, ExtractionParams(**FAST), boxes=tmp_path / "boxes.txt")
    assert last.summary == "1 human boxes"
    blue, _, red = np.moveaxis(last.image.astype(int), -1, 0)
    assert (red > blue + 100).any()


def test_the_cameras_path_is_the_sum_of_its_steps():
    steps = np.repeat(np.eye(3)[None], 5, axis=0)
    steps[1:, 0, 2] = 4
    image = camera_picture(Camera(steps, np.full(5, 10, np.int32), np.full(5, 5, np.int32), 0), (80, 64))
    assert image.shape[1:] == (640, 3)
    nothing = Camera(np.zeros((0, 3, 3)), np.zeros(0, np.int32), np.zeros(0, np.int32), 0)
    assert camera_picture(nothing, (80, 64)).shape == image.shape


def test_a_tracks_histograms_have_a_colour_each():
    features = random_features(3)
    image = track_picture(features[1], np.full((240, 320), 90, np.uint8), number=1)
    for shade in ((0, 159, 230), (233, 180, 86), (115, 158, 0), (167, 121, 204)):
        assert (image == shade).all(axis=2).sum() > 500


def test_a_contact_sheet_is_spread_evenly_over_a_video_of_any_length(film):
    with open_video(np.repeat(film, 9, axis=0)) as video:
        pictures = list(step_pictures("people", video, ExtractionParams(**FAST, camera=False)))
    for count in (1, 5, 9, len(pictures)):
        sheet = _sheet(iter(pictures[:count]), (3, 2))
        frames = [int(word) for word in re.findall(r"\d+", sheet.summary.partition("frames ")[2])]
        assert frames[0] == 1
        assert len(frames) == min(6, count)
        gaps = np.diff(frames)
        assert not len(gaps) or gaps.max() - gaps.min() <= 4
    with pytest.raises(DataError, match="no frames for a contact sheet"):
        _sheet(iter([]), (3, 2))


def test_evidence_is_read_in_the_order_of_the_tracks(tmp_path):
    path = tmp_path / "e.csv"
    path.write_text("track,frame,x,y,scale,adds,hog\n0,15,1,1,1,2,2\n1,15,1,1,1,-1,-1\n")
    np.testing.assert_allclose(read_evidence(path), np.array([2, -1]) / 1.98)
    for text, message in (
        ("x0,x1\n", "no table of tracks"),
        ("track,frame,x,y,scale,adds\n", "no table of tracks"),
        ("track,frame,x,y,scale,adds\n1,15,1,1,1,2\n", "line 2: expected track 0"),
        ("track,frame,x,y,scale,adds\n0,15,1,1,1,nan\n", "line 2: expected track 0"),
        ("track,frame,x,y,scale,adds\n0,15,1\n", "line 2: expected track,frame"),
    ):
        path.write_text(text)
        with pytest.raises(DataError, match=message):
            read_evidence(path)


def test_the_command_draws_evidence_steps_and_sheets(command, clip, tmp_path):
    features = idt.extract(clip, **FAST)
    lines = ["track,frame,x,y,scale,adds", *(f"{i},0,0,0,1,{(-1) ** i}" for i in range(len(features)))]
    (tmp_path / "e.csv").write_text("\n".join(lines))
    output = tmp_path / "t.png"
    evidence = ("--colour", "evidence", "--evidence", tmp_path / "e.csv")
    command("idt-show", clip, "-o", output, *evidence, *WORDS)
    for words, said in (
        (("--step", "camera"), "the camera of 14 frames"),
        (("--step", "histograms", "--track", 2), "histograms of track 2"),
        (("--step", "matches", "--frame", 5), "frame 5 has "),
        (("--sheet", "2x2", "--beside"), "the sheet shows frames"),
    ):
        assert said in command("idt-show", clip, "-o", output, "--overwrite", *words, *WORDS)[1]
    assert command("idt-show", clip, "-o", tmp_path / "b.mp4", "--beside", *WORDS)[0] == 0
    video = cv2.VideoCapture(str(tmp_path / "b.mp4"))
    assert video.get(cv2.CAP_PROP_FRAME_WIDTH) > 2 * 128
    (tmp_path / "e.csv").write_text("\n".join(lines[:-1]))
    result = command("idt-show", clip, "-o", tmp_path / "c.mp4", *evidence, *WORDS, status=2)
    assert refused(result, "the evidence is of .* tracks, the video has")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("-o a.mp4 --sheet 3x3", "--sheet makes one picture"),
        ("-o a.mp4 --step camera", "--step camera makes one picture"),
        ("-o a.png --sheet 3x3 --frame 2", "--sheet shows many frames"),
        ("-o a.png --sheet 3", "must be columns x rows"),
        ("-o a.png --sheet 99x99", "at most|of 400 frames"),
        ("-o a.png --colour evidence", "go together"),
        ("-o a.png --track 3", "--track is for --step histograms"),
        ("-o a.png --step histograms --track 999999", "so there is no track 999999"),
    ],
)
def test_looks_that_do_not_go_together_are_refused(command, clip, working_folder, words, message):
    assert refused(command("idt-show", clip, *words.split(), *WORDS, status=2), message)
