"""Files with several pictures or streams: the video behind a cover, all pages of a TIFF, animations."""

import struct
import zlib

import cv2
import numpy as np
import pytest

from idt.errors import DataError
from idt.files.source_file import open_source
from idt.frames.image_pages import is_animation, pages_of
from idt.frames.video import open_video
from tests import scenes
from tests.commands import refused
from tests.videos import make
from tests.videos.reading import BOTH, PYAV, read


@pytest.mark.parametrize("decoder", [PYAV])
@pytest.mark.parametrize(("suffix", "cover"), [("mov", "png"), ("mkv", "mjpeg")])
def test_a_cover_as_the_first_stream_is_not_the_video(suffix, cover, decoder, tmp_path):
    path = make.encode(tmp_path / f"c.{suffix}", make.moving(), "libx264", cover=cover, preset="veryfast")
    found = read(path, decoder, strict=True)
    assert make.are_alike(found.frames, make.moving())
    assert found.notes == []


@pytest.mark.parametrize(("suffix", "cover"), [("mov", "png"), ("mkv", "mjpeg")])
def test_opencv_alone_refuses_a_cover_and_names_the_remedy(suffix, cover, command, tmp_path):
    path = make.encode(tmp_path / f"c.{suffix}", make.moving(), "libx264", cover=cover, preset="veryfast")
    words = ["idt-extract", path, "-o", tmp_path / "f.h5", "--decoder", "opencv"]
    assert refused(command(*words, status=2), r"c\.\w+ begins with a cover picture, which OpenCV takes .*pip install")


@pytest.mark.parametrize("decoder", [PYAV])
def test_a_file_of_sound_is_refused(decoder, tmp_path):
    av = make.pyav()
    with av.open(str(tmp_path / "s.mp4"), "w") as container:
        sound = container.add_stream("aac", rate=44100)
        samples = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        samples.rate = 44100
        for packet in [*sound.encode(samples), *sound.encode(None)]:
            container.mux(packet)
    with pytest.raises(DataError, match=r"s\.mp4 holds no video$"):
        open_video(tmp_path / "s.mp4", decoder=decoder)


@pytest.mark.parametrize("decoder", [PYAV])
def test_of_two_videos_the_first_is_read_and_the_note_says_so(decoder, tmp_path):
    av = make.pyav()
    with av.open(str(tmp_path / "two.mkv"), "w") as container:
        streams = [container.add_stream("mpeg4", rate=25) for _ in range(2)]
        for stream, (height, width) in zip(streams, ((64, 96), (48, 64)), strict=True):
            stream.height, stream.width, stream.pix_fmt = height, width, "yuv420p"
        for i in range(10):
            for stream in streams:
                frame = av.VideoFrame.from_ndarray(np.full((stream.height, stream.width), 20 * i, np.uint8), "gray")
                for packet in stream.encode(frame):
                    container.mux(packet)
        for stream in streams:
            for packet in stream.encode(None):
                container.mux(packet)
    found = read(tmp_path / "two.mkv", decoder)
    assert found.frames.shape == (10, 64, 96)
    assert found.notes == ["two.mkv has 2 video streams; the first, of 96×64 px, is read"]


@BOTH
def test_a_gif_is_a_video(decoder, tmp_path):
    path = make.encode(tmp_path / "a.gif", make.moving(12), "gif", pix_fmt="gray")
    assert make.are_alike(read(path, decoder).frames, make.moving(12))


# Pages


def write_pages(path, frames):
    assert cv2.imwritemulti(str(path), list(frames))
    return path


def test_all_pages_of_a_tiff_are_frames(tmp_path, command):
    path = write_pages(tmp_path / "stack.tif", make.moving(20))
    assert np.array_equal(read(path).frames, make.moving(20))
    assert np.array_equal(read(path, start=3, end=9).frames, make.moving(20)[3:10])
    _, out, _ = command("idt-extract", path, "-o", tmp_path / "f.h5", "--patch", 16)
    assert "20 frames" in out
    assert "up to date" in command("idt-extract", path, "-o", tmp_path / "f.h5", "--patch", 16)[1]
    _, out, _ = command("idt-extract", "--verify", tmp_path)
    assert "1 of 1 feature files are whole" in out


