"""`svm-train` and `svm-predict`, as a user meets them, and what importing the commands costs."""

import csv
import os
import re
import subprocess
import sys

import numpy as np
import pytest

from benchmarks.clips import write_video
from classify import cli
from classify.fusion.read import read_scores
from classify.models import model_file
from classify.params import ClassifierParams
from classify.svm.linear import LinearSVM
from encoding import FisherEncoder
from encoding.encode_files import encode_files
from encoding.vectors_file import VectorsWriter, load_vectors
from idt.batch.extract_one import extract_job
from idt.batch.jobs import plan
from idt.params.extraction import ExtractionParams
from tests import commands, scenes
from tests.samples import random_features

LAYOUT = [
    {"block": "hog", "cell": "whole", "first": 0, "size": 3},
    {"block": "hof", "cell": "whole", "first": 3, "size": 2},
]
NAMES = [f"{label}/{i}" for label in ("jump", "run", "walk") for i in range(4)]
LABELS = [name.partition("/")[0] for name in NAMES]
PARAMS = {"k": 4, "norm": "l2"}
DIGEST, OTHER = "c0ffee", "7ea"

PRINTED = 5e-7
"""Relative: a CSV of scores holds seven significant digits."""


@pytest.fixture
def command(command, working_folder):
    """Run a command in a folder of its own: exit status, stdout, stderr."""
    return command


def refused(result, pattern):
    """As `commands.refused`, and the command named itself."""
    assert re.match("svm-(train|predict): ", result[2]), result[2]
    return commands.refused(result, pattern)


def numbers(names=NAMES, d=5, seed=0):
    """Vectors about a centre of each class."""
    labels = sorted(set(LABELS))
    centres = 3 * np.random.default_rng(7).normal(size=(len(labels), d))
    noise = np.random.default_rng(seed).normal(size=(len(names), d))
    return (centres[[labels.index(name.partition("/")[0]) for name in names]] + noise).astype(np.float32)


def write_vectors(path, names=NAMES, *, codebook=DIGEST, layout=LAYOUT, params=PARAMS, empty=(), **options):
    encodings = numbers(names, **options)
    with VectorsWriter(path, layout=layout, codebook=codebook, params=params, source={"digest": "abc"}) as writer:
        for name, vector in zip(names, encodings, strict=True):
            writer.append(name, vector * (name not in empty), empty=name in empty)
    return encodings


def write_labels(path, labels):
    path.write_text("name,label\n" + "".join(f"{name},{label}\n" for name, label in labels.items()))
    return path


@pytest.fixture
def trained(command, tmp_path):
    """vectors.h5, labels.csv and the model.h5 made of them."""
    write_vectors(tmp_path / "vectors.h5")
    write_labels(tmp_path / "labels.csv", dict(zip(NAMES, LABELS, strict=True)))
    assert command("svm-train", "vectors.h5", "--labels", "labels.csv", "-o", "model.h5")[0] == 0
    return tmp_path


# What a user does.


def test_a_model_is_trained_and_says_on_what(command, trained):
    words = (
        "svm-train",
        "vectors.h5",
        "--labels",
        "labels.csv",
        "-o",
        "again.h5",
        "--c",
        "3",
        "--class-weight",
        "balanced",
    )
    assert command(*words) == (0, "again.h5: 3 classes, trained on 12 videos\n", "")
    model = model_file.load_model("model.h5")
    assert (model.codebook, model.layout, model.encoding) == (DIGEST, LAYOUT, PARAMS)
    assert (model.classifier.C, model_file.load_model("again.h5").classifier.C) == (ClassifierParams().C, 3.0)
    expected = LinearSVM().fit(numbers(), LABELS)
    np.testing.assert_array_equal(model.classifier.coef_, expected.coef_)


def test_vectors_are_labelled_with_their_best_classes(command, trained):
    new = [f"{label}/new" for label in ("walk", "jump")]
    encodings = write_vectors("new.h5", new, seed=3)
    status, out, err = command("svm-predict", "model.h5", "new.h5", "-o", "scores.csv", "--top", "2")
    assert (status, err) == (0, "")
    scores = LinearSVM().fit(numbers(), LABELS).scores(encodings)
    assert [line.split(": ")[0] for line in out.splitlines()] == new
    best, second = sorted(zip(scores[0], ("jump", "run", "walk"), strict=True), reverse=True)[:2]
    assert best[1] == "walk"
    assert out.splitlines()[0] == f"walk/new: walk {best[0]:.3f}, {second[1]} {second[0]:.3f}"
    with open("scores.csv", newline="") as file:
        header, *lines = csv.reader(file)
    assert (header, [line[0] for line in lines]) == (["name", "jump", "run", "walk"], new)
    np.testing.assert_allclose(np.array([line[1:] for line in lines], float), scores, rtol=PRINTED)


