"""Frames are chosen by their time stamps where the rate of a video varies, and by its rate where that is constant."""

import numpy as np
import pytest

from benchmarks.clips import write_video
from idt.errors import DataError
from idt.frames.schedule import FAR, Schedule, nearest, variable_times
from idt.frames.video import open_video
from idt.params.extraction import ExtractionParams
from tests.videos import make
from tests.videos.reading import BOTH, read

# Eight frames at 5 frames/s, then 32 at 30.
STAMPS = [200 * i for i in range(8)] + [1600 + round(100 * i / 3) for i in range(32)]


def nearest_by_search(stamps, fps):
    """Frame nearest to every k / fps, the earlier of two, none twice."""
    seconds = np.asarray(stamps) / 1000
    found = []
    for k in range(int(seconds[-1] * fps + 1e-9) + 1):
        i = int(np.argmin(np.round(np.abs(seconds - k / fps), 9)))
        if i not in found:
            found.append(i)
    return found


@pytest.fixture(scope="module")
def video(tmp_path_factory):
    path = tmp_path_factory.mktemp("rates") / "v.webm"
    return make.encode(path, make.moving(), "libvpx", stamps=STAMPS, ticks=1000, b=400_000)


@BOTH
def test_a_start_in_seconds_is_the_first_frame_not_before_it(video, decoder):
    assert read(video, decoder, start="1.0s").numbers[0] == 5
    assert read(video, decoder, start="1.61s").numbers[0] == 9
    assert read(video, decoder, start="0.5s", end="1.65s").numbers == [3, 4, 5, 6, 7, 8, 9]


@BOTH
def test_a_rate_takes_the_frames_nearest_to_its_times(video, decoder):
    wanted = nearest_by_search(STAMPS, 10)
    # All of the slow part, and every third of the fast one.
    assert wanted[:8] == list(range(8))
    found = read(video, decoder, fps=10)
    assert found.numbers == wanted
    assert make.are_alike(found.frames, make.moving()[wanted])
    with open_video(video, params=ExtractionParams(fps=10), decoder=decoder) as opened:
        assert (opened.fps, opened.n_expected) == (10, len(wanted))


@BOTH
def test_without_times_every_frame_is_given(video, decoder):
    assert read(video, decoder).numbers == list(range(40))
    assert read(video, decoder, start=5, end=9).numbers == [5, 6, 7, 8, 9]


@BOTH
def test_a_start_behind_the_last_time_stamp_is_refused(video, decoder):
    with pytest.raises(DataError, match=r"start=9s lies beyond the end: v\.webm has 40 frame"):
        read(video, decoder, start="9s")


@BOTH
def test_stamps_that_are_rounded_to_milliseconds_count_as_a_constant_rate(decoder, tmp_path):
    stamps = [round(1000 * i * 1001 / 30000) for i in range(40)]
    path = make.encode(tmp_path / "c.mkv", make.moving(), "mpeg4", stamps=stamps, ticks=1000, b=900_000)
    avi = write_video(tmp_path / "c.avi", make.moving(), fps=30000 / 1001)
    for options in ({"fps": 10}, {"fps": 12.5, "start": "0.3s"}, {"start": "0.5s", "end": "1s"}):
        assert read(path, decoder, **options).numbers == read(avi, decoder, **options).numbers


# The schedule, by hand and by search


def test_a_constant_rate_keeps_frame_round_k_r_over_f():
    schedule = Schedule(25.0, 10)
    assert [schedule.number(k) for k in range(6)] == [0, 2, 5, 8, 10, 12]
    assert [schedule.first(number) for number in (0, 1, 2, 3, 12)] == [0, 1, 1, 2, 5]
    assert (schedule.first_at(0.3), schedule.last_at(0.3)) == (8, 7)
    assert schedule.count(1, 12) == 5


def test_time_stamps_keep_the_nearest_frames():
    times = np.array([0, 0.5, 0.6, 0.7, 1.5])
    schedule = Schedule(4.0, 2, times)
    # 0, 0.5, 1 (0.7 is nearer than 1.5) and 1.5 s.
    assert [schedule.number(k) for k in range(5)] == [0, 1, 3, 4, FAR]
    assert (schedule.first_at(0.6), schedule.last_at(0.6), schedule.first_at(9)) == (2, 2, 5)


@pytest.mark.parametrize("seed", range(20))
def test_nearest_is_what_a_search_finds(seed):
    rng = np.random.default_rng(seed)
    stamps = np.cumsum(rng.choice([1, 33, 40, 100, 500], 60))
    stamps -= stamps[0]
    for fps in (0.5, 3, 10, 24, 100):
        assert nearest(stamps / 1000, fps).tolist() == nearest_by_search(stamps, fps)


def test_a_rate_is_constant_within_half_a_frame():
    times = np.arange(50) / 25
    assert variable_times(times, 25.0) is None
    assert variable_times(np.round(times + 0.01 * (np.arange(50) % 2), 3), 25.0) is None
    assert variable_times(times * 1.5, 25.0) is not None
    assert variable_times(None, 25.0) is None


@BOTH
def test_frames_that_an_avi_leaves_out_take_their_time(decoder, tmp_path):
    # A writer that drops frames writes empty packets for them; here the gaps are of one frame or two.
    stamps = [0, 1, 3, 4, 6, 9, 10, 12, *range(13, 45)]
    path = make.encode(tmp_path / "d.avi", make.moving(), "mpeg4", stamps=stamps, ticks=25, b=2_000_000)
    found = read(path, decoder, start="0.3s", end="0.5s")
    assert found.numbers == [5, 6, 7]
    assert make.are_alike(found.frames, make.moving()[5:8])
