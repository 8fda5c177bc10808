"""The rendered actors as long videos with known boundaries: every method of `idt-segment`, and a running video."""

import io
import sys
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from classify.segment_cli import segment
from classify.untrimmed.formats.table import read_table
from encoding.cli import fv_encode
from examples.long_videos import write_long_videos
from idt.cli import extract

pytestmark = pytest.mark.slow

ACTIONS = ("bend", "punch", "walk", "wave")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Folder of four long videos: features and slices of three for training, and the last one."""
    folder = tmp_path_factory.mktemp("long")
    *others, last = write_long_videos(folder / "videos", n_actors=4, frames=60, actions=ACTIONS)
    quiet = ["--quiet"]
    words = ["--preset", "fast", "-o", f"{folder / 'features'}/"]
    assert extract([*map(str, others), *words, *quiet]) == 0
    book = str(folder / "book.h5")
    assert fv_encode([str(folder / "features"), "-o", book, "--fit-only", "--k", "8", *quiet]) == 0
    assert fv_encode([str(folder / "features"), "-o", f"{folder / 'slices'}", "--codebook", book, "--slices", "5"]) == 0
    lines = (folder / "videos" / "segments.csv").read_text().splitlines()
    (folder / "train.csv").write_text("".join(f"{line}\n" for line in lines if not line.startswith(last.stem)))
    (folder / "truth.csv").write_text("".join(f"{line}\n" for line in lines if line.startswith(last.stem)))
    (folder / "transcripts").mkdir()
    order = [line.split(",")[3] for line in lines if line.startswith(last.stem)]
    (folder / "transcripts" / f"{last.stem}.txt").write_text("".join(f"{label}\n" for label in order))
    return folder, last


def words(place, *more):
    folder, _ = place
    trained = ["--train", folder / "train.csv", "--train-slices", folder / "slices", "--codebook", folder / "book.h5"]
    return [str(word) for word in [*trained, "--window", "20", *more]]


def shares(said):
    return {line.split(":")[0]: float(line.split("frames ")[1].split(" %")[0]) for line in said.splitlines()
            if "frames " in line}  # fmt: skip


def test_actions_of_an_unseen_actor_are_found_with_their_boundaries(place, tmp_path, capsys):
    folder, last = place
    found = {}
    for method in ("windows", "viterbi", "dtw"):
        more = ["--method", method, "--truth", folder / "truth.csv", "-o", tmp_path / f"{method}.csv", "--quiet"]
        more += ["--transcripts", folder / "transcripts"] if method == "dtw" else []
        more += ["--timeline", tmp_path / "timeline.png"] if method == "viterbi" else []
        assert segment(words(place, last, *more)) == 0
        found.update(shares(capsys.readouterr().out))
    assert (tmp_path / "timeline.png").read_bytes().startswith(b"\x89PNG")
    assert found["viterbi"] >= 75
    assert found["dtw"] >= 85
    assert found["dtw"] > found["equal parts"]


@pytest.mark.parametrize("way", ["file", "pipe"])
def test_a_running_video_has_the_segments_of_the_whole(place, tmp_path, capsys, monkeypatch, way):
    _, last = place
    assert segment(words(place, last, "-o", tmp_path / "whole.csv", "--quiet")) == 0
    capsys.readouterr()
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(pipe_of(last))))
    given = ["-"] if way == "pipe" else [last, "--running"]
    assert segment(words(place, *given, "--delay", "60")) == 0
    out, err = capsys.readouterr()
    assert "a segment is printed at most 61.4 s after its end" in err
    (tmp_path / "running.csv").write_text(out)
    running, whole = (read_table(tmp_path / f"{name}.csv") for name in ("running", "whole"))
    assert running.labels.tolist() == whole.labels.tolist()
    np.testing.assert_allclose(running.spans, whole.spans, atol=1e-9)


def pipe_of(path):
    """The video as YUV4MPEG2 of its gray levels."""
    capture = cv2.VideoCapture(str(path))
    frames = []
    while (read := capture.read())[0]:
        frames.append(read[1][..., 0])
    height, width = frames[0].shape
    head = f"YUV4MPEG2 W{width} H{height} F25:1 Cmono\n".encode()
    return head + b"".join(b"FRAME\n" + frame.tobytes() for frame in frames)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["a.avi", "b.avi", "--running"], "one video can run at a time, got 2 inputs"),
        (["0", "-o", "s.csv"], "the segments of a running video are printed; drop --output"),
        (["0", "--method", "windows"], "a running video is segmented by viterbi"),
        (["a.avi"], "the segments need an output, -o"),
        (["a.avi", "-o", "s.csv", "--rate", "25"], "--rate is for a running video"),
        (["0", "--delay", "1e9"], "--delay"),
    ],
)
def test_what_does_not_go_with_a_running_video_is_refused(place, capsys, more, said):
    with pytest.raises(SystemExit) as end:
        segment(words(place, *more))
    assert end.value.code == 2
    assert said in capsys.readouterr().err