def test_scores_are_a_score_file_where_the_suffix_says_so(command, trained):
    encodings = write_vectors("new.h5", ["walk/new", "jump/new"], seed=3)
    words = ("svm-predict", "model.h5", "new.h5", "-o", "scores.h5")
    assert command(*words)[0] == 0
    found = read_scores("scores.h5")
    assert (found.form, found.kind, found.labels) == ("idt", "margins", None)
    assert (found.names, found.classes) == (["walk/new", "jump/new"], ["jump", "run", "walk"])
    np.testing.assert_array_equal(found.values, LinearSVM().fit(numbers(), LABELS).scores(encodings))
    assert refused(command(*words, status=2), "scores.h5 exists; use another path or --overwrite")
    before = os.stat("scores.h5").st_mtime_ns
    assert command(*words, "--overwrite")[0] == 0
    assert os.stat("scores.h5").st_mtime_ns == before
    write_vectors("newer.h5", ["walk/new", "jump/new"], seed=4)
    assert command("svm-predict", "model.h5", "newer.h5", "-o", "scores.h5", "--overwrite")[0] == 0
    assert read_scores("scores.h5").values[0, 0] != found.values[0, 0]
    assert refused(command(*words[:4], "model.h5", status=2), "model.h5 is an input of this run")


def test_two_classes_have_two_scores(command, tmp_path):
    names = NAMES[:8]
    write_vectors("v.h5", names)
    write_labels(tmp_path / "l.csv", dict(zip(names, LABELS[:8], strict=True)))
    assert command("svm-train", "v.h5", "--labels", "l.csv", "-o", "m.h5")[0] == 0
    _, out, _ = command("svm-predict", "m.h5", "v.h5")
    first, second = (float(score) for score in re.findall(r"jump/0: jump ([0-9.-]+), run ([0-9.-]+)", out)[0])
    assert first == -second > 0


def test_outside_blocks_stand_beside_the_columns(command, trained):
    np.save("c3d.npy", 5 * numbers(d=4, seed=1)[::-1])
    (trained / "names.txt").write_text("\n".join(NAMES[::-1]))
    extra = ("--extra", "c3d.npy", "--extra-names", "names.txt")
    words = ("svm-train", "vectors.h5", "--labels", "labels.csv", "-o", "fused.h5", *extra)
    assert command(*words)[0] == 0
    assert [part["block"] for part in model_file.load_model("fused.h5").layout] == ["hog", "hof", "c3d"]
    assert command(*words) == (0, "fused.h5: up to date\n", "")
    assert command("svm-predict", "fused.h5", "vectors.h5", *extra)[0] == 0
    # Other videos' vectors come under another file name, so the block can be named.
    (trained / "c3d.npy").rename("other.npy")
    named = ("--extra", "c3d=other.npy", "--extra-names", "names.txt")
    assert command("svm-predict", "fused.h5", "vectors.h5", *named)[0] == 0
    assert refused(
        command("svm-predict", "fused.h5", "vectors.h5", status=2), "hold hog 3, hof 2, the model was trained on hog 3"
    )
    unnamed = ("--extra", "other.npy", "--extra-names", "names.txt")
    assert refused(
        command("svm-predict", "fused.h5", "vectors.h5", *unnamed, status=2), "hof 2, other 4, the model .* c3d 4"
    )


def test_the_same_training_again_changes_nothing_and_another_is_refused(command, trained):
    words = ("svm-train", "vectors.h5", "--labels", "labels.csv", "-o", "model.h5")
    before = (trained / "model.h5").stat().st_mtime_ns
    assert command(*words) == (0, "model.h5: up to date\n", "")
    assert (trained / "model.h5").stat().st_mtime_ns == before
    assert refused(
        command(*words, "--c", "1", status=2), "model.h5 was written with C=100.0, this run asks for C=1.0; use another"
    )
    write_labels(trained / "labels.csv", dict(zip(NAMES, LABELS[::-1], strict=True)))
    assert refused(
        command(*words, status=2), "model.h5 was made from a source with digest .*, this run's has .*--overwrite"
    )
    assert command(*words, "--overwrite")[0] == 0


