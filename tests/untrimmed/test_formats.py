"""Files of segments and labels: those of others with their numbers, round trips, odd files, refusals."""

import json

import numpy as np
import pytest

from classify.untrimmed.detection_metrics import detection_precision, mean_precision
from classify.untrimmed.formats import activitynet, frame_labels, subtitles, table, thumos
from classify.untrimmed.frame_metrics import frame_scores
from classify.untrimmed.frames import labels_of, segments_of
from classify.untrimmed.segments import Segments
from idt.errors import DataError
from tests.untrimmed import others

HALVES = np.arange(10) / 20 + 0.5


def same(first, second, tolerance=0.0):
    assert first.videos.tolist() == second.videos.tolist()
    assert first.labels.tolist() == second.labels.tolist()
    np.testing.assert_allclose(first.spans, second.spans, atol=tolerance)
    np.testing.assert_allclose(first.scores, second.scores, rtol=1e-6)


# Files of others.


def test_the_files_of_mmaction2_give_its_number():
    folder = others.place() / "activitynet" / "eval_localization"
    truth, found = activitynet.read_truth(folder / "gt.json"), activitynet.read_detections(folder / "result.json")
    expected = others.expected("activitynet", "eval_localization")
    means = mean_precision(truth, found, HALVES)
    np.testing.assert_allclose(means, expected["mAP"], atol=1e-9)
    assert means.mean() == pytest.approx(expected["average"], abs=1e-9)


def test_truths_of_no_length_are_refused_or_match_nothing():
    folder = others.place() / "activitynet"
    with pytest.raises(DataError, match="must end after it starts, got 'Playing kickball'"):
        activitynet.read_truth(folder / "database_cut.json")
    truth = activitynet.read_truth(folder / "database_cut.json", subset="validation", instants=True)
    detections = activitynet.read_detections(folder / "sample_detection_cut.json", instants=True)
    found = detection_precision(truth, detections, HALVES)
    assert (len(found), len(truth)) == (93, 194)
    np.testing.assert_allclose(np.mean(list(found.values()), axis=0), 0.98, atol=5e-3)
    every = activitynet.read_truth(folder / "database_cut.json", instants=True)
    flat = activitynet.read_truth(folder / "anet_anno_action_cut.json", instants=True)
    assert sorted(zip(flat.videos, flat.labels, strict=True)) == sorted(zip(every.videos, every.labels, strict=True))


def test_one_set_of_detections_on_thumos_gives_the_numbers_of_activitynet():
    folder = others.place() / "thumos14"
    found = activitynet.read_detections(folder / "scnn_tiefree.json")
    truth = activitynet.read_truth(folder / "thumos_gt.json", subset="test")
    assert (len(found), len(truth), len(set(truth.videos.tolist()))) == (13070, 3311, 210)
    thresholds = np.arange(1, 8) / 10
    means = mean_precision(truth, found, thresholds)
    np.testing.assert_allclose(means, [0.468464, 0.431718, 0.375360, 0.287236, 0.176419, 0.084650, 0.032305], atol=6e-7)
    assert means.mean() == pytest.approx(0.265165, abs=6e-7)
    every = thumos.read_lists(folder / "annotation_test")
    np.testing.assert_allclose(
        mean_precision(every, found, thresholds),
        [0.463283, 0.426767, 0.370625, 0.283233, 0.174024, 0.083306, 0.031747],
        atol=6e-7,
    )


@pytest.mark.parametrize(("data_set", "split"), [("gtea", 1), ("gtea", 2), ("gtea", 3), ("50salads", 1)])
def test_the_results_of_mstcn_give_the_numbers_of_its_script(data_set, split):
    folder = others.place() / "mstcn" / data_set
    bundle, results = folder / "splits" / f"test.split{split}.bundle", folder / "results" / f"split_{split}"
    _, truths, predictions = frame_labels.read_split(folder, bundle, results)
    found = frame_scores(truths, predictions, background=("background",))
    expected = others.expected("mstcn", f"{data_set}/split_{split}")
    assert 100 * found.accuracy_pooled == pytest.approx(expected["mof_pooled"], abs=1e-6)
    assert 100 * found.accuracy_mean == pytest.approx(expected["acc_mean_of_videos"], abs=1e-6)
    assert 100 * found.edit == pytest.approx(expected["edit_mean_of_videos"], abs=1e-6)
    for overlap, counts in found.counts.items():
        assert list(counts) == expected[f"tp_fp_fn@{overlap:g}"]
        assert 100 * found.f1_pooled[overlap] == pytest.approx(expected[f"f1_pooled@{overlap:g}"], abs=1e-6)
        assert 100 * found.f1_mean[overlap] == pytest.approx(expected[f"f1_mean_of_videos@{overlap:g}"], abs=1e-6)


