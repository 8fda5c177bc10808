"""A video counts as truncated only if bytes are missing, whatever number of frames its container announces."""

import pytest

from benchmarks.clips import write_video
from idt.errors import DataError
from idt.files.source_file import open_source
from idt.frames import containers
from idt.frames.video import open_video
from tests.videos import make
from tests.videos.reading import BOTH, read


def written(folder):
    """An intact video of every kind whose length is known, by name."""
    frames = make.moving()
    return {
        "avi": write_video(folder / "a.avi", frames, fourcc="XVID"),
        "mkv": write_video(folder / "a.mkv", frames),
        "webm": make.encode(folder / "a.webm", frames, "libvpx"),
        "mp4": make.h264(folder / "a.mp4", frames, movflags="faststart"),
        "mov": make.h264(folder / "a.mov", frames),
        "wmv": make.encode(folder / "a.wmv", frames, "wmv2"),
    }


@pytest.fixture(scope="module")
def intact(tmp_path_factory):
    return written(tmp_path_factory.mktemp("intact"))


@BOTH
@pytest.mark.parametrize("kind", ["avi", "mkv", "webm", "mp4", "mov", "wmv"])
def test_an_intact_file_passes_the_strict_check(intact, kind, decoder):
    found = read(intact[kind], decoder, strict=True)
    assert (len(found.frames), found.notes) == (40, [])


@pytest.mark.parametrize("kind", ["avi", "mkv", "webm", "mp4", "mov", "wmv"])
@pytest.mark.parametrize("share", [0.3, 0.7, 0.999])
def test_a_file_that_is_cut_anywhere_is_noticed_by_its_structure(intact, kind, share, tmp_path):
    data = intact[kind].read_bytes()
    (tmp_path / "cut").write_bytes(data[: int(share * len(data))])
    with open_source(intact[kind]) as whole, open_source(tmp_path / "cut") as cut:
        assert (containers.is_truncated(whole), containers.is_truncated(cut)) == (False, True)


@BOTH
@pytest.mark.parametrize("kind", ["avi", "mkv", "webm"])
def test_a_cut_video_gives_what_decodes_says_so_once_and_is_refused_if_strict(intact, kind, decoder, tmp_path):
    data = intact[kind].read_bytes()
    path = tmp_path / f"cut.{kind}"
    path.write_bytes(data[: len(data) // 2])
    found = read(path, decoder)
    assert 5 < len(found.frames) < 35
    assert found.notes == [f"cut.{kind} is truncated: {found.numbers[-1] + 1} of 40 announced frames decode"]
    with pytest.raises(DataError, match="is truncated"):
        read(path, decoder, strict=True)


@BOTH
def test_a_sound_that_lasts_longer_is_no_truncation(decoder, tmp_path, command):
    path = make.with_sound(tmp_path / "s.mkv", make.moving(), 4)
    assert len(read(path, decoder, strict=True).frames) == 40
    command("idt-extract", path, "-o", tmp_path / "f.h5", "--strict", "--decoder", decoder, "--patch", 16)


@BOTH
def test_a_count_that_is_two_too_high_is_no_truncation(decoder, tmp_path):
    path = make.announcing(write_video(tmp_path / "x.avi", make.moving(), fourcc="XVID"), 2)
    found = read(path, decoder, strict=True)
    assert (len(found.frames), found.notes) == (40, [])
    with open_video(path, decoder=decoder) as video:
        assert video.n_expected == 42


@BOTH
def test_a_count_that_is_far_too_high_is_no_truncation(decoder, tmp_path):
    path = make.announcing(write_video(tmp_path / "x.avi", make.moving(), fourcc="XVID"), 1000)
    assert len(read(path, decoder, strict=True).frames) == 40


@BOTH
def test_an_edit_list_that_shows_less_is_no_truncation(decoder, tmp_path):
    path = make.edited(make.h264(tmp_path / "e.mp4", make.moving(), bf=0), 1.0)
    found = read(path, decoder, strict=True)
    assert 24 <= len(found.frames) <= 26
    assert found.notes == []
    assert make.are_alike(found.frames, make.moving()[: len(found.frames)])


@BOTH
def test_a_rate_that_varies_is_no_truncation(decoder, tmp_path):
    stamps = [200 * i for i in range(8)] + [1600 + 33 * i for i in range(32)]
    path = make.encode(tmp_path / "v.webm", make.moving(), "libvpx", stamps=stamps, ticks=1000)
    assert len(read(path, decoder, strict=True).frames) == 40


def test_damaged_boxes_are_not_followed_forever(tmp_path):
    path = tmp_path / "a.mp4"
    for data in (
        b"\0\0\0\x08free" * 20_000,
        b"\0\0\0\x00ftyp" + bytes(40),
        b"\0\0\0\x01ftyp" + b"\xff" * 8,
        b"\0\0\0\x01moov" + b"\0" * 8,
        b"\0\0\0\x10moov\0\0\0\x04trak",
        b"\0\0\0\x08ftyp\0\0\0\x40moov\0\0\0\x30trak\0\0\0\x28mdia\0\0\0\x20hdlr" + b"vide" * 9,
    ):
        path.write_bytes(data)
        with open_source(path) as file:
            containers.is_truncated(file)
            assert not containers.hides_frames(file)
    for data in (
        b"\x1a\x45\xdf\xa3",
        b"\x1a\x45\xdf\xa3\x00",
        b"\x1a\x45\xdf\xa3\x80\x18\x53\x80",
        b"RIFF",
        b"\x30\x26",
    ):
        path.write_bytes(data)
        with open_source(path) as file:
            assert not containers.is_truncated(file)
