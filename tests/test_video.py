import hashlib
import itertools
import math
import os
import shutil
import threading
from pathlib import Path

import cv2
import numpy as np
import pytest

from benchmarks.clips import write_video
from idt.errors import DataError
from idt.files.source_file import SourceFile
from idt.frames.video import Frame, open_video
from idt.params.extraction import ExtractionParams
from tests import golden, scenes

# Lossy clips: decoders may differ by a gray level or two (golden data's own remark), on few pixels.
DECODER_LEVELS = 2
DECODER_SHARE = 1e-3


pytestmark = pytest.mark.usefixtures("each_decoder")


def frames_of(video, **options):
    strict = options.pop("strict", False)
    with open_video(video, params=ExtractionParams(**options), strict=strict) as opened:
        return list(opened)


def originals(video, **options):
    return [frame.original for frame in frames_of(video, **options)]


def stack(frames):
    return np.stack([frame.gray for frame in frames])


@pytest.fixture(scope="module")
def clip():
    return scenes.translating(30, size=(48, 64))


@pytest.fixture(scope="module")
def avi(clip, tmp_path_factory):
    return write_video(tmp_path_factory.mktemp("video") / "clip.avi", clip)


def cut(path, share, target):
    data = path.read_bytes()
    target.write_bytes(data[: int(len(data) * share)])
    return target


def decoding():
    return [thread for thread in threading.enumerate() if thread.name == "idt-ahead"]


class Camera:
    """Stands in for cv2.VideoCapture on a camera: it never ends and announces nothing."""

    def __init__(self, *_):
        self.taken = 0

    def isOpened(self):
        return True

    def get(self, prop):
        return -1.0

    def grab(self):
        self.taken += 1
        return True

    def read(self):
        self.taken += 1
        return True, np.full((48, 64, 3), self.taken % 256, np.uint8)

    def release(self):
        self.taken = -1


# Worked examples


@pytest.mark.parametrize("name", golden.SYNTHETIC)
def test_lossless_clips_decode_to_the_frames_that_the_release_saw(name):
    expected = golden.gray(name)
    assert np.array_equal(stack(frames_of(golden.video(name))), expected)


@pytest.mark.parametrize("name", golden.REAL)
def test_lossy_clips_decode_to_the_frames_that_the_release_saw_within_two_levels(name):
    expected = golden.gray(name)
    got = stack(frames_of(golden.video(name), end=len(expected) - 1))
    difference = np.abs(got.astype(int) - expected)
    assert difference.max() <= DECODER_LEVELS
    assert (difference > 0).mean() < DECODER_SHARE


def test_a_file_tells_what_it_holds(avi, clip):
    with open_video(avi) as video:
        assert (video.width, video.height, video.source_width, video.source_height) == (64, 48, 64, 48)
        assert (video.fps, video.n_expected, video.name, video.shrink, video.notes) == (25, 30, "clip.avi", 1, [])
        assert np.array_equal(video.first_frame.gray, clip[0])


def test_every_frame_comes_once_with_its_number(avi, clip):
    frames = frames_of(avi)
    assert [(f.index, f.original) for f in frames] == [(i, i) for i in range(30)]
    assert all(f.gray.dtype == np.uint8 and f.gray.flags.c_contiguous for f in frames)
    assert np.array_equal(stack(frames), clip)


def test_start_and_end_are_frames_or_seconds_and_end_is_inclusive(avi):
    assert originals(avi, start=5, end=8) == [5, 6, 7, 8]
    # 25 frames/s: frame 8 lies at 0.32 s, frame 7 at 0.28 s.
    assert originals(avi, start="0.3s", end="0.4s") == [8, 9, 10]
    assert originals(avi, start=27, end=99) == [27, 28, 29]
    assert [f.index for f in frames_of(avi, start=5, end=8)] == [5, 6, 7, 8]


