"""`idt-evaluate --network`: scores of networks by the protocol of a run, alone and fused with it."""

import json
import shutil

import numpy as np
import pytest

from benchmarks.clips import write_video
from classify.fusion.scores import Scores
from classify.fusion.write import write_scores
from tests import scenes
from tests.commands import refused
from tests.test_evaluate import FRAMES, SIZE, SMALL, WAYS

VIDEOS = [f"{way}/g{group}_{way}" for way in sorted(WAYS) for group in (1, 2)]
CLASSES = ["right", "down"]
# Of the four videos in the order of their names one is wrong: "down/g2_down".
VALUES = np.array([[0.0, 3.0], [2.0, 1.0], [4.0, 1.0], [3.0, 2.0]])
RUN = ("idt-evaluate", "folder", "clips", "-o", "out", "--group", "g[0-9]", *SMALL, "--quiet")


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory):
    """A folder with four clips of two classes and what a run made of them."""
    from classify import cli

    place = tmp_path_factory.mktemp("evaluated")
    for seed, name in enumerate(VIDEOS):
        (place / "clips" / name).parent.mkdir(parents=True, exist_ok=True)
        film = scenes.translating(FRAMES, velocity=WAYS[name.split("/")[0]], size=SIZE, seed=seed)
        write_video(place / "clips" / f"{name}.avi", film)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place)
        assert cli.evaluate(list(RUN[1:])) == 0
    return place


@pytest.fixture
def place(evaluated, working_folder):
    """A copy of that folder, with the scores of a network."""
    shutil.copytree(evaluated, working_folder, dirs_exist_ok=True)
    write_scores("cnn.h5", Scores(VALUES, VIDEOS, CLASSES, kind="logits"))
    return working_folder


def read(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def test_a_network_has_a_report_of_the_same_form_and_one_beside_the_run(command, place):
    _, out, err = command(*RUN, "--network", "cnn.h5")
    alone = read("out/networks/cnn/report.json")
    assert alone.keys() == read("out/report.json").keys()
    assert (alone["accuracy"], alone["confusion"], alone["classes"]) == (0.75, [[1, 1], [0, 2]], ["down", "right"])
    assert [fold["accuracy"] for fold in alone["per_fold"]] == [1.0, 0.5]
    assert alone["notes"] == []
    assert alone["protocol"] == read("out/report.json")["protocol"]
    fused = read("out/fused/report.json")
    assert (fused["pooled"], fused["videos"], fused["weights"]) == (True, 4, {"idt": 0.25, "cnn": 0.75})
    assert fused["sources"]["cnn"]["accuracy"] == 0.75
    assert "cnn: accuracy 75.0 %, out/networks/cnn/report.md\n" in out
    assert f"0.25 idt + 0.75 cnn: accuracy {100 * fused['accuracy']:.1f} %, out/fused/report.md\n" in out
    assert err == ""


def test_the_fusion_is_that_of_idt_fuse(command, place):
    command(*RUN, "--network", "cnn.h5")
    (place / "labels.csv").write_text("".join(f"{name},{name.split('/')[0]}\n" for name in VIDEOS))
    write_scores("cnn1.h5", Scores(VALUES[::2], VIDEOS[::2], CLASSES, kind="logits"))
    write_scores("cnn2.h5", Scores(VALUES[1::2], VIDEOS[1::2], CLASSES, kind="logits"))
    words = (
        "idt=out/scores/split{split}.h5",
        "cnn=cnn{split}.h5",
        "--labels",
        "labels.csv",
        "--pool",
        "--split",
        "1,2",
    )
    command("idt-fuse", *words, "-o", "other")
    one, other = read("out/fused/report.json"), read("other/report.json")
    for key in ("accuracy", "gain", "curve", "corrected"):
        assert one[key] == other[key]
    assert one["sources"]["idt"]["accuracy"] == other["sources"]["idt"]["accuracy"]


def test_a_file_for_each_split_and_two_streams_are_taken(command, place):
    for number in (1, 2):
        rows = slice(number - 1, None, 2)
        write_scores(f"a{number}.h5", Scores(VALUES[rows], VIDEOS[rows], CLASSES, kind="logits"))
        write_scores(f"b{number}.h5", Scores(VALUES[rows, ::-1], VIDEOS[rows], CLASSES, kind="logits"))
    command(*RUN, "--network", "two=a{split}.h5*3+b{split}.h5", "--network", "cnn.h5")
    assert read("out/networks/two/report.json")["accuracy"] == read("out/networks/cnn/report.json")["accuracy"] == 0.75
    assert read("out/fused/report.json")["weights"] == {"idt": 0.25, "two": 0.375, "cnn": 0.375}


def test_rows_and_columns_without_names_are_named_by_lists(command, place):
    np.save("bare.npy", VALUES)
    (place / "list.txt").write_text("".join(f"{name}.avi\n" for name in VIDEOS))
    (place / "classes.txt").write_text("right\ndown\n")
    words = ("--network", "bare.npy", "--network-list", "list.txt", "--network-classes", "bare=classes.txt")
    command(*RUN, *words)
    assert read("out/networks/bare/report.json")["accuracy"] == 0.75


def test_the_same_again_changes_nothing_and_other_scores_are_refused(command, place):
    command(*RUN, "--network", "cnn.h5")
    before = {path: path.stat().st_mtime_ns for path in (place / "out").rglob("*") if path.is_file()}
    command(*RUN, "--network", "cnn.h5")
    assert before == {path: path.stat().st_mtime_ns for path in (place / "out").rglob("*") if path.is_file()}
    write_scores("cnn.h5", Scores(VALUES[:, ::-1], VIDEOS, CLASSES, kind="logits"), overwrite=True)
    assert refused(command(*RUN, "--network", "cnn.h5", status=2), "networks/cnn/report.json was made with digest=")
    command(*RUN, "--network", "cnn.h5", "--overwrite")
    assert read("out/networks/cnn/report.json")["accuracy"] == 0.25


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--network", "idt=cnn.h5"), "cannot be called idt, because the run itself is called so"),
        (("--network", "cnn.h5", "--network", "cnn.h5"), "two networks are called so"),
        (("--network", "absent.h5"), "absent.h5: No such file"),
        (("--network", "few.h5"), "few lacks 1 of 2 videos, down/g1_down$"),
        (("--network", "bare.npy"), "bare.npy holds scores of 4 × 2 without names or labels.*give the list"),
        (("--network", "other.h5"), "1 unknown classes, sit"),
        (("--network-list", "a.txt"), "go with --network"),
        (("--network", "cnn.h5", "--compare", "r.cfg"), "--network and --compare exclude each other"),
        (("--network", "cnn.h5", "--network-list", "dnn=a.txt"), "--network-list names 'dnn', which is no source"),
    ],
)
def test_scores_that_do_not_fit_are_refused_before_any_work(command, place, words, said):
    shutil.rmtree("out")
    write_scores("few.h5", Scores(VALUES[1:], VIDEOS[1:], CLASSES, kind="logits"))
    write_scores("other.h5", Scores(VALUES, VIDEOS, ["right", "sit"], kind="logits"))
    np.save("bare.npy", VALUES)
    assert refused(command(*RUN, *words, status=2), said)
    assert not (place / "out").exists()
