"""Videos and images that would hang or fill the memory: pipes, devices, frames without measure, endless scans.

Nothing here is decoded. A forged image only says that it is large, so that even a decoder that believed it could not
fill the memory of the machine that runs the tests.
"""

import io
import os
import socket
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest

import idt
from benchmarks.clips import write_video
from idt.batch.extract_one import extract_job
from idt.batch.jobs import Job
from idt.errors import DataError
from idt.frames import image_size as sizes
from idt.frames.image_size import image_size
from idt.frames.video import open_video
from idt.params.extraction import ExtractionParams
from idt.workers.run_options import RunOptions
from tests import scenes
from tests.commands import refused, scripts

PARAMS = ExtractionParams(length=3, stride=8, scales=1, keypoints="orb", patch=16)
SIDE = 20_000


@pytest.fixture
def undecoded(monkeypatch):
    """Fails a test in which OpenCV is asked to decode an image or to open a video."""

    def fail(*_):
        raise AssertionError("the decoder was asked")

    monkeypatch.setattr(cv2, "imdecode", fail)
    monkeypatch.setattr(cv2, "VideoCapture", fail)


def encoded(suffix, *options, image=None):
    image = scenes.noise(1, size=(40, 48))[0] if image is None else image
    done, data = cv2.imencode(suffix, image, options)
    assert done
    return bytearray(data.tobytes())


def png(data):
    struct.pack_into(">II", data, 16, SIDE, SIDE)
    struct.pack_into(">I", data, 29, zlib.crc32(data[12:29]))


def jpeg(data):
    at = next(data.index(marker) for marker in (b"\xff\xc0", b"\xff\xc2") if marker in data)
    struct.pack_into(">HH", data, at + 5, SIDE, SIDE)


def bmp(data):
    struct.pack_into("<ii", data, 18, SIDE, -SIDE)


def pnm(data):
    data[3:8] = f"{SIDE}".encode() + b" #a\n" + f"{SIDE}\n".encode()


def jp2(data):
    struct.pack_into(">II", data, data.index(b"\xff\x4f\xff\x51") + 8, SIDE, SIDE)


def tiff(*tags):
    def forge(data):
        start = struct.unpack_from("<I", data, 4)[0]
        entries = range(start + 2, start + 2 + 12 * struct.unpack_from("<H", data, start)[0], 12)
        for entry in entries:
            tag = struct.unpack_from("<H", data, entry)[0]
            if tag in tags:
                struct.pack_into("<HIH", data, entry + 2, 3, 1, SIDE)
            elif tag == 278 and 322 in tags:
                # Strips become a tile that is far larger than the image.
                struct.pack_into("<HHII", data, entry, 322, 4, 1, SIDE)
                struct.pack_into("<HHII", data, entries[-1], 323, 4, 1, SIDE)

    return forge


def webp_extended(data):
    data[12:16] = b"VP8X"
    data[24:30] = (SIDE - 1).to_bytes(3, "little") * 2


def webp_lossless(data):
    struct.pack_into("<I", data, 21, 16383 | 16383 << 14)


def webp_lossy(data):
    data[12:16] = b"VP8 "
    struct.pack_into("<HH", data, 26, 16383, 16383)


FORGERIES = [
    (".png", png), (".jpg", jpeg), (".bmp", bmp), (".pgm", pnm), (".ppm", pnm), (".jp2", jp2), (".tif", tiff(256, 257)),
    (".tif", tiff(322, 323)), (".webp", webp_extended), (".webp", webp_lossless), (".webp", webp_lossy),
]  # fmt: skip


@pytest.mark.parametrize(("suffix", "forge"), FORGERIES)
def test_a_small_image_of_a_large_size_is_refused_undecoded(tmp_path, suffix, forge, undecoded):
    colour = np.dstack([scenes.noise(1, size=(40, 48))[0]] * 3)
    data = encoded(suffix, image=colour if suffix == ".ppm" else None)
    assert image_size(bytes(data)) == (48, 40)
    forge(data)
    path = tmp_path / f"x{suffix}"
    path.write_bytes(data)
    with pytest.raises(DataError, match=r"frame 0 \(x\.\w+\) has \d+×\d+ px, more than max_pixels=64000000; raise it"):
        open_video(path)
    # The content counts, not the name.
    path.rename(tmp_path / "y.png")
    with pytest.raises(DataError, match="more than max_pixels"):
        open_video(tmp_path / "y.png")
    (tmp_path / "y.png").rename(tmp_path / "z.avi")
    with pytest.raises(DataError, match="more than max_pixels"):
        open_video(tmp_path / "z.avi")


def test_the_size_of_every_image_that_opencv_writes_is_known():
    rng = np.random.default_rng(0)
    for width, height in ((33, 34), (37, 53), (300, 200), (5000, 32)):
        for channels in (1, 3, 4):
            image = rng.integers(0, 256, (height, width, channels), np.uint8)
            for suffix in (".png", ".jpg", ".jp2", ".webp", ".bmp", ".tif"):
                assert image_size(bytes(encoded(suffix, image=image))) == (width, height), suffix
    progressive = encoded(".jpg", cv2.IMWRITE_JPEG_PROGRESSIVE, 1, cv2.IMWRITE_JPEG_RST_INTERVAL, 2)
    assert image_size(bytes(progressive)) == (48, 40)


