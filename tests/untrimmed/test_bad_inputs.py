"""What `idt-segment` refuses: one line that says what is wrong, status 2, and no output."""

import dataclasses

import pytest

import idt
from classify.segment_cli import segment
from classify.untrimmed.formats.table import write_table
from classify.untrimmed.segments import Segments
from encoding.cli import fv_encode
from tests.untrimmed.test_segment_command import PARTS, features, place, words  # noqa: F401


def refused(given, capsys, tmp_path, said):
    assert segment(given) == 2
    err = capsys.readouterr().err
    assert said in err
    assert err.count("\n") == 1
    assert not (tmp_path / "s.csv").exists()


def transcript(tmp_path, *labels):
    folder = tmp_path / "transcripts"
    folder.mkdir()
    (folder / "v3.txt").write_text("".join(f"{label}\n" for label in labels))
    return ["--method", "dtw", "--transcripts", str(folder)]


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (["a", "b"] * 30, "a transcript of 60 actions cannot be aligned with 48 rows; every action needs a row"),
        (["a", "jump"], "the transcript of v3 names 'jump', expected one of a, b, c"),
    ],
)
def test_a_transcript_that_cannot_be_aligned(place, tmp_path, capsys, labels, said):  # noqa: F811
    refused(words(place, *transcript(tmp_path, *labels), tmp_path=tmp_path), capsys, tmp_path, said)


def test_a_video_without_a_transcript(place, tmp_path, capsys):  # noqa: F811
    given = transcript(tmp_path, "a")
    (tmp_path / "transcripts" / "v3.txt").rename(tmp_path / "transcripts" / "v4.txt")
    refused(words(place, *given, tmp_path=tmp_path), capsys, tmp_path, "v3 has no transcript")


@pytest.mark.parametrize(
    ("spans", "said"),
    [
        ([(0, 6), (5, 12)], "the segment 'b' from 5 to 12 s overlaps another one"),
        (
            [(0, 6), (20, 90)],
            "the segment 'b' from 20 to 90 s lies beyond the video of 240 frames at 10 frames a second",
        ),
    ],
)
def test_a_truth_that_does_not_fit_its_video(place, tmp_path, capsys, spans, said):  # noqa: F811
    write_table(tmp_path / "truth.csv", Segments.of(["v3", "v3"], ["a", "b"], spans))
    # The truth is compared with what was found, which is kept.
    assert segment(words(place, "--truth", str(tmp_path / "truth.csv"), tmp_path=tmp_path)) == 2
    assert said in capsys.readouterr().err


def test_a_truth_of_other_classes(place, tmp_path, capsys):  # noqa: F811
    write_table(tmp_path / "truth.csv", Segments.of(["v3"], ["Jump"], [(0, 6)]))
    assert segment(words(place, "--truth", str(tmp_path / "truth.csv"), tmp_path=tmp_path)) == 2
    assert "name Jump, none of which is a class of the model: a, b, c" in capsys.readouterr().err


def test_a_segment_that_ends_before_it_begins(place, tmp_path, capsys):  # noqa: F811
    (tmp_path / "train.csv").write_text("v0,0,6,a\nv1,6,2,b\n")
    given = [*words(place, tmp_path=tmp_path), "--train", str(tmp_path / "train.csv")]
    refused(given, capsys, tmp_path, "a segment must end after it starts, got 'b' of 'v1' from 6 to 2 s")


def test_slices_of_another_codebook(place, tmp_path, capsys):  # noqa: F811
    other = str(tmp_path / "other.h5")
    fit = ["--fit-only", "--k", "1", "--blocks", "hog", "--seed", "9", "--quiet"]
    assert fv_encode([str(place / "train"), "-o", other, *fit]) == 0
    capsys.readouterr()
    given = [*words(place, tmp_path=tmp_path), "--codebook", other]
    refused(given, capsys, tmp_path, "was made with another codebook")


def test_a_video_without_tracks(place, tmp_path, capsys):  # noqa: F811
    empty = features("v3")[:0]
    empty = dataclasses.replace(empty, frames=60 * len(PARTS["v3"]))
    idt.save(empty, tmp_path / "v3.h5", float32=True)
    given = words(place, inputs="test", tmp_path=tmp_path)
    given[0] = str(tmp_path / "v3.h5")
    refused(given, capsys, tmp_path, "v3 has no tracks, so there is nothing to segment")


def test_a_model_without_the_background_that_is_asked_for(place, tmp_path, capsys):  # noqa: F811
    (tmp_path / "full.csv").write_text((place / "train.csv").read_text())
    given = words(place, "--method", "windows", "--background", "idle", tmp_path=tmp_path)
    refused(given, capsys, tmp_path, "has no class 'idle' for the background")
