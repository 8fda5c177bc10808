"""`idt-evaluate` on sets of untrimmed video: a tiny tree in the layout of each set, from videos to the report."""

import csv
import json
import shutil

import numpy as np
import pytest

from benchmarks.clips import write_video
from classify.evaluation.untrimmed.data_sets import read_untrimmed
from classify.params import UNTRIMMED
from classify.untrimmed.formats.frame_labels import write_labels
from classify.untrimmed.protocols import evaluate_frames, evaluate_segments
from idt.errors import DataError
from tests import scenes
from tests.commands import refused
from tests.trees import tree, write

SMALL = (
    "--length 5 --time-cells 1 --scales 1 --stride 10 --no-camera --keypoints none --k 1 --blocks hof,mbhx,mbhy"
    " --window 10 --train-stride 10"
).split()
FPS, PART, SIZE = 10.0, 30, (64, 80)
WAYS = {"right": (3, 0), "down": (0, 3)}
ORDERS = (("right", "down", "right"), ("down", "right", "down"), ("right", "down"), ("down", "right"))
"""The actions of each video, `PART` frames each."""


@pytest.fixture(scope="module")
def films(tmp_path_factory):
    """Long videos of scenes that slide to the right and down."""
    folder = tmp_path_factory.mktemp("long")
    paths = []
    for number, order in enumerate(ORDERS):
        parts = [
            scenes.translating(PART, velocity=WAYS[way], size=SIZE, seed=10 * number + part)
            for part, way in enumerate(order)
        ]
        paths.append(write_video(folder / f"{number}.avi", np.concatenate(parts), fps=FPS))
    return paths


@pytest.fixture
def evaluate(command):
    """Run idt-evaluate with few and short tracks: exit status, stdout, stderr."""
    return lambda *words, **given: command("idt-evaluate", *SMALL, *words, **given)


def labelled(root, films, names, *, folder="", rate=FPS):
    """A set with labels of frames: for every video the name of its file below a folder, and its name in the lists."""
    for number, (file, name) in enumerate(names.items()):
        path = root / folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(films[number], path)
        (root / "groundTruth").mkdir(exist_ok=True)
        repeated = int(PART * rate / FPS)
        write_labels(root / "groundTruth" / f"{name}.txt", np.repeat(ORDERS[number], repeated))
    listed = list(names.values())
    for number, test in ((1, listed[:2]), (2, listed[2:])):
        write(root / "splits" / f"test.split{number}.bundle", [f"{name}.txt" for name in test])
        write(root / "splits" / f"train.split{number}.bundle", [f"{name}.txt" for name in listed if name not in test])
    return root


def read(folder):
    return json.loads((folder / "report.json").read_text(encoding="utf-8"))


