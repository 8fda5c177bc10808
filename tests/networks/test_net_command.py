"""`idt-net`, as a user meets it: scores that do not depend on jobs or resuming, and what is refused."""

import csv
import json
import re

import numpy as np
import pytest

pytest.importorskip("onnx")
pytest.importorskip("onnxruntime")

from benchmarks.clips import write_video
from classify.fusion.score_file import load
from idt.networks.model import Network
from idt.networks.presets import preset_of
from idt.networks.scoring import scores
from tests import scenes
from tests.commands import refused
from tests.networks import graphs

GIVEN = ("--preset", "tsn", "--clips", "3", "--crop", "24", "--short-side", "32")


@pytest.fixture
def place(working_folder):
    """A folder with a network of four classes, their list, and three videos."""
    graphs.image_network(working_folder / "m.onnx")
    (working_folder / "classes.txt").write_text("run\nwalk\nsit\nstand\n")
    (working_folder / "clips").mkdir()
    for seed, name in enumerate("abc"):
        write_video(working_folder / "clips" / f"{name}.avi", scenes.translating(9 + seed, seed=seed))
    return working_folder


def run(command, *words, status=0, output="o"):
    return command(
        "idt-net", "m.onnx", *words, "-o", output, "--scores", "--classes", "classes.txt", *GIVEN, status=status
    )


def test_the_scores_of_videos_are_those_of_the_function(command, place):
    _, out, err = run(command, "clips/a.avi")
    found = load("o/scores.h5")
    assert (found.names, found.classes, found.kind) == (["a"], ["run", "walk", "sit", "stand"], "probabilities")
    network = Network("m.onnx", preset=preset_of("tsn", clips=3, crop=24, short_side=32))
    np.testing.assert_array_equal(found.values[0], scores(network, "clips/a.avi"))
    assert re.fullmatch(r"a: \w+ 0\.\d{3}\no/scores.h5: 1 videos, 4 classes, probabilities\n", out)
    assert err == ""


@pytest.mark.slow
def test_jobs_and_resuming_change_nothing(command, place):
    run(command, "clips", "--jobs", "2", output="two")
    run(command, "clips/a.avi", "clips/c.avi", output="o")
    first = (place / "o/videos/a.h5").stat().st_mtime_ns
    run(command, "clips", output="o")
    one, two = load("o/scores.h5"), load("two/scores.h5")
    assert one.names == two.names == ["a", "b", "c"]
    np.testing.assert_array_equal(one.values, two.values)
    assert (place / "o/videos/a.h5").stat().st_mtime_ns == first
    assert json.loads((place / "o/summary.json").read_text())["up_to_date"] == 2


@pytest.mark.slow
def test_a_broken_video_is_a_line_of_the_failures_and_the_others_are_scored(command, place):
    (place / "clips/b.avi").write_bytes(b"no video")
    _, _, err = run(command, "clips", status=3)
    assert load("o/scores.h5").names == ["a", "c"]
    assert "1 of 3 videos failed, see o/failures.csv" in err
    with open("o/failures.csv", newline="", encoding="utf-8") as file:
        assert [row["name"] for row in csv.DictReader(file)] == ["b"]


@pytest.mark.slow
def test_two_sources_fused_by_idt_fuse_are_named_by_their_videos(command, place):
    write_video(place / "clips/d.avi", scenes.translating(9, seed=4))
    run(command, "clips")
    (place / "labels.csv").write_text("a,run\nb,walk\nc,sit\nd,stand\n")
    _, out, _ = command("idt-fuse", "one=o/scores.h5", "two=o/scores.h5*2", "--labels", "labels.csv", "-o", "fused")
    assert "fused:" in out


def test_another_preset_is_refused_until_overwrite(command, place):
    run(command, "clips/a.avi")
    words = ("idt-net", "m.onnx", "clips/a.avi", "-o", "o", "--scores", "--classes", "classes.txt")
    given = [*GIVEN[:2], "--clips", "2", *GIVEN[4:]]
    assert refused(command(*words, *given, status=2), r"o/videos/a.h5 was written with preset=.*--overwrite")
    assert command(*words, *given, "--overwrite")[0] == 0


def test_layers_are_listed_with_shapes_strides_and_fields(command, place):
    _, out, _ = command("idt-net", "m.onnx", "--list")
    assert "input   x: open×3×open×open\noutput  scores: 1×4\n" in out
    assert "conv2: Relu, 1×8×56×56, 4×4, 7×7\n" in out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("clips/a.avi", "-o", "o"), "required: -o, and --scores or --features"),
        (("clips/a.avi", "-o", "o", "--scores"), "--scores needs --classes"),
        (("clips/a.avi", "-o", "o", "--scores", "--features", "conv1"), "write different files"),
        (("clips/a.avi", "-o", "o", "--features", "conv1,"), "--features: expected TENSOR"),
        (("clips/a.avi", "-o", "o", "--scores", "--classes", "c.txt", "--every", "2"), "--every goes with --features"),
        ((), "name VIDEO and -o, or --list alone"),
        (("clips/a.avi", "--list"), "name VIDEO and -o, or --list alone"),
        (("a.avi", "-o", "o", "--scores", "--classes", "classes.txt", "--mean", "x"), "--mean: expected numbers"),
        (("a.avi", "-o", "o", "--scores", "--classes", "classes.txt", "--preset", "tsnn"), "did you mean tsn"),
    ],
)
def test_words_that_do_not_fit_are_refused(command, place, words, said):
    assert said in command("idt-net", "m.onnx", *words, status=2)[2]


def test_another_number_of_classes_is_refused(command, place):
    (place / "classes.txt").write_text("run\nwalk\n")
    assert refused(run(command, "clips/a.avi", status=2), "m.onnx has 4 classes, but classes.txt names 2")
    assert not (place / "o/scores.h5").exists()


def test_an_unknown_tensor_and_several_outputs_are_refused(command, place):
    assert refused(run(command, "clips/a.avi", "--tensor", "score", status=2), "did you mean scores")
    graph = graphs.Graph()
    for name in ("one", "two"):
        graph.add("ReduceMean", ["x"], name, axes=[2, 3], keepdims=0)
    graph.save(place / "m.onnx", {"x": ("n", 3, "h", "w")}, ["one", "two"])
    assert refused(run(command, "clips/a.avi", status=2), "has outputs one, two; name the output of the scores")


def test_a_camera_is_refused(command, place):
    assert refused(run(command, "7", status=2), "camera|no such file|cannot be opened")


def test_a_file_that_is_up_to_date_stays(place):
    from classify.networks.run_videos import run_job
    from classify.networks.score_videos import ScoreRecipe
    from idt.batch.jobs import Job
    from idt.workers.run_options import RunOptions

    preset = preset_of("tsn", clips=3, crop=24, short_side=32)
    job = Job("clips/a.avi", "a", place / "o" / "a.h5")
    recipe = ScoreRecipe("m.onnx", preset, (), ("a", "b", "c", "d"))
    (place / "o").mkdir()
    assert not run_job(job, recipe, RunOptions(), wait=False).busy
    assert run_job(job, recipe, RunOptions()).up_to_date
