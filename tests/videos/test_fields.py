"""Interlaced videos: PyAV gives their frames as they are, OpenCV 4.13 to 5.0 repeats one picture and is refused."""

import cv2
import numpy as np
import pytest

from benchmarks.clips import write_video
from idt.errors import DataError
from idt.frames.video import open_video
from idt.params.extraction import ExtractionParams
from tests import scenes
from tests.commands import refused
from tests.videos import make
from tests.videos.reading import BOTH, PYAV, read

MESSAGE = r"repeat the one before, but the video does not stand still: it is interlaced, .*pip install"


@pytest.fixture(scope="module")
def fields(tmp_path_factory):
    return make.interlaced(tmp_path_factory.mktemp("fields") / "i.mpg", make.moving())


def test_the_frames_of_an_interlaced_video_are_given_as_they_are(fields):
    assert make.are_alike(read(fields, "pyav").frames, make.moving())


def test_opencv_alone_refuses_an_interlaced_video_and_names_the_remedy(fields, command, tmp_path):
    capture = cv2.VideoCapture(str(fields), cv2.CAP_FFMPEG)
    if not np.array_equal(capture.read()[1], capture.read()[1]):
        assert make.are_alike(read(fields, "opencv").frames, make.moving())
        return
    with pytest.raises(DataError, match=MESSAGE):
        read(fields, "opencv")
    with pytest.raises(DataError, match=MESSAGE):
        read(fields, "opencv", end=20)
    assert refused(command("idt-extract", fields, "-o", tmp_path / "f.h5", "--decoder", "opencv", status=2), MESSAGE)
    assert not (tmp_path / "f.h5").exists()


@BOTH
@pytest.mark.parametrize(("codec", "suffix"), [("FFV1", "avi"), ("MJPG", "avi"), ("XVID", "avi"), ("mp4v", "mp4")])
def test_a_still_video_is_not_refused(decoder, codec, suffix, tmp_path):
    frames = scenes.static(20, size=make.SIZE)
    path = write_video(tmp_path / f"still.{suffix}", frames, fourcc=codec)
    assert make.are_alike(read(path, decoder).frames, frames)


@BOTH
def test_a_black_video_is_not_refused(decoder, tmp_path):
    path = write_video(tmp_path / "black.avi", scenes.flat(20, size=make.SIZE, value=0), fourcc="XVID")
    assert read(path, decoder).frames.max() <= make.LOSS


@BOTH
def test_a_video_that_pauses_is_not_refused(decoder, tmp_path):
    frames = np.concatenate([make.moving(10), scenes.static(20, size=make.SIZE), make.moving(10)])
    path = write_video(tmp_path / "pause.mp4", frames, fourcc="mp4v")
    assert len(read(path, decoder).frames) == 40


@pytest.mark.parametrize("decoder", [PYAV])
def test_deinterlacing_makes_one_frame_of_each_and_interpolates_every_other_line(decoder, tmp_path):
    # The lines between are of the next moment, four pixels further.
    scene = scenes.translating(16, velocity=(4, 0), size=make.SIZE)
    first, frames = scene[::2], scene[::2].copy()
    frames[:, 1::2] = scene[1::2, 1::2]
    path = make.encode(tmp_path / "lines.mkv", frames, "ffv1", pix_fmt="gray")
    assert np.array_equal(read(path, decoder).frames, frames)
    woven = read(path, decoder, deinterlace=True)
    assert woven.numbers == list(range(8))
    assert np.array_equal(woven.frames[:, ::2], first[:, ::2])
    error = np.abs(woven.frames[:, 1::2].astype(int) - first[:, 1::2]).mean()
    assert error < np.abs(frames[:, 1::2].astype(int) - first[:, 1::2]).mean() / 3


def test_what_is_no_video_file_is_not_deinterlaced(clip, tmp_path):
    for video in (clip, scenes.write_images(tmp_path / "in", clip[:3])):
        with pytest.raises(DataError, match=r"deinterlace is for video files, but .* is of the kind (arrays|images)"):
            open_video(video, params=ExtractionParams(deinterlace=True))


def test_opencv_cannot_deinterlace_and_says_so(fields):
    with pytest.raises(DataError, match="deinterlace needs PyAV, for OpenCV cannot do it"):
        open_video(fields, params=ExtractionParams(deinterlace=True), decoder="opencv")
