"""What a file says it was made from is what was read: one opening, names that act, playlists, versions.

A source is exchanged at every moment at which it can be, by every means: a rename, a write in place, a cut, a link.
"""

import contextlib
import dataclasses
import hashlib
import os
import shutil
import struct
from pathlib import Path
from unittest import mock

import cv2
import h5py
import numpy as np
import pytest

import idt
from benchmarks.clips import write_video
from classify.models import train
from classify.params import ClassifierParams
from encoding.descriptors.sources import FileSource, VideoSource
from encoding.vectors_file import VectorsWriter
from idt.batch.extract_one import extract_job, source_of_job
from idt.batch.jobs import Job, plan
from idt.errors import DataError
from idt.extractor import source_of
from idt.features import feature_file
from idt.features.convert import convert
from idt.features.release import rows as release_rows
from idt.files import versions
from idt.files.source_file import open_source
from idt.frames import people, sources
from idt.frames.video import open_video
from idt.params.extraction import ExtractionParams
from idt.workers.run_options import RunOptions
from tests import scenes
from tests.commands import refused
from tests.samples import random_features

PARAMS = ExtractionParams(length=3, stride=8, scales=1, keypoints="orb", patch=16)
CHANGED = "was changed, moved or linked while it was read"


@pytest.fixture
def clips(tmp_path, monkeypatch):
    """The current folder, with two videos whose frames cannot be mistaken for each other."""
    monkeypatch.chdir(tmp_path)
    write_video("a.avi", scenes.translating(24, size=(48, 64)))
    write_video("b.avi", scenes.translating(24, size=(64, 48), seed=1))
    return tmp_path


def rename_over(path):
    shutil.copy("b.avi", "new.avi")
    os.replace("new.avi", path)


def write_over(path):
    Path(path).write_bytes(Path("b.avi").read_bytes())