def test_a_tiff_of_one_page_is_one_frame_and_its_digest_is_that_of_an_image(tmp_path):
    path = write_pages(tmp_path / "one.tif", make.moving(1))
    assert len(read(path).frames) == 1
    stack = write_pages(tmp_path / "stack.tif", make.moving(3))
    scenes.write_images(tmp_path / "in", make.moving(1), pattern="stack%d.tif")
    with open_video(stack) as video, open_source(stack) as file:
        one = video.digest
        (tmp_path / "in" / "stack0.tif").write_bytes(file.head(1 << 20))
    with pytest.raises(DataError, match=r"stack0\.tif\) holds several pictures, expected one; give it as the video"):
        open_video(tmp_path / "in")
    assert len(one) == 64


def test_pages_of_another_size_and_of_too_many_pixels_are_refused(tmp_path):
    frames = [*make.moving(3), scenes.flat(1, size=(40, 50))[0]]
    path = write_pages(tmp_path / "stack.tif", frames)
    with pytest.raises(DataError, match=r"frame 3 \(page 4\) is 50×40 px, but the first is 96×64"):
        read(path)
    with pytest.raises(DataError, match=r"frame 0 \(page 1\) has 96×64 px, more than max_pixels=100"):
        open_video(path, max_pixels=100)


def test_small_copies_of_a_page_are_no_frames(tmp_path):
    path = write_pages(tmp_path / "stack.tif", make.moving(4))
    data = bytearray(path.read_bytes())
    assert [number for number, _ in pages_of(bytes(data))] == [0, 1, 2, 3]
    # The width's entry of the second page becomes one that calls it a smaller copy; its size is then unknown.
    at = struct.unpack_from("<I", data, 4)[0]
    for _ in range(1):
        at = struct.unpack_from("<I", data, at + 2 + 12 * struct.unpack_from("<H", data, at)[0])[0]
    entries = [at + 2 + 12 * i for i in range(struct.unpack_from("<H", data, at)[0])]
    spare = next(entry for entry in entries if struct.unpack_from("<H", data, entry)[0] not in (256, 257, 273, 279))
    struct.pack_into("<HHII", data, spare, 254, 4, 1, 1)
    assert [number for number, _ in pages_of(bytes(data))] == [0, 2, 3]


def test_directories_that_lead_in_circles_or_nowhere_end(tmp_path):
    data = bytearray(write_pages(tmp_path / "stack.tif", make.moving(3)).read_bytes())
    at = struct.unpack_from("<I", data, 4)[0]
    struct.pack_into("<I", data, at + 2 + 12 * struct.unpack_from("<H", data, at)[0], at)
    assert len(pages_of(bytes(data))) == 1
    for end in range(0, len(data), 997):
        pages_of(bytes(data[:end]))
    assert pages_of(b"II*\0") == pages_of(b"no TIFF at all") == []


# Animations


def animated_png(path, frames):
    """A PNG whose pictures follow each other in time, written by hand."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    height, width = frames[0].shape
    out = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    out += chunk(b"acTL", struct.pack(">II", len(frames), 0))
    number = 0
    for i, frame in enumerate(frames):
        out += chunk(b"fcTL", struct.pack(">IIIIIHHBB", number, width, height, 0, 0, 1, 25, 0, 0))
        pixels = zlib.compress(b"".join(b"\0" + row.tobytes() for row in frame))
        number += 1
        if i == 0:
            out += chunk(b"IDAT", pixels)
        else:
            out += chunk(b"fdAT", struct.pack(">I", number) + pixels)
            number += 1
    path.write_bytes(out + chunk(b"IEND", b""))
    return path


@BOTH
def test_an_animated_png_is_a_video(decoder, tmp_path):
    path = animated_png(tmp_path / "a.png", make.moving(8))
    assert is_animation(path.read_bytes())
    assert np.array_equal(read(path, decoder).frames, make.moving(8))


def test_an_animated_webp_is_refused(tmp_path):
    data = bytearray(b"RIFF\0\0\0\0WEBPVP8X" + bytes(20))
    data[20], data[24], data[27] = 2, 95, 63
    (tmp_path / "a.webp").write_bytes(data)
    with pytest.raises(DataError, match=r"a\.webp\) is an animated WebP, which no decoder here reads; convert it"):
        open_video(tmp_path / "a.webp")


def test_an_animation_among_images_is_refused(tmp_path):
    folder = scenes.write_images(tmp_path / "in", make.moving(3))
    animated_png(folder / "frame1.png", make.moving(4))
    with pytest.raises(DataError, match=r"frame 1 \(frame1\.png\) holds several pictures, expected one"):
        read(folder)
