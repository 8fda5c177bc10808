"""`idt-show --segments`: labels of segments over the frames."""

import cv2
import numpy as np
import pytest

from benchmarks.clips import write_video
from idt.errors import DataError
from idt.show.labels import Labels
from idt.show.step_pictures import StepPicture

SEGMENTS = "video,start,end,label,score\nset/wave,0,0.4,up,1\nset/wave,0.2,1,down,0.5\nother,0,9,none,1\n"


@pytest.fixture
def segments(tmp_path):
    path = tmp_path / "segments.csv"
    path.write_text(SEGMENTS)
    return path


def test_a_frame_has_the_labels_of_its_time(segments):
    labels = Labels(segments, "wave.avi", 10.0)
    assert [labels.at_frame(index) for index in (0, 2, 4, 9, 10)] == [["up"], ["up", "down"], ["down"], ["down"], []]


def test_labels_change_the_picture_only_where_there_are_some(segments):
    labels = Labels(segments, "wave.avi", 10.0)
    blank = np.full((240, 320, 3), 128, np.uint8)
    assert (labels.write_on(StepPicture(3, blank.copy(), 0.0, "")).image[:80] != 128).any()
    np.testing.assert_array_equal(labels.write_on(StepPicture(30, blank.copy(), 0.0, "")).image, blank)


def test_labels_stand_below_the_caption_within_the_picture(tmp_path):
    path = tmp_path / "segments.csv"
    path.write_text(f"wave,0,1,{'very ' * 30}long,1\nwave,0,1,été,1\n")
    blank = np.full((240, 320, 3), 128, np.uint8)
    labels = Labels(path, "wave.avi", 10.0)
    found = (labels.write_on(StepPicture(3, blank.copy(), 0.0, "")).image != 128).any(axis=2)
    assert not found[:20].any()
    assert not found[:, -4:].any()
    path.write_text(f"wave,0,1,{'very ' * 30}long,1\nwave,0,1,ete,1\n")
    plain = (Labels(path, "wave.avi", 10.0).write_on(StepPicture(3, blank.copy(), 0.0, "")).image != 128).any(axis=2)
    np.testing.assert_array_equal(found, plain)


@pytest.mark.slow
def test_the_command_writes_them_over_the_video(segments, tmp_path, command, clip):
    segments.write_text("moving,0,9,walking\n")
    words = [write_video(tmp_path / "moving.avi", clip), "--frame", "16", "--quiet"]
    command("idt-show", *words, "-o", tmp_path / "plain.png")
    command("idt-show", *words, "-o", tmp_path / "labelled.png", "--segments", segments)
    plain, labelled = (cv2.imread(str(tmp_path / f"{name}.png")).astype(int) for name in ("plain", "labelled"))
    changed = np.abs(plain - labelled).max(axis=2) > 0
    assert changed[: len(changed) // 4].any()
    assert not changed[len(changed) // 3 :].any()


@pytest.mark.parametrize(
    ("content", "fps", "said"),
    [
        (SEGMENTS, float("nan"), "the rate of wave.avi is unknown"),
        (SEGMENTS.replace("wave", "jump"), 10.0, "has no segments of wave, but of other, set/jump"),
        (SEGMENTS.splitlines()[0] + "\n", 10.0, "has no segments; expected lines of video,start,end,label,score"),
        ("wave,1,0,up\n", 10.0, "line 1: expected video,start,end,label,score"),
        ("wave,up\n", 10.0, "line 1: expected video,start,end,label,score"),
    ],
)
def test_segments_that_do_not_fit_are_refused(segments, content, fps, said):
    segments.write_text(content)
    with pytest.raises(DataError, match=said):
        Labels(segments, "wave.avi", fps)
