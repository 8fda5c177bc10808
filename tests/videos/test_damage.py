"""A packet that does not decode costs its frames and no others; the note says which, and ``--strict`` refuses."""

import numpy as np
import pytest

from idt.errors import DataError
from idt.frames.damage import Damage, format_ranges
from idt.frames.video import open_video
from tests.commands import refused
from tests.videos import make
from tests.videos.reading import PYAV, read

FRAMES = 60


@pytest.fixture(scope="module")
def clip():
    return make.moving(FRAMES)


@pytest.fixture
def video(clip, tmp_path):
    return make.h264(tmp_path / "g.mp4", clip)


@pytest.mark.parametrize("decoder", [PYAV])
def test_one_bad_packet_costs_one_frame_and_the_note_says_which(video, clip, decoder):
    whole, found = read(video, decoder), read(make.damage(video, 18), decoder)
    (lost,) = set(range(FRAMES)) - set(found.numbers)
    assert lost in range(14, 23)
    assert found.notes == [f"g.mp4 is damaged: frame {lost} does not decode and is left out"]
    # Frames well before it, and behind the next key frame, are what they were; some refer to it from either side.
    kept = [i for i, number in enumerate(found.numbers) if number < lost - 5 or number >= 24]
    assert np.array_equal(found.frames[kept], whole.frames[[found.numbers[i] for i in kept]])


@pytest.mark.parametrize("decoder", [PYAV])
def test_a_bad_key_frame_costs_the_frames_that_refer_to_it(video, decoder):
    whole, found = read(video, decoder), read(make.damage(video, 24), decoder)
    lost = sorted(set(range(FRAMES)) - set(found.numbers))
    assert 1 <= len(lost) <= 13
    assert lost[0] >= 22
    assert found.notes == [f"g.mp4 is damaged: frames {lost[0]}–{lost[-1]} do not decode and are left out"]
    assert np.array_equal(found.frames[-20:], whole.frames[-20:])


@pytest.mark.parametrize("decoder", [PYAV])
def test_a_picture_that_is_damaged_in_part_is_kept_and_noted(video, decoder):
    size = make.packets(video)[18][1]
    found = read(make.damage(video, 18, skip=size // 2, length=8), decoder)
    assert found.numbers == list(range(FRAMES))
    (note,) = found.notes
    assert note.startswith("g.mp4 is damaged: frame")
    assert note.endswith("decoded with errors")


def test_the_command_notes_damage_and_refuses_it_if_strict(video, command, tmp_path):
    make.pyav()
    make.damage(video, 18)
    out = tmp_path / "f.h5"
    assert refused(command("idt-extract", video, "-o", out, "--strict", status=2), r"g\.mp4 is damaged: frame \d+")
    assert not out.exists()
    _, said, noted = command("idt-extract", video, "-o", out)
    assert "59 frames" in said
    assert "g.mp4 is damaged: frame" in noted
    # An up-to-date file of a damaged video is one still.
    assert "g.mp4 is damaged" in command("idt-extract", video, "-o", out)[2]
    assert refused(command("idt-extract", video, "-o", out, "--strict", status=2), r"g\.mp4 is damaged: frame \d+")


def test_opencv_alone_says_that_it_stopped_and_names_the_remedy(video):
    make.damage(video, 18)
    found = read(video, "opencv")
    if len(found.frames) >= FRAMES - 2:
        pytest.skip("this OpenCV reads on")
    assert found.notes == [
        f'g.mp4 is damaged: OpenCV stops after {len(found.frames)} of 60 frames; to read on, pip install "av>=17.0.1"'
    ]
    with pytest.raises(DataError, match="OpenCV stops after"):
        read(video, "opencv", strict=True)


@pytest.mark.parametrize("decoder", [PYAV])
def test_damage_behind_the_end_does_not_matter(video, decoder):
    assert read(make.damage(video, 50), decoder, end=20, strict=True).notes == []


@pytest.mark.parametrize("decoder", [PYAV])
def test_resampling_takes_the_next_frame_where_one_is_lost(video, decoder):
    wanted = list(range(0, FRAMES, 5))
    make.damage(video, 20, length=4)
    lost = set(range(FRAMES)) - set(read(video, decoder).numbers)
    assert read(video, decoder, fps=5).numbers == [number + (number in lost) for number in wanted]


@pytest.mark.parametrize("decoder", [PYAV])
def test_frames_behind_a_lost_one_keep_their_numbers_in_the_source(video, decoder):
    make.damage(video, 18)
    with open_video(video, decoder=decoder) as opened:
        frames = list(opened)
    assert [frame.index for frame in frames] == list(range(59))
    assert frames[-1].original == FRAMES - 1


# The bookkeeping, by hand


def test_a_frame_is_lost_if_its_stamp_is_passed_over_behind_a_refused_packet():
    damage = Damage()
    for stamp in (0, 2, 1, 4, 3):
        damage.send(stamp)
    assert [damage.receive(stamp) for stamp in (0, 1)] == [0, 1]
    damage.refuse(3)
    assert [damage.receive(stamp) for stamp in (2, 4)] == [2, 4]
    damage.end()
    assert damage.lost == [3]


def test_stamps_without_a_frame_do_not_count_while_nothing_is_refused():
    damage = Damage()
    for stamp in range(6):
        damage.send(stamp)
    assert [damage.receive(stamp) for stamp in (1, 2, 5)] == [0, 1, 2]
    damage.end()
    assert damage.lost == []


def test_packets_without_stamps_are_counted():
    damage = Damage()
    assert damage.receive(None) == 0
    damage.refuse(None)
    damage.refuse(None)
    assert damage.receive(None) == 3
    assert damage.lost == [1, 2]


def test_a_frame_that_comes_too_late_is_dropped_once_something_is_refused():
    damage = Damage()
    for stamp in range(5):
        damage.send(stamp)
    assert damage.receive(0) == 0
    damage.refuse(1)
    assert damage.receive(3) == 3
    assert damage.receive(2) is None
    assert damage.receive(4) == 4
    assert damage.lost == [1, 2]


def test_what_was_sent_and_refused_at_the_end_is_lost():
    damage = Damage()
    for stamp in range(4):
        damage.send(stamp)
    damage.receive(0)
    damage.refuse(2)
    damage.end()
    assert damage.lost == [1, 2, 3]


@pytest.mark.parametrize(
    ("numbers", "text"),
    [([3], "3"), ([3, 4, 5, 9], "3–5, 9"), ([1, 3, 5, 7, 9, 11, 12], "1, 3, 5, 7, 9 and 2 more"), ([], "")],
)
def test_numbers_are_shown_as_ranges(numbers, text):
    assert format_ranges(numbers) == text