def test_headers_that_are_cut_or_forged_have_no_size():
    for suffix in (".png", ".jpg", ".jp2", ".webp", ".bmp", ".tif", ".pgm"):
        data = bytes(encoded(suffix))
        for end in range(0, min(len(data), 400), 3):
            image_size(data[:end])
    rng = np.random.default_rng(1)
    for suffix in (".png", ".jpg", ".jp2", ".webp", ".bmp", ".tif", ".pgm"):
        for _ in range(300):
            data = encoded(suffix)
            for at in rng.integers(0, min(len(data), 200), 4):
                data[at] = rng.integers(256)
            image_size(bytes(data))
    # A box without a length, a frame header behind a thousand fill bytes, a tag of a type that nobody writes.
    assert image_size(b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(100)) is None
    assert image_size(b"\xff\xd8" + b"\xff" * 1000 + b"\xc0\0\x11\x08\0\x05\0\x06") == (6, 5)
    assert image_size(b"II*\0\x08\0\0\0\x01\0\0\x01\x09\0\x01\0\0\0\xff\xff\xff\x7f") is None


@pytest.mark.parametrize("name", ["a.gif", "a.hdr", "a.ras", "a.pam", "a.exr"])
def test_an_image_whose_size_is_not_known_is_not_decoded(tmp_path, name, undecoded):
    heads = {"gif": b"GIF89a", "hdr": b"#?RADIANCE\n", "ras": b"\x59\xa6\x6a\x95", "pam": b"P7\n", "exr": b"v/1\1"}
    (tmp_path / "x.png").write_bytes(heads[name[2:]] + bytes(100))
    with pytest.raises(DataError, match="no image that OpenCV can decode"):
        open_video(tmp_path / "x.png")


def test_a_jpeg_of_many_scans_is_refused_undecoded(tmp_path, undecoded):
    data = encoded(".jpg", cv2.IMWRITE_JPEG_PROGRESSIVE, 1)
    scan = bytes.fromhex("ffda0008010100003f00") + b"\x7f"
    (tmp_path / "x.jpg").write_bytes(data[:-2] + scan * (sizes.MOST_SCANS + 1) + data[-2:])
    with pytest.raises(DataError, match="is damaged or no image"):
        open_video(tmp_path / "x.jpg")


def test_an_image_file_of_many_bytes_is_refused_unread(tmp_path, undecoded):
    (tmp_path / "x.png").write_bytes(encoded(".png"))
    os.truncate(tmp_path / "x.png", 1 << 40)
    with pytest.raises(DataError, match=r"x\.png has 1,099,511,627,776 bytes, expected at most"):
        open_video(tmp_path / "x.png")


def test_videos_and_images_have_the_same_limit_and_arrays_none(tmp_path):
    frames = scenes.noise(3, size=(48, 64))
    video = write_video(tmp_path / "a.avi", frames)
    folder = scenes.write_images(tmp_path / "in", frames)
    for source in (video, folder, folder / "frame0.png", f"{folder}/*.png", f"{folder}/frame%d.png"):
        assert open_video(source, max_pixels=48 * 64).width == 64
        with pytest.raises(DataError, match="has 64×48 px, more than max_pixels=3071"):
            open_video(source, max_pixels=48 * 64 - 1)
    assert open_video(frames, max_pixels=1).width == 64


def test_a_video_that_announces_large_frames_is_refused_before_one_is_decoded(tmp_path, monkeypatch):
    class Unread:
        # OpenCV's own class has no subclasses that Python could collect.
        def __init__(self, *arguments, capture=cv2.VideoCapture):
            capture = capture(*arguments)
            self.get, self.isOpened, self.release = capture.get, capture.isOpened, capture.release

    path = write_video(tmp_path / "a.avi", scenes.noise(3, size=(48, 64)))
    monkeypatch.setattr(cv2, "VideoCapture", Unread)
    with pytest.raises(DataError, match="has 64×48 px, more than max_pixels=3000"):
        open_video(path, max_pixels=3000, decoder="opencv")


def test_every_door_has_the_limit(tmp_path):
    path = write_video(tmp_path / "a.avi", scenes.translating(8, size=(48, 64)))
    options = {"length": 3, "patch": 16, "max_pixels": 100}
    for door in (lambda: idt.extract(path, **options), lambda: list(idt.stream(path, **options)),
                 lambda: list(idt.draw(path, **options))):  # fmt: skip
        with pytest.raises(DataError, match="more than max_pixels=100"):
            door()
    with pytest.raises(DataError, match="more than max_pixels=100"):
        extract_job(Job(str(path), "a", tmp_path / "a.h5"), PARAMS, run=RunOptions(max_pixels=100))
    for wrong in (0, -1, 2**31, 1.5, "5"):
        with pytest.raises(DataError, match="max_pixels must be"):
            open_video(path, max_pixels=wrong)


