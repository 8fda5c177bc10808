"""The examples: rendered clips are what their names say, and the notebook runs from top to bottom."""

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

import idt
from classify.datasets import registry
from classify.params import DatasetParams
from examples import actors

pytestmark = pytest.mark.slow

EXAMPLES = Path(actors.__file__).parent
NOTEBOOKS = {
    name: json.loads((EXAMPLES / f"{name}.ipynb").read_text(encoding="utf-8"))
    for name in ("recognise_actions", "beside_a_network", "evidence", "untrimmed")
}
TINY = {"ACTORS": 3, "FRAMES": 24, "SIZE": (96, 72), "KS": (2,), "BLOCKS": ("hog", "mbhx,mbhy")}
TINY_EVIDENCE = {"ACTORS": 3, "FRAMES": 24, "SIZE": (96, 72), "K": 2}
TINY_UNTRIMMED = {"ACTORS": 3, "FRAMES": 40, "SIZE": (96, 72), "ACTIONS": ("punch", "walk", "wave"), "K": 2}
TINY_NETWORK = {"ACTORS": 3, "SPLITS": 3, "FRAMES": 24, "SIZE": (96, 72), "K": 2, "SNIPPETS": 2}

PACE_TOLERANCE = 0.2
"""Of a walker's pace as tracked: the camera zooms by up to 8 %, and the flow lags a little at the outline."""


def decoded(path):
    """Gray frames of a video."""
    capture = cv2.VideoCapture(str(path))
    frames = []
    while (read := capture.read())[0]:
        frames.append(read[1][..., 0])
    return np.array(frames)


def way_in_the_scene(features):
    """How far each track came in the scene, (n, 2): its last point less where the camera alone would have taken it."""
    ways = np.empty((len(features.frame), 2))
    steps = features.points.shape[1] - 1
    for i, (end, points) in enumerate(zip(features.frame, features.points, strict=True)):
        start = np.append(points[0], 1.0)
        for homography in features.camera.homography[end - steps + 1 : end + 1]:
            start = homography @ start
        ways[i] = points[-1] - start[:2] / start[2]
    return ways


def code_cells(name):
    return [cell for cell in NOTEBOOKS[name]["cells"] if cell["cell_type"] == "code"]


def test_postures_are_those_of_the_action():
    assert actors.jump(np.pi / 2, 1.0).lift == pytest.approx(0.4)
    assert actors.jump(-np.pi / 2, 1.0).lift == 0
    assert actors.bend(0.0, 1.0).lean == 0
    assert actors.bend(np.pi, 1.0).lean == pytest.approx(1.4)
    (thigh, shin), _ = actors.squat(np.pi, 1.0).legs
    assert (thigh, shin) == pytest.approx((1.2, -0.9))
    assert actors.walk(2 * np.pi, 1.0).travel == pytest.approx(2.5 * np.sin(0.45))
    far, near = actors.punch(np.pi / 2, 1.0).arms
    assert far == pytest.approx((1.4, 1.6))  # stretched forwards
    assert near == pytest.approx((0.0, 2.4))  # the fist at the chin


def test_the_script_writes_lossless_clips_under_their_labels(tmp_path, capsys):
    actors.main([str(tmp_path), "--actors", "2", "--frames", "3", "--size", "96x72", "--seed", "4"])
    assert capsys.readouterr().out.startswith("12 clips of 3 frames, 6 actions, 2 actors")
    dataset = registry.read_dataset("folder", tmp_path, DatasetParams(group="actor[0-9]+"))
    assert dataset.classes == ["bend", "jump", "punch", "squat", "walk", "wave"]
    assert dataset.labels["walk/actor02_walk"] == "walk"
    assert [split.name for split in dataset.splits] == ["actor01", "actor02"]
    assert all(len(split.test) == 6 for split in dataset.splits)
    second = actors.cast(2, seed=4, size=(96, 72))[1]
    expected = actors.render("walk", second, frames=3, size=(96, 72), seed=4)
    np.testing.assert_array_equal(decoded(tmp_path / "walk" / "actor02_walk.avi"), expected)


def test_the_same_arguments_render_the_same_clip():
    clip = actors.render("wave", actors.cast(1)[0], frames=3)
    assert clip.shape == (3, 120, 160)
    assert clip.dtype == np.uint8
    np.testing.assert_array_equal(clip, actors.render("wave", actors.cast(4)[0], frames=3))
    assert (clip != actors.render("wave", actors.cast(1)[0], frames=3, seed=1)).mean() > 0.9


def test_every_clip_has_a_scene_of_its_own():
    views = [actors.render(action, actor, frames=1).ravel() for actor in actors.cast(2) for action in actors.ACTIONS]
    alike = np.abs(np.corrcoef(views)[np.triu_indices(len(views), 1)])
    assert alike.max() < 0.5


def test_the_scene_leaves_no_tracks_and_the_figure_does(monkeypatch):
    monkeypatch.setitem(actors.ACTIONS, "nobody", lambda phase, vigour: actors.Pose(lift=100.0))
    actor = actors.cast(1)[0]
    assert len(idt.extract(actors.render("nobody", actor, frames=20)).frame) <= 2
    assert len(idt.extract(actors.render("wave", actor, frames=20)).frame) > 50