def test_resampling_keeps_the_nearest_frames(avi):
    # Every 2.5th frame, ties to even: 0, 2.5, 5, 7.5, 10, 12.5 …
    frames = frames_of(avi, fps=10)
    assert [f.original for f in frames] == [0, 2, 5, 8, 10, 12, 15, 18, 20, 22, 25, 28]
    assert [f.index for f in frames] == list(range(12))
    with open_video(avi, params=ExtractionParams(fps=10)) as video:
        assert (video.fps, video.source_fps, video.n_expected) == (10, 25, 12)


def test_resampling_does_not_depend_on_the_start(avi):
    assert frames_of(avi, fps=10, start=6, end=18)[0][:2] == (3, 8)
    assert originals(avi, fps=10, start=6, end=18) == [8, 10, 12, 15, 18]


def test_a_rate_above_the_sources_keeps_every_frame_once_and_says_so(avi):
    with open_video(avi, params=ExtractionParams(fps=50)) as video:
        assert len(list(video)) == 30
        assert video.fps == 25
        assert "25 frames/s, fewer than fps=50" in video.notes[0]


def test_colour_becomes_gray_by_the_usual_weights():
    blue, green, red = 200, 100, 50
    frames = np.broadcast_to(np.array([blue, green, red], np.uint8), (2, 40, 40, 3))
    expected = round(0.114 * blue + 0.587 * green + 0.299 * red)
    assert (stack(frames_of(frames)) == expected).all()


def test_max_side_averages_areas():
    clip = scenes.texture(64, 96, seed=3)[None]
    with open_video(clip, params=ExtractionParams(max_side=48)) as video:
        assert (video.width, video.height, video.shrink) == (48, 32, 0.5)
        assert (video.source_width, video.source_height) == (96, 64)
        means = clip[0].reshape(32, 2, 48, 2).mean(axis=(1, 3))
        # OpenCV rounds halves up.
        assert np.array_equal(video.first_frame.gray, np.floor(means + 0.5))


@pytest.mark.parametrize(("size", "side", "expected"), [((70, 101), 50, (35, 50)), ((120, 50), 80, (80, 33))])
def test_max_side_keeps_the_aspect_by_rounding(size, side, expected):
    assert frames_of(scenes.flat(1, size=size), max_side=side)[0].gray.shape == expected


def test_max_side_never_enlarges():
    assert frames_of(scenes.flat(1, size=(48, 64)), max_side=100)[0].gray.shape == (48, 64)


@pytest.mark.parametrize("source", ["folder", "folder/*.png", "folder/frame%d.png"])
def test_images_come_in_natural_order(clip, tmp_path, source):
    scenes.write_images(tmp_path / "folder", clip[:12], first=1)
    (tmp_path / "folder" / "notes.txt").write_text("no frame")
    (tmp_path / "folder" / "._frame3.png").write_bytes(b"left by another operating system")
    frames = frames_of(tmp_path / source)
    assert np.array_equal(stack(frames), clip[:12])
    assert [f.original for f in frames] == list(range(12))


def test_a_padded_pattern_takes_padded_names_only(clip, tmp_path):
    scenes.write_images(tmp_path, clip[:3], pattern="img_%03d.jpg", first=98)
    scenes.write_images(tmp_path, clip[:1], pattern="img_%d.jpg", first=7)
    with open_video(tmp_path / "img_%03d.jpg") as video:
        assert video.n_expected == 3
        assert math.isnan(video.fps)
        assert video.name == tmp_path.name


def test_a_single_image_is_a_video_of_one_frame(clip, tmp_path):
    scenes.write_images(tmp_path, clip[:1], pattern="alone%d.bmp")
    assert np.array_equal(frames_of(tmp_path / "alone0.bmp")[0].gray, clip[0])


def test_a_camera_never_ends(monkeypatch):
    monkeypatch.setattr(cv2, "VideoCapture", Camera)
    with open_video(0, params=ExtractionParams(start=3)) as video:
        assert (video.name, video.n_expected, math.isnan(video.fps)) == ("camera 0", None, True)
        assert video.source == {"kind": "camera", "path": "", "name": "camera 0", "digest": "", "bytes": 0}
        got = [(frame.original, frame.gray[0, 0]) for frame in itertools.islice(video, 2)]
    assert got == [(3, 4), (4, 5)]


