"""Running videos: labels settle as they would if the video were whole, in constant memory and with a bounded delay."""

import dataclasses
import io
import itertools

import cv2
import numpy as np
import pytest

from classify.svm.linear import LinearSVM
from classify.untrimmed.frame_pipe import FramePipe
from classify.untrimmed.running import RunningSegments, slices_to_wait
from classify.untrimmed.running_viterbi import RunningViterbi
from classify.untrimmed.segment_training import train_on_segments
from classify.untrimmed.segment_videos import SegmentOptions, segment_slices
from classify.untrimmed.viterbi import decode_frames
from encoding.descriptors.sources import FeaturesSource
from encoding.fitting import fit_codebook
from encoding.params import EncodingParams
from encoding.slices.cut import Cut
from encoding.slices.running import running_slices
from encoding.slices.slices_file import slice_video
from idt.errors import DataError
from tests.untrimmed.test_segment_command import FPS, features, truth

LENGTH = 20


def labels_of(rows, penalty, most_waiting):
    decoder = RunningViterbi(penalty, most_waiting)
    return [label for row in rows for label in decoder.push(row)] + decoder.finish()


def test_a_dip_is_bridged_as_soon_as_the_ways_agree():
    decoder = RunningViterbi(2.0, 10)
    settled = [decoder.push(row) for row in ([3, 0], [3, 0], [0, 1], [3, 0], [3, 0])]
    assert [*itertools.chain(*settled), *decoder.finish()] == [0] * 5
    assert sum(map(len, settled)) >= 3


@pytest.mark.parametrize("seed", range(6))
def test_labels_are_those_of_the_whole_if_they_may_wait(seed):
    rng = np.random.default_rng(seed)
    rows = np.repeat(rng.normal(size=(12, 4)), 5, axis=0) + rng.normal(size=(60, 4))
    penalty = float(rng.uniform(0, 4))
    assert labels_of(rows, penalty, 60) == decode_frames(rows, penalty)[0].tolist()


def test_a_label_waits_no_longer_than_it_may():
    rng = np.random.default_rng(1)
    decoder, settled = RunningViterbi(1e6, 7), 0
    for pushed, row in enumerate(rng.normal(size=(200, 3)), 1):
        settled += len(decoder.push(row))
        assert pushed - settled <= 7
    assert settled + len(decoder.finish()) == 200


def test_a_way_that_was_left_does_not_come_back():
    rows = [[1.0, 0.0], [0.0, 0.0], [0.0, 0.0], [0.0, 50.0]]
    # The first two labels had to be told before the last row, and a change costs more than it brings.
    assert labels_of(rows, 100.0, 2) == [0, 0, 0, 0]
    assert labels_of(rows, 100.0, 4) == [1, 1, 1, 1]


@pytest.fixture(scope="module")
def trained():
    """Codebook, its options, a model, and the features of a video that it has not seen."""
    found = {name: features(name) for name in ("v0", "v1", "v2", "v3")}
    names = ["v0", "v1", "v2"]
    codebook = fit_codebook([found[name] for name in names], names, EncodingParams(k=1, blocks="hog"))
    params = codebook.params_with()
    sliced = [sliced_of(found[name], name, codebook, params) for name in names]
    model = train_on_segments(sliced, truth(names), codebook, params, LinearSVM(C=100.0), length=LENGTH)
    return codebook, params, model, found["v3"]


def sliced_of(found, name, codebook, params):
    return slice_video(FeaturesSource(found, name), codebook, params, rate_and_frames=(found.fps, found.frames))


def chunks(found, size=16):
    """Tracks as `idt.stream` hands them out."""
    for first in range(0, found.frames, size):
        rows = np.flatnonzero((found.frame >= first) & (found.frame < first + size))
        yield dataclasses.replace(found[rows], frames=None, camera=None), min(first + size, found.frames)


def test_slices_come_when_their_last_frame_has_passed(trained):
    codebook, params, _, video = trained
    whole = sliced_of(video, "v3", codebook, params)
    passed = [0]

    def noted():
        for chunk, frames in chunks(video):
            passed[0] = frames
            yield chunk, frames

    numbers = []
    for each in running_slices(noted(), codebook, params, name="v3"):
        numbers.append(each.number)
        assert (each.number + 1) * 5 <= passed[0] < (each.number + 1) * 5 + 16
        row = np.flatnonzero(whole.index == each.number)
        assert each.tracks == (whole.tracks[row[0]] if len(row) else 0)
        if len(row):
            np.testing.assert_allclose(each.sums / each.tracks, whole.means[row[0]], rtol=1e-5, atol=1e-6)
    assert numbers == list(range(whole.count))


