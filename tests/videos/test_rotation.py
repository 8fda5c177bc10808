"""Videos that a phone recorded upright are given upright, whichever version of whichever decoder reads them."""

import numpy as np
import pytest

from idt.frames.video import open_video
from tests.videos import make
from tests.videos.reading import BOTH, read


@BOTH
@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_pictures_are_turned_as_the_file_says(degrees, decoder, tmp_path):
    path = make.h264(tmp_path / "r.mp4", make.moving())
    as_stored = read(path, decoder).frames
    found = read(make.turned(path, degrees), decoder).frames
    assert np.array_equal(found, np.rot90(as_stored, -degrees // 90, axes=(1, 2)))


@BOTH
def test_width_and_height_are_those_of_the_upright_picture(decoder, tmp_path):
    path = make.turned(make.h264(tmp_path / "r.mp4", make.moving()), 90)
    with open_video(path, decoder=decoder) as video:
        height, width = make.SIZE
        assert (video.width, video.height) == (video.source_width, video.source_height) == (height, width)