# Rival: the shortest loop that does the same


@pytest.mark.parametrize("options", [{}, {"start": 4}, {"fps": 7.5}, {"fps": 24, "start": 3, "end": 20}])
def test_frames_are_those_of_a_plain_decoding_loop(avi, options):
    capture = cv2.VideoCapture(str(avi))
    everything = []
    while True:
        there, image = capture.read()
        if not there:
            break
        everything.append(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY))
    wanted = [round(k * 25 / options.get("fps", 25)) for k in range(30)]
    wanted = [i for i in wanted if options.get("start", 0) <= i <= min(29, options.get("end", 29))]
    frames = frames_of(avi, **options)
    assert [f.original for f in frames] == wanted
    assert np.array_equal(stack(frames), np.stack([everything[i] for i in wanted]))
    with open_video(avi, params=ExtractionParams(**options)) as video:
        assert video.n_expected == len(wanted)


# Laws


def test_file_folder_array_list_and_generator_give_the_same_frames(avi, clip, tmp_path):
    folder = scenes.write_images(tmp_path / "frames", clip)
    colour = np.repeat(clip[..., None], 3, axis=3)
    for video in (avi, str(avi), folder, clip, colour, list(clip), (frame for frame in clip), iter(colour)):
        assert np.array_equal(stack(frames_of(video, start=2, end=20)), clip[2:21])


def test_a_stream_is_read_as_far_as_asked_and_no_further(clip):
    taken = []

    def stream():
        for i in itertools.count():
            taken.append(i)
            yield clip[i % len(clip)]

    video = open_video(stream())
    assert taken == [0]
    assert [next(video).index for _ in range(3)] == [0, 1, 2]
    assert taken == [0, 1, 2]
    taken.clear()
    assert len(frames_of(stream(), end=4)) == 5
    assert taken == [0, 1, 2, 3, 4]


def test_a_caller_may_reuse_its_array_for_the_next_frame(clip):
    def stream():
        buffer = np.empty_like(clip[0])
        for frame in clip:
            buffer[:] = frame
            yield buffer

    assert np.array_equal(stack(frames_of(stream())), clip)


def test_arrays_of_any_layout_become_contiguous(clip):
    frames = frames_of(clip[:, :, ::-1])
    assert frames[0].gray.flags.c_contiguous
    assert np.array_equal(stack(frames), clip[:, :, ::-1])


def test_a_source_is_described_only_when_asked(avi, monkeypatch, each_decoder):
    hashed = []
    digest = SourceFile.digest
    monkeypatch.setattr(SourceFile, "digest", lambda file: hashed.append(file.path) or digest(file))
    with open_video(avi) as video:
        next(video)
        assert hashed == []
        source = video.source
        assert source == video.source
        assert len(hashed) == 1
    assert source == {
        "kind": "file",
        "path": str(avi),
        "name": "clip.avi",
        "digest": hashlib.sha256(avi.read_bytes()).hexdigest(),
        "bytes": avi.stat().st_size,
        "decoder": each_decoder,
    }


def test_a_folders_digest_follows_its_content_and_order(clip, tmp_path):
    pytest.importorskip("idt.files.hdf5")
    digests = {
        name: open_video(scenes.write_images(tmp_path / name, frames)).digest
        for name, frames in (("one", clip[:3]), ("same", clip[:3]), ("turned", clip[2::-1]), ("shorter", clip[:2]))
    }
    assert digests["one"] == digests["same"]
    assert len(set(digests.values())) == 3


def test_arrays_have_no_digest(clip):
    assert open_video(clip).source == {"kind": "arrays", "path": "", "name": "arrays", "digest": "", "bytes": 0}


def test_a_closed_video_gives_no_more_frames(avi):
    with open_video(avi) as video:
        assert isinstance(next(video), Frame)
    assert list(video) == []