def test_a_list_of_videos_that_are_not_there_says_so():
    folder = others.place() / "mstcn" / "gtea"
    with pytest.raises(DataError, match=r"test\.split4\.bundle names videos without true labels: S4_Cheese_C1"):
        frame_labels.read_split(folder, folder / "splits" / "test.split4.bundle", folder / "results" / "split_1")


def test_the_list_of_squirrel_gives_the_known_numbers():
    folder = others.place() / "squirrel"
    names = ["background", *(line.split()[1] for line in (folder / "class-mapping.txt").read_text().splitlines())]
    truth = [names[int(label)] for label in frame_labels.read_labels(folder / "video_test_0000238")]
    found = frame_labels.read_result(folder / "reference-output.txt")
    found = np.concatenate([found, np.repeat(found[-1], len(truth) - len(found))])
    scores, expected = frame_scores([truth], [found], background=("background",)), others.expected("squirrel")
    assert 100 * scores.accuracy_pooled == pytest.approx(expected["mof_pooled"], abs=1e-5)
    assert 100 * scores.edit == pytest.approx(expected["edit_mean_of_videos"])
    assert [list(scores.counts[overlap]) for overlap in (0.1, 0.5)] == [[4, 1, 0], [3, 2, 1]]


def test_the_classes_of_breakfast_are_numbered():
    names = frame_labels.read_mapping(others.place() / "breakfast" / "mapping.txt")
    assert (len(names), names[0]) == (48, "SIL")


# Round trips.


@pytest.fixture
def segments():
    return Segments.of(["a", "a", "b"], ["run", "=jump", "run"], [(0, 1.5), (2, 2.25), (10, 11)], [0.5, -2, 1e-3])


def test_segments_come_back(tmp_path, segments):
    table.write_table(tmp_path / "s.csv", segments)
    same(table.read_table(tmp_path / "s.csv"), segments, 5e-4)
    activitynet.write_detections(tmp_path / "s.json", segments)
    same(activitynet.read_detections(tmp_path / "s.json"), segments)
    assert set(json.loads((tmp_path / "s.json").read_text())) == {"version", "results", "external_data"}
    (tmp_path / "detclasslist.txt").write_text("7 run\n9 =jump\n")
    thumos.write_submission(tmp_path / "s.txt", segments, tmp_path / "detclasslist.txt")
    same(thumos.read_submission(tmp_path / "s.txt", tmp_path / "detclasslist.txt"), segments, 0.051)


def test_labels_of_frames_come_back(tmp_path):
    labels = ["a"] * 3 + ["b"] * 2
    frame_labels.write_labels(tmp_path / "v.txt", labels)
    assert (tmp_path / "v.txt").read_text() == "a\na\na\nb\nb\n"
    assert frame_labels.read_labels(tmp_path / "v.txt").tolist() == labels
    frame_labels.write_result(tmp_path / "v", labels)
    assert frame_labels.read_result(tmp_path / "v").tolist() == labels
    with pytest.raises(DataError, match="must be one word, got 'a b'"):
        frame_labels.write_result(tmp_path / "w", ["a b"])


@pytest.mark.parametrize("rate", [25, 29.97, 30, 23.976, 15])
def test_segments_of_labels_are_those_labels(tmp_path, rate):
    labels = np.random.default_rng(0).choice(["a", "b", "background"], 400).repeat(3)
    found = segments_of("v", labels, rate, background=("background",))
    table.write_table(tmp_path / "s.csv", found)
    assert labels_of(table.read_table(tmp_path / "s.csv"), len(labels), rate).tolist() == labels.tolist()


def test_the_score_of_a_segment_is_the_mean_of_its_frames():
    found = segments_of("v", ["a", "a", "b"], 1.0, scores=[1.0, 2.0, 5.0])
    assert found.scores.tolist() == [1.5, 5.0]


def test_subtitles_show_labels_in_every_player(tmp_path, segments):
    one = segments.rows(segments.videos == "a")
    subtitles.write_subtitles(tmp_path / "a.srt", one)
    assert (tmp_path / "a.srt").read_text() == (
        "1\n00:00:00,000 --> 00:00:01,500\nrun\n\n2\n00:00:02,000 --> 00:00:02,250\n=jump\n\n"
    )
    marked = Segments.of(["a"], ["<i>a & b\n"], [(3599.9996, 3700)])
    subtitles.write_subtitles(tmp_path / "a.vtt", marked)
    assert (tmp_path / "a.vtt").read_text() == ("WEBVTT\n\n1\n01:00:00.000 --> 01:01:40.000\n&lt;i&gt;a &amp; b\\n\n\n")
    with pytest.raises(DataError, match="got segments of 2"):
        subtitles.write_subtitles(tmp_path / "b.srt", segments)
    with pytest.raises(DataError, match=r"must end in \.srt or \.vtt"):
        subtitles.write_subtitles(tmp_path / "b.txt", one)


