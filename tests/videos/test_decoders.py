"""Both decoders give the same gray levels; which one read a video is recorded, and belongs to the up-to-date check."""

import os
from unittest import mock

import cv2
import numpy as np
import pytest

import idt
from benchmarks.clips import write_video
from classify.evaluation.resume import refuse_other_features
from classify.models.video_features import Task
from encoding.descriptors.sources import VideoSource
from encoding.fitting import fit_codebook
from encoding.params import EncodingParams
from encoding.video_pipeline import encode_videos
from idt.batch.extract_one import extract_job
from idt.batch.jobs import Job, plan
from idt.command import Parser, add_reading_options
from idt.errors import DataError
from idt.files import versions
from idt.files.source_file import open_source
from idt.frames import decoders
from idt.frames.video import open_video
from idt.params import decoder as choice
from idt.params.extraction import ExtractionParams
from idt.workers.run_options import RunOptions
from tests import golden, scenes
from tests.commands import refused, scripts
from tests.samples import random_features
from tests.videos import make
from tests.videos.reading import BOTH, PYAV, read

PARAMS = ExtractionParams(length=3, stride=8, scales=1, keypoints="none", patch=16)

# Other versions of FFmpeg may decode a few pixels of a lossy clip otherwise, by a gray level or two.
LEVELS, SHARE = 2, 1e-3

SLOW = pytest.mark.slow


def ffmpeg(version):
    """Version of libavcodec in the text that is recorded of a decoder."""
    return [part for part in version.split(", ") if part.startswith("avcodec ")]


def are_one_ffmpeg():
    return ffmpeg(versions._version("decoder")) == ffmpeg(versions._version("pyav"))


def assert_same_levels(path, **options):
    one, other = (read(path, decoder, **options) for decoder in ("opencv", "pyav"))
    assert one.numbers == other.numbers
    if are_one_ffmpeg():
        assert np.array_equal(one.frames, other.frames)
    else:
        difference = np.abs(one.frames.astype(int) - other.frames)
        assert difference.max() <= LEVELS
        assert (difference > 0).mean() < SHARE


# Gray levels


@pytest.mark.parametrize("name", [*golden.SYNTHETIC, *golden.REAL])
def test_both_decoders_give_the_same_gray_levels_of_the_golden_clips(name):
    make.pyav()
    assert_same_levels(golden.video(name))
    with open_video(golden.video(name), decoder="opencv") as one, open_video(golden.video(name)) as other:
        assert (one.fps, one.n_expected) == (other.fps, other.n_expected)


@BOTH
@pytest.mark.parametrize("name", golden.SYNTHETIC)
def test_both_decoders_give_the_frames_that_the_release_saw(name, decoder):
    assert np.array_equal(read(golden.video(name), decoder).frames, golden.gray(name))


@pytest.mark.parametrize(
    ("codec", "pixels"),
    [
        *(
            ("ffv1", pixels)
            for pixels in ("yuv420p", "yuv422p", "yuv444p", "yuv410p", "yuv411p", "yuv420p10le", "bgra")
        ),
        *(("libx264", "yuv420p"), ("mjpeg", "yuvj420p"), ("libvpx-vp9", "yuv420p"), ("mpeg2video", "yuv422p")),
    ],
)
@pytest.mark.parametrize("size", [(64, 96), (67, 83)])
def test_both_decoders_make_gray_of_every_form_of_pixels_alike(codec, pixels, size, tmp_path):
    if size[1] % 2 and codec == "libx264":
        size = (66, 82)
    frames = scenes.moving_patch(4, size=size, patch=(24, 24), corner=(4, 10))
    assert_same_levels(make.encode(tmp_path / "a.mkv", frames, codec, pix_fmt=pixels))


# Phones record the last one; FFmpeg takes seconds to learn how to map its colours.
@pytest.mark.parametrize(
    ("matrix", "primaries"), [("bt709", "bt709"), ("bt470bg", "bt470bg"), pytest.param("bt709", "smpte432", marks=SLOW)]
)
def test_both_decoders_take_tagged_colours_alike(matrix, primaries, tmp_path):
    make.pyav()
    if tuple(map(int, cv2.__version__.split(".")[:2])) < (4, 13) or not are_one_ffmpeg():
        pytest.skip("OpenCV takes all colours for those of BT.601 before 4.13")
    tags = f"colormatrix={matrix}:colorprim={primaries}:transfer=bt709"
    assert_same_levels(make.h264(tmp_path / "t.mp4", make.moving(3), **{"x264-params": tags}))