def test_an_intact_file_passes_the_strict_check(avi):
    assert len(frames_of(avi, strict=True)) == 30


@pytest.mark.parametrize("name", [*golden.SYNTHETIC, *golden.REAL])
def test_no_golden_clip_counts_as_truncated(name):
    with open_video(golden.video(name), strict=True) as video:
        assert sum(1 for _ in video) == video.n_expected
        assert video.notes == []


@pytest.mark.parametrize("share", [0.3, 0.5, 0.9, 0.99])
def test_a_truncated_file_gives_what_decodes_and_says_so(avi, clip, tmp_path, share):
    path = cut(avi, share, tmp_path / "cut.avi")
    with open_video(path) as video:
        assert video.notes == []
        frames = list(video)
    # Headers and the first, larger frames take their part of the file.
    assert 0.5 * share * 30 < len(frames) <= 30
    # The last frame may be half there.
    assert np.array_equal(stack(frames[:-1]), clip[: len(frames) - 1])
    assert video.notes == [f"cut.avi is truncated: {len(frames)} of 30 announced frames decode"]
    with pytest.raises(DataError, match=f"truncated: {len(frames)} of 30"):
        frames_of(path, strict=True)


def test_decoding_ahead_gives_the_same_frames_and_notes(avi, tmp_path):
    for path, count in ((avi, 30), (cut(avi, 0.5, tmp_path / "cut.avi"), None)):
        with open_video(path) as plain, open_video(path, ahead=2) as threaded:
            frames = list(plain)
            assert count in (None, len(frames))
            np.testing.assert_array_equal(stack(list(threaded)), stack(frames))
            assert threaded.notes == plain.notes
            assert threaded.source == plain.source
    with pytest.raises(DataError, match="is truncated"), open_video(path, strict=True, ahead=2) as video:
        list(video)
    assert not decoding()


def test_a_loop_that_ends_early_stops_the_decoding_ahead(avi):
    with open_video(avi, ahead=2) as video:
        assert next(iter(video)).index == 0
    assert not decoding()


def test_a_truncated_source_says_so_once_its_end_is_met(avi, tmp_path):
    with open_video(cut(avi, 0.5, tmp_path / "cut.avi")) as video:
        assert "truncation" not in video.source
        list(video)
        assert [video.source["truncation"]] == video.notes == [video.fault]


def test_a_matroska_file_without_its_end_is_noticed_by_its_count(clip, tmp_path):
    whole = write_video(tmp_path / "whole.mkv", clip)
    with pytest.raises(DataError, match="of 30 announced frames decode"):
        frames_of(cut(whole, 0.5, tmp_path / "cut.mkv"), strict=True)
    assert len(frames_of(whole, strict=True)) == 30


def test_truncation_behind_the_end_does_not_matter(avi, tmp_path):
    path = cut(avi, 0.6, tmp_path / "cut.avi")
    assert len(frames_of(path, end=5, strict=True)) == 6


# Refusals


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("text.avi", b"This is not a video.\n" * 100),
        ("boxes.txt", b"0 10 10 20 20 0.9\n" * 400),  # ffmpeg would draw its letters
        ("zeros.avi", bytes(5000)),
        ("noise.mp4", np.random.default_rng(0).bytes(5000)),
    ],
)
def test_a_file_that_is_no_video_is_refused_without_noise(name, content, tmp_path, capfd):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=f"{name} is not a video (that (OpenCV|PyAV) can decode|but text)"):
        open_video(tmp_path / name)
    assert capfd.readouterr().err == ""


def test_missing_and_empty_sources_are_named(tmp_path, clip):
    (tmp_path / "zero.avi").touch()
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "readme.txt").write_text("no frame")
    for name, message in (
        ("none.avi", "none.avi: no such file or folder"),
        ("zero.avi", r"zero.avi is empty \(0 bytes\)"),
        ("folder", "folder holds no image files"),
        ("folder/*.txt", "matches no image files"),
        ("img_%04d.png", "matches no files"),
        ("nowhere/img_%04d.png", "matches no files"),
    ):
        with pytest.raises(DataError, match=message):
            open_video(tmp_path / name)
    for empty in ([], clip[:0], iter(())):
        with pytest.raises(DataError, match="no frames in arrays"):
            open_video(empty)


