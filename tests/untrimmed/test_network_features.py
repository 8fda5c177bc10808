"""`idt-segment --export`: features a frame, labels and splits, as temporal networks read them."""

import json

import numpy as np
import pytest

from classify.segment_cli import segment
from classify.untrimmed.formats import frame_labels
from classify.untrimmed.formats.activitynet import read_truth, write_annotations
from classify.untrimmed.formats.network_features import read_features, write_data_set, write_features
from classify.untrimmed.frames import labels_of
from classify.untrimmed.segments import Segments
from encoding.codebook import Codebook
from encoding.slices.slice_files import find_slices
from encoding.slices.slices_file import load_slices
from encoding.slices.windows import windows
from idt.errors import DataError
from tests.untrimmed.test_segment_command import FPS, PARTS, place, truth  # noqa: F401

NAMES = ["v0", "v1", "v2"]


def exported(place, folder, *more):  # noqa: F811
    words = [place / "train-slices", "--codebook", place / "book.h5", "--window", "20", "--export", folder, *more]
    return segment([str(word) for word in words])


def test_a_data_set_is_written_as_mstcn_reads_it(place, tmp_path, capsys):  # noqa: F811
    (tmp_path / "test.txt").write_text("v1\n")
    folder = tmp_path / "set"
    assert exported(place, folder, "--truth", place / "train.csv", "--test-videos", tmp_path / "test.txt") == 0
    assert "features of 3 videos" in capsys.readouterr().out
    values = np.load(folder / "features" / "v1.npy")
    assert (values.dtype, values.shape) == (np.float32, (64, 240))
    labels = frame_labels.read_labels(folder / "groundTruth" / "v1.txt")
    assert labels.tolist() == labels_of(truth(["v1"]), 240, FPS).tolist()
    assert frame_labels.read_mapping(folder / "mapping.txt") == ["a", "b", "c"]
    assert frame_labels.read_bundle(folder / "splits" / "train.split1.bundle") == ["v0", "v2"]
    assert frame_labels.read_bundle(folder / "splits" / "test.split1.bundle") == ["v1"]
    again = read_truth(folder / "annotations.json")
    np.testing.assert_allclose(again.spans, truth(NAMES).spans)
    entry = json.loads((folder / "annotations.json").read_text())["v_v1"]
    assert (entry["duration_frame"], entry["duration_second"], entry["fps"]) == (240, 24.0, FPS)


def test_a_column_is_the_window_in_whose_middle_its_frame_lies(place, tmp_path):  # noqa: F811
    codebook = Codebook.load(place / "book.h5")
    params = codebook.params_with()
    files = find_slices([str(place / "train-slices")])
    write_data_set(tmp_path, files, codebook, params, length=20)
    rows = read_features(tmp_path / "features" / "v0.npy")
    vectors = np.array([each.vector for each in windows(load_slices(files[0]), codebook, params, length=20)])
    # A track's middle lies 7.5 frames before its end: slice 10 is in the middle of window 10.
    alike = np.array([(np.abs(rows - row).max(axis=1) < 1e-6).sum() for row in rows[::5]])
    assert (alike >= 5).all()
    distances = np.linalg.norm(vectors[10:40, None] - vectors[None, 10:40], axis=2)
    kept = np.linalg.norm(rows[50:200:5, None] - rows[None, 50:200:5], axis=2)
    assert (kept <= distances + 1e-5).all()
    assert np.corrcoef(distances.ravel(), kept.ravel())[0, 1] > 0.99


def test_features_come_back_and_others_are_refused(tmp_path):
    rows = np.arange(12, dtype=np.float32).reshape(4, 3)
    write_features(tmp_path / "v.npy", rows)
    np.testing.assert_array_equal(read_features(tmp_path / "v.npy"), rows)
    np.save(tmp_path / "nan.npy", np.full((3, 4), np.nan))
    np.save(tmp_path / "line.npy", np.zeros(4))
    with pytest.raises(DataError, match="12 numbers that are not finite"):
        read_features(tmp_path / "nan.npy")
    with pytest.raises(DataError, match=r"must hold features \(D, T\)"):
        read_features(tmp_path / "line.npy")


def test_what_does_not_fit_is_refused(place, tmp_path, capsys):  # noqa: F811
    (tmp_path / "test.txt").write_text("v1\nv9\n")
    assert exported(place, tmp_path / "a", "--test-videos", tmp_path / "test.txt") == 2
    assert "the test videos are not among the slices: v9" in capsys.readouterr().err
    (tmp_path / "few.csv").write_text("v0,0,5,a\n")
    assert exported(place, tmp_path / "b", "--truth", tmp_path / "few.csv") == 2
    assert "v1 has no true segments" in capsys.readouterr().err
    with pytest.raises(DataError, match="number of frames of these videos is unknown: z"):
        write_annotations(tmp_path / "c.json", Segments.of(["z"], ["a"], [(0, 1)]), {})
    assert set(PARTS) == {*NAMES, "v3"}