def test_segments_are_those_of_the_whole_video_and_come_within_the_stated_delay(trained):
    codebook, params, model, video = trained
    running = RunningSegments(codebook, params, model, length=LENGTH, penalty=1.0, wait=8)
    found = list(running.run(chunks(video), name="v3"))
    whole = segment_slices(
        sliced_of(video, "v3", codebook, params), codebook, params, model, SegmentOptions(lengths=(LENGTH,))
    )
    assert [each.label for each in found] == whole.segments.labels.tolist()
    np.testing.assert_allclose([(each.start / FPS, each.end / FPS) for each in found], whole.segments.spans)
    np.testing.assert_allclose([each.score for each in found], whole.segments.scores, rtol=1e-3)
    assert max(each.settled_at - each.end for each in found) <= running.delay
    assert found[0].settled_at < video.frames / 2


def test_frames_before_the_first_track_get_its_scores(trained):
    codebook, params, model, video = trained
    late = dataclasses.replace(video[video.frame >= 70], frames=video.frames)
    found = list(RunningSegments(codebook, params, model, length=LENGTH).run(chunks(late), name="v3"))
    assert found[0].start == 0
    assert found[-1].end == video.frames


def test_a_video_that_ends_without_a_track_or_in_the_middle_of_a_slice_has_an_answer(trained):
    codebook, params, model, video = trained
    running = RunningSegments(codebook, params, model, length=LENGTH)
    with pytest.raises(DataError, match="v3 has no tracks, so there is nothing to segment"):
        list(running.run(chunks(dataclasses.replace(video[:0], frames=33)), name="v3"))
    short = dataclasses.replace(video[video.frame < 33], frames=33)
    (only,) = RunningSegments(codebook, params, model, length=60).run(chunks(short), name="v3")
    assert (only.start, only.end) == (0, 33)


def test_what_cannot_run_is_refused(trained):
    codebook, params, model, video = trained
    with pytest.raises(DataError, match="length of windows must be a multiple of the 5 frames"):
        RunningSegments(codebook, params, model, length=12)
    with pytest.raises(DataError, match="sliced by the ends of tracks"):
        next(running_slices(chunks(video), codebook, params, name="v3", cut=Cut(assign="middle")))
    with pytest.raises(DataError, match="penalty must be from 0"):
        RunningViterbi(-1.0, 4)
    with pytest.raises(DataError, match="one score a class, got 3 and 2 before"):
        labels_of([[0.0, 1.0], [0.0, 1.0, 2.0]], 1.0, 4)


def test_a_wait_is_whole_slices_and_at_least_one():
    assert slices_to_wait(4.0, 25.0, 5) == 20
    assert slices_to_wait(0.0, 25.0, 5) == 1


def stream(frames, header=b"YUV4MPEG2 W8 H6 F25:2 Ip A1:1 C420jpeg\n"):
    return io.BytesIO(header + b"".join(b"FRAME\n" + frame for frame in frames))


def test_frames_come_out_of_a_pipe():
    gray = np.arange(48, dtype=np.uint8).reshape(6, 8) * 4 + 20
    pipe = FramePipe(stream([gray.tobytes() + bytes([128] * 24)] * 3))
    frames = list(pipe)
    assert (len(frames), pipe.fps, pipe.notes) == (3, 12.5, [])
    shown = cv2.cvtColor(frames[0], cv2.COLOR_BGR2GRAY).astype(float)
    np.testing.assert_allclose(shown, np.clip((gray.astype(float) - 16) * 255 / 219, 0, 255), atol=2)
    mono = FramePipe(stream([gray.tobytes()], b"YUV4MPEG2 W8 H6 Cmono\n"))
    np.testing.assert_array_equal(next(mono), gray)
    assert np.isnan(mono.fps)


def test_a_pipe_that_breaks_off_says_so():
    pipe = FramePipe(stream([bytes(72), bytes(10)]))
    assert len(list(pipe)) == 1
    assert pipe.notes == ["the pipe ends within a frame, which is left out"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "must be a YUV4MPEG2 stream"),
        (b"RIFF....AVI LIST", "must be a YUV4MPEG2 stream"),
        (b"YUV4MPEG2 W0 H6\n", "must be a YUV4MPEG2 stream"),
        (b"YUV4MPEG2 W8 H6 C444\n", "samples of the kind C444"),
        (b"YUV4MPEG2 W7 H6 C420\n", "expected even sides"),
        (b"YUV4MPEG2 W999999 H999999 C420\n", "more than max_pixels"),
        (b"YUV4MPEG2 W8 H6 C420\nFRIEND\n", "a frame must begin with FRAME"),
        (b"YUV4MPEG2 W8 H6 C420\n" + b"x" * 5000, "a frame must begin with FRAME"),
    ],
)
def test_a_pipe_of_something_else_is_refused(content, said):
    with pytest.raises(DataError, match=said):
        list(FramePipe(io.BytesIO(content)))