def test_a_cut_so_early_that_nothing_decodes_is_refused(avi, tmp_path):
    with pytest.raises(DataError, match=r"no frames in|not a video"):
        open_video(cut(avi, 0.02, tmp_path / "cut.avi"))


def test_a_gap_in_the_numbers_is_named(clip, tmp_path):
    scenes.write_images(tmp_path, clip[:4], pattern="img_%03d.png")
    (tmp_path / "img_002.png").unlink()
    with pytest.raises(DataError, match=r"img_002\.png is missing"):
        open_video(tmp_path / "img_%03d.png")


@pytest.mark.parametrize("suffix", ["png", "jpg"])
@pytest.mark.parametrize("damage", [lambda data: data[: len(data) // 2], lambda data: b"", lambda data: b"text"])
def test_an_unreadable_image_in_the_middle_is_named(clip, tmp_path, suffix, damage):
    scenes.write_images(tmp_path, clip[:5], pattern=f"f%d.{suffix}")
    broken = tmp_path / f"f3.{suffix}"
    broken.write_bytes(damage(broken.read_bytes()))
    video = open_video(tmp_path)
    assert [next(video).index for _ in range(3)] == [0, 1, 2]
    with pytest.raises(DataError, match=rf"frame 3 \(f3\.{suffix}\) is damaged"):
        next(video)


def test_an_image_of_sixteen_bits_is_refused(tmp_path):
    cv2.imwrite(str(tmp_path / "deep.png"), np.zeros((48, 64), np.uint16))
    with pytest.raises(DataError, match=r"frame 0 \(deep\.png\) has uint16 pixels"):
        open_video(tmp_path)


def test_a_change_of_size_is_named(clip, tmp_path):
    frames = [*clip[:3], clip[3][:, :50]]
    scenes.write_images(tmp_path / "frames", frames)
    for video in (frames, tmp_path / "frames"):
        with pytest.raises(DataError, match=r"frame 3.* is 50×48 px, but the first is 64×48"):
            frames_of(video)


@pytest.mark.parametrize("dtype", [np.float64, np.float32, int, bool, np.int8])
def test_frames_of_another_dtype_are_refused(clip, dtype):
    with pytest.raises(DataError, match=f"frame 0 must be a uint8 array, got {np.dtype(dtype)}"):
        open_video(clip.astype(dtype))
    with pytest.raises(DataError, match="frame 2 must be a uint8 array"):
        frames_of([*clip[:2], clip[2].astype(dtype)])


def test_nan_is_counted(clip):
    frame = clip[0].astype(np.float32)
    frame[:2, :3] = np.nan
    with pytest.raises(DataError, match="with 6 NaN"):
        open_video([frame])


@pytest.mark.parametrize("shape", [(48,), (48, 64, 4), (48, 64, 1), (2, 48, 64, 3), (0, 64)])
def test_frames_of_another_shape_are_refused(shape):
    with pytest.raises(DataError, match=r"frame 0 must be gray \(H, W\) or BGR \(H, W, 3\)"):
        open_video([np.zeros(shape, np.uint8)])


@pytest.mark.parametrize("shape", [(64,), (48, 64), (48, 64, 3), (1, 2, 48, 64, 3)])
def test_an_array_that_is_no_stack_of_frames_is_refused(shape):
    with pytest.raises(DataError, match=r"must have shape \(T, H, W\) or \(T, H, W, 3\)"):
        open_video(np.zeros(shape, np.uint8))


@pytest.mark.parametrize("frame", [None, "frame.png", 7])
def test_frames_that_are_no_arrays_are_refused(frame):
    with pytest.raises(DataError, match="frame 0 must be a uint8 array, got"):
        open_video([frame])


@pytest.mark.parametrize("video", [None, 2.5, True])
def test_what_has_no_frames_at_all_is_refused(video):
    with pytest.raises(DataError, match="video must be a path"):
        open_video(video)


@pytest.mark.parametrize("index", [-1, 2**31, 10**20])
def test_an_index_that_no_camera_can_have_is_refused(index):
    # In a process of its own this would be a crash of OpenCV.
    with pytest.raises(DataError, match=f"between 0 and 2147483647, got {index}"):
        open_video(index)


def test_a_name_that_is_no_utf8_is_refused(avi, tmp_path):
    name = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.avi")
    shutil.copy(avi, name)
    with pytest.raises(DataError, match="not UTF-8"):
        open_video(name)


def test_an_empty_name_is_not_the_folder_one_is_in():
    with pytest.raises(DataError, match="must not be empty"):
        open_video("")


def test_a_pipe_is_refused_without_waiting_for_its_writer(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(DataError, match="must be a regular file, but it is a pipe"):
        open_video(tmp_path / "pipe")


def test_a_camera_that_is_not_there_is_refused_without_noise(capfd):
    with pytest.raises(DataError, match="camera 9999 cannot be opened"):
        open_video(9999)
    assert capfd.readouterr().err == ""


def test_frames_smaller_than_the_patch_are_refused(clip):
    with pytest.raises(DataError, match="frames of 64×31 px are smaller than patch=32"):
        open_video(clip[:, :31])
    with pytest.raises(DataError, match="40×30 px after max_side=40 are smaller than patch=32"):
        open_video(clip, params=ExtractionParams(max_side=40))
    assert open_video(clip, params=ExtractionParams(max_side=40, patch=30)).height == 30


def test_a_start_beyond_the_end_names_the_number_of_frames(avi, clip, tmp_path):
    scenes.write_images(tmp_path, clip)
    for video in (avi, clip, iter(clip), tmp_path):
        with pytest.raises(DataError, match=r"start=30 lies beyond the end: .* has 30 frame"):
            open_video(video, params=ExtractionParams(start=30))
    for start in ("3s", "2147483647s", 2**31 - 1):
        with pytest.raises(DataError, match=f"start={start} lies beyond the end"):
            open_video(avi, params=ExtractionParams(start=start, fps=10))


def test_a_start_that_no_frame_can_have_is_refused_before_the_video_is_opened():
    with pytest.raises(DataError, match=r"start must be at most 2147483647 or 2147483647s, got '1e99s': .* 32 bits"):
        ExtractionParams(start="1e99s", fps=10)
    with pytest.raises(DataError, match=r"start must be a whole number of at most 2147483647, got 10{30}: .* 32 bits"):
        ExtractionParams(start=10**30, fps=10)


def test_a_start_beyond_a_truncated_end_says_that_too(avi, tmp_path):
    with pytest.raises(DataError, match=r"start=28 lies beyond the end: .*truncated"):
        open_video(cut(avi, 0.5, tmp_path / "cut.avi"), params=ExtractionParams(start=28))


def test_an_end_before_the_start_is_refused_in_mixed_units(avi):
    with pytest.raises(DataError, match="end must not lie before start"):
        open_video(avi, params=ExtractionParams(start=20, end="0.4s"))


def test_a_range_between_two_kept_frames_is_refused(avi):
    with pytest.raises(DataError, match="fps=1 keeps no frame"):
        open_video(avi, params=ExtractionParams(fps=1, start=3, end=9))


@pytest.mark.parametrize("options", [{"fps": 10}, {"start": "1s"}, {"end": "1s"}])
def test_times_need_a_known_rate(clip, options):
    with pytest.raises(DataError, match="the frame rate of arrays is unknown"):
        open_video(clip, params=ExtractionParams(**options))


def test_a_file_name_with_magic_letters_is_taken_literally(avi, tmp_path):
    odd = Path(tmp_path / "clip[1] 50%d.avi")
    odd.write_bytes(avi.read_bytes())
    assert len(frames_of(odd)) == 30
