"""Labels as others write them: headers in words of their own, names of files for names of videos."""

import numpy as np
import pytest

from classify.labels import match_labels, read_labels
from classify.models import model_file
from encoding.descriptors.labels import drop_suffixes, is_header
from encoding.vectors_file import VectorsWriter
from idt.errors import DataError
from tests.commands import refused
from tests.trees import write

NAMES = ["run/c", "run/d", "walk/a", "walk/b"]
LAYOUT = [{"block": "hog", "cell": "whole", "first": 0, "size": 4}]


@pytest.fixture
def vectors(working_folder):
    """A vectors file of four videos in two classes."""
    vectors = np.random.default_rng(0).normal(size=(4, 4)).astype(np.float32)
    with VectorsWriter("v.h5", layout=LAYOUT, codebook="c0ffee", params={}, source={"digest": "abc"}) as writer:
        for name, vector in zip(NAMES, vectors, strict=True):
            writer.append(name, vector + 5 * name.startswith("walk"))
    return "v.h5"


def lines(suffix="", header=()):
    return [*header, *(f"{name}{suffix},{name[:3]}" for name in NAMES)]


@pytest.mark.parametrize("header", ["video,class", "Filename, Action", "clip,category", "path,label,label"])
def test_a_header_in_other_words_is_none_of_the_videos_and_is_said(tmp_path, header):
    path, notes = write(tmp_path / "l.csv", lines(header=[header])), []
    assert list(read_labels(path, notes.append)) == NAMES
    (note,) = notes
    assert header.replace(" ", "") in note


def test_our_own_header_needs_no_word():
    notes = []
    assert is_header(["Name", "LABEL"], ("name", "label"), notes.append)
    assert notes == []


@pytest.mark.parametrize("fields", [["run/c", "run"], ["video", "run"], ["c", "class"], ["video"], ["a", "b", "class"]])
def test_a_line_of_a_video_is_no_header(fields):
    assert not is_header(fields, ("name", "label"))


@pytest.mark.parametrize("suffix", [".avi", ".MP4", ".h5"])
def test_suffixes_of_files_are_dropped_from_labelled_names_and_that_is_said(suffix):
    notes = []
    labels = {f"{name}{suffix}": name[:3] for name in NAMES}
    assert match_labels(NAMES, labels, notes.append) == ["run", "run", "wal", "wal"]
    assert notes == [f"suffixes of labelled names were dropped: run/c{suffix} is run/c, and so on 4 times"]


def test_a_name_that_is_a_video_s_stays_and_so_does_one_of_no_video():
    labels = {"a.avi": "x", "b": "y", "c.avi": "z"}
    assert drop_suffixes(labels, ["a.avi", "a", "b"]) == labels


def test_two_files_of_one_name_are_refused():
    with pytest.raises(DataError, match=r"a\.mp4 and a\.avi stand for one video, a; label it once"):
        drop_suffixes({"a.avi": "x", "a.mp4": "y"}, ["a"])
    with pytest.raises(DataError, match=r"a and a\.avi stand for one video, a; label it once"):
        drop_suffixes({"a.avi": "x", "a": "y"}, ["a"])


def test_svm_train_reads_a_table_of_files_and_says_what_it_dropped(vectors, command, tmp_path):
    write(tmp_path / "plain.csv", lines())
    write(tmp_path / "files.csv", lines(".avi", header=["video,class"]))
    assert command("svm-train", vectors, "--labels", "plain.csv", "-o", "plain.h5")[0] == 0
    status, out, err = command("svm-train", vectors, "--labels", "files.csv", "-o", "files.h5")
    assert (status, out) == (0, "files.h5: 2 classes, trained on 4 videos\n")
    assert err == (
        "svm-train: the first line, video,class, was taken for the header name,label\n"
        "svm-train: suffixes of labelled names were dropped: run/c.avi is run/c, and so on 4 times\n"
    )
    one, other = (model_file.load_model(f"{name}.h5") for name in ("plain", "files"))
    np.testing.assert_array_equal(one.classifier.coef_, other.classifier.coef_)
    assert command("svm-train", vectors, "--labels", "files.csv", "-o", "files.h5", "--quiet")[2] == ""


def test_names_that_are_no_video_s_with_or_without_a_suffix_are_listed(vectors, command, tmp_path):
    write(tmp_path / "l.csv", [*lines()[1:], "jump/e.avi,jump"])
    result = command("svm-train", vectors, "--labels", "l.csv", "-o", "m.h5", status=2)
    assert refused(result, r"1 videos without a label: run/c; 1 labels without a video: jump/e\.avi")
