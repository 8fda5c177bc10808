"""Motion vectors of a codec as flow: signs and scales, rendered motion, real clips of several codecs, refusals."""

import sys

import numpy as np
import pytest

pytest.importorskip("av")

import itertools

import av

import idt
from idt.errors import DataError
from idt.flows.two_frames import pairs
from idt.frames.motion.encoded import Encoder
from idt.frames.motion.exported import references
from idt.frames.motion.fields import block_field, fill, upsampled
from idt.frames.motion.flow import MotionVectors
from idt.frames.video import Frame, open_video
from idt.params.extraction import ExtractionParams
from tests import golden, scenes

MOTION = 0.5
"""Pixels by which vectors in half pixels may miss a motion of whole or half ones."""

SHARE = 0.7
"""Endpoint error against Farnebäck's flow, as a share of what no flow at all has, where that is longer than 1 px. On
the whole of bowling it is a half, as published measurements of re-encoded MPEG-4 have it, on its first frames 0.61."""

FRAMES = 40

SOURCES = {
    "mpeg4": ("mpeg4", {"qmin": "3", "qmax": "3"}),
    "libx264": ("libx264", {"crf": "20"}),
    "one reference": ("libx264", {"crf": "20", "bf": "0", "refs": "1"}),
    "mjpeg": ("mjpeg", {"qmin": "2", "qmax": "2"}),
}
"""FFmpeg's encoders and their options, about the quality of UCF101; only "libx264" has B-frames."""

VECTOR = np.dtype(
    [
        *(("source", "<i4"), ("w", "u1"), ("h", "u1")),
        *((name, "<i2") for name in ("src_x", "src_y", "dst_x", "dst_y")),
        *(("flags", "<u8"), ("motion_x", "<i4"), ("motion_y", "<i4"), ("motion_scale", "<u2")),
    ],
    align=True,
)


def vector(x, y, motion, *, source=-1, scale=2, size=(16, 16)):
    return (source, *size, 0, 0, x, y, 0, *motion, scale)


def flows_of(frames):
    vectors = MotionVectors()
    numbered = [Frame(i, i, gray) for i, gray in enumerate(frames)]
    return np.stack([vectors.between(*two) for two in itertools.pairwise(numbered)])


# Vectors


def test_a_vector_is_the_opposite_of_the_flow_in_its_own_unit():
    vectors = np.array([vector(8, 8, (3, -4)), vector(24, 8, (8, 0), scale=4), vector(8, 24, (2, 2), source=1)], VECTOR)
    field, known = block_field(vectors, 2, 3)
    np.testing.assert_array_equal(field[0, :2], [[-1.5, 2], [-2, 0]])
    np.testing.assert_array_equal(known, [[True, True, False], [False, False, False]])


def test_a_larger_part_of_a_block_counts_for_more():
    parts = [(8, 4, (2, 0), (16, 8)), (4, 12, (4, 0), (8, 8)), (12, 12, (0, 8), (8, 8))]
    vectors = np.array([vector(x, y, motion, size=size) for x, y, motion, size in parts], VECTOR)
    field, _ = block_field(vectors, 1, 1)
    np.testing.assert_array_equal(field[0, 0], [-1, -1])


def test_small_blocks_are_averaged_and_no_vectors_are_no_motion():
    vectors = np.array([vector(4, 4, (2, 0)), vector(12, 4, (4, 0)), vector(99, 99, (2, 2))], VECTOR)
    field, known = block_field(vectors, 1, 2)
    np.testing.assert_array_equal(field[0], [[-1.5, 0], [-1, -1]])
    assert known.all()
    field, known = block_field(None, 3, 4)
    np.testing.assert_array_equal(fill(field, known), np.zeros((3, 4, 2)))


def test_blocks_without_a_vector_take_the_mean_of_their_neighbours():
    field = np.zeros((1, 5, 2), np.float32)
    field[0, 0], field[0, 2] = (2, 0), (4, 2)
    known = np.array([[True, False, True, False, False]])
    np.testing.assert_array_equal(fill(field, known)[0], [[2, 0], [3, 1], [4, 2], [4, 2], [4, 2]])


def test_the_centre_of_a_block_has_the_vector_of_the_block():
    field = np.array([[[0, 0], [16, 8]]], np.float32)
    whole = upsampled(field, 10, 30)
    assert whole.shape == (10, 30, 2)
    # Between the centres at 7.5 and 23.5.
    np.testing.assert_allclose(whole[5, [0, 7, 8, 15, 23, 29], 0], [0, 0, 0.5, 7.5, 15.5, 16], atol=1e-5)


# Motion


