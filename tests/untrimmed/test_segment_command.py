"""`idt-segment`: features and slices to segments, every method, training from segments, refusals."""

import dataclasses

import numpy as np
import pytest

import idt
from classify.segment_cli import segment
from classify.untrimmed.formats.activitynet import read_detections
from classify.untrimmed.formats.table import read_table, write_table
from classify.untrimmed.segmenting import by_windows, estimate_length_rewards
from classify.untrimmed.segments import Segments
from classify.untrimmed.window_scores import SliceScores
from encoding.cli import fv_encode
from tests.samples import random_features

FPS = 10.0
PARTS = {"v0": "abca", "v1": "bacb", "v2": "cabc", "v3": "acba"}
"""The actions of each video, 60 frames each."""


def features(name):
    """Features of a video whose descriptors tell the action; frames 100 to 110 have no tracks."""
    actions = PARTS[name]
    frames = 60 * len(actions)
    rng = np.random.default_rng(sum(map(ord, name)))
    found = random_features(20 * frames // 10, seed=len(name))
    frame = np.sort(rng.integers(15, frames, len(found))).astype(np.int32)
    frame = frame[(frame < 100) | (frame >= 110)]
    found = found[: len(frame)]
    kind = np.array([ord(actions[min(f - 7, frames - 1) // 60]) - ord("a") for f in frame])
    hog = rng.normal(size=found.hog.shape).astype(np.float32) * 0.05
    hog[np.arange(len(hog)), 7 * kind] += 1.0
    return dataclasses.replace(found, frame=frame, hog=np.abs(hog), frames=frames, fps=FPS, width=160, height=120)


def truth(names):
    rows = [(name, action, (6.0 * i, 6.0 * (i + 1))) for name in names for i, action in enumerate(PARTS[name])]
    return Segments.of(*zip(*rows, strict=True))


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with features, a codebook, slices of the training videos, and segments."""
    folder = tmp_path_factory.mktemp("segment")
    for part, names in (("train", ("v0", "v1", "v2")), ("test", ("v3",))):
        (folder / part).mkdir()
        for name in names:
            idt.save(features(name), folder / part / f"{name}.h5", float32=True)
        write_table(folder / f"{part}.csv", truth(names))
        (folder / "transcripts").mkdir(exist_ok=True)
        for name in names:
            (folder / "transcripts" / f"{name}.txt").write_text("".join(f"{action}\n" for action in PARTS[name]))
    quiet = ["--quiet"]
    # One component: a mixture that knew each action by a component of its own would hide them.
    fit = ["--fit-only", "--k", "1", "--blocks", "hog"]
    assert fv_encode([str(folder / "train"), "-o", str(folder / "book.h5"), *fit, *quiet]) == 0
    for part in ("train", "test"):
        words = [str(folder / part), "--codebook", str(folder / "book.h5"), "--slices", "5"]
        assert fv_encode([*words, "-o", str(folder / f"{part}-slices"), *quiet]) == 0
    return folder


def words(place, *more, inputs="test-slices", out="s.csv", tmp_path):
    return [
        str(place / inputs), "--codebook", str(place / "book.h5"), "--train", str(place / "train.csv"),
        "--train-slices", str(place / "train-slices"), "-o", str(tmp_path / out), "--window", "20", "--quiet", *more,
    ]  # fmt: skip


@pytest.mark.parametrize("method", ["viterbi", "windows", "dtw"])
@pytest.mark.parametrize("inputs", ["test-slices", "test"])
def test_every_method_finds_the_actions_and_their_boundaries(place, tmp_path, capsys, method, inputs):
    more = ["--method", method, "--truth", str(place / "test.csv")]
    more += ["--transcripts", str(place / "transcripts")] if method == "dtw" else []
    assert segment(words(place, *more, inputs=inputs, tmp_path=tmp_path)) == 0
    said = capsys.readouterr().out
    shares = float(said.split("frames ")[1].split(" %")[0])
    assert shares >= 90, said
    found = read_table(tmp_path / "s.csv")
    assert set(found.videos.tolist()) == {"v3"}
    if method != "windows":
        order = np.argsort(found.spans[:, 0])
        assert "".join(found.labels[order].tolist()) == PARTS["v3"]
        np.testing.assert_allclose(found.spans[order], truth(["v3"]).spans, atol=1.6)
    if method == "dtw":
        assert "equal parts: frames " in said


def test_lengths_can_be_learnt_and_windows_be_of_several_lengths(place, tmp_path):
    assert segment(words(place, "--lengths", tmp_path=tmp_path)) == 0
    assert "".join(read_table(tmp_path / "s.csv").labels.tolist()) == PARTS["v3"]
    more = ["--method", "windows", "--window", "20,40"]
    assert segment(words(place, *more, out="w.csv", tmp_path=tmp_path)) == 0
    spans = read_table(tmp_path / "w.csv").spans
    assert {2.0, 4.0} <= set(np.round(spans[:, 1] - spans[:, 0], 3).tolist())


def test_the_suffix_says_the_form(place, tmp_path):
    for name in ("s.json", "s.srt", "s.vtt"):
        assert segment(words(place, out=name, tmp_path=tmp_path)) == 0
    assert len(read_detections(tmp_path / "s.json")) == 4
    assert (tmp_path / "s.srt").read_text().startswith("1\n00:00:00,000 --> 00:00:")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--method", "dtw"], "--method dtw needs --transcripts"),
        (["--window", "x"], "--window must be frames"),
        (["--window", "12"], "must be a multiple of the 5 frames"),
        (["--background", "z", "--method", "windows"], "has no class 'z'|no background class 'z'"),
        (["--penalty", "-1"], "--penalty"),
        (["--model", "m.h5"], "give a model, --model, or segments"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(place, tmp_path, capsys, more, said):
    import re

    try:
        status = segment(words(place, *more, tmp_path=tmp_path))
    except SystemExit as end:
        status = end.code
    assert status == 2
    assert re.search(said, capsys.readouterr().err)
    assert not (tmp_path / "s.csv").exists()


def test_an_output_of_another_form_or_of_somebody_else_is_refused(place, tmp_path, capsys):
    assert segment(words(place, out="s.mp4", tmp_path=tmp_path)) == 2
    assert "must end in one of .csv, .json, .srt, .vtt" in capsys.readouterr().err
    (tmp_path / "s.csv").write_text("mine\n")
    assert segment(words(place, "--overwrite", tmp_path=tmp_path)) == 2
    assert (tmp_path / "s.csv").read_text() == "mine\n"


def test_segments_that_are_not_of_their_videos_are_refused(place, tmp_path, capsys):
    beyond = Segments.of(["v0", "v1"], ["a", "b"], [(0, 5), (20, 90)])
    write_table(tmp_path / "t.csv", beyond)
    assert segment([*words(place, tmp_path=tmp_path), "--train", str(tmp_path / "t.csv")]) == 2
    assert "'b' from 20 to 90 s lies beyond v1" in capsys.readouterr().err
    write_table(tmp_path / "u.csv", Segments.of(["z"], ["a"], [(0, 5)]))
    assert segment([*words(place, tmp_path=tmp_path), "--train", str(tmp_path / "u.csv")]) == 2
    assert "segments are of videos without slices: z" in capsys.readouterr().err


def test_windows_of_the_usual_length_win_where_lengths_are_learnt():
    tables = [(10, scores_of(1.0)), (30, scores_of(0.9))]
    assert by_windows(tables).scores.max() == 1.0
    usual = Segments.of(["u"] * 2, ["a"] * 2, [(0, 3.0), (3, 6.0)])
    rewards = estimate_length_rewards(usual, ["a", "b"], slice_seconds=0.5, longest=6)
    found = by_windows(tables, length_rewards=rewards)
    best = int(np.argmax(found.scores))
    # The long windows have the usual three seconds, and lose nothing; the short ones lose what the density says.
    assert found.scores[best] == 0.9
    assert found.spans[best].tolist() == [0.25, 3.25]
    lost = rewards[6, 0] - rewards[2, 0]
    assert lost > 1
    assert found.scores.min() == pytest.approx(1.0 - lost) or len(found) == 1
    # Of one length there is no choice.
    assert by_windows(tables[:1], length_rewards=rewards).scores.max() == 1.0


def scores_of(value):
    """Scores of twelve slices of five frames: class a in the middle of the video's first half."""
    values = np.full((12, 2), -1.0)
    values[3, 0] = value
    return SliceScores("u", ["a", "b"], values, np.zeros(12, bool), 5, 60, FPS)