def cut(path):
    os.truncate(path, os.path.getsize(path) // 2)


def write_over_and_set_the_time_back(path):
    before = os.stat(path)
    data = bytearray(Path(path).read_bytes())
    data[len(data) // 2] ^= 255
    Path(path).write_bytes(data)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


EXCHANGES = pytest.mark.parametrize(
    "exchange", [rename_over, write_over, cut, write_over_and_set_the_time_back, os.unlink]
)


@EXCHANGES
def test_a_video_that_is_exchanged_between_opening_and_hashing_is_refused(clips, exchange):
    with open_video("a.avi", params=PARAMS) as video:
        exchange("a.avi")
        with pytest.raises(DataError, match=CHANGED):
            _ = video.source


@EXCHANGES
def test_a_video_that_is_exchanged_while_it_is_read_leaves_no_file(clips, exchange):
    left = [exchange]

    @contextlib.contextmanager
    def progress(stage, total):
        yield lambda count=1: left and left.pop()("a.avi")

    with pytest.raises(DataError, match=CHANGED):
        extract_job(Job("a.avi", "a", Path("out/a.h5")), PARAMS, run=RunOptions(progress=progress))
    assert not left
    assert not [name for _, _, names in os.walk("out") for name in names if name != ".idt.lock"]


@EXCHANGES
def test_idt_extract_of_python_refuses_a_video_that_is_exchanged_after_its_first_frame(clips, exchange, monkeypatch):
    find_reader = sources.find_reader

    def exchanged(*arguments, **options):
        reader = find_reader(*arguments, **options)
        exchange("a.avi")
        return reader

    monkeypatch.setattr("idt.frames.video.find_reader", exchanged)
    with pytest.raises(DataError, match=CHANGED):
        idt.extract("a.avi", length=3, scales=1, patch=16, keypoints="orb")


def test_a_reader_with_two_threads_notices_it_too(clips):
    with open_video("a.avi", params=PARAMS, ahead=2) as video:
        write_over("a.avi")
        with pytest.raises(DataError, match=CHANGED):
            list(video)


def test_a_part_of_a_video_that_is_exchanged_is_refused_at_its_end(clips):
    with open_video("a.avi", params=dataclasses.replace(PARAMS, end=3)) as video:
        rename_over("a.avi")
        with pytest.raises(DataError, match=CHANGED):
            list(video)


def test_an_image_that_is_exchanged_between_its_hash_and_its_pixels_is_refused(tmp_path):
    folder = scenes.write_images(tmp_path / "in", scenes.noise(4, size=(48, 64)))
    with open_video(folder, params=PARAMS) as video:
        _ = video.digest
        cv2.imwrite(str(folder / "frame2.png"), scenes.noise(1, size=(48, 64), seed=9)[0])
        with pytest.raises(DataError, match=r"frame2\.png was changed while in was read"):
            list(video)


def test_an_image_that_is_exchanged_after_its_pixels_is_refused(tmp_path):
    folder = scenes.write_images(tmp_path / "in", scenes.noise(4, size=(48, 64)))
    with open_video(folder, params=PARAMS) as video:
        list(video)
        cv2.imwrite(str(folder / "frame0.png"), scenes.noise(1, size=(48, 64), seed=9)[0])
        with pytest.raises(DataError, match=r"frame0\.png was changed while in was read"):
            _ = video.source


def test_a_link_among_images_that_points_elsewhere_meanwhile_is_refused(tmp_path):
    frames = scenes.write_images(tmp_path / "all", scenes.noise(4, size=(48, 64)))
    (tmp_path / "in").mkdir()
    for i in range(3):
        (tmp_path / "in" / f"{i}.png").symlink_to(frames / f"frame{i}.png")
    with open_video(tmp_path / "in", params=PARAMS) as video:
        _ = video.digest
        (tmp_path / "in" / "1.png").unlink()
        (tmp_path / "in" / "1.png").symlink_to(frames / "frame3.png")
        with pytest.raises(DataError, match="was changed"):
            list(video)


def test_the_boxes_that_are_used_are_those_whose_digest_is_recorded(clips, monkeypatch):
    text = "".join(f"{i} 1 1 9 9 1\n" for i in range(24))
    Path("boxes.txt").write_text(text)
    boxes = people.read_boxes("boxes.txt")
    assert boxes.digest == hashlib.sha256(text.encode()).hexdigest()
    with open_video("a.avi", params=PARAMS) as video:
        Path("boxes.txt").write_text("0\n")
        assert source_of(video, boxes)["boxes_digest"] == boxes.digest
        assert source_of(video, boxes.clipped(64, 48).scaled(0.5))["boxes_digest"] == boxes.digest
    job = Job("a.avi", "a", Path("a.h5"))
    Path("boxes.txt").write_text(text)
    read, asked = people.read_boxes, []

    def exchanged(path):
        asked.append(path)
        found = read(path)
        Path(path).write_text("0\n")
        return found

    monkeypatch.setattr(people, "read_boxes", exchanged)
    extract_job(job, PARAMS, boxes="boxes.txt")
    assert idt.load("a.h5").source["boxes_digest"] == boxes.digest
    assert len(asked) == 1


def test_boxes_that_are_exchanged_while_they_are_parsed_are_refused(tmp_path, monkeypatch):
    path = tmp_path / "boxes.txt"
    path.write_text("0\n")
    parse = people._parse

    def exchanged(fields):
        path.write_text("0 1 1 2 2 1\n")
        return parse(fields)

    monkeypatch.setattr(people, "_parse", exchanged)
    with pytest.raises(DataError, match=CHANGED):
        people.read_boxes(path)


def test_vectors_made_straight_from_videos_have_the_digest_of_what_was_extracted(clips):
    (job,) = plan(["a.avi"], "features/")
    video = VideoSource(job, PARAMS)
    video = dataclasses.replace(video, content=video.digest())
    sizes = {"hog": 96}
    assert len(list(video.batches(sizes))) == 1
    rename_over("a.avi")
    with pytest.raises(DataError, match=r"a\.avi was changed since its digest was taken"):
        list(video.batches(sizes))


def test_the_digest_of_a_video_with_boxes_depends_on_the_boxes(clips):
    Path("boxes.txt").write_text("".join(f"{i}\n" for i in range(24)))
    (job,) = plan(["a.avi"], "features/")
    one = VideoSource(job, PARAMS, boxes="boxes.txt").digest()
    Path("boxes.txt").write_text("".join(f"{i} 1 1 30 30 1\n" for i in range(24)))
    assert one != VideoSource(job, PARAMS, boxes="boxes.txt").digest() != VideoSource(job, PARAMS).digest()


def test_a_feature_file_that_is_exchanged_between_its_digest_and_its_rows_is_refused(tmp_path):
    for seed in (1, 2):
        idt.save(random_features(30, seed=seed), tmp_path / f"{seed}.h5")
    source = FileSource(tmp_path / "1.h5", "1")
    source.digest()
    assert len(list(source.with_name("one").chunks(("hog",)))) == 1
    os.replace(tmp_path / "2.h5", tmp_path / "1.h5")
    with pytest.raises(DataError, match="was changed since its header was read"):
        list(source.chunks(("hog",)))


def test_vectors_that_are_exchanged_while_a_model_is_trained_leave_no_model(tmp_path, monkeypatch):
    path = tmp_path / "v.h5"
    layout = [{"block": "hog", "cell": "whole", "first": 0, "size": 3}]
    with VectorsWriter(path, layout=layout, codebook="0" * 64, params=None, source=None) as writer:
        for i in range(6):
            writer.append(str(i), np.eye(3, dtype=np.float32)[i % 3])
    (tmp_path / "l.csv").write_text("".join(f"{i},{'ab'[i % 2]}\n" for i in range(6)))
    build = train.build_classifier

    def exchanged(*arguments):
        os.utime(path, (1, 1))
        return build(*arguments)

    monkeypatch.setattr(train, "build_classifier", exchanged)
    with pytest.raises(DataError, match=CHANGED):
        train.train(path, tmp_path / "l.csv", tmp_path / "m.h5", ClassifierParams())
    assert not (tmp_path / "m.h5").exists()


def test_rows_that_are_exchanged_while_they_are_converted_leave_no_file(tmp_path, monkeypatch):
    features = random_features(20, foreign="binary")
    convert_to = tmp_path / "rows.bin"
    release_rows.write_binary(features, convert_to)
    blocks = release_rows.read_blocks

    def exchanged(path):
        yield from blocks(path)
        os.utime(path, (1, 1))

    monkeypatch.setattr(release_rows, "read_blocks", exchanged)
    with pytest.raises(DataError, match=CHANGED):
        convert(convert_to, tmp_path / "f.h5")
    assert not (tmp_path / "f.h5").exists()


NAMES = (
    "concat:other.avi", "concatf:list", "file:other.avi", "async:other.avi", "cache:other.avi",
    "subfile,,start,0,end,0,,:other.avi", "crypto:other.avi", "data:video,other.avi", "fd:", "pipe:0", "unix:other.avi",
    "tcp:127.0.0.1:1", "clip_%03d.avi", "clip_%d.y4m", "-", "|other.avi", "@other", "other.avi?listen=1", "md5:other",
)  # fmt: skip


@pytest.mark.usefixtures("each_decoder")
@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_a_name_and_never_a_protocol_or_a_pattern(clips, name):
    os.rename("b.avi", "other.avi")
    for number in (0, 1):
        shutil.copy("other.avi", f"clip_{number:03}.avi")
    shutil.copy("a.avi", name)
    with open_video(name, params=PARAMS) as video:
        assert (video.width, video.height, len(list(video))) == (64, 48, 24)
        assert video.digest == hashlib.sha256(Path("a.avi").read_bytes()).hexdigest()


@pytest.mark.parametrize("name", ["concat:a.avi", "http://127.0.0.1:1/a.avi", "unix:a.avi", "data:a", "pipe:0", "-"])
def test_a_protocol_whose_name_no_file_has_is_no_file(clips, command, name):
    assert refused(command("idt-extract", name, "-o", "f.h5", status=2), "no such file")
    assert refused(command("idt-show", name, "-o", "f.png", status=2), "no such file")


PLAYLISTS = {
    "ffconcat": b"ffconcat version 1.0\nfile a.avi\n",
    "ffconcat with bytes": b"ffconcat version 1.0\nfile a.avi\n# \0\1\2\xff",
    "ffconcat behind a tag": b"ID3\x04\0\0\0\0\0\x0a" + bytes(10) + b"ffconcat version 1.0\nfile a.avi\n",
    "a descriptor": b"ffconcat version 1.0\nfile 5\n",
    "m3u8": b"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\na.avi\n#EXT-X-ENDLIST\n",
    "m3u8 with a mark": b"\xef\xbb\xbf#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\na.avi\n#\0\n",
    "m3u8 of the network": b"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\nhttp://127.0.0.1:1/a.ts\n#EXT-X-ENDLIST\n",
    "dash": b'<?xml version="1.0"?><MPD profiles="urn:mpeg:dash:profile:isoff-on-demand:2011"><BaseURL>a.avi</MPD>',
    "xspf": b"<playlist><trackList><track><location>a.avi</location></track></trackList></playlist>",
    "sdp": b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nm=video 5555 RTP/AVP 96\n",
    "sdp behind bytes": b"\1\2\nc=IN IP4 127.0.0.1\nm=video 5555 RTP/AVP 96\n",
    "vobsub": b"# VobSub index file, v7\n\0",
    "names": b"a.avi\n",
}


@pytest.mark.usefixtures("each_decoder")
@pytest.mark.parametrize("suffix", ["avi", "m3u8", "ffconcat", "sdp", "mpd", "txt"])
@pytest.mark.parametrize("kind", PLAYLISTS)
def test_a_text_that_names_other_files_is_no_video(clips, kind, suffix):
    path = f"list.{suffix}"
    Path(path).write_bytes(PLAYLISTS[kind])
    with pytest.raises(DataError, match=r"list\.\w+ is not a video but text or a playlist"):
        open_video(path)


def test_a_playlist_is_refused_wherever_a_video_is_named(clips, command):
    Path("in").mkdir()
    Path("in/p.avi").write_bytes(PLAYLISTS["ffconcat"])
    Path("list.txt").write_text("in/p.avi\n")
    for words in (["in/p.avi"], ["@list.txt"], ["in"], ["in/*.avi"]):
        assert refused(command("idt-extract", *words, "-o", "f.h5", status=2), "text or a playlist")
    assert refused(command("idt-show", "in/p.avi", "-o", "f.png", status=2), "text or a playlist")
    assert not Path("f.h5").exists()


def movie_with_its_data_elsewhere(path, other):
    """An MP4 whose frames are said to lie in another file, by a Macintosh alias."""
    write_video(path, scenes.translating(8, size=(48, 64)), fourcc="mp4v")
    data = Path(path).read_bytes()
    name = os.fsencode(other)
    alias = bytes(10) + b"\1v".ljust(28, b"\0") + bytes(12) + (bytes([len(name)]) + name).ljust(64, b"\0")
    alias += bytes(16) + struct.pack(">HH", 1, 1) + bytes(16) + struct.pack(">HH", 2, len(name)) + name
    alias = (alias + bytes(2)).ljust(170, b"\0")
    entry = struct.pack(">I4sI", 12 + len(alias), b"alis", 0) + alias
    at = data.index(b"dref") - 4
    length = struct.unpack_from(">I", data, at)[0]
    new = struct.pack(">I4sII", 16 + len(entry), b"dref", 0, 1) + entry
    grown = bytearray(data[:at] + new + data[at + length :])
    for box in (b"moov", b"trak", b"mdia", b"minf", b"dinf"):
        place = data.index(box) - 4
        grown[place : place + 4] = struct.pack(">I", struct.unpack_from(">I", data, place)[0] + len(new) - length)
    Path(path).write_bytes(grown)


@pytest.mark.usefixtures("each_decoder")
def test_a_movie_does_not_lead_to_another_file(clips):
    write_video("other.mp4", scenes.translating(8, size=(48, 64), seed=3), fourcc="mp4v")
    movie_with_its_data_elsewhere("m.mp4", "other.mp4")
    # FFmpeg follows such an alias only where enable_drefs is set.
    with pytest.raises(DataError, match=r"m\.mp4"):
        list(open_video("m.mp4", params=PARAMS))


def stored(path, **changes):
    """A feature file of this run, some versions in it changed; None removes the record."""
    now = versions.made_with("idt-features", {})
    with mock.patch.object(versions, "made_with", return_value={**now, **changes}):
        idt.save(random_features(5), path)
    if "made_with" in changes:
        with h5py.File(path, "r+", libver=("v110", "v110")) as file:
            del file.attrs["made_with"]
    features = idt.load(path)
    return {
        "params": feature_file.stored_params(features.params),
        "source": features.source,
    }


def test_a_feature_file_says_what_it_was_made_with(tmp_path):
    kind = stored(tmp_path / "f.h5")
    found = idt.load(tmp_path / "f.h5").made_with
    assert list(found) == ["decoder", "numba", "numpy", "opencv", "package"]
    assert found["numpy"] == np.__version__
    assert found["opencv"] == cv2.__version__
    assert feature_file.is_current(tmp_path / "f.h5", **kind)


@pytest.mark.parametrize("name", ["package", "numpy", "numba", "opencv", "decoder"])
def test_a_file_made_with_another_version_is_not_up_to_date(tmp_path, name):
    kind = stored(tmp_path / "f.h5", **{name: "0.0.1"})
    with pytest.raises(
        DataError, match=rf"was made with {name} 0\.0\.1, this run has .*; use another path or --overwrite"
    ):
        feature_file.is_current(tmp_path / "f.h5", **kind)
    assert not feature_file.is_current(tmp_path / "f.h5", **kind, overwrite=True)


def test_a_file_of_an_earlier_release_is_not_up_to_date(tmp_path):
    kind = stored(tmp_path / "f.h5", made_with=None)
    with pytest.raises(DataError, match="does not say with which versions it was made"):
        feature_file.is_current(tmp_path / "f.h5", **kind)
    assert idt.load(tmp_path / "f.h5").made_with == {}


def test_features_that_are_loaded_saved_and_converted_keep_their_versions(tmp_path):
    stored(tmp_path / "f.h5", numpy="0.0.1")
    features = idt.load(tmp_path / "f.h5")
    idt.save(features, tmp_path / "g.h5")
    convert(tmp_path / "f.h5", tmp_path / "h.h5", storage=idt.features.storage.Storage(compact=True))
    for name in ("g.h5", "h.h5"):
        assert idt.load(tmp_path / name).made_with["numpy"] == "0.0.1"
    _, notes = convert(tmp_path / "f.h5", tmp_path / "h.h5", storage=idt.features.storage.Storage(compact=True))
    assert notes == [f"{tmp_path / 'h.h5'} is up to date"]


def test_options_of_the_decoder_are_part_of_its_version(monkeypatch):
    plain = versions._ffmpeg_of_opencv(cv2.getBuildInformation())
    monkeypatch.setenv("OPENCV_FFMPEG_CAPTURE_OPTIONS", "flags2;fast")
    assert versions._ffmpeg_of_opencv(cv2.getBuildInformation()) == f"{plain}, flags2;fast"


def test_files_of_the_later_stages_depend_on_what_fits_them_and_on_the_decoder_only_with_videos():
    learnt = ["package", "numpy", "numba", "scipy", "scikit-learn"]
    assert list(versions.made_with("idt-codebook", {}, {"kind": "features"})) == learnt
    straight = versions.made_with("idt-vectors", {}, {"kind": "videos"})
    assert sorted(straight) == sorted([*learnt, "opencv", "decoder"])
    # Rows that others extracted are only copied.
    assert list(versions.made_with("idt-features", None, {"kind": "text"})) == ["package"]


def test_a_source_is_hashed_from_the_file_that_was_opened(clips):
    digest = hashlib.sha256(Path("a.avi").read_bytes()).hexdigest()
    with open_source("a.avi") as file:
        os.rename("a.avi", "c.avi")
        os.rename("b.avi", "a.avi")
        assert hashlib.sha256(Path(file.library_path).read_bytes()).hexdigest() == digest
        with pytest.raises(DataError, match=CHANGED):
            file.digest()
    assert source_of_job(Job("c.avi", "c", Path("c.h5")), PARAMS)["digest"] == digest