@pytest.mark.parametrize("velocity", [(4, -2), (0.5, 1), (-6, 0)])
def test_the_motion_of_a_rendered_scene_is_found_again_and_again(velocity):
    flows = flows_of(scenes.translating(5, velocity=velocity, size=(100, 150)))
    assert flows.dtype == np.float32
    error = np.linalg.norm(flows[:, 20:-20, 20:-20] - velocity, axis=3)
    assert np.median(error, axis=(1, 2)).max() < MOTION


def test_a_scene_at_rest_has_no_flow():
    np.testing.assert_array_equal(flows_of(scenes.static(4)), 0)


def test_two_runs_and_two_threads_are_alike():
    clip = scenes.moving_patch(12, velocity=(2, 1), background=(-1, 0))
    np.testing.assert_array_equal(flows_of(clip), flows_of(clip))
    one, two = (idt.extract(clip, preset="mpeg", length=5, time_cells=2, threads=n) for n in (1, 2))
    assert len(one)
    for name in ("points", "hof", "mbhx", "trajectory"):
        np.testing.assert_array_equal(getattr(one, name), getattr(two, name))
    assert one.params.flow == "mpeg"


def test_pairs_and_the_frame_loop_have_the_same_vectors():
    clip = scenes.moving_patch(5, velocity=(4, 0), background=(-2, 0))
    found = [pair.flow for _, pair in pairs(open_video(clip), ExtractionParams(flow="mpeg", camera=False)) if pair]
    np.testing.assert_array_equal(np.stack(found), flows_of(clip))
    np.testing.assert_array_equal(idt.flow_between(clip[0], clip[1], method="mpeg"), found[0])


# Vectors of the file itself


def frames_of(video, **options):
    """Frames of a video with the vectors that can be used."""
    return list(open_video(str(video), params=ExtractionParams(flow="mpeg", camera=False, **options)))


def exported(frames):
    return "".join("-v"[frame.vectors is not None] for frame in frames)