def test_videos_without_tracks_are_noted(command, trained):
    write_vectors("some.h5", empty=["run/1"])
    words = ("svm-train", "some.h5", "--labels", "labels.csv", "-o", "m.h5")
    assert command(*words)[2] == "svm-train: 1 videos without tracks have a zero vector: run/1\n"
    status, out, err = command("svm-predict", "m.h5", "some.h5")
    assert (status, err) == (0, "svm-predict: 1 videos without tracks have a zero vector: run/1\n")
    assert len(out.splitlines()) == len(NAMES)


# Straight from videos.


@pytest.fixture(scope="module")
def filmed(tmp_path_factory):
    """Four short films, their vectors and codebook with parameters that are not the default ones, and a model."""
    folder = tmp_path_factory.mktemp("filmed")
    films = {}
    for label, velocity in (("right", (3, 0)), ("down", (0, 3))):
        for take in (1, 2):
            path = folder / "clips" / label / f"{take}.avi"
            path.parent.mkdir(parents=True, exist_ok=True)
            frames = scenes.translating(14, velocity=velocity, size=(64, 80), seed=len(films))
            films[f"{label}/{take}"] = write_video(path, frames)
    params = ExtractionParams(length=5, time_cells=1, scales=1, stride=10, camera=False, keypoints="none")
    jobs = plan([str(folder / "clips")], f"{folder}/features/")
    for job in jobs:
        extract_job(job, params)
    names, files = [job.name for job in jobs], [job.output for job in jobs]
    encoder = FisherEncoder(2, blocks="trajectory,hof", power=0.7).fit(files)
    encode_files(
        files, names, encoder.codebook_, folder / "vectors.h5", params=encoder.codebook_.params_with(power=0.7)
    )
    encoder.codebook_.save(folder / "codebook.h5", source={"digest": "abc"})
    write_labels(folder / "labels.csv", {name: name.partition("/")[0] for name in names})
    words = [folder / "vectors.h5", "--labels", folder / "labels.csv", "-o", folder / "model.h5"]
    assert cli.svm_train([str(word) for word in words]) == 0
    return folder


@pytest.mark.slow
def test_videos_are_labelled_as_their_vectors_are(command, filmed):
    by_vectors = command("svm-predict", filmed / "model.h5", filmed / "vectors.h5")
    words = (filmed / "model.h5", filmed / "clips", "--codebook", filmed / "codebook.h5")
    assert command("svm-predict", *words) == by_vectors
    assert (by_vectors[0], len(by_vectors[1].splitlines())) == (0, 4)
    status, out, _ = command("svm-predict", words[0], filmed / "clips" / "down" / "2.avi", *words[2:])
    assert status == 0
    assert f"down/{out}" in by_vectors[1]


@pytest.mark.slow
def test_a_video_that_cannot_be_read_is_listed_and_the_rest_labelled(command, filmed, tmp_path):
    (tmp_path / "broken.avi").write_bytes(b"no film")
    words = ("--codebook", filmed / "codebook.h5")
    films = (tmp_path / "broken.avi", filmed / "clips" / "down" / "2.avi")
    status, out, err = command("svm-predict", filmed / "model.h5", *films, *words, status=3)
    assert status == 3
    assert re.search("broken.avi.*\nsvm-predict: 1 videos failed; the others are labelled\n$", err)
    assert len(out.splitlines()) == 1
    assert refused(command("svm-predict", filmed / "model.h5", films[0], *words, status=2), "broken.avi")


def test_a_codebook_that_is_not_the_models_is_refused_before_anything_is_extracted(command, filmed, tmp_path):
    other = FisherEncoder(2, blocks="trajectory").fit(sorted((filmed / "features").rglob("*.h5"))).codebook_
    other.save(tmp_path / "other.h5")
    film = tmp_path / "no-such-film.avi"
    result = command("svm-predict", filmed / "model.h5", film, "--codebook", tmp_path / "other.h5", status=2)
    assert refused(result, f"with codebook {other.digest}, the model was trained with .*; encode the videos with the")
    foreign = FisherEncoder(2, blocks="trajectory").fit([random_features(30, seed=i, foreign="text") for i in range(2)])
    foreign.codebook_.save(tmp_path / "foreign.h5")
    result = command("svm-predict", filmed / "model.h5", film, "--codebook", tmp_path / "foreign.h5", status=2)
    assert refused(result, "fitted on features without recorded parameters, .* encode features with fv-encode")


