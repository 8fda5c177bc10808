"""`idt-segment --evaluate`: results of others by the protocols of their data sets."""

import re

import numpy as np
import pytest

from classify.params import UNTRIMMED
from classify.segment_cli import segment
from classify.untrimmed.formats import frame_labels
from classify.untrimmed.formats.activitynet import write_detections
from classify.untrimmed.formats.table import write_table
from classify.untrimmed.protocols import FRAMES, SEGMENTS, evaluate_frames, evaluate_segments
from classify.untrimmed.segments import Segments
from idt.errors import DataError
from tests.untrimmed import expected_table, others


@pytest.fixture
def root(tmp_path):
    """A data set of two videos at ten frames a second."""
    for name, labels in (("u", "aaaabbbbbb"), ("v", "bbbbbaaaaa")):
        (tmp_path / "groundTruth").mkdir(exist_ok=True)
        frame_labels.write_labels(tmp_path / "groundTruth" / f"{name}.txt", labels)
    return tmp_path


def write_results(folder, **labels):
    folder.mkdir(parents=True)
    for name, word in labels.items():
        frame_labels.write_result(folder / name, word)
    return folder


def test_the_command_offers_all_protocols():
    assert {*UNTRIMMED} == {*FRAMES, *SEGMENTS}


def test_results_and_segments_of_the_same_labels_agree(root, capsys):
    folder = write_results(root / "results", u="aaabbbbbbb", v="bbbbbaaaaa")
    found = evaluate_frames("frames", root, folder)["all videos"]
    assert found.accuracy_pooled == pytest.approx(0.95)
    table = Segments.of(["u", "u", "v", "v"], ["a", "b", "b", "a"], [(0, 0.3), (0.3, 1), (0, 0.5), (0.5, 1)])
    write_table(root / "s.csv", table)
    assert evaluate_frames("frames", root, root / "s.csv", rate=10.0)["all videos"] == found
    words = ["--evaluate", "frames", "--truth", str(root)]
    assert segment([str(folder), *words]) == 0
    out = capsys.readouterr().out
    assert "frames, all videos: frames 95.0 %, Edit 100.0 %" in out
    assert out.count("(pooled)") == out.count("(mean of the videos)") == 1


def test_each_split_is_measured_with_its_own_results(root):
    (root / "splits").mkdir()
    for number, name in ((1, "u"), (2, "v"), (3, "u")):
        (root / "splits" / f"test.split{number}.bundle").write_text(f"{name}.txt\n")
    write_results(root / "results" / "split_1", u="aaaabbbbbb")
    write_results(root / "results" / "split_2", v="aaaaaaaaaa")
    found = evaluate_frames("frames", root, root / "results")
    assert {name: scores.accuracy_pooled for name, scores in found.items()} == {"split 1": 1.0, "split 2": 0.5}


def test_background_is_that_of_the_data_set_unless_it_is_named(root):
    folder = write_results(root / "results", u="ababbbbbbb", v="bbbbbaaaaa")
    assert evaluate_frames("frames", root, folder, background="a")["all videos"].edit == pytest.approx(0.75)
    assert evaluate_frames("frames", root, folder)["all videos"].edit == pytest.approx(0.75)
    assert FRAMES["gtea"].background == ("background",)
    assert FRAMES["breakfast"].background == FRAMES["50salads"].background == ()


@pytest.mark.parametrize(("data_set", "splits"), [("gtea", (1, 2, 3)), ("50salads", (1,))])
def test_the_results_of_mstcn_give_the_numbers_of_its_script(data_set, splits):
    folder = others.place() / "mstcn" / data_set
    found = evaluate_frames(data_set, folder, folder / "results")
    assert sorted(found) == [f"split {split}" for split in splits]
    for split in splits:
        expected = others.expected("mstcn", f"{data_set}/split_{split}")
        assert 100 * found[f"split {split}"].accuracy_pooled == pytest.approx(expected["mof_pooled"], abs=1e-6)
        assert 100 * found[f"split {split}"].edit == pytest.approx(expected["edit_mean_of_videos"], abs=1e-6)
        assert 100 * found[f"split {split}"].f1_pooled[0.5] == pytest.approx(expected["f1_pooled@0.5"], abs=1e-6)