# Which one


def test_auto_is_pyav_where_it_is_installed_and_opencv_elsewhere(monkeypatch):
    monkeypatch.setattr(choice, "is_installed", lambda: True)
    assert [choice.chosen_decoder(name) for name in choice.DECODERS] == ["pyav", "opencv", "pyav"]
    monkeypatch.setattr(choice, "is_installed", lambda: False)
    assert [choice.chosen_decoder(name) for name in ("auto", "opencv")] == ["opencv", "opencv"]
    with pytest.raises(DataError, match=r'decoder=pyav needs PyAV, which is not installed; pip install "av>=17.*", or'):
        choice.chosen_decoder("pyav")


@pytest.mark.parametrize("wrong", ["ffmpeg", "", None, 1])
def test_another_decoder_is_refused(wrong, clip):
    for door in (lambda: open_video(clip, decoder=wrong), lambda: RunOptions(decoder=wrong),
                 lambda: idt.extract(clip, decoder=wrong)):  # fmt: skip
        with pytest.raises(DataError, match="decoder must be one of auto, opencv, pyav, got"):
            door()


def test_the_commands_that_read_videos_take_a_decoder(command):
    without = [name for name in scripts() if "--decoder {auto,opencv,pyav}" not in command(name, "--help")[1]]
    assert without == ["idt-convert", "svm-train", "idt-fuse"]


def test_a_decoder_that_is_not_installed_is_refused_by_a_command(monkeypatch, command, tmp_path):
    path = write_video(tmp_path / "a.avi", make.moving(8))
    monkeypatch.setattr(choice, "is_installed", lambda: False)
    words = ["idt-extract", path, "-o", tmp_path / "f.h5"]
    assert refused(command(*words, "--decoder", "pyav", status=2), "needs PyAV, which is not installed; pip install")
    assert refused(command(*words, "--deinterlace", status=2), "deinterlace needs PyAV")
    command(*words, "--patch", 16)
    assert idt.load(tmp_path / "f.h5").source["decoder"] == "opencv"


@BOTH
def test_python_takes_a_decoder_and_records_it(decoder, tmp_path):
    path = write_video(tmp_path / "a.avi", make.moving(8))
    options = {"length": 3, "patch": 16, "keypoints": "none", "decoder": decoder}
    features = idt.extract(path, **options)
    assert features.source["decoder"] == decoder
    assert len(features) == sum(map(len, idt.stream(path, **options)))
    idt.save(features, tmp_path / "f.h5")
    made_with = idt.load(tmp_path / "f.h5").made_with["decoder"]
    assert made_with.startswith("PyAV 1" if decoder == "pyav" else "avcodec ")
    assert "avcodec " in made_with
    assert "swscale " in made_with


def test_another_decoder_makes_a_file_again(tmp_path):
    make.pyav()
    path = write_video(tmp_path / "a.avi", make.moving(8))
    job = Job(str(path), "a", tmp_path / "a.h5")
    extract_job(job, PARAMS, run=RunOptions(decoder="opencv"))
    assert extract_job(job, PARAMS, run=RunOptions(decoder="opencv")).up_to_date
    with pytest.raises(DataError, match=r"was made with decoder avcodec .*, this run has PyAV .*; use another path or"):
        extract_job(job, PARAMS, run=RunOptions(decoder="pyav"))
    assert not extract_job(job, PARAMS, run=RunOptions(decoder="pyav", overwrite=True)).up_to_date
    for same in ("pyav", "auto"):
        assert extract_job(job, PARAMS, run=RunOptions(decoder=same)).up_to_date
    with mock.patch.object(versions, "_ffmpeg_of_pyav", return_value="PyAV 99"):
        versions._version.cache_clear()
        with pytest.raises(DataError, match=r"was made with decoder PyAV 1.*, this run has PyAV 99"):
            extract_job(job, PARAMS)
    versions._version.cache_clear()


def test_images_and_arrays_do_not_depend_on_the_decoder_of_videos(tmp_path):
    folder = scenes.write_images(tmp_path / "in", make.moving(8))
    job = Job(str(folder), "a", tmp_path / "a.h5")
    extract_job(job, PARAMS, run=RunOptions(decoder="opencv"))
    assert extract_job(job, PARAMS, run=RunOptions(decoder="auto")).up_to_date
    assert "decoder" not in open_video(folder).source