# Odd files.


def test_labels_of_nn_viterbi_stand_on_the_sixth_line(tmp_path):
    head = "### Recognized sequence: ###\nSIL pour\n### Score: ###\n-12.5\n### Frame level recognition: ###\n"
    (tmp_path / "v").write_text(f"{head}SIL SIL pour")
    assert frame_labels.read_result(tmp_path / "v").tolist() == ["SIL", "SIL", "pour"]


def test_a_submission_names_classes_by_their_numbers(tmp_path):
    (tmp_path / "classes").write_text("7 BaseballPitch\n9 BasketballDunk\n")
    (tmp_path / "s.txt").write_text("v 1.0 2.0 9 0.5\nv 3.0 4.0 8 0.4\n")
    with pytest.raises(DataError, match=r"s\.txt: v has the class 8, expected one of .*classes"):
        thumos.read_submission(tmp_path / "s.txt", tmp_path / "classes")


# Refusals.


@pytest.mark.parametrize(
    ("read", "content", "said"),
    [
        (activitynet.read_truth, "[]", "must hold true segments"),
        (activitynet.read_truth, '{"database": {"v": {}}}', "'v' must have 'annotations'"),
        (activitynet.read_truth, '{"v": {"annotations": [{"label": "a"}]}}', "a label, a segment of two numbers"),
        (activitynet.read_truth, '{"v": {"annotations": [{"label": "a", "segment": [1]}]}}', "two numbers"),
        (activitynet.read_truth, '{"v": {"annotations": [{"label": "a", "segment": [2, 1]}]}}', "end after it starts"),
        (activitynet.read_detections, "{}", "under 'results'"),
        (activitynet.read_detections, '{"results": {"v": [{"label": "a", "segment": [1, 2]}]}}', "and a score"),
        (activitynet.read_detections, '{"results": {"v": [{"label": "a", "segment": [1, true], "score": 1}]}}', "got"),
        (activitynet.read_detections, '{"results": {"v": [{"label": "a", "segment": [1, "x"], "score": 1}]}}', "score"),
        (table.read_table, "video,start,end,label,score\n", "holds no segments"),
        (table.read_table, "v,1,2\n", "line 1: expected video,start"),
        (table.read_table, "v,1,2,a,x\n", "line 1: expected video,start"),
        (table.read_table, "v,2,1,a\n", "end after it starts"),
        (frame_labels.read_labels, "\n\n", "holds no labels"),
        (frame_labels.read_result, "a\nb\n", "must begin with a header"),
        (frame_labels.read_result, "### x ###\na 0\nb 0\n", "must rise from 0"),
        (frame_labels.read_result, "### x ###\na b c\n", "a class and its first frame"),
        (frame_labels.read_bundle, "a.txt\na.txt\n", "each once"),
        (frame_labels.read_mapping, "0 a\n2 b\n", "without gaps"),
        (frame_labels.read_mapping, "x a\n", "lines of a number and a class"),
    ],
)  # fmt: skip
def test_a_file_that_is_something_else_is_refused_by_name(tmp_path, read, content, said):
    (tmp_path / "it").write_text(content)
    with pytest.raises(DataError, match=said) as refused:
        read(tmp_path / "it")
    assert str(tmp_path / "it") in str(refused.value)


def test_a_subset_that_is_not_there_is_refused(tmp_path):
    (tmp_path / "it").write_text('{"database": {"v": {"subset": "test", "annotations": []}}}')
    with pytest.raises(DataError, match="no videos of the subset 'validation', but test"):
        activitynet.read_truth(tmp_path / "it", subset="validation")
    assert len(activitynet.read_truth(tmp_path / "it", subset="test")) == 0


def test_lists_of_thumos_that_are_none_are_refused(tmp_path):
    with pytest.raises(DataError, match="holds no list of THUMOS'14"):
        thumos.read_lists(tmp_path)
    (tmp_path / "Diving_test.txt").write_text("v 1\n")
    with pytest.raises(DataError, match="expected a video and 2 numbers"):
        thumos.read_lists(tmp_path)


def test_segments_that_do_not_fit_a_video_are_refused():
    with pytest.raises(DataError, match="'b' from 1 to 2 s overlaps"):
        labels_of(Segments.of(["v", "v"], ["a", "b"], [(0, 1.5), (1, 2)]), 100, 10)
    with pytest.raises(DataError, match="lies beyond the video of 10 frames"):
        labels_of(Segments.of(["v"], ["a"], [(0, 1.5)]), 10, 10)