def test_a_walker_comes_forward_at_the_pace_of_the_strides():
    actor = actors.cast(1)[0]
    features = idt.extract(actors.render("walk", actor, frames=24))
    leg = actor.legs * actor.height * 120
    pace = actors.walk(2 * np.pi, actor.vigour).travel * leg / actor.period
    trunk = (features.mean[:, 1] > 0.25 * 120) & (features.mean[:, 1] < 0.5 * 120)
    across, down = way_in_the_scene(features)[trunk].T / features.params.length
    forward = across * np.sign(np.median(across))
    # The smooth flow drags points beside the trunk along, more slowly: the trunk's own are the fast ones.
    assert np.quantile(forward, 0.9) == pytest.approx(pace, rel=PACE_TOLERANCE)
    assert np.quantile(forward, 0.1) > 0
    assert abs(np.median(down)) < 0.1 * pace


def test_a_waver_moves_above_the_hip_only():
    features = idt.extract(actors.render("wave", actors.cast(1)[0], frames=24))
    assert np.quantile(features.mean[:, 1], 0.95) < 0.6 * 120


@pytest.mark.parametrize("words", [["--size", "160"], ["--size", "20x20"], ["--actors", "0"], ["--seed", "-1"]])
def test_options_that_make_no_sense_are_refused(tmp_path, words, capsys):
    with pytest.raises(SystemExit) as left:
        actors.main([str(tmp_path / "clips"), *words])
    assert left.value.code == 2
    assert "at least" in capsys.readouterr().err
    assert not (tmp_path / "clips").exists()


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_a_notebook_is_stored_without_results(name):
    notebook = NOTEBOOKS[name]
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    names = [cell["id"] for cell in notebook["cells"]]
    assert len(set(names)) == len(names)
    assert code_cells(name)[0]["metadata"]["tags"] == ["parameters"]
    for cell in code_cells(name):
        assert cell["outputs"] == []
        assert cell["execution_count"] is None


@pytest.fixture
def run(monkeypatch):
    """Run a notebook with small parameters: what it leaves behind, by name."""
    pyplot = pytest.importorskip("matplotlib.pyplot", reason="the extra notebooks is not installed")
    monkeypatch.syspath_prepend(EXAMPLES)
    pyplot.switch_backend("agg")

    def from_top_to_bottom(name, tiny):
        namespace = {"__name__": "notebook"}
        for cell in code_cells(name):
            exec(compile("".join(cell["source"]), cell["id"], "exec"), namespace)
            if "parameters" in cell["metadata"].get("tags", ()):
                assert set(tiny) <= set(namespace)
                namespace.update(tiny)
        pyplot.close("all")
        return namespace

    return from_top_to_bottom


def test_the_notebook_on_recognition_runs_from_top_to_bottom(run, capsys):
    namespace = run("recognise_actions", TINY)
    assert len(namespace["features"]) == 18
    assert namespace["drawn"].kept > 20
    assert namespace["accuracy"] > 2 / 6  # twice chance; three actors train little more
    assert namespace["search"].best_params_["encoder__blocks"] in TINY["BLOCKS"]
    assert 0 <= namespace["test_accuracy"] <= 1
    assert f"accuracy {namespace['accuracy']:.3f}" in capsys.readouterr().out


def test_the_notebook_on_networks_runs_from_top_to_bottom(run, capsys):
    namespace = run("beside_a_network", TINY_NETWORK)
    found = namespace["found"]
    # The notebook itself asserts that the two-stream recipe gives what the files give directly.
    assert found.report["sources"]["network"]["accuracy"] == namespace["two_stream"].accuracy
    assert found.report["videos"] == 18
    assert found.report["weights"] == {"idt": 0.25, "network": 0.75}
    assert f"fused    {found.accuracy:.3f}" in capsys.readouterr().out


def test_the_notebook_on_evidence_runs_from_top_to_bottom(run, capsys):
    namespace = run("evidence", TINY_EVIDENCE)
    shares, versus, without = (namespace[name] for name in ("shares", "versus", "without"))
    # The notebook itself asserts that shares sum to the score.
    assert len(shares.values) == len(versus.values) > 20
    assert namespace["picture"].image.shape[2] == 3
    assert without.losses.max() > 0
    assert "wave and not punch: score " in capsys.readouterr().out


def test_the_notebook_on_untrimmed_video_runs_from_top_to_bottom(run, capsys):
    namespace = run("untrimmed", TINY_UNTRIMMED)
    accuracy = namespace["accuracy"]
    # So few tracks tell little; the alignment has every action once all the same.
    assert namespace["found"]["dtw"].segments.labels.tolist() == namespace["transcript"]
    assert all(0 <= share <= 1 for share in accuracy.values())
    assert f"viterbi: {100 * accuracy['viterbi']:.1f} % of the frames" in capsys.readouterr().out