def predicted(folder):
    """The segments of results.csv, which has a column more than those that `idt-segment` writes."""
    with open(folder / "results.csv", newline="", encoding="utf-8") as file:
        lines = [line[1:] for line in csv.reader(file)]
    with open(folder / "s.csv", "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(lines)
    return folder / "s.csv"


def test_a_folder_that_is_not_there_is_refused():
    for name in UNTRIMMED:
        with pytest.raises(DataError, match="is not a folder"):
            read_untrimmed(name, "absent")


LAYOUTS = {
    "breakfast": {f"P0{n}/cam01/P0{n}_tea.avi": f"P0{n}_cam01_P0{n}_tea" for n in (3, 4, 5, 6)},
    "50salads": {f"rgb-0{n}-1.avi": f"rgb-0{n}-1" for n in (1, 2, 3, 4)},
    "gtea": {f"S{n}_Tea_C1.avi": f"S{n}_Tea_C1" for n in (1, 2, 3, 4)},
}
RATES = {"breakfast": 15.0, "50salads": 30.0, "gtea": 15.0}


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_set_with_labels_of_frames_from_videos_to_report(evaluate, tmp_path, films, name):
    root = labelled(tmp_path / "set", films, LAYOUTS[name], folder="videos", rate=RATES[name])
    out = tmp_path / "out"
    _, said, _ = evaluate(name, root, "-o", out)
    found = read(out)
    assert found["value"] >= 0.8, said
    assert f"{name}: frame accuracy {100 * found['value']:.1f} %, 2 splits, split 1, split 2" in said
    assert len(said.splitlines()) == 4
    assert [entry["name"] for entry in found["per_split"]] == ["split 1", "split 2"]
    assert sorted(found["per_class"]) == ["down", "right"]
    assert [video["name"] for video in found["videos"]] == list(LAYOUTS[name].values())
    for split, scores in evaluate_frames(name, root, predicted(out)).items():
        own = next(entry["numbers"] for entry in found["per_split"] if entry["name"] == split)
        assert (scores.accuracy_pooled, scores.edit) == pytest.approx((own["accuracy"], own["edit"]))
        assert list(scores.f1_mean.values()) == pytest.approx(list(own["f1_mean"].values()))
    page = (out / "report.html").read_text(encoding="utf-8")
    assert page.count('<figure class="timeline">') == 4
    assert "frame accuracy" in (out / "report.md").read_text(encoding="utf-8")


def detections(root, films):
    """Videos named as THUMOS'14 names them, and their segments: subset, video, way, start, end."""
    root.mkdir()
    rows = []
    for number, order in enumerate(ORDERS):
        subset = "val" if number < 2 else "test"
        video = f"video_{'validation' if number < 2 else 'test'}_000000{number}"
        shutil.copyfile(films[number], root / f"{video}.avi")
        for part, way in enumerate(order):
            rows.append((subset, video, way, part * PART / FPS, (part + 1) * PART / FPS))
    return rows


def test_thumos14_from_its_lists(evaluate, tmp_path, films):
    root = tmp_path / "set"
    rows = detections(root, films)
    for subset in ("val", "test"):
        for way in WAYS:
            lines = [f"{video}  {start} {end}" for own, video, of, start, end in rows if (own, of) == (subset, way)]
            write(root / f"annotation_{subset}" / f"{way}_{subset}.txt", lines)
    write(root / "annotation_test" / "Ambiguous_test.txt", ["video_test_0000002 5.5 6.0"])
    out = tmp_path / "out"
    _, said, _ = evaluate("thumos14", root, "-o", out, "--window", "10,20")
    found = read(out)
    assert found["method"] == "windows"
    assert found["numbers"]["precision"]["0.1"] > 0.3, said
    means = evaluate_segments("thumos14", root / "annotation_test", predicted(out))
    assert list(means.values()) == pytest.approx(list(found["numbers"]["precision"].values()))


def test_activitynet_from_its_json(evaluate, tmp_path, films):
    root = tmp_path / "set"
    database: dict = {}
    for subset, video, way, start, end in detections(root, films):
        name = video.replace("_", "-")
        (root / f"{video}.avi").exists() and (root / f"{video}.avi").rename(root / f"v_{name}.avi")
        entry = database.setdefault(
            name, {"subset": "training" if subset == "val" else "validation", "annotations": []}
        )
        # Some segments of the set end after their video does.
        entry["annotations"].append({"segment": [start, end + 0.5], "label": way})
    (root / "activity_net.json").write_text(json.dumps({"database": database}))
    out = tmp_path / "out"
    evaluate("activitynet", root, "-o", out, "--window", "10,20,30", "--durations")
    found = read(out)
    assert found["metric"] == "mean average precision, mean over overlaps from 0.5 to 0.95"
    assert found["part"] == []
    # Windows of the usual length win: the true segments have 35 frames.
    assert found["numbers"]["precision"]["0.5"] > 0.1
    assert all(bar[1] <= video["seconds"] for video in found["videos"] for bar in video["true"])


def test_any_folder_with_segments(evaluate, tmp_path, films):
    root = tmp_path / "set"
    rows = [row[1:] for row in detections(root, films)]
    # The last part of the first video belongs to no action.
    lines = [f"{video},{start},{end},{way}" for video, way, start, end in rows if (video[-1], start) != ("0", 6.0)]
    write(root / "segments.csv", lines)
    out = tmp_path / "out"
    words = ("frames", root, "-o", out, "--folds", "2", "--method", "dtw")
    _, said, _ = evaluate(*words)
    found = read(out)
    assert "2 splits, fold 1, fold 2" in said
    assert found["background"] == ["background"]
    assert "numbers of an alignment" in found["notes"][0]
    assert found["numbers"]["baseline"]["accuracy"] < found["value"]
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*") if path.is_file()}
    _, said, _ = evaluate(*words)
    assert "report.md: up to date" in said
    assert before == {path: path.stat().st_mtime_ns for path in out.rglob("*") if path.is_file()}
    refused(evaluate(*words[:-1], "viterbi", status=2), "report.json was made with method=dtw, this run asks for")
    _, said, _ = evaluate(*words[:-1], "viterbi", "--group", "_(validation|test)_", "--overwrite")
    assert "2 splits, test, validation" in said


def test_what_no_set_is(evaluate, tmp_path):
    root = tmp_path / "set"
    out = tmp_path / "out"
    refused(evaluate("gtea", root, "-o", out, status=2), "is not a folder")
    tree(root, ["S1.avi", "S2.avi"])
    refused(evaluate("gtea", root, "-o", out, status=2), "has no true labels: expected groundTruth/VIDEO.txt")
    refused(evaluate("thumos14", root, "-o", out, status=2), "must hold one folder of lists CLASS_val.txt, got none")
    refused(evaluate("activitynet", root, "-o", out, status=2), "must hold one JSON file of true segments, got none")
    refused(evaluate("gtea", root, "-o", out, "--group", "x", status=2), "takes no group")
    refused(evaluate("activitynet", root, "-o", out, "--rate", "25", status=2), "must hold one JSON|takes no --rate")
    for name in ("S1", "S2", "S3"):
        write(root / "groundTruth" / f"{name}.txt", ["a", "b"])
    refused(evaluate("gtea", root, "-o", out, status=2), "gtea needs its lists of test videos")
    write(root / "splits" / "test.split1.bundle", ["S4.txt"])
    refused(evaluate("gtea", root, "-o", out, status=2), "name videos without true labels: S4")
    write(root / "splits" / "test.split1.bundle", ["S3.txt"])
    refused(evaluate("gtea", root, "-o", out, status=2), "split 1 of gtea has no videos to test .* missing are S3")
    refused(
        evaluate("gtea", root, "-o", out, "--encoder", "stacked", status=2), "stacked Fisher vectors|no videos to test"
    )
    refused(evaluate("weizmann", root, "-o", out, "--penalty", "2", status=2), "takes no .*--penalty")
    tree(root, ["a/S3.avi", "b/S3.avi"])
    refused(evaluate("gtea", root, "-o", out, status=2), "S3 may be .*remove all but one")
    assert not out.exists()


def test_labels_of_another_rate_are_refused(evaluate, tmp_path, films):
    root = labelled(tmp_path / "set", films, LAYOUTS["gtea"], rate=FPS)
    result = evaluate("gtea", root, "-o", tmp_path / "out", status=2)
    refused(result, "has 90 labels, 6.0 s at 15 a second, and lasts 9.0 s; give the rate of the labels with --rate")