def test_the_commands_that_read_videos_take_the_limit(tmp_path, command):
    path = write_video(tmp_path / "a.avi", scenes.translating(8, size=(48, 64)))
    for words in (["idt-extract", path, "-o", tmp_path / "a.h5"], ["idt-show", path, "-o", tmp_path / "a.png"]):
        assert refused(
            command(*words, "--max-pixels", 100, status=2), "more than max_pixels=100; raise it with --max-p"
        )
    without = []
    for name in scripts():
        _, out, _ = command(name, "--help")
        without += [] if "--max-pixels" in out else [name]
    assert without == ["idt-convert", "svm-train", "idt-fuse"]


def test_the_limit_is_no_part_of_what_is_recorded(tmp_path):
    path = write_video(tmp_path / "a.avi", scenes.translating(8, size=(48, 64)))
    job = Job(str(path), "a", tmp_path / "a.h5")
    assert not extract_job(job, PARAMS, run=RunOptions(max_pixels=5000)).up_to_date
    assert extract_job(job, PARAMS).up_to_date


@pytest.fixture
def odd(tmp_path, monkeypatch):
    """Things that are no regular files, by name."""
    os.mkfifo(tmp_path / "pipe.avi")
    os.symlink(tmp_path / "pipe.avi", tmp_path / "link.avi")
    os.symlink("/dev/zero", tmp_path / "zero.avi")
    os.symlink("self.avi", tmp_path / "self.avi")
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket.avi")
    return tmp_path


@pytest.mark.parametrize(
    ("name", "kind"),
    [("pipe.avi", "a pipe"), ("link.avi", "a pipe"), ("zero.avi", "a device"), ("socket.avi", "a socket")],
)
def test_what_is_no_regular_file_is_refused_at_once(odd, name, kind, command):
    with pytest.raises(DataError, match=f"must be a regular file, but it is {kind}"):
        open_video(odd / name)
    assert refused(command("idt-extract", odd / name, "-o", odd / "f.h5", status=2), f"but it is {kind}")
    assert refused(command("idt-show", odd / name, "-o", odd / "f.png", status=2), f"but it is {kind}")


def test_a_pipe_that_takes_the_name_of_a_file_meanwhile_is_not_waited_for(tmp_path, monkeypatch):
    path = tmp_path / "a.avi"
    path.write_bytes(b"x")
    stat, asked = os.stat, []

    def exchanged(name, **options):
        found = stat(name, **options)
        if str(name) == str(path) and not asked:
            asked.append(name)
            path.unlink()
            os.mkfifo(path)
        return found

    from idt.files import source_file

    monkeypatch.setattr(source_file.os, "stat", exchanged)
    with pytest.raises(DataError, match="but it is a pipe"):
        source_file.open_source(path)


def test_a_pipe_of_human_boxes_is_not_waited_for(odd):
    with pytest.raises(DataError, match=r"pipe\.avi"):
        idt.extract(scenes.noise(3), boxes=odd / "pipe.avi", length=3)


def test_a_pipe_among_images_is_no_image(tmp_path):
    folder = scenes.write_images(tmp_path / "in", scenes.noise(3, size=(48, 64)))
    os.mkfifo(folder / "frame9.png")
    assert len(list(open_video(folder))) == 3


def test_a_file_that_grows_is_read_up_to_its_size(tmp_path):
    from idt.files.source_file import open_source

    path = tmp_path / "a"
    path.write_bytes(b"12345")
    with open_source(path) as file:
        with open(path, "ab") as more:
            more.write(b"6" * 10)
        with pytest.raises(DataError, match="was changed"):
            file.digest()


@pytest.mark.usefixtures("each_decoder")
def test_descriptors_do_not_pile_up(tmp_path):
    path = write_video(tmp_path / "a.avi", scenes.noise(3, size=(48, 64)))
    (tmp_path / "bad.avi").write_bytes(b"\0" * 100)
    before = len(os.listdir("/proc/self/fd")) if Path("/proc/self/fd").exists() else 0
    for _ in range(3):
        with open_video(path) as video:
            list(video)
        open_video(path)
        with pytest.raises(DataError):
            open_video(tmp_path / "bad.avi")
        with pytest.raises(DataError):
            open_video(path, max_pixels=5)
    if before:
        assert len(os.listdir("/proc/self/fd")) <= before


def test_an_image_of_an_odd_but_honest_header_is_still_read(tmp_path):
    buffer = io.BytesIO()
    buffer.write(b"P5 # a comment\n# another\n48\t40\n255\n" + scenes.noise(1, size=(40, 48)).tobytes())
    (tmp_path / "x.pgm").write_bytes(buffer.getvalue())
    assert open_video(tmp_path / "x.pgm", params=ExtractionParams(patch=16)).width == 48