def test_an_evaluation_compares_the_decoder_before_it_extracts(tmp_path):
    make.pyav()
    path = write_video(tmp_path / "a.avi", make.moving(8))
    extract_job(Job(str(path), "a", tmp_path / "a.h5"), PARAMS, run=RunOptions(decoder="opencv"))
    tasks = [Task(str(path), "a", tmp_path / "a.h5", PARAMS)]
    refuse_other_features(tasks, "opencv")
    with pytest.raises(DataError, match=r"was made with decoder avcodec .*, this run has PyAV"):
        refuse_other_features(tasks)


@SLOW
def test_vectors_straight_from_videos_record_the_decoder(tmp_path):
    make.pyav()
    (job,) = plan([str(write_video(tmp_path / "a.avi", scenes.moving_patch(10, size=(64, 96))))], "features/")
    codebook = fit_codebook([random_features(60, seed=i) for i in (1, 2)], params=EncodingParams(k=2, sample=100))
    (tmp_path / "v.h5").unlink(missing_ok=True)
    made = {"codebook": codebook, "params": codebook.params_with()}
    for decoder, before in (("pyav", None), ("pyav", True), ("opencv", "was made with decoder PyAV")):
        run = RunOptions(decoder=decoder)
        videos = [VideoSource(job, ExtractionParams(length=15, patch=16, keypoints="none"), run=run)]
        if isinstance(before, str):
            with pytest.raises(DataError, match=before):
                encode_videos(videos, tmp_path / "v.h5", **made, run=run)
        else:
            assert encode_videos(videos, tmp_path / "v.h5", **made, run=run)[0].up_to_date is bool(before)


def test_help_says_what_auto_is(capsys):
    parser = Parser("x", "y", "z")
    add_reading_options(parser)
    with pytest.raises(SystemExit):
        parser.parse_args(["--help"])
    assert "auto is PyAV if it is installed, else OpenCV" in " ".join(capsys.readouterr().out.split())


# What a stranger's file may do


@pytest.mark.parametrize("decoder", [PYAV])
def test_a_file_leads_to_no_other_file(decoder, tmp_path):
    av = make.pyav()
    from idt.frames import pyav_container

    write_video(tmp_path / "b.avi", make.moving(8))
    (tmp_path / "list").write_bytes(f"ffconcat version 1.0\nfile {tmp_path}/b.avi\n".encode())
    # Playlists are refused before; FFmpeg itself has no reader for one and may open nothing else.
    with mock.patch.object(pyav_container, "refuse_playlist"), open_source(tmp_path / "list") as file:
        with pytest.raises(DataError, match="is not a video that PyAV can decode"):
            pyav_container.open_container(file, "list", 10**6)
        with pytest.raises(av.FFmpegError):
            av.open(
                pyav_container.ByteReader(file),
                format="concat",
                container_options={"safe": "0", "protocol_whitelist": ""},
                io_open=pyav_container._refuse_url,
            )
    with pytest.raises(PermissionError, match=r"must not refer to another file or address, got b\.avi"):
        pyav_container._refuse_url("b.avi", 0, {})


@pytest.mark.parametrize("decoder", [PYAV])
def test_a_video_of_large_frames_is_refused_undecoded(decoder, tmp_path):
    path = make.h264(tmp_path / "a.mp4", make.moving(5))
    with pytest.raises(DataError, match=r"a\.mp4 has 96×64 px, more than max_pixels=6143; raise it with --max-pixels"):
        open_video(path, decoder=decoder, max_pixels=96 * 64 - 1)
    assert open_video(path, decoder=decoder, max_pixels=96 * 64).width == 96


@pytest.mark.parametrize("decoder", [PYAV])
def test_a_video_is_read_from_the_file_that_was_opened(decoder, tmp_path):
    path = write_video(tmp_path / "a.avi", make.moving(8))
    other = write_video(tmp_path / "b.avi", make.moving(8)[::-1])
    file = decoders.open_file(str(path), decoder=decoder)
    os.replace(other, path)
    assert np.array_equal(file.read()[..., 0], make.moving(8)[0])
    with pytest.raises(DataError, match="was changed"):
        file.check_unchanged()
    file.close()


@BOTH
def test_a_damaged_video_makes_no_noise(decoder, tmp_path, capfd):
    path = make.damage(make.h264(tmp_path / "g.mp4", make.moving()), 18)
    read(path, decoder)
    if decoder == "pyav":
        assert capfd.readouterr().err == ""