def test_probabilities_are_trained_and_printed_when_asked_for(command, trained):
    words = ("svm-train", "vectors.h5", "--labels", "labels.csv", "-o", "sure.h5", "--classifier", "chi2")
    assert command(*words, "--probability", "--c", "cv")[0] == 0
    status, out, _ = command("svm-predict", "sure.h5", "vectors.h5", "--probabilities", "-o", "p.csv", "--top", "1")
    assert status == 0
    assert re.fullmatch(r"jump/0: jump 0\.\d{3}", out.splitlines()[0])
    rows = np.loadtxt("p.csv", delimiter=",", skiprows=1, usecols=(1, 2, 3))
    np.testing.assert_allclose(rows.sum(axis=1), 1, atol=1e-6)
    assert model_file.load_model("sure.h5").classifier.channels == [(0, 3), (3, 5)]
    result = command("svm-predict", "model.h5", "vectors.h5", "--probabilities", status=2)
    assert refused(result, "model.h5 has no probabilities; train it with svm-train --probability")


def test_a_video_may_have_several_labels(command, trained):
    lines = [
        f"{name},{label}" + (",late" if name.endswith("3") else "") for name, label in zip(NAMES, LABELS, strict=True)
    ]
    (trained / "several.csv").write_text("\n".join(lines))
    status, out, _ = command("svm-train", "vectors.h5", "--labels", "several.csv", "-o", "several.h5")
    assert (status, out) == (0, "several.h5: 4 classes, trained on 12 videos\n")
    model = model_file.load_model("several.h5").classifier
    assert (model.multi_label_, model.classes_.tolist()) == (True, ["jump", "late", "run", "walk"])
    expected = LinearSVM().fit(numbers(), [tuple(line.split(",")[1:]) for line in lines])
    np.testing.assert_array_equal(model.coef_, expected.coef_)


# What is refused.


def test_labels_and_videos_that_do_not_match_are_all_listed(command, trained):
    labels = dict(zip(NAMES, LABELS, strict=True))
    del labels["run/0"], labels["walk/3"]
    write_labels(trained / "wrong.csv", {**labels, "swim/0": "swim"})
    result = command("svm-train", "vectors.h5", "--labels", "wrong.csv", "-o", "m.h5", status=2)
    assert refused(result, "2 videos without a label: run/0, walk/3; 1 labels without a video: swim/0")
    write_labels(trained / "one.csv", dict.fromkeys(NAMES, "walk"))
    assert refused(
        command("svm-train", "vectors.h5", "--labels", "one.csv", "-o", "m.h5", status=2), "got one class only: walk"
    )
    assert not (trained / "m.h5").exists()


def test_vectors_made_in_another_way_are_refused(command, trained):
    write_vectors("a.h5", codebook=OTHER)
    assert refused(
        command("svm-predict", "model.h5", "a.h5", status=2), f"a.h5 were made with codebook {OTHER}, the model was"
    )
    write_vectors("b.h5", params={**PARAMS, "norm": "l1"})
    pattern = "b.h5 were encoded with norm=l1, the model was trained with norm=l2; encode them alike"
    assert refused(command("svm-predict", "model.h5", "b.h5", status=2), pattern)
    write_vectors("c.h5", layout=[{**LAYOUT[0], "size": 5}], d=5)
    assert refused(
        command("svm-predict", "model.h5", "c.h5", status=2), "c.h5 hold hog 5, the model was trained on hog 3, hof 2"
    )


