"""Suffixes of videos that a folder is searched for, and words that are no videos: URLs and lists."""

import shutil

import pytest

from benchmarks.clips import write_video
from idt.batch.jobs import plan
from idt.errors import DataError
from idt.frames.video import open_video
from tests.commands import refused
from tests.videos import make
from tests.videos.reading import PYAV, read

# Codec and pixels by suffix; a raw stream of H.264 is told by its content.
KINDS = {
    "gif": ("gif", "gray"), "y4m": ("rawvideo", "yuv420p"), "m2v": ("mpeg2video", "yuv420p"),
    "divx": ("mpeg4", "yuv420p"), "mxf": ("mpeg2video", "yuv420p"), "264": ("libx264", "yuv420p"),
}  # fmt: skip


@pytest.mark.parametrize("decoder", [PYAV])
@pytest.mark.parametrize("suffix", KINDS)
def test_videos_of_every_suffix_are_found_and_read(suffix, decoder, tmp_path):
    codec, pixels = KINDS[suffix]
    folder = tmp_path / "in"
    folder.mkdir()
    # PyAV chooses the container by the suffix.
    plain = {"divx": "avi", "264": "h264", "m2v": "m2v"}.get(suffix, suffix)
    if suffix == "y4m":
        write_y4m(folder / "a.y4m", make.moving(20))
    else:
        written = make.encode(tmp_path / f"a.{plain}", make.moving(20), codec, pix_fmt=pixels, b=2_000_000)
        shutil.move(written, folder / f"a.{suffix}")
    (job,) = plan([str(folder)], f"{tmp_path}/out/")
    found = read(job.source, decoder)
    assert make.are_alike(found.frames, make.moving(20))
    assert found.notes == []


def write_y4m(path, frames):
    height, width = frames[0].shape
    with open(path, "wb") as file:
        file.write(b"YUV4MPEG2 W%d H%d F25:1 Ip C420jpeg\n" % (width, height))
        for frame in frames:
            file.write(b"FRAME\n" + (16 + frame.astype(int) * 219 // 255).astype("u1").tobytes())
            file.write(b"\x80" * (height * width // 2))


@pytest.mark.parametrize("suffix", ["dv", "DV", "hevc", "h264", "rm", "f4v", "3g2", "qt", "mjpeg", "m2t", "nut"])
def test_files_of_further_suffixes_are_found(suffix, tmp_path):
    (tmp_path / f"a.{suffix}").write_bytes(b"x")
    (tmp_path / "a.doc").write_bytes(b"x")
    assert [job.source for job in plan([str(tmp_path)], "out/")] == [str(tmp_path / f"a.{suffix}")]


@pytest.mark.parametrize(
    "url", ["http://a.org/a.mp4", "https://a.org/w?v=1&b=[2]", "rtsp://cam:554/1", "s3://b/%05d.png"]
)
def test_a_url_is_refused_with_the_remedy(url, command, tmp_path):
    with pytest.raises(DataError, match="URLs are not read: download it first"):
        open_video(url)
    for words in (["idt-extract", url, "-o", tmp_path / "f.h5"], ["idt-show", url, "-o", tmp_path / "f.png"]):
        assert refused(command(*words, status=2), "URLs are not read: download it first")


@pytest.mark.parametrize("decoder", ["opencv", PYAV])
@pytest.mark.parametrize("before", [b"", b"\xef\xbb\xbf", b"# a list\n", b"# \xe9\1\n" * 4, b"\n\n"])
def test_a_list_of_ffconcat_is_no_video_under_any_name(before, decoder, tmp_path):
    write_video(tmp_path / "b.avi", make.moving(5))
    (tmp_path / "a.avi").write_bytes(before + b"ffconcat version 1.0\nfile b.avi\n")
    with pytest.raises(DataError, match=r"a\.avi is not a video"):
        open_video(tmp_path / "a.avi", decoder=decoder)