def encoded(path, frames, codec, **options):
    """Write frames as a video of a codec."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25, options=options)
        stream.height, stream.width = frames[0].shape
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        for gray in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(gray, format="gray")))
        container.mux(stream.encode())
    return path


@pytest.fixture(scope="module")
def panned():
    return scenes.translating(14, velocity=(2, -1), size=(100, 152))


@pytest.mark.parametrize(
    ("suffix", "codec"),
    [
        *(("avi", codec) for codec in ("mpeg4", "msmpeg4v2", "msmpeg4", "wmv1", "wmv2", "h263p")),
        *(("mpg", "mpeg1video"), ("mkv", "mpeg2video"), ("flv", "flv")),
    ],
)
def test_frames_predicted_from_the_one_before_bring_their_flow(tmp_path, panned, monkeypatch, suffix, codec):
    options = {"flags": "+qscale", "global_quality": f"{3 * 118}", "g": "12"}
    frames = frames_of(encoded(tmp_path / f"a.{suffix}", panned, codec, **options))
    # The last frame comes without vectors where the decoder holds it back.
    assert exported(frames)[:-1] == "-" + "v" * 11 + "-"
    monkeypatch.setattr(Encoder, "between", None)
    moved = [MotionVectors().between(*two) for two in itertools.pairwise(frames[:12])]
    error = np.linalg.norm(np.stack(moved)[:, 20:-20, 20:-20] - (2, -1), axis=3)
    assert np.median(error, axis=(1, 2)).max() < MOTION


@pytest.mark.parametrize(("name", "used"), [("bowling", "-" * 11), ("ice_dancing", "-" + "v" * 10)])
def test_a_clip_with_b_frames_of_xvid_is_encoded_and_one_without_is_not(name, used):
    assert exported(frames_of(golden.video(name), end=10)) == used
    if used[1:] == "-" * 10:
        return
    for options in ({"start": 3}, {"fps": 10}, {"max_side": 200}, {"deinterlace": True}):
        frames = frames_of(golden.video(name), end=10, **options)
        flows = [MotionVectors().between(*two) for two in itertools.pairwise(frames)]
        wanted = [idt.flow_between(a.gray, b.gray, method="mpeg") for a, b in itertools.pairwise(frames)]
        same = [np.array_equal(*two) for two in zip(flows, wanted, strict=True)]
        assert not any(same) if "start" in options else all(same)
    assert exported(list(open_video(golden.video(name), params=ExtractionParams(end=3)))) == "----"
    params = ExtractionParams(end=3, flow="mpeg", camera=False)
    assert exported(list(open_video(golden.video(name), params=params, decoder="opencv"))) == "----"


@pytest.mark.parametrize(
    ("options", "refers_to", "used"),
    [
        ({"bf": "0", "refs": "1"}, 1, "-" + "v" * 13),
        ({"bf": "0", "refs": "1", "profile": "baseline"}, 1, "-" + "v" * 13),
        ({"bf": "0", "refs": "3"}, 3, "-" * 14),
        ({"bf": "2", "b_strategy": "0", "refs": "1"}, 4, "-" * 14),
    ],
)
@pytest.mark.parametrize("suffix", ["mp4", "avi"])
def test_frames_of_h264_count_where_they_can_refer_to_one_other(tmp_path, panned, suffix, options, refers_to, used):
    if "libx264" not in av.codecs_available:
        pytest.skip("this FFmpeg has no libx264")
    video = encoded(tmp_path / f"a.{suffix}", panned, "libx264", **options)
    assert exported(frames_of(video)) == used
    with av.open(str(video)) as container:
        header = container.streams.video[0].codec_context.extradata
    assert references(header) == refers_to
    # What is cut or changed is never taken for one reference where the profile is still that of the header.
    assert {references(header[:end]) for end in range(len(header))} <= {None, refers_to}
    generator = np.random.default_rng(0)
    for _ in range(200):
        damaged = bytearray(header)
        damaged[generator.integers(len(header))] = generator.integers(256)
        found = references(bytes(damaged))
        assert found is None or found >= 0


@pytest.mark.parametrize("header", [None, b"", b"\1", b"\1" * 9, b"\0\0\1\x67", b"\0\0\1\x67\x42\0\x0a" + bytes(99)])
def test_a_header_without_the_number_of_references_says_none(header):
    assert references(header) is None


def test_pictures_and_frames_without_prediction_are_encoded(tmp_path, panned):
    assert exported(frames_of(encoded(tmp_path / "a.avi", panned, "mjpeg"))) == "-" * 14
    frames = frames_of(encoded(tmp_path / "b.avi", panned, "mpeg4", g="5"))
    assert exported(frames) == "-vvvv-vvvv-vvv"
    vectors = MotionVectors()
    for before, now in itertools.pairwise(frames):
        flow = vectors.between(before, now)
        if now.vectors is None:
            np.testing.assert_array_equal(flow, idt.flow_between(before.gray, now.gray, method="mpeg"))


def test_no_frame_of_a_long_video_is_without_flow(monkeypatch, panned):
    monkeypatch.setattr("idt.frames.motion.encoded.GROUP", 4)
    error = np.linalg.norm(flows_of(panned)[:, 20:-20, 20:-20] - (2, -1), axis=3)
    assert np.median(error, axis=(1, 2)).max() < MOTION


@pytest.mark.slow
@pytest.mark.parametrize("source", ["bowling", "ice_dancing", "mpeg4", "libx264", "one reference", "mjpeg"])
def test_vectors_of_a_real_clip_agree_with_its_flow_whatever_its_codec(tmp_path, source):
    video = golden.video(source if source == "ice_dancing" else "bowling")
    if source not in ("bowling", "ice_dancing"):
        codec, options = SOURCES[source]
        if codec not in av.codecs_available:
            pytest.skip(f"this FFmpeg has no {codec}")
        first = [frame.gray for frame in open_video(video, params=ExtractionParams(end=FRAMES))]
        video = encoded(tmp_path / "a.mkv", first, codec, **options)
    frames, vectors = frames_of(video, end=FRAMES), MotionVectors()
    flows = np.stack([vectors.between(*two) for two in itertools.pairwise(frames)])
    truth = np.stack([idt.flow_between(a.gray, b.gray) for a, b in itertools.pairwise(frames)])
    length = np.linalg.norm(truth, axis=3)
    moves = length > 1
    error = np.linalg.norm(flows - truth, axis=3)[moves].mean()
    assert error < SHARE * length[moves].mean()
    ratio = np.median(np.linalg.norm(flows, axis=3)[moves] / length[moves])
    assert ratio == pytest.approx(1, abs=0.15)


# Refusals


@pytest.mark.parametrize("options", [{}, {"compensation": "moved"}])
def test_there_is_no_flow_to_a_warped_frame(options):
    with pytest.raises(DataError, match=r"flow=mpeg is known between consecutive frames only.*compensation=field"):
        ExtractionParams(flow="mpeg", **options)
    assert ExtractionParams(flow="mpeg", camera=False, **options).flow == "mpeg"


def test_frames_that_are_not_consecutive_have_no_vectors():
    params = ExtractionParams(flow="mpeg", camera=False)
    with pytest.raises(DataError, match="got step=2; leave it 1"):
        next(pairs(open_video(scenes.static(4)), params, step=2))


def test_frames_larger_than_the_codec_takes_are_refused():
    with pytest.raises(DataError, match="takes frames of at most 8176 px, got 8192×16 px"):
        flows_of(np.zeros((2, 16, 8180), np.uint8))


def test_the_remedy_is_named_where_pyav_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "idt.frames.motion.flow", None)
    with pytest.raises(DataError, match="flow=mpeg needs PyAV; pip install"):
        idt.extract(scenes.static(3), flow="mpeg", camera=False)