def test_inputs_that_are_no_vectors_are_refused(command, trained):
    (trained / "film.avi").write_bytes(b"RIFF")
    pattern = "film.avi is no vectors file; a video needs the model's codebook, --codebook"
    assert refused(command("svm-predict", "model.h5", "film.avi", status=2), pattern)
    assert refused(command("svm-predict", "model.h5", "film.avi", "vectors.h5", status=2), "must be one vectors file")
    assert refused(command("svm-predict", "model.h5", "model.h5", status=2), "'idt-model', expected 'idt-vectors'")
    assert refused(command("svm-predict", "vectors.h5", "vectors.h5", status=2), "'idt-vectors', expected 'idt-model'")
    assert refused(command("svm-predict", "none.h5", "vectors.h5", status=2), "none.h5: No such file")
    assert refused(
        command("svm-train", "model.h5", "--labels", "labels.csv", "-o", "m.h5", status=2), "expected 'idt-vectors'"
    )


def test_no_file_is_lost(command, trained):
    words = ("svm-train", "vectors.h5", "--labels", "labels.csv", "--overwrite", "-o")
    assert refused(command(*words, "vectors.h5", status=2), "vectors.h5 is an input of this run and would be lost")
    (trained / "scores.csv").write_text("mine")
    words = ("svm-predict", "model.h5", "vectors.h5", "-o")
    assert refused(command(*words, "scores.csv", status=2), "scores.csv exists .*--force scores.csv")
    assert refused(command(*words, "scores.csv", "--overwrite", status=2), "scores.csv is not one of .*--force")
    assert refused(command(*words, "model.h5", "--overwrite", status=2), "model.h5 is an input of this run")
    assert (trained / "scores.csv").read_text() == "mine"


def test_an_outside_block_needs_its_names(command, trained):
    words = ("svm-train", "vectors.h5", "--labels", "labels.csv", "-o", "m.h5")
    assert refused(
        command(*words, "--extra-names", "n.txt", status=2), "n.txt must follow the --extra whose rows it names"
    )
    np.save("c3d.npy", numbers(NAMES[1:]))
    (trained / "names.txt").write_text("\n".join(NAMES[1:]))
    assert refused(
        command(*words, "--extra", "c3d.npy", status=2), "c3d.npy does not name the videos of its rows; .*--extra-names"
    )
    block = ("--extra", "c3d.npy", "--extra-names", "names.txt")
    assert refused(command(*words, *block, status=2), "the outside block 'c3d' has no row for jump/0")


def test_options_that_mean_nothing_are_refused(command, trained):
    words = ("svm-train", "vectors.h5", "--labels", "labels.csv", "-o", "m.h5")
    assert refused(
        command(*words, "--c", "0", status=2), r"--c: expected a number from 1e-09 to 1e\+09, or cv, got .0."
    )
    assert refused(command(*words, "--class-weight", "magic", status=2), "invalid choice: 'magic'")
    assert refused(
        command("svm-predict", "model.h5", "vectors.h5", "--top", "0", status=2), "number of at least 1, got .0."
    )


# What importing costs.


@pytest.mark.parametrize("words", [None, "evaluate", "svm_train", "svm_predict"])
def test_importing_the_commands_and_their_help_load_nothing_heavy(words):
    heavy = {"cv2", "numba", "numpy", "scipy", "sklearn", "h5py", "joblib", "tqdm", "matplotlib"}
    call = f"\ntry:\n    cli.{words}(['--help'])\nexcept SystemExit:\n    pass" if words else ""
    code = f"import sys\nfrom classify import cli{call}\nprint('loaded', *sorted({heavy!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "loaded"


@pytest.mark.slow
def test_labelling_vectors_needs_neither_a_decoder_nor_a_compiler(trained):
    code = (
        "import sys; from classify import cli; sys.argv = ['svm-predict'];"
        " assert cli.svm_predict(['model.h5', 'vectors.h5']) == 0;"
        " print('loaded', *sorted({'cv2', 'numba'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=trained)
    assert done.stdout.splitlines()[-1] == "loaded"
    assert len(done.stdout.splitlines()) == len(load_vectors(trained / "vectors.h5").names) + 1


@pytest.mark.filterwarnings("default:the support vector machine")
def test_classes_that_do_not_converge_are_said_in_one_line(command, trained, monkeypatch):
    from classify.svm import kernel_machines

    monkeypatch.setattr(kernel_machines, "MOST_UPDATES", 12)
    _, out, err = command("svm-train", "vectors.h5", "--labels", "labels.csv", "-o", "hasty.h5", "--threads", "2")
    assert out == "hasty.h5: 3 classes, trained on 12 videos\n"
    assert err.startswith("svm-train: the support vector machine did not reach the optimum of ")
    assert err.count("\n") == 1