@pytest.mark.slow
def test_a_submission_to_thumos_gives_the_official_numbers(capsys):
    folder = others.place() / "thumos14"
    words = ["--evaluate", "thumos14", "--truth", folder / "annotation_test"]
    assert segment([str(word) for word in [folder / "scnn_nms0.2.txt", *words]]) == 0
    out = capsys.readouterr().out
    numbers = [float(value) for value in re.findall(r"mAP@[\d.]+ ([\d.]+)", out)]
    np.testing.assert_allclose(numbers, [40.49, 39.19, 36.28, 29.94, 19.11, 9.13, 3.18], atol=0.006)
    assert "rule of thumos14" in out


def test_the_files_of_mmaction2_give_its_number():
    folder = others.place() / "activitynet" / "eval_localization"
    found = evaluate_segments("activitynet", folder / "gt.json", folder / "result.json")
    assert np.mean(list(found.values())) == pytest.approx(0.617758, abs=1e-6)


def test_detections_of_ours_are_measured_in_either_form(tmp_path):
    truth = Segments.of(["u", "u"], ["a", "b"], [(0, 1), (2, 3)])
    found = Segments.of(["u", "u"], ["a", "b"], [(0, 1), (2.6, 3.4)], [0.9, 0.8])
    write_table(tmp_path / "t.csv", truth)
    write_table(tmp_path / "s.csv", found)
    write_detections(tmp_path / "s.json", found)
    for name in ("s.csv", "s.json"):
        means = evaluate_segments("activitynet", tmp_path / "t.csv", tmp_path / name)
        assert means[0.5] == 0.5
        assert evaluate_segments("thumos14", tmp_path / "t.csv", tmp_path / name)[0.2] == 1.0


def test_labels_of_other_names_are_refused(root):
    folder = write_results(root / "results", u="cccccccccc", v="bbbbbbbbbb")
    assert evaluate_frames("frames", root, folder)["all videos"].accuracy_pooled == pytest.approx(0.25)
    (root / "mapping.txt").write_text("0 a\n1 b\n")
    with pytest.raises(DataError, match=r"name classes that .*mapping\.txt does not have: c"):
        evaluate_frames("frames", root, folder)
    (root / "mapping.txt").unlink()
    folder = write_results(root / "others", u="cccccccccc", v="dddddddddd")
    with pytest.raises(DataError, match="name c, d, and none of these is a true label"):
        evaluate_frames("frames", root, folder)


def test_what_cannot_be_measured_is_refused(root, capsys):
    write_table(root / "s.csv", Segments.of(["u"], ["a"], [(0, 1)]))
    with pytest.raises(DataError, match="need the rate of the true labels; give --rate"):
        evaluate_frames("frames", root, root / "s.csv")
    with pytest.raises(DataError, match="v has no predicted segments; there are segments of u"):
        evaluate_frames("frames", root, root / "s.csv", rate=10.0)
    with pytest.raises(DataError, match="has no groundTruth"):
        evaluate_frames("frames", root / "none", root / "s.csv", rate=10.0)
    folder = write_results(root / "results", u="aaaabbbbbb")
    with pytest.raises(DataError, match="v has no result"):
        evaluate_frames("frames", root, folder)
    (root / "splits").mkdir()
    (root / "splits" / "test.split1.bundle").write_text("u.txt\n")
    (folder / "split_2").mkdir()
    with pytest.raises(DataError, match="has results of no split of"):
        evaluate_frames("frames", root, folder)
    with pytest.raises(SystemExit):
        segment([str(folder), "--evaluate", "gtea"])
    assert "--evaluate takes one INPUT, the results, and --truth" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize("part", expected_table.PARTS, ids=lambda part: part.__name__)
def test_every_number_of_others_is_ours_to_its_last_digit(part):
    found = list(part())
    assert found
    assert [name for name, wanted, ours, _ in found if not expected_table.agrees(wanted, ours)] == []
